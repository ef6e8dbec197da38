"""One cached list: read once however many ask, kept five minutes, dropped after a write that touches it."""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import anyio

from dixa_mcp.client.deadline import in_time
from dixa_mcp.errors import ApiError, TransportError

#: Seconds a list serves (design §7).
FRESH = 300.0
#: A name that isn't in a list is looked for again in a new one if the list is older than this, for somebody may
#: just have made it; and than this many times what reading it took, so that misses can't keep Dixa busy.
_MISS_AGE = 5.0
_MISS_REST = 20.0

T = TypeVar("T")


class Shelf(Generic[T]):
    """A list of Dixa's, and when it was read.

    Args:
        load: reads the list; called by one at a time.
    """

    def __init__(self, load: Callable[[], Awaitable[Sequence[T]]]) -> None:
        self._load = load
        self._door = anyio.Lock()
        self._items: Sequence[T] = ()
        self._read_at = -math.inf
        self._took = 0.0
        self._drops = 0
        self._tries = 0
        self._failure: ApiError | TransportError | None = None

    async def items(self, younger_than: float = FRESH) -> Sequence[T]:
        """Return the list, read anew if it is older than `younger_than` seconds.

        The same object is returned for as long as nothing was read. Whoever waited while a reading failed
        gets its error; a reader that is cancelled leaves the reading to the next one.
        """
        tries = self._tries
        if self._age() < younger_than:
            return self._items
        with in_time():
            await self._door.acquire()
        try:
            if self._age() < younger_than:
                return self._items
            if self._failure and self._tries > tries:
                raise self._failure
            return await self._read()
        finally:
            self._door.release()

    async def after_a_miss(self) -> Sequence[T] | None:
        """Return a newer list for a name that wasn't found, or None when the one at hand is new enough."""
        rest = max(_MISS_AGE, self._took * _MISS_REST)
        return await self.items(rest) if self._age() >= rest else None

    def drop(self) -> None:
        """Forget the list; one that is being read now won't be kept either."""
        self._drops += 1
        self._read_at = -math.inf

    def _age(self) -> float:
        return anyio.current_time() - self._read_at

    async def _read(self) -> Sequence[T]:
        began, drops = anyio.current_time(), self._drops
        self._failure = None
        try:
            self._items = await self._load()
        except (ApiError, TransportError) as error:
            self._failure = error
            raise
        finally:
            self._tries += 1
        self._took = anyio.current_time() - began
        if drops == self._drops:
            self._read_at = anyio.current_time()
        return self._items
