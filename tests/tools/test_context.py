"""`dixa_lookup` and `dixa_status`: what exists here, and what may be done."""

from typing import Any

import pytest
from front_door import MIA, desk


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "tags"}, ["6 tags: refund, late-delivery", "warranty"]),
        ({"kind": "tags", "include_inactive": True}, ["summer-2024-campaign (inactive)"]),
        ({"kind": "queues"}, ["5 queues:", "General support (default)", "Billing disputes"]),
        ({"kind": "agents"}, ["Mia Lindqvist <mia.lindqvist@example.com>"]),
        ({"kind": "teams"}, ["Frontline, Escalations, Nordics"]),
        (
            {"kind": "attributes", "entity": "conversation"},
            ["Contact reason, required: Delivery > (Late, Lost), Returns > (Wrong size, Faulty), Payment"],
        ),
        ({"kind": "attributes", "entity": "contact"}, ["2 attributes", "Loyalty tier: Bronze, Silver, Gold"]),
        ({"kind": "attributes"}, ["Order number of a conversation: text"]),
        ({"kind": "endpoints"}, ["Support inbox: fernway-support@email.dixa.io (Email)", "VoiceInbound"]),
        ({"kind": "flows", "channel": "Email"}, ["1 flow:", "Support mail flow"]),
        ({"kind": "flows"}, ["US call flow (PstnPhone, +12025550175)", "Shop chat flow"]),
        ({"kind": "templates"}, ["Return policy (QuickResponse, da)", "We got your mail (EmailAutoReply)"]),
        ({"kind": "templates", "query": "return"}, ["1 template:", "you have 30 days to return an item."]),
        ({"kind": "schedules"}, ["Weekdays (Europe/Copenhagen): Mon-Fri 09:00-17:00", "Good Friday 2026-04-03 closed"]),
        ({"kind": "webhook_events"}, ["32 webhook events", "ConversationRated"]),
        ({"kind": "queues", "query": "BILL"}, ["1 queue: Billing disputes"]),
        ({"kind": "queues", "query": "zebra"}, ["None of the queues has “zebra” in its name; there are 5."]),
    ],
)
async def test_a_lookup_lists_names_and_values(arguments: dict[str, Any], words: list[str], era: str) -> None:
    """Names, not ids; accents and case don't matter; an empty result says why (design §5)."""
    async with desk(era=era) as d:
        said = await d.call("lookup", **arguments)
        assert not said.failed
        for each in words:
            assert each in said.text
        assert "19a7a6cc" not in said.text


async def test_catalogues_are_read_once_however_often_they_are_asked_for(era: str) -> None:
    """Cached for five minutes, single flight (design §7)."""
    async with desk(era=era) as d:
        for _ in range(5):
            await d.call("lookup", kind="tags")
        assert [request.operation for request in d.sandbox.requests].count("list_tags") == 1


async def test_an_unknown_kind_is_refused_with_the_kinds_there_are(era: str) -> None:
    """An invalid value lists the valid ones."""
    async with desk(era=era) as d:
        said = await d.call("lookup", kind="macros")
        assert said.failed
        assert "tags" in said.text
        assert "Nothing was changed" in said.text


async def test_the_status_tells_what_may_be_done_and_what_is_left(era: str) -> None:
    """Organisation, mode, queues, acting agent, budgets, version, configuration (design §5)."""
    async with desk(*MIA, "--queues", "VIP", "--internal-only", era=era) as d:
        said = (await d.call("status")).text
        for words in ("Fernway Outfitters (Active)", "Mode: confirm", "Acting agent: Mia Lindqvist", "VIP"):
            assert words in said
        assert "Internal only: yes" in said
        assert "internal changes 200 of 200" in said
        configuration = said.rsplit(" ", 1)[-1]
    async with desk(*MIA, era=era) as d:
        assert (await d.call("status")).text.rsplit(" ", 1)[-1] != configuration


async def test_the_status_is_told_even_with_dixa_down(era: str) -> None:
    """What can't be read is said; the rest is shown."""
    async with desk("--deadline", "1", era=era) as d:
        d.sandbox.faults.add(kind="connect", times=999)
        said = await d.call("status")
        assert not said.failed
        assert "Mode: confirm" in said.text
        assert "unknown" in said.text


async def test_without_an_acting_agent_the_status_says_what_that_means(era: str) -> None:
    """Replies are refused with the reason (design §4)."""
    async with desk(era=era) as d:
        assert "replies are refused (--acting-agent)" in (await d.call("status")).text
    async with desk("--acting-agent", "Nobody Here", era=era) as d:
        assert "No agent is called 'Nobody Here'" in (await d.call("status")).text
