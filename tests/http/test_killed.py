"""A replica that is killed in the middle of writes leaves nothing done twice (design §9)."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fault_proxy import Kind, proxied
from running_redis import RunningRedis
from test_deployment import free_port
from web import KEY, modern

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


@dataclass
class Write:
    """A write that somebody notices: the call, the request that does it, and how often it was done."""

    tool: str
    arguments: dict[str, Any]
    request: bytes
    done: Callable[[Sandbox], int]


def reached(text: str) -> Callable[[Sandbox], int]:
    return lambda sandbox: sum(text in str(each) for each in sandbox.reached_customers)


def noted(text: str) -> Callable[[Sandbox], int]:
    return lambda sandbox: sum(note["message"] == text for note in sandbox.organisation.notes[10401])


def writes(name: str) -> list[Write]:
    """One write of every kind, told from others by this name."""
    reply = {"conversation_id": 10401, "text": f"Reply {name}", "after_message": "29c4c258"}
    mail = {
        "channel": "email",
        "customer": "olivia.hart@example.com",
        "subject": "Your replacement",
        "text": f"Mail {name}",
        "endpoint": "Support inbox",
    }
    person = {"name": "Zoe New", "email": f"{name}@example.org"}
    note = {"conversation_id": 10401, "text": f"Note {name}"}
    return [
        Write("dixa_add_note", note, b"POST /v1/conversations/10401/notes", noted(f"Note {name}")),
        Write("dixa_send_reply", reply, b"POST /v1/conversations/10401/messages", reached(f"Reply {name}")),
        Write("dixa_start_conversation", mail, b"POST /v1/conversations HTTP", reached(f"Mail {name}")),
        Write(
            "dixa_create_customer",
            person,
            b"POST /v1/endusers HTTP",
            lambda sandbox: sum(
                each.get("email") == person["email"] for each in sandbox.organisation.end_users.values()
            ),
        ),
        Write(
            "dixa_update_tags",
            {"conversation_id": 10403, "add": ["vip"]},
            b"PUT /v1/conversations/10403/tags",
            lambda sandbox: len(sandbox.organisation.tagged.get(10403, [])),
        ),
    ]


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
