"""Names as people type them (design §1.2: the agent speaks in names)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dixa_mcp.text.names import Match, fold, pick

QUEUES = ["Billing disputes", "Returns & refunds", "Support", "Support DE", "VIP", "Größe & Maß", "follow-up"]
PEOPLE = {"1": ["Chloé Dupont", "chloe@fernway.example"], "2": ["Mia Holm", "mia@fernway.example"], "3": ["Mia Lund"]}


def in_queues(text: str) -> Match[str]:
    return pick(text, QUEUES, lambda queue: [queue])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("returns and refunds", "Returns & refunds"),
        ("RETURNS  &  REFUNDS", "Returns & refunds"),
        ("billing", "Billing disputes"),
        ("disputes", "Billing disputes"),
        ("refund", "Returns & refunds"),
        ("Support", "Support"),
        ("support", "Support"),
        ("support de", "Support DE"),
        ("ｖｉｐ", "VIP"),
        ("grosse", "Größe & Maß"),
        ("followup", "follow-up"),
        ("Follow Up", "follow-up"),
        ("isput", "Billing disputes"),
    ],
)
def test_a_name_is_found_however_it_is_typed(typed: str, meant: str) -> None:
    """Case, accents, width, signs and spaces don't matter; exact beats folded beats words beats parts."""
    assert in_queues(typed) == Match(one=meant)


def test_any_name_of_a_thing_will_do() -> None:
    """An agent has a name, an e-mail address and an id."""
    for typed in ("Chloe", "chloe dupont", "CHLOE@fernway.example"):
        assert pick(typed, list(PEOPLE), lambda key: PEOPLE[key]).one == "1"
    assert pick("mia@", list(PEOPLE), lambda key: PEOPLE[key]).several == ("2", "3")
    assert pick("mia@fernway.example", list(PEOPLE), lambda key: PEOPLE[key]).one == "2"


def test_a_name_that_fits_several_decides_nothing() -> None:
    """An unclear target of a write is asked about, never guessed."""
    assert in_queues("supp") == Match(several=("Support", "Support DE"))
    assert pick("A", [1, 2], lambda _: ["A"]) == Match(several=(1, 2))


def test_a_misspelt_name_gets_the_nearest_ones() -> None:
    """A near miss lists the choices (design §5)."""
    match = in_queues("biling")
    assert not match.found
    assert match.nearest[0] == "Billing disputes"


def test_no_more_than_eight_are_proposed() -> None:
    """A choice of more is none."""
    assert len(pick("quewe", [f"queue {number}" for number in range(50)], lambda name: [name]).nearest) == 8


@pytest.mark.parametrize("rubbish", ["xqzvw", "", "   ", "?", "12345"])
def test_rubbish_finds_nothing(rubbish: str) -> None:
    """Proposals for rubbish would mislead."""
    assert in_queues(rubbish) == Match()


@given(st.text(max_size=30), st.text(max_size=30))
def test_folding_is_final_and_adds_no_spaces(text: str, other: str) -> None:
    """Folding is compared with folding, so it must be stable."""
    folded = fold(f"{text} {other}")
    assert folded == folded.strip()
    assert "  " not in folded
    assert fold("+45 12") == "45 12"


@given(st.lists(st.text(min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=8, unique=True))
def test_a_name_typed_exactly_is_always_its_own(names: list[str]) -> None:
    """Nobody can name a thing so that another can't be reached by its exact name."""
    for name in names:
        if fold(name) and name == name.strip():
            assert pick(name, names, lambda one: [one]).one == name
