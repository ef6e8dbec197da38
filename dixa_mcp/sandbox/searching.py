"""Search: text over subjects and messages, and every filter with its operators (notes §12)."""

import html
import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.stories import Story
from dixa_mcp.sandbox.wire import Json, invalid, listed, part

Test = Callable[[Organisation, Json], bool]
Told = Callable[[Organisation, Json], str | None]
Drawn = Callable[[Story], float]

#: Channel of a conversation → its name in search (notes §7); Twitter has none.
CHANNELS = {
    "Email": "email", "ContactForm": "contactform", "WidgetChat": "chat", "Messenger": "dixamessenger",
    "PstnPhone": "phone", "Voicemail": "voicemail", "Callback": "callback", "Sms": "sms",
    "FacebookMessenger": "facebookmessenger", "WhatsApp": "whatsapp",
}  # fmt: skip
STATES = {"Open": "open", "Pending": "pending", "AwaitingPending": "pending", "Closed": "closed"}
MARK = '<em class="highlight">{}</em>'


def channel_of(conversation: Json) -> str:
    """Return a conversation's channel as search names it."""
    if conversation["_type"] == "GenericConversation":
        return "genericapimessaging"
    return CHANNELS.get(conversation["channel"], "")


def text_of(message: Json) -> str:
    """Return what a message says, without markup."""
    attributes = message["attributes"]
    content = attributes.get("content") or part(part(attributes, "emailContent"), "content")
    value = str(content.get("value", ""))
    return html.unescape(re.sub(r"<[^>]+>", " ", value)) if content.get("_type") == "Html" else value


class Words:
    """A text query. Ours: all words must occur, in any order; `exact` wants them as one phrase."""

    def __init__(self, value: str, *, exact: bool = False) -> None:
        words = value.split()
        if not words:
            raise invalid("body (query.value must not be empty)")
        joined = [r"\s+".join(map(re.escape, words))] if exact else [re.escape(word) for word in words]
        self.patterns = [re.compile(rf"(?<!\w){word}(?!\w)", re.IGNORECASE) for word in joined]

    def match(self, texts: Iterable[str]) -> bool:
        """Whether every word occurs somewhere in the texts."""
        together = "\n".join(texts)
        return all(pattern.search(together) for pattern in self.patterns)

    def marked(self, text: str) -> str | None:
        """Return a text with the words marked, None if none occurs."""
        found = text
        for pattern in self.patterns:
            found = pattern.sub(lambda hit: MARK.format(hit[0]), found)
        return found if found != text else None


def find(org: Organisation, query: Json | None, filters: Json | None) -> list[Json]:
    """Return the conversations that fit, the newest first (ours).

    Raises:
        Refusal: 400 for an empty query or a condition that isn't one.
    """
    tests = [_test(condition["field"]) for condition in listed(filters or {}, "conditions")]
    said = _said(org, query) if query else org.conversations.keys()
    found = [org.conversations[csid] for csid in org.newest() if csid in said]
    if filters and filters["strategy"] == "Any" and tests:
        return [item for item in found if any(test(org, item) for test in tests)]
    for test in tests:
        found = [item for item in found if test(org, item)]
    return found


def _said(org: Organisation, query: Json) -> set[int]:
    """Return the conversations that hold the words: by the index, and by reading those that were looked at."""
    exact, stories = bool(query.get("exactMatch")), org.untold.stories
    words = Words(query["value"], exact=exact)
    told = [item for csid, item in org.conversations.items() if csid not in stories]
    read = {item["id"] for item in told if words.match(texts_of(org, item))}
    return read | org.untold.search(query["value"].split(), words.match, exact=exact)


def texts_of(org: Organisation, conversation: Json) -> list[str]:
    """Return the subject and all messages of a conversation."""
    return [conversation.get("subject", ""), *map(text_of, org.messages.get(conversation["id"], []))]


def hit(org: Organisation, conversation: Json, query: Json | None) -> Json:
    """Return a hit: the id, and where the words stand. Ours: marked messages are under `text`."""
    marks: dict[str, list[str]] = {}
    if query:
        words = Words(query["value"], exact=bool(query.get("exactMatch")))
        if subject := words.marked(conversation.get("subject", "")):
            marks["subject"] = [subject]
        said = [words.marked(text_of(item)) for item in org.messages.get(conversation["id"], [])]
        if texts := [text for text in said if text]:
            marks["text"] = texts
    return {"id": conversation["id"], "highlights": marks}


def inner_hits(org: Organisation, conversation: Json, query: Json) -> list[Json]:
    """Return the messages in which the words stand, as the deprecated search does."""
    words = Words(query["value"], exact=bool(query.get("exactMatch")))
    marked = [(item["id"], words.marked(text_of(item))) for item in org.messages.get(conversation["id"], [])]
    return [{"id": message, "highlight": {"text": text}} for message, text in marked if text]


# --- conditions


def _test(field: Json) -> Test:
    kind, operator = field["_type"], field["operator"]
    if kind == "CustomAttribute":
        return _attribute(field["attributeId"], operator)
    if kind == "TagId":
        return lambda org, item: _many(org.tagged.get(item["id"], []), operator)
    if kind == "Duration":
        return lambda org, item: _span(duration(org, item), operator)
    if kind in SINGLE:
        return lambda org, item: _one(SINGLE[kind](item), operator)
    if kind in MOMENTS:
        return _moment(kind, operator)
    raise invalid(f"body (unknown _type {kind})")


