"""The metric page in a real browser, framed as hosts frame it (MCP Apps 2026-01-26, design §5)."""

from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Any

import pytest
import pytest_asyncio
from fake_host import NAMES, QUIET, FakeHost, browser_program
from front_door import desk

from dixa_mcp.sandbox import Sandbox

HTML = files("dixa_mcp.server").joinpath("metric.html").read_text(encoding="utf-8")
READY = {"serverTools": {}}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Any]:
    """Chromium without a window; where there is none, plain pytest skips and `make test-browser` brings it."""
    program = browser_program()
    if program is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is installed (make test-browser)")
    playwright = pytest.importorskip("playwright.async_api", reason="needs the package playwright (make test-browser)")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any) -> AsyncGenerator[Any]:
    """A browser's page; errors of its scripts fail the test."""
    errors: list[str] = []
    asked: list[str] = []
    page = await browser.new_page(viewport={"width": 680, "height": 900}, color_scheme="light")
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    yield page
    await page.close()
    assert errors == []
    assert [url for url in asked if not url.startswith("about:")] == []


_answers: dict[str, dict[str, Any]] = {}


async def answer(**arguments: Any) -> dict[str, Any]:
    """What the real server answers; asked once for each set of arguments."""
    key = repr(sorted(arguments.items()))
    if key not in _answers:
        _answers[key] = await _asked(**arguments)
    return _answers[key]


async def _asked(**arguments: Any) -> dict[str, Any]:
    async with desk(sandbox=Sandbox(scale=200)) as d:
        result = await d.client.call_tool(
            "dixa_query_metric", {"metric": "closed_conversations", "period": "last month", **arguments}
        )
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)


async def shown(page: Any, result: dict[str, Any], **settings: Any) -> FakeHost:
    host = FakeHost(page, HTML, **settings)
    await host.open()
    await host.give(result, metric="closed_conversations", period="last month")
    await host.frame.locator("h1").wait_for()
    return host


def figures(label: str, value: Any = 3, **more: Any) -> dict[str, Any]:
    """A small made-up answer."""
    data: dict[str, Any] = {"metric": "csat", "about": "", "period": "today", "dates": "2026-02-13", "timezone": "UTC"}
    data |= {"start": "x", "unit": "", "filters": {}, "splits": ["queue", "day"], "shares": False, "compared": False}
    data |= {"figures": [{"measure": "Count", "value": value}], "by": "queue", "measure": "Count", "notes": []}
    data["parts"] = [{"label": label, "value": value, "former": None}]
    return {"content": [], "structuredContent": data | more}


# --- drawing


@pytest.mark.parametrize("by", ["queue", "day"])
async def test_every_part_is_a_bar_that_says_its_value(page: Any, by: str) -> None:
    """What the server computed is what a reader, with or without eyes, gets."""
    result = await answer(by=by)
    host = await shown(page, result)
    data = result["structuredContent"]
    wanted = [part for part in data["parts"] if by == "day" or part["value"]]
    labels = await host.frame.locator(".item").evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('aria-label'))"
    )
    assert [label.split(" · ")[0] for label in labels] == [f"{part['label']}: {part['value']}" for part in wanted]
    assert all("before" in label for label in labels)
    described = await host.frame.locator("svg").get_attribute("aria-label")
    assert described.startswith(f"Closed conversations: Count by {by}.")
    assert await host.frame.locator(".figure b").inner_text() == str(data["figures"][0]["value"])


async def test_bars_are_as_long_as_their_values(page: Any) -> None:
    """A chart must not lie: lengths are in proportion, from zero."""
    result = await answer(by="queue")
    host = await shown(page, result)
    widths = await host.frame.locator("rect.now").evaluate_all("bars => bars.map(bar => bar.width.baseVal.value)")
    values = [part["value"] for part in result["structuredContent"]["parts"] if part["value"]]
    for width, value in zip(widths, values, strict=True):
        assert width / widths[0] == pytest.approx(value / values[0], abs=0.02)


async def test_times_are_told_in_hours_and_minutes(page: Any) -> None:
    """Eleven thousand seconds say nothing to a reader: bars, axis and change are told like the headline."""
    figure = {"measure": "Average", "value": 9000, "former": 12600}
    parts = [{"label": "2026-02-13", "value": 9000, "former": 12600}]
    more = {"unit": "s", "measure": "Average", "figures": [figure], "compared": True, "former": {"dates": "then"}}
    host = await shown(page, figures("x", by="day", parts=parts, **more))
    assert await host.frame.locator(".figure").inner_text() == "Average\n2 h 30 min\n9,000 s · −1 h · before 3 h 30 min"
    assert await host.frame.locator("svg text[text-anchor=end]").all_text_contents() == ["0 s", "2 h", "4 h"]
    host = await shown(page, figures("A", 9000, parts=[{"label": "A", "value": 9000, "former": None}], **more))
    assert await host.frame.locator("text.value").text_content() == "2 h 30 min"


