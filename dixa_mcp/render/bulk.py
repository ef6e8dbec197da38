"""What a bulk did, conversation by conversation."""

from dataclasses import dataclass, field

from dixa_mcp.render import View, render
from dixa_mcp.render.changes import SEEN_BY
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Change


@dataclass(slots=True)
class Outcome:
    """What became of one conversation."""

    conversation: int
    done: list[str] = field(default_factory=list[str])
    """The parts that were done now, in words."""
    failed: str = ""
    """Which part failed and why; those after it were not tried."""
    undo: list[str] = field(default_factory=list[str])
    """Ids of the changes that can be taken back."""

    @property
    def text(self) -> str:
        """The outcome in one line."""
        parts = [*self.done, *([f"FAILED {line(self.failed, 300)}"] if self.failed else [])]
        undo = f" (undo {', '.join(self.undo)})" if self.undo else ""
        return f"{self.conversation}: {'; '.join(parts) or 'was so already'}{undo}"


@dataclass(slots=True)
class Bulk(Change):
    """A change of several conversations; each part of each is in the journal by itself."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])


@render.register
def _(bulk: Bulk, view: View) -> str:
    lines = [bulk.what, *(outcome.text for outcome in bulk.outcomes)]
    lines += [f"Warning: {warning}" for warning in bulk.warnings]
    lines.append(" ".join(part for part in (SEEN_BY[bulk.visible_to], view.acting) if part))
    if any(outcome.failed for outcome in bulk.outcomes):
        lines.append("The same call again goes on with what failed; what is done isn't done twice.")
    if any(outcome.undo for outcome in bulk.outcomes):
        lines.append("Each is undone by itself: dixa_undo_change.")
    return "\n".join(lines)
