"""Queues and agents as text."""

from dataclasses import dataclass, field

from dixa_mcp.render import View, fit, render
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue at this moment. None means that it could not be read."""

    name: str
    members: int | None
    working: list[str] | None
    """Names of members who can take conversations now."""
    waiting: str | None
    """How many wait for an agent: `7`, or `50+`."""
    is_default: bool = False
    facts: list[str] = field(default_factory=list[str])
    """More about it, one short line each, when it is the only one asked for."""


@dataclass(frozen=True, slots=True)
class QueueStates:
    """The queues that were asked for."""

    queues: list[QueueState]
    hours: list[str]
    """Which business hours are open, one schedule each."""
    missing: list[str] = field(default_factory=list[str])
    """Parts that could not be read, and why."""


@dataclass(frozen=True, slots=True)
class AgentState:
    """One agent at this moment."""

    name: str
    email: str
    state: str
    """`working`, `away`, `offline`, `unknown`, with since when where that is known."""
    channels: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class AgentStates:
    """The agents that were asked for, those who work first."""

    agents: list[AgentState]
    asked: list[str]
    """The filters in words."""
    of: int
    """How many agents there are."""


@render.register
def _(found: QueueStates, view: View) -> str:
    lines = [f"Not readable now: {part}" for part in found.missing]
    lines += [f"Hours: {'; '.join(found.hours)}"] if found.hours else []
    blocks = [_queue(queue, alone=len(found.queues) == 1) for queue in found.queues]
    if not blocks:
        return "\n".join([*lines, "There are no queues."])
    kept = fit(blocks)
    lines += blocks[:kept]
    if kept < len(blocks):
        lines.append(f"… and {len(blocks) - kept} more queues; name one with queue.")
    return "\n".join(lines)


def _queue(queue: QueueState, *, alone: bool) -> str:
    name = line(queue.name, 60) + " (default)" * queue.is_default
    waiting = f"{queue.waiting} waiting" if queue.waiting is not None else "waiting unknown"
    if queue.working is None:
        there = "who works is unknown"
    elif alone or len(queue.working) <= 3:
        names = ", ".join(line(each, 60) for each in queue.working)
        there = f"{len(queue.working)} of {queue.members} working" + f": {names}" * bool(names)
    else:
        there = f"{len(queue.working)} of {queue.members} working"
    return "\n".join([f"{name}: {waiting}; {there}", *queue.facts])


@render.register
def _(found: AgentStates, view: View) -> str:
    about = f" ({'; '.join(line(each, 80) for each in found.asked)})" if found.asked else ""
    if not found.agents:
        return f"No agents{about}; there are {found.of} in all."
    blocks = [_agent(agent) for agent in found.agents]
    kept = fit(blocks)
    working = sum(agent.state == "working" for agent in found.agents)
    lines = [f"{len(blocks)} agent{'s' * (len(blocks) != 1)}, {working} working{about}"]
    lines += blocks[:kept]
    if kept < len(blocks):
        lines.append(f"… and {len(blocks) - kept} more; narrow with team, queue, channel or working.")
    return "\n".join(lines)


def _agent(agent: AgentState) -> str:
    parts = [line(agent.name, 60)]
    parts += [line(agent.email, 80)] if agent.email and agent.email != agent.name else []
    parts.append(
        agent.state + (f" on {', '.join(line(each, 30) for each in agent.channels)}" if agent.channels else "")
    )
    parts += [agent.note] if agent.note else []
    return " · ".join(parts)
