"""The memory that replicas share, in Redis 6.2 or newer, or Valkey. Import it late: it needs the extra `[redis]`.

Every key carries a prefix, its kind and an expiry. Every method is one command or one script, so it is atomic,
and is sent once: a repeat after a timeout could count twice or take what nobody then gets. When the answer
stays away the outcome is unknown and `StateUnavailable` is raised, so `reserve`, `add` and `take` fail closed:
what they may have taken stays taken until it expires, and nobody acts on it.

A server that says it is a replica was a primary before, so every connection is made anew: the address leads to
the present one. A counter that a failover lost goes on from what the first to ask had seen of it last; one that
survived it goes on from what the new primary has.
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
    from redis.exceptions import ReadOnlyError, RedisError
except ImportError as missing:
    raise SettingsError("Sharing state needs the package redis.", "Install dixa-mcp[redis].") from missing

#: Seconds for a connection, for an answer, and for a free place in the pool.
_PATIENCE = 1.0
#: Seconds for all of it together: a connection is made, or waited for, and a command answered.
_LONGEST = 2.0
_CONNECTIONS = 16
#: Counters remembered before it is looked which of them have ended.
_FEW = 1000

#: As something untyped, for its arguments are.
_Pool: Any = BlockingConnectionPool

# A counter that is gone before its window ended was lost in a failover, since nothing here deletes one; then what
# the asker saw last (`seen`, until `ends` by the server's clock) is counted on from.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local left = redis.call('PTTL', KEYS[1])
local amount, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local seen, ends = tonumber(ARGV[4]), tonumber(ARGV[5])
if left == -2 and seen > 0 and ends > now then
  used, left = seen, ends - now
  redis.call('SET', KEYS[1], used, 'PX', left)
end
local granted = used + amount <= limit
if granted and amount > 0 then
  used = redis.call('INCRBY', KEYS[1], amount)
  if left < 0 then redis.call('PEXPIRE', KEYS[1], window) end
end
if left < 0 then left = window end
return {granted and 1 or 0, used, left, now + left}
"""

_RELEASE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local back = math.min(used, tonumber(ARGV[1]))
if back > 0 then used = redis.call('DECRBY', KEYS[1], back) end
return used
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

    async def writable(self) -> bool:
        """Say whether the server takes what is written, within two seconds; one that only answers may be full."""
        try:
            await self.command("SET", "value:written", "", "PX", 60_000)
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
            except ReadOnlyError as error:
                with suppress(RedisError, OSError):
                    await self._connect_anew()
                raise StateUnavailable from error
            except (RedisError, OSError) as error:
                raise StateUnavailable from error

    async def _connect_anew(self) -> None:
        """Let no connection of before be used again; what others wait for on theirs they still get."""
        pool = self._redis.connection_pool
        await pool.update_active_connections_for_reconnect()
        await pool.disconnect(inuse_connections=False)


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
        self._kept = _FEW
        self._seen: dict[str, tuple[int, int]] = {}
        """What each counter said last: its use, and when its window ends, in milliseconds of the server's clock."""

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
        seen = self._seen.get(key, (0, 0))
        granted, used, left, ends = await self._reserve(_counter(key), amount, limit, _milliseconds(window), *seen)
        self._remember(key, used, ends, now=ends - left)
        return Reservation(granted=bool(granted), used=used, resets_in=left / 1000)

    async def release(self, key: str, amount: int) -> None:
        """Give back, never below nothing."""
        used = await self._release(_counter(key), amount)
        if key in self._seen:
            seen, ends = self._seen[key]
            self._seen[key] = (max(0, seen - amount) if used < 0 else used, ends)

    async def push(self, key: str, value: str, ttl: float, keep: int) -> None:
        """Append to a list."""
        await self._push(_list(key), value, keep, _milliseconds(ttl))

    async def items(self, key: str) -> list[str]:
        """Read a list."""
        return await self.server.command("LRANGE", _list(key), 0, -1)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.server.aclose()

    def _remember(self, key: str, used: int, ends: int, *, now: int) -> None:
        self._seen[key] = (used, ends)
        if len(self._seen) > 2 * self._kept:
            self._seen = {name: seen for name, seen in self._seen.items() if seen[1] > now}
            self._kept = max(_FEW, len(self._seen))


def _value(key: str) -> str:
    return f"value:{key}"


def _counter(key: str) -> str:
    return f"counter:{key}"


def _list(key: str) -> str:
    return f"list:{key}"


def _milliseconds(seconds: float) -> int:
    """Round up, to one at least: Redis takes no expiry of nothing."""
    return max(1, ceil(seconds * 1000))
