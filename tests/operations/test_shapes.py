"""The language of shapes and its checker, without any document of Dixa's."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dixa_mcp.operations import Operation, operations, problems
from dixa_mcp.operations.check import check
from dixa_mcp.operations.data import language
from dixa_mcp.operations.shapes import Entries, Field, Fields, Items, Language, Scalar, Shape, Union, Word

UUID = "039fbf8d-4ab7-46a4-9543-0786d6ebb40f"
NO_TIME = "body must be an ISO 8601 time with its zone, such as 2026-02-13T12:00:00.000Z"
WITH_BODY = [operation for operation in operations().values() if operation.body]


def said(shape: str, value: Any, named: Mapping[str, str] | None = None) -> list[str]:
    """What the checker says about a value, a line each."""
    return [f"{each.where} {each.what}" for each in check(Language(named or {}).shape(shape), value, "body")]


def test_a_shape_is_read_into_the_tree_it_describes() -> None:
    """Every construct of the language, once."""
    read = Language({"Person": "{name?: string+}"}).shape('{...Person, n: int 1..5 = 3, m: {<uuid>: [csid]+}} | "x"')
    assert read == Union((
        Fields({
            "name": Field(Scalar("string", 1), required=False),
            "n": Field(Scalar("int", 1, 5), required=True, default=3),
            "m": Field(Entries(Scalar("uuid"), Items(Scalar("csid"), low=1)), required=True),
        }),
        Word("x"),
    ))  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "{", "{a}", "{a: }", "[int", "Nobody", "{...Nobody}", "int |", "{a: int b: int}", "a ; b", "int int"]
)
def test_what_isnt_a_shape_is_refused_when_read(text: str) -> None:
    """A slip in operations.toml must not pass as a shape that allows anything."""
    with pytest.raises((ValueError, KeyError)):
        Language({}).shape(text)


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        ("uuid", UUID, []),
        ("uuid", UUID.upper(), []),
        ("uuid", UUID[:-1], ["body must be a uuid"]),
        ("csid", 10401, []),
        ("csid", 0, ["body must be a conversation number (a positive integer)"]),
        ("csid", "10401", ["body must be a conversation number (a positive integer)"]),
        ("int 1..5", 5, []),
        ("int 1..5", 6, ["body must be an integer from 1 to 5"]),
        ("int", True, ["body must be an integer"]),
        ("int", 1.0, ["body must be an integer"]),
        ("bool", 0, ["body must be true or false"]),
        ("digits", "10401", []),
        ("digits", "#10401", ["body must be a conversation number in quotes"]),
        ("datetime", "2026-02-13T12:00:00Z", []),
        ("datetime", "2026-02-13T12:00:00.581Z[GMT]", []),
        ("datetime", "2026-02-13T12:00:00+01:00[Europe/Copenhagen]", []),
        ("datetime", "2026-02-13T24:00:00Z", [NO_TIME]),
        ("datetime", "2026-02-13T12:00:00", [NO_TIME]),
        ("datetime", "٢026-02-13T12:00:00Z", [NO_TIME]),
        ("digits", "٢", ["body must be a conversation number in quotes"]),
        ("phone", "+12025550143", []),
        ("phone", "02025550143", ["body must be a phone number in E.164 form, such as +12025550143"]),
        ("email", "a@example.com", []),
        ("email", "a@b@c", ["body must be an e-mail address"]),
        ("url", "http://attachment.example", []),
        ("url", "file:///etc/passwd", ["body must be an http or https URL"]),
        ("string+", "", ["body must not be empty"]),
        ("id", "", ["body must be an id (a string that isn't empty)"]),
        ('"All" | "Any"', "any", ["body must be one of All, Any"]),
        ("string | [string] | null", None, []),
        ("string | [string] | null", ["a", 1], ["body[1] must be a string"]),
        ("string | [string] | null", 1, ["body must be a string, a list or null"]),
        ("[int]+", [], ["body must have at least 1 item"]),
        ("[int]<=2", [1, 2, 3], ["body must have at most 2 items"]),
        ("{<uuid>: int}", {"x": 1}, ["body must have keys that are each a uuid"]),
        ("{<string>: int}", {"x": "1"}, ["body.x must be an integer"]),
        ("{a: int}", {}, ["body.a is required"]),
        ("{a: int}", {"a": None}, ["body.a must be an integer"]),
        ("{a?: int}", {"a": None, "b": 1}, []),
        ("{a?: int}", [], ["body must be an object"]),
    ],
)  # fmt: skip
def test_a_value_is_judged_by_its_shape(shape: str, value: Any, expected: list[str]) -> None:
    """Each scalar and construct: what fits, and the words for what doesn't (notes §5, §7)."""
    assert said(shape, value) == expected


