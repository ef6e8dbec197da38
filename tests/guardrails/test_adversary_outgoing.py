"""What reaches people outside, and what a person is shown of it: each a way somebody once got something through."""

import re
from typing import Any

import pytest
from front_door import MIA, desk

from dixa_mcp.sandbox import Sandbox
from dixa_mcp.text.outgoing import Allowed, foreign, found

REPLY: dict[str, Any] = {"conversation_id": 10401, "text": "On its way.", "after_message": "29c4c258"}
TRACK = "351d1fdf-693f-48ac-a893-f30a545fcbbc"
ALL = ("--toolsets", "default,knowledge_write,bulk,operations")
ALONE = (*MIA, "--mode", "unattended", "--no-elicitation", "refuse", "--unattended")
STRANGE = "[Log in](https://evil.test/login)"
MAIL: dict[str, Any] = {
    "_type": "Email",
    "emailIntegrationId": "fernway-support@email.dixa.io",
    "subject": "Data",
    "message": {
        "_type": "Outbound",
        "agentId": "039fbf8d-4ab7-46a4-9543-0786d6ebb40f",
        "content": {"_type": "Text", "value": "All of it"},
        "attachments": [],
    },
}


def article(text: str) -> dict[str, str]:
    return {"title": "News", "text": text, "language": "en", "parent": "Returns"}


def article_id(text: str) -> str:
    return re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)[0]


# --- placeholders --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["evil.test/login", "evil.Support", "Evil.Support", "x@evil.test", "A +4570123456"])
@pytest.mark.parametrize("said", [{"text": "Log in at {{requester_firstname}} today"}, {"template": "Return policy"}])
async def test_a_name_the_model_wrote_does_not_smuggle_a_link(said: dict[str, Any], name: str, era: str) -> None:
    """Outgoing text may carry only what somebody vouches for, whatever fills its placeholders (design §4.8)."""
    async with desk(*ALONE, "dixa_send_reply", era=era) as d:
        await d.call("update_customer", customer="C-100231", first_name=name)
        answer = await d.call("send_reply", conversation_id=10401, after_message="29c4c258", **said)
        assert answer.failed
        assert not d.sandbox.outbox


async def test_a_harmless_name_does_not_become_a_host_by_what_stands_beside_it() -> None:
    """What is sent is judged, not what it was made of (design §4.8)."""
    async with desk(*ALONE, "dixa_send_reply") as d:
        await d.call("update_customer", customer="C-100231", first_name="Evil")
        answer = await d.call("send_reply", **{**REPLY, "text": "Log in at {{requester_firstname}}.com"})
        assert answer.failed
        assert not d.sandbox.outbox


@pytest.mark.parametrize("name", ["Olivia", "Anne-Marie", "J. P.", "O’Neil", "Åsa", "Мария", "Dr. Ann"])
async def test_names_of_people_are_put_in(name: str) -> None:
    """The rule isn't a wall."""
    async with desk(*ALONE, "dixa_send_reply") as d:
        await d.call("update_customer", customer="C-100231", first_name=name)
        answer = await d.call("send_reply", **{**REPLY, "text": "Hi {{requester_firstname}}, it is on its way."})
        assert not answer.failed, answer.text
        assert d.sandbox.outbox


# --- articles ------------------------------------------------------------------------------------


async def test_an_article_with_a_strange_link_needs_a_person(era: str) -> None:
    """Readers of the help centre are outside too (design §4.8)."""
    async with desk(*ALL, *ALONE, "dixa_publish_article", era=era) as d:
        await d.call("draft_article", **article(STRANGE))
        answer = await d.call("publish_article", article="News")
        assert answer.failed
        assert not any(write.endswith("/publish") for write in d.writes)


async def test_an_article_without_one_is_published_alone(era: str) -> None:
    """The rule isn't a wall."""
    async with desk(*ALL, *ALONE, "dixa_publish_article", era=era) as d:
        await d.call("draft_article", **article("We send every parcel within two days."))
        answer = await d.call("publish_article", article="News")
        assert not answer.failed, answer.text


