"""Work on conversations that colleagues see and customers don't."""

from dataclasses import replace
from functools import partial
from typing import Annotated

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import Presence, QueueMember, Tag
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Change, Effect, Undo, Use, tool
from dixa_mcp.tools import _acts, _people
from dixa_mcp.tools._doubt import not_done, settled
from dixa_mcp.tools._notes import existing_note, write_note
from dixa_mcp.tools._params import ConversationId, NoteText, QueueName

TagNames = Annotated[list[str], Field(max_length=20)]


@tool(Effect.INTERNAL, once=("conversation_id", "text"))
async def add_note(call: Call, conversation_id: ConversationId, text: NoteText) -> Change:
    """Add an internal note. Colleagues see it; the customer doesn't."""
    return await write_note(call, conversation_id, text)


@add_note.finds
async def _(call: Call, conversation_id: int, text: str) -> Change | None:
    return await existing_note(call, conversation_id, text)


@tool(Effect.INTERNAL, idempotent=True)
async def update_tags(
    call: Call, conversation_id: ConversationId, add: TagNames | None = None, remove: TagNames | None = None
) -> Change:
    """Put existing tags on a conversation or take them off, by name. Creates no tags."""
    if not (add or remove):
        raise InvalidArgument("Name tags to add or to remove.")
    putting = await _found(call.dixa, add)
    taking = await _found(call.dixa, remove)
    if both := [tag.name for tag in putting if tag in taking]:
        raise InvalidArgument(f"{', '.join(both)} can't be both put on and taken off.")
    if inactive := [tag.name for tag in putting if not tag.is_active]:
        raise Refused(
            "tag_state", f"Inactive tags can't be put on: {', '.join(inactive)}.", "An admin can activate them."
        )
    present = {tag.id: tag for tag in await _tags(call.dixa, conversation_id)}
    putting = [tag for tag in putting if tag.id not in present]
    taking = [tag for tag in taking if tag.id in present]
    failed = await _retag(call.dixa, conversation_id, putting, taking)
    wanted = [tag for tag in [*present.values(), *putting] if tag not in taking]
    return _tagged(conversation_id, list(present.values()), wanted, putting, taking, failed)


async def _found(dixa: Dixa, names: list[str] | None) -> list[Tag]:
    """The tags that are named, each once however it is spelt."""
    found = [await dixa.catalogue.find("tag", name) for name in names or ()]
    return list({tag.id: tag for tag in found}.values())


async def _tags(dixa: Dixa, conversation_id: int) -> list[Tag]:
    return read_all(Tag, await dixa.get(at("/conversations/{id}/tags", id=conversation_id)))


async def _retag(dixa: Dixa, conversation_id: int, putting: list[Tag], taking: list[Tag]) -> dict[str, DixaMcpError]:
    """Put on and take off, each by itself; returns what failed, by tag id. Raises when nothing worked."""
    acts = [("PUT", tag) for tag in putting] + [("DELETE", tag) for tag in taking]

    async def act(method: str, tag: Tag) -> None:
        await dixa.send(method, at("/conversations/{id}/tags/{tag}", id=conversation_id, tag=tag.id))

    results = await dixa.all([partial(act, method, tag) for method, tag in acts])
    failed = {tag.id: r for (_, tag), r in zip(acts, results, strict=True) if isinstance(r, DixaMcpError)}
    failed = await _looked_up(dixa, conversation_id, {tag.id for tag in putting}, failed)
    if acts and len(failed) == len(acts):
        raise min(failed.values(), key=lambda error: error.changed is not None)
    return failed


async def _looked_up(
    dixa: Dixa, conversation_id: int, putting: set[str], failed: dict[str, DixaMcpError]
) -> dict[str, DixaMcpError]:
    """What really failed, by tag id: where an answer was lost the tags are read again; else it stays in doubt."""
    if all(error.changed is not None for error in failed.values()):
        return failed
    try:
        now = {tag.id for tag in await _tags(dixa, conversation_id)}
    except DixaMcpError:
        return failed
    left: dict[str, DixaMcpError] = {}
    for tag_id, error in failed.items():
        if error.changed is None and (tag_id in now) == (tag_id in putting):
            continue
        error.changed = False
        left[tag_id] = error
    return left


