"""Drafts of articles. Readers see none of it before somebody publishes it (notes §18)."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.reports import Article, Translation
from dixa_mcp.client.workspace import Tag
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools._editions import Edition, edition, mark
from dixa_mcp.tools._library import Entry, article_id, library, words_of
from dixa_mcp.tools.knowledge_write._html import article_html

HELD = 120.0
"""Seconds for which the same new article can't be begun a second time."""

Text = Annotated[str, Field(min_length=1, max_length=100_000, description="Markdown or simple HTML")]
Title = Annotated[str, Field(min_length=1, max_length=300)]


@tool(Effect.INTERNAL, touches="")
async def draft_article(
    call: Call,
    title: Title,
    text: Text,
    article: Annotated[str, Field(description="Title or id, to change its draft; without it a new one")] = "",
    language: Annotated[str, Field(description="en, da, …")] = "",
    parent: Annotated[str, Field(description="Category of a new article")] = "",
    tags: Annotated[list[str], Field(max_length=20)] | None = None,
) -> Change:
    """Write a knowledge article's draft, whole. Readers see nothing until dixa_publish_article."""
    html = article_html(text)
    found = [await call.dixa.catalogue.find("tag", name) for name in tags or ()]
    if article:
        if parent:
            raise InvalidArgument("parent is for new articles; this one stays where it is.")
        return await _change(call.dixa, await article_id(call.dixa, article, language), language, title, html, found)
    return await _create(call, title, html, language, parent, found)


async def _create(call: Call, title: str, html: str, language: str, parent: str, tags: Sequence[Tag]) -> Change:
    if not (language and parent):
        raise InvalidArgument("A new article needs its language (en, da, …) and its parent, the category it goes into.")
    key = f"article:{call.digest('title', 'text', 'language', 'parent')}"
    if not await call.state.add(key, "1", HELD):
        raise Refused("once", "The same article is being made.", "Wait for that call's answer; don't send it twice.")
    try:
        place = (await library(call.dixa, language)).category(parent)
        if existing := await _existing(call.dixa, title, html, language, place):
            return _same(existing, language)
        body: dict[str, Any] = {
            "translations": [{"languageId": language, "title": title, "content": html}],
            "parentId": place.id,
            "tags": [tag.id for tag in tags],
        }
        id_ = await _made(call.dixa, body, title, html, language, place)
    finally:
        await call.state.take(key)
    return Change(
        f"Draft “{line(title)}” ({language}) made in {place.place} > {line(place.title, 60)}, article {id_}.",
        visible_to="colleagues",
        target=f"article {line(title, 60)}",
        after="a draft, not published",
        cannot_undo="deleting an article is final; it stays an unpublished draft",
    )


async def _made(dixa: Dixa, body: Any, title: str, html: str, language: str, place: Entry) -> str:
    """Make the article and return its id; after an ambiguous failure look whether it is there (design §4.5)."""
    try:
        return read(Article, (await dixa.send("POST", at("/knowledge/articles"), body)).data).id
    except DixaMcpError as error:
        if error.changed is not None:
            raise
        try:
            found = await _existing(dixa, title, html, language, place)
        except DixaMcpError:
            raise error from None
        if found is None:
            error.changed = False
            raise
        return found.article.id


async def _existing(dixa: Dixa, title: str, html: str, language: str, place: Entry) -> Edition | None:
    """Find an article with this title and text in the category: the one a former try made."""
    for entry in (await library(dixa, language)).articles.values():
        if entry.path == (*place.path, place.title) and fold(entry.title) == fold(title):
            found = await edition(dixa, entry.id)
            draft = found.drafts.get(found.language(language))
            if draft and _says(draft, title, html):
                return found
    return None


