"""What this caller changed, and how to take it back. Kept in `State` for a week, without message bodies."""

import secrets
from dataclasses import asdict, dataclass, field
from json import dumps, loads
from typing import Any

from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Change, Undo

WEEK = 7 * 24 * 3600.0
KEPT = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One change as the journal keeps it."""

    id: str
    at: str
    """When, ISO 8601 UTC, by Dixa's clock."""
    tool: str
    what: str
    target: str
    visible_to: str
    before: str = ""
    after: str = ""
    cannot_undo: str = ""
    undo: dict[str, Any] = field(default_factory=dict[str, Any])

    def inverse(self) -> Undo | None:
        """How it can be taken back."""
        return Undo(**self.undo) if self.undo else None


async def record(call: Call, change: Change) -> None:
    """Keep the change, and give it its id: one that can be looked up."""
    entry = Entry(
        id=f"c-{secrets.token_hex(4)}",
        at=(await call.now()).isoformat(timespec="seconds"),
        tool=call.tool.name,
        what=change.what,
        target=change.target,
        visible_to=change.visible_to,
        before=change.before,
        after=change.after,
        cannot_undo=change.cannot_undo,
        undo=asdict(change.undo) if change.undo else {},
    )
    await call.state.push(_key(call), dumps(asdict(entry)), WEEK, KEPT)
    change.id = entry.id


async def entries(call: Call) -> list[Entry]:
    """Read the caller's own changes, newest first."""
    return [Entry(**loads(text)) for text in reversed(await call.state.items(_key(call)))]


async def find(call: Call, change_id: str) -> Entry | None:
    """Read one of the caller's own changes."""
    return next((entry for entry in await entries(call) if entry.id == change_id.strip().casefold()), None)


async def undone(call: Call) -> set[str]:
    """Read which of the changes were taken back."""
    return set(await call.state.items(f"{_key(call)}:undone"))


async def mark_undone(call: Call, change_id: str) -> None:
    """Remember that a change was taken back."""
    await call.state.push(f"{_key(call)}:undone", change_id, WEEK, KEPT)


def _key(call: Call) -> str:
    return f"changes:{call.caller.tenant}:{call.caller.name}"
