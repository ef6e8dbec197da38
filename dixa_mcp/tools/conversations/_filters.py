"""What a person asks a search for, as Dixa's conditions: every field and operator of notes §12.

A list of names is `a, b` (one of them), `!a, b` (none of them), `none` or `any` (empty or not). Of tags, `a + b`
means all of them, and each entry of a list is a condition of its own.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from dixa_mcp.client.paths import csid, uuid
from dixa_mcp.errors import InvalidArgument, Unresolved
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.text.moments import spans_of
from dixa_mcp.text.names import fold, pick
from dixa_mcp.text.times import BadTime, instant, shown, wire
from dixa_mcp.tools import _attributes, _people

CHANNELS: Mapping[str, tuple[str, ...]] = {
    "email": ("mail",),
    "contactform": ("ContactForm", "contact form", "form"),
    "chat": ("WidgetChat", "widget chat"),
    "dixamessenger": ("Messenger", "dixa messenger"),
    "phone": ("PstnPhone", "call", "telephone"),
    "voicemail": (),
    "callback": (),
    "sms": (),
    "facebookmessenger": ("FacebookMessenger", "facebook"),
    "whatsapp": (),
    "adachat": ("ada",),
    "digitalgeniuschat": ("digitalgenius",),
    "kindlychat": ("kindly",),
    "genericapimessaging": ("api messaging", "generic", "api"),
    "trustpilot": (),
    "yotpo": (),
}
"""Search's word for a channel → what else it is called (notes §7)."""
STATUSES: Mapping[str, tuple[str, ...]] = {"open": (), "pending": ("AwaitingPending", "follow-up"), "closed": ()}
DIRECTIONS: Mapping[str, tuple[str, ...]] = {"inbound": ("in",), "outbound": ("out",), "internal": ()}
DATES: Mapping[str, str] = {
    "created": "CreationDate",
    "closed": "ClosedDate",
    "assigned": "AssignedDate",
    "last_message": "LastMessage",
    "last_activity": "LastActivity",
}
"""Our argument, with `_after` or `_before` → Dixa's field."""
NOBODY = frozenset({"none", "unassigned", "nobody", "empty"})
SOMEBODY = frozenset({"any", "anybody", "somebody"})
UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
"""A unit → milliseconds, which Dixa counts durations in."""

Resolve = Callable[[str], Awaitable[tuple[str, str]]]
"""A name → what Dixa wants for it, and what to call it in the answer."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, and its words for the answer."""

    words: str
    field: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """A list of names as given: which, whether they are excluded, and whether all are meant."""

    names: tuple[str, ...]
    excluded: bool = False
    together: bool = False
    empty: bool | None = None
    """`none` → True, `any` → False; None for names."""


def names_in(text: str, known: Iterable[str] = (), *, joined: bool = False) -> Names:
    """Take a list of names apart; what is a name as a whole (a queue "Not urgent, later") stays one."""
    existing = {fold(name) for name in known}
    rest = text.strip()
    excluded = rest.startswith("!")
    if excluded:
        rest = rest[1:].strip()
    elif rest.casefold().startswith("not ") and fold(next(iter(_apart(rest, ",", existing)))) not in existing:
        excluded, rest = True, rest[4:].strip()
    if fold(rest) not in existing and rest.casefold() in NOBODY | SOMEBODY:
        return Names((), empty=(rest.casefold() in NOBODY) != excluded)
    together = joined and fold(rest) not in existing and " + " in rest
    names = tuple(_apart(rest, " + " if together else ",", existing))
    if not names:
        raise InvalidArgument(f"{text[:60]!r} names nothing.")
    return Names(names, excluded, together)


def _apart(text: str, sign: str, existing: set[str]) -> Iterable[str]:
    """Split at a sign, longest known name first, so that names may hold it."""
    parts = text.split(sign)
    while parts:
        count = next((n for n in range(len(parts), 1, -1) if fold(sign.join(parts[:n])) in existing), 1)
        if name := sign.join(parts[:count]).strip():
            yield name
        parts = parts[count:]


