"""Custom attributes of conversations: by label, checked, compared, undone (notes §14)."""

import re
from typing import Any

import pytest
from front_door import MIA, Desk, desk

REASON = "d10fab2a-5f2b-4baf-8f55-848db3ad59ec"
ORDER = "4b2fe144-136d-456f-8516-c49e408c994c"


def values(d: Desk, number: int) -> dict[str, Any]:
    """Attribute id → value of a conversation in the sandbox."""
    return {each["id"]: each["value"] for each in d.sandbox.organisation.conversations[number]["customAttributes"]}


async def test_attributes_are_set_by_label_and_undone(era: str) -> None:
    """Labels in, option values along the path out; before → after; an undo clears what was empty."""
    async with desk(*MIA, era=era) as d:
        given = ["Contact reason=Delivery > Late", "order number=F-20999"]
        said = await d.call("set_attributes", conversation_id=10402, attributes=given)
        assert values(d, 10402) == {REASON: ["delivery", "late"], ORDER: "F-20999"}
        assert (
            "Before: Contact reason: none; Order number: none → after: Contact reason: Delivery > Late; "
            "Order number: F-20999" in said.text
        )
        assert "Seen by colleagues only. Fernway Outfitters, as Mia Lindqvist." in said.text
        undone = await d.call("undo_change", change_id=re.findall(r"change_id=(\S+)", said.text)[0])
        assert not undone.failed
        assert values(d, 10402) == {}
    assert d.sandbox.reached_customers == []


@pytest.mark.parametrize("text", ["Late", "late", "Delivery > Late", "delivery>late", "DELIVERY / LATE"])
async def test_an_option_is_found_by_its_label_or_its_path(text: str) -> None:
    """A nested option by its own name if no other has it (design §5: names everywhere)."""
    async with desk() as d:
        await d.call("set_attributes", conversation_id=10402, attributes=[f"contact_reason={text}"])
        assert values(d, 10402) == {REASON: ["delivery", "late"]}


async def test_an_option_that_two_parents_have_is_asked_back_with_its_paths() -> None:
    """Guessing would write the wrong thing; a top-level option is meant by its bare name."""
    async with desk() as d:
        options = d.sandbox.organisation.attributes[REASON]["inputDefinition"]["options"]
        other = {"id": "x", "label": "Other", "value": "other", "nestedOptions": [], "isDeactivated": False}
        for parent in options[:2]:
            parent["nestedOptions"].append(dict(other))
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Contact reason=Other"])
        assert said.failed
        assert "Delivery > Other, Returns > Other" in said.text
        assert d.writes == []
        options.append(dict(other))
        for arguments, path in (("Other", ["other"]), ("Returns > Other", ["returns", "other"])):
            d.sandbox.organisation.conversations[10402]["customAttributes"] = []
            async with desk(sandbox=d.sandbox) as again:
                await again.call("set_attributes", conversation_id=10402, attributes=[f"Contact reason={arguments}"])
                assert values(again, 10402) == {REASON: path}


async def test_a_value_is_cleared_with_nothing_after_the_sign() -> None:
    """`null` clears (notes §14)."""
    async with desk() as d:
        said = await d.call("set_attributes", conversation_id=10401, attributes=["Order number="])
        assert ORDER not in values(d, 10401)
        assert REASON in values(d, 10401)
    assert "Before: Order number: F-20417 → after: Order number: none" in said.text


async def test_values_that_are_there_already_are_not_written_again() -> None:
    """No request, no webhook, no entry in the log."""
    async with desk() as d:
        said = await d.call("set_attributes", conversation_id=10401, attributes=["Order number=F-20417"])
        assert d.writes == []
    assert "has these values already" in said.text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("Contact reason", "Write Label=value"),
        ("=x", "Write Label=value"),
        ("Colour=red", "No custom attribute is called 'Colour'"),
        ("Reason=Late", "Contact reason, Closing reason"),
        ("Contact reason=Late > Delivery", "Delivery > Late"),
        ("Loyalty tier=Gold", "No custom attribute is called 'Loyalty tier'"),
    ],
)
async def test_what_cannot_be_set_is_refused_with_what_can(given: str, words: str) -> None:
    """Checked against the definitions before anything is sent."""
    async with desk() as d:
        said = await d.call("set_attributes", conversation_id=10402, attributes=[given])
        assert d.writes == []
    assert said.failed
    assert words in said.text


async def test_one_attribute_twice_is_refused() -> None:
    """Which one is meant can't be known."""
    async with desk() as d:
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Order number=1", "order_number=2"])
        assert d.writes == []
    assert "Order number is given twice" in said.text


@pytest.mark.parametrize(("flag", "word"), [("isArchived", "archived"), ("isDeactivated", "deactivated")])
async def test_a_retired_attribute_is_named_as_such(flag: str, word: str) -> None:
    """Dixa answers "Invalid input for patching" (notes §14); we say what is wrong."""
    async with desk() as d:
        d.sandbox.organisation.attributes[ORDER][flag] = True
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Order number=1"])
        assert d.writes == []
    assert f"The attribute Order number is {word}." in said.text


async def test_a_deactivated_option_is_named_as_such_and_cannot_come_back() -> None:
    """Options below a deactivated parent can't be chosen either; an undo says what it would lose."""
    async with desk() as d:
        d.sandbox.organisation.attributes[REASON]["inputDefinition"]["options"][0]["isDeactivated"] = True
        refused = await d.call("set_attributes", conversation_id=10402, attributes=["Contact reason=Late"])
        assert d.writes == []
        said = await d.call("set_attributes", conversation_id=10401, attributes=["Contact reason=Payment"])
    assert "The option Late of Contact reason is deactivated." in refused.text
    assert "Contact reason was Delivery > Late, which is deactivated" in said.text
    assert "dixa_undo_change" not in said.text


@pytest.mark.parametrize(("kind", "done"), [("timeout_after", True), ("timeout_before", False)])
async def test_a_write_whose_answer_was_lost_is_read_back(kind: Any, done: bool) -> None:
    """Reports done or not done, and never writes twice (design §4.5)."""
    async with desk() as d:
        d.sandbox.faults.add("update_conversation_attributes", kind=kind)
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Order number=F-1"])
        assert len(d.writes) == 1
    assert said.failed is not done


async def test_a_missing_right_is_explained() -> None:
    """The limited token may not write attributes (fixtures §1)."""
    async with desk(token="sandbox-limited-token") as d:
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Order number=F-1"])
    assert said.failed
    assert "lacks this right" in said.text


@pytest.mark.parametrize(("number", "words"), [(10409, "was anonymised"), (99999999, "doesn't know this id")])
async def test_a_conversation_that_is_gone_is_not_written(number: int, words: str) -> None:
    """State checks come before the write (design §4.7)."""
    async with desk() as d:
        said = await d.call("set_attributes", conversation_id=number, attributes=["Order number=F-1"])
        assert d.writes == []
    assert said.failed
    assert words in said.text


async def test_attributes_are_not_set_in_read_only_mode() -> None:
    """INTERNAL is refused there (design §3)."""
    async with desk("--mode", "read-only") as d:
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Order number=F-1"])
        assert d.writes == []
    assert said.failed


async def test_attributes_are_set_only_in_the_queues_allowed() -> None:
    """`--queues` (design §4.0)."""
    async with desk("--queues", "VIP") as d:
        said = await d.call("set_attributes", conversation_id=10402, attributes=["Order number=F-1"])
        assert d.writes == []
    assert said.failed
    assert "VIP" in said.text
