"""Closing, reopening and putting off."""

from typing import Any, Literal

from dixa_mcp.client.models import Conversation
from dixa_mcp.errors import InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question
from dixa_mcp.text.times import shown, wire
from dixa_mcp.toolbox import Change, Effect, Raise, Undo, tool
from dixa_mcp.tools import _acts
from dixa_mcp.tools._params import ConversationId, When
from dixa_mcp.tools._turns import turn

Action = Literal["close", "reopen", "follow_up"]


@tool(
    Effect.INTERNAL,
    raised=(Raise("action", Effect.CUSTOMER, "close", unless="close_is_internal"),),
    idempotent=True,
)
async def change_status(call: Call, conversation_id: ConversationId, action: Action, until: When = "") -> Change:
    """Close, reopen or put off a conversation; until: of a follow_up, which can't be removed again.

    Closing may send the customer a survey, so a person confirms it. Closing reasons: dixa_set_attributes.
    """
    if (action == "follow_up") != bool(until.strip()):
        raise InvalidArgument("follow_up needs until; close and reopen take none.")
    async with turn(call, conversation_id, action):
        return await _change(call, conversation_id, action, until)


async def _change(call: Call, conversation_id: int, action: Action, until: str) -> Change:
    conversation = await _acts.living(call.dixa, conversation_id)
    if (done := _already(conversation, action)) is not None:
        return done
    if action == "follow_up" and conversation.state == "Closed":
        raise Refused("state", f"Conversation {conversation_id} is closed, so it can't be put off.", "Reopen it first.")
    moment = await _acts.later(call, until, "until") if until else None
    agent = await call.acting()
    body: dict[str, Any] = {"userId": agent.id} if agent else {}
    if moment:
        body["timestamp"] = wire(moment)
    await _acts.act(
        call.dixa, _acts.path(action, conversation_id), body, conversation_id, _acts.arrived(conversation, action)
    )
    after = _acts.TARGET[action]
    if moment:
        after += f" until {shown(moment, await call.zone())}"
    seen = action == "close" and not call.settings.close_is_internal
    change = _changed(conversation, action, after, "customer" if seen else "colleagues")
    if action == "close":
        change.warnings += await _acts.unfilled(call.dixa, conversation)
    return change


@change_status.asks
async def _(call: Call, conversation_id: int, action: str, until: str = "") -> Question:
    conversation = await _acts.living(call.dixa, conversation_id)
    has = await _acts.holder(call.dixa, conversation)
    lines = [
        f"Close conversation {await _acts.named(call.dixa, conversation)}?",
        f"It is {conversation.state or 'open'}" + (f", and {has} has it." if has else ", and nobody has it."),
        "The customer may be sent a survey. It can be reopened; a survey can't be taken back.",
        *await _acts.unfilled(call.dixa, conversation),
    ]
    return Question("\n".join(lines))


@change_status.finds
async def _(call: Call, conversation_id: int, action: str, until: str = "") -> Change | None:
    """Nobody need be asked whether a closed conversation may be closed."""
    return _already(await _acts.living(call.dixa, conversation_id), action)


def _already(conversation: Conversation, action: str) -> Change | None:
    """Say that there is nothing to do. A second follow-up isn't nothing: it replaces the first."""
    if action == "follow_up" or conversation.state != _acts.TARGET[action]:
        return None
    return Change(f"Conversation {conversation.id} is {conversation.state.lower()} already.", visible_to="nobody")


def _changed(
    conversation: Conversation, action: str, after: str, visible_to: Literal["customer", "colleagues"]
) -> Change:
    number, before = conversation.id, conversation.state or "unknown"
    undo, lost = None, ""
    warnings: list[str] = []
    if action == "close":
        undo = Undo("dixa_change_status", {"conversation_id": number, "action": "reopen"}, {"state": "Closed"})
        gone = ["its follow-up"] * (before == "Pending") + ["its agent"] * bool(conversation.assignment)
        lost = f"an undo doesn't bring back {' or '.join([*gone, 'a survey that was sent'])}"
    elif action == "reopen" and before == "Closed":
        undo = Undo("dixa_change_status", {"conversation_id": number, "action": "close"}, {"state": "Open"})
        lost = "closing again may send the customer a survey, so a person is asked"
    elif action == "reopen":
        lost = f"it was {before}, and Dixa doesn't say until when"
    else:
        lost = "Dixa can't remove a follow-up through its API"
        if before == "Pending":
            warnings.append("It was put off before; this time replaces the former one.")
    words = {"close": "closed", "reopen": "open again, offered in its queue", "follow_up": "put off"}
    return Change(
        f"Conversation {number} is {words[action]}.",
        visible_to=visible_to,
        target=f"conversation {number}",
        before=before,
        after=after,
        undo=undo,
        cannot_undo=lost,
        warnings=warnings,
    )
