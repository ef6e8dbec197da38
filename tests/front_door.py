"""The front door for tests: a real MCP client, on either protocol era, against the real server.

Only Dixa's HTTP is replaced, by the sandbox. Nothing of ours is mocked.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import ElicitRequestParams, ElicitResult, TextContent
from pydantic import SecretStr

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace
from dixa_mcp.sandbox import Sandbox, transport
from dixa_mcp.server.assembly import assemble
from dixa_mcp.settings import Settings
from dixa_mcp.state import State

SHARED = Path(__file__).parents[2] / "shared"


@dataclass
class Said:
    """What a tool answered."""

    text: str
    failed: bool
    structured: Any = None
    content: list[Any] = field(default_factory=list[Any])


@dataclass
class Desk:
    """A client connected to a server on a sandbox, and the questions it was asked."""

    client: Client
    sandbox: Sandbox
    questions: list[str] = field(default_factory=list[str])

    async def call(self, tool: str, /, **arguments: Any) -> Said:
        """Call a tool, with its name with or without `dixa_`."""
        result = await self.client.call_tool(tool if tool.startswith("dixa_") else f"dixa_{tool}", arguments)
        texts = [block.text for block in result.content if isinstance(block, TextContent)]
        return Said("\n".join(texts), bool(result.is_error), result.structured_content, list(result.content))

    @property
    def writes(self) -> list[str]:
        """The requests that could change something, as the sandbox saw them."""
        reads = ("/search/", "/analytics/")
        return [
            f"{r.method} {r.path}"
            for r in self.sandbox.requests
            if r.method != "GET" and not r.path.removeprefix("/v1").startswith(reads)
        ]


Answer = str | dict[str, Any] | Callable[[str], Any]
"""`yes`, `no`, `decline`, `cancel`, form content, or a function of the question."""


async def _result(answer: Answer, question: str) -> ElicitResult:
    given: Any = answer(question) if callable(answer) else answer
    if isawaitable(given):
        given = await given
    if isinstance(given, ElicitResult):
        return given
    if isinstance(given, dict):
        return ElicitResult(action="accept", content=given)
    if given in {"yes", "no"}:
        return ElicitResult(action="accept", content={"agree": given == "yes"})
    return ElicitResult(action=given)


@asynccontextmanager
async def desk(
    *flags: str,
    era: str = "auto",
    answer: Answer | None = None,
    sandbox: Sandbox | None = None,
    token: str = "sandbox-admin-token",
    dixa: Dixa | None = None,
    state: State | None = None,
    audit: Sequence[str] = ("--no-audit",),
) -> AsyncGenerator[Desk]:
    """Open a client on a server with these flags.

    `answer` is how the person answers (None: can't be asked); `dixa` another way to the sandbox than in process.
    """
    sandbox = sandbox or Sandbox()
    dixa = dixa or Dixa(SecretStr(token), transport=transport(sandbox), pace=Pace(None))
    server = assemble(Settings.load([*audit, *flags], {}), dixa, state)
    questions: list[str] = []

    async def ask(context: Any, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return await _result(answer or "cancel", params.message)

    async with Client(server, mode=era, elicitation_callback=ask if answer is not None else None) as client:
        try:
            yield Desk(client, sandbox, questions)
        finally:
            await dixa.aclose()


MIA = ("--acting-agent", "Mia Lindqvist")
