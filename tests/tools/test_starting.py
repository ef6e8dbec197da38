"""dixa_start_conversation: a customer is written to, or called, once and only after a person agreed."""

from typing import Any

import pytest
from front_door import MIA, desk
from happenings import commits_and_fails, left

from dixa_mcp.sandbox import Sandbox

OLIVIA = "olivia.hart@example.com"
DANIEL = "+12025550155"
MAIL = {
    "channel": "email",
    "customer": OLIVIA,
    "subject": "Your replacement",
    "text": "We shipped *it* today.",
    "endpoint": "Support inbox",
}
CALL = {"channel": "callback", "customer": DANIEL, "endpoint": "US line"}


async def test_a_yes_sends_what_was_shown_to_whom_it_was_shown(era: str) -> None:
    """Recipient, channel, sender, subject and exact text are in the question (design §4.3)."""
    async with desk(*MIA, era=era, answer="yes") as d:
        said = await d.call("start_conversation", **MAIL)
        assert not said.failed, said.text
        assert "10414" in said.text
        mail = left(d.sandbox)[0]
        assert (mail["to"], mail["sender"], mail["subject"]) == ([OLIVIA], "support@example.com", "Your replacement")
        assert mail["text"] == "<p>We shipped <em>it</em> today.</p>"
        for part in (f"Olivia Hart <{OLIVIA}>", "Support inbox", "Your replacement", "│ We shipped *it* today."):
            assert part in d.questions[0]


async def test_open_conversations_are_shown_before_and_after(era: str) -> None:
    """Shows open ones first (design §5): the person may prefer to answer there."""
    async with desk(*MIA, era=era, answer="yes") as d:
        said = await d.call("start_conversation", **MAIL)
        assert "open conversations: 10401 (Email, “Order F-20417 has not arrived”)" in d.questions[0]
        assert "Warning: Olivia Hart has open conversations: 10401" in said.text


@pytest.mark.parametrize("answer", ["no", "decline", "cancel", None])
async def test_without_a_yes_nothing_leaves(era: str, answer: str | None) -> None:
    """There is no draft of a new conversation: `refuse` for everything but replies (design §4.3)."""
    async with desk(*MIA, era=era, answer=answer) as d:
        said = await d.call("start_conversation", **MAIL)
        assert "nothing was done" in said.text.lower()
        assert d.writes == []


async def test_two_steps_start_after_a_preview() -> None:
    """`two-step` stands in for CUSTOMER (design §4.3)."""
    async with desk(*MIA, "--no-elicitation", "two-step") as d:
        preview = await d.call("start_conversation", **MAIL)
        token = preview.text.split("confirmation_token=")[1].split()[0]
        assert left(d.sandbox) == []
        said = await d.call("start_conversation", **MAIL, confirmation_token=token)
        assert not said.failed, said.text
        assert len(left(d.sandbox)) == 1


@pytest.mark.parametrize(
    ("given", "kind", "channel"),
    [
        ({"channel": "sms", "customer": OLIVIA, "text": "Ready *now*.", "endpoint": "SE text line"}, "sms", "Sms"),
        ({"channel": "chat", "customer": "C-100233", "text": "It is back."}, "chat", "WidgetChat"),
        ({"channel": "form", "customer": "C-100232", "text": "Got them.", "subject": "Boots"}, "email", "ContactForm"),
        (CALL, "call", "Callback"),
    ],
)
async def test_each_channel_can_be_started(given: dict[str, Any], kind: str, channel: str) -> None:
    """The five types of notes §9; the sender is found where only one fits."""
    async with desk(*MIA, answer="yes") as d:
        said = await d.call("start_conversation", **given)
        assert not said.failed, said.text
        assert [item["kind"] for item in left(d.sandbox)] == [kind]
        assert d.sandbox.organisation.conversations[10414]["channel"] == channel


async def test_a_callback_says_that_a_person_is_telephoned() -> None:
    """It ends in a telephone call to a person (notes §9)."""
    async with desk(answer="yes") as d:
        said = await d.call("start_conversation", **CALL)
        assert not said.failed, said.text
        assert "telephoned" in d.questions[0]
        assert "queue Phone line" in d.questions[0]
        assert DANIEL in d.questions[0]
        assert left(d.sandbox)[0]["queue"] == "Phone line"


