"""Knowledge as Dixa shows it: drafts and published texts by language, and who outside can see them (notes §18)."""

import copy
import html
import re
from collections.abc import Generator
from contextlib import contextmanager

from dixa_mcp.sandbox.events import leave
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.wire import Json, Refusal, part

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
#: Elements after which a text without markup goes on in a new line.
BREAKS = re.compile(r"</(?:p|div|li|h[1-6]|tr)>|<br\s*/?>", re.IGNORECASE)


def plain(markup: str) -> str:
    """Return a text without its markup."""
    return html.unescape(re.sub(r"<[^>]+>", "", BREAKS.sub("\n", markup))).strip()


def spoken(org: Organisation, texts: Json, asked: str | None) -> str | None:
    """Return the language to answer in: the one asked for, the default one, else any; None if there is no text."""
    default = str(org.settings.get("language", "en"))
    return next((language for language in (asked, default, *texts) if language in texts), None)


def collection_of(org: Organisation, place: str | None) -> str | None:
    """Return the collection that a category, or an article's parent, is in."""
    while place in org.categories:
        place = org.categories[place].get("parent")
    return place if place in org.collections else None


def located(org: Organisation, thing: Json) -> Json:
    """Return what an article or category says about its place and its readers."""
    place = thing.get("parent")
    collection = collection_of(org, place)
    closed = bool(collection and org.collections[collection]["restrictions"]["isRestricted"])
    inherited = [{"fromCollection": collection}] if closed else []
    shown: Json = {"restrictions": {"isRestricted": closed, "inheritedRestrictions": inherited}}
    if place in org.categories:
        shown["parentCategory"] = place
    return shown | {"parentCollections": [collection] if collection else []}


def is_public(org: Organisation, article: Json) -> bool:
    """Whether people outside see what is published of it. Ours: not in a restricted collection, nor as pre-release."""
    collection = collection_of(org, article.get("parent"))
    closed = collection is None or org.collections[collection]["restrictions"]["isRestricted"]
    return bool(org.help_center) and not closed and not article.get("preRelease")


def version(org: Organisation, article: Json, language: str, *, published: bool) -> Json:
    """Return a draft or published text. Ours: a draft is the indexed version while it says what is published."""
    text = article["published" if published else "draft"][language]
    same = {"title": text["title"], "html": text["html"]}.items() <= part(article["published"], language).items()
    links = [dict(org.help_center)] if published and is_public(org, article) else []
    shown: Json = {
        "language": language,
        "title": text["title"],
        "isIndexedVersion": same,
        "contents": {"html": text["html"], "plaintext": plain(text["html"])},
        "availableAt": {"helpCenterLinks": links},
        "createdAt": text["createdAt"],
        "updatedAt": text["updatedAt"],
    }
    return shown | {key: text[key] for key in ("createdBy", "updatedBy") if key in text}


def shown_article(org: Organisation, article: Json, language: str | None = None) -> Json:
    """Return an article in a language, or in the default one."""
    shown: Json = {"id": article["id"], "isDefaultLocation": True}
    if spoke := spoken(org, article["draft"], language):
        shown["translation"] = {"draft": version(org, article, spoke, published=False)}
        if spoke in article["published"]:
            shown["translation"]["published"] = version(org, article, spoke, published=True)
    own = ("tags", "createdAt", "updatedAt", "indexedAt", "createdBy", "updatedBy", "ownedBy", "indexedBy")
    return copy.deepcopy(shown | {key: article[key] for key in own if key in article} | located(org, article))


def shown_category(org: Organisation, category: Json, language: str | None) -> Json:
    """Return a category with its title in a language, or in the default one."""
    shown: Json = {"id": category["id"], "isDefaultLocation": True, "isLocked": False}
    return shown | _title(org, category["titles"], language) | located(org, category)


def catalog(org: Organisation, place: str, language: str | None) -> Json:
    """Return the tree below a collection or category: ids and titles, of drafts, too (ours)."""
    categories = [item for item in org.categories.values() if item.get("parent") == place]
    articles = [item for item in org.articles.values() if item.get("parent") == place]
    return {
        "categories": [
            {"id": item["id"]} | _title(org, item["titles"], language) | catalog(org, item["id"], language)
            for item in categories
        ],
        "articles": [{"id": item["id"]} | _title(org, titles_of(item), language) for item in articles],
    }


def titles_of(article: Json) -> Json:
    """Return an article's titles by language: the published one before the draft (fixtures §12)."""
    return {language: text["title"] for language, text in (article["draft"] | article["published"]).items()}


def _title(org: Organisation, titles: Json, language: str | None) -> Json:
    spoke = spoken(org, titles, language)
    return {"title": {"languageId": spoke, "title": titles[spoke]}} if spoke else {}


# --- writing


def wrong(translation: Json) -> str | None:
    """Return why a translation can't be taken, None if it can."""
    if not LANGUAGE.fullmatch(translation["languageId"]):
        return f"Unsupported language '{translation['languageId']}'"
    return None if translation["title"].strip() else "Title must not be empty"


def write(org: Organisation, article: Json, translation: Json, by: str) -> None:
    """Write the draft of one language; content that is left out stays as it was."""
    language, now = translation["languageId"], org.now_ms()
    former = part(article["draft"], language)
    content = translation.get("content")
    article["draft"][language] = {"createdAt": now, "createdBy": by} | former | {
        "title": translation["title"],
        "html": former.get("html", "") if content is None else content,
        "updatedAt": now,
        "updatedBy": by,
    }  # fmt: skip
    touch(org, article, by)


def publish(org: Organisation, article: Json, languages: list[str], by: str) -> None:
    """Make the drafts of some languages what readers get."""
    now = org.now_ms()
    for language in languages:
        draft = article["draft"][language]
        article["published"][language] = draft | {"createdAt": now, "updatedAt": now, "createdBy": by, "updatedBy": by}
    article |= {"indexedAt": now, "indexedBy": by}
    touch(org, article, by)


def touch(org: Organisation, article: Json, by: str) -> None:
    """Note who changed an article last."""
    article |= {"updatedAt": org.now_ms(), "updatedBy": by}


def check_tags(org: Organisation, tags: list[str]) -> None:
    """Refuse tags that don't exist."""
    if not set(tags) <= org.tags.keys():
        raise Refusal(400, "Tag does not exist")


@contextmanager
def noticed(org: Organisation, article: Json) -> Generator[None]:
    """Put into the outbox what a change in the block shows to, or takes from, readers outside."""
    before = _seen(org, article)
    yield
    after = _seen(org, article)
    changed = [key for key in before | after if before.get(key) != after.get(key)]
    for language in changed:
        text, place = after.get(language) or ("", "")
        more = {"article": article["id"], "language": language, "what": "published" if text else "withdrawn"}
        said = text or before[language][0].partition("\n")[0]
        leave(org, "publication", [org.help_center["url"]], said, None, place=place, **more)


def _seen(org: Organisation, article: Json) -> dict[str, tuple[str, str]]:
    """Return language → text and place of what readers outside see."""
    if article["id"] not in org.articles or not is_public(org, article):
        return {}
    return {
        language: (f"{text['title']}\n{text['html']}", str(article["parent"]))
        for language, text in article["published"].items()
    }
