"""The rules of the frame: kill switch, queues, hosts, budgets, once, outgoing text, each tripped on purpose."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from front_door import MIA, desk

from dixa_mcp.guardrails.rules import RULES
from dixa_mcp.sandbox import Sandbox
from dixa_mcp.state import MemoryState

NOTE: dict[str, Any] = {"conversation_id": 10401, "text": "Checked with the carrier."}
REPLY: dict[str, Any] = {"conversation_id": 10401, "text": "On its way.", "after_message": "29c4c258"}
UNATTENDED = (*MIA, "--mode", "unattended", "--unattended", "dixa_send_reply,dixa_start_conversation")


def test_each_rule_says_what_it_refuses() -> None:
    """One more rule is one function and its name in the list; its docstring is its documentation."""
    for rule in RULES:
        assert (rule.__doc__ or "").strip().endswith(".")


# --- kill switch ---------------------------------------------------------------------------------


async def test_the_kill_switch_stops_writes_at_once_and_reads_go_on(tmp_path: Path, era: str) -> None:
    """A file path; while it exists every write is refused, without a restart (design §4.1)."""
    switch = tmp_path / "stop"
    async with desk("--kill-switch", str(switch), era=era) as d:
        assert not (await d.call("add_note", **NOTE)).failed
        switch.touch()
        said = await d.call("add_note", conversation_id=10401, text="Another.")
        assert said.failed
        assert "kill switch" in said.text
        assert not (await d.call("get_thread", conversation_id=10401)).failed
        assert "ON" in (await d.call("status")).text
        switch.unlink()
        assert not (await d.call("add_note", conversation_id=10401, text="Another.")).failed


# --- queues --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("add_note", {"conversation_id": 10407, "text": "VIP conversation"}),
        ("update_tags", {"conversation_id": 10406, "add": ["refund"]}),
        ("transfer_conversation", {"conversation_id": 10401, "queue": "VIP"}),
        ("transfer_conversation", {"conversation_id": 10407, "queue": "General support"}),
        ("create_customer", {"name": "Somebody New", "email": "new@example.com"}),
    ],
)
async def test_writes_stay_in_the_allowed_queues(tool: str, arguments: dict[str, Any], era: str) -> None:
    """The present queue and the target must be listed; no queue or no conversation → refused (design §4.0)."""
    async with desk(*MIA, "--queues", "General support,Returns & refunds", era=era) as d:
        said = await d.call(tool, **arguments)
        assert said.failed, said.text
        assert "General support" in said.text
        assert not d.writes


async def test_writes_inside_the_allowed_queues_run(era: str) -> None:
    """The rule isn't a wall."""
    async with desk("--queues", "General support,returns & refunds", era=era) as d:
        assert not (await d.call("add_note", **NOTE)).failed
        moved = await d.call("transfer_conversation", conversation_id=10401, queue="Returns & refunds")
        assert not moved.failed, moved.text


async def test_a_queue_that_does_not_exist_closes_the_gate(era: str) -> None:
    """Closed by default: a misspelt queue allows nothing."""
    async with desk("--queues", "Generel suport", era=era) as d:
        said = await d.call("add_note", **NOTE)
        assert said.failed
        assert not d.writes


async def test_reads_stay_in_the_read_queues(era: str) -> None:
    """`--read-queues` hides other conversations (design §4.0)."""
    async with desk("--read-queues", "VIP", era=era) as d:
        assert (await d.call("get_thread", conversation_id=10401)).failed
        assert not (await d.call("get_thread", conversation_id=10407)).failed


# --- egress and outgoing text --------------------------------------------------------------------


async def test_copies_go_to_listed_hosts_only_whoever_agrees(era: str) -> None:
    """EGRESS: a person and the host allow list (design §3)."""
    async with desk(*MIA, era=era, answer="yes") as d:
        said = await d.call("send_reply", **REPLY, cc=["grace.hill@example.com"])
        assert said.failed
        assert "example.com" in said.text
        assert "--egress-hosts" in said.text
        assert not d.questions
        assert not d.writes


@pytest.mark.parametrize(
    "text",
    [
        "Log in at https://evil.test/login",
        "Write to thief@evil.test instead",
        "Call +45 70 12 34 56",
        "See evil.test/refund",
        "See hxxps://evil.test or http&#58;//evil.test",
        "Mail thief＠evil.test",
    ],
)
async def test_a_strange_address_needs_a_person_even_unattended(text: str, era: str) -> None:
    """Outgoing text may carry only the recipient's and the organisation's own (design §4.8)."""
    async with desk(*UNATTENDED, "--no-elicitation", "refuse", era=era) as d:
        said = await d.call("send_reply", **{**REPLY, "text": text})
        assert said.failed, said.text
        assert not d.sandbox.outbox
    async with desk(*UNATTENDED, era=era, answer="no") as d:
        await d.call("send_reply", **{**REPLY, "text": text})
        assert "Careful" in d.questions[0]
        assert not d.sandbox.outbox


