"""The memory of one process."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from dixa_mcp.state.protocol import Reservation


@dataclass(slots=True)
class _Kept:
    value: str
    expires: float


@dataclass(slots=True)
class _Counter:
    used: int
    expires: float


class MemoryState:
    """`State` of one process. Atomic because nothing in it awaits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._counters: dict[str, _Counter] = {}
        self._lists: dict[str, tuple[list[str], float]] = {}
        self._sweep_at = 0.0

    async def get(self, key: str) -> str | None:
        """Read a value; None when absent or expired."""
        return self._read(key)

    async def put(self, key: str, value: str, ttl: float) -> None:
        """Write a value."""
        self._sweep()
        self._kept[key] = _Kept(value, self._clock() + ttl)

    async def add(self, key: str, value: str, ttl: float) -> bool:
        """Write a value only if the key is absent."""
        if self._read(key) is not None:
            return False
        await self.put(key, value, ttl)
        return True

    async def take(self, key: str) -> str | None:
        """Read and delete."""
        value = self._read(key)
        self._kept.pop(key, None)
        return value

    async def reserve(self, key: str, amount: int, limit: int, window: float) -> Reservation:
        """Count against a fixed window that starts with the first use."""
        now = self._clock()
        counter = self._counters.get(key)
        if counter is None or counter.expires <= now:
            counter = _Counter(0, now + window)
        resets_in = counter.expires - now
        if counter.used + amount > limit:
            return Reservation(granted=False, used=counter.used, resets_in=resets_in)
        if amount:
            counter.used += amount
            self._counters[key] = counter
        return Reservation(granted=True, used=counter.used, resets_in=resets_in)

    async def release(self, key: str, amount: int) -> None:
        """Give back, never below nothing."""
        if counter := self._counters.get(key):
            counter.used = max(0, counter.used - amount)

    async def push(self, key: str, value: str, ttl: float, keep: int) -> None:
        """Append to a list."""
        now = self._clock()
        held, expires = self._lists.get(key, ([], 0.0))
        entries = [*(held if expires > now else []), value][-keep:]
        self._lists[key] = (entries, now + ttl)

    async def items(self, key: str) -> list[str]:
        """Read a list."""
        held, expires = self._lists.get(key, ([], 0.0))
        return list(held) if expires > self._clock() else []

    def _read(self, key: str) -> str | None:
        kept = self._kept.get(key)
        return kept.value if kept and kept.expires > self._clock() else None

    def _sweep(self) -> None:
        """Forget what has expired, at most once a minute, so that a long life doesn't grow."""
        now = self._clock()
        if now < self._sweep_at:
            return
        self._sweep_at = now + 60
        self._kept = {key: kept for key, kept in self._kept.items() if kept.expires > now}
        self._counters = {key: counter for key, counter in self._counters.items() if counter.expires > now}
        self._lists = {key: held for key, held in self._lists.items() if held[1] > now}
