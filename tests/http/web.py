"""The way in over HTTP: sites on real sockets of this machine, real MCP clients, Dixa replaced by the sandbox."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from front_door import Answer, Desk, _result
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult
from pydantic import SecretStr

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace, Pacing
from dixa_mcp.http.door import Limits
from dixa_mcp.http.serve import Serving, running
from dixa_mcp.http.site import Site
from dixa_mcp.sandbox import Sandbox, transport
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.seeding import load
from dixa_mcp.settings import Settings

KEY = "k" * 40
ADMIN = "sandbox-admin-token"
SECOND = "sandbox-second-token"
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of this machine: each would read all certificate authorities, which takes longer than most tests."""
Sleep = Callable[[float], Awaitable[None]]


def modern(method: str, name: str = "", **parameters: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A request of 2026-07-28, and its headers."""
    headers = {**JSON, "mcp-protocol-version": "2026-07-28", "mcp-method": method}
    if name:
        headers["mcp-name"] = name
        parameters["name"] = name
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**parameters, "_meta": dict(META)}}, headers


@dataclass
class Replica:
    """A site that is being served."""

    site: Site
    server: Serving
    sandbox: Sandbox
    base: str

    def http(self, token: str = "", **headers: str) -> httpx2.AsyncClient:
        """A plain HTTP client with these credentials."""
        given = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(
            base_url=self.base,
            headers={**given, **headers},
            timeout=30,
            limits=httpx2.Limits(max_connections=None),
            verify=NO_TLS,
        )

    @asynccontextmanager
    async def desk(
        self, token: str = "", *, era: str = "auto", answer: Answer | None = None, **headers: str
    ) -> AsyncGenerator[Desk]:
        """Connect an MCP client with these credentials."""
        questions: list[str] = []

        async def ask(context: Any, params: ElicitRequestParams) -> ElicitResult:
            questions.append(params.message)
            return await _result(answer or "cancel", params.message)

        async with (
            self.http(token, **headers) as http,
            Client(
                streamable_http_client(f"{self.base}/mcp", http_client=http),
                mode=era,
                elicitation_callback=ask if answer is not None else None,
            ) as client,
        ):
            yield Desk(client, self.sandbox, questions)


@asynccontextmanager
async def replica(
    *flags: str,
    sandbox: Sandbox | None = None,
    key: str = ADMIN,
    paced: bool = False,
    sleep: Sleep = asyncio.sleep,
    limits: dict[str, Any] | None = None,
    audit: tuple[str, ...] = ("--no-audit",),
) -> AsyncGenerator[Replica]:
    """Serve a site with these flags on a free port; without `paced` Dixa's rate doesn't slow a test down."""
    sandbox = sandbox or Sandbox()
    imitation = transport(sandbox, sleep=sleep)

    def connect(token: SecretStr, pace: Pacing) -> Dixa:
        return Dixa(token, transport=imitation, pace=pace if paced else Pace(None))

    settings = Settings.load(["--http", "127.0.0.1:0", *audit, *flags], {})
    own = None if settings.auth == "dixa-token" else SecretStr(key)
    site = Site(settings, connect, own, replace(Limits.of(settings), **limits) if limits else None)
    async with running(site) as server:
        yield Replica(site, server, sandbox, f"http://127.0.0.1:{server.port}")


def on_redis(url: str, key: str = KEY) -> tuple[str, ...]:
    """The flags of a replica on this Redis."""
    return "--redis-url", url, "--state-key", key


def table(directory: Path, *rows: str, **bearers: str) -> Path:
    """Write a table of bearers: names and their bearers, or whole blocks."""
    made = [f'[[caller]]\nname = "{name}"\nsha256 = "{digest(bearer)}"' for name, bearer in bearers.items()]
    file = directory / "callers.toml"
    file.write_text("\n".join([*made, *rows]))
    return file


def digest(bearer: str) -> str:
    """What the table holds of a bearer."""
    return sha256(bearer.encode()).hexdigest()


def more_organisations(sandbox: Sandbox, many: int) -> list[Organisation]:
    """Add organisations like Tarnbridge, each with a name and an admin token of its own."""
    added: list[Organisation] = []
    for number in range(many):
        org = load("tarnbridge", sandbox.clock, sandbox.outbox, 100 + number)
        owner = next(iter(org.tokens.values()))
        org.details = {**org.details, "name": f"Organisation {number}"}
        org.tokens = {f"key-{number}": owner}
        sandbox.organisations[f"organisation-{number}"] = org
        added.append(org)
    return added


@dataclass
class Gate:
    """Holds every slow answer of Dixa until it is opened, so that a test is in the middle of a write."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        """Wait for the gate instead of for time to pass."""
        self.reached.set()
        await self.open.wait()


async def until(true: Callable[[], bool]) -> None:
    """Let the loop go on until something has happened."""
    for _ in range(4000):
        if true():
            return
        await asyncio.sleep(0.005)
    pytest.fail("It never happened.")


async def asked(site: Replica, token: str) -> tuple[str, dict[str, object]]:
    """Begin a reply by hand; returns the question and the parameters that answer it with yes."""
    arguments = {"conversation_id": 10401, "text": "Hello Olivia", "after_message": "29c4c258"}
    body, headers = modern("tools/call", "dixa_send_reply", arguments=arguments)
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {"elicitation": {"form": {}}}
    async with site.http(token) as http:
        said = (await http.post("/mcp", json=body, headers=headers)).json()["result"]
    assert said["resultType"] == "input_required"
    ((key, request),) = said["inputRequests"].items()
    answered = {
        **body["params"],
        "requestState": said["requestState"],
        "inputResponses": {key: {"action": "accept", "content": {"agree": True}}},
    }
    return request["params"]["message"], answered


async def post(site: Replica, token: str, parameters: dict[str, object]) -> tuple[int, str]:
    """Send the second round of a call."""
    _, headers = modern("tools/call", "dixa_send_reply")
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": parameters}
    async with site.http(token) as http:
        answer = await http.post("/mcp", json=body, headers=headers)
    return answer.status_code, answer.text
