"""What exists here, and what may be done, as text."""

from dataclasses import dataclass
from datetime import datetime

from dixa_mcp.render import View, fit, render
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class Listing:
    """Names of one kind, as the organisation's people wrote them."""

    kind: str
    rows: list[str]
    query: str
    of: int


@dataclass(frozen=True, slots=True)
class Status:
    """What may be done here."""

    organisation: str
    state: str
    now: datetime | None
    mode: str
    acting: str
    queues: tuple[str, ...]
    limits: dict[str, str]
    budgets: dict[str, str]
    version: str
    configuration: str


@render.register
def _(listing: Listing, view: View) -> str:
    if not listing.rows:
        filtered = f" has “{line(listing.query)}” in its name; there are {listing.of}" if listing.query else ""
        return f"None of the {listing.kind}{filtered}." if listing.of else f"There are no {listing.kind}."
    rows = [line(row, 600) for row in listing.rows]
    kept = fit(rows)
    separator = "\n" if listing.kind in {"attributes", "endpoints", "flows", "templates", "schedules"} else ", "
    more = f"\n… and {len(rows) - kept} more; narrow with query." if kept < len(rows) else ""
    kind = listing.kind.replace("_", " ")
    head = f"{len(rows)} {kind if len(rows) > 1 else kind.removesuffix('s')}:"
    return f"{head}{' ' if separator == ', ' else separator}{separator.join(rows[:kept])}{more}"


@render.register
def _(status: Status, view: View) -> str:
    lines = [
        f"Organisation: {line(status.organisation)} ({status.state})",
        *([f"Now: {status.now.astimezone(view.zone):%A %Y-%m-%d %H:%M %Z}"] if status.now else []),
        f"Mode: {status.mode}",
        f"Acting agent: {status.acting}",
        f"Queues that may be written to: {', '.join(status.queues) or 'all'}",
        *(f"{name.capitalize()}: {value}" for name, value in status.limits.items()),
        "Left this hour: " + "; ".join(f"{name} {value}" for name, value in status.budgets.items()),
        f"dixa-mcp {status.version}, configuration {status.configuration}",
    ]
    return "\n".join(lines)
