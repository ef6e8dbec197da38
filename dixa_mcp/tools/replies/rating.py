"""Results of surveys that were held elsewhere."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation, Rating
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.workspace import Agent
from dixa_mcp.errors import DixaMcpError, InvalidArgument
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question, quoted
from dixa_mcp.text.clean import clean, line
from dixa_mcp.toolbox import Change, Effect, tool
from dixa_mcp.tools import _acts, _threads
from dixa_mcp.tools._params import ConversationId

KINDS = {"csat": ("Csat", range(1, 6)), "nps": ("Nps", range(11)), "thumbs": ("ThumbsUpOrDown", range(2))}
"""Our word → Dixa's word and its scores (notes §16)."""
SAME = timedelta(minutes=10)
"""An equal rating that is no older than this is the same rating."""
HALF_DONE = 3600.0
"""Seconds an offer without a result is remembered, so that a second try doesn't offer again."""


@tool(Effect.CUSTOMER, once=("conversation_id", "type", "score", "comment", "agent"))
async def record_rating(
    call: Call,
    conversation_id: ConversationId,
    type: Literal["csat", "nps", "thumbs"],
    score: Annotated[int, Field(description="csat 1-5, nps 0-10, thumbs 0 or 1")],
    comment: Annotated[str, Field(max_length=2000)] = "",
    agent: Annotated[str, Field(description="Rated agent; default: who has it")] = "",
) -> Change:
    """Record a customer's answer to a survey held outside Dixa. Nothing is sent; statistics change for good."""
    conversation, rated = await _checked(call, conversation_id, type, score, agent)
    rating_id = await _offered(call, conversation, type, rated)
    body: dict[str, Any] = {"ratingResult": {"_type": KINDS[type][0], "value": score}}
    if comment.strip():
        body["comment"] = clean(comment).strip()
    try:
        path = at("/conversations/{id}/ratings/{rating}/submit", id=conversation_id, rating=rating_id)
        await call.dixa.send("POST", path, body)
    except DixaMcpError as error:
        if error.changed is None and await _is_rated(call.dixa, conversation_id, rating_id, error):
            return _recorded(conversation, type, score, rated)
        await call.state.put(_half(call, conversation_id, type, rated), rating_id, HALF_DONE)
        return _half_done(conversation, error)
    return _recorded(conversation, type, score, rated)


@record_rating.asks
async def _(call: Call, conversation_id: int, type: str, score: int, comment: str = "", agent: str = "") -> Question:
    conversation, rated = await _checked(call, conversation_id, type, score, agent)
    lines = [
        f"Record a rating for conversation {await _acts.named(call.dixa, conversation)}?",
        f"{type}: {score} (of {KINDS[type][1][0]} to {KINDS[type][1][-1]}), for {line(rated.name)}",
        *([quoted(clean(comment).strip())] if comment.strip() else []),
        *await _doubts(call.dixa, conversation, rated),
        "It counts in the statistics and can't be removed. The customer isn't contacted.",
    ]
    return Question("\n".join(lines))


@record_rating.identifies
async def _(
    call: Call, conversation_id: int, type: str, score: int, comment: str = "", agent: str = ""
) -> list[object]:
    _, rated = await _checked(call, conversation_id, type, score, agent)
    return [conversation_id, type, score, clean(comment).split(), rated.id]


@record_rating.finds
async def _(
    call: Call, conversation_id: int, type: str, score: int, comment: str = "", agent: str = ""
) -> Change | None:
    conversation, rated = await _checked(call, conversation_id, type, score, agent)
    since = await call.now() - SAME
    for rating in await _ratings(call.dixa, conversation_id):
        same = rating.rating_type == KINDS[type][0] and rating.rating_score == score and rating.agent_id == rated.id
        when = rating.timestamps.get("rated_at") or _threads.EARLIEST
        if same and rating.rating_comment.split() == clean(comment).split() and when >= since:
            return _recorded(conversation, type, score, rated)
    return None


