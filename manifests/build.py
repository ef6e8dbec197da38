"""Write every manifest: `make manifests`. A test fails when a file here isn't what this module writes.

One source: the table of clients (`dixa_mcp.install.clients`), the settings, the inventory of tools, the prompts.
Nothing here holds a token, and nothing changes the default mode.
"""

import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, get_args
from urllib.parse import quote

import yaml

from dixa_mcp import __version__
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.install.clients import CLIENTS, NAME, PATIENCE, STDIO, TOKEN_FILE, UVX, Launch
from dixa_mcp.install.command import written
from dixa_mcp.server.prompts import JOBS, Job
from dixa_mcp.settings import TOKEN_VARIABLE, Settings, metavar, variable
from dixa_mcp.tools import TOOLS

HERE = Path(__file__).parent
OWNER = "example-org"
"""A placeholder: who publishes puts their own name here, and in README's `mcp-name`."""
REPOSITORY = f"https://github.com/{OWNER}/dixa-mcp"
REGISTRY_NAME = f"io.github.{OWNER}/dixa-mcp"
HOST = "dixa-mcp.example.com"
"""A placeholder: where a server of yours listens over HTTP."""
ABOUT = "Read, triage and answer Dixa conversations; nothing reaches a customer without a person."
TOKEN_HELP = "Settings > Integrations > API tokens, in Dixa"  # noqa: S105 - where to find it
AUTHOR = "dixa_mcp contributors"
LAUNCH = Launch(UVX[0], UVX[1:])
BY_HAND = frozenset(f"docker/{name}" for name in ("Dockerfile", "compose.yaml", "Caddyfile", "kubernetes.yaml"))
"""What is kept beside the generated files: it deploys the server, and `tests/http/test_deployment.py` reads it."""
OFFERED = ("acting_agent", "timezone", "toolsets", "queues")
"""Settings that an installer's form shows besides the token and the mode."""


@dataclass(frozen=True, slots=True)
class Target:
    """One client or catalogue."""

    title: str
    files: Mapping[str, str]
    """Path below `manifests/` → text."""
    where: str
    """Where they go."""
    checked: str
    """What proves them, besides being parsed and started by the tests."""


def targets() -> list[Target]:
    """Every manifest, in the order of README."""
    vendor = {
        "claude-code": "Claude Code reads it back (`claude mcp get`)",
        "gemini": "Gemini CLI reads it back (`gemini mcp list`)",
        "codex": "Codex reads it back (`codex mcp get`)",
    }
    kept = [
        Target(
            client.title,
            {f"{name}/{client.manifest or Path(client.files['linux']).name}": written(client, LAUNCH, "")},
            f"`dixa-mcp install {name}` writes it" + (", or your project's folder" if client.project else ""),
            vendor.get(name, "form as documented by its maker"),
        )
        for name, client in CLIENTS.items()
    ]
    return [_registry(), _bundle(), *kept, _plugin(), _gemini(), _links(), _copilot(), *_catalogues(), *_remote()]


def files() -> dict[str, str]:
    """Path below `manifests/` → text, of all of them."""
    made = {path: text for target in targets() for path, text in target.files.items()}
    return {**made, "README.md": _readme()}


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


