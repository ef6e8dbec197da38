"""The door: every request passes here before anything of MCP sees it.

Host and origin, credentials, capacity, body; then the visit is known and the request goes on. It also keeps
the record: one line a request, without body, token or query.
"""

import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.types import INTERNAL_ERROR, INVALID_REQUEST
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS

from dixa_mcp.http.callers import Gate, NotAdmittedError, Visitor
from dixa_mcp.http.challenge import Challenge
from dixa_mcp.http.front import PATH, Front
from dixa_mcp.http.metrics import Figures
from dixa_mcp.http.places import Places, TurnedAwayError
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
SINGLE = {"host", "origin", "authorization", "mcp-protocol-version", "mcp-session-id"}
"""Headers that decide something: of two, the SDK could believe another than we."""
LISTEN = "subscriptions/listen"


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the door is."""

    body: int
    """Bytes a body may have."""
    calls: Places
    sessions: Places
    streams: Places
    body_within: float = 10.0
    """Seconds a body may take to arrive."""

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Read them off the settings; where nobody is told apart, one caller may have all."""
        alone = settings.auth == "none"
        calls = settings.capacity, settings.capacity if alone else settings.caller_capacity
        open_ = settings.sessions, settings.sessions if alone else settings.caller_sessions
        more, mine = ("--capacity", "--caller-capacity"), ("--sessions", "--caller-sessions")
        return cls(
            settings.max_body,
            Places(*calls, "calls to do already", "wait for an answer", more, wait=2),
            Places(*open_, "sessions open already", "end one with DELETE, or let one be idle for long", mine, wait=60),
            Places(*open_, "streams open already", "close one", mine, wait=5),
        )


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
    challenge: Challenge = field(default_factory=Challenge)
    owners: Callable[[], Counter[str]] = Counter[str]
    """Who has how many sessions open."""
    closing: bool = False
    _streams: dict[int, anyio.CancelScope] = field(default_factory=dict[int, anyio.CancelScope])

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
            await self._stream(scope, receive, send, visit.who)
            return
        body = await self._body(headers, receive)
        seen.rpc, seen.tool, calls = _read(body)
        if missing := self.challenge.wider(visit.caller, visitor.scopes, seen.tool):
            raise self._refused(missing)
        with self._place(scope, headers, seen.rpc, visit.who, calls=calls):
            await self.pool.enter(visit, key)
            try:
                await self.app(scope, _replay(body, receive), send)
            finally:
                self.pool.leave(visit)

    @contextmanager
    def _place(self, scope: Scope, headers: Mapping[str, str], rpc: str, who: str, *, calls: bool) -> Generator[None]:
        """Hold what a request takes: a stream's place, a call's, or none."""
        if scope["method"] != "POST" or not calls:
            yield
            return
        if self.closing:
            raise _stopping()
        if rpc == LISTEN:
            with self.limits.streams.one(who):
                yield
            return
        if _opens_session(headers):
            # Of those that open at one instant a few more may pass, as many as a caller has calls; the total is exact.
            self.limits.sessions.check(self.owners(), who)
        with self.limits.calls.one(who):
            self.figures.busy(1)
            try:
                yield
            finally:
                self.figures.busy(-1)

    async def _admitted(self, headers: Mapping[str, str]) -> Visitor:
        try:
            return await self.gate.admit(headers)
        except NotAdmittedError as refusal:
            raise self._refused(refusal) from refusal

    def _refused(self, refusal: NotAdmittedError) -> TurnedAwayError:
        if refusal.status == 503:
            return TurnedAwayError(503, refusal.description, {"Retry-After": "10"})
        return TurnedAwayError(
            refusal.status, refusal.description, {"WWW-Authenticate": self.challenge.header(refusal)}
        )

    def _agent(self, headers: Mapping[str, str]) -> str:
        given = headers.get(self.agent_header.lower(), "").strip() if self.agent_header else ""
        if len(given) > LONGEST_AGENT or not given.isprintable():
            raise TurnedAwayError(400, f"{self.agent_header} must be an agent's name, e-mail address or id.")
        return given

    async def _stream(self, scope: Scope, receive: Receive, send: Send, who: str) -> None:
        """Serve a standing stream until it ends, or this server does."""
        if self.closing:
            raise _stopping()
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        with self.limits.streams.one(who), anyio.CancelScope() as stream:
            self._streams[id(stream)] = stream
            try:
                await self.app(scope, receive, watched)
            finally:
                del self._streams[id(stream)]
        if stream.cancelled_caught:
            if not began:
                raise _stopping()
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


def _stopping() -> TurnedAwayError:
    return TurnedAwayError(503, "This server is about to stop; try again.", {"Retry-After": "1"})


def _opens_session(headers: Mapping[str, str]) -> bool:
    """Whether this would begin a session of the older protocol: only there a request without one does."""
    version = headers.get("mcp-protocol-version")
    return "mcp-session-id" not in headers and (version is None or version in HANDSHAKE_PROTOCOL_VERSIONS)


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by name; of one that must be single and isn't, nothing is believed."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in SINGLE and key in headers:
            raise TurnedAwayError(400, f"There is more than one {key} header.")
        headers[key] = value.decode("latin-1")
    return headers


def _read(body: bytes) -> tuple[str, str, bool]:
    """Say which method and tool a body calls, and whether it takes part of the capacity.

    Answers and notifications don't, since what waits for them holds its part already.
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
    return method[:64], tool[:64], "id" in message


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
    """Refuse with an error of MCP, for its clients show that one's text and no other."""
    error = {"code": INTERNAL_ERROR if refusal.status >= 500 else INVALID_REQUEST, "message": refusal.text}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
