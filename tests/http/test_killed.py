"""A replica that is killed in the middle of writes leaves nothing done twice (design §9)."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2
import pytest
from running_redis import RunningRedis
from test_deployment import free_port
from web import KEY, modern, until

from dixa_mcp.sandbox import Sandbox, serving


@asynccontextmanager
async def process(base: str, redis: str) -> AsyncGenerator[tuple[str, asyncio.subprocess.Process]]:
    """Run a replica as a process of its own."""
    port = free_port()
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dixa_mcp", "--http", f"127.0.0.1:{port}", "--base-url", base, "--no-audit"),
        env={"DIXA_API_KEY": "sandbox-admin-token", "DIXA_MCP_REDIS_URL": redis, "DIXA_MCP_STATE_KEY": KEY},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx2.AsyncClient() as http:
            for _ in range(400):
                try:
                    await http.get(f"http://127.0.0.1:{port}/healthz")
                    break
                except httpx2.HTTPError:
                    await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp", started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@pytest.mark.slow
async def test_a_replica_killed_in_the_middle_of_writes_leaves_each_note_once(redis_server: RunningRedis) -> None:
    """`kill -9` after Dixa did it and before anybody was told; the other replica finds it and adds the rest."""
    sandbox = Sandbox()
    sandbox.faults.add("add_note", kind="slow", times=2, seconds=30)
    texts = [f"Note {number}" for number in range(4)]

    def written() -> list[str]:
        return [note["message"] for note in sandbox.organisation.notes[10401] if note["message"] in texts]

    async with (
        serving(sandbox) as base,
        process(base, redis_server.url) as (doomed, killed),
        process(base, redis_server.url) as (other, _),
        httpx2.AsyncClient(timeout=30) as http,
    ):

        async def add(url: str, text: str) -> str:
            body, headers = modern("tools/call", "dixa_add_note", arguments={"conversation_id": 10401, "text": text})
            return (await http.post(url, json=body, headers=headers)).text

        writes = [asyncio.ensure_future(add(doomed, text)) for text in texts[:2]]
        await until(lambda: len(written()) == 2)
        killed.kill()
        assert all(isinstance(each, Exception) for each in await asyncio.gather(*writes, return_exceptions=True))
        said = await asyncio.gather(*[add(other, text) for text in texts])
        assert not [text for text in said if '"isError":true' in text], said
        assert sum("DUPLICATE" in text.upper() for text in said) == 2
        assert sorted(written()) == texts
