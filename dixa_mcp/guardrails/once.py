"""Nothing is done twice: the same creating call, made again within ten minutes, is the same thing.

A key in `State` stops two equal calls of one moment; looking into Dixa (`Tool.existing`) recognises what a
crashed process, another replica or an ambiguous failure left behind.
"""

from dataclasses import asdict
from hashlib import sha256
from json import dumps, loads
from typing import Any

from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Change, Undo

WINDOW = 600.0
PENDING = "pending"


async def earlier(call: Call) -> Change | None:
    """Find what the same call did before, or that there is nothing to do, without taking anything."""
    if not call.tool.once:
        return await look(call)
    kept = await call.state.get(await _key(call))
    if kept is not None and kept != PENDING:
        return _duplicate(loads(kept))
    return await look(call)


async def claim(call: Call) -> Change | None:
    """Take the right to do this; returns the earlier change if it was done already.

    Raises:
        Refused: The same call is under way, or who made it is gone.
    """
    if not call.tool.once:
        return None
    if await call.state.add(await _key(call), PENDING, WINDOW):
        try:
            return await look(call)
        except BaseException:
            await give_up(call)
            raise
    kept = await call.state.get(await _key(call))
    if kept is None or kept == PENDING:
        # Who took it may have crashed after the work was done.
        if (found := await look(call)) is not None:
            return found
        raise Refused(
            "once",
            "The same call is under way, or broke off less than ten minutes ago before anybody knew what became of it.",
            "Wait for its answer; if there is none, look what was done, and make the call again in ten minutes.",
        )
    return _duplicate(loads(kept))


async def look(call: Call) -> Change | None:
    """Look into Dixa whether what this call creates is there already."""
    if call.tool.existing is None or call.drafting:
        return None
    # A draft is another thing than what it drafts; its own function looks for it.
    found: Change | None = await call.tool.existing(call.given(), **call.arguments)
    if found is not None:
        found.duplicate = True
        await finish(call, found)
    return found


async def finish(call: Call, change: Change) -> None:
    """Keep the answer for whoever asks the same again, unless there is still something to do."""
    if change.partial:
        await give_up(call)
    elif call.tool.once:
        await call.state.put(await _key(call), dumps(asdict(change)), WINDOW)


async def give_up(call: Call) -> None:
    """Let the call be made again: it proved to change nothing, or only Dixa can say what it did."""
    if call.tool.once:
        await call.state.take(await _key(call))


async def after_doubt(call: Call, error: DixaMcpError) -> Change | None:
    """Read back after an ambiguous failure.

    Returns:
        The change when it was made after all; None when Dixa was asked and it wasn't.

    Raises:
        DixaMcpError: The original error, when Dixa can't be asked either.
    """
    if call.tool.existing is None or not call.tool.once or call.drafting:
        raise error
    call.forget()
    try:
        found = await look(call)
    except DixaMcpError as unclear:
        raise error from unclear
    if found is not None:
        found.duplicate = False  # it was this very call that did it
    return found


async def _key(call: Call) -> str:
    """Where it is kept: by what the call means, for names and blanks may be spelt in many ways."""
    if not call.identity:
        if call.tool.identity is not None:
            means: Any = await call.tool.identity(call.given(), **call.arguments)
        else:
            means = [_plain(call.arguments.get(name)) for name in call.tool.once]
        text = dumps([call.caller.tenant, call.tool.name, means], default=str)
        call.identity = sha256(text.encode()).hexdigest()[:32]
    return f"once:{call.identity}{':draft' * call.drafting}"


def _plain(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


def _duplicate(kept: dict[str, Any]) -> Change:
    undo = kept.pop("undo")
    change = Change(**kept, undo=Undo(**undo) if undo else None)
    change.duplicate = True
    return change
