"""Write every manifest: `make manifests`. A test fails when a file here isn't what this module writes.

One source: the table of clients (`dixa_mcp.install.clients`), the settings, the inventory of tools, the prompts.
Nothing here holds a token, and nothing changes the default mode.
"""

import json
import sys
from base64 import b64encode
from pathlib import Path
from string import Template
from typing import Any, get_args
from urllib.parse import quote

from checks import proof
from forms import ABOUT, AUTHOR, HOST, OWNER, REGISTRY_NAME, REPOSITORY, TOKEN_HELP, Target, as_json
from remote import catalogues, remote

from dixa_mcp import __version__
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.install.clients import CLIENTS, NAME, STDIO, TOKEN_FILE, UVX, Launch
from dixa_mcp.install.command import written
from dixa_mcp.server.prompts import JOBS, Job
from dixa_mcp.settings import TOKEN_VARIABLE, Settings, metavar, variable
from dixa_mcp.tools import TOOLS

HERE = Path(__file__).parent
LAUNCH = Launch(UVX[0], UVX[1:])
BY_HAND = frozenset(f"docker/{name}" for name in ("Dockerfile", "compose.yaml", "Caddyfile", "kubernetes.yaml"))
"""What is kept beside the generated files: it deploys the server, and `tests/http/test_deployment.py` reads it."""
OFFERED = ("acting_agent", "timezone", "toolsets", "queues")
"""Settings that an installer's form shows besides the token and the mode."""


def targets() -> list[Target]:
    """Every manifest, in the order of README."""
    kept = [
        Target(
            client.title,
            {f"{name}/{client.manifest or Path(client.files['linux']).name}": written(client, LAUNCH, "")},
            f"`dixa-mcp install {name}` writes it" + (", or your project's folder" if client.project else ""),
        )
        for name, client in CLIENTS.items()
    ]
    return [_registry(), _bundle(), *kept, _plugin(), _gemini(), _links(), _copilot(), *catalogues(), *remote()]


def files() -> dict[str, str]:
    """Path below `manifests/` → text, of all of them."""
    made = {path: text for target in targets() for path, text in target.files.items()}
    return {**made, "README.md": _readme()}


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _registry() -> Target:
    """The MCP Registry's `server.json`, with every setting that stdio knows as a variable."""
    variables: list[dict[str, Any]] = [
        {"name": TOKEN_VARIABLE, "description": f"Dixa API token ({TOKEN_HELP})", "isRequired": True, "isSecret": True}
    ]
    for name in STDIO:
        field = Settings.model_fields[name]
        row: dict[str, Any] = {"name": variable(name), "description": field.description or ""}
        if field.annotation is bool:
            row |= {"format": "boolean", "default": str(field.default).lower()}
        elif field.annotation in {int, float}:
            row |= {"format": "number", "default": f"{field.default:g}"}
        elif metavar(name) == "PATH":
            row["format"] = "filepath"
        elif "|" in metavar(name) and get_args(field.annotation) and metavar(name) != "N|unlimited":
            row |= {"choices": list(get_args(field.annotation)), "default": field.default}
        elif default := _default(field.default):
            row["default"] = default
        variables.append(row)
    package = {
        "registryType": "pypi",
        "identifier": "dixa-mcp",
        "version": __version__,
        "runtimeHint": UVX[0],
        "transport": {"type": "stdio"},
        "environmentVariables": variables,
    }
    server = {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": REGISTRY_NAME,
        "title": "Dixa",
        "description": ABOUT,
        "version": __version__,
        "repository": {"url": REPOSITORY, "source": "github"},
        "packages": [package],
    }
    return Target(
        "MCP Registry",
        {"registry/server.json": as_json(server)},
        "published with `mcp-publisher`",
    )


def _default(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value or "")


def _form(name: str) -> dict[str, Any]:
    field = Settings.model_fields[name]
    about = (field.description or "").replace("`", "")
    return {"type": "string", "title": _label(name), "description": about, "default": _default(field.default)}


