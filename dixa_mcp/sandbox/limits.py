"""The rate of a token: ten requests a second, bursts of four (notes §3)."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """A token bucket in real, monotonic time."""

    rate: float
    burst: float
    filled: float
    at: float


class Limits:
    """One bucket a token. `rate` None lets everything pass, except for tokens with a burst of their own."""

    def __init__(self, rate: float | None, burst: float = 4, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}

    def take(self, token: str, own_burst: float | None = None) -> bool:
        """Take one request from a token's bucket; False when it is empty.

        `own_burst` is the capacity of a token that is always limited, whatever the sandbox's rate.
        """
        if self.rate is None and own_burst is None:
            return True
        now = self._monotonic()
        burst = own_burst or self.burst
        bucket = self._buckets.setdefault(token, Bucket(self.rate or 10, burst, burst, now))
        bucket.filled = min(bucket.burst, bucket.filled + (now - bucket.at) * bucket.rate)
        bucket.at = now
        if bucket.filled < 1 - 1e-9:  # a tenth of a second is a whole request, rounding or not
            return False
        bucket.filled -= 1
        return True

    def reset(self) -> None:
        """Fill every bucket."""
        self._buckets.clear()
