"""Operations of the contract as text: what a model needs to call one."""

from dataclasses import dataclass

from dixa_mcp.render import View, render
from dixa_mcp.text.clean import line

LONGEST_BODY = 240


@dataclass(frozen=True, slots=True)
class Page:
    """One operation as the manual shows it."""

    name: str
    effect: str
    raised: dict[str, str]
    call: str
    summary: str
    body: str
    deprecated: bool
    undo: str
    better: tuple[str, ...]
    full: bool


@dataclass(frozen=True, slots=True)
class Manual:
    """What was found for some words."""

    pages: list[Page]
    query: str
    of: int = 0


@render.register
def _(manual: Manual, view: View) -> str:
    if not manual.pages:
        return f"No operation fits “{line(manual.query)}”. Try what it is about: tag, queue, webhook …"
    blocks = [_shown(each) for each in manual.pages]
    if manual.of > len(blocks):
        blocks.append(f"… and {manual.of - len(blocks)} more; add words to narrow.")
    if not all(page.full for page in manual.pages):
        blocks.append("A name alone shows one in full.")
    return "\n".join(blocks)


def _shown(page: Page) -> str:
    raised = {
        effect: [field for field, each in page.raised.items() if each == effect] for effect in page.raised.values()
    }
    makes = [f"{effect} with {', '.join(fields)}" for effect, fields in raised.items() if page.full]
    marks = ", ".join([page.effect, *makes, *(["deprecated"] * page.deprecated)])
    instead = f" (tool {' or '.join(page.better)})" if page.better else ""
    lines = [f"{page.name} ({marks}): {page.summary}{instead}", f"  {page.call}"]
    if page.body:
        long = not page.full and len(page.body) > LONGEST_BODY
        lines.append(f"  body {page.body[:LONGEST_BODY] + '…' if long else page.body}")
    if page.undo:
        lines.append(f"  taken back by {page.undo}")
    return "\n".join(lines)
