"""Streamable HTTP: many callers at once, beside a one-tool server on the same SDK."""

import asyncio
import os
import socket
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import httpx2
from load import HEADERS, META, server
from measured import Pairs, Row, cpu, each_in_turn, spread
from stdio import TOKEN
from upstream import upstream

MOST = 50


@asynccontextmanager
async def one_tool() -> AsyncGenerator[tuple[str, int]]:
    """The reference on a port; gives its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("reference.py"))),
        env={**os.environ, "PORT": str(port), "DIXA_API_KEY": TOKEN, "BASE_URL": "http://127.0.0.1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient() as http:
        while True:
            with suppress(httpx2.HTTPError):
                await http.get(address)
                break
            await asyncio.sleep(0.1)
    try:
        yield address, process.pid
    finally:
        process.terminate()
        await process.wait()


class Callers:
    """Callers of one server, each with one call after the other."""

    def __init__(self, address: str, tool: str, arguments: dict[str, Any]) -> None:
        limits = httpx2.Limits(max_connections=MOST, max_keepalive_connections=MOST, keepalive_expiry=2)
        self._http = httpx2.AsyncClient(base_url=address, timeout=120, limits=limits)
        names = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": tool}
        self._headers = {**HEADERS, **names, "authorization": f"Bearer {TOKEN}"}
        self._parameters = {"name": tool, "arguments": arguments, "_meta": META}
        self.at_most = list[float]()
        """Milliseconds of every call while `MOST` called."""
        self.errors = 0

    async def rate(self, callers: int, each: int) -> float:
        """Calls a second with so many callers."""
        began = time.perf_counter()
        taken = await asyncio.gather(*[self._caller(each) for _ in range(callers)])
        if callers == MOST:
            self.at_most += chain.from_iterable(taken)
        return callers * each / (time.perf_counter() - began)

    async def _caller(self, each: int) -> list[float]:
        taken = list[float]()
        for number in range(each):
            body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": self._parameters}
            began = time.perf_counter()
            answer = await self._http.post("/mcp", json=body, headers=self._headers)
            taken.append((time.perf_counter() - began) * 1000)
            self.errors += answer.status_code != 200 or '"isError":true' in answer.text
        return taken

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def rows(each: int) -> list[Row]:
    """Calls that need no request of ours, so that no pace is what is measured."""
    async with upstream() as base, server(base) as (address, pid), one_tool() as (reference, other):
        us = Callers(address, "dixa_lookup", {"kind": "queues"})
        them = Callers(reference, "get", {"path": ""})
        spent: dict[int, list[float]] = {pid: [], other: []}

        async def rate(callers: Callers, process: int, at_once: int) -> float:
            before = cpu(process)
            found = await callers.rate(at_once, each)
            if at_once == MOST:
                spent[process].append((cpu(process) - before) / (at_once * each) * 1000)
            return found

        steps = [partial(rate, us, pid, at_once) for at_once in (1, 10, 25, MOST)]
        *fewer, ours, theirs = await each_in_turn([*steps, partial(rate, them, other, MOST)], 5)
        taken, errors = us.at_most, us.errors
        await us.aclose()
        await them.aclose()
    beside = Pairs(ours, theirs)
    mine, others = (statistics.median(values[1:]) for values in spent.values())
    rates = {at_once: statistics.median(found) for at_once, found in zip((1, 10, 25), fewer, strict=True)}
    found = statistics.median(ours)
    best = max(found, *rates.values())
    middle, last = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    words = f"HTTP, {MOST} callers at once"
    listed = ", ".join(f"{at_once}: {value:.0f}" for at_once, value in rates.items())
    one = "a one-tool server that answers at once"
    return [
        Row(
            f"{words}: calls a second, {errors} errors",
            found,
            "/s",
            "≥ 0.9 × the best",
            found >= 0.9 * best and not errors,
            best,
            f"the best of {listed}, {MOST}: {found:.0f}",
            found / best,
            spread(ours, 0),
        ),
        Row(f"{words}: 99th percentile", last, "ms", "≤ 3 ×", last <= 3 * middle, middle, "the median", last / middle),
        Row(
            f"{words}: beside the SDK",
            found,
            "/s",
            "≥ 0.8 ×",
            beside.ratio >= 0.8,
            statistics.median(theirs),
            one,
            beside.ratio,
            spread(ours, 0),
        ),
        Row(
            f"{words}: processor time of one", mine, "ms", "≤ 1.25 ×", mine <= 1.25 * others, others, one, mine / others
        ),
    ]
