"""A stretch of time, as people write it; the rules at the top of `times` hold here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dixa_mcp.text.moments import (
    BadTime,
    instant,
    local_time,
    month_later,
    shifted,
    spans_of,
)

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, from `start` up to but not including `end`, both aware and in one zone.

    `preset` is Dixa's name for it, if it has one (notes §13); `text` is for readers; `unit` is the calendar
    unit it is or began as (day, week, month, quarter, year), empty for anything else.
    """

    start: datetime
    end: datetime
    preset: str | None
    text: str
    unit: str = ""

    def previous(self) -> "Period":
        """Return the period to compare with; it never reaches into this one.

        A whole calendar unit compares with the whole one before it (March with February, whatever their
        lengths), one still going on with the same part of the one before (the month to date with last month
        to the same day and hour). Any other stretch compares with the same time directly before it.
        """
        zone = _zone(self.start)
        if self.unit:
            first, after = _unit_around(self.unit, self.start.date())
            if (self.start, self.end) == (local_time(first, time(), zone), local_time(after, time(), zone)):
                before, _ = _unit_around(self.unit, first - timedelta(1))
                return _former(local_time(before, time(), zone), self.start)
            if self.start == local_time(first, time(), zone):
                before, _ = _unit_around(self.unit, first - timedelta(1))
                same = local_time(before + (self.end.date() - first), self.end.time(), zone)
                return _former(local_time(before, time(), zone), min(same, self.start))
        if self.start.time() == self.end.time():  # whole days on the wall clock, through any change of it
            days = (self.end.date() - self.start.date()).days
            return _former(local_time(self.start.date() - timedelta(days), self.start.time(), zone), self.start)
        elapsed = self.end.astimezone(UTC) - self.start.astimezone(UTC)
        return _former((self.start.astimezone(UTC) - elapsed).astimezone(zone), self.start)


def period(text: str, now: datetime, zone: ZoneInfo) -> Period:
    """Read a period: its end is exclusive, and never after `now` for one that is still going on.

    `today`, `yesterday`, `this|last|previous week|month|quarter|year`, `7d`, `last 30 days`, a day
    `2026-02-13`, a month `2026-02`, a year, `2026-Q1`, `january 2026`, or a range `2026-02-01..2026-02-07`
    with both days included (`2026-02-01..` lasts until now). Raises BadTime.
    """
    words = " ".join(text.casefold().replace("_", " ").split())
    local = now.astimezone(zone)
    try:
        found = _range(words, local, zone) or _calendar_unit(words, local, zone) or _last(words, local, zone)
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadTime):
            raise
        raise BadTime(_no_period(text)) from error
    if found is None:
        raise BadTime(_no_period(text))
    return found


def _no_period(text: str) -> str:
    return (
        f"{text[:60]!r} isn't a period. Use today, yesterday, this week, last week, this month, last month, "
        "this quarter, this year, 7d, 2026-02 or 2026-02-01..2026-02-07"
    )


def _zone(moment: datetime) -> ZoneInfo:
    if not isinstance(moment.tzinfo, ZoneInfo):
        raise BadTime("a period needs a named time zone")
    return moment.tzinfo


def _former(start: datetime, end: datetime) -> Period:
    return Period(start, end, None, _from_to(start, end))


def _from_to(start: datetime, end: datetime) -> str:
    """Return a stretch for readers: whole days as days, anything else with times."""
    if start.time() == end.time() == time():
        last = end.date() - timedelta(1)
        return f"{start.date()}" if last == start.date() else f"{start.date()} to {last}"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def _unit_around(unit: str, day: date) -> tuple[date, date]:
    """Return the first day of the calendar unit that holds this day, and of the next one."""
    if unit == "day":
        return day, day + timedelta(1)
    if unit == "week":
        monday = day - timedelta(day.weekday())
        return monday, monday + timedelta(7)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, month_later(first, months)


