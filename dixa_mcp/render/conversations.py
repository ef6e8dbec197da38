"""Conversations as text: one line each, and one page of one."""

from dataclasses import dataclass, field
from datetime import datetime

from dixa_mcp.client.models import Conversation
from dixa_mcp.render import View, fit, render
from dixa_mcp.render.thread import Entry, entry_lines
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation of a list, with names for its ids."""

    conversation: Conversation
    queue: str = ""
    assignee: str = ""
    customer: str = ""
    snippet: str = ""
    """Where the words of a search stand, marked `**so**`."""
    attributes: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def updated(self) -> datetime | None:
        """When it last changed, as far as the conversation itself tells: made, queued, assigned, state changed."""
        one = self.conversation
        moments = [
            one.created_at,
            one.state_updated_at,
            one.assignment.assigned_at if one.assignment else None,
            one.queue.queued_at if one.queue else None,
        ]
        return max((moment for moment in moments if moment), default=None)


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found."""

    hits: list[Hit]
    asked: list[str]
    """The filters in words, times resolved."""
    left_out: list[str] = field(default_factory=list[str])
    """What isn't shown and why."""
    emptied_by: list[str] = field(default_factory=list[str])
    """Filters without each of which something would be found; known only for an empty result."""
    next_cursor: str | None = None

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return len(self.hits)


@dataclass(frozen=True, slots=True)
class Page:
    """One conversation at a glance."""

    title: str
    facts: list[str]
    """One short line each, about people, waiting, tags, attributes, ratings, links."""
    entries: list[Entry]
    """The newest messages and notes."""
    earlier: int
    newest: str
    missing: list[str] = field(default_factory=list[str])
    """Parts that could not be read, and why."""

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return 1


@render.register
def _(found: Hits, view: View) -> str:
    about = f" ({'; '.join(found.asked)})" if found.asked else ""
    blocks = [hit_lines(hit, view) for hit in found.hits]
    kept = fit(blocks)
    lines = [f"{_counted(len(blocks))}{about}" if blocks else f"No conversations{about}."]
    lines += [f"Left out: {', '.join(found.left_out)}."] if found.left_out else []
    if found.emptied_by:
        lines.append(f"There are some without: {'; '.join(found.emptied_by)}.")
    if blocks:
        lines.append(view.fence.wrap("\n".join(blocks[:kept])))
    if kept < len(blocks):
        lines.append(f"Only {kept} fit into the answer; ask with limit={kept}.")
    elif found.next_cursor:
        lines.append(f"More: cursor={found.next_cursor}")
    return "\n".join(lines)


def _counted(count: int) -> str:
    return f"{count} conversation{'s' * (count != 1)}"


def hit_lines(hit: Hit, view: View) -> str:
    """One conversation in a line, with a second one for a snippet."""
    one = hit.conversation
    parts = [f"{one.id} {one.state or 'anonymised'} {one.channel}"]
    parts += [line(name, 60) for name in (hit.queue,) if name]
    parts += [line(hit.assignee, 60) or "unassigned"] if one.state != "Closed" or hit.assignee else []
    parts += [line(hit.customer, 60)] if hit.customer else []
    if one.subject:
        parts.append(f"“{line(one.subject, 160 if view.detailed else 80)}”")
    if hit.updated:
        parts.append(view.time(hit.updated))
    lines = [" · ".join(parts)]
    if hit.snippet:
        lines.append(f"  … {line(hit.snippet, 400 if view.detailed else 160)}")
    if view.detailed:
        lines += [f"  {fact}" for fact in _details(hit, view)]
    return "\n".join(lines)


def _details(hit: Hit, view: View) -> list[str]:
    one = hit.conversation
    facts = [f"{one.direction.lower() or 'made'}, {view.time(one.created_at)}"]
    facts += [f"customer {one.requester_id}"]
    facts += [f"language {line(one.language, 20)}"] if one.language else []
    facts += [f"part of {one.link.parent_id} ({one.link.kind})"] if one.link else []
    return [", ".join(facts), *(f"{label}: {value}" for label, value in hit.attributes.items())]


@render.register
def _(page: Page, view: View) -> str:
    lines = [page.title, *(f"Not readable now: {part}" for part in page.missing)]
    inside = [*page.facts, ""] if page.entries else [*page.facts]
    if page.earlier:
        inside.append(f"Messages and notes before these: {page.earlier} (dixa_get_thread)")
    inside += entry_lines(page.entries, view)
    lines.append(view.fence.wrap("\n".join(inside)))
    lines.append(f"Newest message: {page.newest}")
    return "\n".join(lines)
