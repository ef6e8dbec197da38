"""Who has a conversation."""

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import Agent, Presence
from dixa_mcp.errors import Conflict, DixaMcpError, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools import _acts, _people
from dixa_mcp.tools._params import ConversationId


@tool(Effect.INTERNAL, idempotent=True)
async def assign_conversation(
    call: Call, conversation_id: ConversationId, agent: str = "", take_over: bool = False
) -> Change:
    """Give a conversation to an agent (name, e-mail or id; default: the acting agent).

    take_over: even if a colleague has it. The customer isn't told.
    """
    dixa = call.dixa
    to = await dixa.catalogue.find("agent", agent) if agent else await call.agent()
    conversation = await _acts.living(dixa, conversation_id)
    former = conversation.assignment.agent_id if conversation.assignment else ""
    if former == to.id:
        return Change(f"{line(to.name)} has conversation {conversation_id} already.", visible_to="nobody")
    if conversation.state == "Closed":
        raise Refused("state", f"Conversation {conversation_id} is closed.", "Reopen it first.")
    if former and not take_over:
        raise await _taken(dixa, conversation)
    try:
        await _acts.act(
            dixa,
            at("/conversations/{id}/claim", id=conversation_id),
            {"agentId": to.id, "force": take_over},
            conversation_id,
            lambda now: now.assignment is not None and now.assignment.agent_id == to.id,
        )
    except Conflict as error:
        # Somebody was faster; say who instead of what Dixa calls it.
        present = await _people.conversation(dixa, conversation_id)
        if present.assignment and present.assignment.agent_id:
            raise await _taken(dixa, present) from error
        raise
    return await _assigned(dixa, conversation, to)


async def _taken(dixa: Dixa, conversation: Conversation) -> Refused:
    name = await _acts.holder(dixa, conversation)
    return Refused(
        "state",
        f"{name[0].upper()}{name[1:]} has conversation {conversation.id}.",
        "take_over=true takes it from them; ask the user first.",
    )


async def _assigned(dixa: Dixa, conversation: Conversation, to: Agent) -> Change:
    former = conversation.assignment.agent_id if conversation.assignment else ""
    queue = conversation.queue.id if conversation.queue else ""
    undo, lost = None, ""
    if former:
        arguments = {"conversation_id": conversation.id, "agent": former, "take_over": True}
        undo = Undo("dixa_assign_conversation", arguments, {"assignee": to.id})
    elif queue:
        back = {"conversation_id": conversation.id, "queue": queue}
        undo = Undo("dixa_transfer_conversation", back, {"assignee": to.id, "queue": queue})
        lost = f"an undo puts it at the end of the queue {await _people.queue_name(dixa, queue)}"
    else:
        lost = "nobody had it and it was in no queue, and Dixa can't just take it from an agent"
    return Change(
        f"Conversation {conversation.id} is with {line(to.name)} now.",
        visible_to="colleagues",
        target=f"conversation {conversation.id}",
        before=await _acts.holder(dixa, conversation),
        after=line(to.name),
        undo=undo,
        cannot_undo=lost,
        warnings=await _absent(dixa, to),
    )


async def _absent(dixa: Dixa, agent: Agent) -> list[str]:
    """Warn when the agent isn't there; silent where that can't be known."""
    try:
        presence = read_all(Presence, await dixa.get(at("/agents/presence")))
    except DixaMcpError:
        return []
    here = next((one for one in presence if one.user_id == agent.id), None)
    return [] if here is None or here.is_working else [f"{line(agent.name)} isn't working at the moment."]
