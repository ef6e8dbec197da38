"""What a model gave for a raw call, read and checked: nothing is asked, judged or sent before it is right."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import sha256
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl

from dixa_mcp.client.loose import fields, items
from dixa_mcp.client.paths import Path, at, csid, uuid
from dixa_mcp.errors import InvalidArgument
from dixa_mcp.operations import Operation, effects_of, match, operations, problems, shape_of
from dixa_mcp.toolbox import Effect

MOST_ITEMS = 25
"""Things one raw call may change; the same as a bulk (design §4.6)."""
MOST_FILES, FILE_BYTES, ALL_BYTES = 5, 4 * 1024 * 1024, 10 * 1024 * 1024
"""What Dixa takes as pictures of articles (notes §18)."""
MEDIA = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}

DEEPEST = 32
"""Levels of a body; Dixa's own go to eight or so."""

_HALF = re.compile("[\ud800-\udfff]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Picture:
    """A file to upload."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A raw call that Dixa's contract allows."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Any
    pictures: list[Picture] = field(default_factory=list[Picture])

    @property
    def at(self) -> Path:
        """The path, each part encoded so that it can't become another endpoint."""
        return at(self.operation.path, **self.path)

    @property
    def effect(self) -> Effect:
        """The worst of what the operation and the fields of this body do."""
        return max((Effect(name) for name in effects_of(self.operation, self.body)), key=lambda effect: effect.rank)

    @property
    def conversations(self) -> tuple[int, ...]:
        """The conversations it names, in the path or in the body."""
        found = [self.path[name] for name in ("conversationId", "csid") if name in self.path]
        body = fields(self.body)
        if self.operation.name == "link_conversation":
            found.append(body["parentId"])
        if self.operation.name == "anonymize_entity":  # a number, a number and a message, or a customer's uuid
            number = str(body["entityId"]).partition("_")[0]
            found += [number] if number.isdigit() else []
        return tuple(csid(each) for each in found)

    @property
    def key(self) -> str:
        """What is sent, in one spelling: equal for all ways to say the same call."""
        sent = (self.operation.name, self.path, self.query, _plain(self.body))
        files = [(each.name, sha256(each.data).hexdigest()) for each in self.pictures]
        return json.dumps([*sent, files], sort_keys=True)

    @property
    def several(self) -> list[Any]:
        """What a bulk call changes, one by one; empty for others."""
        given = fields(self.body)
        return items(self.body) or items(given.get("data")) or items(given.get("agentIds"))

    @property
    def final(self) -> str:
        """What a person types to agree to a call that can't be taken back: the id of what is lost."""
        if self.operation.name == "anonymize_entity":
            return str(self.body["entityId"])
        kinds = {each.name: each.type for each in self.operation.parameters if each.where == "path"}
        return next(value for name, value in reversed(self.path.items()) if kinds[name] in {"csid", "uuid"})


def ready(operation: str, path: Mapping[str, Any] | None, query: Mapping[str, Any] | None, body: Any) -> Request:
    """Read a raw call; a pure function of the arguments.

    Raises:
        InvalidArgument: There is no such operation, or its contract wants something else; shows what.
    """
    _sendable(path, query, body)
    found, told = resolve(operation)
    address, _, asked = operation.strip().partition("?")
    given = {**told, **(path or {})}
    request = Request(
        found,
        _path(found, given),
        _query(found, {**dict(parse_qsl(asked if " /" in address else "")), **(query or {})}),
        _body(found, body),
    )
    wrong = [
        f"{each.where} {each.what}" for each in problems(found, request.path, request.query, request.body)
    ] + _extra(request)
    if wrong:
        raise InvalidArgument(f"{found.name} can't be sent so: {'; '.join(wrong[:8])}.", wanted(found))
    if found.effect != "read" and len(request.several) > MOST_ITEMS:
        raise InvalidArgument(f"{len(request.several)} at once are too many; split them into calls of {MOST_ITEMS}.")
    if found.media == "multipart":
        return Request(found, request.path, request.query, None, list(_pictures(request.body)))
    return request


def _sendable(*given: Any) -> None:
    """Look for what no JSON of Dixa's can hold, before anything walks through it.

    Raises:
        InvalidArgument: Too deep, a number too large, or half a character.
    """
    rest = [(each, 0) for each in given]
    while rest:
        value, depth = rest.pop()
        if depth > DEEPEST:
            raise InvalidArgument(f"That is nested more than {DEEPEST} deep.")
        if isinstance(value, int) and abs(value) >= 2**63:
            raise InvalidArgument("A number is too large: Dixa's have 64 bits.")
        if isinstance(value, float) and not isfinite(value):
            raise InvalidArgument("A number is infinite or none at all.")
        if isinstance(value, str) and _HALF.search(value):
            raise InvalidArgument("A text holds half a character (a lone surrogate).")
        inside = [*fields(value), *fields(value).values(), *items(value)]
        rest += [(each, depth + 1) for each in inside]


def resolve(text: str) -> tuple[Operation, dict[str, str]]:
    """Find an operation by its name, or by method and path (with or without values in the path).

    Raises:
        InvalidArgument: Nothing is called so; names what comes near.
    """
    method, _, address = text.strip().partition(" ")
    address = address.strip().partition("?")[0].removeprefix("/v1")
    if address.startswith("/"):
        if found := match(method, address):
            operation, values = found
            return operation, {name: value for name, value in values.items() if not value.startswith("{")}
    else:
        name = _CAMEL.sub("_", text.strip()).lower().replace("-", "_").replace(" ", "_").removeprefix("dixa_")
        if name in operations():
            return operations()[name], {}
        close = get_close_matches(name, operations(), 4, 0.6)
        if close:
            raise InvalidArgument(f"No operation is called {text!r}.", f"Did you mean {' or '.join(close)}?")
    raise InvalidArgument(f"No operation of Dixa is {text!r}.", "dixa_find_operation finds one by words.")


def wanted(operation: Operation) -> str:
    """Say what an operation takes, in full."""
    parts = [f"It is {signature(operation)}."]
    if operation.media == "multipart":
        parts.append('Body: {"files": [{"name": "a.png", "data": "<base64>"}]}, at most 5 pictures of 4 MB.')
    elif operation.body:
        listed = ' (give the list as {"data": […]})' if operation.body.startswith("[") else ""
        parts.append(f"Body{listed}:\n{shape_of(operation)}")
    else:
        parts.append("It takes no body.")
    return " ".join(parts)


def signature(operation: Operation) -> str:
    """Method, path with types, and query: `GET /tags ?includeDeactivated: bool`."""
    address = f"{operation.method} {operation.path}"
    query: list[str] = []
    for each in operation.parameters:
        kind = "|".join(each.values) or each.type
        if each.where == "path":
            address = address.replace(
                f"{{{each.name}}}", f"{{{each.name}: {kind if len(each.values) < 8 else 'word'}}}"
            )
        else:
            query.append(f"{each.name}{'' if each.required else '?'}: {kind}")
    return f"{address} query {', '.join(query)}" if query else address


def _path(operation: Operation, given: Mapping[str, Any]) -> dict[str, str]:
    kinds = {each.name: each.type for each in operation.parameters if each.where == "path"}
    if len(kinds) == len(given) == 1:  # an id by any name is the only one it can be
        given = {next(iter(kinds)): next(iter(given.values()))}
    if unknown := [name for name in given if name not in kinds]:
        takes = f"It takes: {', '.join(kinds)}." if kinds else "It has none."
        raise InvalidArgument(f"The path of {operation.name} has no {', '.join(unknown)}.", takes)
    return {name: _id(kinds[name], given[name]) for name in kinds if given.get(name) is not None}


def _id(kind: str, value: Any) -> str:
    try:
        return str(csid(value)) if kind == "csid" else uuid(value) if kind == "uuid" else str(value)
    except InvalidArgument:
        return str(value)  # `problems` says it, together with all else that is wrong


def _query(operation: Operation, given: Mapping[str, Any]) -> dict[str, list[str]]:
    known = [each.name for each in operation.parameters if each.where == "query"]
    if unknown := [name for name in given if name not in known]:
        takes = f"It takes: {', '.join(known)}." if known else "It has none."
        raise InvalidArgument(f"The query of {operation.name} has no {', '.join(unknown)}.", takes)
    return {name: _texts(value) for name, value in given.items() if value is not None}


def _plain(body: Any) -> Any:
    """Return a body in one spelling: without nulls, ids in lower case."""
    if isinstance(body, dict):
        return {name: _plain(value) for name, value in fields(body).items() if value is not None}
    if isinstance(body, list):
        return [_plain(each) for each in items(body)]
    return _id("uuid", body) if isinstance(body, str) else body


def _texts(value: Any) -> list[str]:
    values = items(value) or [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _body(operation: Operation, given: Any) -> Any:
    body = given
    if isinstance(given, str) and given.strip():
        try:
            body = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise InvalidArgument("body is no JSON.", wanted(operation)) from error
        _sendable(body)
    if operation.body.startswith("[") and fields(body).keys() == {"data"}:
        return fields(body)["data"]
    if body in (None, "", {}) and operation.body and not operation.body.startswith("["):
        # Dixa's optional bodies are sent empty rather than not at all (notes §5).
        return None if operation.body_required else {}
    return body


def _extra(request: Request) -> list[str]:
    if not request.operation.body and request.body not in (None, "", {}):
        return ["body isn't taken"]
    return []


def _pictures(body: Any) -> Iterator[Picture]:
    files = items(fields(body).get("files"))
    if not files or len(files) > MOST_FILES:
        raise InvalidArgument(f"Give 1 to {MOST_FILES} files.")
    total = 0
    for each in files:
        name = str(fields(each).get("name", ""))
        media = MEDIA.get(name.rpartition(".")[2].lower())
        if not media:
            raise InvalidArgument(f"Each file has a name that ends in one of {', '.join(MEDIA)}, and data in base64.")
        try:
            data = b64decode(str(fields(each).get("data", "")), validate=True)
        except ValueError as error:
            raise InvalidArgument(f"The data of {name} is no base64.") from error
        total += len(data)
        if not data or len(data) > FILE_BYTES or total > ALL_BYTES:
            raise InvalidArgument(f"{name} is empty or too large: 4 MB each, 10 MB together.")
        yield Picture(name, media, data)