async def test_a_callback_needs_a_queue_where_several_could_take_it() -> None:
    """The queue that the line feeds with callbacks is the default; none feeds from the UK hotline."""
    async with desk(answer="yes") as d:
        said = await d.call("start_conversation", channel="callback", customer=DANIEL, endpoint="UK hotline")
        assert said.failed
        assert "needs queue" in said.text
        assert "Phone line" in said.text
        named = await d.call(
            "start_conversation", channel="callback", customer=DANIEL, endpoint="UK hotline", queue="phone"
        )
        assert not named.failed, named.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"endpoint": ""}, "Returns inbox"),
        ({"endpoint": "Sales"}, "Support inbox"),
        ({"endpoint": "US line"}, "Support inbox"),
        ({"subject": ""}, "needs subject"),
        ({"text": " "}, "needs text"),
        ({"queue": "VIP"}, "no queue"),
        ({"channel": "sms"}, "no subject"),
        ({"channel": "fax"}, "channel"),
        ({"customer": "nobody@example.com"}, "No customer"),
        ({"customer": DANIEL}, "no e-mail address"),
        ({"text": "Hi {{csid}}"}, "{{csid}}"),
        ({"subject": "{{nickname}}"}, "{{nickname}}"),
    ],
)
async def test_what_is_missing_or_does_not_fit_is_said_and_nobody_is_asked(change: dict[str, str], reason: str) -> None:
    """Names with choices, states with reasons, no guesses (design §5)."""
    async with desk(*MIA, answer="yes") as d:
        said = await d.call("start_conversation", **{**MAIL, **change})
        assert said.failed
        assert reason in said.text
        assert d.questions == []
        assert d.writes == []


async def test_a_customer_without_a_number_is_not_called_or_texted() -> None:
    """The recipient must have what the channel needs (notes §9)."""
    async with desk(*MIA, answer="yes") as d:
        for given in ({"channel": "sms", "text": "Hi"}, {"channel": "callback"}):
            said = await d.call("start_conversation", customer="C-100232", endpoint="US line", **given)
            assert said.failed
            assert "no telephone number" in said.text
        assert d.writes == []


async def test_an_anonymised_customer_is_left_alone() -> None:
    """Gone for good (notes §20)."""
    sandbox = Sandbox()
    sandbox.organisation.end_users["1d66b93e-ab14-43d4-89fb-b94a217c6ac0"]["anonymizedAt"] = "2026-02-13T11:00:00Z"
    async with desk(*MIA, answer="yes", sandbox=sandbox) as d:
        said = await d.call("start_conversation", **MAIL)
        assert said.failed
        assert "anonymised" in said.text


async def test_a_message_without_an_acting_agent_is_refused() -> None:
    """Outbound wants an agent (notes §11); a callback doesn't."""
    async with desk(answer="yes") as d:
        said = await d.call("start_conversation", **MAIL)
        assert said.failed
        assert "--acting-agent" in said.text
        assert d.questions == []


# --- once


async def test_a_repeat_is_a_duplicate_and_nobody_is_asked_again(era: str) -> None:
    """The same for everything that creates (design §4.5)."""
    async with desk(*MIA, era=era, answer="yes") as d:
        await d.call("start_conversation", **MAIL)
        again = await d.call("start_conversation", **MAIL)
        assert "DUPLICATE" in again.text
        assert "10414" in again.text
        assert len(left(d.sandbox)) == 1
        assert len(d.questions) == 1


@pytest.mark.parametrize("given", [MAIL, CALL])
async def test_a_repeat_after_a_restart_is_known_from_dixa_however_it_is_spelt(given: dict[str, Any]) -> None:
    """Names resolve to the same things, and the key of the message to the same message."""
    sandbox = Sandbox()
    async with desk(*MIA, answer="yes", sandbox=sandbox) as first:
        await first.call("start_conversation", **given)
    other = (
        {"customer": "C-100231", "endpoint": "fernway-support@email.dixa.io"} if given is MAIL else {"queue": "phone"}
    )
    async with desk(*MIA, answer="yes", sandbox=sandbox) as second:
        again = await second.call("start_conversation", **{**given, **other})
        assert "DUPLICATE" in again.text
        assert second.questions == []
    assert len(left(sandbox)) == 1


