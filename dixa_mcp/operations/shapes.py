"""The small language in which `operations.toml` says what a body looks like.

    {name: string, age?: int}       an object; ? marks an optional field, `= 7` names its default
    {...Person, id: uuid}           … with the fields of the shape Person
    {<uuid>: string}                an object used as a map: keys of that kind, such values
    Email{subject: string}          an object that also carries "_type": "Email" (notes §8)
    [uuid]  [uuid]+  [uuid]<=10     a list, a list with at least one item, with at most ten
    "Open" | "Closed"               exactly one of these words
    string  uuid  csid  int 1..5    a scalar (`scalars`); string+ isn't empty
    Message                         a named shape

Objects of one union are told apart by `_type`; without one, by the required fields only one of them knows
(notes §8, §26). Shapes say what must be right; other fields may come along, as Dixa forbids none.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Scalar(NamedTuple):
    """One plain value; `low` and `high` bound a number, or the length of a string."""

    kind: str
    low: int | None = None
    high: int | None = None


class Word(NamedTuple):
    """Exactly this string."""

    text: str


class Items(NamedTuple):
    """A list; `high` is None if any number of items will do."""

    item: "Shape"
    low: int = 0
    high: int | None = None


class Entries(NamedTuple):
    """An object whose keys are data."""

    key: "Shape"
    value: "Shape"


class Field(NamedTuple):
    """A field of an object; `default` is what Dixa assumes without it, None if that isn't written down."""

    shape: "Shape"
    required: bool
    default: str | int | bool | None = None


class Fields(NamedTuple):
    """An object; `tag` is the `_type` it carries, "" if it carries none."""

    fields: Mapping[str, Field]
    tag: str = ""


class Union(NamedTuple):
    """One of several shapes, none of them a union."""

    arms: tuple["Shape", ...]


Shape = Scalar | Word | Items | Entries | Fields | Union

_TOKEN = re.compile(r'\s*(?:("[^"]*")|([A-Za-z_]\w*)|(\d+)|(\.\.\.|\.\.|<=|[{}\[\]<>|:,?=+]))')
_NAME = re.compile(r'"[^"]*"|\b([A-Z]\w*)\b(?!\s*[{?:])')
_FALSE_TRUE = {"false": False, "true": True}


class Language:
    """Reads shapes; `named` are the ones other shapes may use."""

    def __init__(self, named: Mapping[str, str]) -> None:
        self.named = named
        self._read: dict[str, Shape] = {}

    def shape(self, text: str) -> Shape:
        """Read a shape. Raises ValueError where it isn't one."""
        if text not in self._read:
            self._read[text] = _Reader(text, self).whole()
        return self._read[text]

    def fields(self, text: str) -> Mapping[str, Field]:
        """Read the inside of an object: `a: int, b?: string`."""
        return _Reader(f"{text}}}", self).object("").fields

    def uses(self, text: str) -> list[str]:
        """Return the named shapes that `text` uses, itself or through others, in order of first use."""
        found: list[str] = []
        waiting = [text]
        while waiting:
            for match in _NAME.finditer(waiting.pop(0)):
                name = match[1]
                if name in self.named and name not in found:
                    found.append(name)
                    waiting.append(self.named[name])
        return found


class _Reader:
    """Reads one text from left to right; each method reads the thing it is named after."""

    def __init__(self, text: str, language: Language) -> None:
        self.text = text
        self.language = language
        self.tokens = list(_tokens(text))
        self.at = 0

    def whole(self) -> Shape:
        shape = self.union()
        if self.at != len(self.tokens):
            raise self.error("the end")
        return shape

    def union(self) -> Shape:
        arms: list[Shape] = []
        while True:
            arm = self.arm()
            arms += arm.arms if isinstance(arm, Union) else [arm]
            if not self.take("|"):
                return arms[0] if len(arms) == 1 else Union(tuple(arms))

    def arm(self) -> Shape:
        first = self.next()
        if first == "[":
            return self.items()
        if first == "{":
            return self.entries() if self.take("<") else self.object("")
        if first.startswith('"'):
            return Word(first[1:-1])
        if not first[0].isalpha():
            raise self.error("a shape")
        if self.take("{"):
            return self.object(first)
        if first[0].isupper():
            if first not in self.language.named:
                raise ValueError(f"No shape is called {first} in {self.text!r}")
            return self.language.shape(self.language.named[first])
        return self.scalar(first)

    def items(self) -> Items:
        item = self.union()
        self.must("]")
        if self.take("+"):
            return Items(item, low=1)
        return Items(item, high=int(self.next()) if self.take("<=") else None)

    def entries(self) -> Entries:
        key = self.union()
        self.must(">")
        self.must(":")
        value = self.union()
        self.must("}")
        return Entries(key, value)

    def object(self, tag: str) -> Fields:
        fields: dict[str, Field] = {}
        while not self.take("}"):
            if self.take("..."):
                spread = self.language.shape(self.language.named[self.next()])
                if not isinstance(spread, Fields):
                    raise self.error("the name of an object")
                fields |= spread.fields
            else:
                name = self.next()
                required = not self.take("?")
                self.must(":")
                shape = self.union()
                fields[name] = Field(shape, required, self.literal() if self.take("=") else None)
            if self.peek() != "}":
                self.must(",")
        return Fields(fields, tag)

    def scalar(self, kind: str) -> Scalar:
        if self.take("+"):
            return Scalar(kind, low=1)
        low = high = None
        if self.peek().isdigit():
            low = int(self.next())
            self.must("..")
            high = int(self.next()) if self.peek().isdigit() else None
        return Scalar(kind, low, high)

    def literal(self) -> str | int | bool:
        token = self.next()
        if token in _FALSE_TRUE:
            return _FALSE_TRUE[token]
        return int(token) if token.isdigit() else token[1:-1]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, token: str) -> bool:
        found = self.peek() == token
        self.at += found
        return found

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise self.error("more")
        self.at += 1
        return token

    def must(self, token: str) -> None:
        if not self.take(token):
            raise self.error(token)

    def error(self, expected: str) -> ValueError:
        return ValueError(f"Expected {expected} at {' '.join(self.tokens[self.at :])!r} in {self.text!r}")


def _tokens(text: str) -> Iterator[str]:
    end = 0
    stripped = text.rstrip()
    while end < len(stripped):
        match = _TOKEN.match(stripped, end)
        if match is None:
            raise ValueError(f"Unreadable shape at {stripped[end:]!r}")
        yield match[0].strip()
        end = match.end()
