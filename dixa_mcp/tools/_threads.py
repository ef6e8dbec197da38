"""A conversation's messages and notes, read together and put in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.messages import Form, Mailed, Message, Recorded, Spoken
from dixa_mcp.client.models import Conversation, Note
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import Agent
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.render.thread import Entry
from dixa_mcp.text.clean import html_to_text, unquoted
from dixa_mcp.tools import _people

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything of a conversation that a reader or a reply needs."""

    conversation: Conversation
    messages: list[Message]
    notes: list[Note]

    @property
    def newest(self) -> str:
        """The newest message's short id, or `none`."""
        return self.messages[-1].id[:8] if self.messages else "none"

    @property
    def newest_inbound(self) -> Message | None:
        """What the customer wrote last."""
        return next((message for message in reversed(self.messages) if message.direction == "Inbound"), None)


async def messages_of(dixa: Dixa, conversation_id: int) -> list[Message]:
    """Read all messages, oldest first (notes §9: not paged)."""
    found = read_all(Message, await dixa.get(at("/conversations/{id}/messages", id=csid(conversation_id))))
    return sorted(found, key=lambda message: message.created_at or EARLIEST)


async def notes_of(dixa: Dixa, conversation_id: int) -> list[Note]:
    """Read all notes, oldest first."""
    found = read_all(Note, await dixa.get(at("/conversations/{id}/notes", id=csid(conversation_id))))
    return sorted(found, key=lambda note: note.created_at or EARLIEST)


async def whole(dixa: Dixa, conversation_id: int, *, notes: bool = True) -> Whole:
    """Read the conversation, its messages and its notes at the same time."""
    results = await dixa.all(
        [
            partial(_people.conversation, dixa, conversation_id),
            partial(messages_of, dixa, conversation_id),
            *([partial(notes_of, dixa, conversation_id)] if notes else []),
        ]
    )
    for result in results:
        if isinstance(result, DixaMcpError):
            raise result
    conversation, messages, *rest = results
    assert isinstance(conversation, Conversation)  # noqa: S101 - the order of the thunks above
    assert isinstance(messages, list)  # noqa: S101 - as above
    return Whole(conversation, messages, rest[0] if rest else [])  # type: ignore[arg-type]


async def entries(dixa: Dixa, thread: Whole, *, detailed: bool, requester: str = "") -> list[Entry]:
    """Messages and notes in time order, with names and readable text; `requester` is the customer's name if known."""
    agents = await _people.agents(dixa)
    requester = requester or await _requester(dixa, thread)
    found = [_message(message, thread, agents, requester, detailed) for message in thread.messages]
    found += [
        Entry(note.id, "note", note.created_at or EARLIEST, _agent(agents, note.author_id), "agent", note.message)
        for note in thread.notes
    ]
    return sorted(found, key=lambda entry: entry.at)


async def _requester(dixa: Dixa, thread: Whole) -> str:
    """The customer's name: from a mail where one has it, else from the customer's record."""
    for message in thread.messages:
        sender = message.attributes.sender
        if message.author_id == thread.conversation.requester_id and sender and sender.name:
            return sender.name
    if thread.conversation.is_anonymized or not thread.messages:
        return "the customer"
    return await _people.customer_name(dixa, thread.conversation.requester_id)


def _message(message: Message, thread: Whole, agents: Mapping[str, Agent], requester: str, detailed: bool) -> Entry:
    said = message.attributes
    text, shortened = readable(message, detailed=detailed)
    sender = said.sender
    if message.author_id in agents:
        who = agents[message.author_id].name
        role = "agent"
    elif message.author_id == thread.conversation.requester_id:
        who, role = requester, "customer"
    else:
        who = (sender.name or sender.email) if sender else "someone"
        role = "customer" if message.direction == "Inbound" else "unknown"
    return Entry(
        id=message.id,
        kind="message",
        at=message.created_at or EARLIEST,
        who=who,
        role=role,
        text=text,
        attachments=tuple(each.name for each in files(message) if each.listed or detailed),
        automatic=said.is_auto,
        shortened=shortened,
        facts=_facts(message),
    )


@dataclass(frozen=True, slots=True)
class Filed:
    """A file of a message. Its place in `files` is the number `dixa_get_attachment` takes."""

    name: str
    url: str
    listed: bool = True
    """Whether a concise thread names it; the raw form of each mail would only be noise."""


def files(message: Message) -> list[Filed]:
    """All files of a message: attachments, pictures in the text, a text that was too large, recording, raw mail."""
    said = message.attributes
    found = [Filed(file.pretty_name or _last_part(file.url), file.url) for file in said.attachments]
    if isinstance(said, Mailed):
        found += [Filed(file.pretty_name or _last_part(file.url), file.url) for file in said.inline_images]
    if said.too_large:
        found.append(Filed("the mail's text", said.too_large))
    if isinstance(said, Recorded) and said.recording:
        found.append(Filed("recording", said.recording))
    if isinstance(said, Mailed) and said.original_content_url and said.original_content_url.url:
        found.append(Filed("raw mail", said.original_content_url.url, listed=False))
    return found


def _last_part(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def readable(message: Message, *, detailed: bool = False) -> tuple[str, bool]:
    """A message's text for a reader, and whether quoted history was cut from it."""
    said = message.attributes
    match said:
        case Spoken(duration=int(seconds)):
            ends = f" from {said.from_} to {said.to}" if said.from_ and said.to else ""
            return f"(telephone call{ends}, {_minutes(seconds)})", False
        case Recorded():
            return f"(recording of the call{f', {_minutes(said.duration)}' if said.duration else ''})", False
        case Form() if said.form_submission.values:
            return _form(said), False
        case _ if said.too_large:
            return "(the mail is too large to be shown here; dixa_get_attachment reads “the mail's text”)", False
        case _:
            text = html_to_text(said.text) if said.is_html else said.text
    if detailed or not isinstance(said, Mailed):
        return text, False
    return unquoted(text)


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def _form(form: Form) -> str:
    """A filled form, one field a line; a value is a text, a list, or an object that holds one (notes §20)."""

    def words(value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(words(each) for each in cast("list[Any]", value))
        if isinstance(value, dict):
            held = cast("dict[str, Any]", value)
            return words(held.get("value", held.get("values", [v for k, v in held.items() if k != "_type"])))
        return "" if value is None else str(value)

    return "\n".join(f"{label}: {words(value)}" for label, value in form.form_submission.values.items())


def _facts(message: Message) -> tuple[str, ...]:
    said = message.attributes
    facts = [f"cc {', '.join(box.email for box in said.copies)}"] if said.copies else []
    if isinstance(said, Mailed) and said.delivery_failure_reason:
        facts.append(f"not delivered: {said.delivery_failure_reason}")
    return tuple(facts)


def _agent(agents: Mapping[str, Agent], agent_id: str) -> str:
    return agents[agent_id].name if agent_id in agents else "a colleague"
