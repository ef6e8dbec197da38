"""Customers: found, shown, created once, changed with a person's yes where it matters, and changed back."""

import re
from typing import Any

import pytest
from front_door import MIA, Desk, Said, desk

OLIVIA = "1d66b93e-ab14-43d4-89fb-b94a217c6ac0"


def olivia(d: Desk) -> dict[str, Any]:
    """Olivia Hart as the sandbox keeps her."""
    return d.sandbox.organisation.end_users[OLIVIA]


async def undone(d: Desk, said: Said) -> Said:
    """Take back the change an answer tells of."""
    return await d.call("undo_change", change_id=re.findall(r"change_id=(\S+)", said.text)[0])


# --- reading


@pytest.mark.parametrize(
    "given", [OLIVIA, "olivia.hart@example.com", "+44 7700 900123", "C-100231", "o.hart@example.org"]
)
async def test_a_customer_is_found_by_whatever_identifies_them(given: str) -> None:
    """Id, e-mail, phone (however it is written) or external id (design §5)."""
    async with desk() as d:
        said = await d.call("get_customer", customer=given)
    assert said.text.startswith(f"Customer {OLIVIA}\n")


async def test_a_customer_is_shown_with_attributes_and_conversations(era: str) -> None:
    """Person, attributes by label, newest conversations in one line each."""
    async with desk("--timezone", "Europe/Copenhagen", era=era) as d:
        said = await d.call("get_customer", customer="C-100235")
    assert re.sub(r" [0-9a-f]{6}>>", " …>>", said.text) == (
        "Customer bbbd7936-7047-40a4-ac57-a3c4feff2889\n"
        "<<customer-text …>>\n"
        "Chloé Martin · chloe.martin@example.com · +33639980012 · C-100235\n"
        "Since 2025-05-05 14:00 CEST\n"
        "Loyalty tier: Silver\n"
        "Customer number: C-100235\n"
        "Conversations, newest first (2):\n"
        "10413 Closed Email · “Remboursement” · 2026-02-08 11:00 CET\n"
        "10408 Closed FacebookMessenger · General support · Sara Petersen · 2026-02-06 10:00 CET\n"
        "<<end …>>"
    )


async def test_a_customer_is_shown_even_if_their_conversations_cannot_be_read() -> None:
    """The part that fails is said."""
    async with desk() as d:
        d.sandbox.faults.add("list_end_user_conversations", status=500)
        said = await d.call("get_customer", customer=OLIVIA)
    assert "Not readable now: conversations" in said.text
    assert "olivia.hart@example.com" in said.text


async def test_nobody_of_that_address_is_said() -> None:
    """Unknown is not an empty page."""
    async with desk() as d:
        said = await d.call("get_customer", customer="nobody@example.com")
    assert said.failed
    assert "No customer has the e-mail, phone, external id or id 'nobody@example.com'" in said.text


async def test_several_customers_of_one_number_are_listed() -> None:
    """Two people may share an additional number; the answer says whom to choose from."""
    async with desk() as d:
        for person in d.sandbox.organisation.end_users.values():
            person["additionalPhoneNumbers"] = ["+442079460000"]
        said = await d.call("get_customer", customer="+442079460000")
    assert said.failed
    assert "Several customers fit" in said.text
    assert "olivia.hart@example.com" in said.text


async def test_a_customers_conversations_of_other_queues_are_not_shown() -> None:
    """`--read-queues` (design §4.0) holds here, too."""
    async with desk("--read-queues", "VIP") as d:
        said = await d.call("get_customer", customer="priya.nair@example.com")
    assert "10407" in said.text
    assert "10411" not in said.text


async def test_many_customers_are_listed_by_one_way_to_reach_each_and_few_by_all() -> None:
    """A long list pays for every field of everybody (design §11)."""
    async with desk() as d:
        few = await d.call("find_customers", limit=5)
        org = d.sandbox.organisation
        for number in range(30):
            user = org.new_id()
            org.end_users[user] = olivia(d) | {"id": user, "email": f"someone{number}@example.org"}
        many = await d.call("find_customers", limit=30)
        detailed = await d.call("find_customers", limit=30, format="detailed")
    assert "+447700900123" in few.text
    assert "+447700900123" not in many.text
    assert "format=detailed" in many.text
    assert "+447700900123" in detailed.text


