"""The manifests, and the server itself, put to their clients' own tools; what each check proves is its docstring.

The table in `manifests/README.md` is made from these docstrings, so it can't claim a check that isn't here.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from os import environ, pathsep
from pathlib import Path
from typing import Any

import yaml
from mcp import Client, StdioServerParameters
from place import HERE, MODULES, PROGRAM, ROOT, Failed, Place, Skipped

from dixa_mcp import __version__

SCHEMA = ROOT.parent / "shared" / "schemas" / "mcp-registry-server.2025-12-11.schema.json"
BUNDLED = ("pyproject.toml", "README.md", "LICENSE")
CONFORMANCE = {
    "2025-11-25": (
        *("completion-complete", "dns-rebinding-protection", "ping", "prompts-list", "resources-list"),
        *("server-initialize", "server-session-lifecycle", "server-sse-multiple-streams", "tools-list"),
    ),
    "2026-07-28": (
        *("caching", "completion-complete", "dns-rebinding-protection", "http-header-validation"),
        *("input-required-result-ignore-extra-params", "input-required-result-unsupported-methods"),
        *("input-required-result-validate-input", "prompts-list", "resources-list", "sep-2164-resource-not-found"),
        *("server-sse-multiple-streams", "server-stateless", "tools-list"),
    ),
}
"""Scenarios of MCP's conformance suite; the others want tools, resources and prompts made for it, or what we don't
declare (logging, sampling, roots, tasks)."""
UNFIT = {"sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400"}
"""Checks within these scenarios that want such a tool, one that samples."""
FILLED = '"DIXA_API_KEY":"a-token"'
"""What stands in an entry whose reference to the token was filled in."""
Check = Callable[[Place], None]
CHECKS: dict[Check, tuple[str, ...]] = {}
"""Every check → the manifests it proves: folders, or single files."""


def proves(*manifests: str) -> Callable[[Check], Check]:
    """Enter a check."""

    def enter(check: Check) -> Check:
        CHECKS[check] = manifests
        return check

    return enter


@proves("registry")
def registry(place: Place) -> None:
    """The registry's own JSON schema takes it."""
    if not SCHEMA.exists():
        raise Skipped("the registry's schema isn't here")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    server = json.loads((HERE / "registry/server.json").read_text(encoding="utf-8"))
    _fits(schema, server)


def pack(folder: Path, place: Place) -> Path:
    """Pack the bundle: the manifest, the sources, and what building them needs."""
    source = folder / "source"
    source.mkdir(parents=True)
    shutil.copy(HERE / "mcpb/manifest.json", source)
    for name in BUNDLED:
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "dixa_mcp", source / "dixa_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    bundle = folder / f"dixa-mcp-{__version__}.mcpb"
    place.run("mcpb", "validate", source / "manifest.json", says="validation passes")
    place.run("mcpb", "pack", source, bundle)
    return bundle


@proves("mcpb")
def bundle(place: Place) -> None:
    """`mcpb validate` and `mcpb pack` take it; the packed bundle is started as its own library says."""
    packed = pack(place.home / "pack", place)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{pathsep}{environ['PATH']}")
    if uv is None:
        raise Skipped("valid and packed, but not started: there is no uv")
    unpacked = place.home / "unpacked"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(unpacked)
    config = json.loads(place.run("node", "--input-type=module", "-e", _CONFIG, unpacked))
    environment = {**place.environment, **config["env"], "DIXA_MCP_SANDBOX": "true"}
    asyncio.run(_lists(uv, config["args"], environment))


_CONFIG = f"""
import {{ getMcpConfigForManifest }} from {json.dumps((MODULES / "@anthropic-ai/mcpb/dist/index.js").as_uri())};
import {{ readFileSync }} from "node:fs";
const folder = process.argv[1];
const manifest = JSON.parse(readFileSync(folder + "/manifest.json", "utf8"));
const userConfig = {{ api_key: "x" }};
const options = {{ manifest, extensionPath: folder, systemDirs: {{}}, userConfig, pathSeparator: "/" }};
console.log(JSON.stringify(await getMcpConfigForManifest(options)));
"""


async def _lists(command: str, arguments: list[str], environment: Mapping[str, str]) -> None:
    child = StdioServerParameters(command=command, args=arguments, env=dict(environment))
    async with Client(child) as client:
        if not (await client.list_tools()).tools:
            raise Failed("it lists no tools")


@proves("claude-code-plugin")
def claude_plugin(place: Place) -> None:
    """`claude plugin validate` takes plugin and marketplace."""
    place.run("claude", "plugin", "validate", HERE / "claude-code-plugin", says="Validation passed")
    plugin = HERE / "claude-code-plugin/.claude-plugin/plugin.json"
    place.run("claude", "plugin", "validate", plugin, says="Validation passed")


@proves("claude-code")
def claude_code(place: Place) -> None:
    """Claude Code starts what `install` writes, and fills the token in (`claude mcp get`)."""
    place.install("claude-code")
    place.run("claude", "mcp", "get", "dixa", says="Connected", DIXA_API_KEY="x")


