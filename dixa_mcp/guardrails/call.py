"""One call on its way through the guardrails: who calls what, with which arguments, against which Dixa."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from json import dumps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.workspace import Agent
from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.personal import Personal
from dixa_mcp.settings import Settings
from dixa_mcp.state import State
from dixa_mcp.text.outgoing import Mention
from dixa_mcp.toolbox import Effect, Tool

Progress = Callable[[float, float | None, str], Awaitable[None]]


async def no_progress(done: float, total: float | None, message: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. Callers with the same `tenant` share an organisation; `name` tells them apart."""

    tenant: str = "local"
    name: str = "local"
    client: str = ""
    """Name and version the client gave, for the audit file."""
    cap: Effect = Effect.IRREVERSIBLE
    """The worst effect this caller's own rights allow."""
    acting_agent: str = ""
    """Agent bound to this caller; empty means the operator's `--acting-agent`."""


@dataclass(slots=True)
class Call:
    """A tool, its validated arguments, and what it may use. Tools take it to reach Dixa, time and progress."""

    tool: Tool
    arguments: dict[str, Any]
    dixa: Dixa
    caller: Caller
    settings: Settings
    state: State
    personal: Personal | None = None
    """Set where personal data is shown as tokens only."""
    progress: Progress = no_progress
    shows_charts: bool = False
    """The client shows MCP Apps, so charts needn't be drawn with characters."""
    effect: Effect = Effect.READ
    """Judged by `Guardrails.admit`, never by the tool."""
    approved: bool = False
    """A person agreed to exactly this call."""
    token: str = ""
    """The two-step token the model sent back, when the operator allows that."""
    drafting: bool = False
    """Nobody could be asked, so the tool's draft for colleagues runs in its place."""
    strange: list[Mention] = field(default_factory=list[Mention])
    """What the outgoing text mentions and nobody vouches for; filled by `Guardrails.needs_person`."""
    began: bool = False
    """It may have begun to write; set by `Guardrails.run`."""
    inner: "Call | None" = None
    """The call this one stands for, judged by its own rules: what an undo does."""
    read: dict[str, Any] = field(default_factory=dict[str, Any])
    """What this stage of the call read from Dixa and needs again within the same moment."""
    identity: str = field(default="", init=False)
    """What this call creates, however it was spelt; resolved once by `once`."""

    @property
    def lowered(self) -> tuple[str, ...]:
        """Settings of the operator that take a raise of the effect back."""
        return ("close_is_internal",) if self.settings.close_is_internal else ()

    def given(self) -> "Dixa | Call":
        """What the tool's first parameter wants: the client alone, or the whole call."""
        first = next(iter(self.tool.run.__annotations__.values()), None)
        return self.dixa if first is Dixa else self

    async def hidden(self, value: Any) -> Any:
        """What may be shown of a text or structure: the same, or with tokens for what is personal."""
        return await self.personal.hide(value) if self.personal else value

    def forget(self) -> None:
        """Drop what was read, since time has passed or something was written: look again."""
        self.read.clear()

    def digest(self, *names: str) -> str:
        """Fingerprint of the caller's tenant, the tool and its arguments (all of them, or the named ones)."""
        chosen = {name: self.arguments.get(name) for name in (names or sorted(self.arguments))}
        text = dumps([self.caller.tenant, self.tool.name, chosen], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:32]

    async def agent(self) -> Agent:
        """The acting agent.

        Raises:
            Refused: None was set.
            Unresolved: The configured name fits no agent, or several.
        """
        name = self.caller.acting_agent or self.settings.acting_agent
        if not name:
            raise Refused(
                "acting_agent",
                "Dixa wants an agent in whose name this is done, and none is set.",
                "The operator can set one with --acting-agent.",
            )
        return await self.dixa.catalogue.find("agent", name)

    async def acting(self) -> Agent | None:
        """The acting agent where one is set; None leaves the act to the token's owner (notes §11)."""
        if not (self.caller.acting_agent or self.settings.acting_agent):
            return None
        return await self.agent()

    async def zone(self) -> ZoneInfo:
        """The zone times are read and shown in: `--timezone`, else the only schedule's, else UTC."""
        if self.settings.timezone:
            return ZoneInfo(self.settings.timezone)
        try:
            return ZoneInfo(await self.dixa.catalogue.only_timezone() or "UTC")
        except (DixaMcpError, ValueError, ZoneInfoNotFoundError):
            return ZoneInfo("UTC")  # times can be shown all the same; the answer says in which zone

    async def now(self) -> datetime:
        """The present by Dixa's clock, aware."""
        return await self.dixa.now()
