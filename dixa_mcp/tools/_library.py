"""All articles by title, and a search index over what was read of them.

Dixa lists no articles and searches none (notes §18): titles come from the trees of all collections, read at
first use and cached like other lists. Texts are read when a search needs them, a few a call, since a crawl
would eat the token's rate; what was read stays in the index as long as the titles do.
"""

import sqlite3
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at, uuid
from dixa_mcp.client.records import read
from dixa_mcp.client.reports import Article, CatalogItem, Collection, Translation
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Unresolved
from dixa_mcp.text.clean import clean, html_to_text, line
from dixa_mcp.text.names import fold, pick

# A hit counts ten in the title, three in the place and one in the text.
_SEARCH = "SELECT id FROM articles WHERE articles MATCH ? ORDER BY bm25(articles, 0, 10, 3, 1), rowid"


@dataclass(frozen=True, slots=True)
class Entry:
    """An article or category in its tree."""

    id: str
    title: str
    path: tuple[str, ...]
    """Collection, then categories, from the top."""
    collection: str
    internal: bool
    """For colleagues: an internal or restricted collection."""

    @property
    def place(self) -> str:
        """Where it stands: `Help centre > Orders`."""
        return " > ".join(line(part, 60) for part in self.path)


@dataclass(frozen=True, slots=True)
class Text:
    """What was read of an article."""

    words: str
    published: bool
    newer_draft: bool


@dataclass(slots=True)
class Library:
    """The titles in one language, with the index."""

    articles: dict[str, Entry] = field(default_factory=dict[str, Entry])
    categories: list[Entry] = field(default_factory=list[Entry])
    unread: list[str] = field(default_factory=list[str])
    """Collections whose tree couldn't be read."""
    texts: dict[str, Text] = field(default_factory=dict[str, Text])
    index: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:"))
    __weakref__: object = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weakref.finalize(self, self.index.close)
        self.index.execute(
            "CREATE VIRTUAL TABLE articles USING fts5(id UNINDEXED, title, place, words, tokenize='porter unicode61')"
        )

    def add(self, entry: Entry) -> None:
        """Take in an article; one that stands in several places keeps its first."""
        if entry.id not in self.articles:
            self.articles[entry.id] = entry
            row = (entry.id, fold(entry.title), fold(" ".join(entry.path)))
            self.index.execute("INSERT INTO articles (id, title, place, words) VALUES (?, ?, ?, '')", row)

    def learn(self, id_: str, text: Text) -> None:
        """Take in an article's text."""
        self.texts[id_] = text
        self.index.execute("UPDATE articles SET words = ? WHERE id = ?", (fold(text.words), id_))

    def search(self, query: str, collection: str = "") -> list[Entry]:
        """Return the articles with any of the words (or their beginnings), best first."""
        words = [word for word in fold(query).split() if word.isalnum()]
        if not words:
            return []
        asked = " OR ".join(f'"{word}"*' if len(word) > 2 else f'"{word}"' for word in words)
        found = [self.articles[id_] for (id_,) in self.index.execute(_SEARCH, (asked,)).fetchall()]
        return [entry for entry in found if collection in {"", entry.collection}]

    def named(self, text: str) -> Entry:
        """Return the article of this title or id.

        Raises:
            Unresolved: None or several have it.
        """
        return _pick("article", text, list(self.articles.values()))

    def category(self, text: str) -> Entry:
        """Return the category of this title or id. Raises as `named`."""
        return _pick("category", text, self.categories)


async def library(dixa: Dixa, language: str = "") -> Library:
    """Return the titles in a language (Dixa answers in its default where one is missing)."""

    async def load() -> Sequence[Library]:
        return [await _load(dixa, language)]

    return (await dixa.catalogue.kept(f"articles {language}", load))[0]


async def learn(dixa: Dixa, titles: Library, entries: Iterable[Entry], language: str) -> int:
    """Read texts that weren't read yet; return how many couldn't be."""
    wanted = [entry.id for entry in entries if entry.id not in titles.texts]

    async def one(id_: str) -> None:
        titles.learn(id_, text_of(await article(dixa, id_, language)))

    results = await dixa.all([partial(one, id_) for id_ in wanted])
    return sum(isinstance(result, DixaMcpError) for result in results)


async def article(dixa: Dixa, id_: str, language: str = "") -> Article:
    """Read an article. Raises NotFound."""
    return read(Article, await dixa.get(at("/knowledge/articles/{id}", id=id_), language=language or None))


async def article_id(dixa: Dixa, text: str, language: str = "") -> str:
    """Return the id of the article that a title or an id means.

    Raises:
        Unresolved: None or several have this title.
    """
    try:
        return uuid(text)
    except InvalidArgument:
        pass
    try:
        return (await library(dixa, language)).named(text).id
    except Unresolved:
        if not language:
            raise
    # People say the title they know, in whatever language they want the text.
    return (await library(dixa)).named(text).id


def text_of(found: Article) -> Text:
    """What readers see of it, else its draft."""
    versions = found.translation
    shown = versions.published or versions.draft
    newer = bool(versions.draft and versions.published and differ(versions.draft, versions.published))
    return Text(words_of(shown) if shown else "", versions.published is not None, newer)


def words_of(version: Translation) -> str:
    """A version's text, as Markdown."""
    return html_to_text(version.contents.html) or clean(version.contents.plaintext)


def differ(one: Translation, other: Translation) -> bool:
    """Whether two versions say different things."""
    return (one.title, one.contents.html) != (other.title, other.contents.html)


async def _load(dixa: Dixa, language: str) -> Library:
    found = Library()
    collections = await dixa.catalogue.collections()

    async def tree(collection: Collection) -> CatalogItem:
        path = at("/knowledge/collections/{id}/catalog", id=collection.id)
        return read(CatalogItem, await dixa.get(path, language=language or None))

    trees = await dixa.all([partial(tree, collection) for collection in collections])
    failures = [result for result in trees if isinstance(result, DixaMcpError)]
    if failures and len(failures) == len(trees):
        raise failures[0]
    for collection, result in zip(collections, trees, strict=True):
        if isinstance(result, DixaMcpError):
            found.unread.append(collection.title)
        else:
            _walk(found, result, collection, (collection.title,))
    return found


def _walk(found: Library, branch: CatalogItem, collection: Collection, path: tuple[str, ...]) -> None:
    internal = collection.internal_kb_enabled or collection.restrictions.is_restricted
    below = [(branch, path)]
    while below:
        branch, path = below.pop(0)
        for leaf in branch.articles:
            found.add(Entry(leaf.id, leaf.title, path, collection.id, internal))
        for category in branch.categories:
            found.categories.append(Entry(category.id, category.title, path, collection.id, internal))
            below.append((category, (*path, category.title)))


def _pick(kind: str, text: str, entries: Sequence[Entry]) -> Entry:
    match = pick(text, entries, lambda entry: (entry.title, entry.id, f"{entry.place} > {entry.title}"))
    if match.one is not None:
        return match.one
    near = match.several or match.nearest or (entries if len(entries) <= 8 else ())
    places = [f"{line(entry.title, 80)} ({entry.place})" for entry in near[:8]]
    choices = [entry.id if places.count(place) > 1 else place for entry, place in zip(near, places, strict=False)]
    raise Unresolved(kind, text, choices, ambiguous=bool(match.several))
