"""What goes over the wire: requests, answers, refusals, pages. No state, no I/O."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from dixa_mcp.operations import Operation

Json = dict[str, Any]

#: The texts of the document and of the gateway (notes §4, fixtures §14).
UNAUTHORIZED = "Unauthorized"
NO_RIGHT = "User is unauthorized to perform an underlying operation"
NOT_FOUND = "The requested resource could not be found"
CONFLICT = "Conflict"
TOO_MANY = "Too Many Requests"
INTERNAL = "There was an internal server error while processing the request"
UNDECODABLE = "Decoding failure in request"
NO_USER = "User not found"
NO_AGENT = "User is not agent/admin"
NO_QUEUE = "Queue does not exist"
BAD_MESSAGE = "Invalid input for Message"
NO_DATE = "Invalid date format"
BAD_PATCH = "Invalid input for patching"

#: Largest page by operation (notes §6); what isn't named takes the last. Sizes left out are 50.
LARGEST_PAGE = {
    "search_conversations": 50,
    "search_conversations_by_text": 50,
    "query_metric_records": 300,
    "list_activity": 10_000,
    "": 1_000,
}
USUAL_PAGE = 50


def part(thing: Json, key: str) -> Json:
    """Return an object inside another; absent and null are {}."""
    return thing.get(key) or dict[str, Any]()


def listed(thing: Json, key: str) -> list[Any]:
    """Return a list inside an object; absent and null are []."""
    return thing.get(key) or list[Any]()


class Refusal(Exception):
    """An error answer: the status and Dixa's text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message


def missing() -> Refusal:
    """Return the 404 that a wrong id in the path gives (notes §4)."""
    return Refusal(404, NOT_FOUND)


def invalid(where: str) -> Refusal:
    """Return a 400 in the words of the document, e.g. ``query parameter pageLimit`` (notes §4)."""
    return Refusal(400, f"Invalid value for: {where}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """An HTTP request as it arrives: `target` is path and query, still percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes = b""

    def header(self, name: str) -> str:
        """Return a header's value whatever its case, "" if it isn't there."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")

    @property
    def path(self) -> str:
        """The path, still percent-encoded, without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters; a repeated one keeps all its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that passed authentication and validation: what handlers see."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: Any
    #: Agent id of the token's owner: the author of what names no other (notes §11).
    owner: str
    #: The raw body and its media type, for uploads.
    content: bytes = b""
    media: str = ""

    def csid(self, name: str = "conversationId") -> int:
        """Return a conversation id of the path."""
        return int(self.path[name])

    def parameter(self, name: str) -> str | None:
        """Return a query parameter's value, None if it isn't there."""
        values = self.query.get(name)
        return values[0] if values else None

    def flag(self, name: str) -> bool:
        """Return a boolean query parameter; absent is false."""
        return (self.parameter(name) or "").lower() == "true"

    def field(self, name: str, default: Any = None) -> Any:
        """Return a field of the JSON body; null and absent are the default."""
        value: Any = self.body.get(name) if self.body else None
        return default if value is None else value


@dataclass(slots=True)
class Answer:
    """What goes back. `body` None is an empty body; bytes are sent as they are."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    #: How the transport should break it: "" or a kind of `faults.Fault`.
    broken: str = ""
    #: Seconds the transport waits before it answers.
    delay: float = 0.0
    #: Bytes of an "oversized" answer.
    size: int = 0

    @property
    def content(self) -> bytes:
        """The bytes of the body: compact JSON unless they are bytes already."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def data(value: Any, status: int = 200) -> Answer:
    """Answer with the envelope (notes §5)."""
    return Answer(status, {"data": value})


def empty(status: int = 204) -> Answer:
    """Answer without a body (notes §5)."""
    return Answer(status)


def error(status: int, message: str) -> Answer:
    """Answer with the one error body there is (notes §4)."""
    return Answer(status, {"message": message})


def done(value: Any) -> Json:
    """Return a bulk item that succeeded (notes §4)."""
    return {"_type": "BulkActionSuccess", "data": value}


def failed(kind: str, message: str, thing: str | None = None) -> Json:
    """Return a bulk item that failed; `kind` is the error's `_type`, "" for none (notes §4)."""
    problem: Json = {"_type": kind} if kind else {}
    if thing is not None:
        problem["id"] = thing
    return {"_type": "BulkActionFailure", "error": problem | {"message": message}}


def page(request: Request, items: Sequence[Any]) -> Answer:
    """Cut a list into the page that was asked for, with links to its neighbours (notes §6).

    Raises:
        Refusal: 400 for a page size out of range or a key that isn't one of ours.
    """
    limit, start = _asked(request)
    end = start + limit
    links: Json = {}
    if start > 0:
        links["previous"] = _link(request, limit, max(0, start - limit))
    if end < len(items):
        links["next"] = _link(request, limit, end)
    body: Json = {"data": list(items[start:end])}
    return Answer(200, body | {"meta": links} if links else body)


def _asked(request: Request) -> tuple[int, int]:
    limit, start = USUAL_PAGE, 0
    if (key := request.parameter("pageKey")) is not None:
        limit, start = _read_key(key)
    if (text := request.parameter("pageLimit")) is not None:
        limit = int(text)
    largest = LARGEST_PAGE.get(request.operation.name, LARGEST_PAGE[""])
    if not 1 <= limit <= largest:
        raise invalid("query parameter pageLimit")
    return limit, start


def _read_key(key: str) -> tuple[int, int]:
    """Read a page key: base64 of `pageLimit=50&page=1`, with `skip` where the size changed in between."""
    try:
        # The document's example ends in a colon, so ours do where they do, and both are taken back.
        fields = dict(parse_qsl(base64.b64decode(key.removesuffix(":"), validate=True).decode(), strict_parsing=True))
        limit = int(fields["pageLimit"])
        start = int(fields["skip"]) if "skip" in fields else limit * int(fields["page"])
    except (binascii.Error, UnicodeDecodeError, ValueError, KeyError) as error:
        raise invalid("query parameter pageKey") from error
    if start < 0:
        raise invalid("query parameter pageKey")
    return limit, start


def _link(request: Request, limit: int, start: int) -> str:
    key = f"pageLimit={limit}&page={start // limit}" + (f"&skip={start}" if start % limit else "")
    coded = base64.b64encode(key.encode()).decode()
    path = request.operation.path
    for name, value in request.path.items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    query = {name: values[0] for name, values in request.query.items() if name not in ("pageKey", "pageLimit")}
    rest = f"&{urlencode(query)}" if query else ""
    if path == "/search/conversations":  # as the document's example has it: a slash before, a colon after
        return f"/v1{path}/?{urlencode({'pageKey': coded})}:{rest}"
    return f"/v1{path}?{urlencode({'pageKey': coded})}{rest}"


def stamp(moment: datetime) -> str:
    """Write a time as conversations carry it: whole seconds."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"


def stamp_ms(moment: datetime) -> str:
    """Write a time as messages, notes and the activity log carry it: milliseconds.

    The document shows `Z[GMT]` here; the real API most likely sends a plain `Z` (notes §26).
    """
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}Z"