def _bundle() -> Target:
    """The MCPB bundle's manifest; `make validate` packs it with the sources and runs the result."""
    asked = ("mode", *OFFERED)
    listed = Policy(Settings(), TOOLS).listed(Caller())
    manifest = {
        "manifest_version": "0.4",
        "name": "dixa-mcp",
        "display_name": "Dixa",
        "version": __version__,
        "description": ABOUT,
        "author": {"name": AUTHOR},
        "repository": {"type": "git", "url": f"{REPOSITORY}.git"},
        "license": "MIT",
        "keywords": ["dixa", "customer service", "helpdesk"],
        "privacy_policies": ["https://www.dixa.com/legal/privacy/"],
        "server": {
            "type": "uv",
            "entry_point": "dixa_mcp/__main__.py",
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--directory", "${__dirname}", "--no-dev", "dixa-mcp"],
                "env": {
                    TOKEN_VARIABLE: "${user_config.api_key}",
                    **{variable(name): f"${{user_config.{name}}}" for name in asked},
                },
            },
        },
        "tools": [{"name": tool.name, "description": f"{tool.summary}."} for tool in listed],
        "tools_generated": True,
        "prompts_generated": True,
        "compatibility": {"platforms": ["darwin", "win32", "linux"], "runtimes": {"python": ">=3.11"}},
        "user_config": {
            "api_key": {
                "type": "string",
                "title": "Dixa API token",
                "description": TOKEN_HELP,
                "sensitive": True,
                "required": True,
            },
            **{name: {**_form(name), "required": False} for name in asked},
        },
    }
    return Target(
        "Claude Desktop bundle (MCPB)",
        {"mcpb/manifest.json": as_json(manifest)},
        "packed by `make bundle`, opened by double click; the token goes to the keychain",
    )


def _skill(job: Job) -> str:
    text = job.text
    for name in job.arguments:
        text = text.replace(f"{{{name}?}}", f"<{name}>").replace(f"{{{name}}}", f"<{name}>")
    needed = [f"<{name}>" for name, required in job.arguments.items() if required]
    free = [f"<{name}>" for name, required in job.arguments.items() if not required]
    ask = f"Ask for {', '.join(needed)} if it wasn't given. " if needed else ""
    may = f"{', '.join(free)} may be left out." if free else ""
    about = f"{job.about.rstrip('.')} in Dixa. Uses the tools of the dixa MCP server."
    return Template(_SKILL).substitute(
        name=job.name.replace("_", "-"), about=json.dumps(about), title=job.title, text=text, more=f"{ask}{may}".strip()
    )


_SKILL = """\
---
name: $name
description: $about
---

# $title

$text

$more
"""


def _plugin() -> Target:
    """The Claude Code plugin: the server, a form for the token, and our prompts as skills."""
    entry = {"command": UVX[0], "args": [*UVX[1:]], "env": {TOKEN_VARIABLE: "${user_config.api_key}"}}
    plugin = {
        "name": NAME,
        "version": __version__,
        "description": ABOUT,
        "author": {"name": AUTHOR},
        "repository": REPOSITORY,
        "license": "MIT",
        "mcpServers": {NAME: entry},
        "userConfig": {
            "api_key": {
                "type": "string",
                "title": "Dixa API token",
                "description": TOKEN_HELP,
                "sensitive": True,
                "required": True,
            }
        },
    }
    marketplace = {
        "name": "dixa-mcp",
        "description": "Dixa for Claude Code",
        "owner": {"name": AUTHOR},
        "plugins": [{"name": NAME, "source": "./", "description": ABOUT}],
    }
    skills = {f"claude-code-plugin/skills/{job.name.replace('_', '-')}/SKILL.md": _skill(job) for job in JOBS}
    return Target(
        "Claude Code plugin",
        {
            "claude-code-plugin/.claude-plugin/plugin.json": as_json(plugin),
            "claude-code-plugin/.claude-plugin/marketplace.json": as_json(marketplace),
            **skills,
        },
        "`/plugin marketplace add` this folder; the token goes to the keychain",
    )


