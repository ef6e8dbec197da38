"""The sandbox on a port of this machine, so that any Dixa client can be pointed at it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dixa_mcp.sandbox.asgi import Receive, Scope, Send, app
from dixa_mcp.sandbox.core import Sandbox
from dixa_mcp.sandbox.sockets import KEY


class OpenProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with the connection put into the scope for the faults."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: Any = self.app

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope[KEY] = self.transport
            await inner(scope, receive, send)

        self.app: Any = with_connection


def _server(sandbox: Sandbox, host: str, port: int) -> uvicorn.Server:
    if host != "localhost" and not ip_address(host).is_loopback:
        raise ValueError(f"the sandbox has no secrets and no locks: it listens on loopback only, not on {host}")
    application: Any = app(sandbox)
    config = uvicorn.Config(
        application,
        host,
        port,
        http=OpenProtocol,
        log_level="error",
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,  # an answer that is slow on purpose must not hold up the end
    )
    return uvicorn.Server(config)


async def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 8766) -> None:
    """Serve the sandbox on loopback until it is cancelled or the process is told to stop.

    Raises:
        ValueError: a host beyond loopback.
    """
    await _server(sandbox, host, port).serve()


@asynccontextmanager
async def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
    """Serve the sandbox while the block runs, and give its base address; port 0 takes a free one."""
    server = _server(sandbox, host, port)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    loop = asyncio.ensure_future(server.main_loop())
    try:
        yield f"http://{host}:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        await loop
        await server.shutdown()