@pytest.mark.parametrize(
    "text",
    [
        "Your order F-20417 of 2026-02-12 is on its way.",
        "Write to support@example.com or olivia.hart@example.com.",
        "Call +1 202 555 0175.",
        "We ship to +44 7700 900123.",
        "See docs.partner.test/track",
    ],
)
async def test_ones_own_addresses_need_nobody_unattended(text: str, era: str) -> None:
    """The recipient's, the organisation's endpoints and the operator's hosts are fine (design §4.8)."""
    async with desk(*UNATTENDED, "--egress-hosts", "partner.test", era=era) as d:
        said = await d.call("send_reply", **{**REPLY, "text": text})
        assert not said.failed, said.text
        assert len(d.sandbox.reached_customers) == 1


async def test_a_record_made_a_moment_ago_does_not_vouch_for_itself(era: str) -> None:
    """Records this server created don't count: writing to one needs a person (design §4.8)."""
    async with desk(*UNATTENDED, "--no-elicitation", "refuse", era=era) as d:
        await d.call("create_customer", name="New Person", email="new@evil.test")
        said = await d.call(
            "start_conversation", customer="new@evil.test", channel="email", subject="Data", text="All of it."
        )
        assert said.failed, said.text
        assert not d.sandbox.outbox


# --- budgets -------------------------------------------------------------------------------------


async def test_internal_changes_are_counted_and_the_refusal_says_when_it_ends(era: str) -> None:
    """Exhausted → which, limit, used, when it resets (design §4.6)."""
    now = [0.0]
    state = MemoryState(clock=lambda: now[0])
    async with desk("--budget-internal", "2", era=era, state=state) as d:
        for text in ("one", "two"):
            assert not (await d.call("add_note", conversation_id=10401, text=text)).failed
        said = await d.call("add_note", conversation_id=10401, text="three")
        assert said.failed
        assert "2 of 2" in said.text
        assert "--budget-internal" in said.text
        assert "60 min" in said.text
        assert len(d.writes) == 2
        now[0] = 3601
        assert not (await d.call("add_note", conversation_id=10401, text="three")).failed


async def test_fifty_calls_at_once_stay_within_the_budget(era: str) -> None:
    """Budgets under 50 parallel calls: the counter is atomic."""
    async with desk("--budget-internal", "7", era=era) as d:
        results: list[bool] = []

        async def note(number: int) -> None:
            results.append((await d.call("add_note", conversation_id=10401, text=f"note {number}")).failed)

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(note, number)
        assert results.count(False) == 7
        assert len(d.writes) == 7


async def test_what_reaches_customers_unattended_is_counted_per_organisation_and_conversation(era: str) -> None:
    """CUSTOMER without a person: 10 an organisation, one a conversation a minute (design §4.6)."""
    async with desk(*UNATTENDED, "--budget-customer", "2", era=era) as d:
        assert not (await d.call("send_reply", **REPLY)).failed
        newest = d.sandbox.organisation.messages[10401][-1]["id"][:8]
        second = await d.call("send_reply", conversation_id=10401, text="And another.", after_message=newest)
        assert second.failed
        assert "messages to this conversation" in second.text
        newest = d.sandbox.organisation.messages[10403][-1]["id"][:8]
        assert not (await d.call("send_reply", conversation_id=10403, text="Hello.", after_message=newest)).failed
        newest = d.sandbox.organisation.messages[10407][-1]["id"][:8]
        third = await d.call("send_reply", conversation_id=10407, text="Hello.", after_message=newest)
        assert third.failed
        assert "--budget-customer" in third.text
        assert len(d.sandbox.reached_customers) == 2


async def test_zero_allows_none_and_unlimited_lifts_it(era: str) -> None:
    """Design §4.6."""
    async with desk("--budget-internal", "0", era=era) as d:
        assert (await d.call("add_note", **NOTE)).failed
        assert not d.writes
    async with desk("--budget-internal", "unlimited", era=era) as d:
        assert not (await d.call("add_note", **NOTE)).failed
        assert "internal changes unlimited" in (await d.call("status")).text


async def test_a_write_that_proved_to_change_nothing_costs_nothing(era: str) -> None:
    """A refused write gives its budget back."""
    async with desk("--budget-internal", "1", era=era) as d:
        d.sandbox.faults.add("add_note", status=400)
        assert (await d.call("add_note", **NOTE)).failed
        assert not (await d.call("add_note", **NOTE)).failed


