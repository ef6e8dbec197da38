"""How many of a thing there may be at a time: in all, and for each caller. What is too much is told so at once."""

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


class TurnedAwayError(Exception):
    """A request that goes no further: a status, what to say, and headers that help."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Places:
    """The places for one kind of thing."""

    total: int
    each: int
    things: str
    """What they are for, as the refusal says it."""
    advice: str
    """What who has too many can do."""
    flags: tuple[str, str]
    """The settings that widen `total` and `each`."""
    wait: int
    """Seconds after which it is worth another try."""
    _taken: Counter[str] = field(default_factory=Counter[str])

    @contextmanager
    def one(self, who: str) -> Generator[None]:
        """Hold a place.

        Raises:
            TurnedAwayError: There is none left.
        """
        self.check(self._taken, who)
        self._taken[who] += 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]

    def check(self, taken: Counter[str], who: str) -> None:
        """Look whether there is a place, beside those that are taken.

        Raises:
            TurnedAwayError: There is none: 503, or 429 where this caller has enough.
        """
        after = {"Retry-After": str(self.wait)}
        if taken.total() >= self.total:
            raise TurnedAwayError(503, f"This server has {self.total} {self.things} ({self.flags[0]}).", after)
        if taken[who] >= self.each:
            text = f"You have {self.each} {self.things} ({self.flags[1]}); {self.advice}."
            raise TurnedAwayError(429, text, after)
