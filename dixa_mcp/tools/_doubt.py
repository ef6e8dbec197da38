"""A write whose answer was lost: look what became of it before anything is said about it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from dixa_mcp.errors import DixaMcpError

T = TypeVar("T")


async def settled(error: DixaMcpError, look: Callable[[], Awaitable[T | None]]) -> T:
    """Return what `look` finds of a write that was made after all.

    Raises:
        DixaMcpError: It wasn't made (`look` found None), or nobody can tell; `changed` of the error says which.
    """
    if error.changed is not None:
        raise error
    try:
        found = await look()
    except DixaMcpError as unclear:
        raise error from unclear
    if found is None:
        error.changed = False
        raise error
    return found


def not_done(error: DixaMcpError) -> str:
    """The words for a part of a change that failed: sure, or not."""
    return "may not have been" if error.changed is None else "was not"