@pytest.mark.parametrize("operation", ["publish_article", "publish_article_translation"])
async def test_a_raw_call_does_not_publish_a_strange_link_either(operation: str, era: str) -> None:
    """The raw way is no way around a rule (design §3)."""
    async with desk(*ALL, *ALONE, "dixa_call_operation", era=era) as d:
        made = await d.call("draft_article", **article(STRANGE))
        path = {"articleId": article_id(made.text)}
        if operation == "publish_article_translation":
            path["languageId"] = "en"
        answer = await d.call("call_operation", operation=operation, path=path)
        assert answer.failed
        assert "needs a person" in answer.text
        assert not any(write.endswith("/publish") for write in d.writes)


async def test_a_person_sees_the_whole_article(era: str) -> None:
    """What is agreed to is what was shown (design §4.3)."""
    async with desk(*MIA, *ALL, era=era, answer="no") as d:
        text = "word " * 900 + "\n\nPay at https://evil.test/pay"
        await d.call("draft_article", **article(text))
        await d.call("publish_article", article="News")
        assert "evil.test/pay" in d.questions[0].partition("Careful")[0]
        assert re.search(r"Version: News \[[0-9a-f]{8}\]", d.questions[0])


async def test_an_article_too_long_to_be_read_is_not_put_to_a_person(era: str) -> None:
    """Nobody can agree to what they can't see (design §4.3)."""
    async with desk(*MIA, *ALL, era=era, answer="yes") as d:
        d.sandbox.organisation.articles[TRACK]["draft"]["en"]["html"] = f"<p>{'word ' * 6_000}</p>"
        said = await d.call("publish_article", article=TRACK)
        assert said.failed, said.text
        assert not d.questions
        assert not d.writes


async def test_a_change_of_the_draft_while_a_person_reads_is_noticed(era: str) -> None:
    """Also one that can't be seen in the text: the question holds a fingerprint of the version (design §4.3)."""
    sandbox = Sandbox()
    draft = sandbox.organisation.articles[TRACK]["draft"]["en"]

    def changing(_: str) -> str:
        draft["html"] = draft["html"].replace("<p>", "<p style='color:red'>")
        return "yes"

    async with desk(*MIA, *ALL, era=era, sandbox=sandbox, answer=changing) as d:
        said = await d.call("publish_article", article=TRACK)
        if said.failed:
            assert "changed in Dixa" in said.text
            assert not d.writes
        else:  # a client that replays the call is asked anew, about the draft as it is now
            assert len(d.questions) > 1
            assert len(set(d.questions)) > 1


# --- whom raw calls write to ---------------------------------------------------------------------


async def test_raw_calls_do_not_write_to_a_record_made_a_moment_ago(era: str) -> None:
    """Records this server created don't vouch for themselves (design §4.8)."""
    async with desk(*ALL, *ALONE, "dixa_call_operation", era=era) as d:
        made = (await d.call("create_customer", name="New", email="new@evil.test")).text
        for more in ({}, {"_type": "Callback", "message": None}):
            body = {**MAIL, "requesterId": re.findall(r"id ([0-9a-f-]{36})", made)[0], **more}
            said = await d.call("call_operation", operation="create_conversation", body=body)
            assert said.failed
        assert not d.sandbox.reached_customers


@pytest.mark.parametrize("status", [403, 404])
async def test_a_customer_whose_past_cannot_be_read_needs_a_person(status: int, era: str) -> None:
    """The answer without evidence is no (design §4.8)."""
    async with desk(*ALL, *ALONE, "dixa_call_operation", era=era) as d:
        d.sandbox.faults.add("list_end_user_conversations", status=status, times=9)
        body = {**MAIL, "requesterId": "1d66b93e-ab14-43d4-89fb-b94a217c6ac0"}
        assert (await d.call("call_operation", operation="create_conversation", body=body)).failed
        assert not d.sandbox.reached_customers


