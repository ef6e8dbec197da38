"""How the queues are doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation, SearchHit
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.workspace import (
    Agent,
    OpenStatus,
    Presence,
    Queue,
    QueueAvailability,
    QueueMember,
    Schedule,
)
from dixa_mcp.errors import ApiError, Conflict, DixaMcpError
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.workforce import QueueState, QueueStates
from dixa_mcp.text.clean import line
from dixa_mcp.text.times import ago, shown
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools import _people
from dixa_mcp.tools._params import QueueName
from dixa_mcp.tools.workforce.presence import members_of, presences

COUNTED = 50
"""Dixa tells no totals: one page of a search is counted, and what is beyond it is a plus (notes §6)."""
OLDEST = 3
"""Of the conversations that wait, the ones with the lowest numbers are read for the longest wait."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits in a queue: their numbers, and whether there are more."""

    ids: list[int]
    more: bool

    @property
    def shown(self) -> str:
        """`7`, or `50+`."""
        return f"{len(self.ids)}{'+' * self.more}"


@tool(Effect.READ)
async def get_queue_status(call: Call, queue: QueueName = "") -> QueueStates:
    """Show who works, how many wait and whether it is open: one queue, or all."""
    dixa = call.dixa
    queues: Sequence[Queue] = [await dixa.catalogue.find("queue", queue)] if queue else await dixa.catalogue.queues()
    reads: dict[str, Any] = {"presence": partial(presences, dixa), "business hours": partial(_hours, call)}
    for each in queues:
        reads[f"members of {each.id}"] = partial(members_of, dixa, each.id)
        reads[f"waiting in {each.id}"] = partial(_waiting, dixa, each.id)
    if queue:
        reads["details"] = partial(_details, call, queues[0])
    told = partial(_told, call) if len(reads) > 12 else None
    found: dict[str, Any] = dict(zip(reads, await dixa.all(reads.values(), progress=told), strict=True))
    failed = {name: part for name, part in found.items() if isinstance(part, DixaMcpError)}
    if len(failed) == len(found):
        raise next(iter(failed.values()))
    good = {name: part for name, part in found.items() if name not in failed}
    agents = await _people.agents(dixa)
    states = [_state(each, good, agents) for each in queues]
    if queue:
        waiting: Waiting | None = good.get(f"waiting in {queues[0].id}")
        states[0].facts.extend([*good.get("details", []), *await _longest(call, waiting)])
    names = {each.id: each.name for each in queues}  # two queues may share a name, so ids are the keys
    missing = [f"{_titled(key, names)} ({_why(part)})" for key, part in failed.items()]
    return QueueStates(states, good.get("business hours", []), missing)


def _titled(key: str, names: Mapping[str, str]) -> str:
    """What was read, by the name of its queue."""
    what, _, queue = key.rpartition(" ")
    return f"{what} {line(names[queue], 60)}" if queue in names else key


def _state(queue: Queue, good: Mapping[str, Any], agents: Mapping[str, Agent]) -> QueueState:
    members: list[QueueMember] | None = good.get(f"members of {queue.id}")
    present: dict[str, Presence] | None = good.get("presence")
    waiting: Waiting | None = good.get(f"waiting in {queue.id}")
    working: list[str] | None = None
    if members is not None and present is not None:
        there = [each.agent_id for each in members if each.agent_id in present and present[each.agent_id].is_working]
        working = [agents[each].name if each in agents else "somebody" for each in there]
    return QueueState(
        name=queue.name,
        members=None if members is None else len(members),
        working=working,
        waiting=waiting.shown if waiting else None,
        is_default=queue.is_default,
    )


