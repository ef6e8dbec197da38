"""The built wheel in a fresh environment of each Python it is for: `make test-pythons` (some minutes, needs a network).

Plain pytest skips them: an environment for each is too slow for `make test`.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from dixa_mcp import __version__

ROOT = Path(__file__).parents[2]
WANTED = ("3.11", "3.12", "3.13")
"""Those of the classifiers in `pyproject.toml`."""
TYPED = """\
from dixa_mcp.settings import Settings

wrong: int = Settings.load([], {}).mode
"""

if not os.environ.get("PYTHONS"):
    pytest.skip("an environment for each Python takes minutes (make test-pythons)", allow_module_level=True)


@dataclass(frozen=True)
class Installed:
    """A fresh environment that holds the wheel and what it requires, and nothing else."""

    folder: Path
    home: Path

    def run(self, *command: str | Path, status: int = 0) -> str:
        """What a program of it prints."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DIXA_", "PYTHON"))}
        done = subprocess.run(
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=self.home,
            env={**environment, "HOME": str(self.home), "DIXA_MCP_STATE_DIR": str(self.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


def interpreter(version: str) -> str | None:
    """A Python of this version: on the path, or one that pyenv keeps."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for program in (shutil.which(f"python{version}"), *map(str, kept)):
        if program and not subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode:
            return program
    return None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module", params=WANTED)
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    program = interpreter(request.param)
    if program is None:
        pytest.skip(f"there is no Python {request.param} here")
    folder = tmp_path_factory.mktemp(f"python-{request.param}")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", program, folder / "venv"], check=True)
    pip = [*uv, "pip", "install", "--quiet", "--python", folder / "venv"]
    subprocess.run([*pip, "--constraint", ROOT / "constraints.txt", wheel], check=True)
    home = folder / "home"
    home.mkdir()
    return Installed(folder / "venv", home)


def test_every_python_of_the_classifiers_is_tried() -> None:
    """What the index shows is what is tried."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f'"Programming Language :: Python :: {version}"' in text for version in WANTED)
    assert text.count('"Programming Language :: Python :: 3.') == len(WANTED)


def test_it_starts_as_program_and_as_module(installed: Installed) -> None:
    """The same version, both ways."""
    assert installed.run("dixa-mcp", "--version") == installed.run("python", "-m", "dixa_mcp", "--version")
    assert __version__ in installed.run("dixa-mcp", "--version")


def test_the_main_job_runs_to_its_end(installed: Installed) -> None:
    """Server, client, sandbox and their data are all in the wheel."""
    assert "Everything came out as it should." in installed.run("dixa-mcp", "demo")


def test_one_call_answers(installed: Installed) -> None:
    """A tool from the terminal."""
    assert "Fernway Outfitters" in installed.run("dixa-mcp", "call", "dixa_status", "--sandbox")


@pytest.mark.parametrize(
    ("extra", "flags"),
    [
        ("redis", ["--sandbox", "--redis-url", "redis://127.0.0.1:1"]),
        ("metrics", ["--sandbox", "--http", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]),
    ],
)
def test_an_extra_that_is_missing_is_named(installed: Installed, extra: str, flags: list[str]) -> None:
    """One line that says what to install; no traceback."""
    said = installed.run("dixa-mcp", *flags, status=2)
    assert f"dixa-mcp[{extra}]" in said
    assert "Traceback" not in said


def test_its_readme_names_the_registry_entry(installed: Installed) -> None:
    """The MCP registry looks for `mcp-name:` in what the index shows."""
    (about,) = installed.folder.glob("lib/python*/site-packages/dixa_mcp-*.dist-info")
    assert "mcp-name: io.github." in (PathDistribution(about).read_text("METADATA") or "")


def test_its_types_reach_who_imports_it(installed: Installed) -> None:
    """A consumer's mistake is found, so `py.typed` is there and the annotations are read."""
    file = installed.home / "consumer.py"
    file.write_text(TYPED)
    command = [sys.executable, "-m", "pyright", "--pythonpath", installed.folder / "bin" / "python", file]
    said = subprocess.run(command, cwd=installed.home, capture_output=True, text=True, check=False).stdout
    assert "1 error" in said, said
    assert 'is not assignable to "int"' in said
