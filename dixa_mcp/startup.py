"""What every command starts from: the table of commands, and the client that the settings ask for."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from dixa_mcp.settings import Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dixa_mcp.client.dixa import Dixa
    from dixa_mcp.client.link import Transport
    from dixa_mcp.client.pace import Pacing

COMMANDS = {
    "serve": "serve MCP over stdio, or with --http HOST:PORT (the default when no command is given)",
    "demo": "run the main job end to end on the sandbox and show what happened",
    "sandbox": "run the imitation of Dixa on loopback, for any Dixa client",
    "call": "call one tool: dixa-mcp call dixa_get_thread conversation_id=10401",
    "tools": "list the tools with effect, toolset and token cost",
    "policy": "show what these settings allow, tool by tool, and why",
    "check": "check token, organisation, clock and latency",
    "audit": "verify audit files: dixa-mcp audit verify [FILE …]",
    "token": "make a bearer for --auth shared-token: dixa-mcp token NAME",
    "install": "put the server into a client's file: dixa-mcp install cursor [--sandbox]",
    "completion": "print the completion script for a shell: bash, zsh or fish",
}


def connect(settings: Settings, environment: Mapping[str, str]) -> "Dixa":
    """Make the client these settings ask for: of the real Dixa, or of a sandbox in this process."""
    from dixa_mcp.client.pace import Pace  # noqa: PLC0415 - a command loads what it needs

    return connector(settings)(key_of(settings, environment), Pace(settings.rate))


def key_of(settings: Settings, environment: Mapping[str, str]) -> "SecretStr":
    """The server's own Dixa token.

    Raises:
        SettingsError: There is none, or it can't be one.
    """
    from pydantic import SecretStr  # noqa: PLC0415 - a command loads what it needs

    return SecretStr("sandbox-admin-token") if settings.sandbox else settings.token(environment)


def connector(settings: Settings) -> "Callable[[SecretStr, Pacing], Dixa]":
    """What makes clients from tokens: of the real Dixa, or all of one sandbox in this process."""
    from dixa_mcp.client.dixa import Dixa  # noqa: PLC0415 - a command loads what it needs

    if not settings.sandbox:
        return lambda key, pace: Dixa(key, base_url=settings.base_url, scheme=settings.auth_scheme, pace=pace)

    @cache
    def imitation() -> "Transport":
        from dixa_mcp.sandbox import Sandbox, transport  # noqa: PLC0415 - a command loads what it needs

        return transport(Sandbox(rate=10))

    return lambda key, pace: Dixa(key, transport=imitation, pace=pace)
