"""The caller's own changes, one line each."""

from dataclasses import dataclass
from datetime import datetime

from dixa_mcp.render import View, fit, render
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class Row:
    """One change."""

    id: str
    at: datetime
    what: str
    before: str
    after: str
    undoable: bool
    undone: bool
    lost: str
    """Why it can't be undone, or what an undo doesn't bring back."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The newest changes of a caller."""

    rows: list[Row]
    of: int
    """How many there are in all."""


@render.register
def _(changes: Changes, view: View) -> str:
    if not changes.rows:
        return "No change of yours in the last week is known to this server."
    rows = [_row(row, view) for row in changes.rows]
    kept = fit(rows)
    older = changes.of - kept
    return "\n".join(
        [
            "Your changes, newest first. [undo] means dixa_undo_change takes the id.",
            *rows[:kept],
            *([f"{older} older ones: ask with a higher limit."] if older else []),
        ]
    )


def _row(row: Row, view: View) -> str:
    moved = f" {line(row.before) or 'none'} → {line(row.after) or 'none'}" if row.before or row.after else ""
    mark = "UNDONE" if row.undone else "undo" if row.undoable else "can't be undone"
    lost = f"{'; ' if row.undoable else ': '}{line(row.lost)}" if row.lost and not row.undone else ""
    return f"{row.id} {view.time(row.at)} {line(row.what, 200)}{moved} [{mark}{lost}]"
