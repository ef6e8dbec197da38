"""The door: every request passes here before anything of MCP sees it.

Host and origin, credentials, capacity, body; then the visit is known and the request goes on. It also keeps
the record: one line a request, without body, token or query.
"""

import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken

from dixa_mcp.http.callers import Gate, NotAdmittedError, Visitor
from dixa_mcp.http.front import PATH, Front
from dixa_mcp.http.metrics import Figures
from dixa_mcp.http.tenants import Pool
from dixa_mcp.http.visits import current
from dixa_mcp.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger("dixa_mcp.http")

LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the door is."""

    body: int
    """Bytes a body may have."""
    total: int
    """Calls at a time."""
    each: int
    """Calls of one caller at a time."""
    body_within: float = 10.0
    """Seconds a body may take to arrive."""
    streams: int = 1024
    """Streams that may be open, beside the calls."""

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Read them off the settings."""
        each = settings.capacity if settings.auth == "none" else settings.caller_capacity
        return cls(settings.max_body, settings.capacity, each)


class TurnedAwayError(Exception):
    """A request that goes no further: a status, what to say, and headers that help."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})


@dataclass(slots=True)
class _Seen:
    """What the record says of a request."""

    id: str = field(default_factory=lambda: secrets.token_hex(6))
    started: float = field(default_factory=time.monotonic)
    status: int = 0
    caller: str = ""
    organisation: str = ""
    rpc: str = ""
    tool: str = ""


@dataclass(slots=True)
class Door:
    """An ASGI application in front of the MCP endpoint."""

    app: App
    front: Front
    gate: Gate
    pool: Pool
    limits: Limits
    figures: Figures
    agent_header: str = ""
    challenge: str = ""
    """What a refusal adds to `WWW-Authenticate`: where the metadata of this resource are."""
    closing: bool = False
    _busy: int = 0
    _streams: dict[int, anyio.CancelScope] = field(default_factory=dict[int, anyio.CancelScope])
    _each: Counter[str] = field(default_factory=Counter[str])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        seen = _Seen()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            await send(message)

        try:
            await self._serve(scope, receive, noted, seen)
        except TurnedAwayError as refusal:
            await _answer(noted, refusal)
        finally:
            self._record(scope, seen)

    def close_streams(self) -> None:
        """End the standing streams of the older protocol, which would otherwise stay open for ever."""
        self.closing = True
        for stream in list(self._streams.values()):
            stream.cancel()

    async def _serve(self, scope: Scope, receive: Receive, send: Send, seen: _Seen) -> None:
        headers = _headers(scope)
        if not self.front.knows_host(headers.get("host", "")):
            raise TurnedAwayError(421, "This server doesn't answer to that host name (--allow-hosts).")
        origin = headers.get("origin", "")
        if origin and not self.front.knows_origin(origin):
            raise TurnedAwayError(403, "Pages of this origin may not call (--allow-origins).")
        visitor = await self._admitted(headers)
        visit, key = self.pool.visit(visitor, self._agent(headers))
        seen.caller, seen.organisation = visit.caller.name, visit.organisation
        scope["user"] = AuthenticatedUser(
            # The SDK lets only who opened a session use it, and compares these.
            AccessToken(token="", client_id=visit.organisation, subject=visitor.name, scopes=visitor.scopes)
        )
        current.set(visit)
        if scope["method"] == "GET":
            await self._stream(scope, receive, send)
            return
        body = await self._body(headers, receive)
        seen.rpc, seen.tool, calls = _read(body)
        if scope["method"] != "POST" or not calls:
            await self.pool.enter(visit, key)
            try:
                await self.app(scope, _replay(body, receive), send)
            finally:
                self.pool.leave(visit)
            return
        who = f"{visit.organisation}\n{visitor.name}"
        self._take(who)
        try:
            await self.pool.enter(visit, key)
            try:
                await self.app(scope, _replay(body, receive), send)
            finally:
                self.pool.leave(visit)
        finally:
            self._give_back(who)

    async def _admitted(self, headers: Mapping[str, str]) -> Visitor:
        try:
            return await self.gate.admit(headers)
        except NotAdmittedError as refusal:
            if refusal.status == 503:
                raise TurnedAwayError(503, refusal.description, {"Retry-After": "10"}) from refusal
            parts = [f'error="{refusal.error}"', f'error_description="{refusal.description}"'] if refusal.error else []
            parts += [f'scope="{refusal.scope}"'] if refusal.scope else []
            parts += [self.challenge] if self.challenge else []
            value = f"Bearer {', '.join(parts)}".strip()
            raise TurnedAwayError(refusal.status, refusal.description, {"WWW-Authenticate": value}) from refusal

    def _agent(self, headers: Mapping[str, str]) -> str:
        given = headers.get(self.agent_header.lower(), "").strip() if self.agent_header else ""
        if len(given) > LONGEST_AGENT or not given.isprintable():
            raise TurnedAwayError(400, f"{self.agent_header} must be an agent's name, e-mail address or id.")
        return given

    def _take(self, who: str) -> None:
        if self.closing:
            raise TurnedAwayError(503, "This server is about to stop; try again.", {"Retry-After": "1"})
        if self._busy >= self.limits.total:
            text = f"This server has {self.limits.total} calls to do already (--capacity); try again in a moment."
            raise TurnedAwayError(503, text, {"Retry-After": "2"})
        if self._each[who] >= self.limits.each:
            text = f"You have {self.limits.each} calls under way already (--caller-capacity); wait for an answer."
            raise TurnedAwayError(429, text, {"Retry-After": "1"})
        self._busy += 1
        self._each[who] += 1
        self.figures.busy(1)

    def _give_back(self, who: str) -> None:
        self._busy -= 1
        self._each[who] -= 1
        if not self._each[who]:
            del self._each[who]
        self.figures.busy(-1)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a standing stream until it ends, or this server does."""
        if self.closing or len(self._streams) >= self.limits.streams:
            raise TurnedAwayError(503, "No more streams can be opened here now.", {"Retry-After": "5"})
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        with anyio.CancelScope() as stream:
            self._streams[id(stream)] = stream
            try:
                await self.app(scope, receive, watched)
            finally:
                del self._streams[id(stream)]
        if stream.cancelled_caught:
            if not began:
                raise TurnedAwayError(503, "This server is about to stop; try again.", {"Retry-After": "1"})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        """Read a body to its end: of limited size, and not for ever."""
        too_large = TurnedAwayError(413, f"A request may have {self.limits.body} bytes (--max-body).")
        size = headers.get("content-length", "")
        if size.isdecimal() and int(size) > self.limits.body:
            raise too_large
        body = bytearray()
        with anyio.move_on_after(self.limits.body_within):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise TurnedAwayError(400, "The request broke off.")
                body += message.get("body", b"")
                if len(body) > self.limits.body:
                    raise too_large
                if not message.get("more_body"):
                    return bytes(body)
        raise TurnedAwayError(
            408, f"The request didn't arrive within {self.limits.body_within:g} s.", {"Connection": "close"}
        )

    def _record(self, scope: Scope, seen: _Seen) -> None:
        seconds = time.monotonic() - seen.started
        self.figures.answered(seen.status, seconds)
        facts = {
            "request": seen.id,
            "method": scope["method"],
            "path": PATH,
            "status": seen.status,
            "ms": round(seconds * 1000, 1),
            "caller": seen.caller,
            "organisation": seen.organisation,
            "rpc": seen.rpc,
            "tool": seen.tool,
        }
        logger.info("request", extra={"facts": {name: value for name, value in facts.items() if value != ""}})


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by name; of one that must be single and isn't, nothing is believed."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in {"host", "origin", "authorization"} and key in headers:
            raise TurnedAwayError(400, f"There is more than one {key} header.")
        headers[key] = value.decode("latin-1")
    return headers


def _read(body: bytes) -> tuple[str, str, bool]:
    """Say which method and tool a body calls, and whether it takes part of the capacity.

    Answers and notifications don't, since what waits for them holds its part already; nor do streams.
    """
    try:
        message: Any = json.loads(body)
        method: Any = message.get("method")
        name: Any = message["params"].get("name") if method == "tools/call" else ""
    except (ValueError, RecursionError, AttributeError, KeyError):
        return "", "", True
    if not isinstance(method, str):
        return "", "", False
    tool = name if isinstance(name, str) else ""
    return method[:64], tool[:64], "id" in message and method != "subscriptions/listen"


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _answer(send: Send, refusal: TurnedAwayError) -> None:
    body = json.dumps({"error": refusal.text}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
