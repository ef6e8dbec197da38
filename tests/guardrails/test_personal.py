"""Personal data as tokens: everywhere or not at all, and writes take them back (design §4.9)."""

import re
from typing import Any

import pytest
from front_door import MIA, desk

from dixa_mcp.sandbox import Sandbox

HIDE = ("--pii", "pseudonymise")
PERSONAL = ("Olivia", "Hart", "olivia.hart@example.com", "7700900123", "o.hart@example.org", "Noor", "Haddad", "noor.")


def leaks(text: str) -> list[str]:
    """Personal data of the seed's customers that stands in a text."""
    return [word for word in PERSONAL if word.casefold() in text.casefold()]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("find_customers", {"email": "olivia.hart@example.com"}),
        ("find_customers", {"format": "detailed"}),
        ("get_customer", {"customer": "C-100231"}),
        ("get_thread", {"conversation_id": 10401}),
        ("get_thread", {"conversation_id": 10401, "format": "detailed"}),
        ("get_thread", {"conversation_id": 10403}),
        ("get_conversation", {"conversation_id": 10401}),
        ("search_conversations", {"text": "order", "format": "detailed"}),
        ("search_conversations", {"customer": "olivia.hart@example.com"}),
        ("get_activity", {"conversation_id": 10401}),
        ("get_activity", {}),
        ("query_records", {"record": "closed_conversations", "period": "this month"}),
        ("query_records", {"record": "ratings", "period": "this month", "format": "csv"}),
        ("query_records", {"record": "ratings", "period": "this month", "format": "json"}),
        ("find_customers", {"email": "nobody.of.this.name@example.com"}),
        ("get_customer", {"customer": "olivia.hurt@example.com"}),
    ],
)
async def test_no_answer_leaks_a_customer(tool: str, arguments: dict[str, Any], era: str) -> None:
    """Bodies, subjects, records, highlights, attributes, errors (design §4.9)."""
    async with desk(*HIDE, era=era) as d:
        said = await d.call(tool, **arguments)
        assert not leaks(said.text), said.text
        assert not leaks(str(said.structured))


async def test_resources_hide_the_same(era: str) -> None:
    """A resource is a call through the same frame."""
    async with desk(*HIDE, era=era) as d:
        for uri in ("dixa://conversation/10401", "dixa://conversation/10401/transcript", "dixa://customer/C-100231"):
            contents = (await d.client.read_resource(uri)).contents
            assert not leaks(str(contents)), uri


async def test_the_same_value_has_the_same_token_in_every_answer(era: str) -> None:
    """Stable, so that a model can tell people apart."""
    async with desk(*HIDE, era=era) as d:
        first = re.findall(r"\[email_\d+\]", (await d.call("find_customers", external_id="C-100231")).text)
        again = re.findall(r"\[email_\d+\]", (await d.call("find_customers", external_id="C-100231")).text)
        other = re.findall(r"\[email_\d+\]", (await d.call("find_customers", external_id="C-100232")).text)
        assert first
        assert first == again
        assert set(first).isdisjoint(other)


async def test_writes_take_the_tokens_back(era: str) -> None:
    """The reply holds the real name; the model never saw it (design §4.9)."""
    async with desk(*HIDE, *MIA, era=era, answer="yes") as d:
        people = (await d.call("find_customers", external_id="C-100231")).text
        email = re.findall(r"\[email_\d+\]", people)[0]
        name = re.findall(r"\[name_\d+\]", people)[0]
        assert not (await d.call("find_customers", email=email)).failed
        said = await d.call(
            "send_reply", conversation_id=10401, text=f"Dear {name}, we wrote to {email}.", after_message="29c4c258"
        )
        assert not said.failed, said.text
        assert not leaks(said.text)
        assert "Olivia Hart" in d.questions[0]
        assert "Dear Olivia Hart, we wrote to olivia.hart@example.com." in d.sandbox.outbox[0]["text"]


async def test_a_forged_token_reveals_nobody(era: str) -> None:
    """A customer who writes `[email_1]` gets back what was written, not somebody's address."""
    async with desk(*HIDE, *MIA, era=era, answer="yes") as d:
        await d.call("find_customers", external_id="C-100231")
        message = d.sandbox.organisation.messages[10403][-1]
        message["attributes"]["content"]["value"] = "Tell me [email_1] please"
        thread = (await d.call("get_thread", conversation_id=10403)).text
        assert "[email_1]" not in thread
        token = re.findall(r"\[text_\d+\]", thread)[0]
        await d.call(
            "send_reply", conversation_id=10403, text=f"You asked for {token}.", after_message=message["id"][:8]
        )
        assert "You asked for [email_1]." in d.sandbox.outbox[0]["text"]


async def test_without_the_setting_nothing_is_changed(era: str) -> None:
    """Off by default: a token-like text is just a text."""
    async with desk(era=era) as d:
        assert "olivia.hart@example.com" in (await d.call("find_customers", external_id="C-100231")).text


async def test_what_is_personal_is_hidden_before_it_is_cut(era: str) -> None:
    """Half a card number or address would pass for none."""
    sandbox = Sandbox()
    org = sandbox.organisation
    org.conversations[10401]["subject"] = "x" * 56 + " card 4111 1111 1111 1111 is declined"
    org.messages[10403][-1]["attributes"]["content"]["value"] = "x " * 741 + "olivia.hart@example.com"
    everything = ("--toolsets", "default,operations", *HIDE)
    async with desk(*everything, era=era, sandbox=sandbox) as d:
        assert "4111" not in (await d.call("search_conversations", queue="General support")).text
        raw = await d.call("call_operation", operation="list_messages", path={"conversationId": 10403})
        assert not leaks(raw.text)


async def test_names_in_the_payloads_of_webhooks_are_hidden(era: str) -> None:
    """A delivery is JSON within JSON; the names in it are names all the same."""
    sandbox = Sandbox()
    async with desk(*MIA, sandbox=sandbox, answer="yes") as d:
        await d.call(
            "start_conversation", channel="email", customer="C-100231", subject="Hi", text="t", endpoint="Support inbox"
        )
    hook = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"
    async with desk("--toolsets", "default,admin", *HIDE, era=era, sandbox=sandbox) as d:
        said = await d.call("get_webhooks", webhook=hook, event="ConversationCreated")
        assert not said.failed
        assert "Olivia" not in said.text
