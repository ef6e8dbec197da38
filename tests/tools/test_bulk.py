"""Bulk: one consent for the list, one outcome a conversation, and a repeat goes on where it stopped."""

import pytest
from front_door import MIA, desk

from dixa_mcp.state import MemoryState

BULK = ("--toolsets", "bulk,triage,context", *MIA)
IDS = [10401, 10402, 10403]


async def test_one_consent_lists_every_conversation(era: str) -> None:
    """Design §5: one consent that lists every id with its title, and what would be done."""
    async with desk(*BULK, era=era, answer="yes") as d:
        said = await d.call("bulk_update", conversation_ids=IDS, add_tags=["refund"], queue="VIP", note="Checked")
        assert not said.failed, said.text
        assert len(d.questions) == 1
        for part in (
            "#10401",
            "Order F-20417",
            "#10402",
            "#10403 WidgetChat",
            "Noor Haddad",
            "refund",
            "VIP",
            "Checked",
        ):
            assert part in d.questions[0]
        org = d.sandbox.organisation
        assert {org.conversations[each]["queue"]["id"] for each in IDS} == {"241cc9ef-d505-4e17-af2c-15205ebdd6fd"}
        assert "Done for 3 of 3" in said.text
        assert "10402:" in said.text


@pytest.mark.parametrize("answer", ["no", "decline", "cancel", None])
async def test_nothing_is_done_without_a_yes(answer: str | None) -> None:
    """Design §5: a person confirms, even what only colleagues would see."""
    async with desk(*BULK, answer=answer) as d:
        await d.call("bulk_update", conversation_ids=IDS, add_tags=["refund"])
        assert d.writes == []


async def test_closing_raises_the_effect_and_says_so() -> None:
    """Design §3: the highest effect of what it would do; a close may send a survey."""
    async with desk(*BULK, "--internal-only", answer="yes") as d:
        said = await d.call("bulk_update", conversation_ids=[10402], status="close")
        assert said.failed
        assert "--internal-only" in said.text
        assert d.writes == []
    async with desk(*BULK, answer="yes") as d:
        await d.call("bulk_update", conversation_ids=[10402], status="close")
        assert "survey" in d.questions[0]
        assert d.sandbox.organisation.conversations[10402]["state"] == "Closed"


async def test_an_interrupted_bulk_goes_on_and_does_nothing_twice(era: str) -> None:
    """Design §5: state checks, the once rule of notes and a memory of follow-ups make each part idempotent."""
    asked = {"add_tags": ["refund"], "note": "Checked", "queue": "VIP", "agent": "Tom", "status": "close"}
    async with desk(*BULK, era=era, answer="yes") as d:
        d.sandbox.faults.add("close_conversation", status=400, after=1, times=2)
        first = await d.call("bulk_update", conversation_ids=IDS, **asked)
        assert "Done for 1 of 3" in first.text
        assert first.text.count("FAILED closed") == 2
        done = d.writes[:]
        second = await d.call("bulk_update", conversation_ids=IDS, **asked)
        assert "Done for 3 of 3" in second.text
        assert second.text.count("was so already") == 1
        again = d.writes[len(done) :]
        assert len(again) == 2
        assert all(each.endswith("/close") for each in again)
        third = await d.call("bulk_update", conversation_ids=IDS, **asked)
        assert "already" in third.text
        assert len(d.writes) == len(done) + 2
        notes = [
            note for each in IDS for note in d.sandbox.organisation.notes.get(each, []) if note["message"] == "Checked"
        ]
        assert len(notes) == 3


async def test_a_follow_up_is_not_set_twice() -> None:
    """Dixa doesn't say until when a conversation is put off, so the bulk remembers (notes §11)."""
    async with desk(*BULK, answer="yes") as d:
        for _ in range(2):
            said = await d.call("bulk_update", conversation_ids=[10401, 10402], status="follow_up", until="in 3h")
            assert not said.failed, said.text
        assert len(d.writes) == 2


async def test_a_lost_answer_is_looked_up() -> None:
    """Design §4.5: after a timeout the server reads back instead of repeating."""
    async with desk(*BULK, answer="yes") as d:
        d.sandbox.faults.add("add_note", kind="timeout_after")
        said = await d.call("bulk_update", conversation_ids=[10401, 10402], note="Checked")
        assert "Done for 2 of 2" in said.text
        assert len([each for each in d.writes if each.endswith("/notes")]) == 2


