"""Customers as text."""

from dataclasses import dataclass, field

from dixa_mcp.client.workspace import EndUser
from dixa_mcp.render import View, fit, render
from dixa_mcp.render.conversations import Hit, hit_lines
from dixa_mcp.text.clean import line

FEW = 20
"""A list of more customers than this shows one way to reach each, for every further field is paid for by each."""


@dataclass(frozen=True, slots=True)
class Customers:
    """People that fit a filter."""

    people: list[EndUser]
    asked: str
    """The filter in words, for an empty result."""
    next_cursor: str | None = None

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return len(self.people)


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One customer with what is known of them."""

    person: EndUser
    attributes: dict[str, str]
    conversations: list[Hit]
    missing: list[str] = field(default_factory=list[str])
    """Parts that could not be read, and why."""
    next_cursor: str | None = None

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return 1 + len(self.conversations)


@render.register
def _(found: Customers, view: View) -> str:
    if not found.people:
        return f"No customer has {found.asked}. Dixa matches exactly; try another filter."
    brief = len(found.people) > FEW and not view.detailed
    blocks = [person_line(person, detailed=view.detailed, brief=brief) for person in found.people]
    kept = fit(blocks)
    lines = [f"{len(blocks)} customer{'s' * (len(blocks) > 1)}" + (f", the first {kept} shown" * (kept < len(blocks)))]
    lines.append(view.fence.wrap("\n".join(blocks[:kept])))
    if brief:
        lines.append("Phones and external ids of so many: format=detailed.")
    if kept < len(blocks):
        lines.append(f"The answer would be too long; ask with limit={kept}.")
    elif found.next_cursor:
        lines.append(f"More: cursor={found.next_cursor}")
    return "\n".join(lines)


def person_line(person: EndUser, *, detailed: bool, brief: bool = False) -> str:
    """A customer in one line; the id only where nothing else names the person, or everything is wanted.

    `brief` shows one way to reach each, which is enough to tell many apart and to ask for one of them.
    """
    reach = [each for each in (person.email, person.phone_number, person.external_id) if each]
    if brief:
        reach = reach[:1]
    if detailed:
        reach += [*person.additional_emails, *person.additional_phone_numbers]
    parts = [line(person.name, 60), *(line(part, 80) for part in reach if part != person.name)]
    if detailed or not reach:
        parts.append(person.id)
    return " · ".join(parts)


@render.register
def _(page: CustomerPage, view: View) -> str:
    person = page.person
    others = [*person.additional_emails, *person.additional_phone_numbers]
    facts = [
        person_line(person, detailed=False),
        f"Also: {', '.join(line(each, 80) for each in others)}" if others else "",
        f"Since {view.time(person.created_at)}" if person.created_at else "",
        f"Anonymised {view.time(person.anonymized_at)}" if person.anonymized_at else "",
        *(f"{label}: {value}" for label, value in page.attributes.items()),
    ]
    blocks = [hit_lines(hit, view) for hit in page.conversations]
    kept = fit(blocks)
    if blocks:
        facts.append(f"Conversations, newest first ({kept}):")
    elif not page.missing:
        facts.append("No conversations.")
    lines = [f"Customer {person.id}", *(f"Not readable now: {part}" for part in page.missing)]
    lines.append(view.fence.wrap("\n".join([*(fact for fact in facts if fact), *blocks[:kept]])))
    if kept < len(blocks):
        lines.append(f"More conversations: ask with limit={kept}.")
    elif page.next_cursor:
        lines.append(f"More conversations: cursor={page.next_cursor}")
    return "\n".join(lines)
