"""What a call costs on stdio, beyond the HTTP request it makes."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
from measured import Pairs, Row, each_in_turn, in_turn, resident, spread
from peer import Peer
from stdio import OURS, REFERENCE, TOKEN, Served, serving
from upstream import upstream

PATH = "/endusers?externalId=C-100231"
APART = 0.11
"""Seconds between two calls: with the server's own pace there is a free turn for each."""


async def _timed(http: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    (await http.get(PATH)).raise_for_status()
    return (time.perf_counter() - began) * 1000


def rested(what: Callable[[], Awaitable[float]]) -> Callable[[], Awaitable[float]]:
    """Wait for a free turn, so that our own pace isn't what is measured."""

    async def after() -> float:
        await asyncio.sleep(APART)
        return await what()

    return after


async def a_get(rounds: int, peer: Peer | None) -> list[Row]:
    """One call that makes one request, beside the same call of the one-tool server and the request alone."""
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(upstream())
        us = await stack.enter_async_context(serving(OURS, base))
        one = await stack.enter_async_context(serving(REFERENCE, base))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=base, headers={"Authorization": TOKEN}))
        await us.open()
        await one.open()
        await us.call("dixa_lookup", kind="schedules")
        what: list[Callable[[], Awaitable[float]]] = [
            lambda: us.timed("dixa_find_customers", external_id="C-100231"),
            lambda: one.timed("get", path=PATH),
            lambda: _timed(http),
            lambda: us.timed("dixa_get_activity", conversation_id=10401),
            lambda: us.timed("dixa_get_activity", conversation_id=99999),
        ]
        if peer:
            them = await stack.enter_async_context(serving(peer.command, base))
            await them.open()
            what += [lambda: peer.get.timed(them), lambda: peer.wrong.timed(them)]
        ours, reference, alone, succeeded, failed, *theirs = await each_in_turn(map(rested, what), rounds, warm=3)
    own = [a - c for a, c in zip(ours, alone, strict=True)]
    least = [b - c for b, c in zip(reference, alone, strict=True)]
    ratio = statistics.median(own) / statistics.median(least)
    error = statistics.median(failed) / statistics.median(succeeded)
    peers = ["4.7 ms", "40 × its success"]
    if theirs:
        read, wrong = (statistics.median(each) for each in theirs)
        peers = [f"{read - statistics.median(alone):.1f} ms", f"{wrong / read:.1f} × its success"]
    return [
        Row(
            "A get on stdio, minus the same HTTP call",
            statistics.median(own),
            "ms",
            "≤ 1.3 ×",
            ratio <= 1.3,
            statistics.median(least),
            "a one-tool server that makes it",
            ratio,
            spread(own),
            peers[0],
        ),
        Row(
            "A call that ends in an error of Dixa's",
            statistics.median(failed),
            "ms",
            "≤ 1.2 ×",
            error <= 1.2,
            statistics.median(succeeded),
            "one that succeeds",
            error,
            spread(failed),
            peers[1],
        ),
    ]


async def many(most: int) -> list[Row]:
    """Calls that need no request, one or fifty at once, and the memory after thousands of them."""
    async with upstream() as base, serving(OURS, base, "--budget-read", "unlimited") as us:
        await us.open()
        await us.call("dixa_lookup", kind="tags")
        errors = Pairs([], [])
        for _ in range(100):
            errors.ours.append(await us.timed("dixa_lookup", kind="nonsense"))
            errors.reference.append(await us.timed("dixa_lookup", kind="queues"))

        async def rate(at_once: int) -> float:
            began = time.perf_counter()
            await _flood(us, at_once, 200)
            return 200 / (time.perf_counter() - began)

        rates = {at_once: await in_turn(lambda n=at_once: rate(n), lambda: rate(1), 6) for at_once in (5, 10, 25, 50)}
        before = resident(us.pid)
        await _flood(us, 20, most)
        after = resident(us.pid)
    fifty = rates[50]
    shares = ", ".join(f"{at_once}: {pairs.ratio:.2f} ×" for at_once, pairs in rates.items())
    return [
        Row(
            "A call with arguments that don't fit",
            statistics.median(errors.ours),
            "ms",
            "≤ 1.2 ×",
            errors.ratio <= 1.2,
            statistics.median(errors.reference),
            "one that succeeds",
            errors.ratio,
            spread(errors.ours),
        ),
        Row(
            "Calls a second on stdio, 50 at once",
            statistics.median(fifty.ours),
            "calls/s",
            "≥ 0.9 ×",
            fifty.ratio >= 0.9,
            statistics.median(fifty.reference),
            f"one after the other ({shares})",
            fifty.ratio,
            spread(fifty.ours, 0),
        ),
        Row(
            f"Memory after {most:,} calls",
            after,
            "MiB",
            "± 5 %",
            abs(after / before - 1) <= 0.05,
            before,
            "after the first thousands",
            after / before,
        ),
    ]


async def _flood(served: Served, at_once: int, calls: int) -> None:
    """Make calls of several kinds, failing ones among them."""
    kinds = (
        ("dixa_lookup", {"kind": "tags"}),
        ("dixa_list_changes", {}),
        ("dixa_get_thread", {"conversation_id": "nonsense"}),
        ("dixa_status", {}),
    )

    async def worker(first: int) -> None:
        for number in range(first, calls, at_once):
            name, arguments = kinds[number % len(kinds)]
            await served.call(name, **arguments)

    await asyncio.gather(*[worker(first) for first in range(at_once)])


async def rows(rounds: int, most: int, peer: Peer | None) -> list[Row]:
    """All of them."""
    return [*await a_get(rounds, peer), *await many(most)]
