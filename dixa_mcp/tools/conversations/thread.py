"""Reading conversations."""

from typing import Annotated

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.errors import InvalidArgument
from dixa_mcp.render.thread import Thread
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools import _people, _threads
from dixa_mcp.tools._params import ConversationId, Cursor, Format

SHOWN = 40


@tool(Effect.READ)
async def get_thread(
    dixa: Dixa,
    conversation_id: ConversationId,
    limit: Annotated[int, Field(ge=1, le=200)] = SHOWN,
    cursor: Cursor = "",
    format: Format = "concise",
) -> Thread:
    """Read a conversation's messages and internal notes in time order, newest last."""
    thread = await _threads.whole(dixa, conversation_id)
    found = await _threads.entries(dixa, thread, detailed=format == "detailed")
    end = _position(cursor, len(found))
    start = max(0, end - limit)
    return Thread(
        title=await title(dixa, thread.conversation),
        entries=found[start:end],
        earlier=start,
        newest=thread.newest,
        warnings=["Its content was anonymised."] if thread.conversation.is_anonymized else [],
    )


async def title(dixa: Dixa, conversation: Conversation) -> str:
    """One line that says which conversation this is: number, channel, state, subject, where, with whom."""
    parts = [f"Conversation {conversation.id}", conversation.channel, conversation.state]
    if conversation.subject:
        parts.append(f"“{line(conversation.subject)}”")
    if conversation.queue:
        parts.append(f"queue {await _people.queue_name(dixa, conversation.queue.id)}")
    if conversation.assignment and conversation.assignment.agent_id:
        agent = (await _people.agents(dixa)).get(conversation.assignment.agent_id)
        parts.append(f"with {agent.name if agent else 'an agent'}")
    return " · ".join(part for part in parts if part)


def _position(cursor: str, count: int) -> int:
    if not cursor:
        return count
    if not cursor.isdigit() or not 0 < int(cursor) <= count:
        raise InvalidArgument(f"cursor {cursor!r} isn't from this thread; leave it out to start at the newest.")
    return int(cursor)
