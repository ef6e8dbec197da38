"""Lists of conversations: the ids of a search made readable, with names for people and queues."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.models import Conversation, SearchHit
from dixa_mcp.errors import DixaMcpError, NotFound, OutOfTime
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.conversations import Hit
from dixa_mcp.text.clean import line
from dixa_mcp.tools import _attributes, _people

_MARKED = re.compile(r"<em class=\"highlight\">(.*?)</em>", re.DOTALL)
_AROUND = 70
"""Characters shown before the first word that was found."""


async def conversations(call: Call, ids: Sequence[int]) -> tuple[list[Conversation], list[str]]:
    """Read many conversations, a few at once; returns them in order, and in words what is left out.

    Left out are those that vanished or were anonymised since (notes §23), those of other queues than the
    operator lets be read, and, when the deadline comes, the rest.
    """
    thunks = [partial(_people.conversation, call.dixa, each) for each in ids]
    results = await call.dixa.all(thunks, progress=partial(_told, call) if len(ids) > 10 else None)
    found = [each for each in results if isinstance(each, Conversation) and not each.is_anonymized]
    failures = [each for each in results if isinstance(each, DixaMcpError)]
    if failures and len(failures) == len(results) and not isinstance(failures[0], NotFound | OutOfTime):
        raise failures[0]
    late = sum(isinstance(each, OutOfTime) for each in failures)
    gone = sum(isinstance(each, NotFound) for each in failures)
    hidden = sum(isinstance(each, Conversation) and each.is_anonymized for each in results)
    allowed = await within(call, found)
    counts = {
        "anonymised": hidden,
        "no longer there": gone,
        "not read before the time for this call was up (ask for fewer)": late,
        "not readable now": len(failures) - late - gone,
        "in queues that may not be read here": len(found) - len(allowed),
    }
    return allowed, [f"{count} {words}" for words, count in counts.items() if count]


async def within(call: Call, found: Sequence[Conversation]) -> list[Conversation]:
    """The conversations of the queues that the operator lets be read (`--read-queues`); all where none are named."""
    names = call.settings.read_queues
    if not names:
        return list(found)
    allowed = {(await call.dixa.catalogue.find("queue", name)).id for name in names}
    return [each for each in found if each.queue and each.queue.id in allowed]


async def hits(
    call: Call,
    found: Sequence[Conversation],
    marks: Iterable[SearchHit] = (),
    people: Mapping[str, str] | None = None,
) -> list[Hit]:
    """Give the ids of conversations their names; each customer is looked up once, or not if `people` are known."""
    dixa = call.dixa
    if people is None:
        people = await customer_names(dixa, [each.requester_id for each in found])
    agents = await _people.agents(dixa)
    queues = await queue_names(dixa)
    snippets = {mark.id: snippet(mark.highlights) for mark in marks}
    detailed = call.arguments.get("format") == "detailed"
    return [
        Hit(
            each,
            queue=queues.get(each.queue.id, each.queue.id) if each.queue else "",
            assignee=agents[each.assignment.agent_id].name
            if each.assignment and each.assignment.agent_id in agents
            else "a former agent" * bool(each.assignment and each.assignment.agent_id),
            customer=people.get(each.requester_id, ""),
            snippet=snippets.get(each.id, ""),
            attributes=await _attributes.labelled(dixa, each.custom_attributes) if detailed else {},
        )
        for each in found
    ]


async def customer_names(dixa: Dixa, ids: Iterable[str]) -> dict[str, str]:
    """Names of customers by id, each read once; who can't be read in time has none."""
    unique = list(dict.fromkeys(each for each in ids if each))
    found = await dixa.all([partial(_people.customer_name, dixa, each) for each in unique])
    return {one: name for one, name in zip(unique, found, strict=True) if isinstance(name, str)}


async def queue_names(dixa: Dixa) -> dict[str, str]:
    """Names of queues by id; empty where they can't be read, since names are a courtesy."""
    try:
        return {queue.id: queue.name for queue in await dixa.catalogue.queues()}
    except DixaMcpError:
        return {}


def snippet(highlights: Mapping[str, Sequence[str]]) -> str:
    """Where the words stand, outside the subject, which is shown anyway: the first place, marked `**so**`."""
    texts = [text for name, found in highlights.items() if name != "subject" for text in found]
    if not texts:
        return ""
    text = line(_MARKED.sub(r"**\1**", texts[0]), 20_000)
    start = max(0, text.find("**") - _AROUND)
    return text[start:].split(" ", 1)[-1] if start else text


async def _told(call: Call, done: int, of: int) -> None:
    await call.progress(done, of, "conversations read")