def _gemini() -> Target:
    extension = {
        "name": NAME,
        "version": __version__,
        "description": ABOUT,
        "mcpServers": {
            NAME: {"command": UVX[0], "args": [*UVX[1:]], "env": {TOKEN_VARIABLE: CLIENTS["gemini"].secret}},
        },
        "settings": [
            {"name": "Dixa API token", "description": TOKEN_HELP, "envVar": TOKEN_VARIABLE, "sensitive": True}
        ],
    }
    return Target(
        "Gemini CLI extension",
        {"gemini-extension/gemini-extension.json": as_json(extension)},
        "`gemini extensions install` this folder; the token goes to the keychain",
    )


def cursor_link() -> str:
    """The link that Cursor opens."""
    entry = CLIENTS["cursor"].entry(CLIENTS["cursor"], LAUNCH)
    config = quote(b64encode(json.dumps(entry, separators=(",", ":")).encode()).decode(), safe="")
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={config}"


def vscode_link() -> str:
    """The link that VS Code opens."""
    entry = CLIENTS["vscode"].entry(CLIENTS["vscode"], LAUNCH)
    data = {"name": NAME, "inputs": json.loads(written(CLIENTS["vscode"], LAUNCH, ""))["inputs"], **entry}
    return "vscode:mcp/install?" + quote(json.dumps(data, separators=(",", ":")), safe="")


def _links() -> Target:
    return Target(
        "Install links of Cursor and VS Code",
        {"cursor/install-link.txt": cursor_link() + "\n", "vscode/install-link.txt": vscode_link() + "\n"},
        "on a page of yours; a click asks and installs",
    )


def _copilot() -> Target:
    """GitHub Copilot in Visual Studio and JetBrains: `servers`, and no way to refer to a secret."""
    arguments = [*UVX[1:], "--api-key-file", TOKEN_FILE]
    text = as_json({"servers": {NAME: {"type": "stdio", "command": UVX[0], "args": arguments}}})
    return Target(
        "Visual Studio and JetBrains (Copilot)",
        {"visual-studio/.mcp.json": text, "jetbrains/mcp.json": text},
        "the solution's folder, or yours; in JetBrains the file that Copilot's settings open",
    )


_TABLE = """\
# Manifests

Generated by `make manifests`; don't edit them. `$owner` and `$host` are placeholders. The command
`uvx` works once the package is published; until then `dixa-mcp install CLIENT` writes the path of the program you run.
Each starts in the default mode, `confirm`, and none holds a token: it stands in the client's own secret store, in the
environment, or in the file `$file`, which only you should be able to read.

Every command line here is started by the tests, on the sandbox. What its maker's own tools say is in the last column;
`make validate` asks them.

| For | Files | Go to | Checked |
|---|---|---|---|
$rows
"""


def _readme() -> str:
    rows: list[str] = []
    for target in targets():
        paths = sorted(target.files)
        shown = [f"[{path}]({path})" for path in paths if "/skills/" not in path]
        if len(shown) < len(paths):
            shown.append(f"{len(paths) - len(shown)} skills")
        rows.append(f"| {target.title} | {'<br>'.join(shown)} | {target.where} | {proof(paths)} |")
    return Template(_TABLE).substitute(owner=OWNER, host=HOST, file=TOKEN_FILE, rows="\n".join(rows))


def write(folder: Path) -> None:
    """Write every file, and take away those that nothing makes any more."""
    made = files()
    for path, text in made.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for file in sorted(folder.rglob("*"), reverse=True):
        if file.is_file() and generated(file, folder) and file.relative_to(folder).as_posix() not in made:
            file.unlink()


def generated(file: Path, folder: Path) -> bool:
    """Whether a file here is one that this module writes (and not a program, or what Python leaves behind)."""
    path = file.relative_to(folder).as_posix()
    return file.parent != folder and "__pycache__" not in file.parts and path not in BY_HAND


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
