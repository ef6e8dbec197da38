"""The audit file: one JSON line before each write and one after, chained by hash, without bodies.

The chain proves that no line was damaged, changed, dropped or put in later by accident or by an editor. It
doesn't prove anything against somebody who rewrites the whole file, nor that no line is missing at its end.
If a line can't be written, writes stop.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import ENOSPC
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol, cast

from dixa_mcp.errors import Refused

START = "0" * 64
ROTATE_AT = 10 * 1024 * 1024
KEPT_FILES = 10


class Audit(Protocol):
    """Where evidence goes."""

    def write(self, entry: dict[str, Any]) -> None:
        """Keep one entry.

        Raises:
            Refused: It can't be kept, so what it announces must not happen.
        """
        ...


class NoAudit:
    """`--no-audit`: nothing is kept."""

    def write(self, entry: dict[str, Any]) -> None:
        """Keep nothing."""


class AuditFile:
    """One file a process, mode 0600, rotated by size; every line holds the hash of the line before."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        # Process numbers repeat from container to container, and a directory may be shared.
        self.path = directory / f"audit-{started}-{os.getpid()}-{token_hex(3)}.jsonl"
        self._last = START
        self._part = 0

    def write(self, entry: dict[str, Any]) -> None:
        """Append a line and force it to the disk; a line that fits only in part is taken back."""
        line, own = chained(self._last, {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry})
        try:
            self._rotate()
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _append(file, line)
            finally:
                os.close(file)
        except OSError as error:
            raise _unwritable(error.strerror or "unknown error") from error
        self._last = own

    def _rotate(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.path.exists() or self.path.stat().st_size < ROTATE_AT:
            return
        self._part += 1
        self.path = self.path.with_name(f"{self.path.name.split('.')[0]}.{self._part}.jsonl")
        self._last = START
        for old in sorted(self.directory.glob("audit-*.jsonl"), key=lambda path: path.stat().st_mtime)[:-KEPT_FILES]:
            old.unlink()


def _unwritable(why: str) -> Refused:
    return Refused(
        "audit",
        f"The audit file can't be written ({why}), so nothing may be changed.",
        "The operator must make room or correct --state-dir.",
    )


def _append(file: int, line: bytes) -> None:
    before, written = os.fstat(file).st_size, 0
    try:
        written = os.write(file, line)
        os.fsync(file)
    finally:
        if written != len(line):
            with suppress(OSError):  # what can't be cut can't hold half a line either (a device)
                os.ftruncate(file, before)
    if written != len(line):
        raise OSError(ENOSPC, "no space left")


def chained(previous: str, entry: dict[str, Any]) -> tuple[bytes, str]:
    """One line of the file, with the hash of the line before it and, last, its own; and that hash.

    ASCII only, so that no character in it can pass for the end of a line.
    """
    body = dumps({**entry, "previous": previous}, separators=(",", ":")).encode()
    own = sha256(body).hexdigest()
    return body[:-1] + HASH.replace(b"-", own.encode()) + b"\n", own


HASH = b',"hash":"-"}'
"""The end of a line; `-` stands for the hash of everything before it, closed by a brace."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the chain breaks."""

    line: int
    why: str


def verify(path: Path) -> Iterator[Damage]:
    """Walk a file's chain and report each break."""
    previous = START
    *lines, rest = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        body, own = line[: -len(HASH) - 63] + b"}", line[-66:-2].decode(errors="replace")
        try:
            entry = loads(line)
        except ValueError:  # neither JSON nor text
            yield Damage(number, "not a JSON line")
            previous = own
            continue
        if not isinstance(entry, dict) or sha256(body).hexdigest() != own:
            yield Damage(number, "was changed")
        elif cast("dict[str, Any]", entry).get("previous") != previous:
            yield Damage(number, "doesn't follow from the line before it")
        previous = own
    if rest:
        yield Damage(len(lines) + 1, "was cut short")


def state_directory() -> Path:
    """Where state goes when the operator names no place: XDG on Linux, the usual places elsewhere."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "dixa-mcp"
    if root := os.environ.get("XDG_STATE_HOME"):
        return Path(root) / "dixa-mcp"
    return Path.home() / ".local" / "state" / "dixa-mcp"
