"""Results as text for a reader: one function a type, registered with `@render.register`.

The text is compact, in names, with customers' words inside the call's fence. Wire formats end here.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import singledispatch
from zoneinfo import ZoneInfo

from dixa_mcp.text.fence import Fence
from dixa_mcp.text.times import shown

AIM_BYTES = 14_000
"""About 4,000 tokens: lists stop here, at a record, and say how to go on."""
CAP_BYTES = 30_000
"""About 10,000 tokens, counted at three bytes a token so that it holds for any script; never passed."""


@dataclass(slots=True)
class View:
    """How one answer is shown."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    fence: Fence = field(default_factory=Fence)
    detailed: bool = False
    acting: str = ""
    """Organisation and acting agent, for answers about changes."""
    bars: bool = True
    """Draw charts with characters; a host that shows the real chart needs none."""

    def time(self, when: datetime | None) -> str:
        """A time in the answer's zone, or nothing."""
        return shown(when, self.zone, self.now) if when else ""


@singledispatch
def render(thing: object, view: View) -> str:
    """Turn what a tool returned into what the model reads."""
    raise TypeError(f"nothing renders a {type(thing).__name__}")


@render.register
def _(text: str, view: View) -> str:
    return text


def size(text: str) -> int:
    """Bytes on the wire."""
    return len(text.encode())


def fit(blocks: list[str], limit: int = AIM_BYTES) -> int:
    """How many blocks, from the first, fit into the limit; at least one."""
    used = 0
    for count, block in enumerate(blocks):
        used += size(block) + 1
        if used > limit:
            return max(count, 1)
    return len(blocks)


def cap(text: str) -> str:
    """Cut a text that is larger than any answer may be, and say so."""
    if size(text) <= CAP_BYTES:
        return text
    kept = text.encode()[: CAP_BYTES - 200].decode(errors="ignore")
    return f"{kept}\n… cut here: the answer was {size(text):,} bytes. Ask for less (limit, format: concise)."