async def test_the_numbers_are_a_table_on_demand(page: Any) -> None:
    """A text alternative for who doesn't read charts."""
    result = await answer(by="queue")
    host = await shown(page, result)
    await host.frame.get_by_role("button", name="Numbers").press("Enter")
    rows = await host.frame.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    wanted = [part for part in result["structuredContent"]["parts"] if part["value"]]
    assert [row[:3] for row in rows] == [[part["label"], str(part["value"]), str(part["former"])] for part in wanted]
    assert await host.frame.locator("svg").count() == 0
    assert await host.frame.get_by_role("button", name="Numbers").get_attribute("aria-pressed") == "true"
    assert await host.frame.get_by_role("button", name="Numbers").evaluate("node => node === document.activeElement")


# --- keyboard


async def test_bars_are_reached_and_read_by_keyboard(page: Any) -> None:
    """One tab stop; arrows, Home and End move; ring and readout follow (WAI-ARIA roving tabindex)."""
    result = await answer(by="queue")
    host = await shown(page, result)
    items = host.frame.locator(".item")
    assert await host.frame.locator(".item[tabindex='0']").count() == 1
    await host.frame.get_by_role("button", name="Numbers").focus()
    await page.keyboard.press("Tab")
    names = [part["label"] for part in result["structuredContent"]["parts"] if part["value"]]
    for key, index in (("", 0), ("ArrowDown", 1), ("End", len(names) - 1), ("ArrowRight", len(names) - 1), ("Home", 0)):
        if key:
            await page.keyboard.press(key)
        assert await items.nth(index).evaluate("node => node === document.activeElement")
        assert (await host.frame.locator("#readout").inner_text()).startswith(f"{names[index]}: ")
        ring = await items.nth(index).locator(".hit").evaluate("node => getComputedStyle(node).stroke")
        assert ring == "rgb(29, 78, 216)"


async def test_the_pointer_reads_bars_too(page: Any) -> None:
    """Hovering shows what focus shows."""
    host = await shown(page, await answer(by="day"))
    await host.frame.locator(".item").nth(4).hover()
    assert (await host.frame.locator("#readout").inner_text()).startswith("2026-01-05: ")


# --- looks


