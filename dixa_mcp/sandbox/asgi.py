"""The sandbox as an ASGI application: the API, its files and its own routes."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from dixa_mcp.sandbox.admin import ROOT as ADMIN
from dixa_mcp.sandbox.admin import administer
from dixa_mcp.sandbox.core import Sandbox
from dixa_mcp.sandbox.files import ROOT as FILES_ROOT
from dixa_mcp.sandbox.files import stored_file
from dixa_mcp.sandbox.sockets import break_off, cut_off
from dixa_mcp.sandbox.wire import Answer, Incoming

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FILES_PATH = "/files/"
CHUNK = 64 * 1024


def app(sandbox: Sandbox, *, sleep: Sleep = asyncio.sleep) -> App:
    """Return the ASGI application of a sandbox.

    File addresses in answers point back at the host they were asked from, under `/files/`; no token is
    needed there (ours). Faults that break a connection need `serve`, which gives access to the socket.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        incoming = await _incoming(scope, receive)
        if incoming.path.startswith(ADMIN):
            return await _send(administer(sandbox, incoming), send)
        if incoming.path.startswith(FILES_PATH):
            files = stored_file(list(sandbox.organisations.values()), incoming.path.removeprefix(FILES_PATH))
            return await _send(files, send)
        result = sandbox.answer(incoming)
        if result.body is not None and not result.broken:
            here = f"{scope.get('scheme', 'http')}://{incoming.header('host')}{FILES_PATH}"
            result.body = result.content.replace(FILES_ROOT.encode(), here.encode())
        match result.broken:
            case "connect" | "reset_before" | "reset_after":
                break_off(scope)
            case "truncated":
                cut_off(scope, result)
            case "timeout_before" | "timeout_after":
                pass  # nothing is said until the client gives up
            case _:
                return await _send(result, send, sleep)
        return await _gone(receive)

    return answer


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _incoming(scope: Scope, receive: Receive) -> Incoming:
    content = bytearray()
    more = True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    target = (scope.get("raw_path") or scope["path"].encode()).decode("ascii").partition("?")[0]
    if scope.get("query_string"):
        target += "?" + scope["query_string"].decode("ascii")
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    return Incoming(scope["method"], target, headers, bytes(content))


def head(answer: Answer) -> list[tuple[bytes, bytes]]:
    """Return the header lines of an answer."""
    lines = {} if answer.body is None else {"content-type": "application/json"}
    lines |= {key.lower(): value for key, value in answer.headers.items()}
    if answer.broken != "oversized" and answer.status != 204:
        lines["content-length"] = str(len(answer.content))
    return [(key.encode("latin-1"), value.encode("latin-1")) for key, value in lines.items()]


async def _send(answer: Answer, send: Send, sleep: Sleep = asyncio.sleep) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": head(answer)})
    if answer.broken == "oversized":
        for _ in range(answer.size // CHUNK):
            await send({"type": "http.response.body", "body": b" " * CHUNK, "more_body": True})
    content = answer.content
    if answer.delay:
        half = len(content) // 2
        await send({"type": "http.response.body", "body": content[:half], "more_body": True})
        await sleep(answer.delay)
        content = content[half:]
    await send({"type": "http.response.body", "body": content})
