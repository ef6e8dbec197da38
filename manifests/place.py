"""Where a check runs: a home of its own, the tools from npm, nothing of the person's."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
MODULES = ROOT / "node_modules"
PROGRAM = Path(sys.executable).parent / "dixa-mcp"


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
            "DO_NOT_TRACK": "1",
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

    def install(self, client: str, *flags: str) -> None:
        """Put the server into a client's file of this home."""
        self.run(PROGRAM, "install", client, "--yes", *flags, says="Changed")

    def node(self, script: str, *words: str | Path, **more: str) -> str:
        """Run a script with what is in `node_modules`; returns what it printed."""
        return self.run("node", "-e", script, *words, **{"NODE_PATH": str(MODULES), **more})
