"""Who belongs to queues and teams, and what agents are offered."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import Path, at
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.wire import outcomes
from dixa_mcp.client.workspace import Agent, Presence, Queue, QueueMember, Team, TeamMember
from dixa_mcp.errors import DixaMcpError, InvalidArgument
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools._doubt import not_done, settled
from dixa_mcp.tools._params import AgentName

AT_ONCE = 10
"""Agents Dixa takes in one call (notes §17)."""
GROUPS = {
    "Email": ("Email", "ContactForm"),
    "InteractiveChat": ("WidgetChat", "Messenger"),
    "Messaging": ("WhatsApp", "FacebookMessenger", "Twitter", "Sms"),
    "Speak": ("PstnPhone", "Callback", "Voicemail"),
}
"""Working channel → the channels of a presence that belong to it; the contract names the groups only (notes §15)."""

Agents = Annotated[list[str] | None, Field(description="Agents")]


@tool(Effect.INTERNAL, touches="", idempotent=True)
async def manage_members(
    call: Call, queue: str = "", team: str = "", add: Agents = None, remove: list[str] | None = None
) -> Change:
    """Add agents to a queue or team, or remove them. Changes what they are offered."""
    if bool(queue) == bool(team) or not (add or remove):
        raise InvalidArgument("Name one queue or one team, and agents to add or to remove.")
    find = call.dixa.catalogue.find
    place: Queue | Team = await find("queue", queue) if queue else await find("team", team)
    coming = {agent.id: agent for agent in [await find("agent", name) for name in add or ()]}
    leaving = {agent.id: agent for agent in [await find("agent", name) for name in remove or ()]}
    if both := [agent.name for agent in coming.values() if agent.id in leaving]:
        raise InvalidArgument(f"{', '.join(both)} can't be both added and removed.")
    kind: Literal["queue", "team"] = "queue" if queue else "team"
    before = await member_ids(call.dixa, kind, place.id)
    coming = {key: agent for key, agent in coming.items() if key not in before}
    leaving = {key: agent for key, agent in leaving.items() if key in before}
    failed = await _send(call.dixa, "PATCH", kind, place.id, list(coming.values()))
    failed |= await _send(call.dixa, "DELETE", kind, place.id, list(leaving.values()))
    failed = await _looked_up(call.dixa, kind, place.id, coming.keys(), failed)
    if failed and len(failed) == len(coming) + len(leaving):
        raise min(failed.values(), key=lambda error: error.changed is not None)
    added = [agent for agent in coming.values() if agent.id not in failed]
    removed = [agent for agent in leaving.values() if agent.id not in failed]
    return _members(
        kind,
        place,
        added,
        removed,
        [f"{_name(each, coming | leaving)} {not_done(e)} changed: {e.what}" for each, e in failed.items()],
    )


async def member_ids(dixa: Dixa, kind: str, place: str) -> set[str]:
    """Who is in a queue or team now."""
    data = await dixa.get(_path(kind, place))
    if kind == "queue":
        return {member.agent_id for member in read_all(QueueMember, data)}
    return {member.id for member in read_all(TeamMember, data)}


def _path(kind: str, place: str) -> Path:
    return at("/queues/{id}/members" if kind == "queue" else "/teams/{id}/agents", id=place)


async def _send(dixa: Dixa, method: str, kind: str, place: str, agents: Sequence[Agent]) -> dict[str, DixaMcpError]:
    """Add or remove, ten at a time; returns what failed, by agent id. A failed call doesn't stop the next."""
    failed: dict[str, DixaMcpError] = {}
    for start in range(0, len(agents), AT_ONCE):
        ids = [agent.id for agent in agents[start : start + AT_ONCE]]
        try:
            reply = await dixa.send(method, _path(kind, place), {"agentIds": ids})
        except DixaMcpError as error:
            failed |= dict.fromkeys(ids, error)
            continue
        judged = outcomes(reply.data)  # a queue judges each; a team takes all or none (notes §17)
        failed |= {str(each.data): DixaMcpError(each.error) for each in judged if not each.ok}
    return failed


