"""Answering a customer. A person sees the exact text first, whatever asked for it."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.messages import Message
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read
from dixa_mcp.client.workspace import Agent, EndUser
from dixa_mcp.errors import BadRequest, DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question, quoted
from dixa_mcp.text.clean import line
from dixa_mcp.text.contacts import LONGEST_ADDRESS
from dixa_mcp.text.times import shown, wire
from dixa_mcp.toolbox import Change, Effect, Raise, Use, tool
from dixa_mcp.tools import _acts, _people, _threads
from dixa_mcp.tools._notes import existing_note, write_note
from dixa_mcp.tools._params import ConversationId, When
from dixa_mcp.tools.replies import _composing as composing

REPLY_KINDS = frozenset(
    f"{channel}Conversation" for channel in ("Email", "ContactForm", "Chat", "Messenger", "Sms", "WhatsApp")
)
"""Where Dixa takes an outbound message through the API (notes §9)."""
WHATSAPP_FILES = (".jpg", ".jpeg", ".png", ".pdf", ".doc", ".docx", ".pptx", ".xlsx")
DRAFT = "DRAFT, not sent"
SHOWN = 3
"""How many messages that came in between a refusal shows."""

Text = Annotated[str, Field(max_length=20_000, description="What the customer reads")]
After = Annotated[str, Field(description="Short id of the newest message you read; none if there is none")]
TemplateName = Annotated[str, Field(description="Name, instead of text")]
Copies = Annotated[list[str], Field(max_length=10, description="E-mail addresses of customers")]
Files = Annotated[list[str], Field(max_length=10, description="https URLs")]
Then = Literal["", "close", "follow_up"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that could be sent at this moment."""

    thread: _threads.Whole
    agent: Agent
    text: str
    copies: list[EndUser]
    files: list[dict[str, Any]]


@tool(
    Effect.CUSTOMER,
    raised=(Raise("cc", Effect.EGRESS), Raise("attachments", Effect.EGRESS)),
    once=("conversation_id", "after_message", "text", "template", "then"),
    speaks=("text",),
    egress=("cc", "attachments"),
    acts_as_agent=True,
    uses=(Use("dixa_change_status", "then", passes="action"), Use("dixa_add_note", drafting=True)),
)
async def send_reply(
    call: Call,
    conversation_id: ConversationId,
    after_message: After,
    text: Text = "",
    template: TemplateName = "",
    cc: Copies | None = None,
    attachments: Files | None = None,
    then: Then = "",
    follow_up_at: When = "",
) -> Change:
    """Answer the customer on the conversation's channel. A person confirms the exact text first.

    text is Markdown: bold, italic, lists, quotes. Not for colleagues: dixa_add_note.
    """
    reply = await _reply(call, conversation_id, after_message, text, template, cc, attachments, then, follow_up_at)
    body: dict[str, Any] = {
        "_type": "Outbound",
        "agentId": reply.agent.id,
        "content": composing.content(reply.thread.conversation.channel, reply.text),
        "attachments": reply.files,
        "externalId": external_id(reply.thread, after_message, reply.text),
    }
    if reply.copies:
        body["cc"] = [person.id for person in reply.copies]
    try:
        await call.dixa.send("POST", at("/conversations/{id}/messages", id=conversation_id), body)
    except BadRequest as error:
        if not composing.is_taken(error.said):
            raise
        return _sent(reply.thread, then, duplicate=True)  # a second message of the same key (notes §9)
    change = _sent(reply.thread)
    if then:
        await _afterwards(call, reply, then, follow_up_at, change)
    return change


@send_reply.asks
async def _(
    call: Call,
    conversation_id: int,
    after_message: str,
    text: str = "",
    template: str = "",
    cc: list[str] | None = None,
    attachments: list[str] | None = None,
    then: str = "",
    follow_up_at: str = "",
) -> Question:
    reply = await _reply(call, conversation_id, after_message, text, template, cc, attachments, then, follow_up_at)
    conversation = reply.thread.conversation
    to = await _people.recipient(call.dixa, conversation)
    has = await _acts.holder(call.dixa, conversation)
    lines = [
        f"Send this {conversation.channel} reply to {to}, as {line(reply.agent.name)}?",
        f"Conversation {conversation_id}" + (f", “{line(conversation.subject)}”" if conversation.subject else ""),
        *([f"{has} has it."] if has and has != line(reply.agent.name) else []),
        quoted(reply.text),
        *_extras(reply),
    ]
    if then == "close":
        lines.append("Afterwards the conversation is closed; a survey may follow.")
    elif then:
        until = await _acts.later_in_words(call, follow_up_at, "follow_up_at")
        lines.append(f"Afterwards it is put off until {until}.")
    lines.append(f"It answers message {reply.thread.newest}, the newest.")
    return Question("\n".join(lines))


