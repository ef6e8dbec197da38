"""What the figures must be, counted here from the sandbox's state and not by its own arithmetic."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dixa_mcp.sandbox import Sandbox

SATISFIED = 4


def between(first: str, last: str, zone: str = "UTC") -> tuple[datetime, datetime]:
    """Whole days of a zone, the last one included."""
    start, end = (datetime.combine(date.fromisoformat(day), time(), ZoneInfo(zone)) for day in (first, last))
    return start, datetime.combine(end.date() + timedelta(1), time(), ZoneInfo(zone))


def moment(text: str) -> datetime:
    """A time of the sandbox's state."""
    return datetime.fromisoformat(text).astimezone(UTC)


def closed(sandbox: Sandbox, span: tuple[datetime, datetime] | None = None) -> list[dict[str, Any]]:
    """The closed conversations of a time."""
    everything = [each for each in sandbox.organisation.conversations.values() if each.get("state") == "Closed"]
    return [each for each in everything if span is None or span[0] <= moment(each["stateUpdatedAt"]) < span[1]]


def by_day(sandbox: Sandbox, span: tuple[datetime, datetime], zone: str) -> Counter[str]:
    """Closed conversations by local day."""
    days = (moment(each["stateUpdatedAt"]).astimezone(ZoneInfo(zone)) for each in closed(sandbox, span))
    return Counter(f"{day:%Y-%m-%d}" for day in days)


def by_queue(sandbox: Sandbox, span: tuple[datetime, datetime]) -> Counter[str]:
    """Closed conversations by the name of their queue; without one: empty."""
    queues = {queue["id"]: queue["name"] for queue in sandbox.organisation.queues.values()}
    return Counter(queues.get((each.get("queue") or {}).get("id", ""), "") for each in closed(sandbox, span))


def csat(sandbox: Sandbox, span: tuple[datetime, datetime], agent: str = "") -> float | None:
    """The share of satisfied customers, in percent."""
    scores = [
        rating["ratingScore"]
        for ratings in sandbox.organisation.ratings.values()
        for rating in ratings
        if rating["ratingType"] == "Csat" and rating["ratingStatus"] == "Rated"
        if span[0] <= moment(rating["timestamps"]["rated_at"]) < span[1]
        if agent in {"", rating.get("agentId")}
    ]
    return 100 * sum(score >= SATISFIED for score in scores) / len(scores) if scores else None
