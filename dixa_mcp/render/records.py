"""Rows behind a metric: a table, CSV, or data."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from dixa_mcp.client.reports import FieldValue, MetricRecord
from dixa_mcp.render import View, fit, render
from dixa_mcp.render.metrics import between
from dixa_mcp.text.clean import line
from dixa_mcp.text.times import BadTime, Period, parse

CELL = 200
"""Longest cell of a table, in characters."""
_FORMULA = re.compile(r"[=@\t]|[+-](?![\d\s().-]*$)")


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of rows."""

    record: str
    period: Period | None
    conversations: int
    filters: dict[str, str]
    zone: str
    records: list[MetricRecord]
    fields: list[str]
    """The ones asked for; empty means all."""
    format: Literal["table", "csv", "json"]
    next_cursor: str = ""
    without: list[str] | None = None
    """Of an empty page: the filters without which there would be rows."""

    @property
    def names(self) -> list[str]:
        """The columns: the ones asked for, or all that any row has."""
        if self.fields:
            return self.fields
        named = dict.fromkeys(field.name for record in self.records for field in record.fields)
        head = ["time"] + ["value"] * any(record.value for record in self.records)
        return [*head, *(name for name in named if name not in head)]

    @property
    def structured(self) -> dict[str, Any] | None:
        """The rows as data, when that is what was asked for; never beside a table of the same."""
        if self.format != "json":
            return None
        names = self.names
        return {
            "record": self.record,
            "fields": names,
            "rows": [[_datum(cell) for cell in _cells(record, names)] for record in self.records],
            "next_cursor": self.next_cursor or None,
        }

    @property
    def personal(self) -> int:
        """Rows with words that a customer may have written."""
        return len(self.records) if self.has_words else 0

    @property
    def has_words(self) -> bool:
        """Whether a cell may hold somebody's own words: text without a label. Names and numbers are ours."""
        fields = [field.field for record in self.records for field in record.fields]
        return any(field.kind in {"StringField", "ListField"} and not field.label for field in fields)


@render.register
def _(rows: Rows, view: View) -> str:
    filters = "".join(f", {name.replace('_', ' ')} {line(text, 200)}" for name, text in rows.filters.items())
    when = between(rows.period, rows.zone) if rows.period else f"{rows.conversations} conversations"
    head = f"{rows.record}, {when}{filters}"
    if not rows.records:
        return f"{head}\n{_nothing(rows)}"
    if rows.format == "json":
        return "\n".join([f"{head}: {len(rows.records)} rows, as structured content", *_more(rows, len(rows.records))])
    names, written = rows.names, _csv if rows.format == "csv" else _piped
    blocks = [written([_text(cell, view) for cell in _cells(record, names)]) for record in rows.records]
    kept = fit(blocks)
    table = "\n".join([written(names), *blocks[:kept]])
    lines = [f"{head}: {len(blocks)} rows" + f", the first {kept} shown" * (kept < len(blocks))]
    return "\n".join([*lines, view.fence.wrap(table) if rows.has_words else table, *_more(rows, kept)])


def _more(rows: Rows, kept: int) -> list[str]:
    if kept < len(rows.records):
        return [f"The answer would be too long; ask with limit={kept}."]
    return [f"More: cursor={rows.next_cursor}"] if rows.next_cursor else []


def _nothing(rows: Rows) -> str:
    if rows.without:
        return f"No rows with these filters; without {' or '.join(rows.without)} there are some."
    where = "in this period" if rows.period else "for these conversations"
    return f"No rows {where}{', with any one of the filters taken out either' if rows.filters else ''}."


def _cells(record: MetricRecord, names: Sequence[str]) -> list[FieldValue | None]:
    moment = record.primary_timestamp_field.timestamp
    time = FieldValue(kind="TimestampField", value=moment.isoformat()) if moment else None
    cells: dict[str, FieldValue | None] = {"time": time, "value": record.value}
    cells |= {field.name: field.field for field in record.fields}
    return [cells.get(name) for name in names]


def _moment(cell: FieldValue) -> Any:
    """A time as Dixa writes it: as the value, or beside it (notes §13 has both)."""
    return cell.value if cell.value is not None else cell.timestamp or None


def _text(cell: FieldValue | None, view: View) -> str:
    """A cell for a reader: its label where it has one, times in the answer's zone."""
    if cell is None:
        return ""
    if cell.kind in {"TimestampField", "InstantField"} and isinstance(value := _moment(cell), str):
        try:
            return f"{parse(value).astimezone(view.zone):%Y-%m-%d %H:%M}"
        except BadTime:
            return line(value, CELL)
    value: Any = "" if cell.value is None else cell.value
    if isinstance(value, list):
        value = ", ".join(str(each) for each in cast("list[Any]", value))
    return line(cell.label or str(value), CELL)


def _datum(cell: FieldValue | None) -> Any:
    if cell is None:
        return None
    value: Any = cell.label or _moment(cell)
    return line(value, 2000) if isinstance(value, str) else value


def _piped(cells: Sequence[str]) -> str:
    return " | ".join(cell.replace("|", "/") for cell in cells)


def _csv(cells: Sequence[str]) -> str:
    """One line of CSV. A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells])
    return out.getvalue()