TAGGED = "Text{value: string} | Html{value: string}"
UNTAGGED = "{id: string, period: string} | {id: string, csids: [csid]+}"


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        (TAGGED, {"_type": "Html", "value": "x"}, []),
        (TAGGED, {"value": "x"}, ["body._type is required: one of Text, Html"]),
        (TAGGED, {"_type": "text", "value": "x"}, ["body._type must be one of Text, Html"]),
        (TAGGED, {"_type": ["Text"], "value": "x"}, ["body._type must be one of Text, Html"]),
        (TAGGED, {"_type": "Text"}, ["body.value is required"]),
        (TAGGED, "x", ["body must be an object"]),
        ("Only{a: int}", {"a": 1}, ["body._type must be Only"]),
        (UNTAGGED, {"id": "x", "csids": [1]}, []),
        (UNTAGGED, {"id": "x", "csids": []}, ["body.csids must have at least 1 item"]),
        (UNTAGGED, {"id": "x"}, ["body must have one of period, csids"]),
        (UNTAGGED, {"id": "x", "period": "p", "csids": [1]}, ["body must have only one of period, csids"]),
    ],
)
def test_a_union_is_judged_by_the_arm_the_value_names(shape: str, value: Any, expected: list[str]) -> None:
    """`_type` decides; a wrong one lists the right ones. Analytics has none: its filters decide (notes §8)."""
    assert said(shape, value) == expected


def test_a_problem_doesnt_repeat_what_was_sent() -> None:
    """A body may hold a customer's words or a secret; the error mustn't spread them."""
    for operation in WITH_BODY:
        found = problems(operation, {}, {}, "s3cret")
        assert found
        assert "s3cret" not in repr(found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(operation=st.sampled_from(WITH_BODY), body=json_values)
def test_any_json_is_judged_without_failing(operation: Operation, body: Any) -> None:
    """A model may send anything; a problem always says where."""
    for problem in problems(operation, {}, {}, body):
        assert problem.where.startswith(("body", "path "))
        assert problem.what


SAMPLES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=8),
    "id": st.text(min_size=1, max_size=8),
    "uuid": st.uuids().map(str),
    "digits": st.integers(1, 10**9).map(str),
    "csid": st.integers(1, 2**63 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "ms": st.integers(0, 2**40),
    "bool": st.booleans(),
    "datetime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "email": st.just("olivia@example.com"),
    "phone": st.integers(10**8, 10**14).map("+{}".format),
    "url": st.just("https://files.example.com/a.pdf"),
    "file": st.just({"filename": "a.png"}),
    "null": st.none(),
}


def fitting(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape."""
    match shape:
        case Scalar(kind, low, high):
            return SAMPLES[kind] if low is None or kind == "string" else st.integers(low, high)
        case Word(text):
            return st.just(text)
        case Items(item, low, high):
            return st.lists(fitting(item), min_size=low, max_size=min(3, high or 3))
        case Entries(key, value):
            return st.dictionaries(fitting(key), fitting(value), max_size=2)
        case Fields(fields, tag):
            needed = {name: fitting(each.shape) for name, each in fields.items() if each.required}
            others = {name: fitting(each.shape) for name, each in fields.items() if not each.required}
            mark = {"_type": st.just(tag)} if tag else {}
            return st.fixed_dictionaries(needed | mark, optional=others)
        case Union(arms):
            return st.one_of(*map(fitting, arms))


@settings(max_examples=400)
@given(data=st.data())
def test_a_body_built_from_its_shape_is_accepted_until_a_need_is_dropped(data: st.DataObject) -> None:
    """What the shape tells a model to send is what the checker takes."""
    operation = data.draw(st.sampled_from(WITH_BODY))
    path = {each.name: "1" if each.type == "csid" else UUID for each in operation.parameters}
    body = data.draw(fitting(language().shape(operation.body)))
    assert problems(operation, path, {}, body) == []
    if isinstance(body, dict) and "_type" in body and operation.name in ("add_message", "create_conversation"):
        dropped = data.draw(st.sampled_from(["_type", *(set(body) & {"agentId", "requesterId"})]))
        del body[dropped]
        assert [each.where for each in problems(operation, path, {}, body)] == [f"body.{dropped}"]
