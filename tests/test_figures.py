"""What answers cost a model, in o200k tokens, against the JSON Dixa answers to the same question (design §11)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from front_door import Desk, desk
from vocabulary import tokens

from dixa_mcp.sandbox import Sandbox, transport

OLIVIA = "1d66b93e-ab14-43d4-89fb-b94a217c6ac0"
MIA_ID = "039fbf8d-4ab7-46a4-9543-0786d6ebb40f"
QUESTIONS = (
    "Hi, is the two-person tent in forest green still in stock?",
    "I ordered F-20417 on Monday and it has not come yet.",
    "Yes, to the pick-up point in Malmö please.",
    "Could you also check whether my voucher was used?",
    "Great, thank you!",
)
REPLIES = (
    "Hello Olivia, let me look that up for you, one moment please.",
    "It left our warehouse this morning, the carrier will text you tomorrow.",
    "I have changed the address, you will get a new confirmation by e-mail.",
    "The voucher is still valid, 20 % off until the end of March.",
    "You're welcome! Anything else I can do for you?",
)


async def raw(sandbox: Sandbox, *paths: str) -> str:
    """What Dixa's answers to these requests are, byte for byte."""
    headers = {"Authorization": "sandbox-admin-token"}
    async with httpx.AsyncClient(transport=transport(sandbox), base_url="https://dev.dixa.io/v1") as client:
        return "\n".join([(await client.get(path, headers=headers)).text for path in paths])


def add_messages(sandbox: Sandbox, csid: int, kind: Callable[[Sandbox, int], dict[str, Any]]) -> None:
    """Put 40 messages into a conversation instead of those that are there, a few minutes apart."""
    org = sandbox.organisation
    start = org.at() - timedelta(hours=20)
    org.messages[csid] = [
        {
            "id": org.new_id(),
            "authorId": MIA_ID if number % 2 else org.conversations[csid]["requesterId"],
            "createdAt": (start + timedelta(minutes=7 * number)).strftime("%Y-%m-%dT%H:%M:%S.120Z"),
            "attributes": kind(sandbox, number),
        }
        for number in range(40)
    ]
    org.notes[csid] = []


