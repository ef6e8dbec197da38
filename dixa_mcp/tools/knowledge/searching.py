"""Which article answers this."""

from typing import Annotated

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.render.knowledge import Hit, Hits, snippet
from dixa_mcp.text.names import pick
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools._library import Entry, Library, learn, library

TEXTS = 12
"""Articles whose text one search reads at most, beyond those it shows."""


@tool(Effect.READ, touches="")
async def search_knowledge(
    dixa: Dixa,
    query: str,
    collection: str = "",
    language: Annotated[str, Field(description="en, da, …")] = "",
    limit: Annotated[int, Field(ge=1, le=20)] = 5,
) -> Hits:
    """Search knowledge articles by words of title and text. Read one with dixa_get_article."""
    only = (await dixa.catalogue.find("collection", collection)).id if collection else ""
    titles = await library(dixa, language)
    unread = await learn(dixa, titles, titles.search(query, only)[:limit], language)
    found = titles.search(query, only)
    # Titles that don't fit may stand over texts that do.
    if len(found) < limit:
        unread += await learn(dixa, titles, _others(titles, only), language)
        found = titles.search(query, only)
    within = [entry for entry in titles.articles.values() if only in {"", entry.collection}]
    return Hits(
        query=query,
        hits=[_hit(titles, entry, query) for entry in found[:limit]],
        titles=len(within),
        texts=sum(entry.id in titles.texts for entry in within),
        near=[] if found else [entry.title for entry in pick(query, within, lambda entry: (entry.title,)).nearest],
        unread=titles.unread,
        failed=unread,
    )


def _others(titles: Library, collection: str) -> list[Entry]:
    unread = [entry for entry in titles.articles.values() if entry.id not in titles.texts]
    return [entry for entry in unread if collection in {"", entry.collection}][:TEXTS]


def _hit(titles: Library, entry: Entry, query: str) -> Hit:
    same = [other for other in titles.articles.values() if other.title == entry.title]
    text = titles.texts.get(entry.id)
    return Hit(
        title=entry.title,
        place=entry.place,
        internal=entry.internal,
        id=entry.id if len(same) > 1 else "",
        snippet=snippet(text.words, query) if text else "",
        published=text.published if text else None,
        newer_draft=bool(text and text.newer_draft),
    )
