"""A network that misbehaves on demand: TCP between a client and a server, driven by what passes, not by time."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal[
    "reset",  # RST as the request comes; nothing of it is passed on
    "black_hole",  # the request is taken and never passed on; nobody ever answers
    "cut_request",  # half of it is passed on, then both sides are closed
    "lose_answer",  # passed on whole; when the answer comes, the asker gets RST instead
    "close_instead",  # the same, with a proper end in place of the answer
    "truncate",  # half of the answer, then the end
    "stall",  # half of the answer, then nothing any more
    "drip",  # the answer comes whole, byte by byte
    "hold",  # the answer waits until the test lets it go
    "say",  # nothing is passed on; `words` are the answer
]
SIZE = 1 << 16


@dataclass(eq=False)
class Fault:
    """One thing that goes wrong with requests that hold `when`; `times` 0 is until it is taken back."""

    kind: Kind
    when: bytes = b""
    times: int = 1
    words: bytes = b""
    met: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request met it; for faults of an answer, when that has come."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    """What a held answer waits for."""


@dataclass(eq=False)
class _Pair:
    """One connection of a client, and the one to the server that belongs to it."""

    asker: asyncio.StreamWriter
    server: asyncio.StreamWriter
    fault: Fault | None = None

    def reset(self) -> None:
        """End it without a goodbye: no linger, so that the client gets an RST."""
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.asker.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.asker.transport.abort()
        self.server.transport.abort()


class FaultProxy:
    """Stands between a client and `target`, which may be changed; `port` stays the same."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self.accepted = 0
        self._faults: list[Fault] = []
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    @property
    def open(self) -> int:
        """Connections that are open at this moment."""
        return len(self._pairs)

    def add(self, kind: Kind, when: bytes = b"", times: int = 1, words: bytes = b"") -> Fault:
        """Let this happen to the next requests that hold `when`."""
        fault = Fault(kind, when, times, words)
        self._faults.append(fault)
        return fault

    def take_back(self, fault: Fault) -> None:
        """Let it happen no more."""
        self._faults.remove(fault)

    def cut_all(self) -> None:
        """Reset every connection there is."""
        for pair in list(self._pairs):
            pair.reset()

    async def listen(self) -> None:
        """Take connections."""
        self._listening = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no more connections, and end those there are."""
        assert self._listening is not None
        self._listening.close()
        self.cut_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        with suppress(OSError):
            try:
                there, back = await asyncio.open_connection(*self.target)
                try:
                    await self._carry(_Pair(writer, back), reader, there)
                finally:
                    back.close()
            finally:
                writer.close()

    async def _carry(self, pair: _Pair, asker: asyncio.StreamReader, server: asyncio.StreamReader) -> None:
        """Pass on both ways until one side ends."""
        self._pairs.add(pair)
        ways = [asyncio.ensure_future(self._requests(pair, asker)), asyncio.ensure_future(self._answers(pair, server))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pairs.discard(pair)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _meets(self, data: bytes) -> Fault | None:
        for fault in self._faults:
            if fault.when in data:
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None

    async def _requests(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(SIZE):
            pair.fault = pair.fault or self._meets(data)
            match pair.fault and pair.fault.kind:
                case "reset":
                    self._met(pair)
                    pair.reset()
                    return
                case "black_hole":
                    self._met(pair)
                    continue
                case "say":
                    assert pair.fault is not None
                    pair.asker.write(pair.fault.words)
                    self._met(pair)
                    pair.fault = None
                case "cut_request":
                    pair.server.write(data[: len(data) // 2])
                    await pair.server.drain()
                    self._met(pair)
                    return
                case _:
                    pair.server.write(data)
                    await pair.server.drain()

    async def _answers(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(SIZE):
            match pair.fault and pair.fault.kind:
                case "lose_answer":
                    self._met(pair)
                    pair.reset()
                    return
                case "close_instead":
                    self._met(pair)
                    return
                case "truncate":
                    pair.asker.write(data[: len(data) // 2])
                    await pair.asker.drain()
                    self._met(pair)
                    return
                case "stall":
                    pair.asker.write(data[: len(data) // 2])
                    self._met(pair)
                    await asyncio.Event().wait()
                case "drip":
                    self._met(pair)
                    for at in range(len(data)):
                        pair.asker.write(data[at : at + 1])
                        await asyncio.sleep(0)
                case "hold":
                    assert pair.fault is not None
                    pair.fault.met.set()
                    await pair.fault.go.wait()
                    pair.asker.write(data)
                case _:
                    pair.asker.write(data)
            await pair.asker.drain()
            pair.fault = None
        if pair.fault and pair.fault.kind == "black_hole":
            await asyncio.Event().wait()  # the server's end of an idle connection isn't heard either

    @staticmethod
    def _met(pair: _Pair) -> None:
        assert pair.fault is not None
        pair.fault.met.set()


@asynccontextmanager
async def proxied(address: str) -> AsyncGenerator[tuple[FaultProxy, str]]:
    """Put a proxy in front of a URL; yields it, and the URL that leads through it."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    proxy = FaultProxy((parts.hostname, parts.port))
    await proxy.listen()
    try:
        yield proxy, parts._replace(netloc=parts.netloc.replace(str(parts.port), str(proxy.port))).geturl()
    finally:
        await proxy.refuse()