async def _checked(call: Call, conversation_id: int, type: str, score: int, agent: str) -> tuple[Conversation, Agent]:
    """The conversation and the agent who is rated.

    Raises:
        InvalidArgument: The score isn't of this kind, or nobody has the conversation and no agent was named.
    """
    scores = KINDS[type][1]
    if score not in scores:
        raise InvalidArgument(f"A score of {type} is {scores[0]} to {scores[-1]}, not {score}.")
    conversation = await _acts.living(call.dixa, conversation_id)
    if agent:
        return conversation, await call.dixa.catalogue.find("agent", agent)
    if not (conversation.assignment and conversation.assignment.agent_id):
        raise InvalidArgument(f"Nobody has conversation {conversation_id}; name the rated agent.")
    return conversation, await call.dixa.catalogue.find("agent", conversation.assignment.agent_id)


async def _doubts(dixa: Dixa, conversation: Conversation, rated: Agent) -> list[str]:
    """Warn of an agent who took no part: such a rating skews the statistics (notes §16)."""
    has = conversation.assignment is not None and conversation.assignment.agent_id == rated.id
    if has or any(message.author_id == rated.id for message in await _threads.messages_of(dixa, conversation.id)):
        return []
    return [f"Careful: {line(rated.name)} neither has this conversation nor wrote in it."]


async def _ratings(dixa: Dixa, conversation_id: int) -> list[Rating]:
    return read_all(Rating, await dixa.get(at("/conversations/{id}/ratings", id=conversation_id)))


async def _offered(call: Call, conversation: Conversation, type: str, rated: Agent) -> str:
    """Offer the survey, or go on with an offer of ours whose result got lost; returns its id."""
    if kept := await call.state.take(_half(call, conversation.id, type, rated)):
        return kept
    known = {rating.id for rating in await _ratings(call.dixa, conversation.id)}
    kind = KINDS[type][0]
    body = {"ratingType": kind, "userId": conversation.requester_id, "agentId": rated.id}
    try:
        reply = await call.dixa.send("POST", at("/conversations/{id}/ratings/offer", id=conversation.id), body)
    except DixaMcpError as error:
        if error.changed is not None:
            raise
        try:
            now = await _ratings(call.dixa, conversation.id)
        except DixaMcpError as unclear:
            raise error from unclear
        made = [r.id for r in now if r.id not in known and r.rating_type == kind and r.rating_status == "Offered"]
        if not made:
            error.changed = False
            raise
        return made[-1]
    return read(Rating, reply.data).id


async def _is_rated(dixa: Dixa, conversation_id: int, rating_id: str, error: DixaMcpError) -> bool:
    """Look what became of a result whose answer was lost; what is found out is noted on the error."""
    try:
        ratings = await _ratings(dixa, conversation_id)
    except DixaMcpError:
        return False
    error.changed = any(rating.id == rating_id and rating.rating_status == "Rated" for rating in ratings)
    return error.changed


def _half(call: Call, conversation_id: int, type: str, rated: Agent) -> str:
    return f"offer:{call.caller.tenant}:{conversation_id}:{type}:{rated.id}"


def _recorded(conversation: Conversation, type: str, score: int, rated: Agent) -> Change:
    return Change(
        f"Recorded {type} {score} for conversation {conversation.id}, rated agent {line(rated.name)}.",
        visible_to="colleagues",
        target=f"conversation {conversation.id}",
        cannot_undo="Dixa can't remove a rating through its API",
    )


def _half_done(conversation: Conversation, error: DixaMcpError) -> Change:
    unsure = "it is not known whether its result was" if error.changed is None else "its result was NOT"
    return Change(
        f"HALF DONE: the survey of conversation {conversation.id} was offered, but {unsure} recorded.",
        visible_to="colleagues",
        target=f"conversation {conversation.id}",
        cannot_undo="Dixa can't remove an offer through its API",
        warnings=[error.what, "Repeat this call to record the result; the offer won't be made again."],
        partial=True,
    )
