"""`dixa-mcp install CLIENT`: shows the change, asks, keeps a copy, and puts the entry into the client's file."""

import argparse
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches, unified_diff
from getpass import getpass
from pathlib import Path
from typing import NoReturn

from dixa_mcp.errors import SettingsError
from dixa_mcp.install import blocks, jsonc
from dixa_mcp.install.clients import CLIENTS, NAME, STDIO, TOKEN_FILE, UVX, VSCODE_INPUT, Client, Launch, Platform
from dixa_mcp.install.files import Content, write
from dixa_mcp.settings import TOKEN_VARIABLE, Settings, flag, metavar

OWN = ("file", "project", "print", "uninstall", "yes", "uvx")
"""The flags of this command; every other one is a setting, checked and put into the entry."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the command runs."""

    platform: Platform
    home: Path
    environment: Mapping[str, str]
    here: Path
    asks: bool
    """Whether a person is at the terminal."""

    @classmethod
    def this(cls, environment: Mapping[str, str]) -> "Machine":
        """The machine it really runs on."""
        platform: Platform = "darwin" if sys.platform == "darwin" else "win32" if os.name == "nt" else "linux"
        asks = sys.stdin.isatty() and sys.stderr.isatty()
        return cls(platform, Path.home(), environment, Path.cwd(), asks)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message[:1].upper() + message[1:] + ". See dixa-mcp install --help.")


def parser() -> argparse.ArgumentParser:
    """The command's own words, for reading and for help."""
    made = _Parser(prog="dixa-mcp install", add_help=False, allow_abbrev=False)
    made.add_argument("client", nargs="?", metavar="CLIENT", help=", ".join(CLIENTS))
    made.add_argument("--file", type=Path, metavar="PATH", help="the client's file, when it isn't at its usual place")
    made.add_argument("--project", action="store_true", help="the file of the project in the current folder")
    either = made.add_mutually_exclusive_group()
    either.add_argument("--print", action="store_true", help="only show the entry and where it goes")
    either.add_argument("--uninstall", action="store_true", help="take the entry out again")
    made.add_argument("--yes", action="store_true", help="ask nothing")
    made.add_argument("--uvx", action="store_true", help="start it through uvx (once the package is published)")
    return made


def install(words: Sequence[str], machine: Machine) -> int:
    """Run the command; returns 0 when done, 1 when the person said no.

    Raises:
        SettingsError: An unknown client or flag, a file that can't be changed safely, or nobody to ask.
    """
    given, rest = parser().parse_known_args(list(words))
    client = _client(given.client)
    settings = Settings.load(rest, {}, beside=[flag(name) for name in OWN])
    if others := sorted(settings.model_fields_set - set(STDIO)):
        raise SettingsError(
            f"{flag(others[0])} is for a server of many; a client's file starts one for one person.", "Leave it out."
        )
    command, arguments = _command(uvx=given.uvx)
    arguments = (*arguments, *_absolute(rest, machine.here))
    launch = Launch(command, arguments, settings.sandbox, keyed=settings.api_key_file is not None)
    file: Path = given.file or client.file(
        machine.platform, machine.home, machine.environment, machine.here if given.project else None
    )
    if given.print:
        print(f"# {client.title}: {file}", file=sys.stderr)
        print(written(client, launch, ""), end="")
        _tell(client, launch, machine)
        return 0
    file = file.resolve()
    content = Content.of(file)
    before = content.text
    try:
        after = without(client, before) if given.uninstall else written(client, launch, before)
    except jsonc.Unsafe as error:
        hint = "Take it out by hand." if given.uninstall else "Add the entry by hand; --print shows it."
        raise SettingsError(f"{file} can't be changed: {error}.", hint) from error
    if after == before:
        print(f"{file} needs no change.")
        return 0
    print("".join(unified_diff(_lines(before), _lines(after), f"{file}", f"{file} (new)")), end="")
    if not given.yes and not _agreed(machine, file):
        print("Nothing was changed.")
        return 1
    if Content.of(file) != content:
        raise SettingsError(f"{file} was changed meanwhile by somebody else; it is as they left it.", "Run this again.")
    copy = write(file, content.saying(after))
    print(f"Changed {file}." + (f" The former one is kept as {copy.name}." if copy else ""))
    if given.uninstall:
        _tell_what_stays(client, machine)
        return 0
    _keep_token(client, launch, machine, asks=machine.asks and not given.yes)
    _tell(client, launch, machine)
    if given.project and command != UVX[0]:
        print("The entry names this machine's program; --uvx writes one that others can use, too.", file=sys.stderr)
    print(f"Restart {client.title}, then ask it: what is the status of Dixa?")
    return 0