@send_reply.drafts
async def _(
    call: Call,
    conversation_id: int,
    after_message: str,
    text: str = "",
    template: str = "",
    cc: list[str] | None = None,
    attachments: list[str] | None = None,
    then: str = "",
    follow_up_at: str = "",
) -> Change:
    reply = await _reply(call, conversation_id, after_message, text, template, cc, attachments, then, follow_up_at)
    meant = {"close": "Then close it.", "follow_up": f"Then put it off until {line(follow_up_at)}."}.get(then, "")
    extras = [*_extras(reply), *([meant] if meant else [])]
    note = "\n\n".join([DRAFT, reply.text, *(["\n".join(extras)] if extras else [])])
    change = await existing_note(call, conversation_id, note) or await write_note(call, conversation_id, note)
    change.what = (
        f"NOT SENT: this client can't ask a person, so the reply is kept as an internal note headed “{DRAFT}” in "
        f"conversation {conversation_id}. A colleague can send it from Dixa."
    )
    return change


@send_reply.finds
async def _(
    call: Call,
    conversation_id: int,
    after_message: str,
    text: str = "",
    template: str = "",
    cc: list[str] | None = None,
    attachments: list[str] | None = None,
    then: str = "",
    follow_up_at: str = "",
) -> Change | None:
    thread = await _thread(call, conversation_id)
    said = await _text(call, thread, text, template)
    keys = {message.external_id for message in thread.messages}
    return _sent(thread, then) if external_id(thread, after_message, said) in keys else None


def external_id(thread: _threads.Whole, after_message: str, text: str) -> str:
    """The key of a reply: the conversation, what the customer had written last, and the words.

    Read as of the message it answers, so that a repeat is known by it whatever was written since.
    """
    known = [number for number, message in enumerate(thread.messages) if _is(message, after_message)]
    seen = thread.messages[: known[0] + 1] if known else thread.messages
    answered = next((message.id for message in reversed(seen) if message.direction == "Inbound"), "none")
    return composing.key(thread.conversation.id, answered, text)


async def _reply(
    call: Call,
    conversation_id: int,
    after_message: str,
    text: str,
    template: str,
    cc: list[str] | None,
    attachments: list[str] | None,
    then: str,
    follow_up_at: str,
) -> Reply:
    """Read the thread again, refuse where a reply would be wrong, late or impossible, and put it together.

    Raises:
        InvalidArgument: Arguments that don't go together.
        Refused: Closed, anonymised, expired, or a channel without replies; or the customer wrote since.
    """
    if (then == "follow_up") != bool(follow_up_at.strip()):
        raise InvalidArgument("then=follow_up needs follow_up_at, and follow_up_at needs then=follow_up.")
    thread = await _thread(call, conversation_id)
    await _can_be_answered(call, thread.conversation)
    if after_message.strip().casefold() != thread.newest and not (
        thread.messages and _is(thread.messages[-1], after_message)
    ):
        raise _stale(thread, after_message)
    if then == "follow_up":
        await _acts.later(call, follow_up_at, "follow_up_at")
    channel = thread.conversation.channel
    given = attachments or []
    if channel == "WhatsApp" and (len(given) > 1 or not all(url.lower().endswith(WHATSAPP_FILES) for url in given)):
        raise InvalidArgument(f"WhatsApp takes one attachment, of these kinds: {', '.join(WHATSAPP_FILES)}.")
    return Reply(
        thread,
        await call.agent(),
        await _text(call, thread, text, template),
        await composing.copies(call.dixa, cc or (), channel),
        composing.files(given),
    )


