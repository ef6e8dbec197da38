"""Streamable HTTP: many callers at once, beside a one-tool server on the same SDK."""

import asyncio
import os
import socket
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
from load import HEADERS, META, server
from measured import Row, spread
from stdio import TOKEN
from upstream import upstream

MOST = 50


@asynccontextmanager
async def one_tool() -> AsyncGenerator[str]:
    """The reference on a port."""
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
        yield address
    finally:
        process.terminate()
        await process.wait()


class Callers:
    """Callers of one server, each with one call after the other."""

    def __init__(self, address: str, tool: str, arguments: dict[str, Any]) -> None:
        limits = httpx2.Limits(max_connections=MOST, max_keepalive_connections=MOST)
        self._http = httpx2.AsyncClient(base_url=address, timeout=120, limits=limits)
        names = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": tool}
        self._headers = {**HEADERS, **names, "authorization": f"Bearer {TOKEN}"}
        self._parameters = {"name": tool, "arguments": arguments, "_meta": META}
        self.taken = list[float]()
        self.errors = 0

    async def rate(self, callers: int, each: int) -> float:
        """Calls a second with so many callers."""
        self.taken.clear()
        began = time.perf_counter()
        await asyncio.gather(*[self._caller(each) for _ in range(callers)])
        return callers * each / (time.perf_counter() - began)

    async def _caller(self, each: int) -> None:
        for number in range(each):
            body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": self._parameters}
            began = time.perf_counter()
            answer = await self._http.post("/mcp", json=body, headers=self._headers)
            self.taken.append((time.perf_counter() - began) * 1000)
            self.errors += answer.status_code != 200 or '"isError":true' in answer.text

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def rows(each: int) -> list[Row]:
    """Calls that need no request of ours, so that no pace is what is measured."""
    async with upstream() as base, server(base) as (address, _), one_tool() as reference:
        us = Callers(address, "dixa_lookup", {"kind": "queues"})
        them = Callers(reference, "get", {"path": ""})
        await us.rate(10, each)
        await them.rate(10, each)
        us.errors = 0
        rates = {callers: await us.rate(callers, each) for callers in (1, 10, 25)}
        ours, theirs = list[float](), list[float]()
        for _ in range(5):
            ours.append(await us.rate(MOST, each))
            theirs.append(await them.rate(MOST, each))
        taken = list(us.taken)
        errors = us.errors
        await us.aclose()
        await them.aclose()
    rate = statistics.median(ours)
    best = max(rate, *rates.values())
    middle, last = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    share = rate / statistics.median(theirs)
    words = f"HTTP, {MOST} callers at once"
    others = ", ".join(f"{callers}: {each:.0f}" for callers, each in rates.items())
    return [
        Row(
            f"{words}: calls a second, {errors} errors",
            rate,
            "/s",
            "≥ 0.9 × the best",
            rate >= 0.9 * best and not errors,
            best,
            f"the best of {others}, {MOST}: {rate:.0f}",
            rate / best,
            spread(ours, 0),
        ),
        Row(f"{words}: 99th percentile", last, "ms", "≤ 3 ×", last <= 3 * middle, middle, "the median", last / middle),
        Row(
            f"{words}: beside the SDK",
            rate,
            "/s",
            "≥ 0.8 ×",
            share >= 0.8,
            statistics.median(theirs),
            "a one-tool server that answers at once",
            share,
        ),
    ]
