"""The real network path, against a server on loopback that answers raw bytes."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

import pytest
from opentelemetry import trace
from pydantic import SecretStr
from simulation import TOKEN

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.link import Link
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.paths import at
from dixa_mcp.errors import NoAnswer, Sent, Unreachable, Unreadable

CLOSE = at("/conversations/{id}/close", id=10401)
QUEUES = at("/queues")


def http(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def serving(*answers: bytes, patience: float = 20.0) -> AsyncGenerator[tuple[Dixa, list[bytes]]]:
    """Serve these answers, one a connection, and hang up after each; b"" hangs up at once."""
    left, heard, serving_now = list(answers), list[bytes](), list[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving_now.append(cast("asyncio.Task[Any]", asyncio.current_task()))
        with suppress(ConnectionError):  # the client may hang up first
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer == b"hang":
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dixa = Dixa(SecretStr(TOKEN), base_url=f"http://127.0.0.1:{port}/v1", pace=Pace(None), timeout=patience)
    try:
        yield dixa, heard
    finally:
        await dixa.aclose()
        await asyncio.gather(*serving_now)
        server.close()
        await server.wait_closed()


async def test_a_request_goes_out_as_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes on the wire; and no proxy of the environment between us and this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with serving(http(b"", "Connection: close")) as (dixa, heard):
        await dixa.send("PUT", at("/contact-endpoints/{id}", id="+45 31@x"), {})
    assert heard[0].startswith(b"PUT /v1/contact-endpoints/%2B45%2031%40x HTTP/1.1\r\n")
    assert f"\r\nauthorization: {TOKEN}\r\n".encode() in heard[0].replace(b"Authorization", b"authorization")


async def test_a_write_whose_answer_was_truncated_is_not_repeated() -> None:
    """Fewer bytes than announced: the connection broke, after Dixa had answered (design §7)."""
    async with serving(http(b'{"data": [', length=5000)) as (dixa, heard):
        with pytest.raises(Unreadable, match="broke off") as caught:
            await dixa.send("PUT", CLOSE, {})
        assert (len(heard), caught.value.changed) == (1, None)


async def test_a_connection_that_is_hung_up_leaves_a_write_unknown() -> None:
    """Sent, but no answer came."""
    async with serving(b"") as (dixa, heard):
        with pytest.raises(NoAnswer) as caught:
            await dixa.send("PUT", CLOSE, {})
        assert (len(heard), caught.value.changed) == (1, None)


async def test_what_is_no_http_is_no_answer() -> None:
    """Whatever listens there, it isn't Dixa."""
    async with serving(b"SSH-2.0-OpenSSH_9.6\r\n") as (dixa, _):
        with pytest.raises(NoAnswer):
            await dixa.send("PUT", CLOSE, {})


async def test_a_server_that_never_answers_is_given_up() -> None:
    """The request's own timeout, where the call has no deadline."""
    async with serving(b"hang", patience=0.05) as (dixa, heard):
        with pytest.raises(NoAnswer, match="did not answer"):
            await dixa.send("PUT", CLOSE, {})
        assert len(heard) == 1


async def test_nobody_listening_means_that_nothing_happened() -> None:
    """Connection refused: a write may be tried again (design §4.5)."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    link = Link(f"http://127.0.0.1:{port}", SecretStr(TOKEN), None, agent="test", private=True, most=100)
    with pytest.raises(Unreachable) as caught:
        await link.exchange(Sent("PUT", CLOSE), CLOSE.template, CLOSE, b"{}", (), 5)
    assert caught.value.changed is False
    await link.aclose()


async def test_a_packed_answer_is_unpacked_and_its_size_counted_after() -> None:
    """A small answer can unpack to a large one."""
    packed = http(gzip.compress(b'{"data": [1]}'), "Content-Encoding: gzip", "Connection: close")
    bomb = http(gzip.compress(b" " * 30_000_000), "Content-Encoding: gzip", "Connection: close")
    broken = http(b"\x1f\x8bnot gzip at all", "Content-Encoding: gzip", "Connection: close")
    async with serving(packed, bomb, broken) as (dixa, _):
        assert await dixa.get(QUEUES) == [1]
        with pytest.raises(Unreadable, match="larger"):
            await dixa.get(QUEUES)
        with pytest.raises(Unreadable, match="unpacked"):
            await dixa.get(QUEUES)


class Spans(trace.TracerProvider, trace.Tracer, trace.NonRecordingSpan):
    """A provider, its tracer and its span in one: remembers names and attributes."""

    def __init__(self) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)
        self.names: list[str] = []
        self.facts: dict[str, object] = {}

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return self

    def start_span(self, name: str, *args: Any, attributes: Any = None, **kwargs: Any) -> trace.Span:
        self.names.append(name)
        self.facts |= attributes
        return self

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - the same to callers
        yield self  # the SDK's own spans, in whichever tests this process runs later

    def set_attributes(self, attributes: Any) -> None:
        self.facts |= attributes


async def test_a_span_shows_the_route_and_no_id() -> None:
    """Traces go to other people than conversations do (design §7)."""
    spans = Spans()
    trace.set_tracer_provider(spans)
    async with serving(http(b"", "Connection: close"), b"") as (dixa, _):
        await dixa.send("PUT", CLOSE, query={"email": "a@b.example"})
        assert spans.facts["http.response.status_code"] == 200
        with pytest.raises(NoAnswer):
            await dixa.send("PUT", CLOSE, query={"email": "a@b.example"})
    assert spans.names == ["PUT /conversations/{id}/close"] * 2
    assert spans.facts["error.type"] == "NoAnswer"
    assert "10401" not in repr(spans.facts)
    assert "a@b.example" not in repr(spans.facts)
