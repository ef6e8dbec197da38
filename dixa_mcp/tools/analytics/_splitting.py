"""A metric split up by agent, queue, channel, tag or time: one request a part, within bounds.

Dixa has no grouping (notes §13), so each part is a query of its own. What one call may cost is bounded by
`MOST`; parts that fail, or don't get their turn before the deadline, are counted in the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from dixa_mcp.client.deadline import renew
from dixa_mcp.client.reports import FilterValue, Metric
from dixa_mcp.errors import DixaMcpError, InvalidArgument
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.metrics import MetricAnswer, Part
from dixa_mcp.text.periods import Period
from dixa_mcp.tools.analytics._asking import FILTERS, Scope, figures, label

MOST = 100
"""Parts one call asks for: ten seconds of the token's rate."""
MOST_COMPARED = 35
"""Parts that are also asked for the former period."""
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class _Slice:
    """One part of a breakdown: its name, and what narrows the question to it, now and before."""

    label: str
    value: FilterValue | None = None
    span: Period | None = None
    former: Period | None = None


async def split(call: Call, asked: Metric, within: Scope, answer: MetricAnswer, by: str, measure: str) -> MetricAnswer:
    """Return the answer with its parts: in time order, or the largest first.

    Raises:
        InvalidArgument: The metric can't be split this way, or into too many parts of time.
    """
    slices, left_out = await _slices(call, asked, within, by)
    compare = answer.former is not None and len(slices) <= MOST_COMPARED
    work = [partial(_part, call, asked, within, measure, by, one, compare) for one in slices]

    async def report(done: int, of: int) -> None:
        await call.progress(done, of, f"{asked.id} by {by}: {done} of {of}")
        renew()

    found = await call.dixa.all(work, progress=report)
    parts = [part for part in found if isinstance(part, Part)]
    failures = [error for error in found if isinstance(error, DixaMcpError)]
    if failures and not parts:
        raise failures[0]
    return replace(
        answer,
        by=by,
        measure=measure,
        parts=parts if by in _STEPS else sorted(parts, key=_size, reverse=True),
        missing=[one.label for one, part in zip(slices, found, strict=True) if isinstance(part, DixaMcpError)],
        why_missing=failures[0].what if failures else "",
        left_out=left_out,
        parts_compared=compare,
    )


def splits(asked: Metric, within: Scope) -> tuple[str, ...]:
    """What a metric can be split up by, the finer divisions of time left out."""
    possible = {each.filter_attribute for each in asked.filters}
    named = [name for name in ("agent", "queue", "channel", "tag") if FILTERS[name] in possible]
    return (*named, *(["day"] if within.span else []))


def _size(part: Part) -> float:
    return float(part.value) if isinstance(part.value, int | float) else float("-inf")


async def _part(call: Call, asked: Metric, within: Scope, measure: str, by: str, one: _Slice, compare: bool) -> Part:
    values = {by: (one.value,)} if one.value else {}

    async def value(span: Period | None) -> Any:
        return (await figures(call, within.body(asked.id, span=span, values=values), [measure])).get(measure)

    former = None
    if compare:
        former = within.span.previous() if one.value and within.span else one.former
    return Part(one.label, await value(one.span), await value(former) if former else None)


async def _slices(call: Call, asked: Metric, within: Scope, by: str) -> tuple[list[_Slice], int]:
    """The parts to ask for, and how many values had to be left out."""
    if by in _STEPS:
        return _times(asked, within, by), 0
    if FILTERS[by] not in {each.filter_attribute for each in asked.filters}:
        possible = ", ".join(splits(asked, within))
        raise InvalidArgument(f"{asked.id} can't be split by {by}; it can by {possible}.")
    values = within.filters.get(by) or await call.dixa.catalogue.filter_values(FILTERS[by])
    return [_Slice(label(value), value) for value in values[:MOST]], max(0, len(values) - MOST)


def _times(asked: Metric, within: Scope, by: str) -> list[_Slice]:
    if within.span is None:
        raise InvalidArgument(f"Given conversations can't be split by {by}; leave conversation_ids out.")
    now = _cut(within.span, by)
    if len(now) > MOST:
        coarser = {"day": "week", "week": "month"}.get(by, "a shorter period")
        raise InvalidArgument(f"That is {len(now)} {by}s, and at most {MOST} can be asked for. Use {coarser}.")
    before = _cut(within.span.previous(), by)
    formers: list[Period | None] = [*before, *[None] * len(now)]
    return [_Slice(span.text, None, span, former) for span, former in zip(now, formers, strict=False)]


def _cut(span: Period, by: str) -> list[Period]:
    """Cut a period at every midnight, Monday or first of a month; the ends stay where they are."""
    cuts: list[Period] = []
    start = span.start
    while start < span.end:
        end = min(_STEPS[by](start), span.end)
        cuts.append(Period(start, end, None, f"{start:%Y-%m}" if by == "month" else f"{start:%Y-%m-%d}"))
        start = end
    return cuts


def _at_midnight(moment: datetime, days: int) -> datetime:
    zone = moment.tzinfo
    assert isinstance(zone, ZoneInfo)  # noqa: S101 - periods are in a named zone
    return datetime.combine(moment.date() + timedelta(days), _MIDNIGHT, zone)


def _next_month(moment: datetime) -> datetime:
    return _at_midnight((moment.replace(day=1) + timedelta(32)).replace(day=1), 0)


_STEPS: dict[str, Callable[[datetime], datetime]] = {
    "day": lambda moment: _at_midnight(moment, 1),
    "week": lambda moment: _at_midnight(moment, 7 - moment.weekday()),
    "month": _next_month,
}
