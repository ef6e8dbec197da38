"""Who is there now."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import Agent, Presence, QueueMember, TeamMember
from dixa_mcp.errors import Unresolved
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.workforce import AgentState, AgentStates
from dixa_mcp.text.names import pick
from dixa_mcp.text.times import shown
from dixa_mcp.toolbox import Effect, tool

CHANNELS: dict[str, tuple[str, ...]] = {
    "Email": ("mail",),
    "ContactForm": ("contact form", "form"),
    "WidgetChat": ("chat", "widget chat"),
    "Messenger": ("dixa messenger",),
    "PstnPhone": ("phone", "call", "telephone", "voice"),
    "Callback": (),
    "Voicemail": (),
    "Sms": (),
    "WhatsApp": (),
    "FacebookMessenger": ("facebook",),
    "Twitter": ("x",),
}
"""A channel as presence calls it → what else people call it (notes §7)."""


@tool(Effect.READ)
async def list_agents(
    call: Call,
    team: str = "",
    queue: str = "",
    channel: Annotated[str, Field(description="Taken now: email, chat, phone …")] = "",
    working: Annotated[bool, Field(description="Only who can take conversations now")] = False,
) -> AgentStates:
    """List agents with presence and channels: who is there now, by team, queue or channel."""
    dixa = call.dixa
    agents = list(await dixa.catalogue.agents())
    present = await presences(dixa)
    asked: list[str] = []
    wanted: set[str] = {agent.id for agent in agents}
    priorities: dict[str, int | None] = {}
    if team:
        found = await dixa.catalogue.find("team", team)
        asked.append(f"team {found.name}")
        wanted &= {each.id for each in read_all(TeamMember, await dixa.get(at("/teams/{id}/agents", id=found.id)))}
    if queue:
        line_ = await dixa.catalogue.find("queue", queue)
        asked.append(f"queue {line_.name}")
        members = await members_of(dixa, line_.id)
        priorities = {member.agent_id: member.priority for member in members}
        wanted &= priorities.keys()
    if channel:
        name = channel_named(channel, [each for one in present.values() for each in one.active_channels])
        asked.append(f"channel {name}")
        wanted &= {one.user_id for one in present.values() if name in one.active_channels}
    if working:
        asked.append("working")
        wanted &= {one.user_id for one in present.values() if one.is_working}
    now, zone = await call.now(), await call.zone()
    chosen = sorted((agent for agent in agents if agent.id in wanted), key=lambda agent: _order(agent, present))
    return AgentStates(
        [_state(agent, present.get(agent.id), priorities.get(agent.id), now, zone) for agent in chosen],
        asked,
        len(agents),
    )


async def presences(dixa: Dixa) -> dict[str, Presence]:
    """What every agent takes right now, by id (one bare array, notes §5)."""
    return {one.user_id: one for one in read_all(Presence, await dixa.get(at("/agents/presence")))}


async def members_of(dixa: Dixa, queue_id: str) -> list[QueueMember]:
    """The agents of a queue."""
    return read_all(QueueMember, await dixa.get(at("/queues/{id}/members", id=queue_id)))


def channel_named(text: str, active: Iterable[str]) -> str:
    """Find a channel as presence calls it; one that only Dixa knows is found if somebody takes it now.

    Raises:
        Unresolved: Nothing, or several channels, are called so.
    """
    known = CHANNELS | {name: () for name in active if name not in CHANNELS}
    match = pick(text, list(known), lambda name: (name, *known[name]))
    if match.one is None:
        raise Unresolved("channel", text, match.several or list(known), ambiguous=bool(match.several))
    return match.one


def _order(agent: Agent, present: dict[str, Presence]) -> tuple[int, str]:
    one = present.get(agent.id)
    rank = 3 if one is None else 0 if one.is_working else 1 if one.connection_status == "Online" else 2
    return rank, agent.name.casefold()


def _state(agent: Agent, one: Presence | None, priority: int | None, now: datetime, zone: ZoneInfo) -> AgentState:
    note = f"priority {priority}" if priority is not None else ""
    if one is None:
        return AgentState(agent.name, agent.email, "unknown", note=note)
    if one.is_working:
        return AgentState(agent.name, agent.email, "working", one.active_channels, note)
    if one.connection_status == "Online":
        state = one.presence_status.casefold() or "online, presence unknown"
        return AgentState(agent.name, agent.email, state, one.active_channels, note)
    since = f", last seen {shown(one.last_seen, zone, now)}" if one.last_seen else ""
    return AgentState(agent.name, agent.email, f"offline{since}", (), note)
