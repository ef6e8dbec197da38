"""HTTP as it shouldn't be: trickery with lengths and headers, wrong methods, other people's and endless sessions."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx2
import pytest
from test_requests import head, raw
from web import ADMIN, HELLO, JSON, LIST, SECOND, Replica, modern, replica, until

from dixa_mcp.http import serve

ALONE = ("--auth", "dixa-token")
NOTE = {"conversation_id": 10401, "text": "Smuggled"}
SMUGGLED = json.dumps(modern("tools/call", "dixa_add_note", arguments=NOTE)[0]).encode()


def noted(site: Replica) -> int:
    return sum(note["message"] == NOTE["text"] for note in site.sandbox.organisation.notes[10401])


def request(port: int, *lines: str, body: bytes = b"", method: str = "POST", version: str = "1.1") -> bytes:
    """Bytes of a request with exactly these headers beside Host and those of MCP."""
    own = [f"{method} /mcp HTTP/{version}", f"Host: 127.0.0.1:{port}", "Mcp-Protocol-Version: 2026-07-28"]
    own += ["Mcp-Method: tools/call", "Mcp-Name: dixa_add_note", *(f"{name}: {value}" for name, value in JSON.items())]
    return "\r\n".join([*own, *lines, "", ""]).encode() + body


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]


LENGTHS = {
    "two lengths": (["Content-Length: 5", f"Content-Length: {len(SMUGGLED)}"], SMUGGLED),
    "a negative length": (["Content-Length: -1"], SMUGGLED),
    "a length that is no number": (["Content-Length: +7"], SMUGGLED),
    "an unknown coding": (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    "chunked twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    "a chunk of no size": (["Transfer-Encoding: chunked"], b"zz\r\n" + SMUGGLED),
    "a chunk of a size without end": (["Transfer-Encoding: chunked"], b"f" * 40 + b"\r\n" + SMUGGLED),
    "a chunk longer than told": (["Transfer-Encoding: chunked"], b"5\r\n" + SMUGGLED + b"\r\n0\r\n\r\n"),
    "a blank before the colon": ([f"Content-Length : {len(SMUGGLED)}"], SMUGGLED),
}


async def test_a_body_whose_end_two_readers_could_see_differently_is_no_request() -> None:
    """Request smuggling (RFC 9112 §6.3): a proxy before us might have seen another one."""
    async with replica() as site:
        for trick, (lines, body) in LENGTHS.items():
            answer = await raw(site.server.port, request(site.server.port, *lines, "Connection: close", body=body))
            assert all(400 <= status < 500 for status in statuses(answer)), (trick, answer)
        assert noted(site) == 0


async def test_a_length_beside_chunks_does_not_count() -> None:
    """RFC 9112 §6.3: chunks win; what follows them isn't taken for part of the body."""
    async with replica() as site:
        inner = b"%x\r\n%s\r\n0\r\n\r\n" % (len(b"{}"), b"{}")
        lines = ("Transfer-Encoding: chunked", f"Content-Length: {len(SMUGGLED)}", "Connection: close")
        answer = await raw(site.server.port, request(site.server.port, *lines, body=inner + SMUGGLED))
        assert all(400 <= status < 500 for status in statuses(answer)), answer
        assert noted(site) == 0


async def test_other_methods_and_media_types_change_nothing(era: str) -> None:
    """A form of another site can send text/plain without asking (CORS), so that is no request here."""
    body, headers = modern("tools/call", "dixa_add_note", arguments=NOTE)
    async with replica() as site, site.http() as http:
        if era == "legacy":
            session = await http.post("/mcp", json=HELLO, headers=JSON)
            headers = {**JSON, "mcp-session-id": session.headers["mcp-session-id"]}
        for header, value in (
            ("content-type", "text/plain"),
            ("content-type", "application/xml"),
            ("accept", "text/html"),
            ("accept", ""),
        ):
            answer = await http.post("/mcp", content=json.dumps(body), headers={**headers, header: value})
            assert 400 <= answer.status_code < 500, (header, value)
        headers.pop("mcp-session-id", None)
        for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"):
            answer = await http.request(method, "/mcp", json=body, headers=headers)
            assert 400 <= answer.status_code < 500, method
        assert noted(site) == 0


async def test_a_batch_is_refused_whole(era: str) -> None:
    """Both revisions served know no batches (since 2025-06-18)."""
    body, headers = modern("tools/call", "dixa_add_note", arguments=NOTE)
    async with replica() as site, site.http() as http:
        answer = await http.post("/mcp", json=[body, body], headers=headers if era == "auto" else JSON)
        assert 400 <= answer.status_code < 500
        assert noted(site) == 0


