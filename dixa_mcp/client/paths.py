"""Paths of Dixa's API, built so that no argument can change which endpoint is meant.

A `Path` is only ever made by `at`, from a template of ours and parts that fill its holes. A part is one
segment and stays one, however often somebody on the way decodes it (design §7).
"""

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self, cast
from urllib.parse import quote, unquote, urlencode
from uuid import UUID

from dixa_mcp.errors import InvalidArgument
from dixa_mcp.text.times import wire

#: Longest part Dixa could mean: an e-mail address has at most 254 characters.
_LONGEST = 320
_TEMPLATE = re.compile(r"(/([a-z-]+|\{[A-Za-z_]+\}))+")
#: Ids, as nearly all parts are: nobody decodes or folds these into something else.
_HARMLESS = re.compile(r"[A-Za-z0-9-]{1,64}")
_CSID = re.compile(r"#?([0-9]{1,19})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_INT64 = 2**63 - 1


class Path(str):
    """A path below the base URL, percent-encoded, with the template it came from.

    The template is what traces and metrics may show, for it holds no id.
    """

    __slots__ = ("template",)

    template: str

    def __new__(cls, template: str, **parts: object) -> Self:
        """Fill `template`; see `at`."""
        if not _TEMPLATE.fullmatch(template):
            raise ValueError(f"{template!r} is not a path template")
        holes = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        if holes != parts.keys():
            raise ValueError(f"{template} needs {sorted(holes)}, not {sorted(parts)}")
        made = super().__new__(cls, template.format(**{name: _segment(name, part) for name, part in parts.items()}))
        made.template = template
        return made


def at(template: str, **parts: object) -> Path:
    """Return the path of `template`, each `{hole}` filled with one percent-encoded part.

    Raises:
        InvalidArgument: a part that is empty, too long, or could be read as more than one segment.
        ValueError: the template isn't one of ours, or its holes and the parts differ; a bug of the caller.
    """
    return Path(template, **parts)


def csid(value: object) -> int:
    """Return the number of a conversation, a positive int64 (notes §7); `10401`, `"10401"` and `"#10401"` are one.

    Raises:
        InvalidArgument: it is no such number.
    """
    # True is an int to Python, and never what somebody means by a conversation.
    small = isinstance(value, str) or (isinstance(value, int) and value is not True and 0 < value <= _INT64)
    found = _CSID.fullmatch(str(value).strip()) if small else None
    number = int(found[1]) if found else 0
    if not 0 < number <= _INT64:
        raise InvalidArgument(
            f"{_short(value)} is no conversation number.", "Give the number that Dixa shows, for instance 10401."
        )
    return number


def uuid(value: object) -> str:
    """Return a uuid in its canonical form: lower case, with hyphens (notes §7).

    Raises:
        InvalidArgument: it is no uuid.
    """
    text = str(value).strip() if isinstance(value, (str, UUID)) else ""
    if not _UUID.fullmatch(text):
        raise InvalidArgument(f"{_short(value)} is no id: 32 hexadecimal digits with hyphens were expected.")
    return str(UUID(text))


def query_string(query: Mapping[str, object]) -> str:
    """Return `?a=1&b=2`, percent-encoded, or nothing: None is left out, and a list repeats its name."""
    pairs = [(name, _plain(each)) for name, value in query.items() for each in _each(value)]
    return "?" + urlencode(pairs, quote_via=quote, safe="") if pairs else ""


def _each(value: object) -> Iterable[object]:
    if value is None:
        return ()
    return cast("Iterable[object]", value) if isinstance(value, (list, tuple, set, frozenset)) else (value,)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return wire(value) if isinstance(value, datetime) else str(value)


def _segment(name: str, part: object) -> str:
    """Encode one part, or refuse it when any reading of it would leave its segment."""
    text = str(part)
    if _HARMLESS.fullmatch(text):
        return text
    if not text or len(text) > _LONGEST:
        raise InvalidArgument(f"{name} is empty." if not text else f"{name} is longer than {_LONGEST} characters.")
    # Gateways differ in how often they decode and whether they fold compatibility characters such as U+FF0F.
    reading, last = text, ""
    while reading != last:
        last, reading = reading, unicodedata.normalize("NFKC", unquote(reading))
        # U+2044 and relatives survive NFKC, but not every server's best-fit mapping.
        if reading in {"", ".", ".."} or any(c in "/\\\u2044\u2215\u29f5\u29f8\ufffd" for c in reading):
            raise InvalidArgument(f"{_short(part)} can't be used as {name}: it would be read as a path.")
        if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in reading):
            raise InvalidArgument(f"{_short(part)} can't be used as {name}: it holds control characters.")
    return quote(text, safe="")


def _short(value: object) -> str:
    if isinstance(value, int) and abs(value) > _INT64:
        return "A number beyond 64 bits"  # Python refuses to write out a very large one
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:56]}…{shown[-1]}"
