"""Many callers at once over HTTP, in both protocol eras: what they meet with, and what it does to the memory.

Run as a script it makes one run and prints it: python tests/bench/load.py [--callers 50] [--calls 20] [--flags "…"].
"""

import argparse
import asyncio
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
from measured import Row, cpu, resident

from dixa_mcp.sandbox import Sandbox, serving

HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "load", "version": "1"}},
}
CALLS = (
    ("dixa_lookup", {"kind": "queues"}),
    ("dixa_find_customers", {"external_id": "C-100231"}),
    ("dixa_lookup", {"kind": "tags"}),
    ("dixa_get_thread", {"conversation_id": 10401}),
)
"""Few requests to Dixa, or its rate would be what is measured: each caller has 10 a second."""
ROUNDS = 5


@asynccontextmanager
async def server(base: str, *flags: str) -> AsyncGenerator[tuple[str, int]]:
    """Run the server; gives its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as state:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dixa_mcp", "--http", f"127.0.0.1:{port}", "--base-url", base, "--no-audit"),
            *("--auth", "dixa-token", "--budget-read", "unlimited", *flags),
            env={**os.environ, "DIXA_MCP_STATE_DIR": state},
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with httpx2.AsyncClient() as http:
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{port}/healthz")
                    break
                except httpx2.HTTPError:
                    await asyncio.sleep(0.1)
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


@dataclass
class Load:
    """What the callers met with."""

    milliseconds: list[float] = field(default_factory=list[float])
    """Of every call that succeeded."""
    refused: list[float] = field(default_factory=list[float])
    """Milliseconds until a refusal, 429 or 503, came."""
    outcomes: Counter[str] = field(default_factory=Counter[str])
    took: float = 0
    processor: float = 0
    """Seconds of processor time of the server."""
    memory: list[float] = field(default_factory=list[float])
    """MiB of the server before, and after each round."""

    @property
    def wrong(self) -> int:
        """Answers that are neither a success nor a refusal."""
        return sum(count for outcome, count in self.outcomes.items() if outcome not in {"200", "429", "503"})

    def percentile(self, hundredth: int) -> float:
        """Milliseconds within which so many in a hundred of the successes came."""
        return statistics.quantiles(self.milliseconds, n=100)[hundredth - 1]

    async def caller(self, http: httpx2.AsyncClient, number: int, calls: int) -> None:
        """Make calls one after the other, every second caller in the older era, with a token of their own."""
        token = {"authorization": f"Bearer caller-{number}"}
        headers = {**HEADERS, **token, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}
        legacy = number % 2 == 1
        if legacy:
            headers = {**HEADERS, **token, "mcp-protocol-version": "2025-11-25"}
            opened = await http.post("/mcp", json=HELLO, headers=headers)
            if opened.status_code != 200:
                self.outcomes[str(opened.status_code)] += 1
                return
            headers["mcp-session-id"] = opened.headers["mcp-session-id"]
        for index in range(calls):
            name, arguments = CALLS[(number + index) % len(CALLS)]
            parameters = {"name": name, "arguments": arguments} | ({} if legacy else {"_meta": META})
            body = {"jsonrpc": "2.0", "id": index + 2, "method": "tools/call", "params": parameters}
            if not legacy:
                headers["mcp-name"] = name
            began = time.perf_counter()
            answer = await http.post("/mcp", json=body, headers=headers)
            took = (time.perf_counter() - began) * 1000
            outcome = "tool error" if '"isError":true' in answer.text else str(answer.status_code)
            self.outcomes[outcome] += 1
            if outcome == "200":
                self.milliseconds.append(took)
            elif outcome in {"429", "503"}:
                self.refused.append(took)
        if legacy:
            await http.delete("/mcp", headers=headers)


async def run(callers: int, calls: int, *flags: str) -> Load:
    """Let so many callers make so many calls each, in rounds, after one in which each makes two."""
    sandbox = Sandbox()
    owner = next(iter(sandbox.organisation.tokens.values()))
    sandbox.organisation.tokens |= {f"caller-{number}": owner for number in range(callers)}
    load = Load()
    async with serving(sandbox) as base, server(base, *flags) as (address, pid):
        # Connections are given up before the server does so, which would look like an error of its own.
        limits = httpx2.Limits(max_connections=64, keepalive_expiry=2)
        pools = [httpx2.AsyncClient(base_url=address, timeout=300, limits=limits) for _ in range(-(-callers // 32))]

        async def together(into: Load, each: int) -> None:
            await asyncio.gather(*[into.caller(pools[n % len(pools)], n, each) for n in range(callers)])

        await together(Load(), 2)
        load.memory.append(resident(pid))
        began, spent = time.perf_counter(), cpu(pid)
        for _ in range(ROUNDS):
            await together(load, calls // ROUNDS)
            load.memory.append(resident(pid))
        load.took, load.processor = time.perf_counter() - began, cpu(pid) - spent
        for pool in pools:
            await pool.aclose()
    return load


async def rows(calls: int) -> list[Row]:
    """Fifty and five hundred callers; five hundred where there is room for fifty."""
    made = list[Row]()
    for callers in (50, 500):
        load = await run(callers, max(ROUNDS, calls // callers))
        total = len(load.milliseconds)
        middle, last = load.percentile(50), load.percentile(99)  # far apart, since the calls are of several kinds
        words = f"{callers} callers, both eras, {total:,} calls over HTTP"
        title = f"{words}, {load.wrong + len(load.refused)} errors: 99th percentile"
        flawless = not load.wrong and not load.refused
        against = f"the median; 95th {load.percentile(95):,.0f} ms, {total / load.took:.0f} calls/s"
        made.append(Row(title, last, "ms", "no error", flawless, middle, against, last / middle))
        # What callers, catalogues and the crowd take is taken by then; from there on nothing may grow.
        settled, after = load.memory[2], load.memory[-1]
        title, flat = f"{words}: memory", abs(after / settled - 1) <= 0.05
        made.append(Row(title, after, "MiB", "± 5 %", flat, settled, "after two fifths of them", after / settled))
    load = await run(500, max(ROUNDS, calls // 1000), "--capacity", "50")
    share = len(load.refused) / load.outcomes.total()
    title = f"500 callers where 50 have room (--capacity): {share:.0%} refused with 503, {load.wrong} errors"
    middle = load.percentile(50)
    refusal = statistics.median(load.refused)
    made.append(
        Row(title, refusal, "ms", "no error", not load.wrong, middle, "a call that is let in", refusal / middle)
    )
    return made


async def by_hand(callers: int, calls: int, flags: list[str]) -> None:
    """Run it once and print the figures."""
    load = await run(callers, calls, *flags)
    say(f"{callers} callers × {calls} calls: {len(load.milliseconds) / load.took:.0f} calls/s, {dict(load.outcomes)}")
    if len(load.milliseconds) > 1:
        say(f"  p50 {load.percentile(50):.0f} ms, p95 {load.percentile(95):.0f} ms, p99 {load.percentile(99):.0f} ms")
    if load.refused:
        say(f"  refused within {statistics.median(load.refused):.0f} ms (median)")
    each = load.processor / load.outcomes.total() * 1000
    say(f"  processor {load.processor / load.took:.0%} of one, {each:.1f} ms a call")
    say(f"  memory {', '.join(f'{each:.0f}' for each in load.memory)} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Load the server over HTTP.")
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--flags", default="", help="more flags of the server, in one word")
    given = parser.parse_args()
    asyncio.run(by_hand(given.callers, given.calls, given.flags.split()))
