"""What is installed: the wheel, the source distribution, the program's name, its completion."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from dixa_mcp import __version__, cli
from dixa_mcp.install.clients import CLIENTS
from dixa_mcp.install.completion import SHELLS, script
from dixa_mcp.settings import Settings, flag
from dixa_mcp.startup import COMMANDS

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).parent / "dixa-mcp"


def run(*command: str | Path, **environment: str) -> str:
    """What a program prints; it must succeed."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both distributions."""
    pytest.importorskip("hatchling", reason="hatchling isn't installed")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder)
    return folder


def sources() -> set[str]:
    """Every file of the package."""
    found = (file for file in (ROOT / "dixa_mcp").rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {file.relative_to(ROOT).as_posix() for file in found}


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    """Code, data, the page of the chart, the mark of typed packages, the licence."""
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    about = f"dixa_mcp-{__version__}.dist-info"
    assert names == sources() | {
        f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }
    assert {"dixa_mcp/py.typed", "dixa_mcp/server/metric.html", "dixa_mcp/operations/operations.toml"} <= names


def test_the_source_distribution_can_be_tested_and_built(built: Path) -> None:
    """The package, its tests and manifests, its papers; nothing of a working folder."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames()}
    assert sources() <= names
    assert {name.split("/")[0] for name in names} == {
        *("dixa_mcp", "tests", "manifests", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
        *(".ci", "Makefile", "constraints.txt", "pyproject.toml", "PKG-INFO", ".gitignore"),
    }
    assert not [name for name in names if "__pycache__" in name or "node_modules" in name]


@pytest.mark.parametrize("command", [[PROGRAM], [sys.executable, "-m", "dixa_mcp"]], ids=["program", "module"])
def test_the_version_is_told(command: list[str | Path]) -> None:
    """By the program and by the module."""
    assert run(*command, "--version") == f"dixa-mcp {__version__}\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And every help lists the settings."""
    assert cli.run([*([command] if command else []), "--help"], {}) == 0
    told = capsys.readouterr().out
    assert all(flag(name) in told for name in Settings.model_fields)
    assert command != "install" or "--uninstall" in told


def test_check_knows_that_the_sandbox_has_a_clock_of_its_own() -> None:
    """A newcomer's first check warns of nothing."""
    told = run(PROGRAM, "check", "--sandbox")
    assert "Fernway Outfitters" in told
    assert not [line for line in told.splitlines() if line.startswith(("!", "✗"))]


@pytest.fixture(scope="module")
def bash_script() -> str:
    """What the program prints for bash."""
    return run(PROGRAM, "completion", "bash")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (["dixa-mcp", "ins"], {"install"}),
        (["dixa-mcp", "install", "cur"], {"cursor"}),
        (["dixa-mcp", "install", ""], set(CLIENTS)),
        (["dixa-mcp", "call", "dixa_get_th"], {"dixa_get_thread"}),
        (["dixa-mcp", "policy", "--mode", ""], {"read-only", "confirm", "unattended"}),
        (["dixa-mcp", "tools", "--internal"], {"--internal-only"}),
    ],
)
def test_bash_completes_what_is_there(bash_script: str, line: list[str], offered: set[str]) -> None:
    """Asked of bash itself, with the script the program prints."""
    words = " ".join(f"'{word}'" for word in line)
    asked = f'COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; _dixa_mcp; printf "%s\\n" "${{COMPREPLY[@]}}"'
    found = run("bash", "-c", f"{bash_script}\n{asked}").split()
    assert offered <= set(found)
    assert len(found) == len(offered) or not line[-1]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_that_names_every_command(shell: str) -> None:
    """Made from the table, so that a new command is there."""
    text = script(shell, COMMANDS, ["dixa_get_thread"])
    assert all(command in text for command in COMMANDS)
    assert "dixa_get_thread" in text


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_one_its_shell_can_read(shell: str) -> None:
    """Where the shell is there; it reads the script and runs nothing."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n"], input=script(shell, COMMANDS, ["dixa_get_thread"]), text=True, check=True)
