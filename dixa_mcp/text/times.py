"""Times as people and Dixa write them.

Nothing here reads the clock: `now` is always given (Dixa's clock, see the client), and so is the zone.
Local times that the change to summer time skips move forward by the gap; those that occur twice are the
first of the two. Weeks start on Monday. Everything returned is aware.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dixa_mcp.text.moments import JAVA_ZONE, NEAR_DAYS, BadTime, instant
from dixa_mcp.text.periods import Period, period

__all__ = ["BadTime", "Period", "ago", "instant", "parse", "period", "shown", "wire"]


def wire(moment: datetime) -> str:
    """Return a time as Dixa takes it: UTC with milliseconds, `2026-02-13T12:00:00.000Z` (notes §7)."""
    if moment.tzinfo is None:
        raise BadTime("a time without a zone can't be sent")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """Read one of Dixa's own times: with `Z`, an offset, a Java suffix `[GMT]`, or no zone = UTC (notes §7)."""
    try:
        moment = datetime.fromisoformat(JAVA_ZONE.sub("", text.strip()))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadTime(f"{text[:60]!r} isn't a time") from error


def shown(moment: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Return a time for readers: `2026-02-13 13:00 CET`; near `now`, `today 13:00 CET` or `yesterday …`."""
    local = moment.astimezone(zone)
    day = local.date().isoformat()
    if now is not None:
        apart = (local.date() - now.astimezone(zone).date()).days
        day = next((name for name, days in NEAR_DAYS.items() if days == apart), day)
    return f"{day} {local:%H:%M} {local.tzname()}"


def ago(moment: datetime, now: datetime) -> str:
    """Return how far away a time is: `just now`, `5 min ago`, `3 h ago`, `2 days ago`, `in 3 h`."""
    seconds = (now - moment).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        words = f"{int(seconds // 60)} min"
    elif seconds < 2 * 86_400:
        words = f"{int(seconds // 3600)} h"
    else:
        days = int(seconds // 86_400)
        count, unit = (days, "days") if days < 60 else (days // 30, "months") if days < 730 else (days // 365, "years")
        words = f"{count} {unit}"
    return f"in {words}" if ahead else f"{words} ago"