async def test_headers_that_tell_another_story_than_the_body_are_refused() -> None:
    """A proxy may have let it through by these headers (2026-07-28, standard request headers)."""
    body, headers = modern("tools/call", "dixa_add_note", arguments=NOTE)
    async with replica() as site, site.http() as http:
        for name, value in (
            ("mcp-method", "tools/list"),
            ("mcp-name", "dixa_get_thread"),
            ("mcp-method", ""),
            ("mcp-name", ""),
            ("mcp-protocol-version", "2025-11-25"),
        ):
            answer = await http.post("/mcp", json=body, headers={**headers, name: value})
            assert 400 <= answer.status_code < 500, (name, answer.text)
        assert noted(site) == 0


async def test_a_header_that_decides_something_stands_there_once() -> None:
    """Of two, each reader could believe another."""
    async with replica() as site:
        port = site.server.port
        for twice in (
            [f"Host: 127.0.0.1:{port}"],
            ["Origin: http://localhost"] * 2,
            ["Authorization: Bearer x"] * 2,
            ["Mcp-Method: tools/call"],
            ["Mcp-Name: dixa_add_note"],
            ["Mcp-Protocol-Version: 2026-07-28"],
            ["Mcp-Protocol-Version: 2025-11-25"],
            ["Mcp-Session-Id: one", "Mcp-Session-Id: two"],
        ):
            lines = (*twice, f"Content-Length: {len(SMUGGLED)}", "Connection: close")
            answer = await raw(port, request(port, *lines, body=SMUGGLED))
            assert statuses(answer) == [400], (twice, answer)
        assert noted(site) == 0


async def test_headers_of_any_size_are_cut_off() -> None:
    """Memory is bounded before anything is known about who calls."""
    async with replica() as site:
        with suppress(ConnectionError):  # it needn't be heard to its end to be cut off
            answer = await raw(site.server.port, request(site.server.port, f"X-Long: {'x' * 200_000}"))
            assert all(400 <= status < 500 for status in statuses(answer))
        async with site.http() as http:
            assert (await http.get("/healthz")).status_code == 200


