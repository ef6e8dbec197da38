"""A sentence for each kind of activity (notes §11). Kinds Dixa adds later are shown as they are called."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from dixa_mcp.client.models import ActivityEntry, AttributeValue
from dixa_mcp.client.workspace import AttributeDefinition
from dixa_mcp.text.clean import line
from dixa_mcp.tools import _attributes

Facts = Mapping[str, Any]
Definitions = Mapping[str, AttributeDefinition]
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOISE = frozenset({"_type", "avatarUrl", "messageId", "destinationId", "agentId", "queueId"})
"""Facts that only machines want."""


def sentence(entry: ActivityEntry, definitions: Definitions) -> str:
    """Say what happened, without who and when."""
    facts = entry.attributes
    if entry.kind == "ConversationCustomAttributesUpdated":
        return _attributes_set(facts, definitions)
    if told := SENTENCES.get(entry.kind):
        return told(facts)
    return PLAIN.get(entry.kind) or _unknown(entry.kind, facts)


PLAIN: Mapping[str, str] = {
    "ConversationOfferAccepted": "accepted the offer",
    "ConversationOfferRejected": "rejected the offer",
    "ConversationOfferTimeout": "let the offer run out",
    "ConversationClosed": "closed it",
    "ConversationReopened": "reopened it",
    "ConversationPending": "put it aside",
    "FollowupAdded": "set a follow-up",
    "FollowupExpired": "the follow-up ended, it is back",
    "FollowupRemoved": "the follow-up was removed",
    "MessageAddedByCustomer": "the customer wrote",
    "MessageAddedByAgent": "wrote to the customer",
    "ConversationRatingUnscheduled": "the survey was called off",
    "ConversationRatingCancelled": "the survey was cancelled",
    "ConversationTranscriptionStarted": "the call is being transcribed",
}


def _who(facts: Facts, *names: str) -> str:
    """The first of these facts that names somebody: a text, or a person."""
    for name in names:
        value = facts.get(name)
        if isinstance(value, dict):
            person = cast("dict[str, Any]", value)
            value = person.get("name") or person.get("displayName") or person.get("email") or person.get("phoneNumber")
        if isinstance(value, list):
            value = ", ".join(str(each) for each in cast("list[Any]", value))
        if value not in (None, ""):
            return line(str(value), 80)
    return ""


def _with(start: str, middle: str, *names: str) -> Callable[[Facts], str]:
    """A sentence with one fact at its end, and without it where Dixa leaves it out."""

    def told(facts: Facts) -> str:
        found = _who(facts, *names)
        return f"{start}{middle}{found}" if found else start

    return told


def _quoted(start: str, name: str, limit: int = 160) -> Callable[[Facts], str]:
    def told(facts: Facts) -> str:
        text = facts.get(name)
        return f"{start}: “{line(str(text), limit)}”" if text else start

    return told


def _offered(facts: Facts) -> str:
    to, queue = _who(facts, "agentNames"), _who(facts, "queueLabel")
    return "offered" + f" to {to}" * bool(to) + f" from {queue}" * bool(queue)


def _reserved(facts: Facts) -> str:
    agent, queue, until = _who(facts, "agent"), _who(facts, "queueName"), _who(facts, "validUntil")
    return "reserved" + f" for {agent}" * bool(agent) + f" in {queue}" * bool(queue) + f" until {until}" * bool(until)


def _transferred(start: str) -> Callable[[Facts], str]:
    def told(facts: Facts) -> str:
        to, why = _who(facts, "destinationLabel", "destinationType"), _who(facts, "reason")
        return start + f" to {to}" * bool(to) + f" ({why})" * bool(why)

    return told


def _rated(facts: Facts) -> str:
    score, agent, said = _who(facts, "score"), _who(facts, "agent"), facts.get("message")
    told = "rated it" + f" {score}" * bool(score) + f" (with {agent})" * bool(agent)
    return told + (f": “{line(str(said), 160)}”" if said else "")


def _redacted(facts: Facts) -> str:
    files = facts.get("numberOfDeletedFiles") or 0
    gone = ["its text"] * bool(facts.get("wasTextRedacted")) + [f"{files} files"] * bool(files)
    return "redacted a message" + (f" ({' and '.join(gone)})" if gone else "")


def _replaced(facts: Facts) -> str:
    return f"replaced the customer {_who(facts, 'oldUser') or '?'} by {_who(facts, 'newUser') or '?'}"


def _linked(start: str, other: str) -> Callable[[Facts], str]:
    def told(facts: Facts) -> str:
        number, kind = _who(facts, other), _who(facts, "linkType")
        return start + f" {number}" * bool(number) + f" ({kind})" * bool(kind)

    return told


def _transcribed(facts: Facts) -> str:
    if facts.get("isSuccessful", True):
        return "the call was transcribed"
    why = _who(facts, "failureReason")
    return "the call could not be transcribed" + f" ({why})" * bool(why)


SENTENCES: Mapping[str, Callable[[Facts], str]] = {
    "ConversationCreatedByCustomer": _quoted("the customer started it", "subject"),
    "ConversationCreatedByAgent": _quoted("started it", "subject"),
    "ConversationOffered": _offered,
    "ConversationReserved": _reserved,
    "ConversationAssigned": _with("assigned", " to ", "agentName", "agent"),
    "ConversationUnassigned": _with("unassigned", " from ", "agent"),
    "ConversationClaimed": _with("claimed it", " from ", "claimedFromLabel", "claimedFromType"),
    "TransferInitiated": _transferred("began a transfer"),
    "TransferSuccessful": _transferred("transferred it"),
    "TransferFailed": _transferred("the transfer failed"),
    "ConversationMessageRedacted": _redacted,
    "ConversationAutoreplySent": _quoted("an automatic reply was sent", "templateName"),
    "NoteAdded": _quoted("noted", "message"),
    "TagAdded": _with("put on the tag", " ", "tag"),
    "TagRemoved": _with("took off the tag", " ", "tag"),
    "ConversationRatingScheduled": _with("a survey is scheduled", " for ", "ratingScheduledTime"),
    "ConversationRatingOffered": _with("a survey was offered", " to ", "user"),
    "ConversationRatingNotOffered": _with("no survey was offered", ": ", "evaluationFilters"),
    "ConversationRated": _rated,
    "ConversationChannelChanged": _with("the channel changed", " to ", "channelReference"),
    "ConversationEndUserReplaced": _replaced,
    "ConversationLanguageUpdated": _with("the language was set", " to ", "language"),
    "ConversationResolvedStateToggled": lambda facts: (
        "marked it resolved" if facts.get("isResolved") else "marked it not resolved"
    ),
    "ConversationLinkedToParent": _linked("linked it to", "parent"),
    "ConversationLinkedFromChild": _linked("linked to it:", "child"),
    "ConversationUnlinkedToParent": _linked("unlinked it from", "parent"),
    "ConversationUnlinkedFromChild": _linked("unlinked from it:", "child"),
    "ConversationTranscriptionEnded": _transcribed,
}


def _attributes_set(facts: Facts, definitions: Definitions) -> str:
    values = facts.get("updatedAttributeValues")
    held: dict[str, Any] = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
    told: list[str] = []
    for one in cast("Sequence[Any]", facts.get("updatedAttributeIds") or list(held)):
        attribute = definitions.get(str(one))
        label = line(attribute.label, 60) if attribute else "an attribute"
        value = _attributes.shown(attribute, AttributeValue(value=held.get(str(one))))
        told.append(f"{label} to {line(value, 80)}" if value else f"{label} (cleared)" if held else label)
    return f"set {', '.join(told)}" if told else "changed attributes"


def _unknown(kind: str, facts: Facts) -> str:
    """A kind nobody told us about: its name in words, and the facts that people can read."""
    words = _WORD.sub(" ", line(kind, 80)).lower() or "something happened"
    shown = {name: _who(facts, name) for name in facts if name not in _NOISE}
    details = ", ".join(f"{_WORD.sub(' ', line(name, 40)).lower()}: {text}" for name, text in shown.items() if text)
    return f"{words}" + f" ({details})" * bool(details)
