"""Requests as networks and strangers send them: too large, too slow, broken off; and an end that is graceful."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from mcp import MCPError
from web import ADMIN, HELLO, JSON, SECOND, Gate, modern, replica, until

from dixa_mcp.http import serve
from dixa_mcp.sandbox import Sandbox


def slow_notes() -> Sandbox:
    """A sandbox whose answers to new notes come when the test lets them."""
    sandbox = Sandbox()
    sandbox.faults.add("add_note", kind="slow", times=0)
    return sandbox


def call(tool: str, **arguments: object) -> tuple[dict[str, object], dict[str, str]]:
    return modern("tools/call", tool, arguments=arguments)


async def raw(port: int, *parts: bytes, wait: bool = True) -> bytes:
    """Send bytes and read until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read() if wait else b""
    writer.close()
    return answer


def head(port: int, length: int, *more: str) -> bytes:
    """The head of a POST with a body of this length."""
    lines = ["POST /mcp HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in JSON.items()), *more, "", ""]).encode()


async def test_a_body_over_the_limit_is_413_whether_its_size_was_told_or_not() -> None:
    """Told sizes are refused before a byte is read; chunks are counted."""
    async with replica("--max-body", "2000") as site, site.http() as http:
        assert (await http.post("/mcp", content=b"x" * 3000, headers=JSON)).status_code == 413

        async def chunks() -> AsyncGenerator[bytes]:
            for _ in range(30):
                yield b"x" * 100

        assert (await http.post("/mcp", content=chunks(), headers=JSON)).status_code == 413
        assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 200


async def test_a_body_that_does_not_come_is_408() -> None:
    """A connection can't hold the server by sending slowly."""
    async with replica(limits={"body_within": 0.05}) as site:
        answer = await raw(site.server.port, head(site.server.port, 500, "Connection: close"), b'{"jsonrpc"')
        assert answer.startswith(b"HTTP/1.1 408")
        async with site.http() as http:
            assert (await http.get("/healthz")).status_code == 200


async def test_a_head_that_drips_in_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself uvicorn would wait for ever."""
    monkeypatch.setattr(serve.PatientProtocol, "head_within", 0.05)
    async with replica() as site:
        assert await raw(site.server.port, b"POST /mcp HTTP/1.1\r\nHost: 127") == b""
        good = head(site.server.port, 2, "Connection: close")
        assert (await raw(site.server.port, good, b"{}")).startswith(b"HTTP/1.1 4")


async def test_a_request_that_breaks_off_changes_nothing() -> None:
    """Half a body is no call."""
    body, _ = call("dixa_add_note", conversation_id=10401, text="Half")
    text = json.dumps(body).encode()
    async with replica() as site:
        await raw(site.server.port, head(site.server.port, len(text)), text[: len(text) // 2], wait=False)
        async with site.desk() as desk:
            await desk.call("status")
            assert desk.writes == []


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"id":' + b"9" * 9999]
)
async def test_what_is_no_request_is_refused_and_the_server_goes_on(text: bytes, era: str) -> None:
    """Truncated, empty, not JSON, nested for ever: 4xx, never 5xx."""
    version = {"mcp-protocol-version": "2026-07-28"} if era == "auto" else {}
    async with replica() as site, site.http() as http:
        answer = await http.post("/mcp", content=text, headers={**JSON, **version})
        assert 400 <= answer.status_code < 500
        assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 200


async def test_beyond_capacity_it_is_503_at_once_and_then_goes_on() -> None:
    """A clear 503 with Retry-After, not a queue without end."""
    gate = Gate()
    async with replica("--capacity", "1", sandbox=slow_notes(), sleep=gate.sleep) as site, site.http() as http:
        body, headers = call("dixa_add_note", conversation_id=10401, text="First")
        first = asyncio.ensure_future(http.post("/mcp", json=body, headers=headers))
        await gate.reached.wait()
        refused = await http.post("/mcp", json=body, headers=headers)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "--capacity" in refused.text
        assert (await http.get("/healthz")).status_code == 200
        gate.open.set()
        assert (await first).status_code == 200
        assert (await http.post("/mcp", json=body, headers=headers)).status_code == 200


async def test_one_caller_cannot_take_all_of_the_capacity() -> None:
    """429 for who has too many calls under way; others go on."""
    gate = Gate()
    flags = ("--auth", "dixa-token", "--caller-capacity", "1")
    async with (
        replica(*flags, sandbox=slow_notes(), sleep=gate.sleep) as site,
        site.http(ADMIN) as mine,
        site.desk(SECOND) as theirs,
    ):
        body, headers = call("dixa_add_note", conversation_id=10401, text="First")
        first = asyncio.ensure_future(mine.post("/mcp", json=body, headers=headers))
        await gate.reached.wait()
        refused = await mine.post("/mcp", json=body, headers=headers)
        assert refused.status_code == 429
        assert "retry-after" in refused.headers
        assert not (await theirs.call("status")).failed
        gate.open.set()
        assert (await first).status_code == 200


async def test_an_answer_gets_in_though_the_capacity_is_used_up() -> None:
    """What a call waits for must not wait for the call's place."""
    async with (
        replica("--capacity", "1", "--acting-agent", "Mia Lindqvist") as site,
        site.desk(era="legacy", answer="yes") as desk,
    ):
        said = await desk.call("send_reply", conversation_id=10401, text="Hello", after_message="29c4c258")
        assert not said.failed, said.text
        assert len(site.sandbox.reached_customers) == 1


async def test_a_caller_that_goes_away_in_the_middle_of_a_write_finds_it_done_once(era: str, tmp_path: Path) -> None:
    """Finished and recorded, not repeated: journal, audit and Dixa agree on one note."""
    gate = Gate()
    audit = ("--state-dir", str(tmp_path))
    async with replica(sandbox=slow_notes(), sleep=gate.sleep, audit=audit) as site:
        async with site.desk(era=era) as desk:
            with pytest.raises(MCPError):
                await desk.client.call_tool(
                    "dixa_add_note", {"conversation_id": 10401, "text": "Once"}, read_timeout_seconds=0.2
                )
        assert gate.reached.is_set()
        gate.open.set()

        def outcomes() -> list[str]:
            lines = [line for file in tmp_path.rglob("audit-*.jsonl") for line in file.read_text().splitlines()]
            return [json.loads(line)["decision"] for line in lines]

        await until(lambda: outcomes() == ["intent", "done"])
        async with site.desk(era=era) as desk:
            changes = await desk.call("list_changes")
            assert "10401" in changes.text
            again = await desk.call("add_note", conversation_id=10401, text="Once")
            assert not again.failed
        notes = [note for note in site.sandbox.organisation.notes[10401] if note["message"] == "Once"]
        assert len(notes) == 1


async def test_the_end_is_graceful_calls_finish_streams_close_and_new_calls_are_turned_away() -> None:
    """All within the bound of `--grace`; a stream that listens gets its final answer."""
    gate = Gate()
    async with (
        replica(sandbox=slow_notes(), sleep=gate.sleep) as site,
        site.http() as http,
        site.desk() as desk,
        site.desk(era="legacy"),
    ):
        body, headers = call("dixa_add_note", conversation_id=10401, text="Last")
        last = asyncio.ensure_future(http.post("/mcp", json=body, headers=headers))
        await gate.reached.wait()
        async with desk.client.listen(resource_subscriptions=["dixa://organization"]) as heard:
            probe, late = await opened(site.server.port), await opened(site.server.port)
            site.site.close_streams()
            assert [event async for event in heard] == []
        assert (await probe("GET", "/readyz", b"", {})).startswith(b"HTTP/1.1 503")
        assert (await late("POST", "/mcp", json.dumps(body).encode(), headers)).startswith(b"HTTP/1.1 503")
        assert not last.done()
        gate.open.set()
        assert (await last).status_code == 200


async def opened(port: int) -> Callable[[str, str, bytes, dict[str, str]], Awaitable[bytes]]:
    """Open a connection now and give what sends a request over it later."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
        lines += ["Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await reader.read()
        writer.close()
        return answer

    return send
