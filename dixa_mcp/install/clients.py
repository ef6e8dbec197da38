"""The clients that keep their servers in a file: where it is, what an entry looks like, who keeps the token.

One table for `dixa-mcp install` and for `manifests/`: a manifest is what `install` writes into an empty file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

from dixa_mcp import __version__
from dixa_mcp.errors import SettingsError
from dixa_mcp.settings import TOKEN_VARIABLE, Settings

NAME = "dixa"
"""What the server is called in every client."""
UVX = ("uvx", f"dixa-mcp=={__version__}")
"""How it is started once it is published: fetched and kept by uv."""
TOKEN_FILE = "~/.config/dixa-mcp/token"  # noqa: S105 - a place, not a secret
PATIENCE = 360
"""Seconds a client should wait for a call: a person has 300 to answer, the call itself 30."""
VSCODE_INPUT = {"type": "promptString", "id": "dixa_api_key", "description": "Dixa API token", "password": True}
STDIO = tuple(takewhile(lambda name: name != "http", Settings.model_fields))
"""The settings of a server that one client starts over stdio; the rest of the table is about HTTP."""

Platform = Literal["darwin", "win32", "linux"]
Format = Literal["json", "toml", "yaml", "document"]


@dataclass(frozen=True, slots=True)
class Launch:
    """How a client starts the server."""

    command: str
    arguments: tuple[str, ...]
    sandbox: bool = False
    """Without a token."""
    keyed: bool = False
    """Its arguments name the token's file already."""

    @property
    def needs_token(self) -> bool:
        """Whether the entry must say where the token is."""
        return not (self.sandbox or self.keyed)


@dataclass(frozen=True, slots=True)
class Client:
    """One client."""

    name: str
    """The word on the command line, and the folder in `manifests/`."""
    title: str
    format: Format
    key: str
    """Under which its file keeps servers."""
    files: Mapping[Platform, str]
    """Its file; `{home}`, `{appdata}` and `{config}` stand for the usual places, no place for the current folder."""
    secret: str
    """How its entry refers to the token; empty when it can only hold it in clear, so that a file of ours is named."""
    told: str
    """What the user must do about the token."""
    entry: Callable[["Client", Launch], dict[str, Any]]
    project: str = ""
    """Its file in a project's folder, where it has one."""
    manifest: str = ""
    """The file's name in `manifests/`, when it isn't that of the file itself."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that move its folder → the file below it; the first that is set counts."""
    begun: str = ""
    """What a new file of it must begin with."""

    def file(self, platform: Platform, home: Path, environment: Mapping[str, str], project: Path | None) -> Path:
        """Where its entry goes.

        Raises:
            SettingsError: A project's file is wanted and the client has none.
        """
        if project is not None:
            if not self.project:
                raise SettingsError(f"{self.title} keeps no file in a project.", "Leave --project out.")
            return project / self.project
        for variable, below in self.moved.items():
            if environment.get(variable):
                return Path(environment[variable], below)
        places = {
            "home": str(home),
            "appdata": environment.get("APPDATA") or str(home / "AppData" / "Roaming"),
            "config": environment.get("XDG_CONFIG_HOME") or str(home / ".config"),
        }
        return Path(self.files[platform].format_map(places))

    def starts(self, launch: Launch) -> tuple[str, ...]:
        """The arguments an entry holds: with the token's file, where the client has no way to refer to a secret."""
        named = ("--api-key-file", TOKEN_FILE) if launch.needs_token and not self.secret else ()
        return (*launch.arguments, *named)

    def environment(self, launch: Launch) -> dict[str, str]:
        """The variables an entry sets."""
        return {TOKEN_VARIABLE: self.secret} if launch.needs_token and self.secret else {}


def _plain(client: Client, launch: Launch) -> dict[str, Any]:
    entry: dict[str, Any] = {"command": launch.command, "args": list(client.starts(launch))}
    if environment := client.environment(launch):
        entry["env"] = environment
    return entry


def _stdio(client: Client, launch: Launch) -> dict[str, Any]:
    return {"type": "stdio", **_plain(client, launch)}


def _cline(client: Client, launch: Launch) -> dict[str, Any]:
    return {**_plain(client, launch), "disabled": False, "autoApprove": [], "timeout": PATIENCE}


def _librechat(client: Client, launch: Launch) -> dict[str, Any]:
    return {**_stdio(client, launch), "timeout": PATIENCE * 1000, "serverInstructions": True}


def _codex(client: Client, launch: Launch) -> dict[str, Any]:
    names = {"env_vars": list(client.environment(launch))} if client.environment(launch) else {}
    return {
        "command": launch.command,
        "args": list(launch.arguments),
        **names,
        "startup_timeout_sec": 20,
        "tool_timeout_sec": PATIENCE,
        "default_tools_approval_mode": "writes",
    }


def _goose(client: Client, launch: Launch) -> dict[str, Any]:
    return {
        "enabled": True,
        "type": "stdio",
        "name": NAME,
        "cmd": launch.command,
        "args": list(launch.arguments),
        "env_keys": list(client.environment(launch)),
        "timeout": PATIENCE,
    }


def _continue(client: Client, launch: Launch) -> dict[str, Any]:
    return {
        "name": "Dixa",
        "version": __version__,
        "schema": "v1",
        "mcpServers": [{"name": NAME, **_plain(client, launch)}],
    }


