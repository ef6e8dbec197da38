"""The chart page as a PNG picture: the real page in Chromium, framed as hosts frame it, with the sandbox's figures."""

import io
import json
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fake_host import QUIET, FakeHost
from front_door import desk

from dixa_mcp.sandbox import Sandbox

QUESTION = {"metric": "first_response_time", "period": "last month", "by": "queue"}
PAGE = files("dixa_mcp.server").joinpath("metric.html").read_text(encoding="utf-8")
THEMES = ("light", "dark")
FONT = "Inter, system-ui, sans-serif"
"""Hosts give the page their font; this stands in for theirs."""
BORDER = "#app { border: 1px solid %s !important; box-sizing: border-box }"
EDGE = {"light": "#d8dae0", "dark": "#3b3b41"}
"""The border that hosts draw around the page, and its colour by theme."""


async def answer() -> dict[str, Any]:
    """What the server answers to the question."""
    async with desk(sandbox=Sandbox(scale=3000)) as d:
        result = await d.client.call_tool("dixa_query_metric", QUESTION)
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)


def made_from(result: dict[str, Any]) -> str:
    """What a picture is made from, the page and the figures, as one word; it stands in the file."""
    return sha256(f"{PAGE}{json.dumps(result['structuredContent'], sort_keys=True)}".encode()).hexdigest()


async def draw(result: dict[str, Any], program: str) -> dict[str, bytes]:
    """The pictures, by theme."""
    from playwright.async_api import async_playwright  # pyright: ignore[reportMissingImports] - see make pictures

    drawn: dict[str, bytes] = {}
    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=program, args=QUIET)
        for theme in THEMES:
            page = await chromium.new_page(
                viewport={"width": 720, "height": 900}, color_scheme=theme, device_scale_factor=2
            )
            styles = {"variables": {"--font-sans": FONT}}
            host = FakeHost(page, PAGE, theme=theme, context={"styles": styles}, capabilities={"serverTools": {}})
            await host.open()
            await page.add_style_tag(content=BORDER % EDGE[theme])
            await host.give(result, **QUESTION)
            await host.frame.locator("svg").wait_for()
            await host.heard("ui/notifications/size-changed")
            drawn[theme] = await page.locator("#app").screenshot()
        await chromium.close()
    return {theme: _small(png, made_from(result)) for theme, png in drawn.items()}


def _small(png: bytes, source: str) -> bytes:
    """The same with a palette: a chart has few colours."""
    from PIL import Image  # pyright: ignore[reportMissingImports] - see make pictures
    from PIL.PngImagePlugin import PngInfo  # pyright: ignore[reportMissingImports] - as above

    facts = PngInfo()
    facts.add_text("Source", source)
    small = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    image.save(small, "PNG", optimize=True, pnginfo=facts)
    return small.getvalue()