# --- creating


async def test_a_customer_is_created_once(era: str) -> None:
    """The same call again is answered with the first result (design §4.5); the number is sent as E.164."""
    async with desk(*MIA, era=era) as d:
        arguments = {"name": "Zoe New", "email": "zoe@example.org", "phone": "+44 7700 900777"}
        first = await d.call("create_customer", **arguments)
        again = await d.call("create_customer", **arguments)
        assert d.writes == ["POST /v1/endusers"]
        made = [u for u in d.sandbox.organisation.end_users.values() if u.get("email") == "zoe@example.org"]
    assert [user["phoneNumber"] for user in made] == ["+447700900777"]
    assert "Customer Zoe New created" in first.text
    assert "DUPLICATE" in again.text
    assert d.sandbox.outbox == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"email": "Olivia.Hart@example.com"},
        {"phone": "+447700900123"},
        {"external_id": "C-100231", "email": "x@example.org"},
    ],
)
async def test_a_customer_who_exists_is_returned_instead(arguments: dict[str, Any]) -> None:
    """A match of e-mail, phone or external id (design §5); nothing is written, differences are said."""
    async with desk() as d:
        said = await d.call("create_customer", name="O. Hart", **arguments)
        assert d.writes == []
    assert f"Olivia Hart is a customer already; id {OLIVIA}." in said.text
    assert "name is Olivia Hart, not O. Hart" in said.text


async def test_details_of_two_customers_create_none() -> None:
    """Whom to take is for the user to say."""
    async with desk() as d:
        said = await d.call("create_customer", email="olivia.hart@example.com", external_id="C-100232")
        assert d.writes == []
    assert said.failed
    assert "Several customers have these details: Olivia Hart" in said.text


async def test_a_creation_whose_answer_was_lost_is_found_again() -> None:
    """After an ambiguous failure the server reads back (design §4.5)."""
    async with desk() as d:
        d.sandbox.faults.add("create_end_user", kind="reset_after")
        said = await d.call("create_customer", email="zoe@example.org", name="Zoe")
        assert d.writes == ["POST /v1/endusers"]
    assert not said.failed
    assert "Customer Zoe created" in said.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "Zoe"}, "Give an e-mail, phone or external id"),
        ({"email": "zoe at example"}, "is no e-mail address"),
        ({"phone": "0770 900"}, "with its country code"),
    ],
)
async def test_details_that_cannot_be_used_create_nothing(arguments: dict[str, Any], words: str) -> None:
    """Checked before anything is sent."""
    async with desk() as d:
        said = await d.call("create_customer", **arguments)
        assert d.writes == []
    assert said.failed
    assert words in said.text


# --- changing


async def test_only_what_is_given_is_changed_and_can_be_undone(era: str) -> None:
    """PATCH changes what is sent (notes §15); an undo brings details and attributes back."""
    async with desk(*MIA, era=era) as d:
        before = dict(olivia(d))
        said = await d.call(
            "update_customer", customer="C-100231", name="Olivia Moss", attributes=["Loyalty tier=Silver"]
        )
        assert (
            "Before: name: Olivia Hart; Loyalty tier: Gold → after: name: Olivia Moss; Loyalty tier: Silver"
            in said.text
        )
        assert "Seen by colleagues only." in said.text
        assert olivia(d)["displayName"] == "Olivia Moss"
        assert olivia(d)["email"] == before["email"]
        assert not (await undone(d, said)).failed
        assert olivia(d) == before


async def test_a_new_address_needs_a_person_and_so_does_its_undo(era: str) -> None:
    """A changed e-mail or phone is CUSTOMER (design §3): answers would go elsewhere."""
    async with desk(*MIA, era=era, answer="yes") as d:
        said = await d.call("update_customer", customer=OLIVIA, email="new@example.org")
        question = (
            "Change the details of the customer Olivia Hart <olivia.hart@example.com>?\n"
            "Now: e-mail: olivia.hart@example.com\n"
            "Then: e-mail: new@example.org\n"
            "Colleagues' answers will go to the new e-mail or number from then on."
        )
        assert d.questions == [question]
        assert olivia(d)["email"] == "new@example.org"
        assert not (await undone(d, said)).failed
        assert len(d.questions) == 2
        assert olivia(d)["email"] == "olivia.hart@example.com"