@proves("gemini-extension")
def gemini_extension(place: Place) -> None:
    """`gemini extensions validate` takes it."""
    place.run("gemini", "extensions", "validate", HERE / "gemini-extension", says="successfully validated")


@proves("gemini")
def gemini(place: Place) -> None:
    """Gemini CLI starts what `install` writes, and fills the token in (`gemini mcp list`)."""
    place.install("gemini")
    for _ in range(3):  # it waits for five seconds only, which a busy machine may need for other things
        with suppress(Failed):
            place.run("gemini", "mcp", "list", says="- Connected", DIXA_API_KEY="x")
            return
    raise Failed("it doesn't connect")


@proves("codex")
def codex(place: Place) -> None:
    """Codex reads back the manifest, and what `install` writes (`codex mcp get`)."""
    (place.home / ".codex").mkdir()
    shutil.copy(HERE / "codex/config.toml", place.home / ".codex")
    read: Any = json.loads(place.run("codex", "mcp", "get", "dixa", "--json"))
    if read["transport"]["env_vars"] != ["DIXA_API_KEY"]:
        raise Failed("it doesn't pass the token on")
    place.install("codex")
    read = json.loads(place.run("codex", "mcp", "get", "dixa", "--json"))
    if read["transport"]["command"] != str(PROGRAM) or read["transport"]["env_vars"] != ["DIXA_API_KEY"]:
        raise Failed(f"it reads {read['transport']}")


@proves()
def inspector(place: Place) -> None:
    """MCP Inspector lists and calls over stdio, on both protocol eras, and is strict about every tool's schema."""
    _inspected(place, {"type": "stdio", "command": str(PROGRAM), "args": ["--sandbox"]})


@proves()
def inspector_over_http(place: Place) -> None:
    """MCP Inspector lists and calls over HTTP, on both protocol eras."""
    with _served(place) as url:
        _inspected(place, {"type": "http", "url": url})


@proves()
def conformance(place: Place) -> None:
    """MCP's conformance suite over HTTP, at both revisions: what applies to a server without its fixture tools."""
    with _served(place) as url:
        for revision, scenarios in CONFORMANCE.items():
            found = place.home / revision
            with suppress(Failed):  # it ends so for every scenario that doesn't apply
                place.run("conformance", "server", "--url", url, "--requirements", revision, "-o", found)
            for scenario in scenarios:
                (report,) = found.glob(f"server-{scenario}-2*/checks.json")
                checks = json.loads(report.read_text(encoding="utf-8"))
                wrong = [each for each in checks if each["status"] == "FAILURE" and each["id"] not in UNFIT]
                if wrong or not any(each["status"] == "SUCCESS" for each in checks):
                    raise Failed(f"{revision} {scenario}: {[(each['id'], each.get('errorMessage')) for each in wrong]}")


@contextmanager
def _served(place: Place) -> Generator[str]:
    """Serve the sandbox over HTTP; yields the endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    command = [PROGRAM, "--http", address, "--sandbox"]
    with subprocess.Popen(command, env=place.environment, stderr=subprocess.DEVNULL) as server:  # noqa: S603 - ours
        try:
            for _ in range(300):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            yield f"http://{address}/mcp"
        finally:
            server.terminate()


def _inspected(place: Place, server: dict[str, Any]) -> None:
    eras = {era: {**server, "protocolEra": era} for era in ("modern", "legacy")}
    config = place.home / "inspector.json"
    config.write_text(json.dumps({"mcpServers": eras}), encoding="utf-8")
    for era in eras:
        chosen = ("mcp-inspector", "--cli", "--config", config, "--server", era)
        listed = json.loads(place.run(*chosen, "--method", "tools/list", "--strict"))
        if not any(tool["name"] == "dixa_get_thread" for tool in listed["tools"]):
            raise Failed(f"{era}: dixa_get_thread isn't listed")
        place.run(*chosen, "--method", "tools/call", "--tool-name", "dixa_status", says="Mode: confirm")


@proves("cline")
def cline(place: Place) -> None:
    """Cline's own code finds what `install` writes, starts it and calls a tool."""
    place.install("cline", "--sandbox")
    place.node(_CLINE, says="Mode: confirm")
    place.node(_CLINE, HERE / "cline/cline_mcp_settings.json", says="--api-key-file")


_CLINE = f"""
import({json.dumps((MODULES / "@cline/core/dist/index.js").as_uri())}).then(async core => {{
  const filePath = process.argv[1];
  if (filePath) {{
    console.log(JSON.stringify(core.resolveMcpServerRegistrations({{ filePath }})));
  }} else {{
    const manager = new core.InMemoryMcpManager({{ clientFactory: core.createDefaultMcpServerClientFactory() }});
    await core.registerMcpServersFromSettingsFile(manager);
    await manager.connectServer("dixa");
    const call = {{ serverName: "dixa", toolName: "dixa_status", arguments: {{}} }};
    console.log(JSON.stringify(await manager.callTool(call)));
  }}
  process.exit(0);
}});
"""


