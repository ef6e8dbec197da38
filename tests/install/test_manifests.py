"""The files in `manifests/`: none goes stale, none holds a secret, and each command line starts the server."""

import importlib.util
import json
import os
import re
import sys
import tomllib
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from front_door import SHARED
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from dixa_mcp import __version__
from dixa_mcp.install.clients import STDIO
from dixa_mcp.sandbox import Sandbox, serving
from dixa_mcp.server.prompts import JOBS
from dixa_mcp.tools import TOOLS

MANIFESTS = Path(__file__).parents[2] / "manifests"
PROGRAM = Path(sys.executable).parent / "dixa-mcp"
PUBLISHED = f"dixa-mcp=={__version__}"
TOKEN = "sandbox-admin-token"
REFERENCE = re.compile(
    r"\$\{DIXA_API_KEY\}|\$\{env:DIXA_API_KEY\}|\$\{input:\w+\}|\$\{user_config\.\w+\}"
    r"|\$\{\{ secrets\.DIXA_API_KEY \}\}|\$DIXA_API_KEY"
)


sys.path.insert(0, str(MANIFESTS))


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"manifests_{name}", MANIFESTS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


build = _module("build")
FILES: dict[str, str] = build.files()


def read(path: str) -> Any:
    """A manifest's content; a text as it is."""
    text = (MANIFESTS / path).read_text(encoding="utf-8")
    match Path(path).suffix:
        case ".json":
            return json.loads(text)
        case ".toml":
            return tomllib.loads(text)
        case ".yaml":
            return yaml.safe_load(text)
        case _:
            return text


def entries(node: Any) -> Iterator[dict[str, Any]]:
    """Everything in a manifest that says how to start a program."""
    if isinstance(node, dict):
        if "args" in node and ({"command", "cmd"} & node.keys()):
            yield node
        for value in node.values():
            yield from entries(value)
    elif isinstance(node, list):
        for value in node:
            yield from entries(value)


