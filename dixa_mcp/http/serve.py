"""Serving with uvicorn: the limits of connections, and an end that lets calls finish and is bounded."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from dixa_mcp.http.front import Address
from dixa_mcp.http.site import Site

HEAD_WITHIN = 10.0
"""Seconds the head of a request may take to arrive."""
TAKEN_WITHIN = 30.0
"""Seconds a client may leave an answer lying that is larger than the buffers on the way."""
IDLE = 30
"""Seconds a connection may be open without a request."""


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP, which by itself would wait for ever: for a head that drips in, for an answer to be taken."""

    head_within = HEAD_WITHIN
    taken_within = TAKEN_WITHIN
    _late: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is whole ends the wait, one that has only begun doesn't."""
        if self._reading_head() and self._late is None:
            self._expect()
        super().data_received(data)
        if not self._reading_head():
            self._arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._arrived()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the client to take what is written, but not for ever: its call holds a place."""
        super().pause_writing()
        self._untaken = self.loop.call_later(self.taken_within, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, since it was taken."""
        self._taken()
        super().resume_writing()

    def _reading_head(self) -> bool:
        # Typed as always there, but None before the first request.
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def _expect(self) -> None:
        self._late = self.loop.call_later(self.head_within, self._give_up)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _give_up(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.close()


class Serving(uvicorn.Server):
    """A server whose end is graceful: no new calls, streams closed, calls finished, all within `--grace`."""

    def __init__(self, site: Site, app: Starlette, address: Address, *, lifespan: bool = True) -> None:
        application: Any = app
        config = uvicorn.Config(
            application,
            address.host,
            address.port,
            http=PatientProtocol,
            ws="none",
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE,
            timeout_graceful_shutdown=max(1, round(site.settings.grace)),
        )
        super().__init__(config)
        self.site = site

    async def shutdown(self, sockets: Any = None) -> None:
        """Close what would stay open, then wait for the rest."""
        self.site.close_streams()
        await super().shutdown(sockets)
        # uvicorn would raise the signal again, and an end that went well would look like a crash.
        self._captured_signals.clear()

    @property
    def port(self) -> int:
        """The port it listens on, once it does."""
        return self.servers[0].sockets[0].getsockname()[1]


async def serve(site: Site) -> None:
    """Serve until the process is told to stop."""
    async with AsyncExitStack() as stack:
        if site.front.metrics:
            await stack.enter_async_context(
                beside(Serving(site, site.metrics_app(), site.front.metrics, lifespan=False))
            )
        server = Serving(site, site.app, site.front.address)
        await server.serve()


@asynccontextmanager
async def running(site: Site) -> AsyncGenerator[Serving]:
    """Serve a site while the block runs; port 0 takes a free one."""
    server = Serving(site, site.app, site.front.address)
    async with beside(server):
        yield server


@asynccontextmanager
async def beside(server: Serving) -> AsyncGenerator[None]:
    """Let a server run while the block does, without touching the process's signals."""
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    loop = asyncio.ensure_future(server.main_loop())
    try:
        yield
    finally:
        server.should_exit = True
        await loop
        await server.shutdown()
