"""Personal data as stable tokens (`--pii pseudonymise`): on the way out everywhere, on the way in taken back.

Names are learnt from what Dixa answers about customers, so that they are known in any text they stand in.
A reduction of what the model sees, not a compliance boundary: what nobody recognises stays.

Where replicas share a `State`, the map is kept there: who first shows a value gives it a token, and all others
use that one. Numbers are then drawn by lot, so that a map that was lost can't give somebody's token to another.
"""

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from json import dumps, loads
from typing import Any, cast

import anyio

from dixa_mcp.errors import StateUnavailable
from dixa_mcp.state import State
from dixa_mcp.text.pseudonyms import Given, Pseudonyms

COLLEAGUES = ("/agents", "/teams", "/queues")
"""Paths whose people are colleagues: their names are how work is handed over, so they stay."""
NAME_FIELDS = ("displayName", "firstName", "lastName")
MONTH = 30 * 24 * 3600.0
"""Seconds a token is kept after it was given out."""
HIGHEST = 999_999_999
"""The highest number a token can have."""

# Where a text was cut to fit, half an address or number may stand that nobody would recognise.
_CUT = re.compile(r"(?:\+?\d[\d .()/-]{3,})?[^\s…]*…")
_TOKEN = re.compile(r"\[[a-z]+_[1-9][0-9]{0,8}\]")


class Personal:
    """What one tenant's customers are called, and the tokens that stand for it.

    Args:
        state: where replicas share the map; None to keep it in this process, numbered from 1.
        tenant: whose map it is.
    """

    def __init__(self, state: State | None = None, tenant: str = "") -> None:
        self._state = state
        self._key = f"personal:{tenant}"
        self._names = Pseudonyms(number=_by_lot if state else None)
        self._heard: set[str] = set()
        self._unshared: list[Given] = []
        self._corrections = 0
        self._door = anyio.Lock()

    def learn(self, template: str, data: Any) -> None:
        """Hear an answer of Dixa's; `template` is the path without ids."""
        if not template.startswith(COLLEAGUES):
            self._heard |= _names(data)

    async def hide(self, value: Any) -> Any:
        """Return a text, or every text in a structure, with tokens for what is personal."""
        heard, self._heard = self._heard, set()

        def tokens(text: str) -> str:
            return self._names.hide(_CUT.sub("…", text), heard)

        hidden = _each(value, tokens)
        self._unshared += self._names.given()
        if self._state is None:
            self._unshared.clear()
        elif self._unshared:
            before = self._corrections
            await self._share(self._state)
            if self._corrections != before:
                return _each(value, tokens)
        return hidden

    async def show(self, value: Any) -> Any:
        """Return a text, or every text in a structure, with the tokens taken back."""
        if self._state is not None:
            wanted: set[str] = set()
            _each(value, lambda text: wanted.update(_TOKEN.findall(text)) or text)
            await self._fetch(self._state, wanted - self._names.values.keys())
        return _each(value, self._names.show)

    async def _share(self, state: State) -> None:
        """Tell the other replicas of tokens given here; where another was first, use its token.

        Without the shared state the tokens hold here alone, and are told of when it is back: reads go on.
        """
        async with self._door:
            while self._unshared:
                mine = self._unshared[-1]
                try:
                    kept = dumps([mine.kind, mine.canonical, mine.written])
                    await state.put(f"{self._key}:{mine.token}", kept, MONTH)
                    owner = f"{self._key}:{_digest(mine)}"
                    if not await state.add(owner, mine.token, MONTH):
                        theirs = await state.get(owner) or mine.token
                        self._corrections += theirs != mine.token
                        self._names.replace(mine, theirs)
                except StateUnavailable:
                    return
                self._unshared.remove(mine)

    async def _fetch(self, state: State, tokens: set[str]) -> None:
        try:
            for token in tokens:
                if kept := await state.get(f"{self._key}:{token}"):
                    self._names.take(Given(token, *loads(kept)))
        except StateUnavailable:
            return  # a token nobody knows here stays as it is, and writes have stopped anyway


def _by_lot(kind: str) -> int:
    return secrets.randbelow(HIGHEST) + 1


def _digest(given: Given) -> str:
    return sha256(f"{given.kind}\n{given.canonical}".encode("utf-8", "surrogatepass")).hexdigest()


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(item, change) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in cast("dict[Any, Any]", value).items()}
    return value


def _names(data: Any) -> set[str]:
    """Collect names from an answer: of customers' records, and of mailboxes in messages."""
    if isinstance(data, list):
        return {name for item in cast("list[Any]", data) for name in _names(item)}
    if not isinstance(data, dict):
        return set()
    given = cast("dict[str, Any]", data)
    found = {str(given[field]) for field in NAME_FIELDS if given.get(field)}
    if "email" in given and isinstance(given.get("name"), str):
        found.add(given["name"])
    if isinstance(given.get("payload"), str):  # a webhook's delivery is JSON within JSON (notes §19)
        with suppress(ValueError, RecursionError):
            found |= _names(loads(given["payload"]))
    return found | {name for value in given.values() for name in _names(value)}
