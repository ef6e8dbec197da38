"""Analytics: figures and rows computed from the organisation's conversations (notes §13)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.organisation import Organisation, name_of
from dixa_mcp.sandbox.stories import CALL, Story
from dixa_mcp.sandbox.telling import line_of
from dixa_mcp.sandbox.wire import Json, invalid, listed, part, stamp_ms

ATTRIBUTES = ("agent_id", "queue_id", "channel", "initial_direction", "tag_id", "contact_point")
DIRECTIONS = {"INBOUND": "Inbound", "OUTBOUND": "Outbound"}
SATISFIED = 4


class Fact(NamedTuple):
    """One thing that happened and counts: when, in which conversation, who did it, what it is worth."""

    at: datetime
    conversation: Json
    agent: str | None
    value: float


# --- periods


def period(org: Organisation, body: Json) -> tuple[datetime, datetime] | None:
    """Return the period a body asks for, None if it names conversations instead.

    Raises:
        Refusal: 400 for an unknown zone, both filters or none.
    """
    try:
        zone = ZoneInfo(body["timezone"])
    except (KeyError, ValueError, OSError) as error:
        raise invalid("body (timezone)") from error
    asked, csids = body.get("periodFilter"), body.get("csidFilter")
    if bool(asked) == bool(csids):
        raise invalid("body (either periodFilter or csidFilter)")
    if not asked:
        return None
    if asked["_type"] == "Interval":
        return parse(asked["start"]), parse(asked["end"])
    value: Any = asked["value"]
    return preset(value if isinstance(value, str) else value["_type"], org.at().astimezone(zone))


def preset(name: str, now: datetime) -> tuple[datetime, datetime]:
    """Return a preset period as [start, end), cut in the zone of `now`; weeks start on Monday (ours)."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = {
        "Day": today,
        "Week": _shift(today, days=-today.weekday()),
        "Month": today.replace(day=1),
        "Quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "Year": today.replace(month=1, day=1),
    }
    name = {"Today": "ThisDay", "Yesterday": "PreviousDay"}.get(name, name)
    unit = name.removeprefix("This").removeprefix("Previous")
    if unit not in first or name == unit:
        raise invalid("body (periodFilter.value)")
    start = first[unit]
    if name.startswith("Previous"):
        back = {"Day": _shift(start, days=-1), "Week": _shift(start, days=-7), "Year": _months(start, -12)}
        return back.get(unit) or _months(start, -3 if unit == "Quarter" else -1), start
    ahead = {"Day": _shift(start, days=1), "Week": _shift(start, days=7), "Year": _months(start, 12)}
    return start, ahead.get(unit) or _months(start, 3 if unit == "Quarter" else 1)


def _shift(moment: datetime, days: int) -> datetime:
    return moment + timedelta(days=days)  # wall time of the zone: midnight stays midnight


