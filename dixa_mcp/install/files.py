"""Read and replace somebody else's file: its byte order mark, line ends and mode stay, and a copy is kept."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from dixa_mcp.errors import SettingsError

MARK = "\ufeff"
"""The byte order mark that some editors on Windows put first."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's text, and how it is written down."""

    text: str = ""
    marked: bool = False
    newline: str = "\n"

    @classmethod
    def of(cls, file: Path) -> "Content":
        """Read a file; one that isn't there is empty.

        Raises:
            SettingsError: It can't be read, or isn't UTF-8.
        """
        try:
            text = file.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} can't be read: {getattr(error, 'strerror', '') or 'not UTF-8'}.") from error
        marked, text = text.startswith(MARK), text.removeprefix(MARK)
        windows = "\r\n" in text and "\n" not in text.replace("\r\n", "")
        return cls(text.replace("\r\n", "\n"), marked, "\r\n") if windows else cls(text, marked)

    def saying(self, text: str) -> "Content":
        """The same file with another text."""
        return replace(self, text=text)

    @property
    def bytes(self) -> bytes:
        """As it stands in the file."""
        text = self.text.replace("\n", "\r\n") if self.newline == "\r\n" else self.text
        return f"{MARK if self.marked else ''}{text}".encode()


def write(file: Path, content: Content) -> Path | None:
    """Write a file in one step and keep its former self beside it; one without text goes away.

    Returns:
        The copy, if there was a file.

    Raises:
        SettingsError: It can't be written.
    """
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.bytes)
            return None
        mode = file.stat().st_mode & 0o777
        if not mode & 0o200:
            raise SettingsError(f"{file} is read-only.", "Make it writable, or add the entry of --print by hand.")
        copy = _free(file)
        _put(copy, file.read_bytes(), mode)
        if content.text:
            _put(file, content.bytes, mode)
        else:
            file.unlink()
    except OSError as error:
        raise SettingsError(
            f"{file} can't be written: {error.strerror}. It is as it was.",
            "Make room, or see to the rights; or add the entry of --print by hand.",
        ) from error
    return copy


def _put(file: Path, data: bytes, mode: int) -> None:
    """Write beside it and move it there, so that it is never half there, nor open to more people than before."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        beside = Path(new.name)
        try:
            new.write(data)
            new.close()
            beside.chmod(mode)
            beside.replace(file)
        except OSError:
            beside.unlink(missing_ok=True)
            raise


def _free(file: Path) -> Path:
    number = 1
    while (copy := file.with_name(f"{file.name}.before-dixa-mcp-{number}")).exists():
        number += 1
    return copy
