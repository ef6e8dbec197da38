"""Anonymisation: a person sees what would be lost and types its id."""

import re
from typing import Any

import pytest
from front_door import MIA, desk

PRIVACY = ("--toolsets", "privacy,context", "--allow-irreversible", *MIA)
OLIVIA = "1d66b93e-ab14-43d4-89fb-b94a217c6ac0"
CHLOE = "bbbd7936-7047-40a4-ac57-a3c4feff2889"
MESSAGE = "de92126b-b2b1-432f-a88a-568b3516473c"


def person(question: str) -> Any:
    """Somebody who types what is asked for."""
    typed = re.search(r"Type (\S+) to agree", question)
    assert typed, question
    return {"typed": typed[1]}


async def test_the_question_lists_what_goes_with_a_customer(era: str) -> None:
    """Notes §20: the customer, all conversations, all messages; open ones are closed first."""
    async with desk(*PRIVACY, era=era, answer=person) as d:
        said = await d.call("anonymize", customer="olivia.hart@example.com", force=True)
        assert not said.failed, said.text
        for part in (
            "Olivia Hart",
            "olivia.hart@example.com",
            "1 conversation ",
            "#10401",
            "closed first: 10401",
            OLIVIA,
        ):
            assert part in d.questions[0]
        assert d.writes == [f"PATCH /v1/endusers/{OLIVIA}/anonymize?force=true"]
        assert "Can't be undone" in said.text


async def test_the_journal_keeps_nothing_personal() -> None:
    """Design §4.10: no bodies, and no name of a person who was erased."""
    async with desk(*PRIVACY, answer=person) as d:
        said = await d.call("anonymize", conversation_id=10403, message_id=MESSAGE[:8])
        assert "Is the tent in stock" in d.questions[0]
        listed = await d.call("list_changes")
        assert "anonymised" in listed.text
        assert "tent" not in listed.text + said.text


async def test_open_conversations_stop_it_unless_forced() -> None:
    """Notes §20: Dixa refuses; force only if told."""
    async with desk(*PRIVACY, answer=person) as d:
        said = await d.call("anonymize", customer=OLIVIA)
        assert said.failed
        assert "10401" in said.text
        assert "force=true" in said.text
        assert not d.questions
        assert d.writes == []


@pytest.mark.parametrize("typed", ["yes", "10401", ""])
async def test_a_wrong_id_erases_nothing(typed: str) -> None:
    """Design §3: the person types the id."""
    async with desk(*PRIVACY, answer={"typed": typed}) as d:
        await d.call("anonymize", conversation_id=10408)
        assert d.writes == []


@pytest.mark.parametrize(
    "arguments",
    [{"conversation_id": 10408}, {"conversation_id": 10403, "message_id": MESSAGE}, {"customer": "C-100235"}],
)
async def test_status_is_waited_for(arguments: dict[str, Any]) -> None:
    """Notes §20: accepted with 202, carried out later; the status says when."""
    async with desk(*PRIVACY, answer=person) as d:
        if "customer" in arguments:
            arguments = {**arguments, "force": True}
        said = await d.call("anonymize", **arguments)
        request = re.search(r"request_id=(\S+)", said.text)
        assert request, said.text
        waiting = await d.call("get_anonymization", request_id=request[1])
        assert waiting.text.startswith("Not done yet")
        done = await d.call("get_anonymization", request_id=request[1], wait=True)
        assert done.text.startswith("Done:")
        assert "Mia Lindqvist" in done.text


async def test_waiting_ends_with_the_time_of_the_call() -> None:
    """Design §7: a deadline of the whole call."""
    async with desk(*PRIVACY, "--deadline", "1", answer=person) as d:
        await d.call("anonymize", conversation_id=10408)
        request = list(d.sandbox.organisation.anonymizations)[-1]
        said = await d.call("get_anonymization", request_id=request, wait=True)
        assert not said.failed
        assert "Waited" in said.text


async def test_the_same_request_is_made_once() -> None:
    """Design §4.5: asked again, the first answer comes back and nobody is asked."""
    async with desk(*PRIVACY, answer=person) as d:
        await d.call("anonymize", conversation_id=10408)
        again = await d.call("anonymize", conversation_id=10408)
        assert "DUPLICATE" in again.text
        assert len(d.writes) == len(d.questions) == 1


async def test_a_lost_answer_is_not_called_undone() -> None:
    """It is carried out later, so that nothing shows yet proves nothing (notes §20)."""
    async with desk(*PRIVACY, answer=person) as d:
        d.sandbox.faults.add("anonymize_conversation", kind="timeout_after")
        said = await d.call("anonymize", conversation_id=10408)
        assert said.failed
        assert "not known" in said.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Name a customer"),
        ({"customer": OLIVIA, "conversation_id": 10401}, "Name a customer"),
        ({"message_id": MESSAGE}, "Name a customer"),
        ({"customer": "nobody@example.com"}, "No customer"),
        ({"conversation_id": 99999999}, "99999999"),
        ({"conversation_id": 10409}, "before"),
        ({"conversation_id": 10403, "message_id": "ffffffff"}, "dixa_get_thread"),
        ({"conversation_id": 10403, "message_id": "d"}, "dixa_get_thread"),
    ],
)
async def test_what_cannot_be_erased_is_said_before_anybody_is_asked(arguments: dict[str, Any], words: str) -> None:
    """Design §7: which id, and what would do."""
    async with desk(*PRIVACY, answer=person) as d:
        said = await d.call("anonymize", **arguments)
        assert said.failed
        assert words in said.text
        assert d.writes == []
        assert not d.questions


@pytest.mark.parametrize(
    "flags", [("--mode", "read-only"), (), ("--mode", "unattended", "--unattended", "dixa_anonymize")]
)
async def test_it_is_refused_without_the_operators_leave(flags: tuple[str, ...]) -> None:
    """Design §3: not in read-only, not unless allowed, and never unattended."""
    allowed = ("--allow-irreversible",) if "unattended" in flags else ()
    async with desk("--toolsets", "privacy", *allowed, *flags, answer=person) as d:
        said = await d.call("anonymize", conversation_id=10408)
        assert said.failed
        assert d.writes == []


async def test_a_missing_right_is_said() -> None:
    """Notes §2: the status needs a right that a token may lack."""
    async with desk("--toolsets", "privacy", token="sandbox-limited-token") as d:
        said = await d.call("get_anonymization", request_id="c4f30956-c7e3-4baa-8a40-6fe3cb86890d")
        assert said.failed
        assert "right" in said.text