async def test_a_second_call_later_is_a_second_call() -> None:
    """A callback has no words; after ten minutes it is another one."""
    sandbox = Sandbox()
    async with desk(*MIA, answer="yes", sandbox=sandbox) as first:
        await first.call("start_conversation", **CALL)
    sandbox.clock.advance(minutes=11)
    async with desk(*MIA, answer="yes", sandbox=sandbox) as second:
        assert "DUPLICATE" not in (await second.call("start_conversation", **CALL)).text
    assert len(left(sandbox)) == 2


async def test_the_same_words_another_week_are_another_message() -> None:
    """The key holds for a day, not for ever."""
    sandbox = Sandbox()
    async with desk(*MIA, answer="yes", sandbox=sandbox) as first:
        await first.call("start_conversation", **MAIL)
    sandbox.clock.advance(days=7)
    async with desk(*MIA, answer="yes", sandbox=sandbox) as second:
        said = await second.call("start_conversation", **MAIL)
        assert not said.failed, said.text
        assert "DUPLICATE" not in said.text
    assert len(left(sandbox)) == 2


async def test_a_repeat_just_after_midnight_is_still_the_same() -> None:
    """The day's end is no way round."""
    sandbox = Sandbox()
    sandbox.clock.advance(hours=11, minutes=58)
    async with desk(*MIA, answer="yes", sandbox=sandbox) as first:
        await first.call("start_conversation", **MAIL)
    sandbox.clock.advance(minutes=4)
    async with desk(*MIA, answer="yes", sandbox=sandbox) as second:
        assert "DUPLICATE" in (await second.call("start_conversation", **MAIL)).text
    assert len(left(sandbox)) == 1


@pytest.mark.parametrize("given", [MAIL, CALL])
@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "500"])
async def test_a_lost_answer_after_the_commit_is_looked_up(given: dict[str, Any], kind: Any) -> None:
    """After an ambiguous failure the server reads back (design §4.5)."""
    async with desk(*MIA, answer="yes") as d:
        if kind == "500":
            commits_and_fails(d.sandbox, "create_conversation")
        else:
            d.sandbox.faults.add("create_conversation", kind=kind)
        said = await d.call("start_conversation", **given)
        assert not said.failed, said.text
        assert "10414" in said.text
        assert "DUPLICATE" not in said.text
        assert len(left(d.sandbox)) == 1


async def test_a_request_that_never_arrived_can_be_made_again() -> None:
    """Not done is told as not done."""
    async with desk(*MIA, answer="yes") as d:
        d.sandbox.faults.add("create_conversation", kind="reset_before")
        said = await d.call("start_conversation", **MAIL)
        assert said.failed
        assert "Nothing was changed" in said.text
        assert not (await d.call("start_conversation", **MAIL)).failed
        assert len(left(d.sandbox)) == 1


async def test_dixas_own_refusal_of_the_key_is_a_duplicate() -> None:
    """A duplicate externalId is a 400 of Dixa's (notes §9)."""
    async with desk(*MIA, answer="yes") as d:
        d.sandbox.faults.add("create_conversation", status=400, message="Duplicate externalId")
        said = await d.call("start_conversation", **MAIL)
        assert not said.failed
        assert "DUPLICATE" in said.text


async def test_unattended_only_where_the_tool_is_named() -> None:
    """Design §3."""
    for named, sent in ((("dixa_send_reply",), 0), (("dixa_start_conversation",), 1)):
        async with desk(*MIA, "--mode", "unattended", "--unattended", *named) as d:
            said = await d.call("start_conversation", **MAIL)
            assert said.failed is (sent == 0), said.text
            assert len(left(d.sandbox)) == sent


async def test_where_writes_are_bound_to_queues_no_conversation_is_started() -> None:
    """No conversation, no queue it is in: refused (design §4.0)."""
    async with desk(*MIA, "--queues", "Phone line", answer="yes") as d:
        said = await d.call("start_conversation", **CALL, queue="Phone line")
        assert said.failed
        assert d.writes == []
