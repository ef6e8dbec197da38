"""What readers of the help centre see. A person agrees to the text first."""

from difflib import unified_diff
from typing import Annotated, Literal

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.reports import Translation
from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import LONGEST_QUESTION, Question, quoted
from dixa_mcp.text.clean import HTML_LIMIT, line
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools._editions import Edition, edition, mark, to_be_read
from dixa_mcp.tools._library import article_id, differ, library, words_of

DIFFERENCE = 24
"""Lines of difference a person is shown for each language."""

TITLE = 1_000
"""Characters of a title a person is shown: as good as all."""

Action = Literal["publish", "unpublish"]
Language = Annotated[str, Field(description="All if left out")]


@tool(Effect.CUSTOMER, touches="", idempotent=True)
async def publish_article(call: Call, article: str, action: Action = "publish", language: Language = "") -> Change:
    """Make a knowledge article's draft public, or take the article off the help centre. A person confirms first."""
    id_, found, languages = await _meant(call, article, action, language)
    what = f"“{line(found.title)}” ({', '.join(languages) or 'all languages'})"
    if not languages:
        return Change(_settled(found, action), visible_to="nobody")
    doubt = await _act(call.dixa, id_, action, found.language(language) if language else "")
    now, warnings = await _read_back(call.dixa, id_, found)
    missed = [each for each in languages if not _is_done(now, each, action)]
    if doubt and missed:
        raise doubt
    warnings += [f"Dixa still shows {each} as it was." for each in missed]
    undo, lost = _undo(id_, action, found, languages, now, language)
    return Change(
        f"{what} is {'published' if action == 'publish' else 'off the help centre'}.",
        visible_to="customer",
        target=f"article {line(found.title, 60)}",
        before=_titles(found, languages),
        after=_titles(now, languages),
        undo=undo,
        cannot_undo=lost,
        warnings=warnings,
    )


@publish_article.asks
async def _(call: Call, article: str, action: str = "publish", language: str = "") -> Question:
    id_, found, languages = await _meant(call, article, action, language)
    if not languages:
        raise Refused("state", _settled(found, action))
    entry = (await library(call.dixa)).articles.get(id_)
    readers = "colleagues" if entry and entry.internal else "everybody who can read the help centre"
    if action == "publish":
        lines = [f"Publish this knowledge article? It will be seen by {readers}."]
    else:
        lines = [f"Take this knowledge article off? It will no longer be seen by {readers}."]
    lines.append(f"“{line(found.title)}”" + (f", in {entry.place}" if entry else "") + f", article {id_}")
    for each in languages:
        lines += ["", *_shown(found, each, action)]
    text = "\n".join(lines)
    if len(text) > LONGEST_QUESTION:
        raise _too_long()
    return Question(text)


@publish_article.says
async def _(call: Call, article: str, action: str = "publish", language: str = "") -> list[str]:
    if action != "publish":
        return []
    _, found, languages = await _meant(call, article, action, language)
    return to_be_read(found, languages)


async def _meant(call: Call, article: str, action: str, language: str) -> tuple[str, Edition, list[str]]:
    """The article, and its languages that would change.

    Raises:
        Refused: It has no text in this language.
    """
    id_ = await article_id(call.dixa, article, language)
    found = await edition(call.dixa, id_)
    wanted = [found.language(language)] if language else found.languages
    if language and wanted[0] not in found.languages:
        there = ", ".join(found.languages) or "none"
        raise Refused("state", f"This article has no text in {language!r}; its languages are: {there}.")
    if action == "unpublish":
        return id_, found, [each for each in wanted if each in found.published]
    changed = [
        each for each in wanted if (draft := found.drafts.get(each)) and _is_news(draft, found.published.get(each))
    ]
    return id_, found, changed


def _settled(found: Edition, action: str) -> str:
    state = "has no draft that readers don't see already" if action == "publish" else "isn't published"
    return f"“{line(found.title)}” {state}."


def _is_news(draft: Translation, public: Translation | None) -> bool:
    return public is None or differ(draft, public)


def _is_done(now: Edition, language: str, action: str) -> bool:
    public, draft = now.published.get(language), now.drafts.get(language)
    return public is None if action == "unpublish" else public is not None and not (draft and differ(draft, public))


