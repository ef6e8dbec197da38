"""Equal acts of one moment take turns: who comes second finds the first one done, and looks for itself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from secrets import token_hex

import anyio

from dixa_mcp.client.deadline import remaining
from dixa_mcp.errors import Refused
from dixa_mcp.guardrails.call import Call

LONGEST = 60.0
"""Seconds a turn is kept for whoever took it and crashed; no act on one thing takes as long."""
FIRST_LOOK, LAST_LOOK = 0.02, 0.5


@asynccontextmanager
async def turn(call: Call, *what: object) -> AsyncGenerator[None]:
    """Act on this thing alone, among all callers of the organisation.

    Raises:
        Refused: Somebody else's turn took longer than this call may wait.
    """
    key = f"turn:{call.caller.tenant}:{':'.join(map(str, what))}"
    mine, pause = token_hex(8), FIRST_LOOK
    while not await call.state.add(key, mine, LONGEST):
        if remaining() < pause + 1:
            raise Refused("once", "The same is being done by another call.", "Look what it did before you repeat it.")
        await anyio.sleep(pause)
        pause = min(pause * 2, LAST_LOOK)
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            # A turn that took too long may be somebody else's by now.
            if await call.state.get(key) == mine:
                await call.state.take(key)
