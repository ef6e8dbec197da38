"""The sandbox's time: it stands still until somebody moves it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

#: A Friday (fixtures §1).
START = datetime(2026, 2, 13, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that only moves when told to, so that the same calls give the same organisation."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or START
        self._now = self._start

    def now(self) -> datetime:
        """Return the sandbox's present time, in UTC."""
        return self._now

    def set(self, moment: datetime) -> datetime:
        """Go to a moment and return it; one without a zone is UTC."""
        self._now = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return self._now

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move forward and return the new time."""
        self._now += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._now

    def reset(self) -> None:
        """Go back to where it started."""
        self._now = self._start

    @property
    def date_header(self) -> str:
        """The present time as the `Date` header of an answer."""
        return format_datetime(self._now, usegmt=True)


class NotATimeError(ValueError):
    """A text that looks like a time and is none, such as the 30th of February."""


@lru_cache(maxsize=100_000)
def parse(text: str) -> datetime:
    """Read a time as it comes in or lies in the seed: `Z`, an offset, `[GMT]`, or no zone, which is UTC.

    Raises:
        NotATimeError: it isn't a time.
    """
    try:
        moment = datetime.fromisoformat(text.partition("[")[0])
    except ValueError as error:
        raise NotATimeError(f"{text} is not a time") from error
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
