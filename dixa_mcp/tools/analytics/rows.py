"""The single rows behind a metric."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.reports import MetricRecord, RecordType
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.records import Rows
from dixa_mcp.text.names import pick
from dixa_mcp.text.times import Period as Span
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools._params import Cursor, Limit, Period
from dixa_mcp.tools.analytics._asking import FILTERS, Conversations, Scope, scope, values_of

_MARK = "@"
"""Parts a page key from the ends of its period in a cursor."""


@tool(Effect.READ, touches="")
async def query_records(
    call: Call,
    record: str,
    period: Period = "last week",
    fields: list[str] | None = None,
    agent: Annotated[str, Field(description="Names, with commas")] = "",
    queue: str = "",
    channel: str = "",
    tag: str = "",
    direction: str = "",
    contact_point: str = "",
    conversation_ids: Conversations | None = None,
    limit: Limit = 50,
    cursor: Cursor = "",
    format: Literal["table", "csv", "json"] = "table",
) -> Rows:
    """List rows, such as ratings (json: structured content). Totals: dixa_query_metric."""
    asked = await call.dixa.catalogue.find("record", record)
    chosen = _fields(asked, fields or ())
    given = {"agent": agent, "queue": queue, "channel": channel}
    given |= {"tag": tag, "direction": direction, "contact_point": contact_point}
    within = await _readable(call, asked, await scope(call, asked, period, conversation_ids, given))
    key, within = _resumed(cursor, within)
    page = await call.dixa.page(at("/analytics/records"), limit=limit, key=key, body=within.body(asked.id))
    records = read_all(MetricRecord, page.items)
    return Rows(
        record=asked.id,
        period=within.span,
        conversations=len(within.conversations),
        filters=within.words,
        zone=within.zone,
        records=records,
        fields=chosen,
        format=format,
        next_cursor=_cursor(page.next_key, within),
        without=[] if records or key else await _without(call, asked, within),
    )


async def _readable(call: Call, asked: RecordType, within: Scope) -> Scope:
    """Keep to the queues the operator lets conversations be read from (`--read-queues`).

    Raises:
        Refused: Another queue is asked for, or this record's rows can't be told apart by queue.
    """
    names = call.settings.read_queues
    if not names:
        return within
    if FILTERS["queue"] not in {each.filter_attribute for each in asked.filters}:
        raise Refused("queues", f"{asked.id} can't be kept to the queues that may be read here: {', '.join(names)}.")
    allowed = tuple([value for name in names for value in await values_of(call.dixa, "queue", name)])
    chosen = within.filters.get("queue", allowed)
    if any(value not in allowed for value in chosen):
        raise Refused("queues", f"Only these queues may be read here: {', '.join(names)}.")
    return replace(within, filters={**within.filters, "queue": chosen})


def _fields(asked: RecordType, names: Sequence[str]) -> list[str]:
    """The fields asked for, by the names Dixa gives them.

    Raises:
        InvalidArgument: The record has no such field.
    """
    known = ["time", "value", *(info.field for info in asked.fields_metadata)]
    chosen: list[str] = []
    for name in names:
        match = pick(name, known, lambda field: (field,))
        if match.one is None:
            raise InvalidArgument(f"{asked.id} has no field {name!r}; it has {', '.join(known)}.")
        chosen.append(match.one)
    return list(dict.fromkeys(chosen))


def _cursor(key: str | None, within: Scope) -> str:
    """The page key, with the period's ends where these move with the clock.

    Dixa wants every page asked for in the same way (notes §6).
    """
    if key is None or within.span is None or within.span.preset:
        return key or ""
    return f"{within.span.start.timestamp():.3f}{_MARK}{within.span.end.timestamp():.3f}{_MARK}{key}"


def _resumed(cursor: str, within: Scope) -> tuple[str | None, Scope]:
    parts = cursor.split(_MARK, 2)
    if len(parts) < 3 or within.span is None:
        return cursor or None, within
    zone = within.span.start.tzinfo
    try:
        start, end = (datetime.fromtimestamp(float(part), zone) for part in parts[:2])
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidArgument("This cursor isn't one that dixa_query_records gave.") from error
    return parts[2], replace(within, span=Span(start, end, None, within.span.text))


async def _without(call: Call, asked: RecordType, within: Scope) -> list[str]:
    """For an empty result: the filters without which there would be rows."""
    emptied: list[str] = []
    for name in within.filters:
        if name == "queue" and call.settings.read_queues:
            continue
        try:
            page = await call.dixa.page(
                at("/analytics/records"), limit=1, body=within.body(asked.id, values={name: ()})
            )
        except DixaMcpError:  # a reason that can't be found out isn't worth the answer
            return []
        if page.items:
            emptied.append(f"{name.replace('_', ' ')} {within.words[name]}")
    return emptied