async def _can_be_answered(call: Call, conversation: Conversation) -> None:
    number = conversation.id
    if conversation.is_anonymized:
        raise Refused("state", f"Conversation {number} was anonymised; it can't be answered.")
    if conversation.kind not in REPLY_KINDS:
        kind = conversation.kind.removesuffix("Conversation") or conversation.channel
        raise Refused("state", f"Dixa takes no replies to {kind} conversations through its API.")
    if conversation.state == "Closed":
        raise Refused("state", f"Conversation {number} is closed.", "Reopen it first, if the user wants that.")
    expires = conversation.transport_expires_at
    if expires and expires <= await call.now():
        ended = shown(expires, await call.zone())
        raise Refused("state", f"The time to reply by {conversation.channel} ended {ended}; the customer must write.")


async def _thread(call: Call, conversation_id: int) -> _threads.Whole:
    """Read the thread, once for each stage of the call."""
    if "thread" not in call.read:
        call.read["thread"] = await _threads.whole(call.dixa, conversation_id, notes=False)
    return call.read["thread"]


async def _text(call: Call, thread: _threads.Whole, text: str, template: str) -> str:
    """The exact words, placeholders filled."""
    said = await composing.words(call.dixa, text, template, thread.conversation.language)
    if "{{" not in said:
        return composing.filled(said, None, None, thread.conversation.id)
    try:
        data = await call.dixa.get(at("/endusers/{id}", id=thread.conversation.requester_id))
    except DixaMcpError:  # then the name stays unfilled, which refuses
        return composing.filled(said, None, await call.agent(), thread.conversation.id)
    return composing.filled(said, read(EndUser, data), await call.agent(), thread.conversation.id)


def _is(message: Message, short: str) -> bool:
    """Whether an id, whole or its first eight characters, is this message's."""
    given = short.strip().casefold()
    return len(given) >= 8 and message.id.casefold().startswith(given)


def _stale(thread: _threads.Whole, after_message: str) -> Refused:
    """Say that something else is the newest message, and show what came since the one that was answered."""
    if not thread.messages:
        return Refused("freshness", "There is no message in this conversation yet; after_message must be none.")
    place = next((n for n, message in enumerate(thread.messages) if _is(message, after_message)), None)
    since = thread.messages[-1:] if place is None else thread.messages[place + 1 :]
    what = "after_message isn't the newest message" if place is None else "More was written since that message"
    refused = Refused(
        "freshness",
        f"{what}; see below. Nothing was sent.",
        f"Read it, then reply with after_message={thread.newest}.",
    )
    refused.heard = "\n".join(
        f"[{message.id[:8]}] {'customer' if message.direction == 'Inbound' else 'agent'}: "
        f"{line(_threads.readable(message)[0], 300)}"
        for message in since[-SHOWN:]
    )
    return refused


def _extras(reply: Reply) -> list[str]:
    copies = [f"Copy to: {line(person.name, 60)} <{line(person.email, LONGEST_ADDRESS)}>" for person in reply.copies]
    return [*copies, *(f"Attached: {line(file['url'], 2000)}" for file in reply.files)]


def _sent(thread: _threads.Whole, then: str = "", *, duplicate: bool = False) -> Change:
    """What is told of a reply that is out; `then` is what this call wanted besides and has not done."""
    conversation = thread.conversation
    change = Change(
        f"Reply sent to the customer of conversation {conversation.id} by {conversation.channel}.",
        visible_to="customer",
        target=f"conversation {conversation.id}",
        cannot_undo="a sent message can't be taken back",
        duplicate=duplicate,
    )
    if then and conversation.state != {"close": "Closed", "follow_up": "Pending"}[then]:
        step = {"close": "closed", "follow_up": "put off"}[then]
        change.warnings.append(f"The conversation was not {step}; dixa_change_status does that.")
    return change


async def _afterwards(call: Call, reply: Reply, then: str, follow_up_at: str, change: Change) -> None:
    """Close or put off. The reply is out whatever happens here, so a failure is a warning."""
    conversation = reply.thread.conversation
    body: dict[str, Any] = {"userId": reply.agent.id}
    step = "closed"
    try:
        if then == "follow_up":
            moment = await _acts.later(call, follow_up_at, "follow_up_at")
            body["timestamp"] = wire(moment)
            step = f"put off until {shown(moment, await call.zone())}"
        await _acts.act(
            call.dixa, _acts.path(then, conversation.id), body, conversation.id, _acts.arrived(conversation, then)
        )
    except DixaMcpError as error:
        certain = "was not" if error.changed is False else "may not have been"
        change.warnings.append(f"The reply was sent, but the conversation {certain} {step}: {error.what}")
    else:
        change.what += f" The conversation was {step}."
