"""Conversations in one line each, for questions to a person: number, channel, state, what or who, where."""

from collections.abc import Sequence
from functools import partial

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.text.clean import line
from dixa_mcp.tools import _people


async def titles(dixa: Dixa, conversations: Sequence[Conversation]) -> list[str]:
    """Say which conversations these are; one without a subject is called by its customer."""
    found = await dixa.all([partial(_title, dixa, each) for each in conversations])
    return [
        each if isinstance(each, str) else f"#{conversation.id} {conversation.channel}"
        for each, conversation in zip(found, conversations, strict=True)
    ]


async def _title(dixa: Dixa, conversation: Conversation) -> str:
    parts = [f"#{conversation.id} {conversation.channel}", conversation.state.lower()]
    if conversation.is_anonymized:
        parts.append("anonymised")
    elif conversation.subject:
        parts.append(f"“{line(conversation.subject, 60)}”")
    else:
        parts.append(line(await _people.customer_name(dixa, conversation.requester_id), 60))
    if conversation.queue:
        parts.append(line(await _people.queue_name(dixa, conversation.queue.id), 40))
    if conversation.assignment and conversation.assignment.agent_id:
        agent = (await _people.agents(dixa)).get(conversation.assignment.agent_id)
        parts.append(f"with {line(agent.name, 40) if agent else 'an agent'}")
    return ", ".join(parts)