async def _waiting(dixa: Dixa, queue_id: str) -> Waiting:
    conditions = [
        {"field": {"_type": "Status", "operator": {"_type": "IsOneOf", "values": ["open"]}}},
        {"field": {"_type": "QueueId", "operator": {"_type": "IsOneOf", "values": [queue_id]}}},
        {"field": {"_type": "AgentId", "operator": {"_type": "IsEmpty"}}},
    ]
    body = {"filters": {"strategy": "All", "conditions": conditions}}
    page = await dixa.page(at("/search/conversations"), limit=COUNTED, body=body)
    return Waiting([hit.id for hit in read_all(SearchHit, page.items)], page.next_key is not None)


async def _longest(call: Call, waiting: Waiting | None) -> list[str]:
    """The longest wait, by the lowest numbers: they were the first to be made, though not always to be queued."""
    if waiting is None or not waiting.ids:
        return []
    oldest = sorted(waiting.ids)[:OLDEST]
    found = await call.dixa.all([partial(_people.conversation, call.dixa, each) for each in oldest])
    queued = [
        (each.queue.queued_at, each.id)
        for each in found
        if isinstance(each, Conversation) and each.queue and each.queue.queued_at
    ]
    if not queued:
        return []
    since, number = min(queued)
    words = "Longest wait" if len(waiting.ids) <= OLDEST else "Longest wait, of the oldest"
    return [f"{words}: {number}, queued {ago(since, await call.now())}"]


async def _details(call: Call, queue: Queue) -> list[str]:
    """What is set for a queue, and whether its bot channels take conversations."""
    facts: list[str] = []
    limits = queue.queue_thresholds
    if "SlaTimeLimit" in limits:
        share = f"{limits['SlaPercentage']} % " if "SlaPercentage" in limits else ""
        facts.append(f"Target: {share}answered within {_span(limits['SlaTimeLimit'])}")
    if "WaitingConversations" in limits:
        facts.append(f"Alarm at {limits['WaitingConversations']} waiting")
    if queue.usages and queue.usages.usages:
        facts.append(f"Fed by {', '.join(line(channel, 30) for channel in queue.usages.usages)}")
    if queue.is_restricted:
        facts.append("Restricted")
    try:
        data = await call.dixa.get(at("/queues/{id}/availability", id=queue.id))
    except Conflict:  # the organisation has no bot channel (notes §17)
        return facts
    except DixaMcpError as error:
        return [*facts, f"Bot channels: not readable now ({_why(error)})"]
    return [*facts, *(_bot(each) for each in read_all(QueueAvailability, data))]


def _bot(outcome: QueueAvailability) -> str:
    if outcome.channel_availability:
        channel = outcome.channel_availability
        size = f", {channel.queue_size} in line" if channel.queue_size is not None else ""
        state = {"Available": "available", "NotAvailable": "not available"}.get(
            channel.availability, line(channel.availability, 30) or "unknown"
        )
        return f"Bot channel {line(channel.generic_channel_name, 40)}: {state}{size}"
    error = outcome.error
    return f"Bot channel {line(error.channel, 40)}: {line(error.message, 120)}" if error else "Bot channel: unknown"


async def _hours(call: Call) -> list[str]:
    """Each schedule: open until when, or closed until when."""
    schedules = await call.dixa.catalogue.schedules()
    now, zone = await call.now(), await call.zone()

    async def status(schedule: Schedule) -> str:
        found = read(OpenStatus, await call.dixa.get(at("/business-hours/schedules/{id}/status", id=schedule.id)))
        then = found.closes_at if found.is_open else found.opens_at
        until = f" until {shown(then, zone, now)}" if then else ""
        return f"{line(schedule.name, 60)} {'open' if found.is_open else 'closed'}{until}"

    states = await call.dixa.all([partial(status, schedule) for schedule in schedules])
    return [
        state if isinstance(state, str) else f"{line(schedule.name, 60)} unknown"
        for schedule, state in zip(schedules, states, strict=True)
    ]


def _span(seconds: int) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds} s"


def _why(error: DixaMcpError) -> str:
    return f"{error.title}, {error.status}" if isinstance(error, ApiError) else error.what


async def _told(call: Call, done: int, of: int) -> None:
    await call.progress(done, of, "queues read")
