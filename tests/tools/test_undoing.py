"""dixa_undo_change and dixa_list_changes: what was done can be seen and, where Dixa allows, undone (design §4.11)."""

from typing import Any

import pytest
from front_door import MIA, Desk, desk
from happenings import GENERAL, RETURNS, SARA, TOM, elsewhere, left

from dixa_mcp.sandbox import Sandbox


async def did(d: Desk, tool: str, **arguments: Any) -> str:
    """Make a change; returns its id."""
    said = await d.call(tool, **arguments)
    assert not said.failed, said.text
    return await newest_change(d)


async def newest_change(d: Desk) -> str:
    listed = (await d.call("list_changes")).text
    return next(row.split()[0] for row in listed.splitlines() if row.startswith("c-"))


def conversation(sandbox: Sandbox, conversation_id: int) -> dict[str, Any]:
    return sandbox.organisation.conversations[conversation_id]


def tags(sandbox: Sandbox, conversation_id: int) -> set[str]:
    organisation = sandbox.organisation
    return {organisation.tags[tag]["name"] for tag in organisation.tagged.get(conversation_id, [])}


async def test_tags_come_back(era: str) -> None:
    """Tags keep their prior state (design §4.11)."""
    async with desk(*MIA, era=era) as d:
        change = await did(d, "update_tags", conversation_id=10401, add=["refund"], remove=["vip"])
        assert tags(d.sandbox, 10401) == {"late-delivery", "refund"}
        said = await d.call("undo_change", change_id=change)
        assert not said.failed, said.text
        assert f"Undid {change}" in said.text
        assert tags(d.sandbox, 10401) == {"late-delivery", "vip"}


async def test_a_transfer_comes_back_without_its_agent_and_says_so() -> None:
    """An assignee lost by transfer is said before and after (design §4.11)."""
    async with desk(*MIA) as d:
        change = await did(d, "transfer_conversation", conversation_id=10403, queue="Returns")
        assert "give it back to Tom Okafor" in (await d.call("list_changes")).text
        await d.call("undo_change", change_id=change)
        assert conversation(d.sandbox, 10403)["queue"]["id"] == GENERAL
        assert "assignment" not in conversation(d.sandbox, 10403)


async def test_an_assignment_goes_back_to_the_former_agent() -> None:
    """Undo of a claim is a claim for the former agent (notes §11)."""
    async with desk(*MIA) as d:
        change = await did(d, "assign_conversation", conversation_id=10403, take_over=True)
        await d.call("undo_change", change_id=change)
        assert conversation(d.sandbox, 10403)["assignment"]["agentId"] == TOM


async def test_an_assignment_of_a_waiting_one_goes_back_to_its_queue() -> None:
    """Without a former agent: transfer back to its queue, at its end, and that is said."""
    async with desk(*MIA) as d:
        said = await d.call("assign_conversation", conversation_id=10402)
        assert "end of the queue Returns & refunds" in said.text
        done = await d.call("undo_change", change_id=await newest_change(d))
        assert not done.failed, done.text
        assert conversation(d.sandbox, 10402)["queue"]["id"] == RETURNS
        assert "assignment" not in conversation(d.sandbox, 10402)


async def test_an_undo_can_be_undone() -> None:
    """It is a change with its own id."""
    async with desk(*MIA) as d:
        change = await did(d, "assign_conversation", conversation_id=10402)
        undo = await did(d, "undo_change", change_id=change)
        assert undo != change
        said = await d.call("undo_change", change_id=undo)
        assert not said.failed, said.text
        assert "assignment" in conversation(d.sandbox, 10402)


async def test_a_second_undo_of_the_same_change_is_refused(era: str) -> None:
    """Once is enough."""
    async with desk(*MIA, era=era) as d:
        change = await did(d, "update_tags", conversation_id=10401, add=["refund"])
        await d.call("undo_change", change_id=change)
        writes = len(d.writes)
        again = await d.call("undo_change", change_id=change.upper())
        assert again.failed
        assert "undone already" in again.text
        assert len(d.writes) == writes
        assert f"{change} " in (await d.call("list_changes")).text
        assert "UNDONE" in (await d.call("list_changes")).text