class Filters:
    """Turns the arguments of a search into conditions; resolves names and times.

    Raises, from every method:
        InvalidArgument: A value that can't be read.
        Unresolved: A name that fits nothing or several things.
    """

    def __init__(self, call: Call, now: datetime, zone: ZoneInfo) -> None:
        self._call = call
        self._dixa = call.dixa
        self._now = now
        self._zone = zone

    async def conditions(self, given: Mapping[str, Any]) -> list[Condition]:
        """All conditions of the arguments, by name as the tool takes them."""
        found: list[Condition] = []
        for name, field, words in (
            ("status", "Status", STATUSES),
            ("channel", "Channel", CHANNELS),
            ("direction", "Direction", DIRECTIONS),
        ):
            if given[name]:
                found.append(await self._set(name, field, given[name], _fixed(name, words), can_be_empty=False))
        for name, field, kind in (("queue", "QueueId", "queue"), ("assignee", "AgentId", "agent")):
            if given[name]:
                known = await self._known(kind)
                found.append(await self._set(name, field, given[name], self._by_name(kind), known))
        if given["customer"]:
            asked = given["customer"]
            found.append(await self._set("customer", "ContactId", asked, self._customer, can_be_empty=False))
        if given["ids"]:
            asked = given["ids"]
            found.append(await self._set("number", "ConversationId", asked, _number, can_be_empty=False))
        found += [await self._tags(text) for text in given["tags"] or ()]
        found += [await self._attribute(text) for text in given["attributes"] or ()]
        for name, field in DATES.items():
            if given[f"{name}_after"] or given[f"{name}_before"]:
                found.append(self._dates(name, field, given[f"{name}_after"], given[f"{name}_before"]))
        if given["min_duration"] or given["max_duration"]:
            found.append(_durations(given["min_duration"], given["max_duration"]))
        return found

    async def _known(self, kind: str) -> list[str]:
        if kind == "queue":
            return [queue.name for queue in await self._dixa.catalogue.queues()]
        return [agent.name for agent in await self._dixa.catalogue.agents()]

    async def _set(
        self,
        name: str,
        field: str,
        text: str,
        resolve: Resolve,
        known: Iterable[str] = (),
        *,
        can_be_empty: bool = True,
    ) -> Condition:
        asked = names_in(text, known)
        if asked.empty is not None:
            if not can_be_empty:
                raise InvalidArgument(f"{name} can't be none or any; leave it out to take all.")
            return _empty(name, {"_type": field}, empty=asked.empty)
        return await self._one_of(name, {"_type": field}, asked, resolve)

    async def _one_of(self, name: str, field: dict[str, Any], asked: Names, resolve: Resolve) -> Condition:
        found = [await resolve(each) for each in asked.names]
        operator = {"_type": "IsNotOneOf" if asked.excluded else "IsOneOf", "values": [value for value, _ in found]}
        return Condition(_words(name, asked, [words for _, words in found]), field | {"operator": operator})

    def _by_name(self, kind: str) -> Resolve:
        find = cast("Callable[..., Awaitable[Any]]", self._dixa.catalogue.find)

        async def resolve(text: str) -> tuple[str, str]:
            try:
                thing = await find(kind, text)
            except Unresolved:
                try:
                    return uuid(text), text  # of an agent who left, a queue that is gone
                except InvalidArgument:
                    pass
                raise
            return thing.id, thing.name

        return resolve

    async def _customer(self, text: str) -> tuple[str, str]:
        person = await _people.customer(self._dixa, text)
        return person.id, person.name

    async def _tags(self, text: str) -> Condition:
        known = [tag.name for tag in await self._dixa.catalogue.tags(inactive=True)]
        asked = names_in(text, known, joined=True)
        if asked.empty is not None:
            return _empty("tags", {"_type": "TagId"}, empty=asked.empty)
        found = [await self._by_name("tag")(name) for name in asked.names]
        operator = {
            (False, False): "IncludesOne",
            (False, True): "IncludesAll",
            (True, False): "ExcludesAll",  # has none of them
            (True, True): "ExcludesOne",  # lacks at least one of them
        }[asked.excluded, asked.together]
        field = {"_type": "TagId", "operator": {"_type": operator, "values": [value for value, _ in found]}}
        return Condition(_words("tags", asked, [words for _, words in found]), field)

    async def _attribute(self, text: str) -> Condition:
        label, value = _attributes.split(text)
        if label.endswith("!"):
            label, value = label[:-1].strip(), f"!{value}"
        definitions = [
            each
            for each in await self._dixa.catalogue.attributes("Conversation")
            if label == each.id or fold(label) in {fold(each.label), fold(each.identifier)}
        ]
        # Old conversations hold values of attributes and options that can't be set any more.
        usable = [each for each in definitions if each.is_usable] or definitions
        attribute = usable[0] if len(usable) == 1 else await _attributes.usable(self._dixa, "Conversation", label)
        field = {"_type": "CustomAttribute", "attributeId": attribute.id}
        if value.casefold() in {"", "none", "any"}:
            return _empty(attribute.label, field, empty=value.casefold() != "any")
        is_select = attribute.input_definition.kind == "Select"
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        asked = Names((value[1:-1],)) if quoted else names_in(value, _attributes.labels(attribute))
        nodes = [_attributes.option(attribute, name, inactive=True) for name in asked.names] if is_select else []
        values = [node.path for node in nodes] if is_select else [[name] for name in asked.names]
        operator = {"_type": "IsNotOneOf" if asked.excluded else "IsOneOf", "values": values}
        words = [node.label for node in nodes] if is_select else list(asked.names)
        return Condition(_words(attribute.label, asked, words), field | {"operator": operator})

    def _dates(self, name: str, field: str, after: str, before: str) -> Condition:
        start = self._instant(f"{name}_after", after) if after else None
        end = self._instant(f"{name}_before", before) if before else None
        spoken = name.replace("_", " ")
        words = [f"after {shown(start, self._zone, self._now)}"] if start else []
        words += [f"before {shown(end, self._zone, self._now)}"] if end else []
        if start and end:
            if start >= end:
                raise InvalidArgument(f"{name}_after ({after}) isn't before {name}_before ({before}).")
            operator = {"_type": "Between", "timestampFrom": wire(start), "timestampTo": wire(end)}
        elif start:
            operator = {"_type": "Since", "timestamp": wire(start)}
        else:
            assert end is not None  # noqa: S101 - one of both is given
            operator = {"_type": "Until", "timestamp": wire(end)}
        return Condition(f"{spoken} {' and '.join(words)}", {"_type": field, "operator": operator})

    def _instant(self, name: str, text: str) -> datetime:
        try:
            return instant(text, self._now, self._zone)
        except BadTime as error:
            raise InvalidArgument(f"{name}: {error}.") from error


