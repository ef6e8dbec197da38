"""Writing to a customer afresh, or having one called."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import Agent, EndUser, Queue
from dixa_mcp.errors import BadRequest, InvalidArgument, NotFound, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question, quoted
from dixa_mcp.text.clean import line
from dixa_mcp.text.contacts import LONGEST_ADDRESS
from dixa_mcp.toolbox import Change, Effect, tool
from dixa_mcp.tools import _people, _threads
from dixa_mcp.tools._params import Customer
from dixa_mcp.tools.replies import _composing as composing
from dixa_mcp.tools.replies._senders import Sender, queue_of, sender_of

KINDS = {"email": "Email", "form": "ContactForm", "chat": "Chat", "sms": "Sms", "callback": "Callback"}
"""Our word → Dixa's `_type`: the only five that can be started through the API (notes §9)."""
CHANNELS = KINDS | {"chat": "WidgetChat"}
"""Our word → the channel that the conversation then has."""
SAME_CALL = timedelta(minutes=10)
"""A second callback for the same customer within this time is the same one; it has no words to tell them apart."""
SHOWN = 5

Channel = Literal["email", "sms", "chat", "form", "callback"]
Endpoint = Annotated[str, Field(description="Our mailbox, number or widget; needed if several fit")]


@dataclass(frozen=True, slots=True)
class Start:
    """A conversation that could be started at this moment."""

    channel: str
    person: EndUser
    reach: str
    sender: Sender
    text: str
    subject: str
    language: str
    agent: Agent | None
    queue: Queue | None
    others: list[Conversation]
    """What the customer has had, newest first."""

    @property
    def open(self) -> list[Conversation]:
        """What isn't closed of it."""
        return [each for each in self.others if each.state and each.state != "Closed"]

    def key(self, day: date) -> str:
        """The externalId of its message: the same words to the same customer on one day are one message."""
        return composing.key("start", self.channel, self.person.id, self.sender.id, self.subject, self.text, day)


@tool(
    Effect.CUSTOMER,
    once=("channel", "customer", "text", "subject", "endpoint", "queue"),
    speaks=("subject", "text"),
    touches="",
)
async def start_conversation(
    call: Call,
    channel: Channel,
    customer: Customer,
    text: Annotated[str, Field(max_length=20_000)] = "",
    subject: Annotated[str, Field(max_length=300, description="Of email and form")] = "",
    endpoint: Endpoint = "",
    queue: Annotated[str, Field(description="Of a callback")] = "",
    language: Annotated[str, Field(description="en, da")] = "",
) -> Change:
    """Write to a customer in a new conversation, or have one telephoned (callback). A person confirms it first.

    If one about the matter is open, use dixa_send_reply there.
    """
    start = await _start(call, channel, customer, text, subject, endpoint, queue, language)
    today = (await call.now()).date()
    try:
        reply = await call.dixa.send("POST", at("/conversations"), _body(start, today))
    except BadRequest as error:
        if not composing.is_taken(error.said):
            raise
        return _started(start, None, duplicate=True)
    made = cast("dict[str, Any]", reply.data)
    return _started(start, made.get("id"))


@start_conversation.asks
async def _(
    call: Call,
    channel: str,
    customer: str,
    text: str = "",
    subject: str = "",
    endpoint: str = "",
    queue: str = "",
    language: str = "",
) -> Question:
    start = await _start(call, channel, customer, text, subject, endpoint, queue, language)
    to = _people.reached(start.person.name, start.reach)
    if start.queue:
        lines = [
            f"Have {to} telephoned from {start.sender.shown}?",
            f"A call goes into the queue {line(start.queue.name)}; the agent who accepts it is put through to them.",
        ]
    else:
        lines = [
            f"Start a new {start.channel} conversation with {to}, as {line(start.agent.name) if start.agent else ''}?",
            f"From: {start.sender.shown}",
            *([f"Subject: {line(start.subject, 300)}"] if start.subject else []),
            quoted(start.text),
        ]
    return Question("\n".join([*lines, *_open_ones(start)]))


@start_conversation.identifies
async def _(
    call: Call,
    channel: str,
    customer: str,
    text: str = "",
    subject: str = "",
    endpoint: str = "",
    queue: str = "",
    language: str = "",
) -> list[object]:
    _fits(channel, text=text, subject=subject, queue=queue, language=language)
    person, sender, waits = await _between(call, channel, customer, endpoint, queue)
    return [channel, person.id, sender.id, waits.id if waits else "", text.split(), subject.split()]


@start_conversation.finds
async def _(
    call: Call,
    channel: str,
    customer: str,
    text: str = "",
    subject: str = "",
    endpoint: str = "",
    queue: str = "",
    language: str = "",
) -> Change | None:
    start = await _start(call, channel, customer, text, subject, endpoint, queue, language)
    now = await call.now()
    same = await _same_call(start, now) if start.queue else await _same_words(call.dixa, start, now)
    return _started(start, same) if same else None


async def _start(
    call: Call, channel: str, customer: str, text: str, subject: str, endpoint: str, queue: str, language: str
) -> Start:
    """Resolve and check everything, once for each stage of the call.

    Raises:
        InvalidArgument: Something is missing, or doesn't go with the channel.
        Unresolved: A name fits nothing or several things.
        Refused: The customer can't be reached so.
    """
    if "start" not in call.read:
        _fits(channel, text=text, subject=subject, queue=queue, language=language)
        dixa = call.dixa
        agent = None if channel == "callback" else await call.agent()
        person, sender, waits = await _between(call, channel, customer, endpoint, queue)
        call.read["start"] = Start(
            channel=channel,
            person=person,
            reach=_reach(person, channel),
            sender=sender,
            text=composing.filled(text.strip(), person, agent, None) if text else "",
            subject=line(composing.filled(subject, person, agent, None), 300) if subject else "",
            language=language.strip(),
            agent=agent,
            queue=waits,
            others=await _others(dixa, person),
        )
    return call.read["start"]


