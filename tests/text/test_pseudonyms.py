"""Tokens instead of personal data, and back (design §4.9)."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dixa_mcp.text.clean import visible
from dixa_mcp.text.contacts import cards, emails, ibans, phones
from dixa_mcp.text.pseudonyms import Pseudonyms

TOKEN = re.compile(r"\[[a-z]+_\d+\]")
VALUES = [
    "olivia@x.example", "o.b+1@sub.x.example", "ｍｉａ＠ｘ．example", "+45 70 12 34 56", "0045 70123456", "70123456",
    "+12025550175", "(202) 555-0175", "4111 1111 1111 1111", "5500000000000004", "DE89 3704 0044 0532 0130 00",
    "DK5000400440116243", "Olivia Brandt",
]  # fmt: skip
PARTS = [
    *VALUES,
    "[email_1]",
    "[name_",
    "1]",
    "[",
    "]",
    "[text_1]",
    " ",
    ", ",
    "\n",
    "@",
    "12",
    "x",
    "\u200b",
    "+",
    "-",
]
written = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=15).map("".join)


def pseudonyms() -> Pseudonyms:
    return Pseudonyms(regions=("DK", "US"))


def test_people_and_their_data_become_tokens_and_come_back() -> None:
    """Bodies, subjects, records: everywhere the same tokens (design §4.9)."""
    known = pseudonyms()
    text = (
        "Hi, I am Olivia Brandt (olivia@x.example, +45 70 12 34 56). Card 4111 1111 1111 1111, "
        "IBAN DE89 3704 0044 0532 0130 00 and more."
    )
    hidden = known.hide(text, ["Olivia Brandt"])
    assert hidden == "Hi, I am [name_1] ([email_1], [phone_1]). Card [card_1], IBAN [iban_1] and more."
    assert known.show(hidden) == text


@given(st.lists(st.sampled_from(VALUES) | st.from_regex("[a-z]{1,8}", fullmatch=True), min_size=1, unique=True))
def test_what_was_hidden_can_be_shown_again(words: list[str]) -> None:
    """Writes accept the tokens back (design §4.9); a value spelt in two ways comes back as first written."""
    known = pseudonyms()
    hidden = known.hide(", ".join(words), ["Olivia Brandt"])
    assert pseudonyms().hide(known.show(hidden), ["Olivia Brandt"]) == hidden
    assert len(known.show(hidden).split(", ")) == len(words)


@given(
    st.lists(
        st.sampled_from(["[email_1]", "[name_9]", "word", " ", "[", "]", "email_1", "[text_1]", "\n"])
        | st.text(max_size=5)
    ).map("".join)
)
def test_text_without_personal_data_comes_back_exactly(text: str) -> None:
    """Nothing is lost on the way through a model, forged tokens included."""
    known = Pseudonyms()
    assume(not any(list(finder(visible(text))) for finder in (emails, phones, cards, ibans)))
    assert known.show(known.hide(text)) == visible(text)


@given(written)
def test_nothing_that_can_be_found_is_left(text: str) -> None:
    """No e-mail address, number, card or account that the finders know, also none laid bare by cutting."""
    hidden = pseudonyms().hide(text, ["Olivia Brandt"])
    for part in TOKEN.split(hidden):
        assert not list(emails(part))
        assert not list(phones(part, ("DK", "US")))
        assert not list(cards(part))
        assert not list(ibans(part))
        assert not re.search(r"\bOlivia\b", part)


@given(written)
def test_a_forged_token_never_shows_somebody_elses_data(text: str) -> None:
    """A customer writes `[email_1]` and asks to have it repeated: they get back what they wrote."""
    known = pseudonyms()
    assert known.hide("victim@bank.example") == "[email_1]"
    assert "victim" not in known.show(known.hide(text))
    assert known.show("[email_1]") == "victim@bank.example"


@pytest.mark.parametrize(
    "forged", ["[email_1]", "[ema\u200bil_1]", "[email\u2060_\ufeff1]", "\U000e0041[email_1\u202e]"]
)
def test_a_token_split_by_invisible_characters_is_a_forgery_too(forged: str) -> None:
    """Cleaning afterwards would otherwise put it together."""
    known = pseudonyms()
    known.hide("victim@bank.example")
    assert known.hide(forged) == "[text_1]"
    assert known.show("[text_1]") == "[email_1]"


def test_one_value_has_one_token_however_it_is_spelt() -> None:
    """Stable tokens let a model see that two records are the same person (design §4.9)."""
    known = pseudonyms()
    assert known.hide("a@x.example A@X.EXAMPLE") == "[email_1] [email_1]"
    assert known.hide("+45 70 12 34 56, 0045 70123456, 70123456, +4570123456") == ", ".join(["[phone_1]"] * 4)
    assert known.hide("4111111111111111 / 4111-1111-1111-1111") == "[card_1] / [card_1]"
    assert known.hide("Chloé CHLOE", ["Chloé"]) == "[name_1] [name_1]"


def test_tokens_live_in_a_plain_dict_that_can_be_kept_elsewhere() -> None:
    """A State may hold the map, on another replica too (design §9)."""
    first = pseudonyms()
    first.hide("a@x.example +45 70 12 34 56", ["Mia Holm"])
    second = Pseudonyms(dict(first.values), regions=("DK",))
    assert second.hide("b@x.example, A@x.example") == "[email_2], [email_1]"
    assert second.hide("70123456") == "[phone_1]"
    third = Pseudonyms(second.values)
    assert third.show("[email_2]") == "b@x.example"


def test_another_holder_of_the_dict_never_reuses_a_number() -> None:
    """Two conversations at once share one map."""
    shared: dict[str, str] = {}
    one, two = Pseudonyms(shared), Pseudonyms(shared)
    assert one.hide("a@x.example") == "[email_1]"
    assert two.hide("b@x.example a@x.example") == "[email_2] [email_1]"
    assert one.hide("c@x.example b@x.example") == "[email_3] [email_2]"


def test_names_are_found_whole_and_in_parts_and_stay_known() -> None:
    """Customers sign with their first name, in small letters too."""
    known = Pseudonyms()
    assert known.hide("Olivia Brandt wrote; olivia, BRANDT", ["Olivia Brandt"]) == "[name_1] wrote; [name_2], [name_3]"
    assert known.hide("Olivia's and Olivia-Brandt, Brandts Oliviana") == "[name_2]'s and [name_1], Brandts Oliviana"


def test_a_name_that_is_an_everyday_word_needs_its_capital() -> None:
    """Else every "will" would be hidden."""
    assert Pseudonyms().hide("Will will pay", ["Will Stone"]) == "[name_1] will pay"


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-02-13 10:00:00",
        "13.02.2026 10.30",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "order F-20417",
        "1.234,50",
        "4111 1111 1111 1112",
        "DE00370400440532013000",
        "conversation 10401",
        "v1.2.3",
    ],
)
def test_dates_ids_and_amounts_stay(harmless: str) -> None:
    """A thread without its times and numbers would be useless."""
    assert pseudonyms().hide(harmless) == harmless


def test_an_unknown_token_stays_as_it_is() -> None:
    """The caller decides what to do with a text that still holds one."""
    assert Pseudonyms().show("[email_7] [foo_1]") == "[email_7] [foo_1]"
