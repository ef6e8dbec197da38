"""dixa_assign_conversation: nobody's work is taken from them by accident (notes §11)."""

import pytest
from front_door import MIA, desk
from happenings import MIA as MIA_ID
from happenings import SARA, TOM, elsewhere, just_before

from dixa_mcp.sandbox import Sandbox


def holder(sandbox: Sandbox, conversation_id: int) -> str:
    assignment = sandbox.organisation.conversations[conversation_id].get("assignment", {})
    return assignment.get("agentId", "")


async def test_a_waiting_conversation_goes_to_the_acting_agent_unless_one_is_named(era: str) -> None:
    """“Give it to me” is the usual wish; the acting agent is who that is."""
    async with desk(*MIA, era=era) as d:
        said = await d.call("assign_conversation", conversation_id=10402)
        assert not said.failed, said.text
        assert holder(d.sandbox, 10402) == MIA_ID
        assert "Before: none → after: Mia Lindqvist" in said.text
        assert "Seen by colleagues only" in said.text


async def test_without_an_agent_and_an_acting_one_it_says_what_is_missing() -> None:
    """Claim needs an agent (notes §11)."""
    async with desk() as d:
        said = await d.call("assign_conversation", conversation_id=10402)
        assert said.failed
        assert "--acting-agent" in said.text
        assert d.writes == []


@pytest.mark.parametrize("agent", ["Tom", "tom.okafor@example.com", TOM])
async def test_an_agent_is_named_by_name_mail_or_id(agent: str) -> None:
    """Names or ids everywhere (design §5)."""
    async with desk() as d:
        said = await d.call("assign_conversation", conversation_id="#10402", agent=agent)
        assert not said.failed, said.text
        assert holder(d.sandbox, 10402) == TOM


async def test_an_unknown_agent_lists_the_ones_there_are() -> None:
    """A near miss in a name lists the choices (design §5)."""
    async with desk() as d:
        said = await d.call("assign_conversation", conversation_id=10402, agent="Petra Sarasen")
        assert said.failed
        assert "Sara Petersen" in said.text
        assert d.writes == []


async def test_a_colleague_keeps_it_unless_take_over_is_said(era: str) -> None:
    """Claim never takes over unless asked (design §4.7); the refusal names who has it."""
    async with desk(*MIA, era=era) as d:
        said = await d.call("assign_conversation", conversation_id=10403)
        assert said.failed
        assert "Tom Okafor has conversation 10403" in said.text
        assert d.writes == []
        taken = await d.call("assign_conversation", conversation_id=10403, take_over=True)
        assert not taken.failed, taken.text
        assert "Before: Tom Okafor → after: Mia Lindqvist" in taken.text


async def test_a_colleague_who_was_faster_is_named() -> None:
    """A 409 means that somebody has it (notes §4), also without its being forced: who, is read again."""
    sandbox = Sandbox()

    def sara_claims() -> None:
        elsewhere(sandbox, "PUT", "/conversations/10402/claim", {"agentId": SARA, "force": True})

    async with desk(*MIA, sandbox=sandbox) as d:
        just_before(sandbox, "claim_conversation", sara_claims)
        said = await d.call("assign_conversation", conversation_id=10402)
        assert said.failed
        assert "Sara Petersen has conversation 10402" in said.text
        assert holder(sandbox, 10402) == SARA


async def test_a_409_that_nobody_explains_is_told_as_dixa_told_it() -> None:
    """What 409 says is unknown (notes §25): no name is invented."""
    async with desk(*MIA) as d:
        d.sandbox.faults.add("claim_conversation", status=409, message="Conflict")
        said = await d.call("assign_conversation", conversation_id=10402)
        assert said.failed
        assert "409" in said.text


async def test_who_has_it_already_is_told_and_nothing_is_written() -> None:
    """Nothing to do is an ordinary result."""
    async with desk(*MIA) as d:
        said = await d.call("assign_conversation", conversation_id=10401)
        assert not said.failed
        assert "already" in said.text
        assert "Nothing was changed" in said.text
        assert d.writes == []
        assert "No change of yours" in (await d.call("list_changes")).text


@pytest.mark.parametrize(("conversation_id", "reason"), [(10406, "closed"), (10409, "anonymised"), (99999999, "404")])
async def test_what_cannot_be_assigned_is_refused_with_the_reason(conversation_id: int, reason: str) -> None:
    """State checks (design §4.7)."""
    async with desk(*MIA) as d:
        said = await d.call("assign_conversation", conversation_id=conversation_id, agent="Tom", take_over=True)
        assert said.failed
        assert reason in said.text
        assert d.writes == []


async def test_an_agent_who_is_away_is_warned_of() -> None:
    """Given to somebody who isn't there, a customer waits."""
    async with desk(*MIA) as d:
        said = await d.call("assign_conversation", conversation_id=10402, agent="Aiko")
        assert "Warning: Aiko Tanaka isn't working" in said.text


async def test_presence_that_cannot_be_read_costs_only_the_warning() -> None:
    """The change is made; a courtesy must not fail it."""
    async with desk(*MIA) as d:
        d.sandbox.faults.add("list_presence", status=500)
        said = await d.call("assign_conversation", conversation_id=10402, agent="Aiko")
        assert not said.failed


async def test_a_lost_answer_is_looked_up() -> None:
    """After an ambiguous failure: done, not done, or unknown (design §4.5)."""
    async with desk(*MIA) as d:
        d.sandbox.faults.add("claim_conversation", kind="timeout_after")
        said = await d.call("assign_conversation", conversation_id=10402)
        assert not said.failed, said.text
        assert "c-" in (await d.call("list_changes")).text
        d.sandbox.faults.add("claim_conversation", kind="timeout_before")
        other = await d.call("assign_conversation", conversation_id=10403, take_over=True)
        assert other.failed
        assert "Nothing was changed" in other.text


async def test_read_only_mode_assigns_nothing() -> None:
    """INTERNAL is refused in read-only (design §3)."""
    async with desk(*MIA, "--mode", "read-only") as d:
        said = await d.call("assign_conversation", conversation_id=10402)
        assert said.failed
        assert d.writes == []


async def test_a_conversation_outside_the_listed_queues_is_left_alone() -> None:
    """`--queues` (design §4.0)."""
    async with desk(*MIA, "--queues", "General support") as d:
        said = await d.call("assign_conversation", conversation_id=10402)
        assert said.failed
        assert "General support" in said.text
        assert d.writes == []
