"""`search` and `fetch`, as OpenAI fixed them."""

import json
from typing import Any

import pytest
from front_door import Desk, desk
from mcp.types import TextContent

CHATGPT = ("--toolsets", "chatgpt")


async def ask(d: Desk, tool: str, **arguments: Any) -> tuple[dict[str, Any], str, bool]:
    """Call a tool by its own name; returns object, text and whether it failed."""
    said = await d.client.call_tool(tool, arguments)
    text = "".join(block.text for block in said.content if isinstance(block, TextContent))
    return said.structured_content or {}, text, bool(said.is_error)


async def test_only_the_two_tools_are_listed_when_asked_for(era: str) -> None:
    """Practice §5.2: their names are fixed, and both only read."""
    async with desk(*CHATGPT, era=era) as d:
        tools = {tool.name: tool for tool in (await d.client.list_tools()).tools}
        assert sorted(tools) == ["fetch", "search"]
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
        assert [list(tools[name].input_schema["properties"]) for name in ("fetch", "search")] == [["id"], ["query"]]


async def test_search_and_fetch_answer_in_the_fixed_form(era: str) -> None:
    """Practice §5.2: an object, and the same object as JSON text."""
    async with desk(*CHATGPT, era=era) as d:
        found, text, failed = await ask(d, "search", query="order")
        assert not failed
        assert json.loads(text) == found
        assert all(set(each) == {"id", "title", "url"} for each in found["results"])
        ids = [each["id"] for each in found["results"]]
        assert "conversation:10401" in ids
        assert any(each.startswith("article:") for each in ids)
        for each in ids:
            document, text, failed = await ask(d, "fetch", id=each)
            assert not failed
            assert json.loads(text) == document, text
            assert set(document) == {"id", "title", "text", "url", "metadata"}
            assert document["id"] == each


async def test_a_conversation_is_fenced_and_linked() -> None:
    """Design §4.8: customers' words are data for every client; the link is the one agents use."""
    async with desk(*CHATGPT) as d:
        document, _, _ = await ask(d, "fetch", id="conversation:10403")
        assert document["text"].count("<<customer-text") == 1
        assert "Is the tent in stock?" in document["text"]
        assert document["url"] == "https://fernway.dixa.com/conversation/10403"


async def test_a_strange_subdomain_makes_no_link() -> None:
    """What Dixa says isn't put into an address unchecked."""
    async with desk(*CHATGPT) as d:
        d.sandbox.organisation.details["subdomain"] = "evil.example/"
        document, _, _ = await ask(d, "fetch", id="10403")
        assert document["url"] == "dixa://conversation/10403"


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("search", {"query": " "}, "empty"),
        ("fetch", {"id": "ticket:1"}, "conversation:10401"),
        ("fetch", {"id": "conversation:99999999"}, "99999999"),
        ("fetch", {"id": "conversation:abc"}, "conversation number"),
        ("fetch", {"id": "article:nothing"}, "No article"),
    ],
)
async def test_a_wrong_call_says_what_would_do(tool: str, arguments: dict[str, Any], words: str) -> None:
    """Design §7: which id, and the right form."""
    async with desk(*CHATGPT) as d:
        _, text, failed = await ask(d, tool, **arguments)
        assert failed
        assert words in text


async def test_articles_are_found_when_conversations_are_not() -> None:
    """Design §7: a part that fails doesn't take the rest with it."""
    async with desk(*CHATGPT) as d:
        d.sandbox.faults.add("search_conversations", status=500, times=9)
        found, _, failed = await ask(d, "search", query="refund")
        assert not failed
        assert found["results"]


async def test_nothing_found_is_an_empty_list() -> None:
    """Practice §5.2: the form holds for no result, too."""
    async with desk(*CHATGPT) as d:
        found, _, failed = await ask(d, "search", query="xyzzyplugh")
        assert not failed
        assert found == {"results": []}


async def test_only_the_listed_queues_can_be_fetched() -> None:
    """Design §4.0: `--read-queues` holds for every way to a conversation."""
    async with desk(*CHATGPT, "--read-queues", "VIP") as d:
        _, text, failed = await ask(d, "fetch", id="conversation:10401")
        assert failed
        assert "outside the queues" in text
