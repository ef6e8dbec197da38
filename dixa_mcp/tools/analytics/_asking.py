"""How analytics is asked: our argument names and people's words on one side, Dixa's filters on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.records import read
from dixa_mcp.client.reports import FilterValue, Metric, MetricData, RecordType
from dixa_mcp.errors import InvalidArgument, Unresolved
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold, pick
from dixa_mcp.text.times import Period as Span
from dixa_mcp.text.times import period as span_of
from dixa_mcp.text.times import wire

FILTERS = {
    "agent": "agent_id",
    "queue": "queue_id",
    "channel": "channel",
    "tag": "tag_id",
    "direction": "initial_direction",
    "contact_point": "contact_point",
}
"""Our argument → Dixa's filter attribute (notes §13)."""
MOST_CONVERSATIONS = 200

Conversations = Annotated[
    list[Annotated[int, BeforeValidator(csid)]],
    Field(max_length=MOST_CONVERSATIONS, description="These, instead of a period"),
]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about: a period or given conversations, with filters, in a zone."""

    zone: str
    span: Span | None
    """None when conversations are named."""
    conversations: tuple[int, ...] = ()
    filters: Mapping[str, tuple[FilterValue, ...]] = field(default_factory=dict[str, tuple[FilterValue, ...]])
    """Our argument → the values it means; several values of one argument = or (notes §13)."""

    @property
    def words(self) -> dict[str, str]:
        """The filters as people call them."""
        return {name: ", ".join(label(value) for value in values) for name, values in self.filters.items()}

    def body(
        self, id_: str, *, span: Span | None = None, values: Mapping[str, Sequence[FilterValue]] | None = None
    ) -> dict[str, Any]:
        """Dixa's body; another period or other values of a filter (none = without it) replace the scope's."""
        filters = {name: chosen for name, chosen in {**self.filters, **(values or {})}.items() if chosen}
        when = span or self.span
        about = {"periodFilter": period_filter(when)} if when else {"csidFilter": list(self.conversations)}
        return {
            "id": id_,
            **about,
            "filters": [
                {"attribute": FILTERS[name], "values": [value.value for value in chosen]}
                for name, chosen in filters.items()
            ],
            "timezone": self.zone,
        }


async def scope(
    call: Call,
    asked: Metric | RecordType,
    period: str,
    conversations: Sequence[int] | None,
    given: Mapping[str, str],
) -> Scope:
    """Read what the model gave; conversations take the place of the period, since Dixa takes one of them.

    Raises:
        InvalidArgument: A period nobody can tell, or a filter that this metric or record hasn't; Dixa would
            ignore that one silently (notes §13).
        Unresolved: A name fits no value, or several.
    """
    span = None if conversations else await span_in(call, period)
    possible = {each.filter_attribute for each in asked.filters}
    filters: dict[str, tuple[FilterValue, ...]] = {}
    for name, text in given.items():
        if not text:
            continue
        if FILTERS[name] not in possible:
            raise InvalidArgument(f"{asked.id} can't be filtered by {name}; it can by {filterable(asked)}.")
        filters[name] = await values_of(call.dixa, name, text)
    return Scope(str(await call.zone()), span, tuple(conversations or ()), filters)


def filterable(asked: Metric | RecordType) -> str:
    """The filters of a metric or record, in our argument names; what we don't know keeps Dixa's name."""
    ours = {theirs: name for name, theirs in FILTERS.items()}
    names = [ours.get(each.filter_attribute, each.filter_attribute) for each in asked.filters]
    return ", ".join(sorted(names, key=lambda name: list(FILTERS).index(name) if name in FILTERS else 99)) or "nothing"


async def span_in(call: Call, text: str) -> Span:
    """Read a period. Raises InvalidArgument."""
    try:
        return span_of(text, await call.now(), await call.zone())
    except ValueError as error:
        raise InvalidArgument(f"period: {error}") from error


async def values_of(dixa: Dixa, name: str, text: str) -> tuple[FilterValue, ...]:
    """What a filter's text means: one name, or several with commas between them.

    Raises:
        Unresolved: A name fits no value, or several.
    """
    values = await dixa.catalogue.filter_values(FILTERS[name])
    parts = [part for part in text.split(",") if part.strip()]
    whole = any(fold(text) in {fold(value.label), fold(value.value)} for value in values)
    found = [await _value(dixa, name, part.strip(), values) for part in ([text] if whole else parts)]
    return tuple(dict.fromkeys(found))


async def _value(dixa: Dixa, name: str, text: str, values: Sequence[FilterValue]) -> FilterValue:
    match = pick(text, values, lambda value: (value.label, value.value))
    if match.one is not None:
        return match.one
    if name == "agent" and "@" in text:
        agent = await dixa.catalogue.find("agent", text)
        return FilterValue(value=agent.id, label=agent.name)
    near = match.several or match.nearest or tuple(values)[:8]
    raise Unresolved(name.replace("_", " "), text, [label(value) for value in near], ambiguous=bool(match.several))


def label(value: FilterValue) -> str:
    """What people call a filter's value, on one line."""
    return line(value.label or value.value, 60)


def period_filter(span: Span) -> dict[str, Any]:
    """A period as Dixa takes it; presets are cut in the zone by Dixa itself (notes §13).

    Whether an interval's end counts isn't documented, so it is the last millisecond that should.
    """
    if span.preset:
        return {"_type": "Preset", "value": {"_type": span.preset}}
    end = span.end - timedelta(milliseconds=1)
    return {"_type": "Interval", "start": wire(span.start), "end": wire(end)}


async def figures(call: Call, body: Mapping[str, Any], measures: Sequence[str]) -> dict[str, Any]:
    """Ask for figures, by measure; all of the metric's measures when none is named."""
    asked = {**body, "aggregations": list(measures)} if measures else body
    data = read(MetricData, await call.dixa.ask(at("/analytics/metrics"), asked))
    return {aggregate.measure: aggregate.value for aggregate in data.aggregates}