_VARIABLE = f"Set {TOKEN_VARIABLE} in the environment it is started from."
_FILE = f"It has no place for secrets, so the token is read from {TOKEN_FILE}, which only you should be able to read."


def _everywhere(path: str) -> dict[Platform, str]:
    return {"darwin": path, "win32": path, "linux": path}


CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client(
            name="claude-desktop",
            title="Claude Desktop",
            format="json",
            key="mcpServers",
            files={
                "darwin": "{home}/Library/Application Support/Claude/claude_desktop_config.json",
                "win32": "{appdata}/Claude/claude_desktop_config.json",
                "linux": "{config}/Claude/claude_desktop_config.json",
            },
            secret="",
            told=f"{_FILE} (The bundle in manifests/mcpb keeps it in the keychain instead.)",
            entry=_plain,
        ),
        Client(
            name="claude-code",
            title="Claude Code",
            format="json",
            key="mcpServers",
            files=_everywhere("{home}/.claude.json"),
            project=".mcp.json",
            secret=f"${{{TOKEN_VARIABLE}}}",
            told=_VARIABLE,
            entry=_stdio,
            manifest=".mcp.json",
            moved={"CLAUDE_CONFIG_DIR": ".claude.json"},
        ),
        Client(
            name="cursor",
            title="Cursor",
            format="json",
            key="mcpServers",
            files=_everywhere("{home}/.cursor/mcp.json"),
            project=".cursor/mcp.json",
            secret=f"${{env:{TOKEN_VARIABLE}}}",
            told=_VARIABLE,
            entry=_plain,
        ),
        Client(
            name="vscode",
            title="VS Code",
            format="json",
            key="servers",
            files={
                "darwin": "{home}/Library/Application Support/Code/User/mcp.json",
                "win32": "{appdata}/Code/User/mcp.json",
                "linux": "{config}/Code/User/mcp.json",
            },
            project=".vscode/mcp.json",
            secret=f"${{input:{VSCODE_INPUT['id']}}}",
            told="It asks for the token at the first start and keeps it in its own secret store.",
            entry=_stdio,
        ),
        Client(
            name="windsurf",
            title="Windsurf",
            format="json",
            key="mcpServers",
            files=_everywhere("{home}/.codeium/windsurf/mcp_config.json"),
            secret=f"${{env:{TOKEN_VARIABLE}}}",
            told=_VARIABLE,
            entry=_plain,
        ),
        Client(
            name="zed",
            title="Zed",
            format="json",
            key="context_servers",
            files={
                "darwin": "{home}/.config/zed/settings.json",
                "win32": "{appdata}/Zed/settings.json",
                "linux": "{config}/zed/settings.json",
            },
            secret="",
            told=_FILE,
            entry=_plain,
        ),
        Client(
            name="cline",
            title="Cline",
            format="json",
            key="mcpServers",
            files=_everywhere("{home}/.cline/data/settings/cline_mcp_settings.json"),
            secret="",
            told=_FILE,
            entry=_cline,
            moved={
                "CLINE_MCP_SETTINGS_PATH": "",
                "CLINE_DATA_DIR": "settings/cline_mcp_settings.json",
                "CLINE_DIR": "data/settings/cline_mcp_settings.json",
            },
        ),
        Client(
            name="continue",
            title="Continue",
            format="document",
            key="mcpServers",
            files=_everywhere("{home}/.continue/mcpServers/dixa.yaml"),
            project=".continue/mcpServers/dixa.yaml",
            secret=f"${{{{ secrets.{TOKEN_VARIABLE} }}}}",
            told=f"Put a line {TOKEN_VARIABLE}=… into ~/.continue/.env, or make it a secret of that name in Continue.",
            entry=_continue,
        ),
        Client(
            name="gemini",
            title="Gemini CLI",
            format="json",
            key="mcpServers",
            files=_everywhere("{home}/.gemini/settings.json"),
            project=".gemini/settings.json",
            secret=f"${TOKEN_VARIABLE}",
            told=f"Put a line {TOKEN_VARIABLE}=… into ~/.gemini/.env, or set it in the environment.",
            entry=_plain,
        ),
        Client(
            name="codex",
            title="Codex",
            format="toml",
            key="mcp_servers",
            files=_everywhere("{home}/.codex/config.toml"),
            project=".codex/config.toml",
            secret=TOKEN_VARIABLE,
            told=f"{_VARIABLE} Codex passes it on by its name.",
            entry=_codex,
            moved={"CODEX_HOME": "config.toml"},
        ),
        Client(
            name="goose",
            title="Goose",
            format="yaml",
            key="extensions",
            files={
                "darwin": "{home}/.config/goose/config.yaml",
                "win32": "{appdata}/Block/goose/config/config.yaml",
                "linux": "{config}/goose/config.yaml",
            },
            secret=TOKEN_VARIABLE,
            told=f"Goose takes {TOKEN_VARIABLE} from its keychain (goose configure asks), else from the environment.",
            entry=_goose,
        ),
        Client(
            name="librechat",
            title="LibreChat",
            format="yaml",
            key="mcpServers",
            files=_everywhere("librechat.yaml"),
            secret=f"${{{TOKEN_VARIABLE}}}",
            told=f"Put a line {TOKEN_VARIABLE}=… into LibreChat's .env.",
            entry=_librechat,
            begun="version: 1.3.17\n",
        ),
    )
}