def _tagged(
    conversation_id: int,
    before: list[Tag],
    wanted: list[Tag],
    putting: list[Tag],
    taking: list[Tag],
    failed: dict[str, DixaMcpError],
) -> Change:
    put = [tag for tag in putting if tag.id not in failed]
    taken = [tag for tag in taking if tag.id not in failed]
    after = [tag for tag in wanted if tag not in putting or tag in put] + [tag for tag in taking if tag not in taken]
    gone = [tag.name for tag in taken if not tag.is_active]
    changed = bool(put or taken)
    return Change(
        f"Tags of conversation {conversation_id} changed."
        if changed
        else f"Conversation {conversation_id} has these tags already.",
        visible_to="colleagues" if changed else "nobody",
        target=f"conversation {conversation_id}",
        before=_names(before),
        after=_names(after),
        undo=Undo(
            "dixa_update_tags",
            {"conversation_id": conversation_id, "add": [tag.name for tag in taken if tag.is_active]}
            | {"remove": [tag.name for tag in put]},
            {"tags": sorted(tag.name for tag in after)},
        )
        if changed
        else None,
        cannot_undo=f"inactive tags can't be put back: {', '.join(gone)}" if gone else "",
        warnings=[
            f"{tag.name} {not_done(failed[tag.id])} changed: {failed[tag.id].what}"
            for tag in [*putting, *taking]
            if tag.id in failed
        ],
    )


@tool(Effect.INTERNAL, idempotent=True, uses=(Use("dixa_add_note", "reason"),))
async def transfer_conversation(
    call: Call,
    conversation_id: ConversationId,
    queue: QueueName,
    reason: Annotated[str, Field(description="Kept as an internal note")] = "",
) -> Change:
    """Move a conversation to another queue. The customer isn't told; agents of that queue are offered it."""
    dixa = call.dixa
    target = await dixa.catalogue.find("queue", queue)
    conversation = await _acts.living(dixa, conversation_id)
    if conversation.state == "Closed":
        raise Refused("state", f"Conversation {conversation_id} is closed.", "Reopen it first.")
    former = conversation.queue.id if conversation.queue else ""
    # In its own queue it is put back to the others: that is how a conversation is taken from an agent.
    if former == target.id and not conversation.assignment:
        return Change(f"Conversation {conversation_id} is in {target.name} already.", visible_to="nobody")
    warnings = await _empty_queue(dixa, target.id, target.name)
    agent = await call.acting()
    body = {"queueId": target.id} | ({"userId": agent.id} if agent else {})
    await _acts.act(
        dixa,
        at("/conversations/{id}/transfer/queue", id=conversation_id),
        body,
        conversation_id,
        lambda now: now.queue is not None and now.queue.id == target.id and now.queue != conversation.queue,
    )
    if reason:
        warnings += await _reason(call, conversation_id, reason)
    return await _moved(dixa, conversation, target.id, target.name, warnings)


async def _moved(dixa: Dixa, conversation: Conversation, queue_id: str, name: str, warnings: list[str]) -> Change:
    former = conversation.queue.id if conversation.queue else ""
    agent = conversation.assignment.agent_id if conversation.assignment else ""
    holder = await _acts.holder(dixa, conversation)
    lost = f"an undo doesn't give it back to {holder}" if agent and former != queue_id else ""
    undo = Undo("dixa_transfer_conversation", {"conversation_id": conversation.id, "queue": former}, {})
    if former == queue_id:
        undo = Undo("dixa_assign_conversation", {"conversation_id": conversation.id, "agent": agent}, {})
    return Change(
        f"Conversation {conversation.id} is now in the queue {name}.",
        visible_to="colleagues",
        target=f"conversation {conversation.id}",
        before=(await _people.queue_name(dixa, former) if former else "no queue")
        + (f", with {holder}" if holder else ""),
        after=f"{name}, unassigned" if holder else name,
        # Whoever has accepted it since keeps it: then it isn't as this left it.
        undo=replace(undo, wrote={"queue": queue_id, "assignee": ""}) if former else None,
        cannot_undo=lost if former else "it was in no queue before",
        warnings=warnings,
    )


async def _reason(call: Call, conversation_id: int, reason: str) -> list[str]:
    try:
        await write_note(call, conversation_id, reason)
    except DixaMcpError as error:
        try:
            await settled(error, lambda: existing_note(call, conversation_id, reason))
        except DixaMcpError as failed:
            return [f"The reason {not_done(failed)} kept as a note: {failed.what}"]
    return []


async def _empty_queue(dixa: Dixa, queue_id: str, name: str) -> list[str]:
    """Warn when nobody of the queue is working now; silent where that can't be known."""
    try:
        members = read_all(QueueMember, await dixa.get(at("/queues/{id}/members", id=queue_id)))
        present = {one.user_id for one in read_all(Presence, await dixa.get(at("/agents/presence"))) if one.is_working}
    except DixaMcpError:
        return []
    if not members:
        return [f"{name} has no members."]
    if not present & {member.agent_id for member in members}:
        return [f"Nobody of {name} is working at the moment."]
    return []


def _names(tags: list[Tag]) -> str:
    return ", ".join(sorted(tag.name for tag in tags))