def written(client: Client, launch: Launch, text: str) -> str:
    """A client's file with the server's entry in it.

    Raises:
        Unsafe: The file can't be changed without risk.
    """
    entry = client.entry(client, launch)
    text = text if text.strip() else client.begun
    match client.format:
        case "json":
            text = jsonc.put(text, [client.key, NAME], entry)
            if client.name == "vscode" and launch.needs_token:
                text = jsonc.append(text, "inputs", VSCODE_INPUT)
            return text
        case "toml":
            return blocks.put_toml(text, client.key, NAME, entry)
        case "yaml":
            return blocks.put_yaml(text, client.key, NAME, entry)
        case "document":
            return blocks.document(entry)


def without(client: Client, text: str) -> str:
    """A client's file with the server's entry taken out.

    Raises:
        Unsafe: The file can't be changed without risk.
    """
    match client.format:
        case "json":
            text = jsonc.remove(text, [client.key, NAME]) if text.strip() else text
            return jsonc.remove_item(text, "inputs", VSCODE_INPUT["id"]) if client.name == "vscode" else text  # type: ignore[arg-type]
        case "toml":
            return blocks.remove_toml(text, client.key, NAME)
        case "yaml":
            return blocks.remove_yaml(text, client.key, NAME)
        case "document":
            return ""


def _client(name: str | None) -> Client:
    if name is None:
        raise SettingsError("Into which client?", f"There are: {', '.join(CLIENTS)}.")
    if name not in CLIENTS:
        close = get_close_matches(name, CLIENTS, 1)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(CLIENTS)}."
        raise SettingsError(f"There is no client {name!r}.", hint)
    return CLIENTS[name]


def _command(*, uvx: bool) -> tuple[str, tuple[str, ...]]:
    """How the entry starts the server: this very program, or uvx where it runs from uv's passing store."""
    if uvx or "archive-v0" in Path(sys.prefix).parts:
        return UVX[0], UVX[1:]
    script = Path(sysconfig.get_path("scripts")) / ("dixa-mcp.exe" if os.name == "nt" else "dixa-mcp")
    return (str(script), ()) if script.exists() else (sys.executable, ("-m", "dixa_mcp"))


def _absolute(words: Sequence[str], here: Path) -> list[str]:
    """Make paths whole: the client starts the server in a folder of its own."""
    paths = {flag(name) for name in STDIO if metavar(name) == "PATH"}
    made: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        name, _, value = word.partition("=")
        if before in paths:
            made.append(str(here / Path(word).expanduser()))
        elif value and name in paths:
            made.append(f"{name}={here / Path(value).expanduser()}")
        else:
            made.append(word)
    return made


def _lines(text: str) -> list[str]:
    return [line if line.endswith("\n") else f"{line}\n" for line in text.splitlines(keepends=True)]


def _agreed(machine: Machine, file: Path) -> bool:
    if not machine.asks:
        raise SettingsError(f"Nobody can be asked about changing {file}.", "Run it in a terminal, or with --yes.")
    print("Change it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _token_file(machine: Machine) -> Path:
    return machine.home / TOKEN_FILE.removeprefix("~/")


def _keep_token(client: Client, launch: Launch, machine: Machine, *, asks: bool) -> None:
    """Put the token into its file, where the client has no place for it and it isn't there yet."""
    file = _token_file(machine)
    if client.secret or not launch.needs_token or file.exists():
        return
    token = machine.environment.get(TOKEN_VARIABLE, "").strip()
    if not token and asks:
        with suppress(EOFError):
            token = getpass(f"Dixa API token (empty: put it into {file} later): ").strip()
    if not token:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"{file} can't be written: {error.strerror}.", "Put the token there yourself.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(f"{token}\n")
    print(f"The token is in {file} now, readable by you only.")


def _tell(client: Client, launch: Launch, machine: Machine) -> None:
    """Say what remains to be done about the token."""
    if launch.sandbox:
        print("It runs on the built-in imitation of Dixa; no token is needed.", file=sys.stderr)
    elif launch.keyed:
        print("The token is read from the file of --api-key-file.", file=sys.stderr)
    else:
        print(client.told, file=sys.stderr)
        if not client.secret and not _token_file(machine).exists():
            print(
                f"That file isn't there yet: put the token into it, or set {TOKEN_VARIABLE} and run this again.",
                file=sys.stderr,
            )


def _tell_what_stays(client: Client, machine: Machine) -> None:
    if not client.secret and _token_file(machine).exists():
        print(f"The token stays in {_token_file(machine)}: other clients may use it. Delete it if none does.")
