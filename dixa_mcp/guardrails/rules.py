"""The rules every call must pass, in order. One more rule is one function and its name in `RULES`.

A rule raises `Refused` (or lets a call pass by returning). Rules run before a person is asked and again
before anything is done, so they must not count or keep anything; what does (consent, once, budgets) has
its own module and runs after them.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

from dixa_mcp.client.models import Conversation
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.records import read
from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.text.outgoing import found, host
from dixa_mcp.toolbox import Effect

Rule = Callable[[Call, Policy], Awaitable[None]]


async def switched_on(call: Call, policy: Policy) -> None:
    """Refuse every write while the kill switch's file exists."""
    not_stopped(call)


def not_stopped(call: Call) -> None:
    """Look at the kill switch; a call of many steps does so before each.

    Raises:
        Refused: Its file exists, and the call writes.
    """
    switch = call.settings.kill_switch
    if switch and call.effect > Effect.READ and switch.exists():
        raise Refused("kill_switch", "All writes are stopped here at the moment (kill switch).")


async def within_cap(call: Call, policy: Policy) -> None:
    """Refuse what mode, settings or the caller's rights don't allow."""
    policy.check(call.tool, call.effect, call.caller)


async def by_no_detour(call: Call, policy: Policy) -> None:
    """Refuse what a call does of another tool's work where that tool itself may not run."""
    for use in call.tool.uses:
        if not use.applies(call.arguments, drafting=call.drafting):
            continue
        other = policy.tools[use.tool]
        effect = other.effect_of({use.passes: call.arguments.get(use.parameter)}, call.lowered)
        if reason := policy.why_not_by_the_way(other, effect):
            raise Refused("policy", reason, f"It works without {use.parameter}." if use.parameter else "")


async def agent_is_known(call: Call, policy: Policy) -> None:
    """Refuse early where Dixa would want an agent and none is set."""
    if call.tool.acts_as_agent and call.effect > Effect.READ:
        await call.agent()


async def within_queues(call: Call, policy: Policy) -> None:
    """Keep calls to the conversations, and moves to the queues, that the operator listed.

    A write shows what it writes to, so it must keep to what may be read, too.
    """
    aim = call.tool.aim_of(call.arguments)
    if call.settings.read_queues and aim.conversations:
        await _all_in(call, aim.conversations, call.settings.read_queues)
    names = call.settings.queues
    if not names or call.effect is Effect.READ:
        return
    for target in aim.queues:
        queue = await call.dixa.catalogue.find("queue", target)
        if queue.id not in await _ids(call, names):
            raise Refused("queues", f"The queue {queue.name} is outside the ones allowed here: {', '.join(names)}.")
    if not aim.conversations:
        raise Refused("queues", f"Here only conversations in these queues may be changed: {', '.join(names)}.")
    await _all_in(call, aim.conversations, names)


async def _ids(call: Call, names: Sequence[str]) -> set[str]:
    return {(await call.dixa.catalogue.find("queue", name)).id for name in names}


async def _all_in(call: Call, conversations: Sequence[int | str], names: Sequence[str]) -> None:
    allowed, shown = await _ids(call, names), ", ".join(names)
    paths = [at("/conversations/{id}", id=csid(conversation)) for conversation in conversations]
    for data in await call.dixa.all([partial(call.dixa.get, path) for path in paths]):
        if isinstance(data, DixaMcpError):
            raise data
        conversation = read(Conversation, data)
        if conversation.queue is None or conversation.queue.id not in allowed:
            raise Refused("queues", f"Conversation {conversation.id} is outside the queues allowed here: {shown}.")


async def to_allowed_hosts(call: Call, policy: Policy) -> None:
    """Let data leave only to hosts the operator listed, whoever agrees."""
    if call.effect is not Effect.EGRESS:
        return
    texts = [text for name in call.tool.egress for text in _texts(call.arguments.get(name))]
    if call.tool.leaves is not None:
        texts += await call.tool.leaves(call.given(), **call.arguments)
    hosts = {mention.value.rpartition("@")[2] for text in texts for mention in found(text) if mention.kind != "phone"}
    allowed = [host(name) for name in call.settings.egress_hosts]
    if strange := sorted(h for h in hosts if not any(h == one or h.endswith(f".{one}") for one in allowed)):
        raise Refused(
            "egress_hosts",
            f"Data would go to {', '.join(strange)}, which the operator hasn't listed.",
            "The operator can list hosts with --egress-hosts.",
        )


def _texts(given: Any) -> list[str]:
    if isinstance(given, list):
        return [str(each) for each in cast("list[Any]", given)]
    return [str(given)] if given else []


RULES: tuple[Rule, ...] = (switched_on, within_cap, by_no_detour, agent_is_known, within_queues, to_allowed_hosts)
