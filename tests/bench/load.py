"""A load run over HTTP, by hand: python tests/bench/load.py [--callers 50] [--calls 20] [--flags "…"].

Starts the server as a process of its own on a sandbox without rate limit, lets callers call it in both protocol
eras at the same time, and prints throughput, percentiles, refusals and the server's memory before and after.
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
from pathlib import Path

import httpx2

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


def memory(pid: int) -> float:
    """Resident memory of a process, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def worked(pid: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Load:
    """What the callers met with."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.statuses: Counter[str] = Counter()

    async def caller(self, http: httpx2.AsyncClient, number: int, calls: int) -> None:
        """Make calls one after the other, in one of the eras, with a token of one's own."""
        token = {"authorization": f"Bearer caller-{number}"}
        headers = {**HEADERS, **token, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}
        legacy = number % 2 == 1
        if legacy:
            headers = {**HEADERS, **token, "mcp-protocol-version": "2025-11-25"}
            opened = await http.post("/mcp", json=HELLO, headers=headers)
            if opened.status_code != 200:
                self.statuses[str(opened.status_code)] += 1
                return
            headers["mcp-session-id"] = opened.headers["mcp-session-id"]
        for index in range(calls):
            name, arguments = CALLS[(number + index) % len(CALLS)]
            parameters = {"name": name, "arguments": arguments} | ({} if legacy else {"_meta": META})
            body = {"jsonrpc": "2.0", "id": index + 2, "method": "tools/call", "params": parameters}
            if not legacy:
                headers["mcp-name"] = name
            started = time.perf_counter()
            answer = await http.post("/mcp", json=body, headers=headers)
            failed = '"isError":true' in answer.text
            self.statuses["tool error" if failed else str(answer.status_code)] += 1
            if answer.status_code == 200 and not failed:
                self.seconds.append(time.perf_counter() - started)


async def run(callers: int, calls: int, flags: list[str]) -> None:
    """Run it and print the figures."""
    sandbox = Sandbox()
    owner = next(iter(sandbox.organisation.tokens.values()))
    sandbox.organisation.tokens |= {f"caller-{number}": owner for number in range(callers)}
    async with serving(sandbox) as base, server(base, *flags) as (address, pid):
        limits = httpx2.Limits(max_connections=64)
        pools = [httpx2.AsyncClient(base_url=address, timeout=120, limits=limits) for _ in range(-(-callers // 32))]
        warm = Load()
        await asyncio.gather(*[warm.caller(pools[n % len(pools)], n, 2) for n in range(callers)])
        before, idle = memory(pid), worked(pid)
        load, started = Load(), time.perf_counter()
        await asyncio.gather(*[load.caller(pools[n % len(pools)], n, calls) for n in range(callers)])
        took, after, busy = time.perf_counter() - started, memory(pid), worked(pid) - idle
        for pool in pools:
            await pool.aclose()
    say(f"{callers} callers × {calls} calls: {len(load.seconds) / took:.0f} calls/s, {dict(load.statuses)}")
    if len(load.seconds) > 1:
        cuts = statistics.quantiles(load.seconds, n=100)
        say(f"  p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms")
    say(f"  processor {busy / took:.0%} of one, {busy / max(1, sum(load.statuses.values())) * 1000:.1f} ms a call")
    say(f"  memory {before:.0f} → {after:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Load the server over HTTP.")
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--flags", default="", help="more flags of the server, in one word")
    given = parser.parse_args()
    asyncio.run(run(given.callers, given.calls, given.flags.split()))
