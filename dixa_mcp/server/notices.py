"""Which resources a write touched, so that whoever listens to them hears of it."""

import re
from contextvars import ContextVar

from dixa_mcp.client.paths import Path

_written: ContextVar[list[Path] | None] = ContextVar("written", default=None)

TOUCHED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"/conversations/(\d+)(?:/.*)?", (r"dixa://conversation/\1", r"dixa://conversation/\1/transcript")),
    (r"/endusers/([0-9a-f-]+)(?:/.*)?", (r"dixa://customer/\1",)),
    (r"/tags(?:/.*)?", ("dixa://catalogue/tags",)),
    (r"/queues(?:/.*)?", ("dixa://catalogue/queues",)),
    (r"/teams(?:/.*)?", ("dixa://catalogue/teams",)),
    (r"/agents(?:/.*)?", ("dixa://catalogue/agents",)),
    (r"/templates(?:/.*)?", ("dixa://catalogue/templates",)),
    (r"/knowledge/articles/([0-9a-f-]+)(?:/.*)?", (r"dixa://article/\1",)),
)
"""A written path → the resources that show what it changed."""

OWN = "dixa://changes"
"""Touched by every write."""


def watch() -> None:
    """Begin to remember what this call writes."""
    _written.set([])


def heard(method: str, path: Path) -> None:
    """Remember a write; the client calls this after every request that may have changed something."""
    written = _written.get()
    if written is not None:
        written.append(path)


def touched() -> list[str]:
    """The resources this call's writes touched, each once."""
    uris: dict[str, None] = {}
    for path in _written.get() or ():
        uris[OWN] = None
        for pattern, resources in TOUCHED:
            if found := re.fullmatch(pattern, path):
                uris |= {found.expand(resource): None for resource in resources}
    return list(uris)
