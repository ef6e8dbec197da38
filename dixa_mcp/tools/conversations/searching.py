"""Finding conversations."""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dixa_mcp.client.models import SearchHit
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.conversations import Hits
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools import _hits
from dixa_mcp.tools._params import Format
from dixa_mcp.tools.conversations._filters import Condition, Filters

SEARCH = "/search/conversations"
PROBED = 6
"""Filters that an empty search is repeated without, one each, to say which emptied it."""


def _joined(value: Any) -> Any:
    """Take a list where a text with commas is meant."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON


def _several(value: Any) -> Any:
    """Take one text where a list is meant."""
    return [value] if isinstance(value, str) and value else value


Names = Annotated[str, BeforeValidator(_joined)]
Each = Annotated[list[str], BeforeValidator(_several)]


@tool(Effect.READ)
async def search_conversations(
    call: Call,
    text: str = "",
    exact: bool = False,
    status: Names = "",
    channel: Names = "",
    queue: Names = "",
    assignee: Names = "",
    customer: Names = "",
    ids: Names = "",
    tags: Each | None = None,
    attributes: Annotated[Each, Field(description="Label=Parent > Child")] | None = None,
    direction: Names = "",
    created_after: str = "",
    created_before: str = "",
    closed_after: str = "",
    closed_before: str = "",
    assigned_after: str = "",
    assigned_before: str = "",
    last_message_after: str = "",
    last_message_before: str = "",
    last_activity_after: str = "",
    last_activity_before: str = "",
    min_duration: str = "",
    max_duration: str = "",
    match: Literal["all", "any"] = "all",
    limit: Annotated[int, Field(ge=1, le=50)] = 20,
    cursor: str = "",
    format: Format = "concise",
) -> Hits:
    """Find conversations by words and filters. By number: dixa_get_conversation.

    Filters: "a, b" (or), "!a" (not), none, any; tags "a + b". Times: ISO, 7d, yesterday.
    """
    conditions = await Filters(call, await call.now(), await call.zone()).conditions(call.arguments)
    body = _body(text, conditions, exact=exact, match=match)
    page = await call.dixa.page(at(SEARCH), limit=limit, key=cursor or None, body=body)
    marks = read_all(SearchHit, page.items)
    found, left_out = await _hits.conversations(call, [mark.id for mark in marks])
    words = [f"text “{line(text)}”{', exactly' * exact}"] if text.strip() else []
    asked = words + [condition.words for condition in conditions]
    return Hits(
        await _hits.hits(call, found, marks),
        asked if match == "all" or len(conditions) < 2 else [*words, f"any of: {'; '.join(asked[len(words) :])}"],
        left_out,
        [] if marks or cursor or match == "any" else await _emptied_by(call, text, conditions, exact=exact),
        page.next_key,
    )


def _body(text: str, conditions: list[Condition], *, exact: bool, match: str) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if text.strip():
        body["query"] = {"value": text.strip(), "exactMatch": exact}
    if conditions:
        fields = [{"field": condition.field} for condition in conditions]
        body["filters"] = {"strategy": "Any" if match == "any" else "All", "conditions": fields}
    return body


async def _emptied_by(call: Call, text: str, conditions: list[Condition], *, exact: bool) -> list[str]:
    """Which filters alone keep the result empty: the same search without each. What fails or is late says nothing."""
    if len(conditions) + bool(text.strip()) < 2:
        return []
    tries = {condition.words: (text, [c for c in conditions if c is not condition]) for condition in conditions}
    if text.strip():
        tries[f"text “{line(text)}”"] = ("", conditions)

    async def finds(words: str, without: list[Condition]) -> bool:
        body = _body(words, without, exact=exact, match="all")
        return bool((await call.dixa.page(at(SEARCH), limit=1, body=body)).items)

    asked = list(tries)[:PROBED]
    results = await call.dixa.all([partial(finds, *tries[each]) for each in asked])
    return [each for each, found in zip(asked, results, strict=True) if found is True]
