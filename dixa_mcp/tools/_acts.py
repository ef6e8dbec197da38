"""Acts on one conversation (claim, close, link …): done once, looked up when the answer is lost."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import Path, at
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.text.times import BadTime, instant, shown
from dixa_mcp.tools import _people

TARGET = {"close": "Closed", "reopen": "Open", "follow_up": "Pending"}
"""The state each action leads to (notes §11)."""
_WHERE = {
    "close": "/conversations/{id}/close",
    "reopen": "/conversations/{id}/reopen",
    "follow_up": "/conversations/{id}/followup",
}


async def act(
    dixa: Dixa, path: Path, body: dict[str, Any], conversation_id: int, done: Callable[[Conversation], bool]
) -> None:
    """Send one PUT; when its answer is lost, read the conversation and let `done` say what became of it.

    Raises:
        DixaMcpError: It wasn't done, or nobody can tell; `changed` of the error says which.
    """
    try:
        await dixa.send("PUT", path, body)
    except DixaMcpError as error:
        if error.changed is not None:
            raise
        try:
            conversation = await _people.conversation(dixa, conversation_id)
        except DixaMcpError as unclear:
            raise error from unclear
        if not done(conversation):
            error.changed = False
            raise


def path(action: str, conversation_id: int) -> Path:
    """Where a change of the state is sent."""
    return at(_WHERE[action], id=conversation_id)


def arrived(before: Conversation, action: str) -> Callable[[Conversation], bool]:
    """What tells that a change of the state was made, from the conversation as it is then."""

    def is_there(now: Conversation) -> bool:
        moved = before.state != now.state or before.state_updated_at != now.state_updated_at
        return now.state == TARGET[action] and moved

    return is_there


async def living(dixa: Dixa, conversation_id: int) -> Conversation:
    """Read a conversation that can still be worked on.

    Raises:
        Refused: Its content was anonymised.
    """
    conversation = await _people.conversation(dixa, conversation_id)
    if conversation.is_anonymized:
        raise Refused("state", f"Conversation {conversation_id} was anonymised; nothing can be done with it.")
    return conversation


async def named(dixa: Dixa, conversation: Conversation) -> str:
    """Say for a person which conversation this is: number, channel, subject, who wrote it."""
    subject = f", “{line(conversation.subject)}”" if conversation.subject else ""
    to = await _people.recipient(dixa, conversation)
    return f"{conversation.id} ({conversation.channel}{subject}), with {to}"


async def holder(dixa: Dixa, conversation: Conversation) -> str:
    """The name of the agent who has it, or nothing."""
    if not (conversation.assignment and conversation.assignment.agent_id):
        return ""
    agent = (await _people.agents(dixa)).get(conversation.assignment.agent_id)
    return line(agent.name) if agent else "another agent"


async def unfilled(dixa: Dixa, conversation: Conversation) -> list[str]:
    """Say which required attributes aren't set; silent where the definitions can't be read."""
    try:
        known = await dixa.catalogue.attributes("Conversation")
    except DixaMcpError:
        return []
    filled = {value.id for value in conversation.custom_attributes if value.path}
    missing = [each.label for each in known if each.is_required and each.is_usable and each.id not in filled]
    return [f"Required, but not set: {', '.join(map(line, missing))}."] if missing else []


async def later(call: Call, text: str, parameter: str) -> datetime:
    """Read a time to come, in the caller's zone.

    Raises:
        InvalidArgument: It is no time, or it has passed.
    """
    now, zone = await call.now(), await call.zone()
    try:
        moment = instant(text, now, zone, future=True)
    except BadTime as error:
        raise InvalidArgument(f"{parameter}: {error}") from error
    if moment <= now:
        raise InvalidArgument(f"{parameter} must be in the future; {text!r} is {shown(moment, zone)}.")
    return moment


async def later_in_words(call: Call, text: str, parameter: str) -> str:
    """The same time for a question: resolved, unless it moves with the clock (`in 3h`), for questions must not."""
    zone = await call.zone()
    moment = await later(call, text, parameter)
    moved = instant(text, await call.now() + timedelta(minutes=5), zone, future=True)
    return shown(moment, zone) if moved == moment else line(text, 60)