async def _act(dixa: Dixa, id_: str, action: str, language: str) -> DixaMcpError | None:
    """Publish or unpublish; returns the failure when it isn't known whether it was done."""
    if language:
        path = at("/knowledge/articles/{id}/translations/{language}/{action}", id=id_, language=language, action=action)
    else:
        path = at("/knowledge/articles/{id}/{action}", id=id_, action=action)
    try:
        await dixa.send("POST", path)
    except DixaMcpError as error:
        if error.changed is not None:
            raise
        return error
    return None


async def _read_back(dixa: Dixa, id_: str, before: Edition) -> tuple[Edition, list[str]]:
    try:
        return await edition(dixa, id_), []
    except DixaMcpError as error:
        return before, [f"It was done, but couldn't be read back: {error.what}"]


def _shown(found: Edition, language: str, action: str) -> list[str]:
    """One language for a person: the title, what changes, and the whole text as readers will see it."""
    public, draft = found.published.get(language), found.drafts.get(language)
    if action == "unpublish" or draft is None:
        return [f"{language}: “{line(public.title)}”" + _links(public)] if public else []
    if public is None:
        return [f"{language}, new: “{line(draft.title, TITLE)}”", *_whole(draft)]
    head = f"{language}: “{line(draft.title, TITLE)}”" + _links(public)
    renamed = [f"Title now: “{line(public.title)}”"] if public.title != draft.title else []
    rows = unified_diff(words_of(public).splitlines(), words_of(draft).splitlines(), n=0, lineterm="")
    changes = [row for row in rows if not row.startswith(("---", "+++", "@@"))] or ["(only formatting changes)"]
    more = [f"… and {len(changes) - DIFFERENCE} more lines"] if len(changes) > DIFFERENCE else []
    return [
        head,
        *renamed,
        "Against the text published now:",
        quoted("\n".join(changes[:DIFFERENCE])),
        *more,
        *_whole(draft),
    ]


def _whole(draft: Translation) -> list[str]:
    """The whole text, and a fingerprint that also tells what a person can't see, such as formatting.

    Raises:
        Refused: It is longer than a person can be shown.
    """
    if len(draft.contents.html) > HTML_LIMIT:
        raise _too_long()
    words = words_of(draft)
    return [*(["The whole text:", quoted(words)] if words else ["It has no text."]), f"Version: {mark(draft)}"]


def _too_long() -> Refused:
    return Refused(
        "length",
        "This is more text than a person can read and agree to.",
        "Publish one language at a time, or let a colleague publish it in Dixa.",
    )


def _links(version: Translation) -> str:
    links = [f"{line(link.name, 60)} {line(link.url, 200)}".strip() for link in version.available_at.help_center_links]
    return f", at {', '.join(links)}" if links else ""


def _titles(found: Edition, languages: list[str]) -> str:
    shown = [(each, found.published.get(each)) for each in languages]
    return ", ".join(
        f"{each}: {f'“{line(version.title, 60)}”' if version else 'not public'}" for each, version in shown
    )


def _undo(
    id_: str, action: str, before: Edition, languages: list[str], now: Edition, language: str
) -> tuple[Undo | None, str]:
    """How to take it back, or why that can't be: Dixa keeps no former published text (notes §18)."""
    wrote = {"published": {each: mark(now.published.get(each)) for each in languages}}
    # Several languages at once are taken back only when the whole article was as these are.
    alone = language or (languages[0] if len(languages) == 1 else "")
    if not alone and set(languages) != set(before.languages):
        return None, "only some of its languages changed; take them back one by one"
    arguments = {"article": id_, "language": alone}
    if action == "publish":
        if any(each in before.published for each in languages):
            return None, "Dixa doesn't keep the text that was published before"
        return Undo("dixa_publish_article", {**arguments, "action": "unpublish"}, wrote), ""
    if any(
        (draft := before.drafts.get(each)) is None or _is_news(draft, before.published.get(each)) for each in languages
    ):
        return None, "publishing it again would show its newer draft"
    return Undo("dixa_publish_article", {**arguments, "action": "publish"}, wrote), ""
