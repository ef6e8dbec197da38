"""What grows with the organisation, and what must not."""

import statistics
import time
from collections.abc import Awaitable, Callable

from measured import Row, spread
from pydantic import SecretStr

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.paths import at
from dixa_mcp.errors import Unresolved
from dixa_mcp.sandbox import Sandbox, transport


def organisation(tags: int, agents: int, scale: int) -> Sandbox:
    """An organisation of these sizes."""
    sandbox = Sandbox(scale=scale)
    org = sandbox.organisation
    for number in range(tags - len(org.tags)):
        one = org.new_id()
        org.tags[one] = {"id": one, "name": f"campaign-{number} spring", "color": "#2980B9", "state": "Active"}
    pattern = next(iter(org.agents.values()))
    for number in range(agents - len(org.agents)):
        one = org.new_id()
        name = {"firstName": f"Robin {number}", "lastName": "Berg", "displayName": f"Robin {number} Berg"}
        org.agents[one] = pattern | name | {"id": one, "email": f"robin.{number}@example.com"}
    return sandbox


async def _each(what: Callable[[], Awaitable[object]], times: int) -> list[float]:
    taken = list[float]()
    for _ in range(times + 1):
        began = time.perf_counter()
        await what()
        taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]


async def _costs(sandbox: Sandbox) -> dict[str, list[float]]:
    dixa = Dixa(SecretStr("sandbox-admin-token"), transport=transport(sandbox), pace=Pace(None))
    find = dixa.catalogue.find

    async def missed() -> None:
        try:
            await find("tag", "qwertz unheard of")
        except Unresolved:
            return
        raise AssertionError("there is no such tag")

    costs = {
        "A tag by name": await _each(lambda: find("tag", "REFUND"), 500),
        "An agent by name": await _each(lambda: find("agent", "mia lindqvist"), 500),
        "A name that no tag has": await _each(missed, 10),
        "A conversation by number": await _each(lambda: dixa.get(at("/conversations/{id}", id=10401)), 300),
    }
    await dixa.aclose()
    return costs


async def rows(large: int) -> list[Row]:
    """A small organisation beside a large one."""
    small, grown = await _costs(organisation(10, 10, 100)), await _costs(organisation(5000, 5000, large))
    sizes = f"5,000 tags and agents, {large:,} conversations"
    made = list[Row]()
    for title, taken in grown.items():
        ours, before = statistics.median(taken), statistics.median(small[title])
        missed = title.startswith("A name")
        target, met = ("≤ 100 ms", ours <= 100) if missed else ("flat", ours <= 1.5 * before)
        against = "in one of 10 and 100"
        made.append(Row(f"{title}, {sizes}", ours, "ms", target, met, before, against, ours / before, spread(taken, 3)))
    return made
