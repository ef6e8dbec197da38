"""Numbers as text, and as data for whoever computes with them."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, cast

from dixa_mcp.render import View, fit, render
from dixa_mcp.text.clean import line
from dixa_mcp.text.times import Period

BAR = 20
"""Cells of the longest bar in a text chart."""
TIMES = frozenset({"day", "week", "month"})
"""Breakdowns that keep their order and their empty parts."""
_UNIT = re.compile(r"(?:^|\bin )(milliseconds|seconds|minutes|hours)\b", re.IGNORECASE)
_SECONDS = {"milliseconds": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0}
_SHORT = {"milliseconds": "ms", "seconds": "s", "minutes": "min", "hours": "h"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of a metric, now and in the former period (None when not asked or not known)."""

    measure: str
    value: Any
    former: Any = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a breakdown."""

    label: str
    value: Any
    former: Any = None


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """A metric's value for a period or for given conversations, perhaps split up."""

    metric: str
    about: str
    period: Period | None
    former: Period | None
    filters: dict[str, str]
    zone: str
    figures: list[Figure]
    conversations: int = 0
    """How many conversations were named in place of a period."""
    unit: str = ""
    """What the figures are counted in, where the metric's own description says so."""
    without: dict[str, str] = field(default_factory=dict[str, str])
    """Of an empty result: the filters that emptied it, with their words."""
    splits: tuple[str, ...] = ()
    """What it can be split up by."""
    by: str = ""
    measure: str = ""
    """The measure the parts show."""
    parts: list[Part] = field(default_factory=list[Part])
    missing: list[str] = field(default_factory=list[str])
    """Parts that couldn't be asked for."""
    why_missing: str = ""
    left_out: int = 0
    """Values beyond what one call asks for."""
    parts_compared: bool = False

    @property
    def shares(self) -> bool:
        """Whether the parts are shares of the total: counts that don't overlap."""
        total = _total(self)
        parts = [part.value for part in self.parts if isinstance(part.value, int | float)]
        return self.measure in {"Count", "Sum"} and bool(total) and sum(parts) <= total + 1e-9

    @property
    def structured(self) -> dict[str, Any]:
        """The same numbers for code, and for the chart (`server/metric.html`)."""
        data: dict[str, Any] = {"metric": self.metric, "about": line(self.about, 300)}
        if self.period:
            data |= {"period": name_of(self.period), **_ends(self.period), "timezone": self.zone}
        if self.former:
            data["former"] = _ends(self.former)
        if self.conversations:
            data["conversations"] = self.conversations
        data |= {"unit": self.unit, "filters": self.filters, "splits": list(self.splits)}
        data["figures"] = [{"measure": f.measure, "value": f.value, "former": f.former} for f in self.figures]
        if self.by:
            data |= {"by": self.by, "measure": self.measure, "shares": self.shares, "compared": self.parts_compared}
            data["parts"] = [{"label": p.label, "value": p.value, "former": p.former} for p in self.parts]
            data["notes"] = _gaps(self)
        return data


@render.register
def _(answer: MetricAnswer, view: View) -> str:
    filters = "".join(f", {name.replace('_', ' ')} {line(text, 200)}" for name, text in answer.filters.items())
    when = between(answer.period, answer.zone) if answer.period else f"{answer.conversations} conversations"
    about = f" ({line(answer.about, 160)})" if answer.about else ""
    lines = [f"{answer.metric}{about}", f"{when}{filters}"]
    lines += [_figure(answer, figure) for figure in answer.figures]
    if answer.former and answer.figures:
        lines.append(f"Before: {between(answer.former, answer.zone)}")
    if not any(counted(figure.value, figure.measure) for figure in answer.figures):
        lines.append(_nothing(answer))
    if answer.parts:
        lines += _breakdown(answer, view)
    return "\n".join([*lines, *_gaps(answer)])


