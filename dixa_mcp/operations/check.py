"""Compares a value with a shape and says what is wrong, without repeating the value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dixa_mcp.operations import scalars
from dixa_mcp.operations.model import Problem
from dixa_mcp.operations.shapes import Entries, Fields, Items, Scalar, Shape, Union, Word


def check(shape: Shape, value: Any, where: str) -> Iterator[Problem]:
    """Yield what is wrong with `value`; nothing if it has the shape. `where` names the value."""
    match shape:
        case Scalar():
            yield from _scalar(shape, value, where)
        case Word(text):
            if value != text:
                yield Problem(where, f"must be {text}")
        case Items(item, low, high):
            yield from _items(item, low, high, value, where)
        case Entries(key, inside):
            yield from _entries(key, inside, value, where)
        case Fields():
            yield from _fields(shape, value, where)
        case Union(arms):
            yield from _union(arms, value, where)


def described(shape: Shape) -> str:
    """Say what a value of this shape is, to be read after "must be"."""
    match shape:
        case Scalar(kind, low, high):
            bounds = _bounds(low, high)
            return scalars.WORDS[kind] + (f" {bounds}" if bounds and kind != "string" else "")
        case Word(text):
            return text
        case Items():
            return "a list"
        case Union(arms):
            return _alternatives(arms)
        case Fields() | Entries():
            return "an object"


def _scalar(shape: Scalar, value: Any, where: str) -> Iterator[Problem]:
    if not scalars.fits(shape.kind, value):
        yield Problem(where, f"must be {described(shape)}")
        return
    size = len(value) if isinstance(value, str) else value
    if (shape.low is not None and size < shape.low) or (shape.high is not None and size > shape.high):
        text = isinstance(value, str)
        yield Problem(where, "must not be empty" if text else f"must be {described(shape)}")


def _items(item: Shape, low: int, high: int | None, value: Any, where: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(where, "must be a list")
        return
    items = cast("list[Any]", value)
    if len(items) < low:
        yield Problem(where, f"must have at least {low} item{'s' if low > 1 else ''}")
    if high is not None and len(items) > high:
        yield Problem(where, f"must have at most {high} items")
    for index, each in enumerate(items):
        yield from check(item, each, f"{where}[{index}]")


def _entries(key: Shape, inside: Shape, value: Any, where: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(where, "must be an object")
        return
    for name, each in cast("dict[str, Any]", value).items():
        if any(check(key, name, where)):
            yield Problem(where, f"must have keys that are each {described(key)}")
            return
        yield from check(inside, each, f"{where}.{name}")


def _fields(shape: Fields, value: Any, where: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(where, "must be an object")
        return
    given = cast("dict[str, Any]", value)
    if shape.tag and given.get("_type") != shape.tag:
        yield Problem(f"{where}._type", f"must be {shape.tag}")
    for name, field in shape.fields.items():
        # An optional field that is null counts as absent (notes §5).
        if given.get(name) is not None or (field.required and name in given):
            yield from check(field.shape, given[name], f"{where}.{name}")
        elif field.required:
            yield Problem(f"{where}.{name}", "is required")


def _union(arms: Sequence[Shape], value: Any, where: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        yield from _object_of(arms, cast("dict[str, Any]", value), where)
        return
    kind = Items if isinstance(value, list) else (Scalar, Word)
    candidates = [arm for arm in arms if isinstance(arm, kind)]
    if any(not any(check(arm, value, where)) for arm in candidates):
        return
    if len(candidates) == 1 and isinstance(value, list):
        yield from check(candidates[0], value, where)
        return
    yield Problem(where, f"must be {_alternatives(arms)}")


def _object_of(arms: Sequence[Shape], value: Mapping[str, Any], where: str) -> Iterator[Problem]:
    tagged = {arm.tag: arm for arm in arms if isinstance(arm, Fields) and arm.tag}
    plain = [arm for arm in arms if isinstance(arm, Entries) or (isinstance(arm, Fields) and not arm.tag)]
    if tagged:
        tag = value.get("_type")
        if isinstance(tag, str) and tag in tagged:
            yield from check(tagged[tag], value, where)
        else:
            said = "is required:" if tag is None else "must be"
            yield Problem(f"{where}._type", f"{said} one of {', '.join(tagged)}")
    elif len(plain) == 1:
        yield from check(plain[0], value, where)
    elif plain:
        yield from _untagged([arm for arm in plain if isinstance(arm, Fields)], value, where)
    else:
        yield Problem(where, f"must be {_alternatives(arms)}")


def _untagged(arms: Sequence[Fields], value: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """Tell objects without `_type` apart by the required fields only one of them knows (notes §8)."""
    marks = {mark: arm for arm in arms for mark in _marks(arm, arms)}
    present = [mark for mark in marks if value.get(mark) is not None]
    if len(present) == 1:
        yield from check(marks[present[0]], value, where)
    elif present:
        yield Problem(where, f"must have only one of {', '.join(marks)}")
    else:
        yield Problem(where, f"must have one of {', '.join(marks)}")


def _marks(arm: Fields, arms: Sequence[Fields]) -> list[str]:
    others = {name for other in arms if other is not arm for name in other.fields}
    return [name for name, field in arm.fields.items() if field.required and name not in others]


def _alternatives(arms: Sequence[Shape]) -> str:
    said = list(dict.fromkeys(described(arm) for arm in arms))
    if len(said) == 1:
        return said[0]
    if all(isinstance(arm, Word) for arm in arms):
        return f"one of {', '.join(said)}"
    return f"{', '.join(said[:-1])} or {said[-1]}"


def _bounds(low: int | None, high: int | None) -> str:
    if low is None:
        return ""
    return f"from {low} to {high}" if high is not None else f"of at least {low}"
