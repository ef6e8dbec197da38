"""Change one member of a JSON file that people also write by hand: comments, order and layout stay.

A library that reads and writes the whole would lose them, so only the member's own text is put in or cut out.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, cast


class Unsafe(ValueError):
    """The file isn't what we can change without risk; says why."""


def parse(text: str) -> Any:
    """Read JSON with comments and trailing commas.

    Raises:
        Unsafe: It is neither.
    """
    plain = _COMMENT.sub(lambda found: found[1] or " ", text)
    plain = _TRAILING.sub(lambda found: found[1] or found[2], plain)
    try:
        return json.loads(plain) if plain.strip() else {}
    except json.JSONDecodeError as error:
        raise Unsafe(f"it isn't valid JSON (line {error.lineno})") from error


_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING = re.compile(rf"({_STRING})|,(\s*[}}\]])")
_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_ATOM = re.compile(rf"{_STRING}|[^\s,\]}}/]+")


def put(text: str, path: Sequence[str], value: Any) -> str:
    """Set the member at a path of keys; the objects on the way are made.

    Raises:
        Unsafe: The file isn't JSON, or something on the way isn't an object.
    """
    before = parse(text)
    text = text if text.strip() else "{}\n"
    after = _put(text, _root(text), list(path), value, 1)
    _same(parse(after), _with(before, path, value))
    return after


def append(text: str, key: str, item: dict[str, Any]) -> str:
    """Put an item with an `id` into a list at the top, instead of one of the same id.

    Raises:
        Unsafe: What stands there isn't a list.
    """
    held: Any = parse(text).get(key, [])
    if not isinstance(held, list):
        raise Unsafe(f"{key!r} isn't a list")
    if item in held:
        return text
    text = remove_item(text, key, str(item["id"]))
    before = parse(text)
    members, _ = _members(text, _root(text))
    spot = next((start for name, _, start, _ in members if name == key), None)
    if spot is None:
        return put(text, [key], [item])
    after = _insert(text, spot, json.dumps(item, ensure_ascii=False), 2)
    _same(parse(after), {**before, key: [item, *before[key]]})
    return after


def remove(text: str, path: Sequence[str]) -> str:
    """Cut out the member at a path of keys, if it is there."""
    before = parse(text)
    spot = _root(text)
    for key in path[:-1]:
        spot = next((start for name, _, start, _ in _members(text, spot)[0] if name == key), -1)
        if spot < 0 or text[spot] != "{":
            return text
    member = next((each for each in _members(text, spot)[0] if each[0] == path[-1]), None)
    if member is None:
        return text
    after = _cut(text, member[1], member[3])
    _same(parse(after), _without(before, path))
    return after


def remove_item(text: str, key: str, id: str) -> str:  # noqa: A002 - the word in the file
    """Cut out the item of a list at the top that has this `id`, if it is there."""
    before = parse(text)
    if not text.strip() or not isinstance(before.get(key), list):
        return text
    spot = next(start for name, _, start, _ in _members(text, _root(text))[0] if name == key)
    for number, (_, _, start, end) in enumerate(_members(text, spot)[0]):
        if _id(before[key][number]) == id:
            after = _cut(text, start, end)
            _same(parse(after), {**before, key: [*before[key][:number], *before[key][number + 1 :]]})
            return after
    return text


def _id(item: Any) -> Any:
    return cast("dict[str, Any]", item).get("id") if isinstance(item, dict) else None


def indent_of(text: str) -> str:
    """The indent this file uses."""
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _put(text: str, spot: int, path: list[str], value: Any, depth: int) -> str:
    if text[spot] != "{":
        raise Unsafe(f"what should hold {path[0]!r} isn't an object")
    members, _ = _members(text, spot)
    unit = indent_of(text)
    found = next((member for member in members if member[0] == path[0]), None)
    if found is None:
        for key in reversed(path[1:]):
            value = {key: value}
        return _insert(text, spot, f"{json.dumps(path[0])}: {_dump(value, unit, depth)}", depth)
    if len(path) > 1:
        return _put(text, found[2], path[1:], value, depth + 1)
    return text[: found[2]] + _dump(value, unit, depth) + text[found[3] :]


def _dump(value: Any, unit: str, depth: int) -> str:
    text = json.dumps(value, indent=unit, ensure_ascii=False)
    return re.sub(r"\[\s+((?:\"[^\"\n]*\",?\s*)+)\]", _one_line, text).replace("\n", "\n" + unit * depth)


def _one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r",\s+", ", ", found[1].strip()) + "]"


def _insert(text: str, spot: int, member: str, depth: int) -> str:
    """Put a member first, so that neither the last one's comma nor a comment matters."""
    unit = indent_of(text)
    members, _ = _members(text, spot)
    head = f"{text[: spot + 1]}\n{unit * depth}{member}"
    if members:
        return f"{head},{text[spot + 1 :]}"
    close = "" if "\n" in text[spot + 1 : _BLANK.match(text, spot + 1).end()] else "\n" + unit * (depth - 1)  # type: ignore[union-attr] - it matches nothing, too
    return f"{head}{close}{text[spot + 1 :]}"


def _cut(text: str, start: int, end: int) -> str:
    after = _skip(text, end)
    if text[after] == ",":
        end = after + 1
        blank = len(text[:start]) - len(text[:start].rstrip())
        return text[: start - blank] + text[end:]
    head = text[:start].rstrip()
    head = head.removesuffix(",")
    return head + (text[end:] if head[-1] not in "{[" or text[end:after].strip() else text[after:])


def _root(text: str) -> int:
    spot = _skip(text, 0)
    if not text.strip() or text[spot] != "{":
        raise Unsafe("its root isn't an object")
    return spot


def _skip(text: str, spot: int) -> int:
    found = _BLANK.match(text, spot)
    return found.end() if found else spot


def _members(text: str, spot: int) -> tuple[list[tuple[str, int, int, int]], int]:
    """Name, start, value's start and end of each member of an object or list; and where that one ends."""
    members: list[tuple[str, int, int, int]] = []
    named = text[spot] == "{"
    at = _skip(text, spot + 1)
    while text[at] not in "}]":
        start, name = at, ""
        if named:
            at = _end(text, at)
            name = json.loads(text[start:at])
            at = _skip(text, _skip(text, at) + 1)
        end = _end(text, at)
        members.append((name, start, at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return members, at + 1


def _end(text: str, spot: int) -> int:
    if text[spot] in "{[":
        return _members(text, spot)[1]
    found = _ATOM.match(text, spot)
    if found is None:
        raise Unsafe("it isn't valid JSON")
    return found.end()


def _with(data: Any, path: Sequence[str], value: Any) -> Any:
    inner = data.get(path[0], {}) if len(path) > 1 else None
    return {**data, path[0]: value if len(path) == 1 else _with(inner, path[1:], value)}


def _without(data: Any, path: Sequence[str]) -> Any:
    if len(path) == 1:
        return {key: value for key, value in data.items() if key != path[0]}
    return {**data, path[0]: _without(data[path[0]], path[1:])}


def _same(changed: Any, meant: Any) -> None:
    """The proof: what the new text says is what the old one said, and our change."""
    if changed != meant:
        raise Unsafe("it is written in a way that can't be changed safely")