@proves("goose")
def goose(place: Place) -> None:
    """Goose starts what `install` writes, and lists its prompts."""
    place.install("goose", "--sandbox")
    program = MODULES / "@aaif/goose-binary-linux-x64/bin/goose"
    nobody = {
        "GOOSE_PROVIDER": "openai",
        "GOOSE_MODEL": "none",
        "OPENAI_API_KEY": "x",
        "OPENAI_HOST": "http://127.0.0.1:1",
    }
    said = place.run(program, "run", "--no-session", "-t", "/prompts", GOOSE_DISABLE_KEYRING="1", **nobody)
    if "triage_conversation" not in said:
        raise Failed(f"it lists no prompts of ours: {said[-500:]}")


@proves("librechat")
def librechat(place: Place) -> None:
    """LibreChat's own schema takes it, and fills the token in."""
    place.node(_LIBRECHAT, _json_of("librechat/librechat.yaml"), DIXA_API_KEY="a-token", says=FILLED)


_LIBRECHAT = """
const { configSchema } = require("librechat-data-provider");
console.log(JSON.stringify(configSchema.parse(JSON.parse(process.argv[1])).mcpServers));
"""


@proves("continue")
def continue_dev(place: Place) -> None:
    """Continue's own schema takes it, and its own code fills the token in."""
    place.node(_CONTINUE, _json_of("continue/dixa.yaml"), says=FILLED)


_CONTINUE = """
const { configYamlSchema, fillTemplateVariables, validateConfigYaml } = require("@continuedev/config-yaml");
const file = JSON.parse(fillTemplateVariables(process.argv[1], { "secrets.DIXA_API_KEY": "a-token" }));
const problems = validateConfigYaml(file);
if (problems.length) throw new Error(JSON.stringify(problems));
console.log(JSON.stringify(configYamlSchema.parse(file).mcpServers));
"""


@proves("claude-desktop", "cursor/mcp.json", "windsurf")
def desktop_form(place: Place) -> None:
    """Continue's schema of such files takes it; no tool of its maker runs here."""
    for path in ("claude-desktop/claude_desktop_config.json", "cursor/mcp.json", "windsurf/mcp_config.json"):
        place.node(_DESKTOP, HERE / path)


_DESKTOP = """
const { claudeDesktopLikeConfigFileSchema } = require("@continuedev/config-yaml");
const file = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
if (!claudeDesktopLikeConfigFileSchema.parse(file).mcpServers.dixa) throw new Error("no server");
"""


@proves("vscode/mcp.json", "visual-studio", "jetbrains")
def vscode(place: Place) -> None:
    """VS Code's own JSON schema takes it."""
    schema = json.loads(place.node(_VSCODE))
    for path in ("vscode/mcp.json", "visual-studio/.mcp.json", "jetbrains/mcp.json"):
        _fits(schema, json.loads((HERE / path).read_text(encoding="utf-8")))


_VSCODE = f"""
const folder = {json.dumps(str(MODULES / "@codingame/monaco-vscode-api/vscode/src/vs/workbench/contrib/mcp/common"))};
import("file://" + folder + "/mcpConfiguration.js").then(code => console.log(JSON.stringify(code.mcpServerSchema)));
"""


@proves("copilot-studio")
def connector(place: Place) -> None:
    """`swagger-parser` takes it; the mark of MCP is as Microsoft documents it."""
    place.node(_SWAGGER, HERE / "copilot-studio/connector.yaml", says="Dixa")


_SWAGGER = """
const parser = require("@apidevtools/swagger-parser");
(parser.default ?? parser).validate(process.argv[1]).then(api => console.log(api.info.title));
"""


@proves("docker")
def docker(place: Place) -> None:
    """`hadolint` and `kubernetes-validate` take what lies beside it; the tests know the catalogue's rules."""
    programs = Path(sys.executable).parent
    place.run(programs / "hadolint", HERE / "docker/Dockerfile")
    place.run(programs / "kubernetes-validate", "--strict", HERE / "docker/kubernetes.yaml", says="passed")


def _json_of(path: str) -> str:
    return json.dumps(yaml.safe_load((HERE / path).read_text(encoding="utf-8")))


def _fits(schema: Any, data: Any) -> None:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - building the manifests needs no schemas

    problems = list(Draft7Validator(schema).iter_errors(data))  # pyright: ignore[reportUnknownMemberType] - untyped
    if problems:
        raise Failed("; ".join(problem.message for problem in problems))


def proof(paths: list[str]) -> str:
    """What proves these manifests, for the table of them."""
    if all(path.endswith("README.md") for path in paths):
        return "A note."
    said = [
        str(check.__doc__)
        for check, folders in CHECKS.items()
        if any(path == folder or path.startswith(f"{folder}/") for path in paths for folder in folders)
    ]
    return " ".join(said) or "As its maker documents it; no tool of theirs runs here."