async def test_an_undo_that_closes_asks_a_person_with_the_closing_question(era: str) -> None:
    """Undo has the effect of its inverse (design §4.11)."""
    async with desk(*MIA, era=era, answer="yes") as d:
        change = await did(d, "change_status", conversation_id=10406, action="reopen")
        assert d.questions == []
        said = await d.call("undo_change", change_id=change)
        assert not said.failed, said.text
        assert d.questions[0].startswith("Close conversation 10406")
        assert change in d.questions[0]
        assert conversation(d.sandbox, 10406)["state"] == "Closed"


@pytest.mark.parametrize("answer", ["no", "decline", "cancel", None])
async def test_an_undo_that_closes_needs_a_yes(era: str, answer: str | None) -> None:
    """No way round the person."""
    async with desk(*MIA, era=era, answer=answer) as d:
        change = await did(d, "change_status", conversation_id=10406, action="reopen")
        said = await d.call("undo_change", change_id=change)
        assert "nothing was done" in said.text.lower()
        assert conversation(d.sandbox, 10406)["state"] == "Open"
        assert left(d.sandbox) == []
        assert "UNDONE" not in (await d.call("list_changes")).text


async def test_an_undo_that_closes_needs_nobody_where_closing_is_internal() -> None:
    """`--close-is-internal` holds for the inverse, too."""
    async with desk(*MIA, "--close-is-internal") as d:
        change = await did(d, "change_status", conversation_id=10406, action="reopen")
        assert not (await d.call("undo_change", change_id=change)).failed


async def test_a_close_is_undone_by_a_reopen_and_asks_nobody() -> None:
    """The effect is that of the inverse, not of the change."""
    async with desk(*MIA, answer="yes") as d:
        change = await did(d, "change_status", conversation_id=10401, action="close")
        assert len(d.questions) == 1
        said = await d.call("undo_change", change_id=change)
        assert not said.failed, said.text
        assert len(d.questions) == 1
        assert conversation(d.sandbox, 10401)["state"] == "Open"


async def test_what_somebody_changed_since_is_shown_and_left(era: str) -> None:
    """It first checks that the present state is what we wrote (design §4.11)."""
    async with desk(*MIA, era=era) as d:
        change = await did(d, "assign_conversation", conversation_id=10402)
        elsewhere(d.sandbox, "PUT", "/conversations/10402/claim", {"agentId": SARA, "force": True})
        writes = len(d.writes)
        said = await d.call("undo_change", change_id=change)
        assert said.failed
        assert "assignee was set to Mia Lindqvist and is Sara Petersen now" in said.text
        assert len(d.writes) == writes


async def test_a_transfer_that_an_agent_accepted_since_is_left() -> None:
    """Undoing it would take the conversation from somebody."""
    async with desk(*MIA) as d:
        change = await did(d, "transfer_conversation", conversation_id=10403, queue="Returns")
        elsewhere(d.sandbox, "PUT", "/conversations/10403/claim", {"agentId": SARA, "force": False})
        said = await d.call("undo_change", change_id=change)
        assert said.failed
        assert "Sara Petersen" in said.text


async def test_a_change_between_question_and_yes_stops_the_undo(era: str) -> None:
    """The state is compared again after consent."""
    sandbox = Sandbox()

    def answer(question: str) -> str:
        elsewhere(sandbox, "PUT", "/conversations/10406/followup", {"timestamp": "2026-03-01T08:00:00.000Z"})
        return "yes"

    async with desk(*MIA, era=era, answer=answer, sandbox=sandbox) as d:
        change = await did(d, "change_status", conversation_id=10406, action="reopen")
        said = await d.call("undo_change", change_id=change)
        assert said.failed
        assert "state was set to Open and is Pending now" in said.text
        assert conversation(sandbox, 10406)["state"] == "Pending"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("add_note", {"conversation_id": 10401, "text": "Looked at it."}),
        ("change_status", {"conversation_id": 10401, "action": "follow_up", "until": "in 3h"}),
        ("link_conversations", {"parent_id": 10401, "child_ids": [10403]}),
    ],
)
async def test_what_dixa_cannot_take_back_is_refused_with_the_reason(tool: str, arguments: dict[str, Any]) -> None:
    """A note, a link, a follow-up (design §4.11)."""
    async with desk(*MIA) as d:
        change = await did(d, tool, **arguments)
        assert "can't be undone" in (await d.call("list_changes")).text
        said = await d.call("undo_change", change_id=change)
        assert said.failed
        assert "can't be undone: Dixa can't" in said.text


