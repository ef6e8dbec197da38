"""What answers cost a model, in o200k tokens, against the JSON Dixa answers to the same question (design §11)."""

import warnings
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from front_door import desk

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
ANSWERS = (
    "Hello Olivia, let me look that up for you, one moment please.",
    "It left our warehouse this morning, the carrier will text you tomorrow.",
    "I have changed the address, you will get a new confirmation by e-mail.",
    "The voucher is still valid, 20 % off until the end of March.",
    "You're welcome! Anything else I can do for you?",
)


@cache
def _vocabulary() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own way to open its files
        import bpe_openai

    return bpe_openai.get_encoding("o200k_base")


def tokens(text: str) -> int:
    """Tokens of a text."""
    return len(_vocabulary().encode(text))


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
    return (ANSWERS if number % 2 else QUESTIONS)[number // 2 % 5]


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


async def test_a_thread_of_40_chat_messages_costs_at_most_35_percent_of_its_json() -> None:
    """Design §11, concise form; every message is there."""
    async with desk() as d:
        add_messages(d.sandbox, 10403, chat)
        said = await d.call("get_thread", conversation_id=10403)
        assert said.text.count("(customer):") == said.text.count("(agent):") == 20
        whole = await raw(d.sandbox, "/conversations/10403/messages")
        assert tokens(said.text) <= 0.35 * tokens(whole), tokens(said.text) / tokens(whole)


async def test_a_thread_of_40_mails_costs_at_most_35_percent_of_its_json() -> None:
    """Design §11, concise form: quoted history goes, every mail is there."""
    async with desk() as d:
        add_messages(d.sandbox, 10401, mail)
        said = await d.call("get_thread", conversation_id=10401)
        assert said.text.count("(customer):") == said.text.count("(agent):") == 20
        whole = await raw(d.sandbox, "/conversations/10401/messages")
        assert tokens(said.text) <= 0.35 * tokens(whole), tokens(said.text) / tokens(whole)


async def test_200_customers_cost_at_most_20_percent_of_their_json() -> None:
    """Design §11, concise form; all of them, each with what tells them apart."""
    sandbox = Sandbox(scale=1600)
    async with desk(sandbox=sandbox) as d:
        said = await d.call("find_customers", limit=200)
        whole = await raw(sandbox, "/endusers?pageLimit=200")
        assert said.text.startswith("200 customers")
        assert said.text.count("@") >= 199
        assert tokens(said.text) <= 0.2 * tokens(whole), tokens(said.text) / tokens(whole)


async def test_300_tags_cost_at_most_20_percent_of_their_json() -> None:
    """Design §11; every name is there."""
    async with desk() as d:
        org = d.sandbox.organisation
        for number in range(300 - len(org.tags)):
            tag = {"id": org.new_id(), "name": f"campaign-{number}-spring", "color": "#2980B9", "state": "Active"}
            org.tags[tag["id"]] = tag
        said = await d.call("lookup", kind="tags", include_inactive=True)
        whole = await raw(d.sandbox, "/tags?includeDeactivated=true")
        assert all(tag["name"] in said.text for tag in org.tags.values())
        assert tokens(said.text) <= 0.2 * tokens(whole), tokens(said.text) / tokens(whole)