def _whole(unit: str, day: date, now: datetime, zone: ZoneInfo) -> Period:
    """Return the calendar unit that holds this day, up to now if it is still going on."""
    first, after = _unit_around(unit, day)
    start, end = local_time(first, time(), zone), local_time(after, time(), zone)
    if start > now:
        raise BadTime(f"{first.isoformat()} lies ahead; nothing has happened there yet")
    current, _ = _unit_around(unit, now.date())
    preset, name = None, ""
    if first == current:
        end = now
        preset, name = ("Today", "today") if unit == "day" else (f"This{unit.title()}", f"this {unit}")
    elif after == current:
        preset, name = ("Yesterday", "yesterday") if unit == "day" else (f"Previous{unit.title()}", f"last {unit}")
    label = f"{name}, {_from_to(start, end)}" if name else _from_to(start, end)
    # Dixa has no preset for the year before (notes §13).
    return Period(start, end, None if preset == "PreviousYear" else preset, label, unit)


_Reader = Callable[[re.Match[str], datetime], tuple[str, date]]
_UNITS: tuple[tuple[str, _Reader], ...] = (
    (r"today", lambda _, now: ("day", now.date())),
    (r"yesterday", lambda _, now: ("day", now.date() - timedelta(1))),
    (r"(?:this|current) ?(week|month|quarter|year)", lambda found, now: (found[1], now.date())),
    (
        r"(?:last|previous|past) ?(week|month|quarter|year)",
        lambda found, now: (found[1], _unit_around(found[1], now.date())[0] - timedelta(1)),
    ),
    (r"\d{4}-\d\d-\d\d", lambda found, _: ("day", date.fromisoformat(found[0]))),
    (r"(\d{4})-w(\d\d?)", lambda found, _: ("week", date.fromisocalendar(int(found[1]), int(found[2]), 1))),
    (r"(\d{4})-(\d\d)", lambda found, _: ("month", date(int(found[1]), int(found[2]), 1))),
    (r"(\d{4})", lambda found, _: ("year", date(int(found[1]), 1, 1))),
    (r"(\d{4})[- ]?q([1-4])", lambda found, _: ("quarter", date(int(found[1]), int(found[2]) * 3, 1))),
    (r"q([1-4])[- ](\d{4})", lambda found, _: ("quarter", date(int(found[2]), int(found[1]) * 3, 1))),
    (
        rf"({'|'.join(_MONTHS)}) (\d{{4}})",
        lambda found, _: ("month", date(int(found[2]), _MONTHS.index(found[1]) + 1, 1)),
    ),
)


def _unit_of(words: str, now: datetime) -> tuple[str, date] | None:
    """Return the calendar unit that these words name and a day in it."""
    for pattern, read in _UNITS:
        if found := re.fullmatch(pattern, words):
            return read(found, now)
    return None


def _calendar_unit(words: str, now: datetime, zone: ZoneInfo) -> Period | None:
    named = _unit_of(words, now)
    return _whole(*named, now, zone) if named else None


def _last(words: str, now: datetime, zone: ZoneInfo) -> Period | None:
    parts = spans_of(re.sub(r"^(?:the )?(?:last|past|previous) ", "", words))
    if not parts:
        return None
    start = shifted(now, parts, -1, zone)
    return Period(start, now, None, _from_to(start, now))


def _range(words: str, now: datetime, zone: ZoneInfo) -> Period | None:
    first, dots, last = words.partition("..")
    if not dots:
        first, dots, last = words.partition(" to ")
    first, last = first.strip(), last.strip(". ")
    if not dots or not first:
        return None
    start, _ = _bounds(first, now, zone)
    end = _bounds(last, now, zone)[1] if last else now
    if start >= end:
        raise BadTime(f"{words!r} ends before it begins")
    return Period(start, end, None, _from_to(start, end))


def _bounds(words: str, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return where one side of a range begins and ends: a day or month has two ends, an instant none."""
    if named := _unit_of(words, now):
        first, after = _unit_around(*named)
        return local_time(first, time(), zone), local_time(after, time(), zone)
    moment = instant(words, now, zone)
    return moment, moment
