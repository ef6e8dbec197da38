"""Which writes of a call Dixa accepted: after one of them no error can say that nothing was changed."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from dixa_mcp.errors import Sent

_landed: ContextVar[list[Sent] | None] = ContextVar("landed", default=None)


@contextmanager
def listening() -> Generator[list[Sent]]:
    """Collect the writes that are accepted meanwhile, in whichever task; who listened before hears them, too."""
    before, heard = _landed.get(), list[Sent]()
    token = _landed.set(heard)
    try:
        yield heard
    finally:
        _landed.reset(token)
        if before is not None:
            before.extend(heard)


def note(sent: Sent) -> None:
    """Remember a write that Dixa answered with success."""
    heard = _landed.get()
    if heard is not None and sent.writes:
        heard.append(sent)