def luminance(colour: str) -> float:
    """WCAG's relative luminance of `rgb(…)`."""
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_text_and_bars_stand_out_in_both_themes(page: Any, theme: str) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for bars and the focus ring."""
    host = await shown(page, await answer(by="queue"), theme=theme)
    await host.frame.locator(".item").first.focus()
    await page.keyboard.press("ArrowDown")
    back = await host.frame.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    assert (luminance(back) > 0.5) == (theme == "light")
    for selector, style, least in (
        ("h1", "color", 4.5),
        (".dim", "color", 4.5),
        ("svg text.value", "fill", 4.5),
        ("rect.now", "fill", 3),
        (".item.on .hit", "stroke", 3),
    ):
        colour = await host.frame.locator(selector).first.evaluate(
            "(node, style) => getComputedStyle(node)[style]", style
        )
        assert contrast(colour, back) >= least, selector


async def test_the_hosts_theme_and_variables_are_followed_while_open(page: Any) -> None:
    """`host-context-changed` carries only what changed."""
    host = await shown(page, await answer(by="queue"))
    body = host.frame.locator("body")
    await host.notify("ui/notifications/host-context-changed", {"theme": "dark"})
    assert await body.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(29, 29, 32)"
    variables = {"--color-background-primary": "rgb(1, 2, 3)", "--font-sans": "monospace"}
    await host.notify("ui/notifications/host-context-changed", {"styles": {"variables": variables}})
    assert await body.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(1, 2, 3)"
    assert await body.evaluate("node => getComputedStyle(node).fontFamily") == "monospace"


async def test_a_host_that_names_no_theme_gets_the_systems(page: Any) -> None:
    """prefers-color-scheme is the fallback."""
    await page.emulate_media(color_scheme="dark")
    host = await shown(page, await answer(by="queue"), context={"theme": None})
    assert (
        await host.frame.locator("body").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(29, 29, 32)"
    )


@pytest.mark.parametrize("width", [320, 680, 1200])
async def test_nothing_runs_over_the_edge_and_the_host_hears_the_size(page: Any, width: int) -> None:
    """The page fits its frame at any width and tells its height."""
    await page.set_viewport_size({"width": width, "height": 900})
    host = await shown(page, await answer(by="day"), capabilities=READY)
    said = (await host.heard("ui/notifications/size-changed"))["params"]
    assert said["width"] <= width
    inside = await host.frame.locator("#main").evaluate("node => node.getBoundingClientRect().height")
    assert said["height"] == pytest.approx(inside + 32, abs=1)
    await page.set_viewport_size({"width": 300, "height": 900})
    await page.wait_for_function("() => said.at(-1).params?.width <= 300")
    assert await host.frame.locator("html").evaluate("node => node.scrollWidth <= node.clientWidth")


# --- states


async def test_it_says_that_it_waits(page: Any) -> None:
    """Between start and result there is something to read."""
    host = FakeHost(page, HTML)
    await host.open()
    assert await host.frame.get_by_role("status").inner_text() == "Waiting for figures …"


async def test_an_empty_answer_is_said(page: Any) -> None:
    """No bars, and the reason in words."""
    host = await shown(page, await answer(period="2020"))
    assert (
        "Nothing was counted here." in await host.frame.locator("body").inner_text()
        or await host.frame.locator(".figure").count()
    )
    assert await host.frame.locator(".item").count() == 0


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            {"isError": True, "content": [{"type": "text", "text": "No metric is called 'x'."}]},
            "No metric is called 'x'.",
        ),
        ({"content": []}, "holds no figures"),
        ({"content": [], "structuredContent": {"metric": "x"}}, "holds no figures"),
    ],
)
async def test_an_error_is_an_alert_in_words(page: Any, result: dict[str, Any], words: str) -> None:
    """A failure never looks like an empty chart."""
    host = FakeHost(page, HTML)
    await host.open()
    await host.give(result)
    alert = host.frame.get_by_role("alert")
    await alert.wait_for()
    assert words in await alert.inner_text()


async def test_a_cancelled_call_is_said(page: Any) -> None:
    """The host may cancel a call under way."""
    host = FakeHost(page, HTML)
    await host.open()
    await host.notify("ui/notifications/tool-cancelled", {"reason": "user"})
    await host.frame.get_by_role("alert").wait_for()


async def test_gaps_in_the_answer_are_shown(page: Any) -> None:
    """A partial result says so in the chart as well."""
    host = await shown(page, figures("A", notes=["INCOMPLETE: 1 of 2 parts are missing"]))
    assert "INCOMPLETE: 1 of 2" in await host.frame.locator(".note").inner_text()


@pytest.mark.parametrize(
    "label", ["<img src=x onerror=alert(1)>", "'\"><script>parent.x=1</script>", "a" * 300, "طرد & 荷物"]
)
async def test_names_are_text_whatever_they_hold(page: Any, label: str) -> None:
    """A tag's name is somebody's text (design §4.8)."""
    host = await shown(page, figures(label))
    assert await host.frame.locator("img, main script").count() == 0
    assert (await host.frame.locator(".item").get_attribute("aria-label")).startswith(label)
    assert await host.frame.locator("html").evaluate("node => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("value", [0, -4, 1e12, 0.001, None, [{"value": 3}]])
async def test_odd_values_do_not_break_it(page: Any, value: Any) -> None:
    """Zero, negative, huge, missing and lists of presence (notes §13)."""
    for by in ("queue", "day"):
        label = "2026-02-13" if by == "day" else "A"
        host = await shown(page, figures(label, value, by=by, parts=[{"label": label, "value": value, "former": None}]))
        assert "NaN" not in await host.frame.locator("body").inner_text()


# --- the protocol


async def test_requests_of_the_host_are_answered(page: Any) -> None:
    """Teardown and ping get a result, what isn't known an error."""
    host = await shown(page, figures("A"))
    assert (await host.request("t1", "ui/resource-teardown"))["result"] == {}
    assert (await host.request("p1", "ping"))["result"] == {}
    assert (await host.request("u1", "ui/unheard-of"))["error"]["code"] == -32601


async def test_only_the_host_is_listened_to(page: Any) -> None:
    """A message of another window changes nothing."""
    host = await shown(page, figures("A"))
    await host.frame.locator("body").evaluate(
        """() => new Promise(done => {
            addEventListener("message", () => done(), { once: true });
            postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-cancelled" }, "*");
        })"""
    )
    assert await host.frame.get_by_role("alert").count() == 0


async def test_another_division_is_asked_for_with_the_same_arguments(page: Any) -> None:
    """Where the host lets pages call tools, buttons split the same figures another way."""
    result = await answer(by="day")
    host = await shown(page, await answer(by="queue"), capabilities=READY, answers={"tools/call": {"result": result}})
    await host.frame.get_by_role("button", name="By day").click()
    await host.frame.locator("button[aria-pressed=true]", has_text="By day").wait_for()
    called = (await host.heard("tools/call"))["params"]
    assert called == {
        "name": "dixa_query_metric",
        "arguments": {"metric": "closed_conversations", "period": "last month", "by": "day"},
    }
    assert await host.frame.locator(".item").count() == 31
    assert await host.frame.get_by_role("button", name="By day").evaluate("node => node === document.activeElement")


async def test_a_refused_division_keeps_the_chart(page: Any) -> None:
    """The old figures stay, and the reason is an alert."""
    host = await shown(page, figures("A"), capabilities=READY)
    await host.frame.get_by_role("button", name="By day").click()
    await host.frame.get_by_role("alert").wait_for()
    assert await host.frame.locator(".item").count() == 1


async def test_without_the_right_to_call_tools_there_are_no_buttons_for_it(page: Any) -> None:
    """Nothing is offered that can't work."""
    host = await shown(page, figures("A"))
    assert await host.frame.get_by_role("button", name="By day").count() == 0
