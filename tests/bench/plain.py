"""The client alone, beside bare httpx, over the same loopback."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import httpx
from measured import Row, in_turn, spread
from pydantic import SecretStr
from stdio import TOKEN
from upstream import upstream

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.paths import at

EACH = 200


async def _run(get: Callable[[], Awaitable[object]], at_once: int) -> tuple[float, float]:
    """Seconds and processor seconds of so many requests."""

    async def worker() -> None:
        for _ in range(EACH // at_once):
            await get()

    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*[worker() for _ in range(at_once)])
    return time.perf_counter() - began, time.process_time() - spent


async def rows(rounds: int) -> list[Row]:
    """One after the other, and twenty at once."""
    made = list[Row]()
    async with upstream() as base, httpx.AsyncClient(base_url=base, headers={"Authorization": TOKEN}) as http:
        dixa = Dixa(SecretStr(TOKEN), base_url=base, pace=Pace(None))

        async def ours() -> object:
            return await dixa.get(at("/conversations/{id}", id=10401))

        async def bare() -> object:
            return (await http.get("/conversations/10401")).json()["data"]

        for at_once in (1, 20):
            spent: list[list[float]] = [[], []]

            async def one(which: int, get: Callable[[], Awaitable[object]], at_once: int = at_once) -> float:
                wall, processor = await _run(get, at_once)
                spent[which].append(processor / EACH * 1000)  # noqa: B023 - awaited within this round
                return EACH / wall

            pairs = await in_turn(lambda: one(0, ours), lambda: one(1, bare), rounds)
            words = f"The client alone, {at_once} at once"
            made.append(
                Row(
                    f"{words}: requests a second",
                    statistics.median(pairs.ours),
                    "/s",
                    reference=statistics.median(pairs.reference),
                    against="bare httpx",
                    ratio=pairs.ratio,
                    spread=spread(pairs.ours, 0),
                )
            )
            mine, theirs = (statistics.median(each[1:]) for each in spent)
            made.append(
                Row(f"{words}: processor time of one", mine, "ms", "", None, theirs, "bare httpx", mine / theirs)
            )
        await dixa.aclose()
    return made
