"""dixa_link_conversations: the rules of notes §11 are checked first, and every id has its outcome."""

from typing import Any

import pytest
from front_door import MIA, desk

from dixa_mcp.sandbox import Sandbox


def parent_of(sandbox: Sandbox, conversation_id: int) -> Any:
    return sandbox.organisation.conversations[conversation_id].get("link", {}).get("parentId")


async def test_children_are_linked_and_named(era: str) -> None:
    """Duplicates of one incident (design §5)."""
    async with desk(*MIA, era=era) as d:
        said = await d.call("link_conversations", parent_id=10401, child_ids=[10403, "#10407", 10403])
        assert not said.failed, said.text
        assert "10403, 10407" in said.text
        assert "Can't be undone" in said.text
        assert [parent_of(d.sandbox, child) for child in (10403, 10407)] == [10401, 10401]
        assert len(d.writes) == 2


async def test_a_side_conversation_is_linked_as_one() -> None:
    """The request knows Related and SideConversation (notes §9)."""
    async with desk(*MIA) as d:
        await d.call("link_conversations", parent_id=10401, child_ids=[10403], type="side_conversation")
        assert d.sandbox.organisation.conversations[10403]["link"]["_type"] == "SideConversation"


async def test_each_id_has_its_own_outcome() -> None:
    """What fits is linked; what doesn't is told with its reason."""
    async with desk(*MIA) as d:
        ids = [10403, 10402, 10412, 10401, 10409, 99999999]
        said = await d.call("link_conversations", parent_id=10401, child_ids=ids)
        assert not said.failed, said.text
        assert parent_of(d.sandbox, 10403) == 10401
        for child, reason in (
            (10402, "children of its own (10412)"),
            (10412, "a parent already, 10402"),
            (10401, "its own parent"),
            (10409, "anonymised"),
            (99999999, "404"),
        ):
            assert f"{child} was not linked" in said.text
            assert reason in said.text
        assert d.writes == ["PUT /v1/conversations/10403/link"]


async def test_a_parent_that_is_a_child_is_refused_and_its_parent_named() -> None:
    """A child may not have children (notes §11)."""
    async with desk(*MIA) as d:
        said = await d.call("link_conversations", parent_id=10412, child_ids=[10403])
        assert said.failed
        assert "Link them to 10402" in said.text
        assert d.writes == []


async def test_a_parent_with_a_hundred_children_takes_no_more() -> None:
    """At most 100 children a parent (notes §11); what has room is linked."""
    sandbox = Sandbox()
    organisation = sandbox.organisation
    for number in range(20000, 20099):
        organisation.conversations[number] = {**organisation.conversations[10407], "id": number}
        organisation.link(number, 10401, "Related")
    async with desk(*MIA, sandbox=sandbox) as d:
        said = await d.call("link_conversations", parent_id=10401, child_ids=[10403, 10407])
        assert parent_of(sandbox, 10403) == 10401
        assert parent_of(sandbox, 10407) is None
        assert "10407 was not linked" in said.text
        assert "100" in said.text


async def test_when_nothing_could_be_linked_the_call_fails_with_every_reason() -> None:
    """A call that did nothing isn't a success."""
    async with desk(*MIA) as d:
        said = await d.call("link_conversations", parent_id=10401, child_ids=[10412, 10409])
        assert said.failed
        assert "10412" in said.text
        assert "10409" in said.text
        assert d.writes == []


async def test_linking_again_changes_nothing_and_says_so() -> None:
    """Nothing to do is an ordinary result."""
    async with desk(*MIA) as d:
        said = await d.call("link_conversations", parent_id=10402, child_ids=[10412])
        assert not said.failed, said.text
        assert "already" in said.text
        assert "Nothing was changed" in said.text
        assert d.writes == []


async def test_a_failure_of_one_leaves_the_others_linked() -> None:
    """Partial failure is said plainly."""
    async with desk(*MIA) as d:
        d.sandbox.faults.add("link_conversation", status=400, message="Parent conversation has too many children")
        said = await d.call("link_conversations", parent_id=10401, child_ids=[10403, 10407])
        assert not said.failed
        assert sum(parent_of(d.sandbox, child) == 10401 for child in (10403, 10407)) == 1
        assert "was not linked" in said.text


async def test_a_lost_answer_is_looked_up() -> None:
    """Done, not done, or unknown (design §4.5)."""
    async with desk(*MIA) as d:
        d.sandbox.faults.add("link_conversation", kind="timeout_after")
        said = await d.call("link_conversations", parent_id=10401, child_ids=[10403])
        assert not said.failed, said.text
        assert "Linked" in said.text


async def test_an_outcome_nobody_knows_is_told_as_unknown() -> None:
    """Never a guess."""
    async with desk(*MIA) as d:
        d.sandbox.faults.add("link_conversation", kind="timeout_after")
        d.sandbox.faults.add("get_conversation", status=500, after=2)
        said = await d.call("link_conversations", parent_id=10401, child_ids=[10403])
        assert said.failed
        assert "not known" in said.text


@pytest.mark.parametrize("ids", [[], list(range(1, 22))])
async def test_one_to_twenty_ids_are_taken(ids: list[int]) -> None:
    """A bound on what one call may do."""
    async with desk(*MIA) as d:
        said = await d.call("link_conversations", parent_id=10401, child_ids=ids)
        assert said.failed
        assert d.writes == []


async def test_children_outside_the_listed_queues_stop_the_call() -> None:
    """`--queues` holds for every conversation that is touched (design §4.0)."""
    async with desk(*MIA, "--queues", "General support") as d:
        inside = await d.call("link_conversations", parent_id=10401, child_ids=[10403])
        assert not inside.failed, inside.text
        outside = await d.call("link_conversations", parent_id=10401, child_ids=[10404, 10407])
        assert outside.failed
        assert len(d.writes) == 1