async def _between(
    call: Call, channel: str, customer: str, endpoint: str, queue: str
) -> tuple[EndUser, Sender, Queue | None]:
    """Who is written to or called, from where, and the queue of a callback; read once for a stage of the call."""
    if "between" not in call.read:
        person = await _people.customer(call.dixa, customer)
        sender = await sender_of(call.dixa, channel, endpoint)
        waits = await queue_of(call.dixa, queue, sender) if channel == "callback" else None
        call.read["between"] = (person, sender, waits)
    return call.read["between"]


def _fits(channel: str, **given: str) -> None:
    takes = {
        "email": {"text", "subject", "language"},
        "form": {"text", "subject", "language"},
        "chat": {"text", "language"},
        "sms": {"text"},
        "callback": {"queue"},
    }[channel]
    if strange := [name for name, value in given.items() if value.strip() and name not in takes]:
        raise InvalidArgument(f"A new {channel} conversation takes no {' and no '.join(strange)}.")
    needs = takes & {"text", "subject"}
    if missing := sorted(name for name in needs if not given[name].strip()):
        raise InvalidArgument(f"A new {channel} conversation needs {' and '.join(missing)}.")


def _reach(person: EndUser, channel: str) -> str:
    """The address or number it goes to.

    Raises:
        Refused: The customer has none, or was anonymised.
    """
    if person.anonymized_at:
        raise Refused("state", "This customer was anonymised and can't be written to.")
    if channel == "chat":
        return person.email or person.phone_number
    kind = "e-mail address" if channel in {"email", "form"} else "telephone number"
    reach = line(person.email if channel in {"email", "form"} else person.phone_number, LONGEST_ADDRESS)
    if not reach:
        raise Refused("state", f"{line(person.name, 60) or 'This customer'} has no {kind}.", "Try another channel.")
    return reach


async def _others(dixa: Dixa, person: EndUser) -> list[Conversation]:
    try:
        page = await dixa.page(at("/endusers/{id}/conversations", id=person.id), limit=50)
    except NotFound:  # none yet
        return []
    found = read_all(Conversation, page.items)
    return sorted(found, key=lambda one: one.created_at or _threads.EARLIEST, reverse=True)


def _body(start: Start, day: date) -> dict[str, Any]:
    body: dict[str, Any] = {"_type": KINDS[start.channel], "requesterId": start.person.id}
    if start.queue:
        return body | {"direction": "Outbound", "contactEndpointId": start.sender.id, "queueId": start.queue.id}
    where = {
        "email": "emailIntegrationId",
        "form": "emailIntegrationId",
        "chat": "widgetId",
        "sms": "contactEndpointId",
    }
    body[where[start.channel]] = start.sender.id
    body |= {name: value for name, value in (("subject", start.subject), ("language", start.language)) if value}
    body["message"] = {
        "_type": "Outbound",
        "agentId": start.agent.id if start.agent else "",
        "content": composing.content(CHANNELS[start.channel], start.text),
        "externalId": start.key(day),
    }
    return body


async def _same_words(dixa: Dixa, start: Start, now: datetime) -> int | None:
    """Find the conversation of these days that begins with this very message."""
    keys = {start.key((now - timedelta(days=days)).date()) for days in (0, 1)}
    for one in _recent(start, now - timedelta(days=1)):
        try:
            messages = await _threads.messages_of(dixa, one.id)
        except NotFound:  # gone since the list was read
            continue
        if keys & {message.external_id for message in messages}:
            return one.id
    return None


async def _same_call(start: Start, now: datetime) -> int | None:
    recent = _recent(start, now - SAME_CALL)
    return next((one.id for one in recent if one.queue and start.queue and one.queue.id == start.queue.id), None)


def _recent(start: Start, since: datetime) -> list[Conversation]:
    """What was started with the customer on this channel since then, a few at most."""
    channels = {CHANNELS[start.channel], *(["PstnPhone"] if start.queue else [])}
    fitting = [one for one in start.others if one.channel in channels and one.direction == "Outbound"]
    return [one for one in fitting if (one.created_at or _threads.EARLIEST) >= since][:SHOWN]


def _open_ones(start: Start) -> list[str]:
    """Say what is open with the customer, since that may be the better place."""
    if not start.open:
        return []
    shown = [
        f"{one.id} ({one.channel}" + (f", “{line(one.subject, 60)}”" if one.subject else "") + ")"
        for one in start.open[:SHOWN]
    ]
    more = f" and {len(start.open) - SHOWN} more" if len(start.open) > SHOWN else ""
    return [f"{line(start.person.name, 60) or 'The customer'} has open conversations: {', '.join(shown)}{more}."]


def _started(start: Start, number: int | None, *, duplicate: bool = False) -> Change:
    name = line(start.person.name, 60)
    which = f"Conversation {number}" if number else "A conversation"
    what = (
        f"{which}: {name} will be telephoned at {start.reach}, from the queue {line(start.queue.name)}."
        if start.queue
        else f"{which} was started with {name} by {start.channel}."
    )
    earlier = [one for one in _open_ones(start) if str(number) not in one] if number else _open_ones(start)
    return Change(
        what,
        visible_to="customer",
        target=f"conversation {number}" if number else f"customer {start.person.id}",
        cannot_undo="the call can only be stopped by a colleague in Dixa" if start.queue else "it can't be unsent",
        warnings=earlier,
        duplicate=duplicate,
    )
