"""Put a server together from settings and a client: one tenant, as on stdio."""

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.errors import SettingsError
from dixa_mcp.guardrails import Guardrails
from dixa_mcp.guardrails.audit import Audit, AuditFile, NoAudit, state_directory
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.personal import Personal
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.server import DixaServer
from dixa_mcp.server.frame import Tenant
from dixa_mcp.server.notices import heard
from dixa_mcp.settings import Settings
from dixa_mcp.state import MemoryState, State
from dixa_mcp.tools import TOOLS

SHORTEST_KEY = 32


def assemble(settings: Settings, dixa: Dixa, state: State | None = None, organisation: str = "local") -> DixaServer:
    """Build a server whose every request belongs to one tenant.

    `organisation` tells it from others that share the state.

    Raises:
        SettingsError: A setting names a tool or toolset that doesn't exist.
    """
    policy = Policy(settings, TOOLS)
    personal = Personal(state, organisation) if settings.pii == "pseudonymise" else None
    listen(dixa, personal)
    tenant = Tenant(
        dixa=dixa,
        caller=Caller(tenant=organisation),
        settings=settings,
        state=state or MemoryState(),
        guardrails=Guardrails(policy, audit_of(settings)),
        personal=personal,
    )
    return DixaServer(policy, lambda: tenant, state_keys=keys_of(settings))


def listen(dixa: Dixa, personal: Personal | None) -> None:
    """Let what a client writes and reads be heard where it matters."""
    dixa.on_write.append(heard)
    if personal:
        dixa.on_read.append(personal.learn)


def keys_of(settings: Settings) -> list[str]:
    """The secrets that seal questions, the present one first; none for one of this process alone.

    Raises:
        SettingsError: One is too short to be a secret, or is given twice, or no memory is shared.
    """
    keys = [key for part in settings.state_key.get_secret_value().split(",") if (key := part.strip())]
    if any(len(key) < SHORTEST_KEY for key in keys) or len(set(keys)) < len(keys):
        raise SettingsError(f"--state-key takes different secrets of {SHORTEST_KEY} characters or more.")
    if keys and not settings.redis_url.get_secret_value():
        # A sealed answer would be good again after a restart, with nobody left who knows that it was used.
        raise SettingsError(
            "--state-key is for replicas, which remember together what was used up.",
            "Set --redis-url, too, or leave --state-key out.",
        )
    return keys


def audit_of(settings: Settings) -> Audit:
    """Where evidence goes by these settings."""
    if not settings.audit:
        return NoAudit()
    return AuditFile((settings.state_dir or state_directory()) / "audit")
