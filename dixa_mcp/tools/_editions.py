"""An article in all its languages: what is edited (drafts) and what readers see (published), notes §18."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read
from dixa_mcp.client.reports import Article, ArticleTranslations, Translation
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold
from dixa_mcp.tools._library import article as read_article


@dataclass(frozen=True, slots=True)
class Edition:
    """One article: what it is, and its texts by language."""

    article: Article
    drafts: dict[str, Translation]
    published: dict[str, Translation]

    @property
    def languages(self) -> list[str]:
        """All its languages, the default one first."""
        return list(dict.fromkeys([*([self.default] if self.default else []), *self.drafts, *self.published]))

    @property
    def default(self) -> str:
        """The language Dixa answers in when none is asked for."""
        shown = self.article.translation.draft or self.article.translation.published
        return shown.language if shown else ""

    @property
    def title(self) -> str:
        """Its title as colleagues know it: in the default language, of the draft if there is one."""
        shown = self.article.translation.draft or self.article.translation.published
        return shown.title if shown else self.article.id

    def language(self, asked: str) -> str:
        """The article's own spelling of a language (`EN` → `en`); the default one when none is asked for."""
        return next((each for each in self.languages if fold(each) == fold(asked)), asked) if asked else self.default


async def edition(dixa: Dixa, id_: str) -> Edition:
    """Read an article with all its texts. Raises NotFound."""
    texts = at("/knowledge/articles/{id}/translations", id=id_)
    whole, translations = await dixa.all([partial(read_article, dixa, id_), partial(dixa.get, texts)])
    for result in (whole, translations):
        if isinstance(result, DixaMcpError):
            raise result
    assert isinstance(whole, Article)  # noqa: S101 - the first of the two
    found = read(ArticleTranslations, translations).translations
    return Edition(
        whole, {each.language: each for each in found.draft}, {each.language: each for each in found.published}
    )


def mark(version: Translation | None) -> str:
    """A version in a few characters, equal only for equal texts; for comparing before an undo."""
    if version is None:
        return ""
    digest = sha256(f"{version.title}\n{version.contents.html}".encode()).hexdigest()[:8]
    return f"{line(version.title, 60)} [{digest}]"


def to_be_read(found: Edition, languages: Iterable[str]) -> list[str]:
    """What readers would see when these drafts are published: titles, and texts with the links in their HTML."""
    drafts = [found.drafts[each] for each in languages if each in found.drafts]
    return [text for each in drafts for text in (each.title, each.contents.html or each.contents.plaintext) if text]


async def drafts_now(dixa: Dixa, arguments: Any) -> dict[str, str]:
    """The present drafts of the article that an undo would change, by language."""
    found = await edition(dixa, arguments["article"])
    return {language: mark(found.drafts.get(language)) for language in found.languages}


async def published_now(dixa: Dixa, arguments: Any) -> dict[str, str]:
    """The present published texts of the article that an undo would change, by language."""
    found = await edition(dixa, arguments["article"])
    return {language: mark(found.published.get(language)) for language in found.languages}
