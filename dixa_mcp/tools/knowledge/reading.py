"""One article."""

from functools import partial
from typing import Literal

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.reports import Translation
from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.render.knowledge import ArticleText
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools._editions import Edition, edition
from dixa_mcp.tools._library import Entry, article_id, differ, library, words_of


@tool(Effect.READ, touches="")
async def get_article(
    dixa: Dixa, article: str, language: str = "", version: Literal["published", "draft"] = "published"
) -> ArticleText:
    """Read a knowledge article, by title or id, as Markdown."""
    id_ = await article_id(dixa, article, language)
    found, place, tags = await dixa.all([partial(edition, dixa, id_), partial(_place, dixa, id_), partial(_tags, dixa)])
    if isinstance(found, DixaMcpError):
        raise found
    assert isinstance(found, Edition)  # noqa: S101 - the first of the three
    language = found.language(language)
    draft, published = found.drafts.get(language), found.published.get(language)
    shown = _chosen(found, language, draft, published, version)
    names = tags if isinstance(tags, dict) else {}
    entry = place if isinstance(place, Entry) else None
    return ArticleText(
        id=id_,
        title=shown.title,
        language=language,
        place=entry.place if entry else "",
        internal=bool(entry and entry.internal) or found.article.restrictions.is_restricted,
        text=words_of(shown),
        is_draft=shown is not published,
        is_published=published is not None,
        draft=draft if draft and published and shown is published and differ(draft, published) else None,
        links=[link.url for link in shown.available_at.help_center_links if link.url],
        languages=[each for each in found.languages if each != language],
        tags=[names.get(tag, tag) for tag in found.article.tags],
        changed=shown.updated_at,
    )


def _chosen(
    found: Edition, language: str, draft: Translation | None, published: Translation | None, version: str
) -> Translation:
    shown = (draft or published) if version == "draft" else (published or draft)
    if shown is None:
        there = ", ".join(found.languages) or "none"
        raise Refused("state", f"This article has no text in {language!r}; its languages are: {there}.")
    return shown


async def _place(dixa: Dixa, id_: str) -> Entry | None:
    return (await library(dixa)).articles.get(id_)


async def _tags(dixa: Dixa) -> dict[str, str]:
    return {tag.id: tag.name for tag in await dixa.catalogue.tags(inactive=True)}
