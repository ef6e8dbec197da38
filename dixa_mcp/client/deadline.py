"""The deadline of a whole tool call, and how many requests one call may have in the air.

`with deadline(30):` around the call is enough: whatever runs inside, tasks included, sees the same end.
Time waiting for a person doesn't count (`paused`), and long work that reports progress may ask for more
(`renew`) within a bound. Without a deadline nothing ever ends by itself.
"""

import math
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import cached_property

import anyio

from dixa_mcp.errors import OutOfTime

#: Requests one tool call may have in the air, so that a long drain leaves room for a short read (design §7).
AT_ONCE = 4
#: How many periods `renew` can stretch a call to: ten of 30 s are the five minutes a client waits at most.
_PERIODS = 10


class _Deadline:
    """One `with deadline(…)`: when it ends, on the clock of the event loop."""

    def __init__(self, seconds: float, outer: "_Deadline | None") -> None:
        self.seconds = seconds
        self.outer = outer
        now = anyio.current_time()
        self.ends = now + seconds
        self.latest = now + seconds * _PERIODS

    @cached_property
    def slots(self) -> anyio.Semaphore:
        """The places for requests, shared with the deadlines around this one; many calls need none."""
        return self.outer.slots if self.outer else anyio.Semaphore(AT_ONCE, fast_acquire=True)

    def chain(self) -> Generator["_Deadline"]:
        """Yield this deadline and those around it; an inner one never outlives an outer one."""
        here: _Deadline | None = self
        while here:
            yield here
            here = here.outer


_current: ContextVar[_Deadline | None] = ContextVar("dixa_mcp_deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Generator[None]:
    """Give everything inside `seconds` from now, or less if a deadline around it ends earlier."""
    token = _current.set(_Deadline(seconds, _current.get()))
    try:
        yield
    finally:
        _current.reset(token)


def remaining() -> float:
    """Return the seconds left, at least 0; infinite without a deadline."""
    current = _current.get()
    if current is None:
        return math.inf
    return max(0.0, min(each.ends for each in current.chain()) - anyio.current_time())


@contextmanager
def paused() -> Generator[None]:
    """Stop the clock of the deadline while a person is asked."""
    current = _current.get()
    began = anyio.current_time()
    try:
        yield
    finally:
        waited = anyio.current_time() - began
        for each in current.chain() if current else ():
            each.ends += waited
            each.latest += waited


def renew() -> None:
    """Start the period anew after progress was reported; a call still ends after ten periods."""
    current = _current.get()
    for each in current.chain() if current else ():
        each.ends = max(each.ends, min(anyio.current_time() + each.seconds, each.latest))


def left() -> float:
    """Return the seconds left, more than 0. Raises `OutOfTime` when there are none: what is asked now is in vain."""
    seconds = remaining()
    if seconds <= 0:
        raise OutOfTime("The time for this call was up before Dixa was asked")
    return seconds


@contextmanager
def in_time() -> Generator[None]:
    """Leave the block when the deadline comes. For waiting only: a request once sent must tell its own end.

    Raises:
        OutOfTime: it came, or had come before.
    """
    with anyio.move_on_after(left()) as scope:
        yield
    if scope.cancelled_caught:
        raise OutOfTime("The time for this call was up while it waited for its turn")


@asynccontextmanager
async def slot() -> AsyncGenerator[None]:
    """Hold one of the call's places for a request. Raises `OutOfTime` when none gets free before the deadline."""
    current = _current.get()
    if current is None:
        yield
        return
    try:
        current.slots.acquire_nowait()
    except anyio.WouldBlock:
        with in_time():
            await current.slots.acquire()
    try:
        yield
    finally:
        current.slots.release()
