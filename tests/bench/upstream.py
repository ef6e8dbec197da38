"""Dixa for the bench: the sandbox in a process of its own, so that what it costs isn't measured with a server.

Run as a script it serves until its stdin closes, and says on stdout where.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from dixa_mcp.sandbox import Sandbox, app


def late(inner: Any, seconds: float) -> Any:
    """Let every answer of an application wait."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(seconds)
        await inner(scope, receive, send)

    return answer


async def _main(rate: float, seconds: float, scale: int) -> None:
    sandbox = Sandbox(rate=rate or None, scale=scale)
    config = uvicorn.Config(late(app(sandbox), seconds), port=0, log_level="error", date_header=False)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    serving = asyncio.ensure_future(server.main_loop())
    sys.stdout.write(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving
    await server.shutdown()


@asynccontextmanager
async def upstream(*, rate: float = 0, seconds: float = 0, scale: int = 0) -> AsyncGenerator[str]:
    """Run it; gives the base address. `seconds` is how long each answer takes, `rate` 0 is no limit."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--rate", str(rate), "--seconds", str(seconds), "--scale", str(scale)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve the sandbox for the bench.")
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--scale", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(_main(given.rate, given.seconds, given.scale))