async def test_personal_records_read_are_counted(era: str) -> None:
    """5,000 an hour a caller; here 10 (design §4.6)."""
    async with desk("--budget-read", "10", era=era) as d:
        assert not (await d.call("find_customers")).failed
        said = await d.call("find_customers")
        assert said.failed
        assert "--budget-read" in said.text
        assert "@" not in said.text


# --- once ----------------------------------------------------------------------------------------


async def test_two_equal_notes_at_the_same_instant_become_one(era: str) -> None:
    """Two calls at the same instant: one writes, the other is told (design §4.5)."""
    async with desk(era=era) as d:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lambda: d.call("add_note", **NOTE))
        assert len(d.writes) == 1


async def test_a_note_lost_by_a_crash_is_recognised_by_another_process(era: str) -> None:
    """A process killed between write and answer, then asked again: Dixa itself is asked (design §4.5)."""
    sandbox = Sandbox()
    async with desk(era=era, sandbox=sandbox) as d:
        await d.call("add_note", **NOTE)
    async with desk(era=era, sandbox=sandbox, state=MemoryState()) as d:
        said = await d.call("add_note", **NOTE)
        assert "DUPLICATE" in said.text
        assert len(d.writes) == 1


async def test_the_same_note_is_a_new_note_after_ten_minutes(era: str) -> None:
    """Same text in the same conversation within ten minutes (design §4.5)."""
    now = [0.0]
    async with desk(era=era, state=MemoryState(clock=lambda: now[0])) as d:
        await d.call("add_note", **NOTE)
        d.sandbox.clock.advance(minutes=11)
        now[0] = 660
        await d.call("get_thread", conversation_id=10401)  # any answer tells the new time
        assert "DUPLICATE" not in (await d.call("add_note", **NOTE)).text
        assert len(d.writes) == 2


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "truncated", "malformed"])
async def test_a_note_committed_without_an_answer_is_found_and_reported_as_done(kind: Any, era: str) -> None:
    """After an ambiguous failure the server reads back (design §4.5)."""
    async with desk(era=era) as d:
        d.sandbox.faults.add("add_note", kind=kind)
        said = await d.call("add_note", **NOTE)
        assert not said.failed, said.text
        assert "Note added" in said.text
        texts = [note["message"] for note in d.sandbox.organisation.notes[10401]]
        assert texts.count(NOTE["text"]) == 1


@pytest.mark.parametrize("kind", ["timeout_before", "reset_before"])
async def test_a_note_that_never_arrived_is_reported_as_not_done(kind: Any, era: str) -> None:
    """Reads back, finds nothing, says so; a second call writes it once."""
    async with desk(era=era) as d:
        d.sandbox.faults.add("add_note", kind=kind)
        said = await d.call("add_note", **NOTE)
        assert said.failed
        assert "Nothing was changed" in said.text
        assert not (await d.call("add_note", **NOTE)).failed
        texts = [note["message"] for note in d.sandbox.organisation.notes[10401]]
        assert texts.count(NOTE["text"]) == 1


async def test_when_dixa_cannot_be_asked_either_the_outcome_is_unknown_and_said_so(era: str) -> None:
    """Done, not done, or unknown; never a guess (design §4.5)."""
    async with desk("--deadline", "1", era=era) as d:
        d.sandbox.faults.add("add_note", kind="timeout_after")
        d.sandbox.faults.add("list_notes", status=500, times=99, after=1)
        said = await d.call("add_note", **NOTE)
        assert said.failed
        assert "not known whether" in said.text


# --- the call's own errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 401}, "did not accept the token"),
        ({"status": 403}, "did not accept the token"),
        ({"status": 500}, "internal error"),
        ({"status": 503, "times": 99}, "internal error"),
        ({"kind": "connect", "times": 99}, "Nothing was changed"),
        ({"kind": "malformed", "times": 99}, "Nothing was changed"),
        ({"kind": "oversized", "times": 99}, "Nothing was changed"),
        ({"kind": "timeout_before", "times": 99}, "Nothing was changed"),
        ({"kind": "reset_before", "times": 99}, "Nothing was changed"),
    ],
)
async def test_a_failing_read_says_what_happened_and_the_server_lives_on(
    fault: dict[str, Any], words: str, era: str
) -> None:
    """What happened, whether anything changed, what to do next; the process never dies from one."""
    async with desk("--deadline", "1", era=era) as d:
        d.sandbox.faults.add("list_messages", **fault)
        said = await d.call("get_thread", conversation_id=10401)
        assert said.failed
        assert words in said.text
        assert "Nothing was changed" in said.text
        assert "sandbox-admin-token" not in said.text
        d.sandbox.faults.clear()
        assert not (await d.call("get_thread", conversation_id=10401)).failed
