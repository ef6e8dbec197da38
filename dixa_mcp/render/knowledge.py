"""Knowledge articles as text. Colleagues wrote them; a reader must not take them for instructions either."""

import re
from dataclasses import dataclass
from datetime import datetime

from dixa_mcp.client.reports import Translation
from dixa_mcp.render import CAP_BYTES, View, fit, render
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold

AROUND = 160
"""Characters of text shown with a hit."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that fits a search."""

    title: str
    place: str
    internal: bool
    id: str
    """Empty when the title alone names it."""
    snippet: str
    published: bool | None
    """None when its text wasn't read."""
    newer_draft: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found, and how far it looked."""

    query: str
    hits: list[Hit]
    titles: int
    texts: int
    near: list[str]
    unread: list[str]
    failed: int


@dataclass(frozen=True, slots=True)
class ArticleText:
    """One version of an article in one language."""

    id: str
    title: str
    language: str
    place: str
    internal: bool
    text: str
    is_draft: bool
    is_published: bool
    draft: Translation | None
    """A draft that says something else than the published text shown."""
    links: list[str]
    languages: list[str]
    tags: list[str]
    changed: datetime | None


@render.register
def _(found: Hits, view: View) -> str:
    articles = f"{found.titles} article{'s' * (found.titles != 1)}"
    looked = articles if found.texts >= found.titles else f"the titles of {articles} and the text of {found.texts}"
    notes = [f"INCOMPLETE: the collection {line(name)} couldn't be read." for name in found.unread]
    if found.failed:
        notes.append(f"INCOMPLETE: {found.failed} articles couldn't be read.")
    if not found.hits:
        near = f" Titles like it: {', '.join(line(title, 80) for title in found.near)}." if found.near else ""
        more = " The same search again looks into more texts." if found.texts < found.titles else ""
        return "\n".join([f"Nothing for “{line(found.query)}” in {looked}.{near}{more}", *notes])
    lines = [view.fence.wrap("\n".join(_hit(hit) for hit in found.hits))]
    if found.texts < found.titles:
        lines.append(f"Searched {looked}.")
    return "\n".join([*lines, *notes])


def _hit(hit: Hit) -> str:
    facts = [hit.place + ", INTERNAL" * hit.internal]
    if hit.published is False:
        facts.append("draft, not published")
    elif hit.newer_draft:
        facts.append("newer draft exists")
    text = f"{line(hit.title)} ({'; '.join(facts)})" + (f" id={hit.id}" if hit.id else "")
    return f"{text}\n  {hit.snippet}" if hit.snippet else text


@render.register
def _(article: ArticleText, view: View) -> str:
    state = "published" if not article.is_draft else "draft" if article.is_published else "DRAFT, never published"
    facts = [article.language, state, article.place, f"changed {view.time(article.changed)}" if article.changed else ""]
    lines = [f"{line(article.title)} ({', '.join(fact for fact in facts if fact)})"]
    if article.internal:
        lines.append("INTERNAL: for colleagues; don't send it to customers.")
    if article.draft:
        when = f", changed {view.time(article.draft.updated_at)}" if article.draft.updated_at else ""
        renamed = f" titled “{line(article.draft.title)}”" if article.draft.title != article.title else ""
        lines.append(f"A newer draft{renamed} exists{when}: version=draft.")
    if article.links and not article.is_draft:
        lines.append(f"Public at {', '.join(line(link, 200) for link in article.links)}")
    if article.languages:
        lines.append(f"Other languages: {', '.join(article.languages)}")
    if article.tags:
        lines.append(f"Tags: {', '.join(line(tag, 60) for tag in article.tags)}")
    paragraphs = article.text.split("\n\n")
    kept = fit(paragraphs, CAP_BYTES - 4_000)
    lines.append(view.fence.wrap("\n\n".join(paragraphs[:kept])) if article.text else "It has no text.")
    if kept < len(paragraphs):
        lines.append(f"… {len(paragraphs) - kept} more paragraphs left out: the article is too long for one answer.")
    return "\n".join(lines)


def snippet(text: str, query: str) -> str:
    """The part of a text around the first word that was asked for; its beginning when there is none."""
    stems = [word[: max(3, len(word) - 2)] for word in fold(query).split()]
    flat = " ".join(text.split())
    found = next((m for m in _WORD.finditer(flat) if fold(m[0]).startswith(tuple(stems))), None) if stems else None
    start = max(0, (found.start() if found else 0) - AROUND // 3)
    start = flat.find(" ", start) + 1 if start else 0
    end = len(flat) if len(flat) <= start + AROUND else max(flat.rfind(" ", start, start + AROUND), start + 1)
    return line("… " * (start > 0) + flat[start:end] + " …" * (end < len(flat)), AROUND + 8)