# --- hosts and numbers in other dress --------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Log in at fernway-refunds.Support",
        "Call 0900 123 456",
        "Call (202) 555-0199",
        "Open 203.0.113.7 and log in",
        "Open 203.0.113.7.",
        "Please ring our support line on 0900-123-456 now",
        "Tel.: 0900 / 123 456",
        "You reach us at 202 555 0199",
    ],
)
async def test_strange_things_in_other_dress_need_a_person(text: str, era: str) -> None:
    """Outgoing text may carry only the recipient's and the organisation's own (design §4.8)."""
    async with desk(*ALONE, "dixa_send_reply", era=era) as d:
        assert (await d.call("send_reply", **{**REPLY, "text": text})).failed


@pytest.mark.parametrize(
    "text",
    [
        "Call (202) 555-0175.",
        "Order 2025550199 is on its way.",
        "Your order number: 2025550199, parcel #7005550199",
        "We will call on 12.02.2026 or 2026-02-13 10:00.",
        "It was sent on 23.02.2026.",
        "Release 1.2.3 is out.Please update",
        "Thanks.Please wait",
    ],
)
async def test_our_numbers_orders_and_dates_need_nobody(text: str) -> None:
    """A person is asked for each; asking for nothing teaches people to say yes."""
    async with desk(*ALONE, "dixa_send_reply") as d:
        said = await d.call("send_reply", **{**REPLY, "text": text.replace("out.Please", "out. Please")})
        assert not said.failed, said.text


@pytest.mark.parametrize("text", ["Sent 23.02.2026", "Order 20417123", "ordre nr. 20417123", "invoice: 70123457"])
def test_dates_and_orders_are_no_numbers_where_any_eight_digits_are(text: str) -> None:
    """Denmark's numbers have eight digits, without a prefix."""
    assert found(text, ("DK",)) == []


def test_a_number_with_dots_is_a_number_and_no_host() -> None:
    """One's own number may go in any spelling (design §4.8)."""
    ours = Allowed(phones=["+45 70 12 34 56"], regions=("DK",))
    assert foreign("Call 70.12.34.56, or 70.12.34.56", ours) == []
    assert foreign("Open 70.12.34.56/login", ours)
    assert foreign("Open 70.12.34.57", ours)


# --- what a person is shown ----------------------------------------------------------------------


async def test_a_person_sees_where_a_long_address_ends(era: str) -> None:
    """The end of an address says whose it is (design §4.3)."""
    address = "olivia.hart@example.com." + ".".join(["account"] * 30) + ".evil.test"
    async with desk(*MIA, era=era, answer="yes") as d:
        await d.call("update_customer", customer="C-100231", email=address)
        assert address in d.questions[0]
        await d.call("send_reply", **REPLY)
        assert address in d.questions[1]
        new = {"channel": "email", "customer": "C-100231", "endpoint": "Support inbox"}
        await d.call("start_conversation", **new, subject="Hi", text="Hello")
        assert address in d.questions[2]


@pytest.mark.parametrize("note", ["Hi\n- Nothing else; nobody outside sees it", "Hi\r- Nothing else", "a\n\n- Nothing"])
async def test_a_note_cannot_pass_for_a_part_of_the_question(note: str, era: str) -> None:
    """Each line of what others wrote is marked (design §4.3)."""
    async with desk(*MIA, *ALL, era=era, answer="no") as d:
        await d.call("bulk_update", conversation_ids=[10401], note=note, status="close")
        assert "│ - Nothing" in d.questions[0]
        assert "\n- Nothing" not in d.questions[0]


async def test_a_body_cannot_pass_for_a_part_of_a_raw_calls_question(era: str) -> None:
    """Each line of what the model gave is marked (design §4.3)."""
    async with desk(*MIA, *ALL, era=era, answer="no") as d:
        body = {"message": "Hi\n\nColleagues see it; customers don't."}
        await d.call("call_operation", operation="add_note", path={"conversationId": 10401}, body=body)
        rows = d.questions[0].splitlines()
        assert "│ message: Hi" in rows
        assert rows.count("Colleagues see it; customers don't.") == 1
