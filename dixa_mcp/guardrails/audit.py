"""The audit file: one JSON line before each write and one after, chained by hash, without bodies.

The chain proves that no line was damaged, dropped or put in later by accident or by an editor. It doesn't
prove anything against somebody who rewrites the whole file. If a line can't be written, writes stop.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from typing import Any, Protocol

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
        self.path = directory / f"audit-{started}-{os.getpid()}.jsonl"
        self._last = START
        self._part = 0

    def write(self, entry: dict[str, Any]) -> None:
        """Append a line and force it to the disk."""
        line = chained(self._last, {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry})
        try:
            self._rotate()
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                written = os.write(file, line.encode() + b"\n")
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise _unwritable(error.strerror or "unknown error") from error
        if written != len(line.encode()) + 1:
            raise _unwritable("no space left")
        self._last = sha256(line.encode()).hexdigest()

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


def chained(previous: str, entry: dict[str, Any]) -> str:
    """One line of the file: the entry with the hash of the line before it."""
    return dumps({**entry, "previous": previous}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the chain breaks."""

    line: int
    why: str


def verify(path: Path) -> Iterator[Damage]:
    """Walk a file's chain and report each break."""
    previous = START
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = loads(line)
        except JSONDecodeError:
            yield Damage(number, "not a JSON line")
            previous = sha256(line.encode()).hexdigest()
            continue
        if entry.get("previous") != previous:
            yield Damage(number, "doesn't follow from the line before it")
        previous = sha256(line.encode()).hexdigest()


def state_directory() -> Path:
    """Where state goes when the operator names no place: XDG on Linux, the usual places elsewhere."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "dixa-mcp"
    if root := os.environ.get("XDG_STATE_HOME"):
        return Path(root) / "dixa-mcp"
    return Path.home() / ".local" / "state" / "dixa-mcp"
