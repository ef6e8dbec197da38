"""The metric chart as an MCP App: bound, served and self-contained; a text chart elsewhere (design §5)."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.resources import files

import pytest
from front_door import desk
from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import TextContent, TextResourceContents
from pydantic import SecretStr

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace
from dixa_mcp.sandbox import Sandbox, transport
from dixa_mcp.server.assembly import assemble
from dixa_mcp.settings import Settings

PAGE = "ui://dixa/metric.html"
SPLIT = {"metric": "closed_conversations", "period": "last month", "by": "queue"}
HTML = files("dixa_mcp.server").joinpath("metric.html").read_text(encoding="utf-8")


@asynccontextmanager
async def host(era: str) -> AsyncGenerator[Client]:
    """A client that says it shows MCP Apps."""
    dixa = Dixa(SecretStr("sandbox-admin-token"), transport=transport(Sandbox(scale=100)), pace=Pace(None))
    server = assemble(Settings.load(["--no-audit"], {}), dixa)
    extensions = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]
    async with Client(server, mode=era, extensions=extensions) as client:
        try:
            yield client
        finally:
            await dixa.aclose()


async def test_the_metric_tool_names_its_page_and_the_page_is_served(era: str) -> None:
    """`_meta.ui.resourceUri` points at a resource of the type that hosts require (MCP Apps 2026-01-26)."""
    async with desk(era=era) as d:
        tools = {tool.name: tool for tool in (await d.client.list_tools()).tools}
        assert (tools["dixa_query_metric"].meta or {})["ui"] == {"resourceUri": PAGE}
        assert [name for name, tool in tools.items() if tool.meta and "ui" in tool.meta] == ["dixa_query_metric"]
        assert PAGE in {str(resource.uri) for resource in (await d.client.list_resources()).resources}
        (content,) = (await d.client.read_resource(PAGE)).contents
        assert isinstance(content, TextResourceContents)
        assert content.mime_type == APP_MIME_TYPE
        assert content.text == HTML


async def test_without_the_tool_there_is_no_page(era: str) -> None:
    """A page nobody may fill isn't offered."""
    async with desk("--exclude-tools", "dixa_query_metric", era=era) as d:
        assert PAGE not in {str(resource.uri) for resource in (await d.client.list_resources()).resources}
        with pytest.raises(Exception, match=r"(?i)resource"):
            await d.client.read_resource(PAGE)


async def test_bars_are_drawn_in_text_only_where_no_host_draws_them(era: str) -> None:
    """A small text bar chart elsewhere (design §5); the numbers are in both."""
    async with desk(era=era, sandbox=Sandbox(scale=100)) as d:
        plain = await d.call("query_metric", **SPLIT)
    async with host(era) as client:
        result = await client.call_tool("dixa_query_metric", SPLIT)
        (block,) = result.content
        assert isinstance(block, TextContent)
        assert "█" in plain.text
        assert "█" not in block.text
        numbers = re.compile(r"\d+, \d+ %")
        assert numbers.findall(plain.text) == numbers.findall(block.text) != []
        assert result.structured_content == plain.structured


def test_the_page_needs_no_network() -> None:
    """One file: no script, style, font or picture from anywhere (design §5)."""
    assert re.findall(r"https?://[^\s\"'<]+", HTML) == ["http://www.w3.org/2000/svg"]
    assert not re.search(
        r"<(?:link|img|script\s+src|iframe)|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(", HTML
    )
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", HTML)
    assert HTML.count("\n") <= 350
