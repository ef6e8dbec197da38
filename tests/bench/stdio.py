"""A bare client on stdio: it writes a line and waits for the line that answers, and does nothing else.

A real client validates what it gets; that takes longer than what is measured here, and the same for every server.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
OURS = (str(Path(sys.executable).with_name("dixa-mcp")), "--no-audit")
REFERENCE = (sys.executable, str(Path(__file__).with_name("reference.py")))
TOKEN = "sandbox-admin-token"


class Served:
    """A server that runs as a child, and calls of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.pid = process.pid
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.ensure_future(self._read())
        self._number = 0

    async def request(self, method: str, parameters: dict[str, Any]) -> Any:
        """Send a request; return its result."""
        self._number += 1
        number = self._number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
        return await answer

    async def open(self) -> None:
        """Shake hands."""
        await self.request("initialize", HELLO)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def tools(self) -> list[Any]:
        """Ask for the list of tools."""
        return (await self.request("tools/list", {}))["tools"]

    async def call(self, tool: str, **arguments: Any) -> str:
        """Call a tool; return its text. An error comes back as the text that the model would read."""
        return (await self.answer(tool, arguments))[0]

    async def answer(self, tool: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        """Call a tool; return its text, and whether it failed."""
        result = await self.request("tools/call", {"name": tool, "arguments": arguments})
        return "\n".join(block["text"] for block in result["content"]), bool(result.get("isError"))

    async def timed(self, tool: str, **arguments: Any) -> float:
        """Milliseconds one call takes."""
        began = time.perf_counter()
        await self.call(tool, **arguments)
        return (time.perf_counter() - began) * 1000

    async def close(self) -> None:
        """Close its stdin and wait until it has gone."""
        assert self.process.stdin
        self.process.stdin.close()
        await self.process.wait()
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            message = json.loads(line)
            waiting = self._waiting.pop(message.get("id"), None)
            if waiting and not waiting.done():
                waiting.set_result(message.get("result", {"content": [{"text": json.dumps(message)}]}))
        for waiting in self._waiting.values():
            waiting.set_exception(EOFError("the server ended before it answered"))


@asynccontextmanager
async def serving(command: Sequence[str], base_url: str = "", *flags: str) -> AsyncGenerator[Served]:
    """Run a server on stdio while the block lasts."""
    if base_url and command is OURS:
        flags = ("--base-url", base_url, *flags)
    process = await asyncio.create_subprocess_exec(
        *command,
        *flags,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "DIXA_API_KEY": TOKEN, "BASE_URL": base_url},
        limit=2**26,
    )
    served = Served(process)
    try:
        yield served
    finally:
        await served.close()
