"""No argument can change which endpoint is meant (design §7)."""

from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import dixa_on, ok, simulated

from dixa_mcp.client.paths import Path, at, csid, query_string, uuid
from dixa_mcp.errors import InvalidArgument

UUID = "039fbf8d-4ab7-46a4-9543-0786d6ebb40f"

REFUSED = [
    f"1/../../endusers/{UUID}",
    "1/reopen?x=",
    "1/reopen",
    "/",
    "//evil.example",
    "..",
    ".",
    "%2e%2e",
    "%2E.",
    "%252e%252e",
    "%25252E%25252E",
    "1%2Freopen",
    "1%252Freopen",
    "1%5Creopen",
    "1\\..\\reopen",
    "1\uff0freopen",  # folds to a slash
    "1\u2215reopen",
    "1\u2044reopen",
    "\uff0e\uff0e",  # folds to two dots
    "\u2025",  # a two dot leader, which folds to two dots
    "1\nreopen",
    "1\r\nHost: evil.example",
    "1%0d%0aX-Injected: 1",
    "1\x00",
    "1%00",
    "1\u202e",
    "1\u2028",
    "",
    "%c0%ae%c0%ae",  # an overlong encoding of two dots
    "9" * 400,
]
CONTAINED = [
    "1#",
    "1?x=1",
    "1;x=1",
    "1&force=true",
    "1 ",
    "a@b.example",
    "+4531434343",
    "ü",
    "1=2",
    "1:2",
    "*",
    "~",
    "%",
    "100%",
]


@pytest.mark.parametrize("part", REFUSED, ids=ascii)
@simulated
async def test_a_part_that_could_leave_its_segment_is_refused_and_nothing_is_sent(part: str) -> None:
    """Whatever a gateway decodes or folds, one argument is one segment (design §7)."""
    dixa, wire = dixa_on(lambda request: ok(None))
    with pytest.raises(InvalidArgument):
        await dixa.send("PUT", at("/conversations/{id}/close", id=part), {})
    assert wire.requests == []


@pytest.mark.parametrize("part", CONTAINED, ids=ascii)
@simulated
async def test_any_other_part_arrives_as_exactly_one_segment(part: str) -> None:
    """Ids of contact endpoints are addresses and numbers, so `@` and `+` must arrive (notes §7)."""
    dixa, wire = dixa_on(lambda request: ok(None))
    await dixa.send("PUT", at("/conversations/{id}/close", id=part), {})
    assert wire.paths == [f"/v1/conversations/{quote(part, safe='')}/close"]
    assert wire.requests[0].url.host == "dev.dixa.io"


@given(st.text(max_size=30))
@settings(max_examples=400)
def test_a_segment_decodes_to_what_was_given_or_is_refused(part: str) -> None:
    """The same for parts nobody thought of."""
    try:
        path = at("/tags/{id}/activate", id=part)
    except InvalidArgument:
        return
    assert path.count("/") == 3
    assert unquote(path.split("/")[2]) == part
    assert httpx.URL(f"https://dev.dixa.io/v1{path}").raw_path.decode() == f"/v1{path}"


@pytest.mark.parametrize(
    "template", ["/conversations/1/close", "conversations", "/a/../b", "/a?x={id}", "//host/a", "/A"]
)
def test_a_template_that_is_none_of_ours_is_a_bug(template: str) -> None:
    """A path is never put together from text; ids in a template would skip the encoding."""
    with pytest.raises(ValueError, match="template"):
        at(template)


@pytest.mark.parametrize("parts", [{}, {"id": 1, "other": 2}, {"other": 1}])
def test_a_hole_left_over_or_a_part_too_many_is_a_bug(parts: dict[str, int]) -> None:
    """Placeholders never reach Dixa."""
    with pytest.raises(ValueError, match="needs"):
        at("/conversations/{id}/notes", **parts)


@simulated
async def test_a_plain_string_is_no_path() -> None:
    """The type is the lock: what was not encoded is not sent."""
    dixa, wire = dixa_on(lambda request: ok(None))
    with pytest.raises(TypeError):
        await dixa.send("PUT", "/tags")  # pyright: ignore[reportArgumentType] - what the test is about
    assert wire.requests == []


def test_a_path_remembers_its_template_for_traces() -> None:
    """Traces and metrics must not show ids (design §7)."""
    path = at("/conversations/{id}/notes", id=10401)
    assert (str(path), path.template) == ("/conversations/10401/notes", "/conversations/{id}/notes")
    assert isinstance(path, Path)


@pytest.mark.parametrize("value", [10401, "10401", "#10401", " 10401 "])
def test_a_conversation_number_is_taken_as_people_write_it(value: object) -> None:
    """csid, a positive int64 (notes §7)."""
    assert csid(value) == 10401


@pytest.mark.parametrize(
    "value", [0, -1, "", "1.0", 1.0, "1e3", True, None, "٣", "10401/close", 2**63, "9" * 40, "##1", [10401]], ids=repr
)
def test_anything_else_is_no_conversation_number(value: object) -> None:
    """As above."""
    with pytest.raises(InvalidArgument):
        csid(value)


@pytest.mark.parametrize("value", [UUID, UUID.upper(), f" {UUID}\n"])
def test_a_uuid_is_made_canonical(value: str) -> None:
    """Everything but conversations has a uuid (notes §7)."""
    assert uuid(value) == UUID


@pytest.mark.parametrize(
    "value", ["", "Billing", UUID[:-1], f"{{{UUID}}}", f"urn:uuid:{UUID}", f"{UUID}/x", 7, None], ids=repr
)
def test_anything_else_is_no_uuid(value: object) -> None:
    """As above."""
    with pytest.raises(InvalidArgument):
        uuid(value)


def test_a_query_is_encoded_and_none_left_out() -> None:
    """Nothing in a value can add a parameter; a list repeats its name."""
    made = query_string({"email": "a+b@c.example&force=true", "force": True, "x": None, "tag": ["a b", "c"]})
    assert made == "?email=a%2Bb%40c.example%26force%3Dtrue&force=true&tag=a%20b&tag=c"
    assert query_string({"x": None}) == ""
