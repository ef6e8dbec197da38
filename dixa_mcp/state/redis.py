"""The memory that replicas share, in Redis 6.2 or newer, or Valkey. Import it late: it needs the extra `[redis]`.

Every key carries a prefix, its kind and an expiry. Every method is one command or one script, so it is atomic,
and is sent once: a repeat after a timeout could count twice or take what nobody then gets. When the answer
stays away the outcome is unknown and `StateUnavailable` is raised, so `reserve`, `add` and `take` fail closed:
what they may have taken stays taken until it expires, and nobody acts on it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import ceil
from typing import Any, Protocol

import anyio

from dixa_mcp.errors import SettingsError, StateUnavailable
from dixa_mcp.state.protocol import Reservation

try:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
except ImportError as missing:
    raise SettingsError("Sharing state needs the package redis.", "Install dixa-mcp[redis].") from missing

#: Seconds for a connection, for an answer, and for a free place in the pool.
_PATIENCE = 1.0
#: Seconds for all of it together: a connection is made, or waited for, and a command answered.
_LONGEST = 2.0
_CONNECTIONS = 16

#: As something untyped, for its arguments are.
_Pool: Any = BlockingConnectionPool

_RESERVE = """
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local left = redis.call('PTTL', KEYS[1])
local amount, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local granted = used + amount <= limit
if granted and amount > 0 then
  used = redis.call('INCRBY', KEYS[1], amount)
  if left < 0 then redis.call('PEXPIRE', KEYS[1], window) end
end
return {granted and 1 or 0, used, left < 0 and window or left}
"""

_RELEASE = """
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local back = math.min(used, tonumber(ARGV[1]))
if back > 0 then redis.call('DECRBY', KEYS[1], back) end
"""

_PUSH = """
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""


class Script(Protocol):
    """A Lua script on one key; it is loaded when first used, and again when the server lost it."""

    async def __call__(self, key: str, *arguments: str | int) -> Any:
        """Run it. Raises `StateUnavailable`."""
        ...


class RedisServer:
    """A bounded pool of connections to one Redis, shared by all that a process keeps there.

    Connections are made when needed and anew after a failure, so the object outlives restarts of the server.

    Args:
        url: `redis://`, `rediss://` (TLS, certificate and name checked) or `unix://`, credentials in it.
        prefix: what every key begins with.

    Raises:
        SettingsError: The URL can't be used. The message doesn't repeat it, since it may hold a password.
    """

    def __init__(self, url: str, prefix: str = "dixa-mcp:") -> None:
        self.prefix = prefix
        try:
            pool = _Pool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=_PATIENCE,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                retry=Retry(NoBackoff(), 0),
                # With RESP 3 the pool hands out connections that the server closed meanwhile.
                protocol=2,
                decode_responses=True,
                # So that any text comes back as it was given.
                encoding_errors="surrogatepass",
            )
            # An option in the URL that doesn't exist would show with the first connection only.
            pool.make_connection()
        except (ValueError, TypeError) as error:
            raise SettingsError(
                "The Redis URL can't be used.", "Write it as redis://host:6379/0, or rediss:// for TLS."
            ) from error
        self._redis: Any = Redis.from_pool(pool)

    async def command(self, name: str, key: str, *arguments: str | int) -> Any:
        """Send one command on one key, once.

        Raises:
            StateUnavailable: No answer, or an error. Whether it was carried out is then unknown.
        """
        return await self._answer(self._redis.execute_command(name, self.prefix + key, *arguments))

    def script(self, text: str) -> Script:
        """Make a script of Lua text that uses `KEYS[1]` and `ARGV`."""
        registered = self._redis.register_script(text)

        async def run(key: str, *arguments: str | int) -> Any:
            return await self._answer(registered([self.prefix + key], arguments))

        return run

    async def publish(self, channel: str, text: str) -> None:
        """Send a text to all who follow a channel.

        Raises:
            StateUnavailable: No answer; whether it was sent is then unknown.
        """
        await self.command("PUBLISH", channel, text)

    async def follow(self, channel: str, hear: Callable[[str], Awaitable[None]]) -> None:
        """Hear what is sent on a channel, until cancelled.

        Raises:
            StateUnavailable: The connection is lost; what is sent meanwhile won't be heard.
        """
        listening = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            await listening.subscribe(self.prefix + channel)
            while True:
                message = await listening.get_message(timeout=_PATIENCE)
                if message is not None:
                    await hear(message["data"])
        except (RedisError, OSError) as error:
            raise StateUnavailable from error
        finally:
            with anyio.move_on_after(_PATIENCE, shield=True), suppress(RedisError, OSError):
                await listening.aclose()

    async def reachable(self) -> bool:
        """Say whether the server answers, within two seconds."""
        try:
            await self._answer(self._redis.execute_command("PING"))
        except StateUnavailable:
            return False
        return True

    async def aclose(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def _answer(self, answer: Awaitable[Any]) -> Any:
        # Shielded, for a caller that goes away would leave the outcome unknown and, since anyio cancels again
        # and again, a connection missing from the pool. The end is asyncio's, which cancels once.
        with anyio.CancelScope(shield=True):
            try:
                async with asyncio.timeout(_LONGEST):
                    return await answer
            except (RedisError, OSError) as error:
                raise StateUnavailable from error


class RedisState:
    """`State` of several replicas. Values, counters and lists of one name are three keys, as in `MemoryState`.

    Args:
        url: as for `RedisServer`.
        prefix: as for `RedisServer`.
    """

    def __init__(self, url: str, prefix: str = "dixa-mcp:") -> None:
        self.server = RedisServer(url, prefix)
        self._reserve = self.server.script(_RESERVE)
        self._release = self.server.script(_RELEASE)
        self._push = self.server.script(_PUSH)

    async def get(self, key: str) -> str | None:
        """Read a value."""
        return await self.server.command("GET", _value(key))

    async def put(self, key: str, value: str, ttl: float) -> None:
        """Write a value."""
        await self.server.command("SET", _value(key), value, "PX", _milliseconds(ttl))

    async def add(self, key: str, value: str, ttl: float) -> bool:
        """Write a value only if the key is absent."""
        return bool(await self.server.command("SET", _value(key), value, "NX", "PX", _milliseconds(ttl)))

    async def take(self, key: str) -> str | None:
        """Read and delete."""
        return await self.server.command("GETDEL", _value(key))

    async def reserve(self, key: str, amount: int, limit: int, window: float) -> Reservation:
        """Count against a fixed window that starts with the first use, by the server's clock."""
        granted, used, left = await self._reserve(_counter(key), amount, limit, _milliseconds(window))
        return Reservation(granted=bool(granted), used=used, resets_in=left / 1000)

    async def release(self, key: str, amount: int) -> None:
        """Give back, never below nothing."""
        await self._release(_counter(key), amount)

    async def push(self, key: str, value: str, ttl: float, keep: int) -> None:
        """Append to a list."""
        await self._push(_list(key), value, keep, _milliseconds(ttl))

    async def items(self, key: str) -> list[str]:
        """Read a list."""
        return await self.server.command("LRANGE", _list(key), 0, -1)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.server.aclose()


def _value(key: str) -> str:
    return f"value:{key}"


def _counter(key: str) -> str:
    return f"counter:{key}"


def _list(key: str) -> str:
    return f"list:{key}"


def _milliseconds(seconds: float) -> int:
    """Round up, to one at least: Redis takes no expiry of nothing."""
    return max(1, ceil(seconds * 1000))
