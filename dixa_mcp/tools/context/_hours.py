"""Business hours in one line a schedule: its zone, its week, and the days that differ."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from dixa_mcp.client import hours
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.workspace import Hours, Schedule
from dixa_mcp.errors import DixaMcpError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


async def schedules(dixa: Dixa) -> list[str]:
    """Describe every schedule; one whose definition can't be read is named all the same."""
    known = await dixa.catalogue.schedules()
    read = await dixa.all([partial(hours.definition, dixa, schedule.id) for schedule in known])
    return [
        short.name if isinstance(whole, DixaMcpError) or whole is None else described(whole)
        for short, whole in zip(known, read, strict=True)
    ]


def described(schedule: Schedule) -> str:
    """One schedule in words: `Weekdays (Europe/Copenhagen): Mon-Fri 09:00-17:00; Good Friday 2026-04-03 closed`."""
    parts = [*_week(schedule.business_hours), *(_exception(each) for each in schedule.exceptions)]
    return f"{schedule.name} ({schedule.timezone}): {'; '.join(parts) or 'no hours'}"


def _week(week: Sequence[Hours]) -> list[str]:
    """Days in a row with the same hours are one entry."""
    days = sorted((each for each in week if each.day_of_week), key=lambda each: each.day_of_week or 0)
    spans: list[str] = []
    for (open_at, _), run in groupby(
        enumerate(days), key=lambda pair: (_open(pair[1]), (pair[1].day_of_week or 0) - pair[0])
    ):
        names = [DAYS[(day.day_of_week or 1) - 1] for _, day in run]
        spans.append(f"{names[0]}{f'-{names[-1]}' * (len(names) > 1)} {open_at}")
    return spans


def _exception(day: Hours) -> str:
    when = day.next_date or day.start_date
    span = f"{when} to {day.end_date}" if day.end_date and day.end_date != when else when
    return f"{day.name} {span}{' yearly' * bool(day.recurring)} {_open(day)}"


def _open(day: Hours) -> str:
    spans = ", ".join(f"{each.start_time}-{each.end_time}" for each in day.intervals)
    return spans if spans and day.status != "Closed" else "closed"
