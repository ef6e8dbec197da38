"""What happened, a line each, under its day."""

from dataclasses import dataclass
from datetime import datetime

from dixa_mcp.render import View, fit, render
from dixa_mcp.render.thread import day_and_clock
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the log."""

    at: datetime | None
    conversation_id: int
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Activity:
    """A stretch of the log, oldest first."""

    happenings: list[Happening]
    where: str
    after: datetime | None
    before: datetime | None
    next_cursor: str | None = None
    one: bool = False
    """All of it belongs to one conversation, so its number isn't repeated."""
    offset: int = 0

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return 1 if self.one else len({each.conversation_id for each in self.happenings})


@render.register
def _(found: Activity, view: View) -> str:
    span = [f"after {view.time(found.after)}"] * bool(found.after) + [f"before {view.time(found.before)}"] * bool(
        found.before
    )
    about = ", ".join([found.where, *([" and ".join(span)] if span else [])])
    if not found.happenings:
        return f"Nothing is in the activity log of {about}."
    lines: list[str] = []
    former = ""
    blocks = [_line(each, view, number=not found.one) for each in found.happenings]
    kept = fit(blocks)
    for each, block in zip(found.happenings[:kept], blocks, strict=False):
        day = day_and_clock(each.at, view)[0] if each.at else "without a time"
        if day != former:
            lines.append(f"{day}:")
            former = day
        lines.append(block)
    inside = "\n".join(lines)
    text = f"Activity of {about}: {len(blocks)} entr{'y' if len(blocks) == 1 else 'ies'}\n{view.fence.wrap(inside)}"
    if kept < len(blocks):
        return f"{text}\n{_rest(found, kept)}"
    return text + (f"\nMore: cursor={found.next_cursor}" if found.next_cursor else "")


def _rest(found: Activity, kept: int) -> str:
    if found.one:
        return f"Only {kept} fit into the answer. More: cursor={found.offset + kept}"
    return f"Only {kept} fit into the answer; ask with limit={kept}."


def _line(each: Happening, view: View, *, number: bool) -> str:
    clock = day_and_clock(each.at, view)[1] if each.at else ""
    parts = [clock, str(each.conversation_id) if number else "", f"{line(each.who, 60)}:" if each.who else ""]
    return " ".join([*(part for part in parts if part), each.what])