def _months(moment: datetime, count: int) -> datetime:
    month = moment.year * 12 + moment.month - 1 + count
    return moment.replace(year=month // 12, month=month % 12 + 1)


# --- facts


def facts(org: Organisation, name: str, body: Json) -> list[Fact]:
    """Return what a metric or record counts, in the period and under the filters asked for, oldest first."""
    span = period(org, body)
    wanted = set(listed(body, "csidFilter"))
    spec = org.metrics.get(name) or org.records[name]
    filters = [item for item in listed(body, "filters") if item["attribute"] in spec["filters"]]
    if any(item["attribute"] not in ATTRIBUTES for item in listed(body, "filters")):
        raise invalid("body (filters.attribute)")
    found = [
        fact
        for conversation in _candidates(org, name, span, wanted)
        for fact in SOURCES[name](org, conversation)
        if (span is None or span[0] <= fact.at < span[1]) and all(_passes(org, fact, item) for item in filters)
    ]
    return sorted(found, key=lambda fact: (fact.at, fact.conversation["id"]))


def _candidates(org: Organisation, name: str, span: tuple[datetime, datetime] | None, wanted: set[int]) -> list[Json]:
    """Return the conversations that may count; of those nobody looked at, a glance at the clock drops most.

    What was anonymised still counts, with what was kept of it for this purpose (notes §20).
    """
    if span is None:
        ids = [csid for csid in org.conversations if csid in wanted]
    else:
        start, end = (moment.timestamp() for moment in span)
        when, stories = DRAWN.get(name, lambda story: start), org.untold.stories
        ids = [csid for csid in org.conversations if csid not in stories or start <= when(stories[csid]) < end]
    kept = org.statistics
    return [org.conversations[csid] | kept[csid] if csid in kept else org.conversations[csid] for csid in ids]


def _passes(org: Organisation, fact: Fact, asked: Json) -> bool:
    """Whether one filter lets a fact pass; ours: without values it lets all pass."""
    values = {str(value).casefold() for value in listed(asked, "values")}
    return not values or any(value.casefold() in values for value in _held(org, fact, asked["attribute"]))


def _held(org: Organisation, fact: Fact, attribute: str) -> list[str]:
    item = fact.conversation
    match attribute:
        case "agent_id":
            held = [fact.agent]
        case "queue_id":
            held = [part(item, "queue").get("id")]
        case "channel":
            held = [channel(org, item)[0], item["channel"]]
        case "initial_direction":
            held = [item.get("direction", "").upper()]
        case "tag_id":
            held = list(org.tagged.get(item["id"], []))
        case _:
            held = [contact_point(org, item)]
    return [value for value in held if value]


def channel(org: Organisation, conversation: Json) -> list[str]:
    """Return a conversation's channel as analytics names it, and its label."""
    name = conversation["channel"]
    return org.channel_labels.get(name, [name.upper(), name])


def contact_point(org: Organisation, conversation: Json) -> str | None:
    """Return the organisation's own address or number of a conversation."""
    own = conversation.get("integrationEmail") or conversation.get("fromNumber")
    if own:
        return str(own)
    if story := org.untold.stories.get(conversation["id"]):
        return line_of(org) if story.channel == CALL else None
    calls = [item["attributes"] for item in org.messages.get(conversation["id"], []) if "to" in item["attributes"]]
    return next((str(call["to"]) for call in calls if call["_type"] == "PhoneAttributes"), None)


def _holder(conversation: Json) -> str | None:
    return part(conversation, "assignment").get("agentId")


def _ratings(org: Organisation, item: Json) -> list[Fact]:
    return [
        Fact(parse(rating["timestamps"]["rated_at"]), item, rating.get("agentId"), rating["ratingScore"])
        for rating in org.ratings.get(item["id"], [])
        if rating["ratingStatus"] == "Rated"
    ]


def _csat(org: Organisation, item: Json) -> list[Fact]:
    return [
        Fact(parse(rating["timestamps"]["rated_at"]), item, rating.get("agentId"), rating["ratingScore"])
        for rating in org.ratings.get(item["id"], [])
        if rating["ratingStatus"] == "Rated" and rating["ratingType"] == "Csat"
    ]


def _closed(org: Organisation, item: Json) -> list[Fact]:
    return [Fact(parse(item["stateUpdatedAt"]), item, _holder(item), 1)] if item.get("state") == "Closed" else []


def _first_response(org: Organisation, item: Json) -> list[Fact]:
    if story := org.untold.stories.get(item["id"]):
        if not story.first_reply or story.agent not in org.agents:
            return []
        at = datetime.fromtimestamp(story.first_reply, UTC)
        return [Fact(at, item, story.agent, float(story.first_reply - story.created))]
    for message in org.messages.get(item["id"], []):
        attributes, author = message["attributes"], message["authorId"]
        if author in org.agents and attributes.get("direction") == "Outbound" and not attributes.get("isAutoReply"):
            at = parse(message["createdAt"])
            waited = (at - parse(item["createdAt"])).total_seconds()
            return [Fact(at, item, author, waited)] if item.get("direction") == "Inbound" else []
    return []


def _assignments(org: Organisation, item: Json) -> list[Fact]:
    assignment = item.get("assignment")
    return [Fact(parse(assignment["assignedAt"]), item, assignment["agentId"], 1)] if assignment else []


def _solved_at_once(org: Organisation, item: Json) -> list[Fact]:
    story = org.untold.stories.get(item["id"])
    reopened = (
        story.reopened
        if story
        else any(entry["_type"] == "ConversationReopened" for entry in org.activity.get(item["id"], []))
    )
    followed = any(child["link"]["_type"] == "FollowUp" for child in org.children(item["id"]))
    return [Fact(fact.at, item, fact.agent, 0 if reopened or followed else 1) for fact in _closed(org, item)]


SOURCES: dict[str, Callable[[Organisation, Json], list[Fact]]] = {
    "csat": _csat,
    "ratings": _ratings,
    "closed_conversations": _closed,
    "first_response_time": _first_response,
    "conversation_assignments_per_agent": _assignments,
    "fcr": _solved_at_once,
}


#: When what counts happened in a story, for the sources that don't need a rating.
DRAWN: dict[str, Callable[[Story], float]] = {
    "closed_conversations": lambda story: story.closed,
    "first_response_time": lambda story: story.first_reply,
    "conversation_assignments_per_agent": lambda story: story.answered,
    "fcr": lambda story: story.closed,
}


# --- figures


def aggregates(name: str, measures: list[str], found: list[Fact]) -> list[Json]:
    """Return the figures asked for. Ours: a share, average or extreme of nothing is left out."""
    return [figure for measure in measures if (figure := _figure(name, measure, found))]


def _figure(name: str, measure: str, found: list[Fact]) -> Json | None:
    values = [fact.value for fact in found]
    if measure == "Count":
        per_agent = name == "conversation_assignments_per_agent"
        count = len({fact.agent for fact in found}) if per_agent else len(found)
        return {"_type": "LongAggregateValue", "value": count, "measure": "Count"}
    if measure == "Sum":
        return {"_type": "DoubleAggregateValue", "value": float(sum(values)), "measure": "Sum"}
    if not values:
        return None
    number = {"Average": sum(values) / len(values), "Min": min(values), "Max": max(values)}.get(measure, 0.0)
    if measure == "Percentage":
        good = [value for value in values if value >= (SATISFIED if name == "csat" else 1)]
        number = 100 * len(good) / len(values)
    return {"_type": "DoubleAggregateValue", "value": round(float(number), 2), "measure": measure}


def row(org: Organisation, name: str, fact: Fact) -> Json:
    """Return a fact as a record row."""
    stamped = {"name": "created_at", "timestamp": stamp_ms(fact.at)}
    value = {} if name == "closed_conversations" else {"value": {"_type": "LongField", "value": int(fact.value)}}
    cells = [(field, _cell(org, fact, field)) for field in org.records[name]["fields"]]
    return {
        "primaryTimestampField": stamped,
        **value,
        "fields": [{"name": field, "field": cell} for field, cell in cells if cell],
    }


def _cell(org: Organisation, fact: Fact, field: str) -> Json | None:
    item = fact.conversation
    match field:
        case "csid":
            return {"_type": "LongField", "value": item["id"]}
        case "current_channel" | "initial_channel":
            word, label = channel(org, item)
            return _text(word, label)
        case "initial_direction":
            word = item.get("direction", "Inbound").upper()
            return _text(word, word.capitalize())
        case "contact_point":
            point = contact_point(org, item)
            return _text(point, point) if point else None
        case "closed_at":
            return {"_type": "TimestampField", "name": "closed_at", "timestamp": stamp_ms(fact.at)}
        case "queue":
            queue = org.queues.get(part(item, "queue").get("id", ""))
            return _uuid(queue["id"], queue["name"]) if queue else None
        case _:
            agent = org.agents.get(fact.agent or "")
            return _uuid(agent["id"], name_of(agent)) if agent else None


def _text(value: str, label: str) -> Json:
    return {"_type": "StringField", "value": value, "label": label}


def _uuid(value: str, label: str) -> Json:
    return {"_type": "UUIDField", "value": value, "label": label}


def filter_values(org: Organisation, attribute: str) -> list[Json]:
    """Return the values of a filter attribute with their labels (fixtures §13).

    Raises:
        Refusal: 400 for an attribute that isn't one.
    """
    pairs: list[tuple[Any, Any]]
    match attribute:
        case "agent_id":
            pairs = [(agent["id"], name_of(agent)) for agent in org.agents.values()]
        case "queue_id":
            pairs = [(queue["id"], queue["name"]) for queue in org.queues.values()]
        case "tag_id":
            pairs = [(tag["id"], tag["name"]) for tag in org.tags.values()]
        case "channel":
            pairs = [(value, label) for value, label in org.channel_labels.values()]
        case "initial_direction":
            pairs = list(DIRECTIONS.items())
        case "contact_point":
            pairs = [(point, point) for point in org.endpoints]
        case _:
            raise invalid("path parameter filterAttribute")
    return [{"value": value, "label": label} for value, label in pairs]
