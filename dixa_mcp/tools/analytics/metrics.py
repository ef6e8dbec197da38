"""One number: now, before, and split up."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.reports import Metric
from dixa_mcp.errors import DixaMcpError, InvalidArgument
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.metrics import Figure, MetricAnswer, counted, unit_of
from dixa_mcp.text.names import pick
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools._params import Period
from dixa_mcp.tools.analytics._asking import Conversations, Scope, figures, scope
from dixa_mcp.tools.analytics._splitting import split, splits

MAIN = ("Percentage", "Average", "Count", "Sum")
"""The measure a breakdown shows when none is named: the first of these that the metric has."""


@tool(Effect.READ, touches="")
async def query_metric(
    call: Call,
    metric: Annotated[str, Field(description="Id, from dixa_find_metrics")],
    period: Period = "last week",
    by: Literal["", "agent", "queue", "channel", "tag", "day", "week", "month"] = "",
    agent: Annotated[str, Field(description="Filters take names, several with commas")] = "",
    queue: str = "",
    channel: str = "",
    tag: str = "",
    direction: str = "",
    contact_point: str = "",
    measure: Annotated[str, Field(description="Sum, Average, … if the metric has several")] = "",
    compare: Annotated[bool, Field(description="With the former period")] = True,
    conversation_ids: Conversations | None = None,
) -> MetricAnswer:
    """Get a metric's value beside the former period, or split up with `by` (one request a part).

    For single rows use dixa_query_records.
    """
    asked = await call.dixa.catalogue.find("metric", metric)
    given = {"agent": agent, "queue": queue, "channel": channel}
    given |= {"tag": tag, "direction": direction, "contact_point": contact_point}
    within = await scope(call, asked, period, conversation_ids, given)
    measures = _measures(asked, measure, by)
    former = within.span.previous() if within.span and compare else None
    now, before = await _totals(call, asked, within, measures, former is not None)
    answer = MetricAnswer(
        metric=asked.id,
        about=asked.description,
        period=within.span,
        former=former,
        conversations=len(within.conversations),
        filters=within.words,
        zone=within.zone,
        unit=unit_of(asked.description),
        splits=splits(asked, within),
        figures=[Figure(name, value, before.get(name)) for name, value in now.items()],
    )
    if not any(counted(figure.value, figure.measure) for figure in answer.figures):
        return replace(answer, without=await _without(call, asked, within, measures))
    if by:
        return await split(call, asked, within, answer, by, measures[0])
    return answer


async def _totals(
    call: Call, asked: Metric, within: Scope, measures: Sequence[str], compare: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures of the period, and of the one before where that is asked for (what fails there is left out)."""
    bodies = [within.body(asked.id)]
    if compare and within.span:
        bodies.append(within.body(asked.id, span=within.span.previous()))
    found = await call.dixa.all([partial(figures, call, body, measures) for body in bodies])
    if isinstance(found[0], DixaMcpError):
        raise found[0]
    before = found[-1] if len(found) > 1 else {}
    return found[0], {} if isinstance(before, DixaMcpError) else before


def _measures(asked: Metric, text: str, by: str) -> list[str]:
    """The measures to ask for: the one named, the main one of a breakdown, else all (an empty list)."""
    has = [each.measure for each in asked.aggregations]
    if text:
        match = pick(text, has, lambda name: (name,))
        if match.one is None:
            raise InvalidArgument(f"{asked.id} has no measure {text!r}; it has {', '.join(has)}.")
        return [match.one]
    main = [name for name in MAIN if name in has] or has
    return main[:1] if by else []


async def _without(call: Call, asked: Metric, within: Scope, measures: Sequence[str]) -> dict[str, str]:
    """For an empty result: each filter whose absence would give a value, with that value's words."""
    if not within.filters:
        return {}
    names = list(within.filters)
    found = await call.dixa.all(
        [partial(figures, call, within.body(asked.id, values={name: ()}), measures) for name in names]
    )
    return {
        name: f"{within.words[name]}"
        for name, values in zip(names, found, strict=True)
        if not isinstance(values, DixaMcpError) and any(counted(value, name_) for name_, value in values.items())
    }
