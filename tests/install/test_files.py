"""Files as people have them: marks, line ends, tabs, links, rights; and what `install` does about each."""

import io
import json
import stat
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from test_install import OTHERS, TOKEN, machine, place

from dixa_mcp.errors import SettingsError
from dixa_mcp.install import command
from dixa_mcp.install.clients import CLIENTS, Client
from dixa_mcp.install.command import install

MERGED = [name for name, client in CLIENTS.items() if client.format in OTHERS]


def existing(client: Client) -> str:
    """A file of this client with an entry of somebody else."""
    return OTHERS[client.format].replace("mcpServers", client.key).replace("mcp_servers", client.key)


def parsed(client: Client, text: str) -> dict[str, object]:
    """What stands under the client's key."""
    match client.format:
        case "toml":
            return tomllib.loads(text)[client.key]
        case "json":
            return json.loads("\n".join(line for line in text.splitlines() if not line.strip().startswith("//")))[
                client.key
            ]
        case _:
            return yaml.safe_load(text)[client.key]


@pytest.mark.parametrize("name", MERGED)
@pytest.mark.parametrize(("mark", "newline"), [(b"", b"\r\n"), (b"\xef\xbb\xbf", b"\r\n"), (b"\xef\xbb\xbf", b"\n")])
def test_a_byte_order_mark_and_line_ends_stay(
    name: str, mark: bytes, newline: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Editors on Windows write both; the file comes back to the byte after --uninstall."""
    here = machine(tmp_path)
    monkeypatch.chdir(here.here)
    client, file = CLIENTS[name], place(name, here)
    before = mark + existing(client).encode().replace(b"\n", newline)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before)
    install([name, "--yes"], here)
    after = file.read_bytes()
    assert after.startswith(mark + existing(client)[:1].encode())
    assert after.count(b"\n") == after.count(newline)
    assert {"dixa", "other"} == set(parsed(client, after.decode("utf-8-sig")))
    install([name, "--yes", "--uninstall"], here)
    left = file.read_bytes().replace(b'  "inputs": [],' + newline, b"")
    assert left == before


@pytest.mark.parametrize("name", CLIENTS)
def test_a_second_install_changes_nothing_in_any_client(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And keeps no second copy; the file begins as its maker wants it."""
    here = machine(tmp_path)
    monkeypatch.chdir(here.here)
    install([name, "--yes"], here)
    file = place(name, here)
    first = file.read_bytes()
    assert first.decode().startswith(CLIENTS[name].begun)
    assert install([name, "--yes"], here) == 0
    assert "needs no change" in capsys.readouterr().out
    assert file.read_bytes() == first
    assert [each.name for each in file.parent.iterdir() if each.name.startswith(file.name)] == [file.name]


@pytest.mark.parametrize("name", MERGED)
def test_an_entry_of_the_same_name_is_replaced_and_shown(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dixa's own server may stand there under that name; the difference says so before anybody agrees."""
    here = machine(tmp_path)
    monkeypatch.chdir(here.here)
    client, file = CLIENTS[name], place(name, here)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(existing(client).replace("other", "dixa"), encoding="utf-8")
    install([name, "--yes"], here)
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if line.startswith("-") and "x" in line]
    assert set(parsed(client, file.read_text(encoding="utf-8"))) == {"dixa"}


@pytest.mark.parametrize("name", MERGED)
def test_a_broken_file_is_left_alone_in_any_client(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is repaired by guessing."""
    here = machine(tmp_path)
    monkeypatch.chdir(here.here)
    client, file = CLIENTS[name], place(name, here)
    file.parent.mkdir(parents=True, exist_ok=True)
    broken = {"json": "{ no", "toml": "= 1", "yaml": f"{client.key}: [1"}[client.format]
    file.write_text(broken)
    with pytest.raises(SettingsError, match="can't be changed"):
        install([name, "--yes"], here)
    assert file.read_text() == broken


def test_tabs_and_mixed_line_ends_stay(tmp_path: Path) -> None:
    """What is mixed already isn't made equal."""
    here = machine(tmp_path)
    file = place("cursor", here)
    file.parent.mkdir()
    file.write_bytes(b'{\r\n\t"mcpServers": {\n\t\t"other": {}\n\t}\n}\n')
    install(["cursor", "--yes"], here)
    assert b'\r\n\t"mcpServers": {\n\t\t"dixa": {\n\t\t\t"command"' in file.read_bytes()


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    """Somebody said so; replacing it would go around that."""
    here = machine(tmp_path)
    file = place("cursor", here)
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o400)
    with pytest.raises(SettingsError, match="is read-only"):
        install(["cursor", "--yes"], here)
    assert file.read_text() == "{}"
    assert [each.name for each in file.parent.iterdir()] == ["mcp.json"]


@pytest.mark.parametrize("make", [lambda file: file.mkdir(), lambda file: file.write_bytes(b"\xff\xfe{\x00")])
def test_what_cannot_be_read_is_said(make: object, tmp_path: Path) -> None:
    """A folder of that name, another encoding."""
    here = machine(tmp_path)
    file = place("cursor", here)
    file.parent.mkdir()
    make(file)  # type: ignore[operator]
    with pytest.raises(SettingsError, match="can't be read"):
        install(["cursor", "--yes"], here)


def test_a_private_file_and_its_copy_stay_private(tmp_path: Path) -> None:
    """Claude Code's file holds secrets of others."""
    here = machine(tmp_path)
    file = place("claude-code", here)
    file.write_text("{}")
    file.chmod(0o600)
    install(["claude-code", "--yes"], here)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir() if each.is_file()}
    assert modes == {0o600}