@pytest.mark.parametrize("answer", ["no", "decline", "cancel", None])
async def test_without_a_persons_yes_no_address_is_changed(answer: str | None) -> None:
    """Declined, cancelled, or nobody to ask: nothing is done (design §4.3)."""
    async with desk(answer=answer) as d:
        await d.call("update_customer", customer=OLIVIA, phone="+447700900199", name="O")
        assert d.writes == []


async def test_an_undo_is_refused_when_somebody_changed_it_since() -> None:
    """It first checks that the present state is what we wrote (design §4.11)."""
    async with desk() as d:
        said = await d.call("update_customer", customer=OLIVIA, attributes=["Loyalty tier=Silver"])
        olivia(d)["customAttributes"][0]["value"] = ["bronze"]
        taken = await undone(d, said)
    assert taken.failed
    assert "Loyalty tier: Silver" in taken.text
    assert "Loyalty tier: Bronze" in taken.text


async def test_what_was_empty_before_cannot_be_emptied_again_and_that_is_said() -> None:
    """PATCH has no way to clear a field (notes §15)."""
    async with desk() as d:
        said = await d.call(
            "update_customer", customer="+12025550155", external_id="C-9", attributes=["Loyalty tier=Gold"]
        )
    assert "external id can't be emptied again" in said.text


async def test_details_that_hold_already_are_not_written_again() -> None:
    """Same values: no request that writes."""
    async with desk() as d:
        said = await d.call("update_customer", customer=OLIVIA, name="Olivia Hart", attributes=["loyalty_tier=gold"])
        assert d.writes == []
    assert "has these details already" in said.text


async def test_attributes_that_fail_after_the_details_are_a_warning() -> None:
    """What was done is done: partial failure is said, and only what was done can be undone."""
    async with desk() as d:
        d.sandbox.faults.add("update_end_user_attributes", status=400)
        said = await d.call("update_customer", customer=OLIVIA, name="Olivia Moss", attributes=["Loyalty tier=Silver"])
        assert olivia(d)["displayName"] == "Olivia Moss"
        assert not (await undone(d, said)).failed
        assert olivia(d)["displayName"] == "Olivia Hart"
    assert not said.failed
    assert "Warning: The details were changed, but the attributes were not" in said.text
    assert "Silver" not in said.text.split("Warning")[0]


@pytest.mark.parametrize(("kind", "done"), [("timeout_after", True), ("timeout_before", False)])
async def test_a_change_whose_answer_was_lost_is_read_back(kind: Any, done: bool) -> None:
    """Reports done or not done, and never does it twice (design §4.5)."""
    async with desk() as d:
        d.sandbox.faults.add("update_end_user", kind=kind)
        said = await d.call("update_customer", customer=OLIVIA, name="Olivia Moss")
        assert len(d.writes) == 1
    assert said.failed is not done
    assert ("Customer Olivia Hart changed" if done else "Nothing was changed") in said.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Name something to change"),
        ({"attributes": ["Loyalty tier=Platinum"]}, "Bronze, Silver, Gold"),
        ({"attributes": ["Contact reason=Late"]}, "Loyalty tier, Customer number"),
        ({"email": "nope"}, "is no e-mail address"),
    ],
)
async def test_changes_that_cannot_be_made_change_nothing(arguments: dict[str, Any], words: str) -> None:
    """Checked before a person is asked and before anything is sent."""
    async with desk(answer="yes") as d:
        said = await d.call("update_customer", customer=OLIVIA, **arguments)
        assert d.writes == []
        assert d.questions == []
    assert said.failed
    assert words in said.text


@pytest.mark.parametrize("tool", ["create_customer", "update_customer"])
async def test_no_customer_is_written_in_read_only_mode(tool: str) -> None:
    """Not listed, and says why when called all the same (design §3)."""
    async with desk("--mode", "read-only") as d:
        assert f"dixa_{tool}" not in [each.name for each in (await d.client.list_tools()).tools]
        said = await d.call(
            tool, **({"customer": OLIVIA} if tool == "update_customer" else {}), name="X", email="x@example.org"
        )
        assert d.writes == []
    assert said.failed
    assert "read-only" in said.text