async def _looked_up(
    dixa: Dixa, kind: str, place: str, coming: Collection[str], failed: dict[str, DixaMcpError]
) -> dict[str, DixaMcpError]:
    """What really failed, by agent id: whose answer was lost is looked up; who can't be stays in doubt."""
    if all(error.changed is not None for error in failed.values()):
        return failed
    try:
        now = await member_ids(dixa, kind, place)
    except DixaMcpError:
        return failed
    left: dict[str, DixaMcpError] = {}
    for each, error in failed.items():
        if error.changed is not None:
            left[each] = error
        elif (each in now) != (each in coming):
            left[each] = DixaMcpError(error.what)
    return left


def _members(kind: str, place: Queue | Team, added: list[Agent], removed: list[Agent], warnings: list[str]) -> Change:
    name = line(place.name)
    done = [f"{words}: {_names(agents)}" for words, agents in (("added", added), ("removed", removed)) if agents]
    if not done:
        return Change(f"The {kind} {name} has these members already.", visible_to="nobody", warnings=warnings)
    inverse: dict[str, Any] = {kind: place.id, "add": [a.id for a in removed], "remove": [a.id for a in added]}
    wrote = {agent.id: "member" for agent in added} | dict.fromkeys((agent.id for agent in removed), None)
    return Change(
        f"{kind.capitalize()} {name}, {'; '.join(done)}.",
        visible_to="colleagues",
        target=f"{kind} {place.name}",
        undo=Undo("dixa_manage_members", inverse, {"members": wrote}),
        cannot_undo="their priority in the queue is lost" if removed and kind == "queue" else "",
        warnings=warnings,
    )


def _names(agents: list[Agent]) -> str:
    return ", ".join(line(agent.name, 60) for agent in agents)


def _name(agent_id: str, known: dict[str, Agent]) -> str:
    return line(known[agent_id].name, 60) if agent_id in known else "an agent"


@tool(Effect.INTERNAL, touches="", idempotent=True)
async def set_presence(
    call: Call, agent: AgentName, channel: Literal["Email", "InteractiveChat", "Messaging", "Speak"], working: bool
) -> Change:
    """Start or stop offering an agent the work of a channel group. Changes what the person gets; ask them first."""
    who = await call.dixa.catalogue.find("agent", agent)
    before = await presence(call.dixa, who.id)
    if (channel in groups(before)) == working:
        return Change(f"{line(who.name)} {_offered(working)} {channel} already.", visible_to="nobody")
    body = {"channel": channel, "working": working}
    try:
        await call.dixa.send("PUT", at("/agents/{id}/presence/working-channel", id=who.id), body)
    except DixaMcpError as error:
        await settled(error, lambda: _is_offered(call.dixa, who.id, channel, working))
    inverse = {"agent": who.id, "channel": channel, "working": not working}
    warnings = [] if before.connection_status == "Online" else [f"{line(who.name)} is offline at the moment."]
    try:
        after = ", ".join((await presence(call.dixa, who.id)).active_channels)
    except DixaMcpError as error:
        after = ""
        warnings.append(f"It was set, but the channels could not be read again: {error.what}")
    return Change(
        f"{line(who.name)} {_offered(working)} {channel} now.",
        visible_to="colleagues",
        target=f"agent {who.name}",
        before=", ".join(before.active_channels),
        after=after,
        undo=Undo("dixa_set_presence", inverse, {"presence": {channel: "working" if working else None}}),
        cannot_undo=f"an undo switches all of {', '.join(GROUPS[channel])}, whichever were on",
        warnings=warnings,
    )


async def _is_offered(dixa: Dixa, agent_id: str, channel: str, working: bool) -> bool | None:
    return True if (channel in groups(await presence(dixa, agent_id))) == working else None


def groups(now: Presence) -> list[str]:
    """The channel groups an agent works in: those with any active channel."""
    return [name for name, channels in GROUPS.items() if set(channels) & set(now.active_channels)]


async def presence(dixa: Dixa, agent_id: str) -> Presence:
    """Read what an agent takes right now."""
    return read(Presence, await dixa.get(at("/agents/{id}/presence", id=agent_id)))


def _offered(working: bool) -> str:
    return "is offered" if working else "isn't offered"