async def test_an_unknown_change_points_to_the_list() -> None:
    """Own changes only (design §4.11)."""
    async with desk(*MIA) as d:
        said = await d.call("undo_change", change_id="c-00000000")
        assert said.failed
        assert "dixa_list_changes" in said.text


async def test_the_inverse_is_judged_by_its_own_rules() -> None:
    """An undo is no side door: an excluded tool, a queue outside the list and internal-only hold."""
    sandbox = Sandbox()
    from dixa_mcp.state import MemoryState

    state = MemoryState()
    async with desk(*MIA, sandbox=sandbox, state=state) as d:
        moved = await did(d, "transfer_conversation", conversation_id=10403, queue="Returns")
        opened = await did(d, "change_status", conversation_id=10406, action="reopen")
    for flags, change, reason in (
        (("--exclude-tools", "dixa_transfer_conversation"), moved, "--exclude-tools"),
        (("--queues", "Returns & refunds"), moved, "outside"),
        (("--internal-only",), opened, "--internal-only"),
        (("--mode", "read-only"), moved, "read-only"),
    ):
        async with desk(*MIA, *flags, sandbox=sandbox, state=state, answer="yes") as d:
            before = len(d.writes)
            said = await d.call("undo_change", change_id=change)
            assert said.failed, flags
            assert reason in said.text
            assert len(d.writes) == before
            assert d.questions == []


async def test_an_undo_whose_write_fails_can_be_tried_again() -> None:
    """Marked as undone only when it was."""
    async with desk(*MIA) as d:
        change = await did(d, "assign_conversation", conversation_id=10403, take_over=True)
        d.sandbox.faults.add("claim_conversation", status=500)
        assert (await d.call("undo_change", change_id=change)).failed
        again = await d.call("undo_change", change_id=change)
        assert not again.failed, again.text


async def test_undo_is_announced_as_what_it_may_become() -> None:
    """Annotations derive from the worst effect (design §3)."""
    async with desk() as d:
        tools = {tool.name: tool for tool in (await d.client.list_tools()).tools}
        hints = tools["dixa_undo_change"].annotations
        assert hints is not None
        assert hints.destructive_hint is True


# --- the list


async def test_changes_are_listed_newest_first_with_what_can_be_undone() -> None:
    """What was written, undoable or not (design §5)."""
    async with desk(*MIA) as d:
        await d.call("add_note", conversation_id=10401, text="A secret remark")
        await d.call("assign_conversation", conversation_id=10402)
        rows = [row for row in (await d.call("list_changes")).text.splitlines() if row.startswith("c-")]
        assert len(rows) == 2
        assert "Mia Lindqvist" in rows[0]
        assert "[undo" in rows[0]
        assert "can't be undone" in rows[1]
        assert "secret" not in rows[1]  # no message bodies (design §9)


async def test_a_longer_list_says_how_many_are_left_out() -> None:
    """A cut list says so (design §5)."""
    async with desk(*MIA) as d:
        for tag in ("refund", "damaged", "warranty"):
            await d.call("update_tags", conversation_id=10401, add=[tag])
        said = await d.call("list_changes", limit=1)
        assert "2 older ones" in said.text


async def test_the_list_is_there_in_read_only_mode_and_undo_is_not() -> None:
    """READ tools are listed in read-only (design §5)."""
    async with desk("--mode", "read-only") as d:
        names = {tool.name for tool in (await d.client.list_tools()).tools}
        assert "dixa_list_changes" in names
        assert "dixa_undo_change" not in names
        assert "No change of yours" in (await d.call("list_changes")).text


async def test_nobody_sees_or_undoes_what_another_state_holds() -> None:
    """Own changes = same tenant and caller (design §4.11)."""
    sandbox = Sandbox()
    async with desk(*MIA, sandbox=sandbox) as first:
        change = await did(first, "assign_conversation", conversation_id=10402)
    async with desk(*MIA, sandbox=sandbox) as second:
        assert change not in (await second.call("list_changes")).text
        assert (await second.call("undo_change", change_id=change)).failed
