"""What the client's tests share: time that passes by itself, and a Dixa made of canned bytes.

No test here waits: the loop's clock jumps to whatever is due next. No answer is made by our own models.
"""

import asyncio
import functools
import inspect
import json
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
from pydantic import SecretStr

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace, Pacing

TOKEN = "eyJ-sandbox-token-0123456789"


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: says that as much time has passed as it was to wait for."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits, and nothing will ever happen"
            self.now += max(timeout, 0)
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def simulated(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in simulated time."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def clock() -> float:
    return asyncio.get_running_loop().time()


Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], Answer | Awaitable[Answer]]


class Wire(httpx.AsyncBaseTransport):
    """Answers requests with a function, after `latency` seconds, and remembers them with their times."""

    def __init__(self, handler: Handler, latency: float = 0.0) -> None:
        self.handler = handler
        self.latency = latency
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.flying = 0
        self.most_flying = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        self.times.append(clock())
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            answer = self.handler(request)
            if inspect.isawaitable(answer):
                answer = await answer
        finally:
            self.flying -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def paths(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.requests]


def ok(data: Any, **meta: str) -> httpx.Response:
    """A success as Dixa writes it."""
    document = {"data": data} | ({"meta": meta} if meta else {})
    return httpx.Response(200, content=json.dumps(document).encode(), headers={"content-type": "application/json"})


def error(status: int, message: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    """An error as Dixa writes it: a message and nothing else."""
    return httpx.Response(status, content=json.dumps({"message": message}).encode(), headers=headers)


def script(*answers: Answer) -> Handler:
    """Give these answers in turn, the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else _copy(left[0])


def _copy(answer: Answer) -> Answer:
    if isinstance(answer, Exception):
        return answer
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def dixa_on(handler: Handler, *, pace: Pacing | None = None, latency: float = 0.0, **options: Any) -> tuple[Dixa, Wire]:
    """Return a client and the wire it talks to; without a limit of its own unless one is given."""
    wire = Wire(handler, latency)
    return Dixa(SecretStr(TOKEN), transport=wire, pace=pace or Pace(None), **options), wire
