"""Who works and who waits (notes §15, §17)."""

from typing import Any

import pytest
from front_door import desk

from dixa_mcp.sandbox import Sandbox

COPENHAGEN = ("--timezone", "Europe/Copenhagen")


async def test_all_queues_are_shown_with_who_works_and_how_many_wait(era: str) -> None:
    """Members, presence and search joined; hours of all schedules (fixtures §2, §4, §12)."""
    async with desk(*COPENHAGEN, era=era) as d:
        said = await d.call("get_queue_status")
    assert said.text == (
        "Hours: Weekdays open until today 17:00 CET; VIP line open until today 22:00 CET\n"
        "General support (default): 0 waiting; 2 of 3 working: Mia Lindqvist, Tom Okafor\n"
        "Returns & refunds: 1 waiting; 1 of 2 working: Tom Okafor\n"
        "VIP: 0 waiting; 1 of 2 working: Mia Lindqvist\n"
        "Phone line: 0 waiting; 2 of 2 working: Jonas Weber, Mia Lindqvist\n"
        "Billing disputes: 0 waiting; 0 of 1 working"
    )


async def test_one_queue_is_shown_with_targets_bots_and_the_longest_wait() -> None:
    """Bot availability is Dixa's word for its four bot channels only (notes §17)."""
    async with desk(*COPENHAGEN) as d:
        returns = await d.call("get_queue_status", queue="returns")
        general = await d.call("get_queue_status", queue="General support")
    assert returns.text.endswith(
        "Returns & refunds: 1 waiting; 1 of 2 working: Tom Okafor\n"
        "Target: 80 % answered within 8 h\n"
        "Fed by Email, ContactForm\n"
        "Bot channel genericapimessaging: available\n"
        "Longest wait: 10402, queued 19 min ago"
    )
    assert "Bot channel kindlychat: not available, 7 in line" in general.text
    assert "Bot channel adachat: Could not get availability for channel" in general.text


async def test_more_than_a_page_of_waiting_conversations_is_a_plus() -> None:
    """Dixa has no totals (notes §6)."""
    sandbox = Sandbox(scale=60)
    async with desk(sandbox=sandbox) as d:
        queue = next(key for key, each in sandbox.organisation.queues.items() if each["name"] == "VIP")
        for conversation in sandbox.organisation.conversations.values():
            if conversation["_type"] != "AnonymizedConversation":
                conversation |= {"state": "Open", "queue": {"id": queue, "queuedAt": "2026-02-13T11:00:00Z"}}
                conversation.pop("assignment", None)
        said = await d.call("get_queue_status", queue="VIP")
    assert "VIP: 50+ waiting" in said.text
    assert "Longest wait, of the oldest: " in said.text


async def test_an_organisation_without_bot_channels_has_no_word_of_them() -> None:
    """409 (notes §17) isn't an error here."""
    async with desk() as d:
        d.sandbox.organisation.availability.clear()
        said = await d.call("get_queue_status", queue="VIP")
    assert not said.failed
    assert "Bot channel" not in said.text


async def test_parts_that_fail_are_said_and_nothing_is_made_up() -> None:
    """Unknown is not zero."""
    async with desk() as d:
        d.sandbox.faults.add("list_presence", status=500)
        d.sandbox.faults.add("search_conversations", status=400)
        said = await d.call("get_queue_status")
    assert not said.failed
    assert "Not readable now: presence (Dixa had an internal error, 500)" in said.text
    assert "Not readable now: waiting in General support" in said.text
    assert "General support (default): waiting unknown; who works is unknown" in said.text
    assert "Returns & refunds: 1 waiting; who works is unknown" in said.text


async def test_two_queues_of_one_name_are_both_counted() -> None:
    """Names needn't be unique, ids are."""
    async with desk() as d:
        for queue in d.sandbox.organisation.queues.values():
            if queue["name"] == "VIP":
                queue["name"] = "Returns & refunds"
        said = await d.call("get_queue_status")
    assert said.text.count("Returns & refunds: 1 waiting") == 1
    assert said.text.count("Returns & refunds: 0 waiting") == 1


async def test_an_unknown_queue_lists_those_there_are() -> None:
    """A near miss lists the choices (design §5)."""
    async with desk() as d:
        said = await d.call("get_queue_status", queue="Biling disputs")
    assert said.failed
    assert "Billing disputes" in said.text


async def test_agents_are_listed_with_presence_those_who_work_first(era: str) -> None:
    """Working means online and working (notes §15)."""
    async with desk(*COPENHAGEN, era=era) as d:
        said = await d.call("list_agents")
    assert said.text == (
        "6 agents, 3 working\n"
        "Jonas Weber · jonas.weber@example.com · working on PstnPhone, Callback\n"
        "Mia Lindqvist · mia.lindqvist@example.com · working on Email, ContactForm, WidgetChat, PstnPhone\n"
        "Tom Okafor · tom.okafor@example.com · working on Email, WidgetChat, WhatsApp\n"
        "Sara Petersen · sara.petersen@example.com · away\n"
        "Aiko Tanaka · aiko.tanaka@example.com · offline, last seen yesterday 17:58 CET\n"
        "Fern Bot · bot@example.com · offline"
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"team": "frontline"}, {"Mia", "Tom", "Aiko"}),
        ({"queue": "vip"}, {"Mia", "Sara"}),
        ({"channel": "chat"}, {"Mia", "Tom"}),
        ({"channel": "phone"}, {"Mia", "Jonas"}),
        ({"working": True}, {"Mia", "Tom", "Jonas"}),
        ({"team": "Escalations", "working": True}, {"Jonas"}),
        ({"team": "Nordics", "queue": "Billing disputes"}, {"Sara"}),
    ],
)
async def test_agents_are_filtered_by_team_queue_channel_and_presence(filters: dict[str, Any], names: set[str]) -> None:
    """All filters together narrow (fixtures §2–§4)."""
    async with desk() as d:
        said = await d.call("list_agents", **filters)
    assert {line.split()[0] for line in said.text.splitlines()[1:]} == names


async def test_an_empty_list_says_which_filters_emptied_it() -> None:
    """Design §5."""
    async with desk() as d:
        said = await d.call("list_agents", team="esc", channel="chat", working=True)
    assert said.text == "No agents (team Escalations; channel WidgetChat; working); there are 6 in all."


@pytest.mark.parametrize("filters", [{"team": "Night"}, {"queue": "Night"}, {"channel": "fax"}])
async def test_an_unknown_filter_value_is_refused_with_the_choices(filters: dict[str, str]) -> None:
    """Nobody is listed by a filter that was left out silently."""
    async with desk() as d:
        said = await d.call("list_agents", **filters)
    assert said.failed
    assert "Did you mean one of these" in said.text


async def test_agents_without_presence_are_an_error_not_an_empty_house() -> None:
    """Who is there can't be said without it."""
    async with desk() as d:
        d.sandbox.faults.add("list_presence", status=500)
        said = await d.call("list_agents")
    assert said.failed


async def test_reading_the_workforce_changes_nothing() -> None:
    """READ, also in read-only mode."""
    async with desk("--mode", "read-only") as d:
        await d.call("get_queue_status")
        await d.call("list_agents")
        assert d.writes == []