def command_lines() -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]]:
    """Every different command line (arguments after the program, variables set) → the manifests that hold it."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    registered = [row["name"] for row in read("registry/server.json")["packages"][0]["environmentVariables"]]
    found[(), tuple(sorted(registered))] = ["registry/server.json"]
    for path in FILES:
        for entry in entries(read(path)):
            words = [entry.get("command") or entry["cmd"], *entry["args"]]
            start = words.index(PUBLISHED if PUBLISHED in words else "dixa-mcp") + 1
            names = [*entry.get("env", {}), *entry.get("env_vars", []), *entry.get("env_keys", [])]
            found.setdefault((tuple(words[start:]), tuple(sorted(names))), []).append(path)
    return found


def offered(variable: str) -> str:
    """What a form fills in when the person leaves a field as it is."""
    bundle = read("mcpb/manifest.json")["user_config"].get(variable.removeprefix("DIXA_MCP_").lower(), {})
    rows = read("registry/server.json")["packages"][0]["environmentVariables"]
    registry = next(row for row in rows if row["name"] == variable)
    assert bundle.get("default", "") in {"", registry.get("default", "")}
    return str(registry.get("default", ""))


def test_every_manifest_that_starts_the_server_is_started_here() -> None:
    """None is left out: the rest has no command line of its own, and another test reads it."""
    started = {path.split("/")[0] for paths in command_lines().values() for path in paths}
    elsewhere = {"README.md", "docker", "glama", "copilot-studio", "smithery", "slack"}
    assert {path.split("/")[0] for path in FILES} == started | elsewhere


@pytest.mark.parametrize("path", FILES)
def test_a_manifest_is_what_its_source_says(path: str) -> None:
    """Generated from the tables of clients, settings, tools and prompts; `make manifests` rewrites them."""
    if os.environ.get("SURFACE") == "update":
        (MANIFESTS / path).parent.mkdir(parents=True, exist_ok=True)
        (MANIFESTS / path).write_text(FILES[path], encoding="utf-8")
    assert (MANIFESTS / path).read_text(encoding="utf-8") == FILES[path]


def test_no_manifest_outlives_its_source() -> None:
    """What nothing makes any more is gone."""
    kept = {file.relative_to(MANIFESTS).as_posix() for file in MANIFESTS.rglob("*") if file.is_file()}
    assert {path for path in kept if "__pycache__" not in path and not path.endswith(".py")} == set(
        FILES
    ) | build.BY_HAND


def test_every_client_of_the_owners_list_has_its_manifest() -> None:
    """Issue 8 names them."""
    folders = {path.split("/")[0] for path in FILES}
    assert folders >= {
        *("registry", "mcpb", "claude-desktop", "claude-code", "claude-code-plugin", "cursor", "vscode"),
        *("visual-studio", "jetbrains", "windsurf", "zed", "cline", "continue", "gemini", "gemini-extension", "codex"),
        *("goose", "librechat", "docker", "smithery", "glama", "copilot-studio", "slack"),
    }


@pytest.mark.parametrize("path", FILES)
def test_a_manifest_refers_to_the_token_and_never_holds_one(path: str) -> None:
    """No secret in clear: each client's own way to refer to one, or a file of the user's."""
    for entry in entries(read(path)):
        assert "DIXA_API_KEY" not in entry.get("env", {}) or REFERENCE.fullmatch(entry["env"]["DIXA_API_KEY"])
        assert not {"--mode", "--unattended", "--sandbox"} & set(entry["args"])
    assert TOKEN not in FILES[path]


@pytest.mark.parametrize("line", command_lines(), ids=[paths[0] for paths in command_lines().values()])
async def test_a_command_line_starts_the_server_in_its_default_mode(
    line: tuple[tuple[str, ...], tuple[str, ...]], tmp_path: Path
) -> None:
    """Started as the client would, with our own program for `uvx`, the token where the entry looks for it."""
    arguments, variables = line
    (tmp_path / ".config" / "dixa-mcp").mkdir(parents=True)
    (tmp_path / ".config" / "dixa-mcp" / "token").write_text(f"{TOKEN}\n")
    environment = {"HOME": str(tmp_path), "DIXA_MCP_STATE_DIR": str(tmp_path)}
    for name in variables:
        environment[name] = TOKEN if name == "DIXA_API_KEY" else offered(name)
    environment = {name: value for name, value in environment.items() if value}
    async with serving(Sandbox()) as base_url:
        child = StdioServerParameters(
            command=str(PROGRAM), args=[*arguments, "--base-url", base_url], env={**os.environ, **environment}
        )
        async with Client(child) as client:
            said = await client.call_tool("dixa_status", {})
    text = "".join(block.text for block in said.content if isinstance(block, TextContent))
    assert "Fernway Outfitters" in text
    assert "Mode: confirm" in text


def test_the_links_hold_what_the_files_hold() -> None:
    """Cursor's is base64, VS Code's is JSON in the address."""
    cursor = urlsplit(read("cursor/install-link.txt").strip())
    config = json.loads(b64decode(parse_qs(cursor.query)["config"][0]))
    assert config == read("cursor/mcp.json")["mcpServers"]["dixa"]
    code = json.loads(unquote(urlsplit(read("vscode/install-link.txt").strip()).query))
    file = read("vscode/mcp.json")
    assert code == {"name": "dixa", "inputs": file["inputs"], **file["servers"]["dixa"]}


def test_the_registry_entry_fits_the_registrys_schema() -> None:
    """And holds every setting that a client's own process can have."""
    entry = read("registry/server.json")
    assert len(entry["description"]) <= 100
    names = {row["name"] for row in entry["packages"][0]["environmentVariables"]}
    assert names == {"DIXA_API_KEY", *(build.variable(name) for name in STDIO)}
    schema = SHARED / "schemas" / "mcp-registry-server.2025-12-11.schema.json"
    if not schema.exists():
        pytest.skip("the registry's schema isn't here")
    from jsonschema import Draft7Validator

    Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(entry)


