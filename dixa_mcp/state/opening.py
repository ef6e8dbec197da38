"""Which memory these settings ask for."""

from typing import TYPE_CHECKING

from dixa_mcp.settings import Settings
from dixa_mcp.state.memory import MemoryState
from dixa_mcp.state.protocol import State

if TYPE_CHECKING:
    from dixa_mcp.state.redis import RedisState


def shared(settings: Settings) -> "RedisState | None":
    """The memory that replicas share; None where no `--redis-url` was set.

    Raises:
        SettingsError: The URL can't be used, or the package redis is missing.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        return None
    from dixa_mcp.state.redis import RedisState  # noqa: PLC0415 - an extra

    return RedisState(url, settings.redis_prefix)


def own() -> State:
    """A memory of this process."""
    return MemoryState()
