"""When to ask again, how long to wait before, and when to give up.

A loop of ours rather than stamina's or tenacity's: after a 429 the wait belongs to everybody on the token, so
it is the pace that waits; the deadline moves while a person is asked; and stamina's jitter isn't the full one.
"""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from dixa_mcp.client.deadline import remaining
from dixa_mcp.client.wire import BrokenOff
from dixa_mcp.errors import (
    ApiError,
    DixaMcpError,
    NoAnswer,
    OutOfTime,
    Sent,
    TooManyRequests,
    TransportError,
    Unreachable,
    Unreadable,
)

#: Tries of one request; with full jitter the waits between them add up to eight seconds on average.
TRIES = 6
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
#: Statuses that pass by themselves. Not 500: it is Dixa's answer to requests it can't digest, too.
_PASSING = {408, 502, 503, 504}

T = TypeVar("T")


def surely_nothing_happened(error: DixaMcpError) -> bool:
    """Whether even a write may be sent again: it was refused for its pace, or never arrived (design §4.5)."""
    return isinstance(error, Unreachable) or (isinstance(error, TooManyRequests) and not error.quota)


def worth_another_try(error: DixaMcpError) -> bool:
    """Whether a read may well succeed if it is sent again."""
    if isinstance(error, Unreadable):
        return isinstance(error, BrokenOff)
    passing = isinstance(error, ApiError) and error.status in _PASSING
    return passing or isinstance(error, NoAnswer) or surely_nothing_happened(error)


def jittered(first: float, tried: int) -> float:
    """Return the seconds to wait after `tried` tries: anything up to a bound that doubles, so that nobody marches."""
    return random.uniform(0, min(_LONGEST_WAIT, first * 2 ** (tried - 1)))  # noqa: S311 - jitter is no secret


async def patiently(
    sent: Sent,
    again: Callable[[DixaMcpError], bool],
    attempt: Callable[[], Awaitable[T]],
    slow_down: Callable[[TooManyRequests, int], Awaitable[float]],
) -> T:
    """Repeat `attempt` while `again` allows, never past the deadline, and raise the last error then.

    `slow_down` is told of every 429 and says for how many seconds it holds everybody back; `attempt` then
    waits by itself, with all the others.
    """
    tried = 0
    while True:
        try:
            return await attempt()
        except (ApiError, TransportError) as error:
            tried += 1
            if isinstance(error, NoAnswer) and not sent.writes and remaining() <= 0:
                what = f"The time for this call was up before Dixa answered ({sent.method} {sent.path})"
                raise OutOfTime(what) from error
            held = isinstance(error, TooManyRequests)
            wait = await slow_down(error, tried) if held else jittered(_FIRST_WAIT, tried)
            if tried >= TRIES or not again(error) or wait >= remaining():
                raise
        if not held:
            await anyio.sleep(wait)
