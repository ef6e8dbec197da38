"""Replicas on one token never exceed Dixa's rate and use nearly all of it: counted at the sandbox (design §9, §11).

Redis and the script of the pace are real; time is the test's. It stands still while Redis is asked, and jumps to
whatever is due next when nobody asks, so a busy machine changes nothing.
"""

import asyncio
import random
import selectors
from typing import Any

import pytest
from pydantic import SecretStr
from running_redis import RunningRedis

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace_redis import RedisPace
from dixa_mcp.client.paths import at
from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.inprocess import SandboxTransport
from dixa_mcp.state.redis import RedisServer, Script

RATE, BURST = 10, 4
MANY = 200


class _Selector(selectors.DefaultSelector):
    """Waits for what was really asked, and for nothing else."""

    now = 1_000_000.0
    asked = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(10 if self.asked and timeout != 0 else 0)
        if not ready and not self.asked:
            assert timeout is not None, "everything waits, and nothing will ever happen"
            self.now += max(timeout, 0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


class _Server(RedisServer):
    """A Redis whose clock is the loop's."""

    def __init__(self, url: str, loop: _Loop) -> None:
        super().__init__(url)
        self._loop = loop

    def script(self, text: str) -> Script:
        assert "redis.call('TIME')" in text
        run = super().script(text.replace("redis.call('TIME')", "{ARGV[9], ARGV[10]}"))

        async def asked(key: str, *arguments: str | int) -> Any:
            seconds, micros = divmod(round(self._loop.time() * 1e6), 1_000_000)
            self._loop.selector.asked += 1
            try:
                return await run(key, *arguments, seconds, micros)
            finally:
                self._loop.selector.asked -= 1

        return asked


@pytest.mark.parametrize("replicas", [2, 4])
@pytest.mark.parametrize("jitter", [0.0, 0.04])
def test_replicas_together_never_exceed_the_rate_and_use_97_percent_of_it(
    replicas: int, jitter: float, redis_server: RunningRedis
) -> None:
    """10 a second with a burst of 4, no 429 (notes §3); also where the network delays some more than others."""
    loop = _Loop()
    chance = random.Random(7)
    sandbox = Sandbox(rate=RATE, burst=BURST, monotonic=loop.time)

    class Network(SandboxTransport):
        """The way to Dixa, which takes its time."""

        async def handle_async_request(self, request: Any) -> Any:
            await asyncio.sleep(chance.uniform(0, jitter))
            return await super().handle_async_request(request)

    async def drain() -> float:
        servers = [_Server(redis_server.url, loop) for _ in range(replicas)]
        clients = [
            Dixa(SecretStr("sandbox-admin-token"), transport=Network(sandbox, asyncio.sleep), pace=RedisPace(each, "t"))
            for each in servers
        ]
        # A new token begins without a burst; a rest gives it.
        await clients[0].get(at("/organization"))
        await asyncio.sleep(60)
        began = loop.time()
        await asyncio.gather(*(clients[number % replicas].get(at("/organization")) for number in range(MANY)))
        took = loop.time() - began
        for each in (*clients, *servers):
            await each.aclose()
        return took

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        took = runner.run(drain())
    assert [request.status for request in sandbox.requests] == [200] * (1 + MANY)
    assert (MANY - BURST) / RATE / took >= 0.97
