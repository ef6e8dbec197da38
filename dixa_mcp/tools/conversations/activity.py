"""What happened, as Dixa's activity log tells it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dixa_mcp.client.models import ActivityEntry
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.records import read_all
from dixa_mcp.errors import InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.activity import Activity, Happening
from dixa_mcp.text.times import BadTime, instant, wire
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools import _attributes
from dixa_mcp.tools._params import Cursor
from dixa_mcp.tools.conversations._sentences import sentence

Optional = Annotated[int | None, BeforeValidator(lambda given: csid(given) if given else None)]
DAY = "1d"
"""How far back the organisation's log is read when nobody says."""


@tool(Effect.READ)
async def get_activity(
    call: Call,
    conversation_id: Optional = None,
    after: Annotated[str, Field(description="ISO, 7d, yesterday")] = "",
    before: str = "",
    limit: Annotated[int, Field(ge=1, le=500)] = 100,
    cursor: Cursor = "",
) -> Activity:
    """Show what happened, oldest first: in one conversation, or in the organisation (the last day by default)."""
    if conversation_id is not None:
        return await _of_one(call, conversation_id, after, before, limit, cursor)
    if call.settings.read_queues:
        raise Refused("queues", "Only some queues may be read here, and this log doesn't say which each entry is of.")
    times = {
        "fromDatetime": await _time(call, "after", after or DAY),
        "toDatetime": await _time(call, "before", before),
    }
    given = {name: wire(moment) for name, moment in times.items() if moment}
    page = await call.dixa.page(at("/conversations/activitylog"), limit=limit, key=cursor or None, **given)
    entries = read_all(ActivityEntry, page.items)
    return Activity(
        await _told(call, entries), "the organisation", times["fromDatetime"], times["toDatetime"], page.next_key
    )


async def _of_one(call: Call, conversation_id: int, after: str, before: str, limit: int, cursor: str) -> Activity:
    """One conversation's log comes whole (notes §11), so times and pages are ours."""
    start, end = await _time(call, "after", after), await _time(call, "before", before)
    data = await call.dixa.get(at("/conversations/{id}/activitylog", id=conversation_id))
    entries = sorted(
        read_all(ActivityEntry, data),
        key=lambda entry: wire(entry.activity_timestamp) if entry.activity_timestamp else "",
    )
    wanted = [
        entry
        for entry in entries
        if (when := entry.activity_timestamp) is None or ((not start or when >= start) and (not end or when <= end))
    ]
    if cursor and not (cursor.isdigit() and int(cursor) < len(wanted)):
        raise InvalidArgument(f"cursor {cursor!r} isn't from this log; leave it out to start at the beginning.")
    first = int(cursor or 0)
    following = str(first + limit) if first + limit < len(wanted) else None
    told = await _told(call, wanted[first : first + limit])
    return Activity(told, f"conversation {conversation_id}", start, end, following, one=True, offset=first)


async def _told(call: Call, entries: list[ActivityEntry]) -> list[Happening]:
    names = {each.id: each for each in await _attributes.definitions(call.dixa)}
    return [
        Happening(
            entry.activity_timestamp,
            entry.conversation_id,
            (entry.author.name or entry.author.email or entry.author.phone_number) if entry.author else "",
            sentence(entry, names),
        )
        for entry in entries
    ]


async def _time(call: Call, name: str, text: str) -> Any:
    if not text:
        return None
    try:
        return instant(text, await call.now(), await call.zone())
    except BadTime as error:
        raise InvalidArgument(f"{name}: {error}.") from error
