"""What the model sees, pinned: every tool as `tools/list` shows it, the instructions, and what they cost."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from front_door import desk
from vocabulary import tokens

from dixa_mcp.server.frame import annotations, bind
from dixa_mcp.server.instructions import LIMIT
from dixa_mcp.settings import Settings
from dixa_mcp.toolbox import Effect, Tool
from dixa_mcp.tools import TOOLS

SURFACE = Path(__file__).parent / "surface"
EVERYTHING = ("--toolsets", ",".join(["default", *sorted({tool.toolset for tool in TOOLS})]), "--allow-irreversible")
BUDGETS = {("--mode", "read-only"): 2200, ("--mode", "confirm"): 4000, EVERYTHING: 6000}
LARGEST = 350
FORBIDDEN = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"}


def seen(tool: Tool) -> dict[str, Any]:
    """A tool as the model sees it."""

    def nobody() -> Any:
        raise AssertionError("listing calls nothing")

    bound = bind(tool, nobody, Settings())
    return {
        "name": bound.name,
        "description": bound.description,
        "inputSchema": bound.parameters,
        "annotations": annotations(tool).model_dump(by_alias=True, exclude_none=True),
    }


def cost(name: str, description: str, schema: Any) -> int:
    """Tokens of a tool in the list: name, description and input schema (design §11)."""
    return sum(tokens(text) for text in (name, description, json.dumps(schema, separators=(",", ":"))))


def keys(node: Any, *, names: bool = False) -> set[str]:
    """All schema keywords of a node; the names of properties don't count."""
    if isinstance(node, list):
        return {key for item in node for key in keys(item)}
    if not isinstance(node, dict):
        return set()
    found = set() if names else set(node)
    for key, value in node.items():
        found |= keys(value, names=key == "properties" and not names)
    return found


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_is_what_its_snapshot_says(tool: Tool) -> None:
    """A changed description is a changed prompt: it is reviewed as a diff. `make surface` rewrites these."""
    file = SURFACE / f"{tool.name}.json"
    text = json.dumps(seen(tool), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("SURFACE") == "update":
        SURFACE.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def test_no_snapshot_outlives_its_tool() -> None:
    """A tool that is gone is gone from the pins."""
    names = {tool.name for tool in TOOLS}
    for file in SURFACE.glob("*.json"):
        if file.stem not in names and os.environ.get("SURFACE") == "update":
            file.unlink()
    assert {file.stem for file in SURFACE.glob("*.json")} == names


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_client_accepts_the_schema(tool: Tool) -> None:
    """Clients choke on references, unions and null types; names must be short (design §5)."""
    schema = seen(tool)["inputSchema"]
    assert not keys(schema) & FORBIDDEN
    assert "null" not in json.dumps(schema)
    assert len(tool.name) <= 30
    assert schema["type"] == "object"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_description_is_short_and_says_something(tool: Tool) -> None:
    """One sentence what, one when not or who sees it (design §5)."""
    assert 20 <= len(tool.description) <= 200
    assert tool.description.count(". ") <= 3
    assert tool.description[0].isupper()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_consent_is_no_argument(tool: Tool) -> None:
    """The model can't supply a person's yes: nothing of it is in the schema (design §4.3)."""
    assert set(seen(tool)["inputSchema"]["properties"]) == {parameter.name for parameter in tool.parameters}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_annotations_follow_the_worst_effect(tool: Tool) -> None:
    """MCP's hints derive from the effect (design §3)."""
    hints = annotations(tool)
    assert hints.read_only_hint == (tool.worst is Effect.READ)
    assert hints.destructive_hint == (tool.worst > Effect.INTERNAL)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_whatever_a_customer_notices_has_a_question_a_person_understands(tool: Tool) -> None:
    """A tool that can need a person words its own question (design §4.3)."""
    if tool.worst > Effect.INTERNAL and tool.judge is None:
        assert tool.question is not None


@pytest.mark.parametrize(("flags", "most"), BUDGETS.items(), ids=["read-only", "confirm", "everything"])
async def test_the_list_costs_no_more_than_its_budget(flags: tuple[str, ...], most: int, era: str) -> None:
    """Design §11: at most 2,200, 4,000 and 6,000 tokens; no tool above 350."""
    async with desk(*flags, era=era) as d:
        listed = (await d.client.list_tools()).tools
    costs = {tool.name: cost(tool.name, tool.description or "", tool.input_schema) for tool in listed}
    assert sum(costs.values()) <= most
    assert max(costs.values()) <= LARGEST


async def test_the_list_is_sorted_and_makes_no_request(era: str) -> None:
    """Design §2: fixed, sorted, built without network."""
    async with desk(era=era) as d:
        names = [tool.name for tool in (await d.client.list_tools()).tools]
        assert names == sorted(names)
        assert d.sandbox.requests == []


async def test_the_instructions_are_short(era: str) -> None:
    """At most 1,500 characters, generated from what is offered (design §5)."""
    async with desk(era=era) as d:
        told = d.client.instructions or ""
        assert "dixa_send_reply" not in told
        assert 300 < len(told) <= LIMIT
    async with desk("--mode", "read-only", era=era) as d:
        assert "read-only" in (d.client.instructions or "")
