"""Dixa: `send` (once) ← `get` and `ask` (patient) ← `page` and `pages` (follow).

There are no methods for endpoints: callers pass the path of Dixa's documentation, built by `paths.at`, and
small dicts. A new operation costs nothing here.
"""

import json
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast
from urllib.parse import unquote, urlsplit

import anyio
from pydantic import SecretStr

from dixa_mcp import __version__
from dixa_mcp.client import landed
from dixa_mcp.client.deadline import AT_ONCE, in_time, left, remaining, slot
from dixa_mcp.client.pace import Pace, Pacing, ShutError
from dixa_mcp.client.paths import Path, at, query_string
from dixa_mcp.client.patience import jittered, patiently, surely_nothing_happened, worth_another_try
from dixa_mcp.client.wire import Reply, date_of, decode
from dixa_mcp.errors import DixaMcpError, OutOfTime, Sent, SettingsError, TooManyRequests

if TYPE_CHECKING:  # httpx costs a quarter of a second, which the list of tools must not pay
    from dixa_mcp.client.catalogue import Catalogue
    from dixa_mcp.client.link import Answer, Link, Transport, Upload

BASE_URL = "https://dev.dixa.io/v1"
#: Seconds everybody waits at most after the first 429 that doesn't say how long; doubled with each (notes §3).
_FIRST_PAUSE = 1.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and the key of the next one if there is any."""

    items: list[Any]
    next_key: str | None


@dataclass(frozen=True, slots=True)
class File:
    """A downloaded file. Name and media type are what the other side says; nothing vouches for them."""

    name: str
    media_type: str
    data: bytes


class Dixa:
    """One organisation of Dixa, seen with one token.

    Args:
        token: the API token; never shown, logged or sent to another host.
        base_url: https, or http on this machine.
        scheme: how the token is put into `Authorization`: as it is, or after `Bearer` (notes §2).
        transport: what carries the requests, or what makes it when the first one is sent; None for the network.
        pace: the token's pace, shared by all that use the token; None for one of its own.
        max_bytes: the largest answer that is read.
        timeout: seconds one request may take, within the deadline of the call.

    Raises:
        SettingsError: a token or base URL that can't be used.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str = BASE_URL,
        scheme: Literal["raw", "bearer"] = "raw",
        transport: "Transport | Callable[[], Transport] | None" = None,
        pace: Pacing | None = None,
        max_bytes: int = 20_000_000,
        timeout: float = 20.0,
    ) -> None:
        secret = token.get_secret_value()
        if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
            raise SettingsError("The Dixa token is empty or holds characters no token has; copy it again.")
        self._authorization = SecretStr(secret if scheme == "raw" else f"Bearer {secret}")
        self._base, self.host, self._private = _checked(base_url)
        self._transport = transport
        self._pace: Pacing = pace or Pace()
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._ahead: timedelta | None = None
        self._opened: Link | None = None
        #: Called after every request that may have changed something, with its method and path.
        self.on_write: list[Callable[[str, Path], None]] = []
        #: Called after every request with its method and the status of the answer, 0 when none came.
        self.on_answer: list[Callable[[str, int], None]] = []
        #: Called with every answer's path template and data.
        self.on_read: list[Callable[[str, Any], None]] = []

    def __repr__(self) -> str:
        return f"<Dixa {self.host}>"

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The cached lists of this organisation."""
        from dixa_mcp.client.catalogue import Catalogue  # noqa: PLC0415 - it imports this module

        return Catalogue(self)

    async def send(
        self,
        method: str,
        path: Path,
        body: Any = None,
        *,
        query: Mapping[str, object] | None = None,
        uploads: "Sequence[Upload]" = (),
    ) -> Reply:
        """Send a request that may change something, once.

        It is tried again only when the answer proves that nothing happened: a 429, or a connection that was
        never made. After anything else the caller has to look before it repeats.

        Raises:
            ApiError: Dixa refused; `changed` of the error tells whether it may have happened all the same.
            TransportError: as above.
            OutOfTime: the deadline came before it was sent.
        """
        sent = _sent(method, path)
        try:
            reply = await patiently(
                sent, surely_nothing_happened, lambda: self._once(sent, path, body, query, uploads), self._slow_down
            )
            landed.note(sent)
            return reply
        finally:
            if sent.writes:
                for told in self.on_write:
                    told(method, path)

    async def get(self, path: Path, **query: object) -> Any:
        """Read something and return its data; repeated while Dixa is busy, within the deadline.

        Raises:
            ApiError: Dixa answered with an error.
            TransportError: no usable answer came, however often it was tried.
            OutOfTime: the deadline came first.
        """
        return (await self._read("GET", path, None, query)).data

    async def ask(self, path: Path, body: Any, **query: object) -> Any:
        """Read something by a POST that changes nothing (search, analytics); as patient as `get`."""
        return (await self._read("POST", path, body, query)).data

    async def page(
        self, path: Path, *, limit: int | None = None, key: str | None = None, body: Any = None, **query: object
    ) -> Page:
        """Read one page of a list: the first, or the one that `key` of the page before names.

        With a `body` the list is asked for by POST; Dixa wants the same body with every page (notes §6).
        """
        asked = query | {"pageLimit": limit, "pageKey": key}
        reply = await self._read("GET" if body is None else "POST", path, body, asked)
        data: Any = reply.data
        items = cast("list[Any]", data) if isinstance(data, list) else []
        # Dixa was seen to name a next page after an empty one (notes §6).
        return Page(items, reply.next if items and reply.next != key else None)

    async def pages(
        self, path: Path, *, limit: int | None = None, body: Any = None, **query: object
    ) -> AsyncGenerator[Page]:
        """Follow a list page by page, as far as the caller goes on reading."""
        key: str | None = None
        while True:
            page = await self.page(path, limit=limit, key=key, body=body, **query)
            yield page
            if (key := page.next_key) is None:
                return

    async def download(self, url: str, most: int | None = None) -> File:
        """Fetch a file of a message: from Dixa's hosts only, without the token, of at most `most` bytes.

        Raises:
            InvalidArgument: the address is somebody else's.
            ApiError, TransportError, OutOfTime: as `get`.
        """

        async def attempt() -> "Answer":
            async with slot():
                sent, answer = await self._link.fetch(url, min(self._timeout, left()), most or self._max_bytes)
            if answer.status != 200:
                decode(sent, max(answer.status, 300), answer.headers, answer.body)
            return answer

        async def give_up(_error: DixaMcpError, _tried: int) -> float:
            return math.inf  # a file host's limit isn't the token's

        answer = await patiently(Sent("GET", "a file"), worth_another_try, attempt, give_up)
        name = unquote(urlsplit(url).path.rpartition("/")[2])
        return File(name, answer.headers.get("content-type", ""), answer.body)

    async def all(
        self,
        thunks: Iterable[Callable[[], Awaitable[T]]],
        at_once: int = AT_ONCE,
        progress: Callable[[int, int], Awaitable[None]] | None = None,
    ) -> list[T | DixaMcpError]:
        """Run many reads or writes, a few at once, and return each one's result or error, in their order.

        When the deadline comes, what is done is done and the rest are `OutOfTime`: nothing is cut off in the
        air, for then nobody would know what became of it. `progress` is awaited with (done, of) after each.
        """
        work = list(thunks)
        results: list[T | DixaMcpError] = [OutOfTime("The time for this call was up before its turn")] * len(work)
        waiting = iter(range(len(work)))
        done = 0

        async def worker() -> None:
            nonlocal done
            for index in waiting:
                if remaining() <= 0:
                    return
                try:
                    results[index] = await work[index]()
                except DixaMcpError as error:
                    results[index] = error
                done += 1
                if progress:
                    await progress(done, len(work))

        try:
            async with anyio.create_task_group() as group:
                for _ in range(min(at_once, len(work))):
                    group.start_soon(worker)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # a bug in one of them; the group would only hide it
        return results

    async def now(self) -> datetime:
        """Return the time by Dixa's clock, in UTC; asks for the organisation if no answer was heard yet."""
        if self._ahead is None:
            await self.get(at("/organization"))
        return datetime.now(UTC) + (self._ahead or timedelta())

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened:
            await self._opened.aclose()
            self._opened = None

    @property
    def _link(self) -> "Link":
        if self._opened is None:
            from dixa_mcp.client.link import Link, Transport  # noqa: PLC0415 - loads httpx, see above

            given = self._transport
            self._opened = Link(
                self._base,
                self._authorization,
                given if given is None or isinstance(given, Transport) else given(),
                agent=f"dixa-mcp/{__version__}",
                private=self._private,
                most=self._max_bytes,
            )
        return self._opened

    async def _read(self, method: str, path: Path, body: Any, query: Mapping[str, object]) -> Reply:
        sent = _sent(method, path)
        if sent.writes:
            raise ValueError(f"{method} {path.template} isn't a read, so it must not be repeated")
        return await patiently(
            sent, worth_another_try, lambda: self._once(sent, path, body, query, ()), self._slow_down
        )

    async def _slow_down(self, error: TooManyRequests, tried: int) -> float:
        """Let a 429 stop everybody on this token, not only the call that met it; return for how long."""
        if error.quota:
            now = datetime.now(UTC) + (self._ahead or timedelta())
            midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
            wait = (midnight - now).total_seconds()
            await self._pace.close(wait)
        else:
            wait = jittered(_FIRST_PAUSE, tried) if error.retry_after is None else error.retry_after
            await self._pace.pause(wait)
        return wait

    async def _once(
        self, sent: Sent, path: Path, body: Any, query: Mapping[str, object] | None, uploads: "Sequence[Upload]"
    ) -> Reply:
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        target = path + query_string(query or {})
        async with slot():
            try:
                with in_time():
                    await self._pace.turn()
            except ShutError as error:
                raise TooManyRequests(sent, retry_after=error.seconds, quota=error.quota) from error
            status = 0
            try:
                answer = await self._link.exchange(
                    sent, path.template, target, content, uploads, min(self._timeout, left())
                )
                status = answer.status
            finally:
                for heard in self.on_answer:
                    heard(sent.method, status)
        if date := date_of(answer.headers):
            self._ahead = date - datetime.now(UTC)
        reply = decode(sent, answer.status, answer.headers, answer.body)
        for told in self.on_read:
            told(path.template, reply.data)
        return reply


def _sent(method: str, path: Path) -> Sent:
    if not isinstance(path, Path):  # pyright: ignore[reportUnnecessaryIsInstance] - the lock on every id
        raise TypeError("a path is made by at()")
    return Sent(method, path)


def _checked(base_url: str) -> tuple[str, str, bool]:
    """Return the base URL without a last slash, its host, and whether that is this machine."""
    refusal = SettingsError(
        "The base URL must be https (http on this machine only), without user, query or fragment, "
        f"for instance {BASE_URL}."
    )
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise refusal from error
    private = host in _LOOPBACK
    # What two parsers could read differently is refused, for httpx will parse it again.
    plain = base_url.isascii() and base_url.isprintable() and not any(c in base_url for c in " ?#@\\%")
    dotted = any(part in {".", ".."} for part in parts.path.split("/"))
    safe = parts.scheme == "https" or (parts.scheme == "http" and private)
    if not host or port == 0 or not plain or dotted or not safe:
        raise refusal
    return base_url.rstrip("/"), host, private