def name_of(period: Period) -> str:
    """What a period is called (`this month`), empty when it is nothing but its dates."""
    name, comma, _ = period.text.partition(", ")
    return name if comma else ""


def between(period: Period, zone: str) -> str:
    """A period with its ends and its zone, each once: `this month: 2026-02-01 to 2026-02-13 12:00 (UTC)`."""
    name = name_of(period)
    return f"{name}{': ' if name else ''}{dates(period)} ({zone})"


def dates(period: Period) -> str:
    """The ends of a period for readers; midnight isn't written, and a whole last day is named, not the next."""
    first, end = _minute(period.start), _minute(period.end)
    start = f"{first:%Y-%m-%d}" if _midnight(first) else f"{first:%Y-%m-%d %H:%M}"
    if not _midnight(end):
        same_day = _midnight(first) and first.date() == end.date()
        return f"{start} until {end:%H:%M}" if same_day else f"{start} to {end:%Y-%m-%d %H:%M}"
    last = (end.date() - timedelta(1)).isoformat()
    return start if last == start else f"{start} to {last}"


def _minute(moment: datetime) -> datetime:
    return (moment + timedelta(seconds=30)).replace(second=0, microsecond=0)


def _midnight(moment: datetime) -> bool:
    return moment.time() == time()


def _ends(period: Period) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat(), "dates": dates(period)}


def counted(value: Any, measure: str) -> bool:
    """Whether a figure counts anything; 0 % or an average of 0 does, a count of 0 doesn't."""
    if isinstance(value, list):
        return bool(cast("list[Any]", value))
    return value is not None and not (measure in {"Count", "Sum"} and value == 0)


def unit_of(about: str) -> str:
    """The unit that a metric's description names, in short; Dixa documents none (notes §13)."""
    found = _UNIT.search(about)
    return _SHORT[found[1].lower()] if found else ""


def number(value: Any, measure: str, unit: str = "") -> str:
    """A value for a reader; a unit only where it is known."""
    if value is None:
        return "none"
    if isinstance(value, list):
        return _presence(cast("list[Any]", value))
    if not isinstance(value, int | float):
        return line(str(value))
    shown = _plain(value)
    if measure == "Percentage":
        return f"{shown} %"
    if not unit or measure == "Count":
        return shown
    return f"{shown} {unit}{_duration(value, unit)}"


def _plain(value: float) -> str:
    rounded = round(value, 2 if abs(value) < 100 else 1)
    return f"{int(rounded) if float(rounded).is_integer() else rounded:,}"


def _duration(value: float, unit: str) -> str:
    """The same in hours and minutes, where the unit alone is hard to grasp."""
    long = next(name for name, short in _SHORT.items() if short == unit)
    minutes = round(value * _SECONDS[long] / 60)
    if minutes < 60 or unit == "h":
        return "" if minutes < 2 or unit in {"min", "h"} else f" ({minutes} min)"
    return f" ({minutes // 60} h {minutes % 60} min)"


def _presence(values: list[Any]) -> str:
    """Time by presence, as `AgentPresenceDuration` gives it; its unit isn't documented (notes §13)."""
    pairs: list[str] = []
    for each in values:
        status: Any = each["status"]["status"] if _has_status(each) else "?"
        pairs.append(f"{line(str(status), 40)} {number(each.get('value') if _has_status(each) else each, '')}")
    return ", ".join(pairs) or "none"


