"""The organisation's own lists, cached, and the way from a name to the thing it means.

People say "Billing" or "mia@…"; Dixa wants ids. `find` turns one into the other, or says what there is.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from dixa_mcp.client import hours
from dixa_mcp.client.paths import Path, at
from dixa_mcp.client.records import Record, read, read_all
from dixa_mcp.client.reports import Collection, FilterValue, Metric, RecordType
from dixa_mcp.client.shelf import Shelf
from dixa_mcp.client.workspace import (
    FLOW_CHANNELS,
    Agent,
    AttributeDefinition,
    ContactEndpoint,
    Flow,
    Organization,
    Queue,
    Schedule,
    Tag,
    Team,
    Template,
)
from dixa_mcp.errors import DixaMcpError, Unresolved
from dixa_mcp.text.names import Known, Match, fold

if TYPE_CHECKING:
    from dixa_mcp.client.dixa import Dixa

Entity = Literal["Conversation", "Contact"]
#: Size of the pages lists are read by: the one that is known to be allowed (notes §6).
_PAGE = 50
#: A list this short is shown whole to who misspelt a name.
_SHORT = 8

T = TypeVar("T")
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[T]):
    """How things of one kind are called: for people, by id, and when two have one name."""

    word: str
    names: Callable[[T], Iterable[str]]
    id: Callable[[T], str]
    hint: Callable[[T], str]


class _Index(Generic[T]):
    """A list by id, name and folded name, so that a hit costs the same among 5 tags and 5,000."""

    def __init__(self, kind: _Kind[T], items: Sequence[T]) -> None:
        self.kind = kind
        self.items = items
        self._known = Known(items, kind.names)
        self._exact: dict[str, list[T]] = {}
        self._folded: dict[str, list[T]] = {}
        for item, folded in self._known.folded:
            for name in {name for name in kind.names(item) if name} | {kind.id(item)}:
                self._exact.setdefault(name, []).append(item)
            for name in set(folded):
                self._folded.setdefault(name, []).append(item)

    def match(self, text: str) -> Match[T]:
        """Find what `text` means, by the rules of `text.names`."""
        wanted = text.strip()
        hits = self._exact.get(wanted) or self._exact.get(wanted.lower()) or self._folded.get(fold(wanted))
        match = Match(several=tuple(hits)) if hits else self._known.pick(wanted)
        # Where names are shared, who says one means the tag in use, not the retired one.
        fitting = [each for each in match.several if not isinstance(each, Tag) or each.is_active] or match.several
        return Match(one=fitting[0]) if len(fitting) == 1 else Match(match.one, fitting, match.nearest)

    def unresolved(self, text: str, match: Match[T]) -> Unresolved:
        """Say what there is instead."""
        others = self.items if len(self.items) <= _SHORT else ()
        choices = match.several or (*match.nearest, *(each for each in others if each not in match.nearest))
        names = [next(iter(self.kind.names(each)), "") for each in choices]
        shown = [
            f"{name} ({self.kind.hint(each)})" if names.count(name) > 1 else name
            for name, each in zip(names, choices, strict=True)
        ]
        return Unresolved(self.kind.word, text, shown, ambiguous=bool(match.several))


def _id(thing: Any) -> str:
    return thing.id


def _named(word: str) -> _Kind[Any]:
    return _Kind(word, lambda thing: (thing.name,), _id, _id)


_AGENT: _Kind[Agent] = _Kind(
    "agent",
    lambda agent: (agent.name, agent.email, f"{agent.first_name} {agent.last_name}".strip(), *agent.additional_emails),
    _id,
    lambda agent: agent.email or agent.id,
)
_ATTRIBUTE: _Kind[AttributeDefinition] = _Kind(
    "custom attribute",
    lambda attribute: (attribute.label, attribute.identifier),
    _id,
    lambda attribute: f"{attribute.entity_type} attribute {attribute.identifier}",
)
_ENDPOINT: _Kind[ContactEndpoint] = _Kind(
    "contact endpoint",
    lambda endpoint: (endpoint.name or endpoint.id, endpoint.address, endpoint.number, endpoint.sender_override),
    _id,
    _id,
)
_FLOW: _Kind[Flow] = _Kind("flow", lambda flow: (flow.name, flow.contact_endpoint_id), _id, lambda flow: flow.channel)
#: Lists → what is read, from where, and whether it comes in pages.
_LISTS: dict[str, tuple[type[Record], str, bool]] = {
    "queues": (Queue, "/queues", False),
    "agents": (Agent, "/agents", True),
    "teams": (Team, "/teams", False),
    "endpoints": (ContactEndpoint, "/contact-endpoints", False),
    "templates": (Template, "/templates", True),
    "attributes": (AttributeDefinition, "/custom-attributes", False),
    "metrics": (Metric, "/analytics/metrics", True),
    "records": (RecordType, "/analytics/records", True),
    "collections": (Collection, "/knowledge/collections", True),
}
#: Kinds → the list they are found in, and what they are called.
_KINDS: dict[str, tuple[str, _Kind[Any]]] = {
    "queue": ("queues", _named("queue")),
    "agent": ("agents", _AGENT),
    "team": ("teams", _named("team")),
    "tag": ("tags", _named("tag")),
    "attribute": ("attributes", _ATTRIBUTE),
    "endpoint": ("endpoints", _ENDPOINT),
    "template": ("templates", _named("template")),
    "flow": ("flows", _FLOW),
    "schedule": ("schedules", _named("business-hours schedule")),
    "metric": ("metrics", _Kind("metric", lambda metric: (metric.id,), _id, _id)),
    "record": ("records", _Kind("record", lambda record: (record.id,), _id, _id)),
    "collection": ("collections", _Kind("collection", lambda collection: (collection.title,), _id, _id)),
}
#: First part of a path that was written to → the lists it touches. Values of filters name these things, too.
_TOUCHED = {
    "tags": ("tags", "filter"),
    "queues": ("queues", "filter"),
    "agents": ("agents", "filter"),
    "teams": ("teams",),
    "templates": ("templates",),
    "knowledge": ("articles",),
}


class Catalogue:
    """Cached lists of one organisation, each read when it is first asked for."""

    def __init__(self, dixa: "Dixa") -> None:
        self._dixa = dixa
        self._shelves: dict[str, Shelf[Any]] = {}
        self._indexes: dict[str, tuple[Sequence[Any], _Index[Any]]] = {}
        dixa.on_write.append(self._written)

    async def organization(self) -> Organization:
        """Return the organisation the token belongs to."""
        return (await self._shelf("organization").items())[0]

    async def tags(self, *, inactive: bool = False) -> Sequence[Tag]:
        """Return the active tags, or all with `inactive`."""
        everything: Sequence[Tag] = await self._shelf("tags").items()
        return everything if inactive else [tag for tag in everything if tag.is_active]

    async def queues(self) -> Sequence[Queue]:
        """Return the queues."""
        return await self._shelf("queues").items()

    async def agents(self) -> Sequence[Agent]:
        """Return agents and administrators."""
        return await self._shelf("agents").items()

    async def teams(self) -> Sequence[Team]:
        """Return the teams."""
        return await self._shelf("teams").items()

    async def endpoints(self) -> Sequence[ContactEndpoint]:
        """Return the organisation's own addresses and numbers."""
        return await self._shelf("endpoints").items()

    async def templates(self) -> Sequence[Template]:
        """Return quick responses and automatic replies."""
        return await self._shelf("templates").items()

    async def attributes(self, entity: Entity | None = None) -> Sequence[AttributeDefinition]:
        """Return the custom attributes of one entity or of both, archived and deactivated ones included."""
        everything: Sequence[AttributeDefinition] = await self._shelf("attributes").items()
        return [each for each in everything if entity in {None, each.entity_type}]

    async def flows(self, channel: str | None = None) -> Sequence[Flow]:
        """Return the flows of one channel, or of all (a request for each)."""
        return await self._shelf(f"flows {channel}" if channel else "flows").items()

    async def schedules(self) -> Sequence[Schedule]:
        """Return the business-hours schedules, by id and name."""
        return await self._shelf("schedules").items()

    async def only_timezone(self) -> str:
        """Return the zone of the only schedule, or nothing."""
        return "".join(await self._shelf("timezone").items())

    async def metrics(self) -> Sequence[Metric]:
        """Return the metrics analytics knows."""
        return await self._shelf("metrics").items()

    async def records(self) -> Sequence[RecordType]:
        """Return the records analytics knows."""
        return await self._shelf("records").items()

    async def filter_values(self, attribute: str) -> Sequence[FilterValue]:
        """Return the values a filter attribute of analytics can have."""
        return await self._shelf(f"filter {attribute}").items()

    async def collections(self) -> Sequence[Collection]:
        """Return the knowledge collections."""
        return await self._shelf("collections").items()

    async def kept(self, name: str, load: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
        """Return a list made of several readings, cached as the others; its first word says what drops it."""
        return await self._shelves.setdefault(name, Shelf(load)).items()

    @overload
    async def find(self, kind: Literal["queue"], text: str) -> Queue: ...
    @overload
    async def find(self, kind: Literal["agent"], text: str) -> Agent: ...
    @overload
    async def find(self, kind: Literal["team"], text: str) -> Team: ...
    @overload
    async def find(self, kind: Literal["tag"], text: str) -> Tag: ...
    @overload
    async def find(
        self, kind: Literal["attribute"], text: str, *, entity: Entity | None = None
    ) -> AttributeDefinition: ...
    @overload
    async def find(self, kind: Literal["endpoint"], text: str) -> ContactEndpoint: ...
    @overload
    async def find(self, kind: Literal["template"], text: str) -> Template: ...
    @overload
    async def find(self, kind: Literal["flow"], text: str, *, channel: str | None = None) -> Flow: ...
    @overload
    async def find(self, kind: Literal["schedule"], text: str) -> Schedule: ...
    @overload
    async def find(self, kind: Literal["metric"], text: str) -> Metric: ...
    @overload
    async def find(self, kind: Literal["record"], text: str) -> RecordType: ...
    @overload
    async def find(self, kind: Literal["collection"], text: str) -> Collection: ...
    async def find(self, kind: str, text: str, *, entity: Entity | None = None, channel: str | None = None) -> Any:
        """Return the one thing that `text` names or identifies.

        Args:
            kind: what is looked for.
            text: a name, address, number or id, as somebody typed it.
            entity: for attributes, whose.
            channel: for flows, of which channel; all otherwise.

        Raises:
            Unresolved: nothing or several things fit; it carries the choices.
        """
        name, called = _KINDS[kind]
        shelf = self._shelf(f"flows {channel}" if kind == "flow" and channel else name)
        items: Sequence[Any] | None = await shelf.items()
        while True:
            index = self._index(f"{kind} {entity} {channel}", called, items, entity)
            match = index.match(text)
            if match.found:
                return match.one
            if match.several or (items := await shelf.after_a_miss()) is None:
                raise index.unresolved(text, match)

    def _index(self, key: str, called: _Kind[Any], items: Sequence[Any], entity: Entity | None) -> _Index[Any]:
        kept = self._indexes.get(key)
        if kept is None or kept[0] is not items:
            usable = [each for each in items if _usable(each, entity)]
            kept = self._indexes[key] = (items, _Index(called, usable))
        return kept[1]

    def _shelf(self, name: str) -> Shelf[Any]:
        if name not in self._shelves:
            self._shelves[name] = Shelf(lambda: self._load(name))
        return self._shelves[name]

    async def _load(self, name: str) -> Sequence[Any]:
        group, _, one = name.partition(" ")
        match group:
            case "organization":
                return [read(Organization, await self._dixa.get(at("/organization")))]
            case "schedules":
                return await hours.schedules(self._dixa)
            case "timezone":
                return await hours.only_timezone(self._dixa, await self.schedules())
            case "filter":
                return await self._pages(FilterValue, at("/analytics/filter/{attribute}", attribute=one))
            case "flows":
                return await self._flows((one,) if one else FLOW_CHANNELS)
            case "tags":
                return read_all(Tag, await self._dixa.get(at("/tags"), includeDeactivated=True))
            case _:
                kind, path, paged = _LISTS[name]
                return await self._pages(kind, at(path)) if paged else read_all(kind, await self._dixa.get(at(path)))

    async def _pages(self, kind: type[R], path: Path) -> list[R]:
        return [read(kind, item) async for page in self._dixa.pages(path, limit=_PAGE) for item in page.items]

    async def _flows(self, channels: Iterable[str]) -> list[Flow]:
        async def flows_of(channel: str) -> list[Flow]:
            return read_all(Flow, await self._dixa.get(at("/conversations/flows"), channel=channel))

        found: list[Flow] = []
        for flows in await self._dixa.all([partial(flows_of, channel) for channel in channels]):
            if isinstance(flows, DixaMcpError):
                raise flows
            found += flows
        return found

    def _written(self, _method: str, path: Path) -> None:
        group, *rest = path.template.strip("/").split("/")
        if path.template.endswith("/tags/bulk"):
            group = "tags"  # a conversation is tagged in bulk by names, and a new name makes a new tag (notes §16)
        elif group not in {"tags", "knowledge"} and len(rest) > 1:
            return  # members and presence are in no list here
        for name, shelf in self._shelves.items():
            if name.partition(" ")[0] in _TOUCHED.get(group, ()):
                shelf.drop()


def _usable(thing: Any, entity: Entity | None) -> bool:
    """Whether a name may mean this: of attributes, only those that can be set, and of the entity meant."""
    if isinstance(thing, AttributeDefinition):
        return thing.is_usable and entity in {None, thing.entity_type}
    return True
