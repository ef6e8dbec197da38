"""A client on the sandbox whose every good answer is held against the API document, where that is present."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from contract_oracle import hold_against_document

from dixa_mcp.sandbox import Sandbox, transport

Client = httpx.AsyncClient
Connect = Callable[..., Client]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
async def connect(sandbox: Sandbox) -> AsyncIterator[Connect]:
    """Return a function that opens a client with a token of choice."""
    clients: list[Client] = []

    def open_client(token: str | None = "sandbox-admin-token", **more: Any) -> Client:
        headers = {"Authorization": token} if token else {}
        hooks: dict[str, list[Callable[..., Awaitable[None]]]] = {"response": [hold_against_document]}
        client = Client(
            transport=transport(sandbox, **more), base_url="https://dev.dixa.io/v1", headers=headers, event_hooks=hooks
        )
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        await client.aclose()


@pytest.fixture
def dixa(connect: Connect) -> Client:
    return connect()