def words(number: int) -> str:
    """What is said at a place of a dialogue."""
    return (REPLIES if number % 2 else QUESTIONS)[number // 2 % 5]


def chat(sandbox: Sandbox, number: int) -> dict[str, Any]:
    """A line of a chat."""
    return {
        "_type": "ChatAttributes",
        "content": {"_type": "Text", "value": words(number)},
        "direction": "Outbound" if number % 2 else "Inbound",
        "attachments": [],
        "isAutomated": False,
    }


def mail(sandbox: Sandbox, number: int) -> dict[str, Any]:
    """A mail as mail programs write it: some paragraphs, a signature, and the one before it quoted."""
    customer, ours = {"email": "olivia.hart@example.com", "name": "Olivia Hart"}, {"email": "support@example.com"}
    sender, to = (ours, customer) if number % 2 else (customer, ours)
    quoted = f"<blockquote><p>{words(number - 1)}</p></blockquote>" if number else ""
    value = (
        f'<div dir="ltr"><p>Hello,</p><p>{words(number)}</p><p>{words(number + 2)}</p><p>Best regards<br>'
        f'{sender.get("name", "Fernway Outfitters")}</p></div><div class="gmail_quote">'
        f"<div>On Thu, 12 Feb 2026 at 08:41 somebody wrote:</div>{quoted}</div>"
    )
    return {
        "_type": "EmailAttributes",
        "emailContent": {"_type": "Regular", "content": {"_type": "Html", "value": value}},
        "from": sender,
        "to": [to],
        "cc": [],
        "bcc": [],
        "isAutoReply": False,
        "inlineImages": [],
        "attachments": [],
        "direction": "Outbound" if number % 2 else "Inbound",
        "originalContentUrl": {"url": f"https://files.dixa.io/private/fernway/email_original_data/{1000 + number}"},
    }


def dialogue(csid: int, kind: Callable[[Sandbox, int], dict[str, Any]]) -> Callable[[Desk], Awaitable[None]]:
    """Make a conversation one of 40 messages of a kind."""

    async def prepare(d: Desk) -> None:
        add_messages(d.sandbox, csid, kind)

    return prepare


async def many_tags(d: Desk) -> None:
    """Make 300 tags of what there are."""
    org = d.sandbox.organisation
    for number in range(300 - len(org.tags)):
        tag = {"id": org.new_id(), "name": f"campaign-{number}-spring", "color": "#2980B9", "state": "Active"}
        org.tags[tag["id"]] = tag


@dataclass(frozen=True, slots=True)
class Question:
    """A call, and the requests whose answers it puts into words."""

    tool: str
    arguments: dict[str, Any]
    paths: tuple[str, ...]
    mentions: Callable[[str], int]
    """Counts in the answer what must all be there."""
    count: int
    prepare: Callable[[Desk], Awaitable[None]] | None = None


def speakers(text: str) -> int:
    """Messages of a thread."""
    return text.count("(customer):") + text.count("(agent):")


CHAT, MAIL = "/conversations/10403/messages", "/conversations/10401/messages"
ANSWERS: dict[str, tuple[Question, float]] = {
    "A thread of 40 chat messages": (
        Question("get_thread", {"conversation_id": 10403}, (CHAT,), speakers, 40, dialogue(10403, chat)),
        0.35,
    ),
    "A thread of 40 chat messages, detailed": (
        Question(
            "get_thread",
            {"conversation_id": 10403, "format": "detailed"},
            (CHAT,),
            speakers,
            40,
            dialogue(10403, chat),
        ),
        0.5,
    ),
    "A thread of 40 mails": (
        Question("get_thread", {"conversation_id": 10401}, (MAIL,), speakers, 40, dialogue(10401, mail)),
        0.35,
    ),
    "A thread of 40 mails, detailed": (
        Question(
            "get_thread",
            {"conversation_id": 10401, "format": "detailed"},
            (MAIL,),
            speakers,
            40,
            dialogue(10401, mail),
        ),
        0.5,
    ),
    "200 customers": (
        Question("find_customers", {"limit": 200}, ("/endusers?pageLimit=200",), lambda text: text.count("@"), 199),
        0.2,
    ),
    "300 tags": (
        Question(
            "lookup",
            {"kind": "tags", "include_inactive": True},
            ("/tags?includeDeactivated=true",),
            lambda text: text.count("campaign-"),
            293,
            many_tags,
        ),
        0.2,
    ),
}
"""What is asked → at most which share of the JSON's tokens the answer takes (design §11; detailed: ours)."""


@asynccontextmanager
async def large() -> AsyncGenerator[Desk]:
    """A desk in an organisation of some size."""
    async with desk(sandbox=Sandbox(scale=1600)) as d:
        yield d


async def answer_share(title: str) -> tuple[int, int]:
    """Tokens of our answer and of Dixa's JSON."""
    asked, _ = ANSWERS[title]
    async with large() as d:
        if asked.prepare:
            await asked.prepare(d)
        said = await d.call(asked.tool, **asked.arguments)
        assert asked.mentions(said.text) >= asked.count, said.text[:300]
        return tokens(said.text), tokens(await raw(d.sandbox, *asked.paths))


JOBS: dict[str, tuple[str, dict[str, Any], int]] = {
    "Finding a customer": ("find_customers", {"external_id": "C-100231"}, 1),
    "A conversation on one page": ("get_conversation", {"conversation_id": 10401}, 8),
    "A thread": ("get_thread", {"conversation_id": 10401}, 3),
    "A customer with history, by e-mail": ("get_customer", {"customer": "olivia.hart@example.com"}, 3),
    "A search with 20 hits": ("search_conversations", {"limit": 20}, 41),
    "The activity of a conversation": ("get_activity", {"conversation_id": 10401}, 1),
    "All tags": ("lookup", {"kind": "tags"}, 0),
    "Mode and limits": ("status", {}, 0),
    "Which metric": ("find_metrics", {"query": "closed"}, 0),
    "A metric beside the former period": (
        "query_metric",
        {"metric": "closed_conversations", "period": "last week"},
        2,
    ),
    "A search in the knowledge base": ("search_knowledge", {"query": "return"}, 0),
}
"""A job → a call and the requests it may take once the catalogues are warm."""


@pytest.mark.parametrize("title", ANSWERS)
async def test_an_answer_costs_no_more_than_its_share_of_the_json(title: str) -> None:
    """Design §11; everything that was asked for is there."""
    ours, whole = await answer_share(title)
    assert ours <= ANSWERS[title][1] * whole, ours / whole


@pytest.mark.parametrize("title", JOBS)
async def test_a_job_takes_no_more_requests_than_it_needs(title: str, era: str) -> None:
    """Each request is a tenth of a second of a token's rate (notes §3), so none is made twice or in vain."""
    tool, arguments, most = JOBS[title]
    async with desk(era=era, sandbox=Sandbox(scale=100)) as d:
        await d.call(tool, **arguments)
        before = len(d.sandbox.requests)
        said = await d.call(tool, **arguments)
        made = d.sandbox.requests[before:]
    reads = [request.path for request in made if request.method == "GET"]
    assert not said.failed, said.text
    assert len(made) <= most, made
    assert len(set(reads)) == len(reads)
