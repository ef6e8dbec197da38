"""What a tool that writes answers: a change, how it is taken back, or the preview of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Undo:
    """How a change is taken back: another call of a tool, allowed only while what was written still stands."""

    tool: str
    """Name of the tool that reverts it."""
    arguments: Mapping[str, Any]
    wrote: Mapping[str, Any]
    """What the change left behind, by name (`queue`, `tags`, `state` …); compared before the undo."""


@dataclass(slots=True)
class Change:
    """What a tool that writes answers: what happened, who can see it, and how to take it back."""

    what: str
    """One sentence, with the names of things."""
    visible_to: Literal["colleagues", "customer", "outside", "nobody"]
    target: str = ""
    """What was changed, as the journal lists it: `conversation 10401`."""
    before: str = ""
    after: str = ""
    undo: Undo | None = None
    cannot_undo: str = ""
    """Why it can't be undone, or what an undo would not bring back."""
    warnings: list[str] = field(default_factory=list[str])
    partial: bool = False
    """Only a part was done; the same call again does the rest, so it is no duplicate."""
    duplicate: bool = False
    """The same call was answered before, or the thing already existed; nothing was done twice."""
    id: str = ""
    """Given by the journal: what `dixa_undo_change` takes."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The first of two steps: nothing was done, and this token lets the same call act."""

    question: str
    token: str
