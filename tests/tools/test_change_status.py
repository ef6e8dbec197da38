"""dixa_change_status: closing is noticed outside, the rest isn't (design §3, notes §11)."""

import pytest
from front_door import MIA, desk
from happenings import commits_and_fails, customer_writes, elsewhere

from dixa_mcp.sandbox import Sandbox


def state(sandbox: Sandbox, conversation_id: int) -> str:
    return sandbox.organisation.conversations[conversation_id]["state"]


async def test_a_close_asks_a_person_and_names_the_conversation_and_the_survey(era: str) -> None:
    """Closing may send a survey (notes §11), so it is CUSTOMER."""
    async with desk(*MIA, era=era, answer="yes") as d:
        said = await d.call("change_status", conversation_id=10401, action="close")
        assert not said.failed, said.text
        assert state(d.sandbox, 10401) == "Closed"
        for part in ("10401", "Order F-20417", "Olivia Hart", "Mia Lindqvist has it", "survey"):
            assert part in d.questions[0]
        assert "Before: Open → after: Closed" in said.text
        assert "Undo: dixa_undo_change" in said.text


@pytest.mark.parametrize("answer", ["no", "decline", "cancel", None])
async def test_without_a_yes_nothing_is_closed(era: str, answer: str | None) -> None:
    """Declined, cancelled, or nobody to ask: refused, and there is no draft of a close (design §4.3)."""
    async with desk(*MIA, era=era, answer=answer) as d:
        said = await d.call("change_status", conversation_id=10403, action="close")
        assert "nothing was done" in said.text.lower()
        assert d.writes == []
        assert d.sandbox.reached_customers == []


async def test_two_steps_close_after_a_preview() -> None:
    """`two-step` stands in for CUSTOMER (design §4.3)."""
    async with desk(*MIA, "--no-elicitation", "two-step") as d:
        preview = await d.call("change_status", conversation_id=10401, action="close")
        assert "PREVIEW" in preview.text
        token = preview.text.split("confirmation_token=")[1].split()[0]
        said = await d.call("change_status", conversation_id=10401, action="close", confirmation_token=token)
        assert not said.failed, said.text
        assert state(d.sandbox, 10401) == "Closed"


async def test_a_close_needs_nobody_where_the_operator_said_it_is_internal() -> None:
    """`--close-is-internal` takes the raise back (design §3)."""
    async with desk(*MIA, "--close-is-internal") as d:
        said = await d.call("change_status", conversation_id=10401, action="close")
        assert not said.failed, said.text
        assert "Seen by colleagues only" in said.text
        assert state(d.sandbox, 10401) == "Closed"


async def test_what_is_in_that_state_is_told_and_nobody_is_asked(era: str) -> None:
    """Nothing to do is an ordinary result, not a question, a budget or a journal entry."""
    async with desk(*MIA, era=era, answer="yes") as d:
        closed = await d.call("change_status", conversation_id=10405, action="close")
        opened = await d.call("change_status", conversation_id=10401, action="reopen")
        for said in (closed, opened):
            assert not said.failed
            assert "already" in said.text
            assert "Nothing was changed" in said.text
            assert "DUPLICATE" not in said.text
        assert d.questions == []
        assert d.writes == []
        assert "No change of yours" in (await d.call("list_changes")).text


async def test_a_conversation_closed_twice_is_closed_twice() -> None:
    """Close, reopen, close within ten minutes: each is a change of its own."""
    async with desk(*MIA, answer="yes") as d:
        for action, expected in (("close", "Closed"), ("reopen", "Open"), ("close", "Closed")):
            said = await d.call("change_status", conversation_id=10401, action=action)
            assert "DUPLICATE" not in said.text
            assert state(d.sandbox, 10401) == expected


async def test_a_reopen_is_internal_and_its_undo_is_said_to_ask() -> None:
    """Undo of a reopen closes (design §4.11)."""
    async with desk(*MIA) as d:
        said = await d.call("change_status", conversation_id=10406, action="reopen")
        assert not said.failed, said.text
        assert state(d.sandbox, 10406) == "Open"
        assert "a person is asked" in said.text


async def test_a_follow_up_is_resolved_in_the_callers_zone_and_echoed(era: str) -> None:
    """“Put it off till Monday” (notes §24.9): the resolved instant with its zone (design §5)."""
    async with desk(*MIA, "--timezone", "Europe/Copenhagen", era=era) as d:
        said = await d.call("change_status", conversation_id=10401, action="follow_up", until="monday 09:00")
        assert not said.failed, said.text
        assert "Pending until 2026-02-16 09:00 CET" in said.text
        assert "can't remove a follow-up" in said.text
        assert d.sandbox.organisation.followups[10401] == "2026-02-16T08:00:00Z"


