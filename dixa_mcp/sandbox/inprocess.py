"""The sandbox behind httpx, without a socket. Faults raise what httpx would raise."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from dixa_mcp.sandbox.core import Sandbox
from dixa_mcp.sandbox.files import stored_file
from dixa_mcp.sandbox.organisation import FILES
from dixa_mcp.sandbox.wire import Answer, Incoming

CHUNK = 64 * 1024

Sleep = Callable[[float], Awaitable[None]]


class Body(httpx.AsyncByteStream):
    """The bytes of an answer, cut short, swollen or held up when a fault asks for it."""

    def __init__(self, answer: Answer, request: httpx.Request, sleep: Sleep) -> None:
        self._answer = answer
        self._request = request
        self._sleep = sleep

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._answer.content
        if self._answer.broken == "truncated":
            yield content[: len(content) // 2]
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=self._request
            )
        if self._answer.broken == "oversized":
            for _ in range(self._answer.size // CHUNK):
                yield b" " * CHUNK
        if self._answer.delay:
            yield content[: len(content) // 2]
            await self._sleep(self._answer.delay)
            content = content[len(content) // 2 :]
        yield content


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answers httpx from a sandbox, and files of `files.dixa.io` with made-up contents."""

    def __init__(self, sandbox: Sandbox, sleep: Sleep) -> None:
        self._sandbox = sandbox
        self._sleep = sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        if request.url.host == FILES:
            answer = stored_file(list(self._sandbox.organisations.values()), request.url.path)
        else:
            target = request.url.raw_path.decode("ascii")
            answer = self._sandbox.answer(Incoming(request.method, target, dict(request.headers), content))
        match answer.broken:
            case "connect":
                raise httpx.ConnectError("All connection attempts failed", request=request)
            case "timeout_before" | "timeout_after":
                raise httpx.ReadTimeout("The read operation timed out", request=request)
            case "reset_before" | "reset_after":
                raise httpx.ReadError("Connection reset by peer", request=request)
            case _:
                return _response(answer, request, self._sleep)


def _response(answer: Answer, request: httpx.Request, sleep: Sleep) -> httpx.Response:
    headers = {} if answer.body is None else {"Content-Type": "application/json"}
    headers |= answer.headers
    if answer.broken not in ("truncated", "oversized") and not answer.delay:
        return httpx.Response(answer.status, headers=headers, content=answer.content, request=request)
    if answer.broken != "oversized":
        headers["Content-Length"] = str(len(answer.content))
    return httpx.Response(answer.status, headers=headers, stream=Body(answer, request, sleep), request=request)


def transport(sandbox: Sandbox, *, sleep: Sleep = asyncio.sleep) -> httpx.AsyncBaseTransport:
    """Return an httpx transport that answers from the sandbox; `sleep` is what a "slow" fault waits with."""
    return SandboxTransport(sandbox, sleep)
