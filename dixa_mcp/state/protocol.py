"""The protocol of the shared memory, and what a counter says."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a counter said: whether the amount was granted, the use after it, and when the window ends."""

    granted: bool
    used: int
    resets_in: float
    """Seconds until the window starts anew."""


class State(Protocol):
    """Small shared memory. Every method is atomic; `ttl` and `window` are seconds."""

    async def get(self, key: str) -> str | None:
        """Read a value; None when absent or expired."""
        ...

    async def put(self, key: str, value: str, ttl: float) -> None:
        """Write a value."""
        ...

    async def add(self, key: str, value: str, ttl: float) -> bool:
        """Write a value only if the key is absent; say whether it was written."""
        ...

    async def take(self, key: str) -> str | None:
        """Read and delete in one step, so that only one caller gets it."""
        ...

    async def reserve(self, key: str, amount: int, limit: int, window: float) -> Reservation:
        """Count `amount` against `limit` a window; nothing is counted when it would exceed the limit."""
        ...

    async def release(self, key: str, amount: int) -> None:
        """Give back what was reserved for something that proved not to happen."""
        ...

    async def push(self, key: str, value: str, ttl: float, keep: int) -> None:
        """Append to a list, of which the newest `keep` entries stay."""
        ...

    async def items(self, key: str) -> list[str]:
        """Read a list, oldest first."""
        ...
