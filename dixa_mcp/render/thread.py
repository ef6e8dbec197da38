"""A conversation's messages and notes in time order, inside one fence."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from dixa_mcp.render import AIM_BYTES, CAP_BYTES, View, fit, render, size
from dixa_mcp.text.clean import clean, line

LONGEST = 4_000
"""Bytes of one entry among several; one that is asked for alone may fill the answer."""
ALONE = {False: AIM_BYTES - 1_000, True: CAP_BYTES - 2_000}
"""Bytes of an entry that is alone: concise, detailed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message or note, ready to be read."""

    id: str
    kind: Literal["message", "note"]
    at: datetime
    who: str
    role: Literal["customer", "agent", "bot", "unknown"]
    text: str
    attachments: tuple[str, ...] = ()
    """Names of files, in order; `dixa_get_attachment` takes their number."""
    automatic: bool = False
    shortened: bool = False
    """Quoted history was cut from a mail."""
    facts: tuple[str, ...] = ()
    """Short extras of the detailed form: cc, delivery failure, duration."""


@dataclass(frozen=True, slots=True)
class Thread:
    """The part of a thread that was asked for."""

    title: str
    """One clean line: number, channel, state, people."""
    entries: list[Entry]
    earlier: int = 0
    """How many entries come before these."""
    newest: str = "none"
    """Short id of the newest message; what a reply must name."""
    warnings: list[str] = field(default_factory=list[str])

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return 1


@render.register
def _(thread: Thread, view: View) -> str:
    longest = ALONE[view.detailed] if len(thread.entries) == 1 else LONGEST
    blocks = [
        entry_block(entry, view, longest, place=thread.earlier + number)
        for number, entry in enumerate(thread.entries, 1)
    ]
    # The newest entries matter most, so what doesn't fit is cut from the front. One alone has its own limit.
    kept = fit(blocks[::-1], AIM_BYTES)
    earlier = thread.earlier + len(blocks) - kept
    lines = [thread.title]
    lines += [f"Warning: {warning}" for warning in thread.warnings]
    if earlier:
        lines.append(f"{earlier} earlier entries: cursor={earlier}")
    shown = _under_days(thread.entries[len(blocks) - kept :], blocks[len(blocks) - kept :], view)
    lines.append(view.fence.wrap("\n".join(shown)) if blocks else "No messages or notes.")
    lines.append(f"Newest message: {thread.newest}")
    return "\n".join(lines)


def entry_lines(entries: list[Entry], view: View, longest: int = 1_000) -> list[str]:
    """Entries under their days, each cut to `longest` bytes."""
    return _under_days(entries, [entry_block(entry, view, longest) for entry in entries], view)


def _under_days(entries: list[Entry], blocks: list[str], view: View) -> list[str]:
    """Put a line with the day before the first entry of each: a thread repeats its days, and each costs."""
    lines: list[str] = []
    former = ""
    for entry, block in zip(entries, blocks, strict=True):
        day, _ = day_and_clock(entry.at, view)
        if day != former:
            lines.append(f"{day}:")
            former = day
        lines.append(block)
    return lines


def day_and_clock(moment: datetime, view: View) -> tuple[str, str]:
    """A time as `2026-02-12 CET` or `yesterday CET`, and `08:41`; what has no time has no clock."""
    if moment.year < 1900:  # a message without one is sorted to the beginning of time
        return "without a time", ""
    day, clock, zone = view.time(moment).rsplit(" ", 2)
    return f"{day} {zone}", clock


def entry_block(entry: Entry, view: View, longest: int, place: int = 0) -> str:
    """One entry: who, when, text, files; `place` is its number in the thread, for reading on."""
    marks = [entry.role if entry.kind == "message" else "NOTE, colleagues only"]
    if entry.automatic:
        marks.append("automatic")
    _, clock = day_and_clock(entry.at, view)
    head = f"[{f'{entry.id[:8]} {clock}'.strip()}] {line(entry.who, 60)} ({', '.join(marks)}):"
    facts = [*entry.facts] if view.detailed else []
    if entry.attachments:
        facts.append("files: " + ", ".join(f"{n} {line(name, 60)}" for n, name in enumerate(entry.attachments, 1)))
    if entry.shortened:
        facts.append("quoted history cut; format=detailed shows it")
    text, cut = _shortened(clean(entry.text), longest)
    if cut:
        way = "" if longest == ALONE[True] else f"; more with limit=1 cursor={place} format=detailed" if place else ""
        facts.append(f"{cut:,} more characters{way}")
    return "\n".join([f"{head} {text}", *(f"  ({fact})" for fact in facts)])


def _shortened(text: str, longest: int) -> tuple[str, int]:
    """Cut a text at a word; returns what is left and how many characters aren't."""
    if size(text) <= longest:
        return text, 0
    kept = text.encode()[:longest].decode(errors="ignore")
    at_a_word = kept.rsplit(maxsplit=1)[0]
    kept = at_a_word if len(at_a_word) > len(kept) * 0.9 else kept
    return f"{kept} …", len(text) - len(kept)
