"""A file of a message: its text inside the fence, or what there is to say about it beside the file itself."""

from dataclasses import dataclass

from dixa_mcp.render import AIM_BYTES, View, render, size
from dixa_mcp.text.clean import line


@dataclass(frozen=True, slots=True)
class Media:
    """Something a result brings beside its text, as bytes; the server gives it the protocol's form."""

    data: bytes
    media_type: str
    uri: str


@dataclass(frozen=True, slots=True)
class FileShown:
    """One file."""

    name: str
    media_type: str
    bytes: int
    number: int
    of: int
    """How many files the message has."""
    text: str = ""
    """Its text, cleaned, if it is one."""
    note: str = ""
    """Why it isn't shown, or what to know about it."""
    media: tuple[Media, ...] = ()

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return 1


@render.register
def _(file: FileShown, view: View) -> str:
    others = f", file {file.number} of {file.of}" if file.of > 1 else ""
    lines = [f"{line(file.name, 120)} ({line(file.media_type, 60)}, {_size(file.bytes)}{others})"]
    if file.note:
        lines.append(file.note)
    if file.text:
        kept = file.text.encode()[:AIM_BYTES].decode(errors="ignore")
        lines.append(view.fence.wrap(kept))
        if size(file.text) > AIM_BYTES:
            lines.append(f"{len(file.text) - len(kept):,} more characters are not shown.")
    return "\n".join(lines)


def _size(count: int) -> str:
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1_000:,.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"
