"""Input schemas are written by us from the parameters; pydantic, which validates the arguments, is the oracle."""

from inspect import Parameter
from typing import Any

import pytest

from dixa_mcp.server.frame import TOKEN, bind
from dixa_mcp.server.schema import schema_of
from dixa_mcp.settings import Settings
from dixa_mcp.toolbox import Tool
from dixa_mcp.tools import TOOLS

SETTINGS = [Settings(), Settings(no_elicitation="two-step")]


def nobody() -> Any:
    """No call is made here."""
    raise AssertionError("schemas call nothing")


def plain(node: Any) -> Any:
    """What pydantic says, without titles, null arms, empty choices and empty defaults."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not wasted(key, value)}
    arms = [arm for arm in kept.pop("anyOf", []) if arm != {"type": "null"}]
    assert len(arms) <= 1
    said: dict[str, Any] = {}
    for key, value in (kept | dict(*arms)).items():
        if key == "properties":
            said[key] = {name: plain(each) for name, each in value.items()}
        elif key == "enum":
            said[key] = [choice for choice in value if choice != ""]
        else:
            said[key] = value if key == "default" else plain(value)
    return said


def wasted(key: str, value: Any) -> bool:
    """What tells a model nothing."""
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in ("", None, False, []))


@pytest.mark.parametrize("settings", SETTINGS, ids=["person", "two-step"])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_schema_is_what_pydantic_would_say(tool: Tool, settings: Settings) -> None:
    """What is listed is what is validated: names, types, choices, limits, defaults, descriptions."""
    bound = bind(tool, nobody, settings)
    assert bound.parameters == plain(bound.sdk.parameters)
    assert (TOKEN in bound.parameters["properties"]) == (settings.no_elicitation == "two-step" and tool.two_steps)


def test_a_type_without_a_plain_word_stops_the_start() -> None:
    """A parameter that clients couldn't fill in is found by whoever wrote it."""
    with pytest.raises(TypeError, match="complex"):
        schema_of([Parameter("z", Parameter.KEYWORD_ONLY, annotation=complex)])


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_whatever_may_need_a_person_has_the_hidden_answer(tool: Tool) -> None:
    """Only what can't do more than read goes without: nobody is ever asked about it (design §3)."""
    asks = bool(bind(tool, nobody, Settings()).sdk.resolved_params)
    assert asks == (not tool.only_reads)
    assert tool.only_reads <= (tool.worst.rank == 0)