def _words(name: str, asked: Names, shown_names: list[str]) -> str:
    listed = (" + " if asked.together else ", ").join(line(each, 60) for each in shown_names)
    return f"{name} {'not ' if asked.excluded else ''}{listed}"


def _empty(name: str, field: dict[str, Any], *, empty: bool) -> Condition:
    operator = {"_type": "IsEmpty" if empty else "IsNotEmpty"}
    return Condition(f"{name} {'none' if empty else 'any'}", field | {"operator": operator})


def _fixed(kind: str, words: Mapping[str, tuple[str, ...]]) -> Resolve:
    async def resolve(text: str) -> tuple[str, str]:
        match = pick(text, list(words), lambda word: (word, *words[word]))
        if match.one is None:
            raise Unresolved(kind, text, match.several or list(words), ambiguous=bool(match.several))
        return match.one, match.one

    return resolve


async def _number(text: str) -> tuple[str, str]:
    return str(csid(text)), str(csid(text))


def _durations(least: str, most: str) -> Condition:
    shortest = _milliseconds("min_duration", least) if least else None
    longest = _milliseconds("max_duration", most) if most else None
    if shortest is not None and longest is not None:
        if shortest > longest:
            raise InvalidArgument(f"min_duration ({least}) is longer than max_duration ({most}).")
        operator = {"_type": "Between", "min": shortest, "max": longest}
    elif shortest is not None:
        operator = {"_type": "LongerThanOrEqualTo", "duration": shortest}
    else:
        operator = {"_type": "ShorterThanOrEqualTo", "duration": longest}
    words = [f"at least {least}"] * bool(least) + [f"at most {most}"] * bool(most)
    return Condition(f"duration {' and '.join(words)}", {"_type": "Duration", "operator": operator})


def _milliseconds(name: str, text: str) -> int:
    parts = spans_of(text.casefold().strip())
    if not parts or any(unit not in UNITS for _, unit in parts):
        raise InvalidArgument(f"{name}: {text[:40]!r} isn't a duration. Use 45s, 90m, 3h, 1d12h or 2w.")
    return sum(count * UNITS[unit] for count, unit in parts)