async def test_that_a_follow_up_cannot_be_removed_is_said_before() -> None:
    """What can't be restored is said before and after the write (design §4.11)."""
    async with desk() as d:
        tools = {tool.name: tool for tool in (await d.client.list_tools()).tools}
        assert "can't be removed" in (tools["dixa_change_status"].description or "")
        assert "Can't be undone" in (tools["dixa_link_conversations"].description or "")


async def test_a_second_follow_up_says_that_it_replaces_the_first() -> None:
    """One follow-up a conversation (notes §11)."""
    async with desk(*MIA) as d:
        said = await d.call("change_status", conversation_id=10404, action="follow_up", until="in 2d")
        assert not said.failed, said.text
        assert "replaces the former" in said.text


async def test_a_reopened_follow_up_cannot_be_put_back() -> None:
    """Dixa doesn't say until when it was put off."""
    async with desk(*MIA) as d:
        said = await d.call("change_status", conversation_id=10404, action="reopen")
        assert not said.failed, said.text
        assert "Can't be undone" in said.text


@pytest.mark.parametrize(
    "given",
    [
        {"action": "follow_up"},
        {"action": "close", "until": "monday"},
        {"action": "follow_up", "until": "2020-01-01"},
        {"action": "follow_up", "until": "soonish"},
        {"action": "explode"},
    ],
)
async def test_arguments_that_make_no_sense_change_nothing(given: dict[str, str]) -> None:
    """Refused with the reason."""
    async with desk(*MIA, answer="yes") as d:
        said = await d.call("change_status", conversation_id=10401, **given)
        assert said.failed
        assert d.writes == []


@pytest.mark.parametrize(
    ("conversation_id", "action", "reason"),
    [(10409, "reopen", "anonymised"), (10406, "follow_up", "closed"), (99999999, "close", "404")],
)
async def test_what_cannot_be_done_is_refused_with_the_reason(conversation_id: int, action: str, reason: str) -> None:
    """State checks (design §4.7)."""
    async with desk(*MIA, answer="yes") as d:
        until = {"until": "in 3h"} if action == "follow_up" else {}
        said = await d.call("change_status", conversation_id=conversation_id, action=action, **until)
        assert said.failed
        assert reason in said.text
        assert d.questions == []
        assert d.writes == []


async def test_a_lost_answer_is_looked_up() -> None:
    """Done, not done, or unknown (design §4.5)."""
    async with desk(*MIA, answer="yes") as d:
        commits_and_fails(d.sandbox, "close_conversation")
        done = await d.call("change_status", conversation_id=10401, action="close")
        assert not done.failed, done.text
        d.sandbox.faults.add("reopen_conversation", kind="reset_before")
        lost = await d.call("change_status", conversation_id=10401, action="reopen")
        assert lost.failed
        assert "Nothing was changed" in lost.text
        d.sandbox.faults.add("reopen_conversation", kind="timeout_after")
        d.sandbox.faults.add("get_conversation", status=500, after=1)
        unknown = await d.call("change_status", conversation_id=10401, action="reopen")
        assert unknown.failed
        assert "not known" in unknown.text


async def test_a_colleague_who_closes_first_leaves_nothing_to_do(era: str) -> None:
    """Between the question and the yes somebody else closes it: told as it is, and closed once."""
    sandbox = Sandbox()

    def answer(question: str) -> str:
        elsewhere(sandbox, "PUT", "/conversations/10401/close", {})
        return "yes"

    async with desk(*MIA, era=era, answer=answer, sandbox=sandbox) as d:
        said = await d.call("change_status", conversation_id=10401, action="close")
        assert not said.failed
        assert "already" in said.text
        assert sum(1 for request in sandbox.requests if request.operation == "close_conversation") == 1


async def test_a_customer_who_writes_meanwhile_does_not_stop_a_close() -> None:
    """Freshness is for replies; a close can be undone and the message is there to be seen."""
    sandbox = Sandbox()

    def answer(question: str) -> str:
        customer_writes(sandbox, 10401, "Hello?")
        return "yes"

    async with desk(*MIA, answer=answer, sandbox=sandbox) as d:
        said = await d.call("change_status", conversation_id=10401, action="close")
        assert not said.failed
