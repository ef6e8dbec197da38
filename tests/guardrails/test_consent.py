"""Consent: asked with the exact text, given by a person, spent once, never supplied by the model."""

from typing import Any

import anyio
import pytest
from front_door import MIA, Desk, desk
from mcp.types import ElicitResult, InputRequiredResult

from dixa_mcp.state import MemoryState

REPLY: dict[str, Any] = {"conversation_id": 10401, "text": "On its way.", "after_message": "29c4c258"}
TWO_STEP = (*MIA, "--no-elicitation", "two-step")


async def test_the_question_shows_everything_a_person_needs(era: str) -> None:
    """Recipient, channel, the exact text, what follows, and what it answers (design §4.3)."""
    async with desk(*MIA, era=era, answer="yes") as d:
        await d.call("send_reply", **REPLY, then="close")
        (question,) = d.questions
        for words in ("Olivia Hart <olivia.hart@example.com>", "Email", "Mia", "On its way.", "closed", "29c4c258"):
            assert words in question
        assert len(d.sandbox.outbox) >= 1


@pytest.mark.parametrize(
    "extra",
    [
        {"consent": True},
        {"consent": {"agree": True}},
        {"agree": True},
        {"yes": True},
        {"confirm": True},
        {"approved": True},
        {"answer": {"action": "accept", "content": {"agree": True}}},
        {"confirmation_token": "x"},
        {"ctx": {}},
        {"call": {}},
    ],
)
async def test_the_model_cannot_supply_consent(extra: dict[str, Any], era: str) -> None:
    """No argument is a person's yes; unknown ones are refused with the valid ones (design §4.3)."""
    async with desk(*MIA, era=era, answer="decline") as d:
        said = await d.call("send_reply", **REPLY, **extra)
        assert said.failed
        assert "It takes: conversation_id" in said.text
        assert not d.sandbox.outbox
        assert not d.writes


@pytest.mark.parametrize("content", [None, {}, {"agree": "perhaps"}, {"agree": None}, {"typed": "yes"}])
async def test_an_accept_without_a_clear_yes_is_no_yes(content: Any, era: str) -> None:
    """Whatever isn't clearly a yes is not one: an accepted form must hold the ticked box."""
    answer = lambda question: ElicitResult(action="accept", content=content)  # noqa: E731 - a value, not a function
    async with desk(*MIA, era=era, answer=answer) as d:
        said = await d.call("send_reply", **REPLY)
        assert not d.sandbox.outbox, said.text
        assert not d.writes


async def test_a_person_who_never_answers_blocks_nothing_and_nothing_is_done() -> None:
    """Waiting for a person is bounded and holds up nobody else (design §4.3)."""

    async def silence(question: str) -> Any:
        await anyio.sleep_forever()

    async with desk(*MIA, "--answer-within", "0.2", era="legacy", answer=silence) as d:
        texts: dict[str, str] = {}

        async def ask() -> None:
            texts["reply"] = (await d.call("send_reply", **REPLY)).text

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            texts["read"] = (await d.call("get_thread", conversation_id=10403)).text
            assert "reply" not in texts
        assert "tent" in texts["read"]
        assert "Nobody answered" in texts["reply"]
        assert not d.sandbox.outbox


async def test_an_answer_that_comes_too_late_is_refused() -> None:
    """On 2026-07-28 the sealed question expires (design §4.3)."""
    async with desk(*MIA, "--answer-within", "0.05", answer="cancel") as d:
        first = await _ask(d)
        await anyio.sleep(0.06)
        with pytest.raises(Exception, match="requestState"):
            await _answer(d, first)
        assert not d.sandbox.outbox


async def test_a_consent_counts_once() -> None:
    """The sealed state can be replayed within its life, so each consent is spent (design §4.3)."""
    async with desk(*MIA, answer="cancel") as d:
        first = await _ask(d)
        assert "Reply sent" in _text(await _answer(d, first))
        again = await _answer(d, first)
        assert "DUPLICATE" in _text(again)
        assert len(d.sandbox.reached_customers) == 1


async def test_a_spent_consent_does_not_send_again_even_when_nobody_remembers_the_reply() -> None:
    """The guard against replay doesn't lean on the guard against duplicates."""
    state = MemoryState()
    async with desk(*MIA, state=state, answer="cancel") as d:
        conversation = d.sandbox.organisation.conversations[10403]
        before = dict(conversation)
        first = await _ask(d, tool="dixa_change_status", conversation_id=10403, action="close")
        await _answer(d, first, tool="dixa_change_status", conversation_id=10403, action="close")
        conversation.update(before)
        again = await _answer(d, first, tool="dixa_change_status", conversation_id=10403, action="close")
        assert again.is_error
        assert "used already" in _text(again)
        assert conversation["state"] == "Open"


async def test_an_answer_given_for_other_arguments_is_refused() -> None:
    """The sealed state is bound to the arguments."""
    async with desk(*MIA, answer="cancel") as d:
        first = await _ask(d)
        with pytest.raises(Exception, match="requestState"):
            await _answer(d, first, **{**REPLY, "text": "Something else."})
        assert not d.sandbox.outbox


async def test_two_steps_preview_first_and_act_on_the_second_call(era: str) -> None:
    """Opt-in, for hosts that show each call to a person (design §4.3)."""
    async with desk(*TWO_STEP, era=era) as d:
        preview = await d.call("send_reply", **REPLY)
        assert "PREVIEW, nothing was done" in preview.text
        assert "On its way." in preview.text
        assert not d.writes
        token = _token(preview.text)
        sent = await d.call("send_reply", **REPLY, confirmation_token=token)
        assert "Reply sent" in sent.text
        assert len(d.sandbox.reached_customers) == 1


