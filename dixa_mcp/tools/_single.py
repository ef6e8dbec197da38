"""One of two equal calls that create, for tools whose other uses may well be repeated."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256

from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.call import Call

WINDOW = 600.0
"""Seconds in which the same call is the same thing; as everywhere (design §4.5)."""


def _refusal(call: Call) -> Refused:
    return Refused(
        "once",
        f"{call.tool.name} was called with exactly these arguments less than ten minutes ago.",
        "Look at what it did; what is meant twice must differ in something.",
    )


async def not_again(call: Call, sent: str = "") -> None:
    """Refuse early, before a person is asked, what `single` would refuse.

    `sent` says what the call comes to, where its arguments can say the same in several ways.

    Raises:
        Refused: The same call was made within ten minutes.
    """
    if await call.state.get(_key(call, sent)):
        raise _refusal(call)


@asynccontextmanager
async def single(call: Call, sent: str = "") -> AsyncGenerator[None]:
    """Let one of equal calls through in ten minutes; one that proved to change nothing doesn't count.

    `sent` as for `not_again`.

    Raises:
        Refused: The same call was made, or is under way.
    """
    if not await call.state.add(_key(call, sent), "1", WINDOW):
        raise _refusal(call)
    try:
        yield
    except DixaMcpError as error:
        if error.changed is False:
            await call.state.take(_key(call, sent))
        raise


def _key(call: Call, sent: str) -> str:
    made = sha256(sent.encode()).hexdigest()[:32] if sent else call.digest()
    return f"single:{call.caller.tenant}:{call.tool.name}:{made}"
