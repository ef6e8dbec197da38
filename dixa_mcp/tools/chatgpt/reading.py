"""`search` and `fetch` over conversations and articles."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dixa_mcp.client.paths import csid
from dixa_mcp.errors import DixaMcpError, InvalidArgument
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.chatgpt import Document, Found
from dixa_mcp.render.conversations import Hit
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Aim, Effect, Use, tool
from dixa_mcp.tools import _people
from dixa_mcp.tools._library import learn, library
from dixa_mcp.tools.conversations.searching import search_conversations
from dixa_mcp.tools.conversations.thread import get_thread
from dixa_mcp.tools.knowledge.reading import get_article

CONVERSATIONS, ARTICLES = 10, 5
MESSAGES = 200

_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@tool(
    Effect.READ,
    name="search",
    touches="",
    uses=(Use("dixa_search_conversations"), Use("dixa_search_knowledge")),
)
async def search(call: Call, query: str) -> Found:
    """Search Dixa: customer conversations by their words, and knowledge articles."""
    if not query.strip():
        raise InvalidArgument("query is empty.")
    found = await call.dixa.all([lambda: _conversations(call, query), lambda: _articles(call, query)])
    if all(isinstance(each, DixaMcpError) for each in found):
        raise found[0]  # type: ignore[misc] - each of them is an error
    return Found([row for rows in found if isinstance(rows, list) for row in rows])


@tool(
    Effect.READ,
    name="fetch",
    touches="id",
    uses=(
        Use("dixa_get_thread", "id", lambda given: _parted(str(given))[0] == "conversation"),
        Use("dixa_get_article", "id", lambda given: _parted(str(given))[0] == "article"),
    ),
)
async def fetch(call: Call, id: str) -> Document:
    """Read one result of search in full: conversation:NUMBER or article:ID."""
    kind, number = _parted(id)
    if kind == "article":
        return await _article(call, number)
    thread = await get_thread.run(call.dixa, csid(number), limit=MESSAGES)
    conversation = await _people.conversation(call.dixa, csid(number))
    metadata = {"channel": conversation.channel, "state": conversation.state, "newest_message": thread.newest}
    return Document(
        f"conversation:{conversation.id}",
        thread.title,
        thread,
        await _address(call, conversation.id),
        metadata,
    )


@fetch.aims
def _(arguments: Mapping[str, Any]) -> Aim:
    kind, number = _parted(str(arguments["id"]))
    return Aim((number,)) if kind == "conversation" else Aim()


def _parted(given: str) -> tuple[str, str]:
    kind, colon, rest = given.strip().partition(":")
    if not colon:
        kind, rest = ("conversation" if kind.strip("#").isdigit() else "article"), kind
    if kind not in {"conversation", "article"} or not rest:
        raise InvalidArgument(f"{line(given)!r} is no id of search.", "They read conversation:10401 or article:….")
    return kind, rest


async def _conversations(call: Call, query: str) -> list[dict[str, str]]:
    arguments = {each.name: each.default for each in search_conversations.parameters} | {"text": query}
    arguments["limit"] = CONVERSATIONS
    inner = replace(call, tool=search_conversations, arguments=arguments, read={})
    hits = (await search_conversations.run(inner, **arguments)).hits
    rows: list[dict[str, str]] = []
    for hit in hits:
        number = hit.conversation.id
        rows.append({"id": f"conversation:{number}", "title": _title(hit), "url": await _address(call, number)})
    return rows


def _title(hit: Hit) -> str:
    one = hit.conversation
    about = line(one.subject, 80) or line(hit.customer, 60) or "conversation"
    made = f", {one.created_at:%Y-%m-%d}" if one.created_at else ""
    return f"{about} (#{one.id}, {one.channel}, {one.state.lower()}{made})"


async def _articles(call: Call, query: str) -> list[dict[str, str]]:
    titles = await library(call.dixa)
    await learn(call.dixa, titles, titles.search(query, "")[:ARTICLES], "")
    found = titles.search(query, "")[:ARTICLES]
    return [{"id": f"article:{e.id}", "title": line(e.title), "url": f"dixa://article/{e.id}"} for e in found]


async def _article(call: Call, number: str) -> Document:
    article = await get_article.run(call.dixa, number)
    url = article.links[0] if article.links else f"dixa://article/{article.id}"
    metadata = {
        "language": article.language,
        "place": article.place,
        "version": "draft" if article.is_draft else "published",
    }
    return Document(f"article:{article.id}", line(article.title), article.text, url, metadata)


async def _address(call: Call, number: int) -> str:
    """Where a person opens it: Dixa's own page, as other programs link to it."""
    try:
        subdomain = (await call.dixa.catalogue.organization()).subdomain.lower()
    except DixaMcpError:
        subdomain = ""
    if _SUBDOMAIN.fullmatch(subdomain):
        return f"https://{subdomain}.dixa.com/conversation/{number}"
    return f"dixa://conversation/{number}"
