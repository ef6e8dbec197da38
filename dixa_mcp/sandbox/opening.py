"""Business hours: what a schedule says about a day, and when it opens and closes (notes §17).

A schedule holds `days` (1 = Monday → [[from, to], …]), and `exceptions`, each for one `date` or, `recurring`,
for a day of every year. All times are local to the schedule's zone. Ours: an exception replaces the hours of
its day; if several fall on it the last one does; an open exception without hours of its own is open as usual.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.wire import Json, listed, part

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: How far ahead a change between open and closed is looked for: a schedule may have no open day at all.
AHEAD = 400


def zone_of(schedule: Json) -> ZoneInfo:
    """Return the zone a schedule's hours are in."""
    return ZoneInfo(schedule["timezone"])


def exception_on(schedule: Json, day: date) -> Json | None:
    """Return the exception or holiday that rules a day, None on a usual one."""
    found = [item for item in listed(schedule, "exceptions") if _falls_on(item, day)]
    return found[-1] if found else None


def _falls_on(exception: Json, day: date) -> bool:
    if yearly := exception.get("recurring"):
        return (yearly["dayOfMonth"], yearly["monthOfYear"]) == (day.day, day.month)
    return str(exception["date"]) == day.isoformat()


def hours(schedule: Json, day: date) -> list[list[str]]:
    """Return the intervals of a day, exceptions applied."""
    usual: list[list[str]] = part(schedule, "days").get(str(day.isoweekday())) or []
    exception = exception_on(schedule, day)
    if exception is None:
        return usual
    return (listed(exception, "hours") or usual) if exception["status"] == "Open" else []


def _spans(schedule: Json, day: date) -> list[tuple[datetime, datetime]]:
    """Return the intervals of a day as instants; one that doesn't end after its start ends the day after."""
    zone = zone_of(schedule)
    spans: list[tuple[datetime, datetime]] = []
    for start, end in hours(schedule, day):
        begin, until = time.fromisoformat(start), time.fromisoformat(end.replace("24:", "00:"))
        last = day if until > begin else day + timedelta(days=1)
        spans.append((datetime.combine(day, begin, zone).astimezone(UTC), datetime.combine(last, until, zone)))
    return [(begin, until.astimezone(UTC)) for begin, until in spans]


def status(schedule: Json, moment: datetime) -> tuple[bool, datetime | None]:
    """Return whether it is open, and when that changes; None if it never does within a year.

    An interval holds its first moment and not its last; intervals that touch, also over midnight, are one.
    """
    today = moment.astimezone(zone_of(schedule)).date()
    end: datetime | None = None
    for ahead in range(-1, AHEAD):
        for start, until in sorted(_spans(schedule, today + timedelta(days=ahead))):
            if end is not None and start > end:
                return True, end
            if start <= moment < until or end is not None:
                end = max(until, end or until)
            elif start > moment:
                return False, start
    always = end is not None and end > moment + timedelta(days=AHEAD - 3)
    return end is not None, None if always else end


def regular(schedule: Json, today: date) -> list[Json]:
    """Return the weekly hours. Ours: a rule starts with this week's day, as the document's example has it."""
    monday = today - timedelta(days=today.weekday())
    return [
        _hour(NAMES[day - 1], "Regular", spans, monday + timedelta(days=day - 1)) | {"dayOfWeek": day}
        for day in range(1, 8)
        if (spans := part(schedule, "days").get(str(day)))
    ]


def exceptions(schedule: Json, today: date) -> list[Json]:
    """Return the exceptions and holidays with the date of their next occurrence."""
    shown: list[Json] = []
    for item in listed(schedule, "exceptions"):
        yearly = item.get("recurring")
        start = _next(yearly, today) if yearly else parse(str(item["date"])).date()
        hour = _hour(item["name"], item["kind"], listed(item, "hours"), start, item["status"])
        if yearly:
            hour["recurring"] = yearly
        shown.append(hour | ({"nextDate": start.isoformat()} if start >= today else {}))
    return shown


def _next(yearly: Json, today: date) -> date:
    """Return the next date of a yearly day; 29 February waits for a leap year."""
    for year in range(today.year, today.year + 9):
        try:
            day = date(year, yearly["monthOfYear"], yearly["dayOfMonth"])
        except ValueError:
            continue
        if day >= today:
            return day
    raise ValueError(f"there is no {yearly}")


def upcoming(schedule: Json, today: date, days: int) -> list[Json]:
    """Return each of the coming days, today included, with the hours that hold there. Ours: closed ones, too."""
    shown: list[Json] = []
    for day in (today + timedelta(days=ahead) for ahead in range(days)):
        exception = exception_on(schedule, day)
        name, kind = (exception["name"], exception["kind"]) if exception else (NAMES[day.weekday()], "Regular")
        hour = _hour(name, kind, hours(schedule, day), day, exception["status"] if exception else None)
        if exception and "recurring" in exception:
            hour["recurring"] = exception["recurring"]
        shown.append(hour | {"dayOfWeek": day.isoweekday(), "nextDate": day.isoformat()})
    return shown


def _hour(name: str, kind: str, spans: list[list[str]], start: date, status: str | None = None) -> Json:
    return {
        "name": name,
        "businessHourType": kind,
        "status": status or ("Open" if spans else "Closed"),
        "intervals": [{"startTime": begin, "endTime": end} for begin, end in spans],
        "startDate": start.isoformat(),
    }