def _has_status(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(cast("dict[str, Any]", each).get("status"), dict)


def _figure(answer: MetricAnswer, figure: Figure) -> str:
    text = f"{figure.measure}: {number(figure.value, figure.measure, answer.unit)}"
    if answer.former:
        text += f" (before: {number(figure.former, figure.measure, answer.unit)}{_difference(figure)})"
    return text


def _difference(figure: Figure) -> str:
    if not isinstance(figure.value, int | float) or not isinstance(figure.former, int | float):
        return ""
    change = round(figure.value - figure.former, 2)
    return f", {change:+,}" if change else ""


def _total(answer: MetricAnswer) -> float:
    values = [f.value for f in answer.figures if f.measure == answer.measure and isinstance(f.value, int | float)]
    return values[0] if values else 0


def _nothing(answer: MetricAnswer) -> str:
    if answer.without:
        filters = " and ".join(f"{name.replace('_', ' ')} {line(words, 80)}" for name, words in answer.without.items())
        return f"Nothing was counted with these filters; without {filters} there is a value."
    where = "in this period" if answer.period else "for these conversations"
    return f"Nothing was counted {where}{', with any one of the filters taken out either' if answer.filters else ''}."


def _breakdown(answer: MetricAnswer, view: View) -> list[str]:
    """The parts, one a line, with bars where no host draws them; parts without a value are only named."""
    timed = answer.by in TIMES
    full = [part for part in answer.parts if timed or counted(part.value, answer.measure)]
    empty = [line(part.label, 60) for part in answer.parts if part not in full]
    values = [part.value for part in full if isinstance(part.value, int | float)]
    most = max([abs(value) for value in values], default=0)
    width = max((len(line(part.label, 40)) for part in full), default=0)
    rows = [_row(answer, part, most, width, bars=view.bars) for part in full]
    kept = fit(rows)
    lines = [f"{answer.measure} by {answer.by}:", *rows[:kept]]
    rest = _total(answer) - sum(values)
    if answer.shares and not timed and rest > 0 and not answer.missing and not answer.left_out:
        lines.append(f"In none of these: {number(rest, answer.measure, answer.unit)}")
    if kept < len(rows):
        lines.append(f"… and {len(rows) - kept} more; narrow with filters.")
    if empty:
        shown = ", ".join(empty[:12]) + (f" and {len(empty) - 12} more" if len(empty) > 12 else "")
        lines.append(f"Nothing for: {shown}")
    return lines


def _row(answer: MetricAnswer, part: Part, most: float, width: int, *, bars: bool) -> str:
    text = f"{line(part.label, 40):{width}}"
    if bars and isinstance(part.value, int | float):
        cells = round(BAR * abs(part.value) / most) if most else 0
        text += f" {'█' * max(cells, int(bool(part.value)))}" * bool(part.value)
    text += f" {number(part.value, answer.measure, answer.unit)}"
    if answer.shares and answer.by not in TIMES and isinstance(part.value, int | float):
        text += f", {round(100 * part.value / _total(answer))} %"
    if answer.parts_compared and any(counted(each.former, answer.measure) for each in answer.parts):
        text += f" (before: {number(part.former, answer.measure, answer.unit)})"
    return text


def _gaps(answer: MetricAnswer) -> list[str]:
    """What a reader must know before trusting the parts to be all."""
    notes: list[str] = []
    if answer.missing:
        notes.append(
            f"INCOMPLETE: {len(answer.missing)} of {len(answer.missing) + len(answer.parts)} parts are missing "
            f"({', '.join(line(name, 40) for name in answer.missing[:6])}{' …' * (len(answer.missing) > 6)}): "
            f"{answer.why_missing}"
        )
    if answer.left_out:
        notes.append(
            f"INCOMPLETE: {answer.left_out} more {answer.by}s weren't asked for; "
            f"name the ones you want with {answer.by}=…, with commas."
        )
    if answer.parts and answer.former and not answer.parts_compared:
        notes.append("The former period is left out of the parts: there are too many.")
    if answer.parts and answer.measure not in {"Count", "Sum"} and answer.by in {"agent", "queue", "tag"}:
        notes.append(f"What has no {answer.by} is in the total, but in none of the parts.")
    if answer.parts and answer.measure in {"Count", "Sum"} and not answer.shares and answer.by == "tag":
        notes.append("Something may have several tags, so the parts can add up to more than the total.")
    return notes