@pytest.mark.parametrize("change", [{"text": "Other words."}, {"conversation_id": 10403}, {"then": "close"}])
async def test_a_token_is_for_unchanged_arguments_only(change: dict[str, Any], era: str) -> None:
    """Bound to the tool and all arguments (design §4.3)."""
    async with desk(*TWO_STEP, era=era) as d:
        token = _token((await d.call("send_reply", **REPLY)).text)
        said = await d.call("send_reply", **{**REPLY, **change}, confirmation_token=token)
        assert said.failed
        assert not d.writes


async def test_a_token_is_spent_by_its_first_use(era: str) -> None:
    """Single use, even a failed one."""
    async with desk(*TWO_STEP, era=era) as d:
        token = _token((await d.call("send_reply", **REPLY)).text)
        await d.call("send_reply", **{**REPLY, "text": "Other."}, confirmation_token=token)
        said = await d.call("send_reply", **REPLY, confirmation_token=token)
        assert said.failed
        assert "spent, expired or for another call" in said.text
        assert not d.writes


async def test_a_token_shown_fifty_times_at_once_acts_once(era: str) -> None:
    """Taken atomically: one of many equal calls sends."""
    async with desk(*TWO_STEP, era=era) as d:
        token = _token((await d.call("send_reply", **REPLY)).text)
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(lambda: d.call("send_reply", **REPLY, confirmation_token=token))
        assert len(d.sandbox.reached_customers) == 1


async def test_a_token_expires(era: str) -> None:
    """It lives as long as a person may take."""
    now = [0.0]
    async with desk(*TWO_STEP, era=era, state=MemoryState(clock=lambda: now[0])) as d:
        token = _token((await d.call("send_reply", **REPLY)).text)
        now[0] = 301
        said = await d.call("send_reply", **REPLY, confirmation_token=token)
        assert said.failed
        assert not d.writes


async def test_a_token_does_not_survive_a_newer_message(era: str) -> None:
    """Bound to the newest message (design §4.3, §4.4)."""
    async with desk(*TWO_STEP, era=era) as d:
        token = _token((await d.call("send_reply", **REPLY)).text)
        _customer_writes(d)
        said = await d.call("send_reply", **REPLY, confirmation_token=token)
        assert said.failed
        assert "Wait, I found it" in said.text
        assert not d.sandbox.outbox


async def test_a_token_cannot_replace_a_person_who_can_be_asked(era: str) -> None:
    """Where the client can ask, it is asked; the token is no way around (design §4.3)."""
    async with desk(*TWO_STEP, era=era, answer="no") as d:
        said = await d.call("send_reply", **REPLY, confirmation_token="made-up")
        assert d.questions
        assert "said no" in said.text
        assert not d.writes


async def test_two_steps_never_serve_for_egress(era: str) -> None:
    """Never for EGRESS and IRREVERSIBLE (design §4.3)."""
    async with desk(*TWO_STEP, "--egress-hosts", "example.com", era=era) as d:
        said = await d.call("send_reply", **REPLY, cc=["grace.hill@example.com"])
        assert "confirmation_token" not in said.text
        assert not d.sandbox.outbox


async def test_refuse_means_refused_also_for_replies(era: str) -> None:
    """`--no-elicitation refuse` writes no draft either."""
    async with desk(*MIA, "--no-elicitation", "refuse", era=era) as d:
        said = await d.call("send_reply", **REPLY)
        assert said.failed
        assert "this client can't ask" in said.text
        assert not d.writes


async def test_a_draft_is_a_note_and_says_so(era: str) -> None:
    """Where nobody can be asked the reply is kept for a colleague (design §4.3)."""
    async with desk(*MIA, era=era) as d:
        said = await d.call("send_reply", **REPLY)
        again = await d.call("send_reply", **REPLY)
        assert "NOT SENT" in said.text
        assert "DUPLICATE" in again.text
        notes = [note["message"] for note in d.sandbox.organisation.notes[10401]]
        assert notes[-1] == "DRAFT, not sent\n\nOn its way."
        assert len(notes) == 3
        assert not d.sandbox.outbox


async def _ask(d: Desk, tool: str = "dixa_send_reply", **arguments: Any) -> InputRequiredResult:
    first = await d.client.session.call_tool(tool, arguments or REPLY, allow_input_required=True)
    assert isinstance(first, InputRequiredResult)
    return first


async def _answer(d: Desk, first: InputRequiredResult, tool: str = "dixa_send_reply", **arguments: Any) -> Any:
    yes: Any = {key: ElicitResult(action="accept", content={"agree": True}) for key in first.input_requests or {}}
    return await d.client.session.call_tool(
        tool,
        arguments or REPLY,
        input_responses=yes,
        request_state=first.request_state,
        allow_input_required=True,
    )


def _text(result: Any) -> str:
    return "\n".join(block.text for block in result.content)


def _token(text: str) -> str:
    return text.rsplit("confirmation_token=", 1)[1].split(maxsplit=1)[0]


def _customer_writes(d: Desk) -> None:
    messages = d.sandbox.organisation.messages[10401]
    messages.append(
        {
            "id": "11111111-2222-4333-8444-555555555555",
            "authorId": "1d66b93e-ab14-43d4-89fb-b94a217c6ac0",
            "createdAt": "2026-02-13T12:00:00.000Z",
            "attributes": {
                "_type": "EmailAttributes",
                "emailContent": {"_type": "Regular", "content": {"_type": "Text", "value": "Wait, I found it"}},
                "direction": "Inbound",
            },
        }
    )
