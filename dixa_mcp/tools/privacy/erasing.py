"""Anonymisation: a person sees what would be lost, and types the id of it."""

from dataclasses import dataclass
from typing import Annotated

import anyio
from pydantic import Field

from dixa_mcp.client.deadline import remaining
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import AnonymizationRequest, Conversation
from dixa_mcp.client.paths import Path, at, uuid
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.workspace import EndUser
from dixa_mcp.errors import InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question
from dixa_mcp.render.privacy import Progress, Waited
from dixa_mcp.text.clean import line
from dixa_mcp.text.contacts import LONGEST_ADDRESS
from dixa_mcp.toolbox import Change, Effect, tool
from dixa_mcp.tools import _people, _threads
from dixa_mcp.tools._params import ConversationId, Customer
from dixa_mcp.tools._titles import titles

LISTED = 10
"""Conversations a question names; the rest are counted."""
READ_AT_MOST = 1_000
"""Conversations that are looked at before the question says "more than"."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0

MessageId = Annotated[str, Field(description="Id or its first 8 characters; needs conversation_id")]
Force = Annotated[bool, Field(description="Close open conversations first; only if told so")]


@dataclass(frozen=True, slots=True)
class Target:
    """What would be erased."""

    path: Path
    id: str
    """What the person types."""
    name: str
    conversations: list[Conversation]
    more: bool = False
    """There are more conversations than were looked at."""
    customer: EndUser | None = None
    words: str = ""
    """How the message reads."""

    @property
    def open(self) -> list[Conversation]:
        """Those that aren't closed."""
        return [each for each in self.conversations if each.state != "Closed" and not each.is_anonymized]


@tool(Effect.IRREVERSIBLE, once=("customer", "conversation_id", "message_id"))
async def anonymize(
    call: Call,
    customer: Customer = "",
    conversation_id: ConversationId = 0,
    message_id: MessageId = "",
    force: Force = False,
) -> Change:
    """Erase a customer with all their conversations, one conversation or one message, for good.

    A person types the id. dixa_get_anonymization says when it is done.
    """
    target = await _target(call.dixa, customer, conversation_id, message_id, force=force)
    query = {"force": True} if force and not message_id else None
    request = read(AnonymizationRequest, (await call.dixa.send("PATCH", target.path, query=query)).data)
    return Change(
        f"{target.name} is being anonymised. dixa_get_anonymization request_id={request.id} says when it is done.",
        visible_to="colleagues",
        target=f"{request.kind.lower() or 'record'} {target.id}",
        cannot_undo="anonymisation is final",
    )


@anonymize.asks
async def _(
    call: Call, customer: str = "", conversation_id: int = 0, message_id: str = "", force: bool = False
) -> Question:
    target = await _target(call.dixa, customer, conversation_id, message_id, force=force)
    lines = [f"Anonymise {target.name[0].lower()}{target.name[1:]}? Nobody can bring back what is erased."]
    if target.customer:
        reach = [target.customer.email, target.customer.phone_number, target.customer.external_id]
        lines.append(
            f"Customer: {', '.join(line(each, LONGEST_ADDRESS) for each in (target.customer.name, *reach) if each)}"
        )
        count = len(target.conversations)
        many = f"{'more than ' * target.more}{count} conversation{'s' * (count != 1)}"
        lines.append(f"Erased with the customer: {many} with all messages, notes and files")
    elif target.words:
        lines.append(f"It reads: “{target.words}”")
    else:
        lines.append("Erased with it: all its messages, notes and files")
    lines += [f"  {title}" for title in await titles(call.dixa, target.conversations[:LISTED])]
    if len(target.conversations) > LISTED:
        lines.append(f"  … and {len(target.conversations) - LISTED} others")
    if force and target.open:
        lines.append(f"Still open, and closed first: {', '.join(str(each.id) for each in target.open)}")
    lines.append(f"Statistics stay, without names. Type {target.id} to agree.")
    return Question("\n".join(lines), typed=target.id)


