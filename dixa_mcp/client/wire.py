"""What Dixa's bytes mean. The only place that knows what a status is; no I/O.

Every documented error is `{"message": text}` and nothing else (notes §4); a success is `{"data": …}`, a bare
array once (agents' presence) or empty (notes §5).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

from dixa_mcp.errors import (
    ApiError,
    BadRequest,
    Conflict,
    NotFound,
    Sent,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreadable,
)
from dixa_mcp.text.clean import said

_ERRORS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Unauthorized,  # documented nowhere, sent by gateways; means the same (notes §2)
    404: NotFound,
    409: Conflict,
    410: NotFound,
    413: BadRequest,
    415: BadRequest,
    422: BadRequest,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A success. `data` is None when the body was empty; `next` is the page key of the following page."""

    data: Any
    next: str | None
    status: int
    failed: tuple[str, ...] = ()
    """What failed in a call that succeeded otherwise: import, translations, attachments (notes §4)."""


class BrokenOff(Unreadable):
    """The connection broke while the answer came; asking again may help, unlike with a malformed one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item of a bulk answer: what became of it, or why it failed."""

    ok: bool
    data: Any
    error: str


def decode(sent: Sent, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Turn an answer into its data.

    Args:
        sent: the request it answers.
        status: the HTTP status.
        headers: the answer's headers; names in lower case, or a mapping that doesn't mind.
        body: all of the body.

    Raises:
        ApiError: Dixa answered with an error status.
        Unreadable: the answer is no JSON, a redirect, or nothing HTTP should bring.
    """
    if 200 <= status < 300:
        return _success(sent, status, body)
    if not 400 <= status < 600:
        # A redirect would carry the token elsewhere, so none is ever followed (notes §2).
        raise Unreadable(sent, f"Dixa answered with the unexpected status {status}")
    words = said(_message(body))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        quota = "limit exceeded" in words.lower()  # the gateway's words for the day's quota (notes §3)
        raise TooManyRequests(sent, words, retry_after=None if quota else _retry_after(headers), quota=quota)
    if status >= 500:
        raise ServerError(sent, status, words)
    raise _ERRORS.get(status, ApiError)(sent, status, words)


def outcomes(data: Any) -> list[Outcome]:
    """Judge a bulk answer item by item: the call succeeds as a whole and fails per item (notes §4)."""
    return [_outcome(item) for item in (cast("list[Any]", data) if isinstance(data, list) else [])]


def page_key(link: Any) -> str | None:
    """Return the `pageKey` of a `meta.next`, decoded once; the rest of the link is dropped, host included.

    The key is opaque, and so is what follows it: the documented example ends in a colon (notes §6), which
    goes back as it came.
    """
    if not isinstance(link, str):
        return None
    _, _, query = link.partition("?")
    for pair in query.partition("#")[0].split("&"):
        name, _, value = pair.partition("=")
        if name == "pageKey":
            return unquote(value) or None  # not unquote_plus: a plus is a digit of base64
    return None


def _success(sent: Sent, status: int, body: bytes) -> Reply:
    if not body.strip():
        return Reply(None, None, status)
    try:
        # NaN and Infinity are no JSON, though Python would take them.
        document: Any = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Unreadable(sent, "Dixa's answer is no JSON") from error
    if isinstance(document, list):
        return Reply(document, None, status)
    if not isinstance(document, dict):
        raise Unreadable(sent, "Dixa's answer has neither data nor a list")
    envelope = cast("dict[str, Any]", document)
    if "data" not in envelope and envelope.keys() - {"meta", "partialErrors"}:
        raise Unreadable(sent, "Dixa's answer has no data")
    # Lists aren't marked required: an absent one is an empty one (notes §1).
    data = envelope.get("data")
    failed = (*_failures(envelope), *_failures(data))
    return Reply(data, page_key(_field(envelope.get("meta"), "next")), status, failed)


def _failures(document: Any) -> list[str]:
    failed: Any = _field(document, "partialErrors")
    return [_reason(each) for each in cast("list[Any]", failed)] if isinstance(failed, list) else []


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _message(body: bytes) -> str:
    """Return Dixa's own words; a gateway's HTML page says nothing to anybody."""
    try:
        message = _field(json.loads(body), "message")
    except (ValueError, RecursionError):
        return ""
    return message if isinstance(message, str) else ""


def _outcome(item: Any) -> Outcome:
    error = _field(item, "error")
    if _field(item, "_type") == "BulkActionSuccess" and error is None:
        return Outcome(ok=True, data=_field(item, "data"), error="")
    # Anything unknown counts as failed: claiming a success that wasn't is the worse mistake.
    return Outcome(ok=False, data=_field(error, "id"), error=_reason(error))


def _reason(error: Any) -> str:
    message = _field(error, "message")
    kind = _field(error, "_type")
    return said(message if isinstance(message, str) else "") or (kind if isinstance(kind, str) else "no reason given")


def _field(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, seconds or a date; a date is taken against the answer's own clock."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until = _date(text)
        seconds = (until - (_date(headers.get("date", "")) or datetime.now(UTC))).total_seconds() if until else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the time at which Dixa says it answered, aware and in UTC."""
    return _date(headers.get("date", ""))


@lru_cache(maxsize=16)  # a header of whole seconds: all answers of one second have the same
def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # "-0000" and other dates without a zone come back naive; HTTP dates are always GMT.
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
