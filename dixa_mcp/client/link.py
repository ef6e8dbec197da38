"""Bytes to Dixa and back: the only module of ours that imports httpx, loaded with the first request.

It knows connections, not meanings: every way httpx can fail becomes one of three errors, and which one says
whether the request can have arrived.
"""

import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar

import anyio
import httpx
from pydantic import SecretStr

from dixa_mcp.client.spans import observed
from dixa_mcp.client.wire import BrokenOff
from dixa_mcp.errors import InvalidArgument, NoAnswer, Sent, Unreachable, Unreadable
from dixa_mcp.text.clean import said

#: Whatever carries requests; a test or the sandbox gives its own.
Transport = httpx.AsyncBaseTransport

#: No request was made, as these, like a timeout of the connection itself, come before its first byte.
_NEVER_ARRIVED = (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol)
#: Seconds to get a connection. Shorter than an answer may take: a host that is there accepts at once.
_CONNECT = 8.0
#: Dixa's own files, with nothing in front that could make them somebody else's.
_FILE_HOST = ".dixa.io"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send as multipart, in Dixa's only such operation (notes §18)."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _NoCookies(CookieJar):
    """Keeps no cookie, and looks for none."""

    def extract_cookies(self, response: object, request: object) -> None: ...


class Link:
    """One pool of connections to one host.

    Args:
        base: the base URL, checked by the caller, without a last slash.
        authorization: what the API wants to see; never sent with a download.
        agent: who we say we are.
        transport: what carries the requests; None for the network.
        private: whether the host is this machine, where a proxy of the environment has no business.
        most: bytes an answer may have.
    """

    def __init__(
        self,
        base: str,
        authorization: SecretStr,
        transport: Transport | None,
        *,
        agent: str,
        private: bool,
        most: int,
    ) -> None:
        # httpx logs every URL, ids and e-mail addresses included, at INFO.
        for name in ("httpx", "httpcore"):
            if (logger := logging.getLogger(name)).level == logging.NOTSET:
                logger.setLevel(logging.WARNING)
        self._base = httpx.URL(base)
        self._prefix = base
        self._authorization = authorization
        # A request is made from these alone, not by the client, whose defaults and cookies have no part in it.
        self._headers = {"User-Agent": agent, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        self._most = most
        self._client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            cookies=_NoCookies(),
            trust_env=not private,
            verify=_tls() if transport is None else True,
            # Idle connections are given up before a gateway does so, for a POST lost on one can't be repeated.
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=20),
        )

    async def exchange(
        self, sent: Sent, template: str, target: str, content: bytes | None, uploads: Sequence[Upload], seconds: float
    ) -> Answer:
        """Send one request, once, and read its answer.

        Args:
            sent: the request, for errors.
            template: its route, for traces.
            target: path and query, encoded.
            content: a JSON body.
            uploads: files, instead of a JSON body.
            seconds: how long all of it may take.
        """
        headers = self._headers | {"Authorization": self._authorization.get_secret_value()}
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = httpx.Request(
            sent.method,
            self._prefix + target,
            headers=headers,
            content=content,
            files=[("files", (each.name, each.data, each.media_type)) for each in uploads] or None,
            extensions=_timeouts(seconds),
        )
        with observed(sent.method, template, self._base.host) as answered:
            answer = await self._carry(sent, request, seconds, self._most)
            answered(answer.status)
        return answer

    async def fetch(self, url: str, seconds: float, most: int) -> tuple[Sent, Answer]:
        """Download a file of Dixa's, without the token.

        Raises:
            InvalidArgument: the address isn't one of Dixa's.
        """
        address = self._file_address(url)
        sent = Sent("GET", "a file of Dixa's")
        request = httpx.Request(
            "GET", address, headers=self._headers | {"Accept": "*/*"}, extensions=_timeouts(seconds)
        )
        return sent, await self._carry(sent, request, seconds, most)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _carry(self, sent: Sent, request: httpx.Request, seconds: float, most: int) -> Answer:
        answering = False
        try:
            with anyio.fail_after(seconds):
                response = await self._client.send(request, stream=True, auth=None)
                answering = True
                try:
                    body = await _read(sent, response, most)
                except BaseException:
                    # Giving the connection back mustn't be cut short, or the pool would lose it.
                    with anyio.move_on_after(1, shield=True):
                        await response.aclose()
                    raise
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(sent, "Dixa could not be reached in time") from error
        except _NEVER_ARRIVED as error:
            raise Unreachable(sent, f"Dixa could not be reached: {said(str(error)) or 'no connection'}") from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise NoAnswer(sent, f"Dixa did not answer within {max(1, round(seconds))} s") from error
        except httpx.DecodingError as error:
            raise Unreadable(sent, "Dixa's answer could not be unpacked") from error
        except httpx.HTTPError as error:
            if answering:
                raise BrokenOff(sent, "Dixa's answer broke off") from error
            raise NoAnswer(sent, "The connection to Dixa broke before an answer came") from error
        return Answer(response.status_code, response.headers, body)

    def _file_address(self, url: str) -> httpx.URL:
        try:
            address = httpx.URL(url)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise InvalidArgument("This is no address of a file.") from error
        ours = (address.scheme, address.host, address.port) == (self._base.scheme, self._base.host, self._base.port)
        dixas = address.scheme == "https" and address.port is None and address.host.endswith(_FILE_HOST)
        # A backslash is a slash to some parsers; then host and path would be read differently here and there.
        if "\\" in url or address.userinfo or not (ours or dixas):
            raise InvalidArgument("Files are fetched from Dixa's own hosts only.")
        return address


@cache
def _tls() -> ssl.SSLContext:
    """Load the certificates once a process; each tenant has a link of its own."""
    return httpx.create_ssl_context()


async def _read(sent: Sent, response: httpx.Response, most: int) -> bytes:
    """Read at most `most` bytes, counted after unpacking."""
    size = response.headers.get("content-length", "")
    if size.isdecimal() and int(size) > most:
        raise Unreadable(sent, f"Dixa's answer is larger than {most:,} bytes")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            raise Unreadable(sent, f"Dixa's answer is larger than {most:,} bytes")
    return bytes(body)


def _timeouts(seconds: float) -> dict[str, object]:
    first = min(_CONNECT, seconds)
    return {"timeout": {"connect": first, "pool": first, "read": seconds, "write": seconds}}
