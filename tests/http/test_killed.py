"""A replica that is killed in the middle of writes leaves nothing done twice (design §9)."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fault_proxy import Kind, proxied
from running_redis import RunningRedis
from test_deployment import free_port
from web import KEY, modern
from writes import Write, writes

from dixa_mcp.sandbox import Sandbox, serving


@asynccontextmanager
async def process(base: str, redis: str, *flags: str) -> AsyncGenerator[tuple[str, asyncio.subprocess.Process]]:
    """Run a replica as a process of its own."""
    port = free_port()
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dixa_mcp", "--http", f"127.0.0.1:{port}", "--base-url", base, "--no-audit", *flags),
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


async def parameters(http: httpx2.AsyncClient, url: str, write: Write) -> dict[str, Any]:
    """The parameters of a call, with a person's sealed yes where one is asked."""
    body, headers = modern("tools/call", write.tool, arguments=write.arguments)
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {"elicitation": {"form": {}}}
    if write.tool not in {"dixa_send_reply", "dixa_start_conversation"}:
        return body["params"]
    said = (await http.post(url, json=body, headers=headers)).json()["result"]
    ((key, _),) = said["inputRequests"].items()
    answer = {key: {"action": "accept", "content": {"agree": True}}}
    return {**body["params"], "requestState": said["requestState"], "inputResponses": answer}


async def send(http: httpx2.AsyncClient, url: str, write: Write, given: dict[str, Any]) -> str:
    _, headers = modern("tools/call", write.tool)
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": given}
    return (await http.post(url, json=body, headers=headers)).text


@pytest.mark.slow
async def test_a_replica_killed_in_the_middle_of_writes_leaves_each_done_once_or_not_at_all(
    redis_server: RunningRedis,
) -> None:
    """`kill -9` after Dixa did it and before anybody was told, or before it reached Dixa.

    Every kind of write, the same sealed yes with the replies: the other replica finds what was done, and says of
    the rest that it broke off. Nothing exists twice.
    """
    sandbox = Sandbox()
    done, never = writes("done"), writes("never")[:-1]
    flags = ("--acting-agent", "Mia Lindqvist")
    async with (
        serving(sandbox) as base,
        proxied(base) as (proxy, through),
        process(through, redis_server.url, *flags) as (doomed, killed),
        process(base, redis_server.url, *flags) as (other, _),
        httpx2.AsyncClient(timeout=30) as http,
    ):

        async def in_the_middle(write: Write, kind: Kind) -> dict[str, Any]:
            given = await parameters(http, doomed, write)
            fault = proxy.add(kind, write.request)
            cut.append(asyncio.ensure_future(send(http, doomed, write, given)))
            await fault.met.wait()
            return given

        cut: list[asyncio.Task[str]] = []
        given_never = [await in_the_middle(write, "black_hole") for write in never]
        given_done = [await in_the_middle(write, "hold") for write in done]
        assert [write.done(sandbox) for write in done] == [1] * len(done)
        killed.kill()
        ends = await asyncio.gather(*cut, return_exceptions=True)
        assert [each for each in ends if isinstance(each, str)] == []
        for write, given in zip(done, given_done, strict=True):
            said = await send(http, other, write, given)
            assert '"isError":true' not in said, said
            assert write.done(sandbox) == 1, write.tool
        for write, given in zip(never, given_never, strict=True):
            said = await send(http, other, write, given)
            # The yes is spent, the claim still stands, or the person is asked anew, since more is there to read.
            truths = ("broke off", "counts once", "Nothing was sent", '"input_required"')
            assert any(words in said for words in truths), said
            assert write.done(sandbox) == 0, write.tool
