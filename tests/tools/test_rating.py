"""dixa_record_rating: a survey held elsewhere is recorded once, in two requests (notes §16)."""

from typing import Any

import pytest
from front_door import MIA, desk
from happenings import MIA as MIA_ID
from happenings import TOM, commits_and_fails, left

from dixa_mcp.sandbox import Sandbox

GOOD = {"conversation_id": 10401, "type": "csat", "score": 5, "comment": "Fast and friendly"}


def ratings(sandbox: Sandbox, conversation_id: int = 10401) -> list[dict[str, Any]]:
    return sandbox.organisation.ratings.get(conversation_id, [])


async def test_a_yes_records_score_comment_and_agent(era: str) -> None:
    """Offer, then submit with the offer's id; nothing is sent to the customer (notes §16)."""
    async with desk(*MIA, era=era, answer="yes") as d:
        said = await d.call("record_rating", **GOOD)
        assert not said.failed, said.text
        rating = ratings(d.sandbox)[-1]
        assert rating["ratingStatus"] == "Rated"
        assert (rating["ratingScore"], rating["ratingComment"], rating["agentId"]) == (5, "Fast and friendly", MIA_ID)
        assert left(d.sandbox) == []
        for part in ("csat: 5 (of 1 to 5)", "Mia Lindqvist", "│ Fast and friendly", "can't be removed", "10401"):
            assert part in d.questions[0]
        assert "Can't be undone" in said.text


@pytest.mark.parametrize("answer", ["no", "decline", "cancel", None])
async def test_without_a_yes_nothing_is_recorded(era: str, answer: str | None) -> None:
    """Recorded ratings are CUSTOMER (design §3)."""
    async with desk(*MIA, era=era, answer=answer) as d:
        said = await d.call("record_rating", **GOOD)
        assert "nothing was done" in said.text.lower()
        assert d.writes == []


@pytest.mark.parametrize(
    ("type_", "score", "good"),
    [
        ("csat", 0, False),
        ("csat", 1, True),
        ("csat", 6, False),
        ("nps", 0, True),
        ("nps", 10, True),
        ("nps", 11, False),
        ("thumbs", 0, True),
        ("thumbs", 2, False),
    ],
)
async def test_a_score_is_of_its_scale(type_: str, score: int, good: bool) -> None:
    """Csat 1-5, Nps 0-10, ThumbsUpOrDown 0/1 (notes §16); a wrong one asks nobody."""
    async with desk(*MIA, answer="yes") as d:
        said = await d.call("record_rating", conversation_id=10401, type=type_, score=score)
        assert said.failed is not good, said.text
        assert len(d.questions) == good
        if good:
            assert ratings(d.sandbox)[-1]["ratingScore"] == score


async def test_an_agent_who_took_no_part_is_pointed_out_to_the_person() -> None:
    """Such a rating skews the statistics (notes §16)."""
    async with desk(*MIA, answer="yes") as d:
        await d.call("record_rating", **GOOD, agent="Tom")
        assert "Careful: Tom Okafor neither has this conversation nor wrote in it" in d.questions[0]
        assert ratings(d.sandbox)[-1]["agentId"] == TOM
        await d.call("record_rating", **{**GOOD, "score": 4})
        assert "Careful" not in d.questions[1]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"conversation_id": 10402}, "name the rated agent"),
        ({"conversation_id": 10409}, "anonymised"),
        ({"conversation_id": 99999999}, "404"),
        ({"agent": "Zoe"}, "agent"),
        ({"type": "stars"}, "type"),
    ],
)
async def test_what_cannot_be_rated_is_refused_with_the_reason(given: dict[str, Any], reason: str) -> None:
    """Nobody is asked about what can't be done."""
    async with desk(*MIA, answer="yes") as d:
        said = await d.call("record_rating", **{**GOOD, **given})
        assert said.failed
        assert reason in said.text
        assert d.questions == []
        assert d.writes == []


async def test_an_offer_without_a_result_is_told_plainly_and_a_repeat_finishes_it(era: str) -> None:
    """Partial failure: offered but not submitted; the offer isn't made twice."""
    async with desk(*MIA, era=era, answer="yes") as d:
        d.sandbox.faults.add("submit_rating", status=400, message="Invalid value in request")
        half = await d.call("record_rating", **GOOD)
        assert "HALF DONE" in half.text
        assert "its result was NOT recorded" in half.text
        assert ratings(d.sandbox)[-1]["ratingStatus"] == "Offered"
        whole = await d.call("record_rating", **GOOD)
        assert "DUPLICATE" not in whole.text
        assert not whole.failed, whole.text
        assert [rating["ratingStatus"] for rating in ratings(d.sandbox)] == ["Rated"]


async def test_a_repeat_is_a_duplicate() -> None:
    """The same for everything that creates (design §4.5)."""
    sandbox = Sandbox()
    async with desk(*MIA, answer="yes", sandbox=sandbox) as first:
        await first.call("record_rating", **GOOD)
        assert "DUPLICATE" in (await first.call("record_rating", **GOOD)).text
    async with desk(*MIA, answer="yes", sandbox=sandbox) as second:
        assert "DUPLICATE" in (await second.call("record_rating", **GOOD)).text
        assert second.questions == []
    assert len(ratings(sandbox)) == 1


@pytest.mark.parametrize("operation", ["offer_rating", "submit_rating"])
@pytest.mark.parametrize("kind", ["timeout_after", "500"])
async def test_a_lost_answer_is_looked_up_and_recorded_once(operation: str, kind: Any) -> None:
    """After an ambiguous failure the server reads back (design §4.5)."""
    async with desk(*MIA, answer="yes") as d:
        if kind == "500":
            commits_and_fails(d.sandbox, operation)
        else:
            d.sandbox.faults.add(operation, kind=kind)
        said = await d.call("record_rating", **GOOD)
        assert not said.failed, said.text
        assert "Recorded csat 5" in said.text
        assert [rating["ratingStatus"] for rating in ratings(d.sandbox)] == ["Rated"]


async def test_an_offer_that_never_arrived_changed_nothing() -> None:
    """Not done is told as not done."""
    async with desk(*MIA, answer="yes") as d:
        d.sandbox.faults.add("offer_rating", kind="timeout_before")
        said = await d.call("record_rating", **GOOD)
        assert said.failed
        assert "Nothing was changed" in said.text
        assert ratings(d.sandbox) == []
        assert not (await d.call("record_rating", **GOOD)).failed


async def test_read_only_mode_records_nothing() -> None:
    """Design §3."""
    async with desk(*MIA, "--mode", "read-only", answer="yes") as d:
        assert (await d.call("record_rating", **GOOD)).failed
        assert d.writes == []