def test_paths_are_made_whole(tmp_path: Path) -> None:
    """A client starts the server in a folder of its own."""
    here = machine(tmp_path)
    install(["cursor", "--yes", "--kill-switch", "stop", "--state-dir=state"], here)
    entry = json.loads(place("cursor", here).read_text())["mcpServers"]["dixa"]
    assert entry["args"] == ["--kill-switch", str(here.here / "stop"), f"--state-dir={here.here / 'state'}"]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_file_of_the_users_for_the_token_is_the_only_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --api-key-file no client is asked to fill in a variable, and no second file is named."""
    here = machine(tmp_path)
    monkeypatch.chdir(here.here)
    install([name, "--print", "--api-key-file", "mine"], here)
    told = capsys.readouterr()
    assert told.out.count("--api-key-file") == 1
    assert "DIXA_API_KEY" not in told.out.upper()
    assert "file of --api-key-file" in told.err


@pytest.mark.parametrize("typed", ["", None])
def test_a_token_that_isnt_typed_is_no_error(
    typed: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Enter, or the end of input."""

    def prompted(prompt: str) -> str:
        if typed is None:
            raise EOFError
        return typed

    monkeypatch.setattr(command, "getpass", prompted)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert install(["zed"], machine(tmp_path, asks=True)) == 0
    assert "isn't there yet" in capsys.readouterr().err


def test_yes_asks_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script may have a terminal and nobody at it."""
    monkeypatch.setattr(command, "getpass", lambda prompt: pytest.fail("it asked"))
    assert install(["zed", "--yes"], machine(tmp_path, asks=True)) == 0


def test_a_token_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """The client's file is done by then; only the token is left to the user."""
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "dixa-mcp").write_text("in the way")
    with pytest.raises(SettingsError, match="can't be written") as refused:
        install(["cline", "--yes"], machine(tmp_path, DIXA_API_KEY=TOKEN))
    assert "yourself" in refused.value.next


def test_the_token_that_stays_after_uninstall_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other clients read it, too."""
    here = machine(tmp_path, DIXA_API_KEY=TOKEN)
    install(["zed", "--yes"], here)
    install(["zed", "--yes", "--uninstall"], here)
    assert f"The token stays in {tmp_path / '.config' / 'dixa-mcp' / 'token'}" in capsys.readouterr().out


def test_a_projects_file_with_this_machines_path_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others check the project out; with --uvx it works for them."""
    here = machine(tmp_path)
    install(["cursor", "--yes", "--project"], here)
    assert "--uvx" in capsys.readouterr().err
    install(["cursor", "--yes", "--project", "--uvx"], here)
    assert "--uvx" not in capsys.readouterr().err


def test_print_and_uninstall_exclude_each_other(tmp_path: Path) -> None:
    """One shows an entry, the other takes it out."""
    with pytest.raises(SettingsError, match="--print"):
        install(["cursor", "--print", "--uninstall"], machine(tmp_path))


def test_a_file_that_changed_meanwhile_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client writes while the person thinks isn't lost."""
    here = machine(tmp_path, asks=True)
    file = place("cursor", here)
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    theirs = '{"mcpServers": {"theirs": {"command": "x"}}}'

    class Person(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            file.write_text(theirs)
            return super().readline()

    monkeypatch.setattr(sys, "stdin", Person("y\n"))
    with pytest.raises(SettingsError, match="meanwhile"):
        install(["cursor"], here)
    assert file.read_text() == theirs
