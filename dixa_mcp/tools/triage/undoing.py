"""Taking back what was done here."""

from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails import journal
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question
from dixa_mcp.guardrails.journal import Entry
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools import _present


@tool(Effect.INTERNAL, touches="", once=("change_id",), up_to=Effect.CUSTOMER)
async def undo_change(call: Call, change_id: str) -> Change:
    """Take back one of your own changes, if nothing changed since. dixa_list_changes has the ids."""
    entry, undo = await _undoable(call, change_id)
    inner = call.inner
    assert inner is not None  # noqa: S101 - `admit` has put it there, see `stands_for`
    if changed := await _present.differences(call.dixa, undo.wrote, undo.arguments):
        raise _overtaken(entry, changed)
    change: Change = await inner.tool.run(inner.given(), **inner.arguments)
    if change.visible_to != "nobody":
        try:
            await journal.mark_undone(call, entry.id)
        except DixaMcpError as error:
            change.warnings.append(f"It was undone, but that could not be noted; don't undo it again. {error.what}")
        change.what = f"Undid {entry.id} ({entry.tool}). {change.what}"
    return change


@undo_change.identifies
async def _(call: Call, change_id: str) -> list[str]:
    return [change_id.strip().casefold()]


@undo_change.stands_for
async def _(call: Call, change_id: str) -> Undo:
    return (await _undoable(call, change_id))[1]


@undo_change.asks
async def _(call: Call, change_id: str) -> Question:
    entry, undo = await _undoable(call, change_id)
    if changed := await _present.differences(call.dixa, undo.wrote, undo.arguments):
        raise _overtaken(entry, changed)
    inner = call.inner
    assert inner is not None  # noqa: S101 - as above
    what = f"This undoes {entry.id}: {entry.what}"
    if inner.tool.question is None:
        return Question(what)
    question: Question = await inner.tool.question(inner.given(), **inner.arguments)
    return Question(f"{question.text}\n{what}", question.typed)


def _overtaken(entry: Entry, changed: list[str]) -> Refused:
    target = entry.target or "it"
    return Refused(
        "state",
        f"{target[0].upper()}{target[1:]} was changed since {entry.id}: {'; '.join(changed)}.",
        "If the user still wants it, change it directly.",
    )


async def _undoable(call: Call, change_id: str) -> tuple[Entry, Undo]:
    """Find the change and how it is taken back.

    Raises:
        InvalidArgument: There is no such change of this caller.
        Refused: It was taken back before, or can't be.
    """
    entry = await journal.find(call, change_id)
    if entry is None:
        raise InvalidArgument(
            f"No change {change_id!r} of yours is known to this server.", "dixa_list_changes lists those that are."
        )
    if entry.id in await journal.undone(call):
        raise Refused("undone", f"{entry.id} was undone already.")
    undo = entry.inverse()
    if undo is None:
        why = f": {entry.cannot_undo}" if entry.cannot_undo else ""
        raise Refused("cannot_undo", f"{entry.id} can't be undone{why}. It was: {entry.what}")
    return entry, undo
