"""Conversations that belong together."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.errors import DixaMcpError, NotFound, Refused, explain
from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Aim, Change, Effect, tool
from dixa_mcp.tools import _acts, _people
from dixa_mcp.tools._params import ConversationId

KINDS = {"related": "Related", "side_conversation": "SideConversation"}
MOST_CHILDREN = 100
"""Of one parent (notes §11)."""

Children = Annotated[list[ConversationId], Field(min_length=1, max_length=20)]


@tool(Effect.INTERNAL, touches="", idempotent=True)
async def link_conversations(
    call: Call,
    parent_id: ConversationId,
    child_ids: Children,
    type: Literal["related", "side_conversation"] = "related",
) -> Change:
    """Link conversations to one parent, e.g. duplicates of one incident.

    Colleagues see it. Can't be undone, and a child has one parent and no children.
    """
    dixa = call.dixa
    wanted = list(dict.fromkeys(child_ids))
    parent = await _acts.living(dixa, parent_id)
    if parent.link and parent.link.parent_id:
        raise Refused(
            "state",
            f"Conversation {parent_id} is itself a child of {parent.link.parent_id}, so it can't have children.",
            f"Link them to {parent.link.parent_id}.",
        )
    room = MOST_CHILDREN - len(await _children(dixa, parent_id))
    checked = await dixa.all([partial(_why_not, dixa, child, parent_id) for child in wanted])
    outcomes = {child: _words(result) for child, result in zip(wanted, checked, strict=True)}
    free = [child for child in wanted if not outcomes[child]]
    for child in free[max(room, 0) :]:
        outcomes[child] = f"{parent_id} has the most children Dixa allows, {MOST_CHILDREN}"
    free = free[: max(room, 0)]
    sent = await dixa.all([partial(_link, dixa, child, parent_id, KINDS[type]) for child in free])
    failures = [result for result in sent if isinstance(result, DixaMcpError)]
    outcomes |= {child: _words(result) for child, result in zip(free, sent, strict=True)}
    if free and len(failures) == len(wanted):
        raise failures[0]
    return _outcome(parent_id, type, [child for child in free if not outcomes[child]], outcomes)


@link_conversations.aims
def _(arguments: Mapping[str, Any]) -> Aim:
    children = tuple(arguments.get("child_ids") or ())
    return Aim(conversations=(arguments["parent_id"], *children), amount=max(1, len(children)))


async def _children(dixa: Dixa, conversation_id: int) -> list[Conversation]:
    try:
        return read_all(Conversation, await dixa.get(at("/conversations/{id}/linked", id=conversation_id)))
    except NotFound:  # nothing is linked
        return []


async def _why_not(dixa: Dixa, child: int, parent: int) -> str:
    """Say which rule of Dixa's stands against this child (notes §11), or nothing."""
    if child == parent:
        return "a conversation can't be its own parent"
    conversation = await _people.conversation(dixa, child)
    if conversation.is_anonymized:
        return "it was anonymised"
    if conversation.link and conversation.link.parent_id == parent:
        return "it is linked to it already"
    if conversation.link and conversation.link.parent_id:
        return f"it has a parent already, {conversation.link.parent_id}"
    if own := await _children(dixa, child):
        return f"it has children of its own ({', '.join(str(each.id) for each in own[:5])})"
    return ""


async def _link(dixa: Dixa, child: int, parent: int, kind: str) -> str:
    await _acts.act(
        dixa,
        at("/conversations/{id}/link", id=child),
        {"parentId": parent, "linkType": kind},
        child,
        lambda now: now.link is not None and now.link.parent_id == parent,
    )
    return ""


def _words(result: str | DixaMcpError) -> str:
    """What stands against a child, or what went wrong with it."""
    return explain(result) if isinstance(result, DixaMcpError) else result


def _outcome(parent: int, kind: str, linked: list[int], outcomes: Mapping[int, str]) -> Change:
    left = [f"{child} was not linked: {why.rstrip('.')}." for child, why in outcomes.items() if why]
    if not linked and not all("already" in why for why in outcomes.values()):
        raise Refused("state", f"Nothing was linked to {parent}. {' '.join(left)}")
    names = ", ".join(map(str, linked))
    return Change(
        f"Linked to conversation {parent} as {kind.replace('_', ' ')}: {names}."
        if linked
        else f"Nothing to link to conversation {parent}.",
        visible_to="colleagues" if linked else "nobody",
        target=f"conversation {parent}",
        after=names,
        cannot_undo="Dixa can't unlink conversations through its API",
        warnings=left,
    )