def test_the_readme_shows_who_owns_the_registry_entry() -> None:
    """The index looks for `mcp-name:` and the entry's name in the README it shows."""
    readme = (MANIFESTS.parent / "README.md").read_text(encoding="utf-8")
    assert f"mcp-name: {read('registry/server.json')['name']}" in readme


def test_the_bundles_form_is_one_the_validator_takes() -> None:
    """Every entry needs a description; a default fills what the person leaves empty."""
    bundle = read("mcpb/manifest.json")
    asked = bundle["user_config"]
    assert asked["api_key"]["sensitive"] is True
    assert all(row["description"] for row in asked.values())
    assert all("default" in row for name, row in asked.items() if name != "api_key")
    assert {tool["name"] for tool in bundle["tools"]} <= {tool.name for tool in TOOLS}


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_prompt_is_a_skill_of_the_plugin(job: Any) -> None:
    """Name and description in the head; no placeholder left in the text."""
    name = job.name.replace("_", "-")
    head, text = read(f"claude-code-plugin/skills/{name}/SKILL.md").removeprefix("---\n").split("\n---\n")
    facts = yaml.safe_load(head)
    assert facts["name"] == name
    assert 20 <= len(facts["description"]) <= 1024
    assert "{" not in text
    assert set(re.findall(r"dixa_\w+", text)) <= {tool.name for tool in TOOLS}


def test_the_docker_entry_keeps_the_catalogues_rules() -> None:
    """Name, title, commit and the names of secrets (practice §5.2)."""
    entry = read("docker/server.yaml")
    assert re.fullmatch(r"[a-z0-9-]+", entry["name"])
    assert not re.search(r"mcp|server", entry["about"]["title"], re.IGNORECASE)
    assert re.fullmatch(r"[0-9a-f]{40}", entry["source"]["commit"])
    assert entry["config"]["secrets"][0]["name"].startswith(f"{entry['name']}.")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", read("docker/Dockerfile"), re.MULTILINE)
    assert all((MANIFESTS.parent / name).exists() for names in copied for name in names.split())
    assert (MANIFESTS.parent / entry["source"]["dockerfile"]).exists()
    lines = [line for line in read("docker/Dockerfile").splitlines() if line and not line.startswith("#")]
    assert lines[0].startswith("FROM ")
    assert lines[-1] == 'ENTRYPOINT ["dixa-mcp"]'
    assert not re.search(r"(PASSWORD|SECRET|API_KEY|TOKEN)=", "\n".join(lines), re.IGNORECASE)


def test_what_goes_over_http_names_the_servers_page_and_header() -> None:
    """Connector and form send the bearer that `--auth` reads; Smithery allows a form of 1 KB and 20 fields."""
    connector = read("copilot-studio/connector.yaml")
    assert list(connector["paths"]) == ["/mcp"]
    assert connector["paths"]["/mcp"]["post"]["x-ms-agentic-protocol"] == "mcp-streamable-1.0"
    assert connector["securityDefinitions"]["token"]["name"] == "Authorization"
    form = read("smithery/config-schema.json")
    assert form["properties"]["authorization"]["x-from"] == {"header": "Authorization"}
    assert len(json.dumps(form)) < 1024


def test_the_table_claims_no_check_that_isnt_made() -> None:
    """Its last column comes from the checks, and every file that a check names exists."""
    checks = _module("checks")
    named = {name for names in checks.CHECKS.values() for name in names}
    assert all((MANIFESTS / name).exists() for name in named)
    assert all(str(check.__doc__).endswith(".") for check in checks.CHECKS)
    assert "no tool of theirs" in checks.proof(["zed/settings.json"])


def test_without_node_the_validation_says_so_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    """What needs more than Python says so when it skips (design §2)."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _module("validate").main([]) == 0
    assert "Skipped" in capsys.readouterr().out
