"""A server somebody else wrote, measured in the same run: Dixa's own, or whatever `--peer` starts on stdio.

It is started with `BASE_URL` and `DIXA_API_KEY` in its environment, so it must take the address of Dixa from there.
Without one, the figures of Dixa's own server are those that were measured once (design §11).
"""

import argparse
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stdio import Served

GET = 'fetch_conversation_by_id {"conversation_id": "10401"}'
"""A call of Dixa's own server that makes one GET."""
WRONG = 'fetch_conversation_by_id {"conversation_id": "99999"}'
"""The same, of a conversation that doesn't exist."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and its arguments."""

    tool: str
    arguments: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> "Call":
        """Read `NAME {JSON}`."""
        tool, _, arguments = text.partition(" ")
        return cls(tool, json.loads(arguments or "{}"))

    async def fails(self, served: Served) -> bool:
        """Make the call; return whether it failed."""
        text, failed = await served.answer(self.tool, self.arguments)
        return failed or "429" in text

    async def timed(self, served: Served) -> float:
        """Milliseconds the call takes."""
        return await served.timed(self.tool, **self.arguments)


@dataclass(frozen=True, slots=True)
class Peer:
    """How to start it, and two calls of it."""

    command: Sequence[str]
    get: Call
    wrong: Call

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        """Add what says which peer it is."""
        parser.add_argument("--peer", default="", help="command of a server to measure as well, such as Dixa's own")
        parser.add_argument("--peer-get", default=GET, help="a call of it that makes one GET: NAME {JSON}")
        parser.add_argument("--peer-wrong", default=WRONG, help="the same for something that doesn't exist")

    @classmethod
    def of(cls, given: argparse.Namespace) -> "Peer | None":
        """The peer of a command line; None without one."""
        if not given.peer:
            return None
        return cls(shlex.split(given.peer), Call.read(given.peer_get), Call.read(given.peer_wrong))