async def _change(dixa: Dixa, id_: str, language: str, title: str, html: str, tags: Sequence[Tag]) -> Change:
    found = await edition(dixa, id_)
    language = found.language(language)
    before, public = found.drafts.get(language), mark(found.published.get(language))
    adding = [tag for tag in tags if tag.id not in found.article.tags]
    if before and _says(before, title, html) and not adding:
        return _same(found, language)
    doubt: DixaMcpError | None = None
    if not (before and _says(before, title, html)):
        try:
            await _write(dixa, id_, {"languageId": language, "title": title, "content": html})
        except DixaMcpError as error:
            if error.changed is not None:
                raise
            doubt = error
    warnings = await _tag(dixa, id_, adding) if adding else []
    now, warned = await _read_back(dixa, id_, language, public)
    if doubt and not (now and _says(now, title, html)):
        raise doubt
    undo = _undo(id_, before, now)
    lost = [
        *(["the former draft has formatting this tool can't write"] if before and undo is None else []),
        *(["the new language stays as a draft"] if before is None else []),
        *([f"these tags stay: {', '.join(tag.name for tag in adding)}"] if adding else []),
    ]
    return Change(
        f"Draft of “{line(found.title)}” ({language}) changed; readers see nothing of it until it is published.",
        visible_to="colleagues",
        target=f"article {line(found.title, 60)}",
        before=_shown(before),
        after=_shown(now),
        undo=undo,
        cannot_undo="; ".join(lost),
        warnings=[*warnings, *warned],
    )


async def _write(dixa: Dixa, id_: str, translation: dict[str, str]) -> None:
    """Write one language's draft.

    Raises:
        DixaMcpError: Dixa took the request without naming this language as done (notes §18: partial success).
    """
    path = at("/knowledge/articles/{id}/translations", id=id_)
    done = await dixa.send("PATCH", path, {"translations": [translation]})
    names = {fold(each.language) for each in read_all(Translation, done.data)}
    if done.data is not None and fold(translation["languageId"]) not in names:
        error = DixaMcpError(
            f"Dixa didn't take the text in {translation['languageId']!r}", "Check the language's code."
        )
        error.changed = False
        raise error


async def _tag(dixa: Dixa, id_: str, tags: Sequence[Tag]) -> list[str]:
    try:
        path = at("/knowledge/articles/{id}", id=id_)
        await dixa.send("PATCH", path, {"tags": {"add": [tag.id for tag in tags], "remove": []}})
    except DixaMcpError as error:
        return [f"The text was written, but the tags were not put on: {error.what}"]
    return []


async def _read_back(dixa: Dixa, id_: str, language: str, public: str) -> tuple[Translation | None, list[str]]:
    """Read what is there now, and warn if what readers see changed all the same: notes §18 only infers it can't."""
    try:
        found: Edition = await edition(dixa, id_)
    except DixaMcpError:
        return None, ["It couldn't be read back."]
    changed = mark(found.published.get(language)) != public
    return found.drafts.get(language), ["The PUBLISHED text changed too; look at it."] if changed else []


def _undo(id_: str, before: Translation | None, now: Translation | None) -> Undo | None:
    if before is None or now is None:
        return None
    try:
        article_html(before.contents.html)
    except InvalidArgument:
        return None
    if not before.contents.html.lstrip().startswith("<"):
        return None
    arguments = {"article": id_, "language": before.language, "title": before.title, "text": before.contents.html}
    return Undo("dixa_draft_article", arguments, {"draft": {before.language: mark(now)}})


def _same(found: Edition, language: str) -> Change:
    return Change(
        f"“{line(found.title)}” ({language}) has this draft already, article {found.article.id}.",
        visible_to="nobody",
        target=f"article {line(found.title, 60)}",
    )


def _says(version: Translation, title: str, html: str) -> bool:
    return version.title == title.strip() and "".join(version.contents.html.split()) == "".join(html.split())


def _shown(version: Translation | None) -> str:
    """A version for the line before → after: its title and how its text begins."""
    return f"“{line(version.title, 60)}”: {line(words_of(version), 80)}" if version else ""
