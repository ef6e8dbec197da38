"""How much may be done in an hour. Counters live in `State`, so that replicas share them."""

from contextlib import suppress
from dataclasses import dataclass, replace

from dixa_mcp.errors import DixaMcpError, Refused, StateUnavailable
from dixa_mcp.guardrails.call import Call
from dixa_mcp.settings import Settings, flag
from dixa_mcp.state import MemoryState, Reservation
from dixa_mcp.toolbox import Effect

_ALONE = MemoryState()
HOUR = 3600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter that a call draws on."""

    title: str
    key: str
    limit: int
    window: float
    setting: str = ""
    amount: int = 1
    """How much of it this call takes: a bulk counts each of its things."""


def counters(call: Call) -> list[Counter]:
    """The counters a call draws on, by its effect and by whether a person agreed."""
    caller = f"{call.caller.tenant}:{call.caller.name}"
    settings = call.settings
    actual = call.inner or call
    aim = actual.tool.aim_of(actual.arguments)
    drawn: list[Counter] = []

    def draw(title: str, key: str, setting: str) -> None:
        limit: int | None = getattr(settings, setting)
        if limit is not None:
            drawn.append(Counter(title, key, limit, HOUR, setting, aim.amount))

    if call.effect is Effect.READ:
        return []
    if call.effect is Effect.INTERNAL:
        draw("internal changes", f"budget:internal:{caller}", "budget_internal")
    elif call.approved:
        draw("actions a person approved", f"budget:approved:{caller}", "budget_approved")
    else:
        draw("actions that reach customers", f"budget:customer:{call.caller.tenant}", "budget_customer")
        for conversation in aim.conversations if settings.budget_customer else ():
            key = f"budget:conversation:{call.caller.tenant}:{conversation}"
            drawn.append(Counter("messages to this conversation", key, 1, MINUTE, amount=1))
    if call.effect is Effect.IRREVERSIBLE:
        draw("irreversible actions", f"budget:irreversible:{caller}", "budget_irreversible")
    return drawn


async def check(call: Call) -> None:
    """Look whether the call would find room, as if a person agreed; draws nothing.

    Raises:
        Refused: As `reserve`.
    """
    for counter in counters(replace(call, approved=True)):
        said = await call.state.reserve(counter.key, 0, counter.limit, counter.window)
        if said.used + counter.amount > counter.limit:
            raise exhausted(counter, said)


async def reserve(call: Call) -> list[Counter]:
    """Draw on every counter of the call, or on none.

    Raises:
        Refused: Which is exhausted, its limit, its use, and when it starts anew.
        StateUnavailable: The use can't be counted.
    """
    held: list[Counter] = []
    try:
        for counter in counters(call):
            said = await call.state.reserve(counter.key, counter.amount, counter.limit, counter.window)
            if not said.granted:
                raise exhausted(counter, said)
            held.append(counter)
    except DixaMcpError:
        with suppress(StateUnavailable):
            await release(call, held)
        raise
    return held


async def release(call: Call, held: list[Counter]) -> None:
    """Give back what was drawn for a call that proved to change nothing."""
    for counter in held:
        await call.state.release(counter.key, counter.amount)


async def read_records(call: Call, count: int) -> None:
    """Count personal records that are about to be shown.

    Raises:
        Refused: The caller has read its share of this hour.
    """
    limit = call.settings.budget_read
    if limit is None or count == 0:
        return
    key = f"budget:read:{call.caller.tenant}:{call.caller.name}"
    try:
        said = await call.state.reserve(key, count, limit, HOUR)
    except StateUnavailable:  # reads go on without the shared state, counted by each replica for itself
        said = await _ALONE.reserve(key, count, limit, HOUR)
    if not said.granted:
        raise exhausted(Counter("personal records read", key, limit, HOUR, "budget_read"), said)


def exhausted(counter: Counter, said: Reservation) -> Refused:
    """The refusal of a counter that has no room: which, limit, used, when it starts anew."""
    minutes = max(1, round(said.resets_in / MINUTE))
    wait = f"{round(said.resets_in)} s" if said.resets_in < 2 * MINUTE else f"{minutes} min"
    setting = f", {flag(counter.setting)}" if counter.setting else ""
    short = f"is too small for {counter.amount} more" if counter.amount > 1 else "is used up"
    return Refused(
        "budget",
        f"The budget for {counter.title} {short}: {said.used} of {counter.limit} used{setting}.",
        f"It starts anew in {wait}.",
    )


async def left(settings: Settings, call: Call) -> dict[str, str]:
    """What is left of each budget, for `dixa_status`."""
    caller = f"{call.caller.tenant}:{call.caller.name}"
    shown: dict[str, str] = {}
    irreversible = ("irreversible", f"budget:irreversible:{caller}", "budget_irreversible")
    for title, key, setting in (
        ("approved by a person", f"budget:approved:{caller}", "budget_approved"),
        ("to customers without a person", f"budget:customer:{call.caller.tenant}", "budget_customer"),
        ("internal changes", f"budget:internal:{caller}", "budget_internal"),
        *([irreversible] if settings.allow_irreversible else []),
        ("personal records", f"budget:read:{caller}", "budget_read"),
    ):
        limit: int | None = getattr(settings, setting)
        if limit is None:
            shown[title] = "unlimited"
        else:
            try:
                said = await call.state.reserve(key, 0, limit, HOUR)
            except StateUnavailable:
                shown[title] = f"unknown of {limit}"
            else:
                shown[title] = f"{limit - said.used} of {limit}"
    return shown
