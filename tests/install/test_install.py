"""`dixa-mcp install CLIENT`: shows, asks, keeps a copy, merges, and takes itself out again."""

import io
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dixa_mcp.errors import SettingsError
from dixa_mcp.install.clients import CLIENTS, Platform
from dixa_mcp.install.command import Machine, install

PLATFORMS: tuple[Platform, ...] = ("darwin", "win32", "linux")
TOKEN = "a-token-of-dixa"
OTHERS: dict[str, str] = {
    "json": '{\n  // mine\n  "mcpServers": {\n    "other": {"command": "x"}\n  },\n  "theme": "dark"\n}\n',
    "toml": '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "x"\n',
    "yaml": "# mine\nversion: 1\nmcpServers:\n  other:\n    command: x\n",
}


def machine(home: Path, platform: Platform = "linux", *, asks: bool = False, **environment: str) -> Machine:
    """A machine with this home; the project is a folder in it."""
    project = home / "project"
    project.mkdir(exist_ok=True)
    return Machine(platform, home, environment, project, asks)


def place(name: str, here: Machine) -> Path:
    """Where the entry of a client goes."""
    return here.here / CLIENTS[name].file(here.platform, here.home, here.environment, None)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", CLIENTS)
def test_an_entry_goes_where_the_client_looks(
    name: str, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve clients, three systems (issue 8)."""
    here = machine(tmp_path, platform)
    monkeypatch.chdir(here.here)
    assert install([name, "--yes"], here) == 0
    text = place(name, here).read_text(encoding="utf-8")
    assert "dixa" in text
    assert str(Path(sys.executable).parent) in text
    assert all(tmp_path in file.parents for file in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("name", "platform", "path"),
    [
        ("claude-desktop", "darwin", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("claude-desktop", "win32", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("vscode", "darwin", "Library/Application Support/Code/User/mcp.json"),
        ("vscode", "linux", ".config/Code/User/mcp.json"),
        ("vscode", "win32", "AppData/Roaming/Code/User/mcp.json"),
        ("cursor", "win32", ".cursor/mcp.json"),
        ("windsurf", "darwin", ".codeium/windsurf/mcp_config.json"),
        ("cline", "win32", ".cline/data/settings/cline_mcp_settings.json"),
        ("continue", "linux", ".continue/mcpServers/dixa.yaml"),
        ("gemini", "darwin", ".gemini/settings.json"),
        ("goose", "darwin", ".config/goose/config.yaml"),
        ("goose", "linux", ".config/goose/config.yaml"),
        ("zed", "win32", "AppData/Roaming/Zed/settings.json"),
        ("goose", "win32", "AppData/Roaming/Block/goose/config/config.yaml"),
        ("zed", "linux", ".config/zed/settings.json"),
        ("codex", "win32", ".codex/config.toml"),
    ],
)
def test_the_usual_places(name: str, platform: Platform, path: str, tmp_path: Path) -> None:
    """As the makers document them (practice §5.1)."""
    assert place(name, machine(tmp_path, platform)) == tmp_path / path


def test_the_variables_that_move_a_clients_folder_are_heeded(tmp_path: Path) -> None:
    """XDG, %APPDATA% and the clients' own."""
    moved = str(tmp_path / "moved")
    own = [(name, variable) for name, client in CLIENTS.items() for variable in client.moved]
    assert {"CODEX_HOME", "CLAUDE_CONFIG_DIR", "CLINE_DIR"} <= {variable for _, variable in own}
    for name, variable in (*own, ("zed", "XDG_CONFIG_HOME"), ("vscode", "XDG_CONFIG_HOME")):
        assert place(name, machine(tmp_path, "linux", asks=False, **{variable: moved})).is_relative_to(moved)
    assert place("claude-desktop", machine(tmp_path, "win32", APPDATA=moved)).is_relative_to(moved)


@pytest.mark.parametrize("name", [name for name, client in CLIENTS.items() if client.format in OTHERS])
def test_what_stood_there_stays_and_comes_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merged, not overwritten; and after --uninstall the file is as it was."""
    here = machine(tmp_path)
    monkeypatch.chdir(here.here)
    client, file = CLIENTS[name], place(name, here)
    before = OTHERS[client.format].replace("mcpServers", client.key).replace("mcp_servers", client.key)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(before, encoding="utf-8")
    assert install([name, "--yes"], here) == 0
    after = file.read_text(encoding="utf-8")
    assert "other" in after
    assert "mine" in after
    assert file.with_name(f"{file.name}.before-dixa-mcp-1").read_text(encoding="utf-8") == before
    assert install([name, "--yes", "--uninstall"], here) == 0
    left = file.read_text(encoding="utf-8")
    assert left.replace('\n  "inputs": [],', "") == before
    assert file.with_name(f"{file.name}.before-dixa-mcp-2").read_text(encoding="utf-8") == after


def test_what_the_file_never_held_is_no_uninstall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made only to be taken away."""
    assert install(["cursor", "--yes", "--uninstall"], machine(tmp_path)) == 0
    assert "needs no change" in capsys.readouterr().out
    assert not (tmp_path / ".cursor").exists()


def test_continues_own_file_goes_away_and_a_copy_stays(tmp_path: Path) -> None:
    """Its file holds nothing but us."""
    here = machine(tmp_path)
    install(["continue", "--yes"], here)
    assert yaml.safe_load(place("continue", here).read_text())["mcpServers"][0]["name"] == "dixa"
    install(["continue", "--yes", "--uninstall"], here)
    assert not place("continue", here).exists()


def test_print_touches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The entry on stdout alone, so that it can be piped."""
    assert install(["claude-code", "--print"], machine(tmp_path)) == 0
    assert "dixa" in json.loads(capsys.readouterr().out)["mcpServers"]
    assert [file.name for file in tmp_path.iterdir()] == ["project"]


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False), ("", False)])
def test_a_person_is_shown_the_change_and_asked(
    answer: str, written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asks before it changes a file; only a yes is a yes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert install(["cursor"], machine(tmp_path, asks=True)) == (0 if written else 1)
    assert '+      "args"' in capsys.readouterr().out
    assert (tmp_path / ".cursor" / "mcp.json").exists() == written


def test_where_nobody_can_be_asked_nothing_is_changed(tmp_path: Path) -> None:
    """A script says --yes."""
    with pytest.raises(SettingsError, match="Nobody can be asked"):
        install(["cursor"], machine(tmp_path))
    assert not (tmp_path / ".cursor").exists()


def test_settings_are_checked_and_go_into_the_entry(tmp_path: Path) -> None:
    """A mistyped one stops here, not at every start of the client."""
    here = machine(tmp_path)
    install(["cursor", "--yes", "--mode", "read-only", "--queues", "Billing,VIP"], here)
    entry = json.loads(place("cursor", here).read_text())["mcpServers"]["dixa"]
    assert entry["args"] == ["--mode", "read-only", "--queues", "Billing,VIP"]
    with pytest.raises(SettingsError, match="--mode"):
        install(["cursor", "--yes", "--mode", "readonly"], here)


@pytest.mark.parametrize("flags", [["--http", "127.0.0.1:1"], ["--state-key", "x" * 40]])
def test_what_only_http_knows_is_refused(flags: list[str], tmp_path: Path) -> None:
    """A client's file starts a server for one person; secrets of a server don't belong there at all."""
    with pytest.raises(SettingsError, match="server of many"):
        install(["cursor", "--yes", *flags], machine(tmp_path))


def test_a_trial_on_the_sandbox_needs_no_token(tmp_path: Path) -> None:
    """`--sandbox` (issue 8)."""
    here = machine(tmp_path)
    install(["vscode", "--yes", "--sandbox"], here)
    file = json.loads(place("vscode", here).read_text())
    assert file["servers"]["dixa"]["args"] == ["--sandbox"]
    assert "env" not in file["servers"]["dixa"]
    assert "inputs" not in file


@pytest.mark.parametrize("name", CLIENTS)
def test_no_clients_file_ever_holds_the_token(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in the client's own place for secrets, or in a file for the owner alone; the user is told which."""
    here = machine(tmp_path, DIXA_API_KEY=TOKEN)
    monkeypatch.chdir(here.here)
    install([name, "--yes"], here)
    told = capsys.readouterr()
    kept = tmp_path / ".config" / "dixa-mcp" / "token"
    holding = [file for file in tmp_path.rglob("*") if file.is_file() and TOKEN in file.read_text(encoding="utf-8")]
    assert holding == ([] if CLIENTS[name].secret else [kept])
    assert CLIENTS[name].told in told.err
    assert TOKEN not in told.out + told.err
    if holding and os.name != "nt":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_token_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Never replaced without being asked for."""
    kept = tmp_path / ".config" / "dixa-mcp" / "token"
    kept.parent.mkdir(parents=True)
    kept.write_text("older\n")
    install(["zed", "--yes"], machine(tmp_path, DIXA_API_KEY=TOKEN))
    assert kept.read_text() == "older\n"


def test_a_projects_file_is_in_the_project(tmp_path: Path) -> None:
    """`--project`, for those that have one."""
    here = machine(tmp_path)
    install(["claude-code", "--yes", "--project"], here)
    assert "dixa" in json.loads((here.here / ".mcp.json").read_text())["mcpServers"]
    with pytest.raises(SettingsError, match="no file in a project"):
        install(["zed", "--yes", "--project"], here)


def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    """People keep such files in a repository and link to them."""
    real = tmp_path / "dotfiles.json"
    real.write_text("{}\n")
    link = tmp_path / ".cursor" / "mcp.json"
    link.parent.mkdir()
    link.symlink_to(real)
    install(["cursor", "--yes"], machine(tmp_path))
    assert link.is_symlink()
    assert "dixa" in real.read_text()


@pytest.mark.parametrize("text", ["{ not json", "[]", '{"mcpServers": 3}'])
def test_a_file_we_cannot_read_is_left_alone(text: str, tmp_path: Path) -> None:
    """And the message says what to do by hand."""
    file = tmp_path / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(SettingsError, match="can't be changed") as refused:
        install(["cursor", "--yes"], machine(tmp_path))
    assert "--print" in refused.value.next
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "Into which client"), (["cursr"], "no client 'cursr'"), (["cursor", "--yess"], "--yess. Did you mean --yes")],
)
def test_what_is_not_understood_is_said(words: list[str], said: str, tmp_path: Path) -> None:
    """With the choices, or the near one."""
    with pytest.raises(SettingsError, match=said) as refused:
        install(words, machine(tmp_path))
    assert "cursor" in f"{refused.value.what} {refused.value.next}" or "--yes?" in refused.value.what


def test_uvx_writes_the_published_command(tmp_path: Path) -> None:
    """Pinned to this version."""
    from dixa_mcp import __version__

    here = machine(tmp_path)
    install(["cursor", "--yes", "--uvx"], here)
    entry: Any = json.loads(place("cursor", here).read_text())["mcpServers"]["dixa"]
    assert (entry["command"], entry["args"]) == ("uvx", [f"dixa-mcp=={__version__}"])
