"""One point in time, as people write it; the rules at the top of `times` hold here."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEAR_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_SPAN = re.compile(
    r"(\d{1,6})\s*(y|years?|mo|months?|w|weeks?|d|days?|h|hours?|hrs?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])\s*"
)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d)(?::(\d\d))?)?\s*(am|pm)?")
_TIME_OF_DAY = re.compile(r"(?:^|\s)(?:at\s+)?(\d{1,2}[:.]\d\d(?::\d\d)?\s*(?:am|pm)?|\d{1,2}\s*(?:am|pm))$")
JAVA_ZONE = re.compile(r"\[[^\]]*\]$")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class BadTime(ValueError):
    """A time or period nobody can tell; the message says which forms can be used."""


def instant(text: str, now: datetime, zone: ZoneInfo, *, future: bool = False) -> datetime:
    """Read a point in time; without a zone of its own it is local to `zone`. Returned in `zone`.

    ISO 8601, a date (its beginning), `now`, `today`, `yesterday`, `tomorrow`, a day's name, `14:30`, each
    day with a time of day if wanted; `7d`, `36h`, `1d12h` (ago, or ahead if `future`), `in 3h`, `3h ago`.
    A day's name or bare time is the latest one not after now, or the next one if `future`.
    Raises BadTime.
    """
    words = " ".join(text.casefold().split())
    try:
        moment = _instant(words, text, now.astimezone(zone), zone, future)
    except (ValueError, OverflowError) as error:
        raise BadTime(_no_time(text)) from error
    if moment is None:
        raise BadTime(_no_time(text))
    return moment


def _no_time(text: str) -> str:
    return (
        f"{text[:60]!r} isn't a time. Use ISO 8601 (2026-02-13 or 2026-02-13T13:00), now, today, yesterday, "
        "tomorrow, a day's name with or without a time (monday 09:00), 7d, 36h, 2w or in 3h"
    )


def _instant(words: str, text: str, now: datetime, zone: ZoneInfo, future: bool) -> datetime | None:
    if words == "now":
        return now
    if (moved := _moved(words, now, zone, future)) is not None:
        return moved
    day_words, clock = _split_clock(words)
    if day_words in NEAR_DAYS:
        return local_time(now.date() + timedelta(NEAR_DAYS[day_words]), clock or time(), zone)
    if not day_words and clock:
        moment = local_time(now.date(), clock, zone)
        step = 1 if future and moment <= now else -1 if not future and moment > now else 0
        return local_time(now.date() + timedelta(step), clock, zone)
    if (weekday := _weekday(day_words)) is not None:
        future = day_words.startswith("next ") or (future and not day_words.startswith("last "))
        return _nearest_weekday(weekday, clock or time(), now, zone, future)
    if ISO_DATE.fullmatch(day_words):
        return local_time(date.fromisoformat(day_words), clock or time(), zone)
    moment = datetime.fromisoformat(JAVA_ZONE.sub("", text.strip()).upper())
    if moment.tzinfo is None:
        return local_time(moment.date(), moment.time(), zone)
    return moment.astimezone(zone)


def _moved(words: str, now: datetime, zone: ZoneInfo, future: bool) -> datetime | None:
    """Read `7d`, `in 3h`, `+3h`, `2 weeks ago`; None if it isn't of that kind."""
    if words.startswith(("in ", "+")):
        spans, ahead = words.removeprefix("in ").removeprefix("+"), True
    elif words.endswith(" ago"):
        spans, ahead = words.removesuffix(" ago"), False
    else:
        spans, ahead = words.removeprefix("-"), future and not words.startswith("-")
    parts = spans_of(spans)
    return shifted(now, parts, 1 if ahead else -1, zone) if parts else None


def spans_of(words: str) -> list[tuple[int, str]]:
    """Return `1d12h` as [(1, "d"), (12, "h")], empty if it isn't all spans."""
    parts = [(int(found[1]), _unit(found[2])) for found in _SPAN.finditer(words)]
    return parts if _SPAN.sub("", words) == "" else []


def _unit(word: str) -> str:
    return "mo" if word.startswith("mo") else word[0]


def shifted(moment: datetime, parts: list[tuple[int, str]], sign: int, zone: ZoneInfo) -> datetime:
    """Move by calendar units on the wall clock, then by hours and less in real time."""
    amount = {unit: sign * count for count, unit in parts}
    months = amount.get("mo", 0) + 12 * amount.get("y", 0)
    day = month_later(moment.date(), months) if months else moment.date()
    day += timedelta(days=amount.get("d", 0) + 7 * amount.get("w", 0))
    unmoved = day == moment.date()
    local = moment if unmoved else local_time(day, moment.time(), zone)
    exact = timedelta(hours=amount.get("h", 0), minutes=amount.get("m", 0), seconds=amount.get("s", 0))
    return (local.astimezone(UTC) + exact).astimezone(zone)


def month_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _split_clock(words: str) -> tuple[str, time | None]:
    found = _TIME_OF_DAY.search(words)
    if not found:
        return words, None
    parts = _CLOCK.fullmatch(found[1])
    if not parts:
        return words, None
    hour = int(parts[1])
    if parts[4]:
        if not 1 <= hour <= 12:
            raise ValueError(words)
        hour = hour % 12 + (12 if parts[4] == "pm" else 0)
    return words[: found.start()].strip().rstrip(","), time(hour, int(parts[2] or 0), int(parts[3] or 0))


def _weekday(words: str) -> int | None:
    name = words.removeprefix("last ").removeprefix("next ").removeprefix("on ")
    fits = [index for index, day in enumerate(_DAYS) if len(name) >= 3 and day.startswith(name)]
    return fits[0] if fits else None


def _nearest_weekday(weekday: int, clock: time, now: datetime, zone: ZoneInfo, future: bool) -> datetime:
    step = 1 if future else -1
    day = now.date() + timedelta(step * ((step * (weekday - now.weekday())) % 7))
    moment = local_time(day, clock, zone)
    passed = moment <= now if future else moment > now
    return local_time(day + timedelta(7 * step), clock, zone) if passed else moment


def local_time(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return a wall-clock time in the zone; see the top of the module for times skipped or doubled."""
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=0).astimezone(UTC).astimezone(zone)
