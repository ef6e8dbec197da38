"""Which operation does it: found by words, shown with everything a call needs."""

from functools import cache
from typing import Annotated

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.errors import InvalidArgument
from dixa_mcp.operations import Operation, operations
from dixa_mcp.render.operations import Manual, Page
from dixa_mcp.text.names import fold
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools.operations._requests import resolve, signature, wanted
from dixa_mcp.tools.operations._twins import TWINS

SHOWN = 5

_MEANS = {
    "customer": "end user",
    "customers": "end users",
    "contact": "end user",
    "erase": "anonymize",
    "forget": "anonymize",
    "gdpr": "anonymize",
    "anonymise": "anonymize",
    "anonymisation": "anonymization",
    "reply": "message send",
    "answer": "message send",
    "email": "message conversation",
    "snooze": "follow up",
    "assign": "claim",
    "move": "transfer move",
    "csat": "rating",
    "nps": "rating",
    "survey": "rating",
    "image": "upload attachments",
    "picture": "upload attachments",
    "file": "upload attachments",
    "faq": "article",
    "help": "article",
    "remove": "remove delete untag",
    "edit": "update",
    "change": "update",
    "modify": "update",
    "read": "get",
    "show": "get list",
    "find": "list search",
    "opening": "business",
    "macro": "template",
    "hook": "webhook",
    "label": "tag",
    "group": "team",
    "online": "presence",
    "export": "records list",
}
"""What people call it → what Dixa's names say."""
_VERBS = frozenset(
    {"add", "put", "set", "get", "list", "show", "create", "update", "change", "delete", "remove", "read"}
)
"""Words that many names have; what is acted on tells more."""
_SMALL = frozenset(
    {"a", "an", "the", "of", "to", "in", "on", "for", "from", "by", "with", "and", "or", "one", "all", "my", "is"}
    | {"it", "how", "do", "i", "that", "at"}
)


@tool(Effect.READ, touches="")
async def find_operation(
    dixa: Dixa, query: Annotated[str, Field(description="Words, a name or METHOD /path", max_length=200)]
) -> Manual:
    """Find Dixa API operations for dixa_call_operation, with parameters, body and effect."""
    try:
        operation, _ = resolve(query)
    except InvalidArgument:
        found = ranked(query)
        if not found:
            return Manual([], query)
        return Manual([page(each, full=len(found) == 1) for each in found[:SHOWN]], query, len(found))
    return Manual([page(operation, full=True)], query, 1)


def page(operation: Operation, *, full: bool) -> Page:
    """Describe one operation, its body in full or in one line."""
    body = wanted(operation).partition("Body")[2] if full and operation.body else operation.body
    return Page(
        name=operation.name,
        effect=operation.effect,
        raised=dict(operation.raised),
        call=signature(operation),
        summary=operation.summary,
        body=body.lstrip(":").strip(),
        deprecated=operation.deprecated,
        undo=operation.undo if full else "",
        better=TWINS.get(operation.name, ()),
        full=full,
    )


def ranked(query: str) -> list[Operation]:
    """Return the operations that fit the words, best first; the same words give the same order."""
    words = [word for word in fold(query).split() if word not in _SMALL]
    scored = [(_score(each, words), number, each) for number, each in enumerate(operations().values())]
    best = max((score for score, _, _ in scored), default=0)
    fitting = [row for row in scored if row[0] > 0 and row[0] >= best * 0.6]
    return [each for _, _, each in sorted(fitting, key=lambda row: (-row[0], row[2].deprecated, row[1]))]


def _score(operation: Operation, words: list[str]) -> float:
    return sum(
        max(_weight(operation, each) for each in {word, *_MEANS.get(word, "").split()} if each) for word in words
    )


def _weight(operation: Operation, word: str) -> float:
    name, other = _index(operation.name)
    for places, exact, partly in ((name, 4.0, 2.5), (other, 2.0, 1.0)):
        if word in places:
            return exact
        if len(word) > 2 and any(
            place.startswith(word) or (len(place) > 3 and word.startswith(place)) for place in places
        ):
            return partly
    return 0.0


@cache
def _index(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of an operation's name, and those of its section, summary and path."""
    operation = operations()[name]
    other = fold(f"{operation.tag} {operation.summary} {operation.path}").split()
    return frozenset(name.split("_")), frozenset(word for word in other if word not in _SMALL)
