"""Faults at the socket: the connection a request came in on is broken or cut short."""

import socket
import struct
from collections.abc import MutableMapping
from typing import Any

from dixa_mcp.sandbox.wire import Answer

#: Where `loopback` leaves the asyncio transport of a connection in the ASGI scope.
KEY = "dixa_mcp.transport"


def break_off(scope: MutableMapping[str, Any]) -> None:
    """Reset the connection: no linger, so that the other side gets an RST instead of an end."""
    transport = _transport(scope)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def cut_off(scope: MutableMapping[str, Any], answer: Answer) -> None:
    """Promise a whole body, send half of it, and hang up."""
    content = answer.content
    lines = [
        f"HTTP/1.1 {answer.status} OK",
        "content-type: application/json",
        f"content-length: {len(content)}",
        f"date: {answer.headers.get('Date', '')}",
    ]
    transport = _transport(scope)
    transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content[: len(content) // 2])
    transport.close()


def _transport(scope: MutableMapping[str, Any]) -> Any:
    if KEY not in scope:
        raise RuntimeError("faults at the socket need `serve`; in process use `transport`")
    return scope[KEY]
