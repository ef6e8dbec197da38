"""What was written here."""

from dixa_mcp.guardrails import journal
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.journal import Entry
from dixa_mcp.render.journal import Changes, Row
from dixa_mcp.text.times import parse
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools._params import Limit


@tool(Effect.READ, touches="")
async def list_changes(call: Call, limit: Limit = 20) -> Changes:
    """List your own changes of the last week, newest first, and which can be undone."""
    entries = await journal.entries(call)
    undone = await journal.undone(call)
    return Changes([_row(entry, undone=entry.id in undone) for entry in entries[:limit]], of=len(entries))


def _row(entry: Entry, *, undone: bool) -> Row:
    return Row(
        id=entry.id,
        at=parse(entry.at),
        what=entry.what,
        before=entry.before,
        after=entry.after,
        undoable=entry.inverse() is not None,
        undone=undone,
        lost=entry.cannot_undo,
    )
