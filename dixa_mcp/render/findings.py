"""What can be measured, as text."""

from dataclasses import dataclass
from typing import Literal

from dixa_mcp.render import View, fit, render
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class Finding:
    """A metric or a record, with what it takes."""

    kind: Literal["metric", "record"]
    id: str
    about: str
    filters: str
    measures: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    """Of a metric its records, of a record its metrics."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What fits a question, best first."""

    query: str
    found: list[Finding]
    values: dict[str, list[str]]
    """Filters with few values → these."""
    all: list[str]
    """Everything there is, for an empty result."""


@render.register
def _(findings: Findings, view: View) -> str:
    if not findings.found:
        there = ", ".join(dict.fromkeys(findings.all)) or "none at all"
        return f"No metric or record fits “{line(findings.query)}”. There are: {there}."
    blocks = [_block(finding) for finding in findings.found]
    kept = fit(blocks)
    lines = blocks[:kept]
    if kept < len(blocks):
        lines.append(f"… and {len(blocks) - kept} more; narrow with query.")
    lines += [f"Values of {name}: {', '.join(values)}" for name, values in findings.values.items() if values]
    return "\n".join(lines)


def _block(finding: Finding) -> str:
    text = f"{finding.kind} {finding.id}: {line(finding.about, 200) or 'no description'}."
    if finding.measures:
        text += f" Measures: {', '.join(finding.measures)}."
    if finding.fields:
        text += f" Fields: {', '.join(finding.fields)}."
    text += f" Filters: {finding.filters}."
    if finding.related and finding.kind == "metric":
        text += f" Rows: {', '.join(finding.related)}."
    return text
