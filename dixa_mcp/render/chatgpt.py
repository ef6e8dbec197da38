"""Answers in the form OpenAI fixed: an object, and the same object as JSON text."""

import json
from dataclasses import dataclass, field
from typing import Any

from dixa_mcp.render import View, render
from dixa_mcp.render.thread import Thread

LONGEST = 20_000
"""Bytes of one text; as JSON it must stay below what any answer may have."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    results: list[dict[str, str]]
    """Each with id, title and url."""

    @property
    def structured(self) -> dict[str, Any]:
        """The object."""
        return {"results": self.results}

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return sum(each["id"].startswith("conversation:") for each in self.results)


@dataclass(slots=True)
class Document:
    """One conversation or article in full."""

    id: str
    title: str
    content: Thread | str
    url: str
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    """The content as it is shown: fenced, so filled in when the answer's fence is known."""

    @property
    def personal(self) -> int:
        """Personal records shown."""
        return int(isinstance(self.content, Thread))

    @property
    def structured(self) -> dict[str, Any]:
        """The object."""
        return {"id": self.id, "title": self.title, "text": self.text, "url": self.url, "metadata": self.metadata}


@render.register
def _(found: Found, view: View) -> str:
    return json.dumps(found.structured, ensure_ascii=False)


@render.register
def _(document: Document, view: View) -> str:
    text = render(document.content, view)
    cut = text.encode()[:LONGEST].decode(errors="ignore")
    document.text = text if len(cut) == len(text) else f"{cut}\n… cut here"
    return json.dumps(document.structured, ensure_ascii=False)
