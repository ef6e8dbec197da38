"""The pace of one token for several replicas, kept in Redis. Import it late, as `state.redis`.

The same GCRA as `Pace`, in one script and on the server's clock. A caller first reserves the next slot, so that
replicas go in the order they asked, waits for it, and asks again whether it still holds: a pause or a close may
have come. Each replica holds one slot at most, that of the first in its own line; if that one gives up, the next
goes in its place, so no slot is lost.
"""

import math
from typing import Literal

import anyio

from dixa_mcp.client.deadline import remaining
from dixa_mcp.client.pace import Pace, ShutError
from dixa_mcp.errors import StateUnavailable
from dixa_mcp.state.redis import RedisServer

#: As `Pace`: the longest pause a single answer can impose.
_LONGEST_PAUSE = 3600.0
_NOTHING_UNTOLD = (-math.inf, -math.inf)

# Times are whole microseconds of the server's clock. `due` is GCRA's one time; a slot is when a request may go.
#
# - A slot that was waited for may be used up to `late` after its time: as long as that is no later than `due` was
#   when it was given, which is the burst ahead, the sequence still keeps to rate and burst exactly. A burst of 1
#   leaves nothing, so half an interval is allowed there, which Dixa's own capacity above ours makes up for.
# - Where nothing is known (a new token, an empty server) nothing may burst, for others may have just been alone.
# - Neither a pause beyond its maximum nor a line of a hundred replicas is real: another clock has taken over.
_TURN = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, ahead, late = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slot, wanted = tonumber(ARGV[4]), ARGV[5] == '1'
local pause, close, longest = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local kept = redis.call('HMGET', KEYS[1], 'due', 'paused', 'closed')
local paused = math.min(tonumber(kept[2] or 0), now + longest)
local closed = tonumber(kept[3] or 0)
local due = math.min(tonumber(kept[1] or now + ahead), math.max(now, paused) + ahead + 100 * interval)

local function keep()
  local function text(number) return string.format('%.0f', number) end
  redis.call('HSET', KEYS[1], 'due', text(due), 'paused', text(paused), 'closed', text(closed))
  local life = math.max(due, paused, closed) - now + longest
  redis.call('PEXPIRE', KEYS[1], text(life / 1000))
end

if pause > 0 or close > 0 then
  if pause > 0 then
    paused = math.max(paused, now + pause)
    due = math.max(due, paused + ahead)
  end
  if close > 0 then closed = math.max(closed, now + close) end
  keep()
end
if closed > now then return {'closed', closed - now, 0} end
if paused > now then return {'paused', paused - now, 0} end
if wanted and (slot < paused or slot < now - late) then
  slot = math.max(now, due - ahead)
  due = math.max(due, now) + interval
  keep()
end
return {'slot', math.max(0, slot - now), slot}
"""


class RedisPace:
    """A `Pacing` for all replicas on one token.

    Without Redis each replica goes on alone, at a quarter of the rate and one request at a time. How many there
    are isn't known then. Four at a quarter are together exactly Dixa's 10 a second and burst of 4 (notes §3); with
    fewer, something is left unused; with more, or when some replicas still reach Redis, Dixa answers 429 now and
    then, which every read outlasts, and writes have stopped anyway. As the others may have just used up the burst,
    a replica waits one turn before it begins.

    Args:
        server: the shared Redis.
        token: what tells this token from others without revealing it, such as a fingerprint.
        rate: requests a second of all replicas together; None for no limit (pauses still hold).
        burst: how many may go at once after a rest.
        alone: the part of the rate that one replica takes while Redis is gone.
        again: seconds until Redis is tried again. One that hangs costs two seconds each time.
    """

    def __init__(
        self,
        server: RedisServer,
        token: str,
        rate: float | None = 10,
        burst: float = 3.5,
        *,
        alone: float = 0.25,
        again: float = 5.0,
    ) -> None:
        interval = 1 / rate if rate else 0.0
        ahead = (burst - 1) * interval
        self._script = server.script(_TURN)
        self._key = f"pace:{token}"
        self._shape = (_micros(interval), _micros(ahead), _micros(max(ahead, interval / 2)))
        # Only its holder has a slot, so that the waiters of this process go in their order.
        self._door = anyio.Lock(fast_acquire=True)
        self._slot = 0
        self._local = Pace(rate and rate * alone, burst=1)
        self._local_interval = interval / alone
        self._again = again
        self._alone_until: float | None = None
        # Until when a pause and a close hold that Redis hasn't heard of.
        self._untold = _NOTHING_UNTOLD

    @property
    def alone(self) -> bool:
        """Whether Redis is gone and this replica keeps a pace of its own."""
        return self._alone_until is not None

    async def turn(self) -> None:
        """Wait for the next slot. Raises `ShutError` when a pause outlasts the deadline or the day is over."""
        async with self._door:
            while not self._resting():
                try:
                    wait = await self._wait()
                except StateUnavailable:
                    await self._go_alone()
                    break
                if wait <= 0:
                    self._slot = 0
                    return
                # In short naps, for a pause or a close may come meanwhile.
                await anyio.sleep(min(wait, 1.0))
            await self._local.turn()

    async def pause(self, seconds: float) -> None:
        """Let nobody of any replica go for `seconds`, an hour at most, and then one at a time."""
        seconds = min(seconds, _LONGEST_PAUSE)
        await self._local.pause(seconds)
        paused, closed = self._untold
        self._untold = (max(paused, anyio.current_time() + seconds), closed)
        await self._tell()

    async def close(self, seconds: float) -> None:
        """Refuse everybody of every replica for `seconds`."""
        await self._local.close(seconds)
        paused, closed = self._untold
        self._untold = (paused, max(closed, anyio.current_time() + seconds))
        await self._tell()

    async def _wait(self) -> float:
        """Reserve a slot, or look after the one held; returns how long it is until then."""
        state, wait, self._slot = await self._ask(wanted=True)
        # The local pace learns of both, so that they hold even if Redis goes now.
        if state == "closed":
            await self._local.close(wait)
            raise ShutError(wait, quota=True)
        if state == "paused":
            await self._local.pause(wait)
            if wait > remaining():
                raise ShutError(wait, quota=False)
        return wait

    async def _tell(self) -> None:
        """Pass a pause or a close on; while alone this is done by the first turn after."""
        if not self._resting():
            try:
                await self._ask(wanted=False)
            except StateUnavailable:
                await self._go_alone()

    async def _ask(self, *, wanted: bool) -> tuple[Literal["closed", "paused", "slot"], float, int]:
        untold = self._untold
        pause, close = (_micros(max(0.0, until - anyio.current_time())) for until in untold)
        state, wait, slot = await self._script(
            self._key, *self._shape, self._slot, int(wanted), pause, close, _micros(_LONGEST_PAUSE)
        )
        if self._untold is untold:
            self._untold = _NOTHING_UNTOLD
        self._alone_until = None
        return state, wait / 1e6, slot

    def _resting(self) -> bool:
        """Whether Redis was gone a moment ago and isn't tried again yet."""
        return self._alone_until is not None and anyio.current_time() < self._alone_until

    async def _go_alone(self) -> None:
        self._slot = 0
        if self._alone_until is None:
            await self._local.pause(self._local_interval)
        self._alone_until = anyio.current_time() + self._again


def _micros(seconds: float) -> int:
    return math.ceil(seconds * 1e6)
