"""One conversation on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.messages import Message
from dixa_mcp.client.models import Conversation, Note, QueuePosition, Rating
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.workspace import EndUser, Tag
from dixa_mcp.errors import ApiError, DixaMcpError, NotFound
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.conversations import Page
from dixa_mcp.render.people import person_line
from dixa_mcp.text.clean import line
from dixa_mcp.text.times import ago, shown
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools import _attributes, _people, _threads
from dixa_mcp.tools._params import ConversationId
from dixa_mcp.tools.conversations.thread import title

NEWEST = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """What was read of a conversation; a part that failed is empty here, and why is in `missing`."""

    conversation: Conversation
    messages: list[Message]
    notes: list[Note]
    tags: list[Tag]
    ratings: list[Rating]
    children: list[Conversation]
    position: QueuePosition | None
    customer: EndUser | None
    missing: list[str]


@tool(Effect.READ)
async def get_conversation(call: Call, conversation_id: ConversationId) -> Page:
    """Show a conversation on one page: people, queue position, tags, attributes, ratings, links, newest messages.

    All messages: dixa_get_thread.
    """
    parts = await _read(call.dixa, conversation_id)
    conversation = parts.conversation
    thread = _threads.Whole(conversation, parts.messages, parts.notes)
    found = await _threads.entries(
        call.dixa, thread, detailed=False, requester=parts.customer.name if parts.customer else ""
    )
    unreadable = any(part.startswith("messages") for part in parts.missing)
    return Page(
        title=await title(call.dixa, conversation),
        facts=[fact for fact in await _facts(call, parts) if fact],
        entries=found[-NEWEST:],
        earlier=max(0, len(found) - NEWEST),
        newest="unknown" if unreadable else thread.newest,
        missing=parts.missing,
    )


async def _read(dixa: Dixa, conversation_id: int) -> Parts:
    """Read everything at the same time. Only the conversation itself must succeed."""

    async def listed(kind: Any, path: str) -> list[Any]:
        return read_all(kind, await dixa.get(at(path, id=conversation_id)))

    async def with_customer() -> tuple[Conversation, EndUser | None]:
        conversation = await _people.conversation(dixa, conversation_id)
        try:
            return conversation, read(EndUser, await dixa.get(at("/endusers/{id}", id=conversation.requester_id)))
        except DixaMcpError:  # anonymised or deleted; the page says "the customer"
            return conversation, None

    async def position() -> QueuePosition | None:
        try:
            return read(QueuePosition, await dixa.get(at("/queues/conversation-position/{id}", id=conversation_id)))
        except NotFound:  # it never waited
            return None

    reads: dict[str, Any] = {
        "conversation": with_customer,
        "messages": partial(_threads.messages_of, dixa, conversation_id),
        "notes": partial(_threads.notes_of, dixa, conversation_id),
        "tags": partial(listed, Tag, "/conversations/{id}/tags"),
        "ratings": partial(listed, Rating, "/conversations/{id}/ratings"),
        "linked conversations": partial(listed, Conversation, "/conversations/{id}/linked"),
        "queue position": position,
    }
    found: dict[str, Any] = dict(zip(reads, await dixa.all(reads.values()), strict=True))
    if isinstance(found["conversation"], DixaMcpError):
        raise found["conversation"]
    conversation, customer = found["conversation"]
    missing = [f"{name} ({_why(each)})" for name, each in found.items() if isinstance(each, DixaMcpError)]

    def part(name: str) -> list[Any]:
        return [] if isinstance(found[name], DixaMcpError) else found[name]

    place = found["queue position"]
    return Parts(
        conversation,
        messages=part("messages"),
        notes=part("notes"),
        tags=part("tags"),
        ratings=part("ratings"),
        children=part("linked conversations"),
        position=None if isinstance(place, DixaMcpError) else place,
        customer=customer,
        missing=missing,
    )


def _why(error: DixaMcpError) -> str:
    return f"{error.title}, {error.status}" if isinstance(error, ApiError) else error.what


async def _facts(call: Call, parts: Parts) -> list[str]:
    one = parts.conversation
    now, zone = await call.now(), await call.zone()
    agents = await _people.agents(call.dixa)
    facts = [f"{one.direction or 'Made'} {shown(one.created_at, zone, now)}" if one.created_at else ""]
    if one.state_updated_at and one.state_updated_at != one.created_at:
        facts[0] += f", {one.state.lower()} since {shown(one.state_updated_at, zone, now)}"
    if one.is_anonymized:
        since = f" {shown(one.anonymized_at, zone, now)}" if one.anonymized_at else ""
        facts.append(f"Its content was anonymised{since}; it can't come back")
    if parts.customer:
        facts.append(f"Customer: {person_line(parts.customer, detailed=False)}")
    if one.assignment and one.assignment.agent_id:
        who = agents[one.assignment.agent_id].name if one.assignment.agent_id in agents else "a former agent"
        since = f", since {shown(one.assignment.assigned_at, zone, now)}" if one.assignment.assigned_at else ""
        facts.append(f"Assigned to {line(who, 60)}{since}")
    elif one.state != "Closed":
        facts.append("Nobody is assigned")
    place = parts.position
    if place and place.position is not None:
        waiting = f", queued {ago(place.queued_at, now)}" if place.queued_at else ""
        facts.append(f"Position in the queue: about {place.position}{waiting}")
    if one.transport_expires_at:
        over = "ended" if one.transport_expires_at <= now else "possible until"
        facts.append(f"Replies {over} {shown(one.transport_expires_at, zone, now)}")
    ends = [end for end in (one.from_email or one.from_number, one.to_email or one.to_number) if end]
    facts.append(f"Between {' and '.join(line(end, 80) for end in ends)}" if ends else "")
    tags = ", ".join(line(tag.name, 60) + " (inactive)" * (not tag.is_active) for tag in parts.tags)
    facts.append(f"Tags: {tags}" if tags else "")
    facts += [
        f"{label}: {value}" for label, value in (await _attributes.labelled(call.dixa, one.custom_attributes)).items()
    ]
    facts += [_rating(rating, agents) for rating in parts.ratings]
    return [*facts, *_links(one, parts.children)]


def _rating(rating: Rating, agents: Any) -> str:
    if rating.rating_score is None:
        return f"{rating.rating_type} survey: {rating.rating_status.lower()}"
    about = f" for {line(agents[rating.agent_id].name, 60)}" if rating.agent_id in agents else ""
    comment = f": “{line(rating.rating_comment, 300)}”" if rating.rating_comment else ""
    return f"Rated {rating.rating_score} ({rating.rating_type}){about}{comment}"


def _links(one: Conversation, children: Sequence[Conversation]) -> list[str]:
    links = [f"{_kind(one)} of conversation {one.link.parent_id}"] if one.link else []
    for child in children:
        subject = f" “{line(child.subject, 80)}”" if child.subject else ""
        links.append(f"Has {_kind(child).lower()} {child.id} ({child.state.lower()}){subject}")
    return links


def _kind(conversation: Conversation) -> str:
    kind = conversation.link.kind if conversation.link else ""
    return {"SideConversation": "Side conversation", "FollowUp": "Follow-up", "EmailForward": "Forwarded mail"}.get(
        kind, f"Linked ({line(kind, 40)})" if kind else "Linked conversation"
    )
