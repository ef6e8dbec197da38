"""The pace of one token: how soon the next request may go out.

Dixa lets a token make 10 requests a second with a burst of 4, and 864,000 a day (notes §3). The pace keeps
below that by GCRA, which is a token bucket without the bucket: one time, `_due`, moves on by 1/rate with each
request, and a request may go while `_due` is at most a burst ahead. Capacity 3.5 instead of 4, because network
jitter of up to half an interval then can't push two requests into one slot of Dixa's clock (design §7).
"""

import math
from typing import Protocol

import anyio

from dixa_mcp.client.deadline import remaining

#: Longest pause a single answer can impose; a larger Retry-After is asked about again after this.
_LONGEST_PAUSE = 3600.0
#: Below a microsecond a wait is a rounding error, and a sleep that short might never move the clock.
_NOTHING = 1e-6


class ShutError(Exception):
    """The token may not be used for longer than the caller can wait; `Dixa`, which knows the request, explains.

    `seconds` until it may; `quota` when the day's requests are used up.
    """

    def __init__(self, seconds: float, *, quota: bool) -> None:
        super().__init__()
        self.seconds = seconds
        self.quota = quota


class Pacing(Protocol):
    """What `Dixa` needs of a pace; a shared one, for several replicas on one token, fits as well."""

    async def turn(self) -> None:
        """Wait for the next slot, first come, first served. Raises `ShutError` when that would be in vain."""
        ...

    async def pause(self, seconds: float) -> None:
        """Stop everybody on this token, after a 429."""
        ...

    async def close(self, seconds: float) -> None:
        """Stop everybody at once and without waiting, after the day's quota was used up."""
        ...


class Pace:
    """A `Pacing` for one process.

    Args:
        rate: requests a second; None for no limit (pauses still hold).
        burst: how many may go at once after a rest.
    """

    def __init__(self, rate: float | None = 10, burst: float = 3.5) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._ahead = (burst - 1) * self._interval
        # Only its holder looks at the clock, so that waiters go in their order and a cancelled one leaves no gap.
        self._door = anyio.Lock(fast_acquire=True)
        self._due = -math.inf
        self._paused_until = -math.inf
        self._closed_until = -math.inf

    async def turn(self) -> None:
        """Wait for the next slot. Raises `ShutError` when a pause outlasts the deadline or the day is over."""
        async with self._door:
            wait = self._wait()
            while wait > _NOTHING:
                # In short naps, for a pause or a close may come meanwhile.
                await anyio.sleep(min(wait, 1.0))
                wait = self._wait()
            if self._interval:
                self._due = max(self._due, anyio.current_time()) + self._interval

    async def pause(self, seconds: float) -> None:
        """Let nobody go for `seconds`, an hour at most, and then one at a time: Dixa's bucket is empty."""
        self._paused_until = max(self._paused_until, anyio.current_time() + min(seconds, _LONGEST_PAUSE))
        self._due = max(self._due, self._paused_until + self._ahead)

    async def close(self, seconds: float) -> None:
        """Refuse everybody for `seconds`."""
        self._closed_until = max(self._closed_until, anyio.current_time() + seconds)

    def _wait(self) -> float:
        now = anyio.current_time()
        if self._closed_until > now:
            raise ShutError(self._closed_until - now, quota=True)
        if (pause := self._paused_until - now) > remaining():
            raise ShutError(pause, quota=False)
        return max(pause, self._due - self._ahead - now)
