"""The plain values a shape can ask for: how each is recognised, in JSON and in the text of an address."""

import re
from collections.abc import Callable
from typing import Any

# ASCII throughout: Python's \d also takes the digits of other scripts, Dixa's parsers don't.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# Java's zone suffix comes with many of Dixa's own times, so it is taken back (notes §7).
_DATETIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)(\[[\w/+-]+\])?",
    re.ASCII,
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_E164 = re.compile(r"\+[1-9]\d{3,14}", re.ASCII)
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}", re.ASCII)
_DIGITS = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_BOOLEAN = {"true": True, "false": False}

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
_INTEGERS = {"int": INT32, "ms": INT64, "csid": (1, INT64[1])}

#: Kind → what a value of it is called after "must be".
WORDS = {
    "string": "a string",
    "id": "an id (a string that isn't empty)",
    "uuid": "a uuid",
    "digits": "a conversation number in quotes",
    "csid": "a conversation number (a positive integer)",
    "int": "an integer",
    "ms": "an integer (milliseconds)",
    "bool": "true or false",
    "datetime": "an ISO 8601 time with its zone, such as 2026-02-13T12:00:00.000Z",
    "email": "an e-mail address",
    "phone": "a phone number in E.164 form, such as +12025550143",
    "url": "an http or https URL",
    "file": "a file",
    "null": "null",
}

_STRINGS: dict[str, Callable[[str], Any]] = {
    "string": lambda text: True,
    "id": bool,
    "uuid": _UUID.fullmatch,
    "digits": _DIGITS.fullmatch,
    "datetime": _DATETIME.fullmatch,
    "email": _EMAIL.fullmatch,
    "phone": _E164.fullmatch,
    "url": _URL.fullmatch,
}


def fits(kind: str, value: Any) -> bool:
    """Tell whether a JSON value is a `kind`. Integers must be integers: no float, no bool, no text."""
    if kind in _STRINGS:
        return isinstance(value, str) and bool(_STRINGS[kind](value))
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "null":
        return value is None
    return kind == "file" and value is not None


def from_text(kind: str, text: str) -> Any:
    """Return the JSON value that `text`, taken from a path or query, stands for; the text itself if none."""
    if kind in _INTEGERS and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "bool":
        return _BOOLEAN.get(text, text)
    return text
