"""The organisations that are kept ready: each has a client, a pace, catalogues and pseudonyms of its own.

What must outlive them (budgets, journal, consents, the map of pseudonyms) is in `State`, keyed by organisation
and caller, so one that goes and comes back is as it was.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace, Pacing
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.guardrails import Guardrails
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.personal import Personal
from dixa_mcp.http.callers import Visitor, fingerprint
from dixa_mcp.http.metrics import Figures, WatchedPace
from dixa_mcp.http.visits import Visit, current
from dixa_mcp.server.assembly import listen
from dixa_mcp.server.frame import Tenant
from dixa_mcp.settings import Settings
from dixa_mcp.state import State

Connect = Callable[[SecretStr, Pacing], Dixa]
"""Make a client with this token and this pace."""
Paces = Callable[[str], Pacing]
"""Make the pace of the token with this fingerprint."""


@dataclass(slots=True)
class _Ready:
    dixa: Dixa
    personal: Personal | None
    in_use: int = 0


@dataclass(slots=True)
class Pool:
    """The organisations kept ready, the longest unused one first to go. One that is in use never goes."""

    settings: Settings
    connect: Connect
    guardrails: Guardrails
    state: State
    figures: Figures
    key: SecretStr | None
    """The server's own Dixa token; None where each caller brings one."""
    paces: Paces | None = None
    """Paces that replicas share; None for paces of this process."""
    _ready: OrderedDict[str, _Ready] = field(default_factory=OrderedDict[str, _Ready])

    def visit(self, visitor: Visitor, agent: str = "") -> tuple[Visit, SecretStr]:
        """Say whose request it is, and with which token Dixa is asked; `agent` acts where credentials name none."""
        key = visitor.key or self.key
        assert key is not None  # noqa: S101 - the gate that lets callers in without a token goes with a key
        organisation = fingerprint(key)
        caller = Caller(organisation, visitor.name, cap=visitor.cap, acting_agent=visitor.agent or agent)
        return Visit(caller, organisation), key

    async def enter(self, visit: Visit, key: SecretStr) -> None:
        """Get an organisation ready and hold it, until `leave`."""
        ready = self._ready.get(visit.organisation)
        if ready is None:
            ready = self._ready[visit.organisation] = self._open(visit.organisation, key)
        ready.in_use += 1
        self._ready.move_to_end(visit.organisation)
        try:
            await self._make_room()
        except BaseException:
            ready.in_use -= 1
            raise

    def leave(self, visit: Visit) -> None:
        """Let go of an organisation."""
        self._ready[visit.organisation].in_use -= 1

    def hold(self, visit: Visit) -> None:
        """Hold an organisation that is ready, once more."""
        self._ready[visit.organisation].in_use += 1

    def tenant(self) -> Tenant:
        """What this request's call runs against."""
        visit = current.get()
        ready = self._ready[visit.organisation]
        return Tenant(
            dixa=ready.dixa,
            caller=visit.caller,
            settings=self.settings,
            state=self.state,
            guardrails=self.guardrails,
            personal=ready.personal,
            watch=self.figures.call,
        )

    async def aclose(self) -> None:
        """Close all clients."""
        while self._ready:
            _, ready = self._ready.popitem()
            await _closed(ready.dixa)

    def __len__(self) -> int:
        return len(self._ready)

    def _open(self, organisation: str, key: SecretStr) -> _Ready:
        settings = self.settings
        personal = Personal(self.state, organisation) if settings.pii == "pseudonymise" else None
        pace = self.paces(organisation) if self.paces else Pace(settings.rate)
        dixa = self.connect(key, WatchedPace(pace, self.figures))
        dixa.on_answer.append(self.figures.request)
        listen(dixa, personal)
        return _Ready(dixa, personal)

    async def _make_room(self) -> None:
        while len(self._ready) > self.settings.tenants:
            # Looked for anew each time, for others come and go while one is closed.
            unused = next((name for name, ready in self._ready.items() if ready.in_use == 0), None)
            if unused is None:
                return
            await _closed(self._ready.pop(unused).dixa)


async def _closed(dixa: Any) -> None:
    with suppress(DixaMcpError, OSError):
        await dixa.aclose()