@tool(Effect.READ, touches="")
async def get_anonymization(call: Call, request_id: str, wait: bool = False) -> Progress | Waited:
    """Show whether an anonymisation is done; wait: until it is, or the time of the call is up."""
    pause, began = FIRST_WAIT, anyio.current_time()
    path = at("/anonymization/request/{id}", id=uuid(request_id))
    while True:
        request = read(AnonymizationRequest, await call.dixa.get(path))
        found = Progress(request, await _who(call.dixa, request.requested_by))
        if request.processed_at or not wait:
            return found
        waited = anyio.current_time() - began
        if remaining() < pause + 1:
            return Waited(found, round(waited))
        await call.progress(waited, None, "not done yet")
        await anyio.sleep(pause)
        pause = min(pause * 2, LONGEST_WAIT)


async def _who(dixa: Dixa, agent_id: str) -> str:
    agent = (await _people.agents(dixa)).get(agent_id)
    return line(agent.name) if agent else ""


async def _target(dixa: Dixa, customer: str, conversation_id: int, message_id: str, *, force: bool) -> Target:
    """Read what would be erased.

    Raises:
        InvalidArgument: Not exactly one thing is named.
        Refused: It was anonymised before, or something of it is open and `force` isn't set.
    """
    if bool(customer) == bool(conversation_id) or (message_id and not conversation_id):
        raise InvalidArgument("Name a customer, or a conversation_id, or a conversation_id and a message_id.")
    if customer:
        target = await _person(dixa, customer)
    elif message_id:
        return await _message(dixa, conversation_id, message_id)
    else:
        conversation = await _living(dixa, conversation_id)
        path = at("/conversations/{id}/anonymize", id=conversation_id)
        name = f"Conversation {conversation_id}"
        target = Target(path, str(conversation_id), name, [conversation])
    if target.open and not force:
        which = ", ".join(str(each.id) for each in target.open[:LISTED])
        raise Refused(
            "state",
            f"{target.name} can't be anonymised while conversations are open: {which}.",
            "Close them, or set force=true if the user wants them closed by this.",
        )
    return target


async def _person(dixa: Dixa, customer: str) -> Target:
    person = await _people.customer(dixa, customer)
    if person.anonymized_at:
        raise _before(f"Customer {person.id}")
    found: list[Conversation] = []
    more = False
    async for page in dixa.pages(at("/endusers/{id}/conversations", id=person.id), limit=50):
        found += read_all(Conversation, page.items)
        if len(found) >= READ_AT_MOST:
            more = page.next_key is not None
            break
    path = at("/endusers/{id}/anonymize", id=person.id)
    name = f"Customer {person.id}"  # not by name: the journal keeps this after the person is erased
    left = [each for each in found if not each.is_anonymized]
    return Target(path, person.id, name, left, more, person)


async def _message(dixa: Dixa, conversation_id: int, message_id: str) -> Target:
    conversation = await _living(dixa, conversation_id)
    wanted = message_id.strip().lower()
    found = [each for each in await _threads.messages_of(dixa, conversation_id) if each.id.startswith(wanted)]
    if len(found) != 1 or len(wanted) < 8:
        raise InvalidArgument(
            f"Conversation {conversation_id} has no one message {message_id!r}.", "dixa_get_thread shows ids."
        )
    path = at("/conversations/{id}/messages/{message}/anonymize", id=conversation_id, message=found[0].id)
    name = f"Message {found[0].id[:8]} of conversation {conversation_id}"
    words = line(_threads.readable(found[0])[0], 200)
    return Target(path, found[0].id, name, [conversation], words=words)


async def _living(dixa: Dixa, conversation_id: int) -> Conversation:
    conversation = await _people.conversation(dixa, conversation_id)
    if conversation.is_anonymized:
        raise _before(f"Conversation {conversation_id}")
    return conversation


def _before(what: str) -> Refused:
    return Refused("state", f"{what} was anonymised before; nothing is left to erase.")