async def test_http_1_0_is_answered_and_hung_up_on() -> None:
    """Health checks of old proxies speak it."""
    async with replica() as site:
        port = site.server.port
        answer = await raw(port, f"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert statuses(answer) == [200]


async def test_pipelined_requests_are_each_judged_by_their_own_credentials() -> None:
    """Two in one packet: what the first may says nothing about the second."""
    async with replica(*ALONE) as site:
        port = site.server.port
        one = request(port, f"Authorization: Bearer {ADMIN}", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED)
        two = request(port, f"Content-Length: {len(SMUGGLED)}", "Connection: close", body=SMUGGLED)
        assert statuses(await raw(port, one + two)) == [200, 401]
        assert noted(site) == 1


@pytest.mark.parametrize(("token", "expected"), [(ADMIN, [100, 200]), ("", [401])])
async def test_a_body_is_asked_for_only_from_who_is_let_in(token: str, expected: list[int]) -> None:
    """`Expect: 100-continue`: credentials are judged by the head alone."""
    async with replica(*ALONE) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
        lines = [f"Content-Length: {len(SMUGGLED)}", "Expect: 100-continue", "Connection: close"]
        writer.write(request(site.server.port, *lines, *([f"Authorization: Bearer {token}"] if token else [])))
        answer = await reader.readuntil(b"\r\n\r\n")
        if expected[0] == 100:
            writer.write(SMUGGLED)
        answer += await reader.read()
        writer.close()
        assert statuses(answer) == expected
        assert noted(site) == len(expected) - 1


async def test_an_answer_nobody_takes_does_not_hold_its_place_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads no more fills the buffers; then its connection is cut."""
    monkeypatch.setattr(serve.PatientProtocol, "taken_within", 0.01)
    async with replica() as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
        await until(lambda: len(site.server.server_state.connections) == 1)
        (connection,) = site.server.server_state.connections
        connection.pause_writing()
        connection.resume_writing()
        connection.pause_writing()
        assert await reader.read() == b""
        writer.close()


async def test_a_session_nobody_opened_is_404() -> None:
    """The client then begins a new one (2025-11-25, session management)."""
    async with replica() as site, site.http() as http:
        for session in ("unknown", "x" * 10_000, "../../etc", "é"):
            headers = {**JSON, "mcp-session-id": session.encode("latin-1")}
            for method in ("POST", "GET", "DELETE"):
                answer = await http.request(method, "/mcp", json=LIST, headers=headers)
                assert answer.status_code == 404, (method, session[:9], answer.text)


async def opened(http: httpx2.AsyncClient, token: str) -> httpx2.Response:
    """Begin a session of the older protocol."""
    return await http.post("/mcp", json=HELLO, headers={**JSON, "authorization": f"Bearer {token}"})


@asynccontextmanager
async def streaming(http: httpx2.AsyncClient, token: str, session: str = "") -> AsyncGenerator[httpx2.Response]:
    """Hold a stream open: of a session, or one that listens for changes on 2026-07-28."""
    own = {"authorization": f"Bearer {token}"}
    if session:
        given = {**own, **JSON, "mcp-session-id": session, "mcp-protocol-version": "2025-11-25"}
        async with http.stream("GET", "/mcp", headers=given) as answer:
            yield answer
        return
    body, headers = modern("subscriptions/listen", notifications={"resourceSubscriptions": ["dixa://changes"]})
    async with http.stream("POST", "/mcp", json=body, headers={**headers, **own}) as answer:
        yield answer


async def test_sessions_without_end_are_bounded_for_each_caller_and_in_all() -> None:
    """Who opens them and never ends them gets a clear 429, others go on; then 503. Ended ones make room."""
    flags = (*ALONE, "--sessions", "4", "--caller-sessions", "3")
    async with replica(*flags) as site, site.http() as http:
        mine = [await opened(http, ADMIN) for _ in range(4)]
        assert [answer.status_code for answer in mine] == [200, 200, 200, 429]
        assert "--caller-sessions" in mine[-1].json()["error"]["message"]
        assert int(mine[-1].headers["retry-after"]) > 0
        assert (await opened(http, SECOND)).status_code == 200
        full = await opened(http, SECOND)
        assert full.status_code == 503
        assert "--sessions" in full.json()["error"]["message"]
        # Calls of 2026-07-28 know no sessions, so they aren't concerned.
        body, headers = modern("tools/list")
        given = {**headers, "authorization": f"Bearer {SECOND}"}
        assert (await http.post("/mcp", json=body, headers=given)).status_code == 200
        ended = {**JSON, "authorization": f"Bearer {ADMIN}", "mcp-session-id": mine[0].headers["mcp-session-id"]}
        assert (await http.request("DELETE", "/mcp", headers=ended)).status_code == 200
        assert (await opened(http, ADMIN)).status_code == 200


async def test_an_idle_session_ends_and_makes_room() -> None:
    """The SDK ends it after half an hour; its id is 404 then, and the client begins anew."""
    async with replica(*ALONE, "--caller-sessions", "1") as site, site.http() as http:
        session = (await opened(http, ADMIN)).headers["mcp-session-id"]
        assert (await opened(http, ADMIN)).status_code == 429
        idle: Any = site.site._server.session_manager._server_instances[session].idle_scope
        idle.cancel()
        await until(lambda: not site.site._owners())
        headers = {**JSON, "authorization": f"Bearer {ADMIN}", "mcp-session-id": session}
        assert (await http.post("/mcp", json=LIST, headers=headers)).status_code == 404
        assert (await opened(http, ADMIN)).status_code == 200


async def test_streams_are_bounded_for_each_caller_and_in_all(era: str) -> None:
    """On both eras; a closed one makes room, and calls go on whatever streams there are."""
    async with (
        replica(*ALONE, "--sessions", "9", "--caller-sessions", "2") as site,
        site.http() as http,
        AsyncExitStack() as streams,
    ):
        sessions = {ADMIN: [""] * 3, SECOND: [""]}
        if era == "legacy":
            mine, again, theirs = [
                (await opened(http, token)).headers["mcp-session-id"] for token in (ADMIN, ADMIN, SECOND)
            ]
            sessions = {ADMIN: [mine, again, mine], SECOND: [theirs]}

        async def hold(token: str, at: int) -> int:
            return (await streams.enter_async_context(streaming(http, token, sessions[token][at]))).status_code

        assert [await hold(ADMIN, at) for at in (0, 1)] == [200, 200]
        async with streaming(http, ADMIN, sessions[ADMIN][2]) as refused:
            assert refused.status_code == 429
            assert b"--caller-sessions" in await refused.aread()
        assert await hold(SECOND, 0) == 200
        body, headers = modern("tools/list")
        given = {**headers, "authorization": f"Bearer {ADMIN}"}
        assert (await http.post("/mcp", json=body, headers=given)).status_code == 200
        await streams.aclose()
        await until(lambda: not site.site.door.limits.streams._taken)
        assert await hold(ADMIN, 0) == 200
        site.site.door.limits.streams.total = 1
        async with streaming(http, SECOND, sessions[SECOND][0]) as refused:
            assert refused.status_code == 503


async def test_a_head_alone_opens_nothing() -> None:
    """Connections that only begin a request hold no place of a caller's."""
    async with replica("--capacity", "1") as site:
        port = site.server.port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(port, 500))
        await writer.drain()
        async with site.http() as http:
            assert (await http.post("/mcp", json=HELLO, headers=JSON)).status_code == 200
        writer.close()