async def test_one_failure_does_not_stop_the_others() -> None:
    """Design §5: one outcome an id."""
    async with desk(*BULK, answer="yes") as d:
        said = await d.call("bulk_update", conversation_ids=[10405, 10407], queue="VIP")
        said = await d.call("bulk_update", conversation_ids=[10405, 10402], queue="VIP")
        assert "Done for 1 of 2" in said.text
        assert "10405: FAILED" in said.text
        assert "It is closed" in said.text


async def test_nothing_at_all_is_an_error_that_costs_no_budget() -> None:
    """Notes §4: failures are counted before success is reported."""
    async with desk(*BULK, "--budget-internal", "1", answer="yes") as d:
        for _ in range(2):
            said = await d.call("bulk_update", conversation_ids=[10405], queue="VIP")
            assert said.failed
            assert "It failed for each of 1" in said.text
        assert d.writes == []


async def test_each_conversation_draws_on_the_budget() -> None:
    """Design §4.6: a bulk counts each id."""
    async with desk(*BULK, "--budget-internal", "2", answer="yes") as d:
        said = await d.call("bulk_update", conversation_ids=IDS, add_tags=["refund"])
        assert said.failed
        assert "too small for 3" in said.text
        assert d.writes == []


async def test_each_part_can_be_undone_by_itself() -> None:
    """Design §4.11: tags, queue and status keep their prior state, in a bulk as elsewhere."""
    async with desk(*BULK, answer="yes", state=MemoryState()) as d:
        said = await d.call("bulk_update", conversation_ids=[10401], add_tags=["refund"])
        change = said.text.split("(undo ")[1].split(")")[0]
        undone = await d.call("undo_change", change_id=change)
        assert not undone.failed, undone.text
        assert "1adaf35f-917a-42fb-a7c3-91e45c98bace" not in d.sandbox.organisation.tagged[10401]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"conversation_ids": []}, "1 to 25"),
        ({"conversation_ids": list(range(1, 27)), "note": "x"}, "1 to 25"),
        ({"conversation_ids": [10401]}, "Say what to do"),
        ({"conversation_ids": [10401], "add_tags": ["refnd"]}, "refund"),
        ({"conversation_ids": [10401], "queue": "Biling"}, "Billing disputes"),
        ({"conversation_ids": [10401], "agent": "Nobody"}, "No agent"),
        ({"conversation_ids": [10401], "status": "follow_up"}, "until"),
        ({"conversation_ids": [10401], "status": "follow_up", "until": "2020-01-01"}, "future"),
        ({"conversation_ids": [10401, 99999999], "note": "x"}, "99999999"),
        ({"conversation_ids": [10401, 10409], "note": "x"}, "anonymised"),
    ],
)
async def test_what_cannot_be_done_is_said_before_anybody_is_asked(arguments: dict[str, object], words: str) -> None:
    """Design §7: errors say what would do, and nothing is written."""
    async with desk(*BULK, answer="yes") as d:
        said = await d.call("bulk_update", **arguments)
        assert said.failed
        assert words in said.text
        assert d.writes == []
        assert not d.questions


async def test_a_bulk_stays_in_the_listed_queues() -> None:
    """Design §4.0: `--queues` looks at every conversation of the list and at the target."""
    async with desk(*BULK, "--queues", "Returns & refunds", answer="yes") as d:
        assert "10401" in (await d.call("bulk_update", conversation_ids=[10402, 10401], note="x")).text
        assert "VIP" in (await d.call("bulk_update", conversation_ids=[10402], queue="VIP")).text
        assert d.writes == []


async def test_a_tool_that_is_switched_off_is_off_in_a_bulk() -> None:
    """Design §4.0: `--exclude-tools` has no way around it."""
    async with desk(*BULK, "--exclude-tools", "dixa_change_status", answer="yes") as d:
        said = await d.call("bulk_update", conversation_ids=[10401], status="close")
        assert said.failed
        assert "dixa_change_status" in said.text


async def test_a_bulk_is_not_listed_in_read_only_mode() -> None:
    """Design §3: what is above the cap isn't offered, and says why when called."""
    async with desk(*BULK, "--mode", "read-only") as d:
        assert "dixa_bulk_update" not in {tool.name for tool in (await d.client.list_tools()).tools}
        said = await d.call("bulk_update", conversation_ids=[10401], note="x")
        assert said.failed
        assert "read-only" in said.text