class _Dumper(yaml.SafeDumper):
    """Lists set in, as the formatters of the catalogues want them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _yaml(data: Any) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _first_sentence(text: str) -> str:
    return text.split(". ", 1)[0].rstrip(".") + "."


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
        elif field.default and isinstance(field.default, str):
            row["default"] = field.default
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
        {"registry/server.json": _json(server)},
        "published with `mcp-publisher`",
        "the registry's own JSON schema",
    )


def _form(name: str) -> dict[str, Any]:
    field = Settings.model_fields[name]
    default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    about = (field.description or "").replace("`", "")
    return {"type": "string", "title": _label(name), "description": about, "default": default}


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
        "tools": [{"name": tool.name, "description": _first_sentence(tool.description)} for tool in listed],
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
        {"mcpb/manifest.json": _json(manifest)},
        "packed by `make bundle`, opened by double click; the token goes to the keychain",
        "`mcpb validate`, `mcpb pack`, and the packed bundle is started",
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
            "claude-code-plugin/.claude-plugin/plugin.json": _json(plugin),
            "claude-code-plugin/.claude-plugin/marketplace.json": _json(marketplace),
            **skills,
        },
        "`/plugin marketplace add` this folder; the token goes to the keychain",
        "`claude plugin validate`",
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
        {"gemini-extension/gemini-extension.json": _json(extension)},
        "`gemini extensions install` this folder; the token goes to the keychain",
        "`gemini extensions validate`",
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
        "read back by the tests",
    )


def _copilot() -> Target:
    """GitHub Copilot in Visual Studio and JetBrains: `servers`, and no way to refer to a secret."""
    arguments = [*UVX[1:], "--api-key-file", TOKEN_FILE]
    text = _json({"servers": {NAME: {"type": "stdio", "command": UVX[0], "args": arguments}}})
    return Target(
        "Visual Studio and JetBrains (Copilot)",
        {"visual-studio/.mcp.json": text, "jetbrains/mcp.json": text},
        "the solution's folder; Copilot's own settings in JetBrains",
        "form as documented by their maker",
    )


def _catalogues() -> list[Target]:
    docker = {
        "name": NAME,
        "image": f"mcp/{NAME}",
        "type": "server",
        "meta": {"category": "productivity", "tags": ["customer-service", "support"]},
        "about": {"title": "Dixa", "description": ABOUT, "icon": f"https://avatars.githubusercontent.com/{OWNER}"},
        "source": {"project": REPOSITORY, "dockerfile": "manifests/docker/Dockerfile", "commit": "0" * 40},
        "config": {
            "description": "Connection to Dixa",
            "secrets": [{"name": f"{NAME}.api_key", "env": TOKEN_VARIABLE, "example": "<API token>"}],
        },
    }
    smithery = {
        "startCommand": {
            "type": "stdio",
            "configSchema": {
                "type": "object",
                "required": ["dixaApiKey"],
                "properties": {"dixaApiKey": {"type": "string", "description": "Dixa API token"}},
            },
            "commandFunction": "(config) => ({ command: 'dixa-mcp', args: [], "
            f"env: {{ {TOKEN_VARIABLE}: config.dixaApiKey }} }})",
            "exampleConfig": {"dixaApiKey": "<API token>"},
        }
    }
    glama = {"$schema": "https://glama.ai/mcp/schemas/server.json", "maintainers": [OWNER]}
    return [
        Target(
            "Docker catalogue",
            {"docker/server.yaml": _yaml(docker)},
            "`servers/dixa/` of the catalogue, with the commit to build filled in",
            "the catalogue's rules, as the tests know them",
        ),
        Target("Smithery", {"smithery/smithery.yaml": _yaml(smithery)}, "the repository's root", "unverified"),
        Target("Glama", {"glama/glama.json": _json(glama)}, "the repository's root", "unverified"),
    ]


def _remote() -> list[Target]:
    connector = {
        "swagger": "2.0",
        "info": {"title": "Dixa", "description": ABOUT, "version": __version__},
        "host": HOST,
        "basePath": "/",
        "schemes": ["https"],
        "paths": {
            "/mcp": {
                "post": {
                    "summary": "Dixa over MCP",
                    "x-ms-agentic-protocol": "mcp-streamable-1.0",
                    "operationId": "InvokeMCP",
                    "responses": {"200": {"description": "Success"}},
                }
            }
        },
        "securityDefinitions": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        "security": [{"token": []}],
    }
    return [
        Target(
            "Copilot Studio and Teams",
            {"copilot-studio/connector.yaml": _yaml(connector)},
            "a custom connector to a server of yours over HTTP",
            "form as documented by its maker",
        ),
        Target("Slack", {"slack/README.md": Template(_SLACK).substitute(host=HOST, wait=PATIENCE)}, "a note", "a note"),
    ]


_SLACK = """\
# Slack

Slack's own MCP client takes remote servers only: give it the address of a server of yours, `https://$host/mcp`,
and let each person sign in there.

A bot of yours can start the server over stdio instead: it is the MCP client then, and its elicitation callback
is where a person decides. Post the question's text as it is into the channel where the conversation is worked on,
with two buttons, and answer `accept` with `{"agree": true}` only for the click of somebody who may decide. Show the
whole text; don't let the model see or shorten it. Wait for $wait seconds at least before the call counts as lost.
"""

_TABLE = """\
# Manifests

Generated by `make manifests`; don't edit them. `$owner` and `$host` are placeholders. The command `uvx` works once
the package is published; until then `dixa-mcp install CLIENT` writes the path of the program you run. Each starts in
the default mode, `confirm`, and none holds a token: it stands in the client's own secret store, in the environment,
or in the file `$file`, which only you should be able to read.

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
        rows.append(f"| {target.title} | {'<br>'.join(shown)} | {target.where} | {target.checked} |")
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
