"""Internal notes: written by `dixa_add_note`, as drafts of replies, and as the reason of a transfer."""

from datetime import timedelta

from dixa_mcp.client.paths import at
from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Change
from dixa_mcp.tools import _threads

SAME_NOTE = timedelta(minutes=10)
"""A note with the same text that is no older than this is the same note."""


async def write_note(call: Call, conversation_id: int, text: str) -> Change:
    """Write a note in the acting agent's name, or in that of the token's owner."""
    agent = await call.acting()
    body = {"message": text} | ({"agentId": agent.id} if agent else {})
    await call.dixa.send("POST", at("/conversations/{id}/notes", id=conversation_id), body)
    return _noted(conversation_id)


async def existing_note(call: Call, conversation_id: int, text: str) -> Change | None:
    """Find the same text among the notes of the last ten minutes."""
    since = await call.now() - SAME_NOTE
    for note in await _threads.notes_of(call.dixa, conversation_id):
        if note.message.split() == text.split() and (note.created_at or _threads.EARLIEST) >= since:
            return _noted(conversation_id, duplicate=True)
    return None


def _noted(conversation_id: int, *, duplicate: bool = False) -> Change:
    return Change(
        f"Note added to conversation {conversation_id}.",
        visible_to="colleagues",
        target=f"conversation {conversation_id}",
        cannot_undo="Dixa can't edit or delete a note",
        duplicate=duplicate,
    )