SINGLE: dict[str, Callable[[Json], str | None]] = {
    "AgentId": lambda item: part(item, "assignment").get("agentId"),
    "QueueId": lambda item: part(item, "queue").get("id"),
    "ContactId": lambda item: item["requesterId"],
    "ConversationId": lambda item: str(item["id"]),
    "Channel": channel_of,
    "Direction": lambda item: item.get("direction", "").lower(),
    "Status": lambda item: STATES.get(item.get("state", ""), ""),
}


def _one(value: str | None, operator: Json) -> bool:
    match operator["_type"]:
        case "IsOneOf":
            return value in (listed(operator, "values"))
        case "IsNotOneOf":
            return value not in (listed(operator, "values"))
        case "IsEmpty":
            return not value
        case "IsNotEmpty":
            return bool(value)
        case other:
            raise invalid(f"body (unknown _type {other})")


def _many(values: list[str], operator: Json) -> bool:
    """Ours: ExcludesOne is the contrary of IncludesAll, ExcludesAll that of IncludesOne."""
    asked = set(listed(operator, "values"))
    match operator["_type"]:
        case "IncludesOne":
            return bool(asked.intersection(values))
        case "IncludesAll":
            return asked.issubset(values)
        case "ExcludesOne":
            return not asked.issubset(values)
        case "ExcludesAll":
            return not asked.intersection(values)
        case _:
            return _one(",".join(values), operator)


def _moment(kind: str, operator: Json) -> Test:
    told, drawn = MOMENTS[kind]
    start, end = -math.inf, math.inf
    match operator["_type"]:
        case "Since":
            start = parse(operator["timestamp"]).timestamp()
        case "Until":
            end = parse(operator["timestamp"]).timestamp()
        case "Between":
            start, end = (parse(operator[name]).timestamp() for name in ("timestampFrom", "timestampTo"))
        case other:
            raise invalid(f"body (unknown _type {other})")

    def test(org: Organisation, item: Json) -> bool:
        moment = _when(org, item, told, drawn)
        return bool(moment) and start <= moment <= end

    return test


def _span(milliseconds: float, operator: Json) -> bool:
    match operator["_type"]:
        case "LongerThanOrEqualTo":
            return milliseconds >= operator["duration"]
        case "ShorterThanOrEqualTo":
            return milliseconds <= operator["duration"]
        case "Between":
            return operator["min"] <= milliseconds <= operator["max"]
        case other:
            raise invalid(f"body (unknown _type {other})")


def _attribute(attribute: str, operator: Json) -> Test:
    def test(org: Organisation, item: Json) -> bool:
        values = [held["value"] for held in listed(item, "customAttributes") if held["id"] == attribute]
        path = _path(values[0]) if values else []
        asked = [list(value) for value in listed(operator, "values")]
        match operator["_type"]:
            case "IsOneOf":
                return bool(path) and any(path[: len(value)] == value for value in asked)
            case "IsNotOneOf":
                return not any(path[: len(value)] == value for value in asked) if path else True
            case _:
                return _one("".join(path), operator)

    return test


def _path(value: Any) -> list[str]:
    """Return a value as a path; a parent alone fits all its children (notes §12)."""
    return [value] if isinstance(value, str) else list(value)


def _when(org: Organisation, item: Json, told: Told, drawn: Drawn) -> float | None:
    """Return when something happened, in seconds since 1970: as drawn, or as written since."""
    if story := org.untold.stories.get(item["id"]):
        return drawn(story)
    text = told(org, item)
    return parse(text).timestamp() if text else None


def last_message(org: Organisation, conversation: Json) -> str | None:
    """Return when the newest message was written."""
    return max((item["createdAt"] for item in org.messages.get(conversation["id"], [])), default=None, key=parse)


def last_activity(org: Organisation, conversation: Json) -> str:
    """Return when anything last happened: a message, a note, an entry of the log, a change of state."""
    csid = conversation["id"]
    moments = [conversation.get("stateUpdatedAt", conversation["createdAt"]), conversation["createdAt"]]
    moments += [item["createdAt"] for item in (*org.messages.get(csid, []), *org.notes.get(csid, []))]
    moments += [entry["activityTimestamp"] for entry in org.activity.get(csid, [])]
    return max(moments, key=parse)


def duration(org: Organisation, conversation: Json) -> float:
    """Return milliseconds from creation to closing, to now while it isn't closed (ours)."""
    start: datetime = parse(conversation["createdAt"])
    end = parse(conversation["stateUpdatedAt"]) if conversation.get("state") == "Closed" else org.at()
    return (end - start).total_seconds() * 1000


#: How to know the time of something, in a conversation and in a story.
MOMENTS: dict[str, tuple[Told, Drawn]] = {
    "AssignedDate": (lambda org, item: part(item, "assignment").get("assignedAt"), lambda story: story.answered),
    "ClosedDate": (
        lambda org, item: item.get("stateUpdatedAt") if item.get("state") == "Closed" else None,
        lambda story: story.closed,
    ),
    "CreationDate": (lambda org, item: item["createdAt"], lambda story: story.created),
    "LastActivity": (last_activity, lambda story: story.last_happened),
    "LastMessage": (last_message, lambda story: story.last_said),
}
