"""Who listens hears of changes in their own organisation, whichever replica made them.

The SDK's own bus is one for the whole process and knows resource addresses only, and these are the same in
every organisation. So every listener and every event belongs to the organisation of the request it came with.
"""

import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import anyio
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent

from dixa_mcp.errors import StateUnavailable
from dixa_mcp.http.visits import current

logger = logging.getLogger(__name__)
CHANNEL = "changes"
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
"""Seconds until the channel is tried again after it broke."""


class Channel(Protocol):
    """What carries texts between replicas."""

    async def publish(self, channel: str, text: str) -> None:
        """Send to all replicas. Raises `StateUnavailable`."""
        ...

    async def follow(self, channel: str, hear: Callable[[str], Awaitable[None]]) -> None:
        """Hear what is sent, until cancelled. Raises `StateUnavailable` when the connection ends."""
        ...


class TenantBus:
    """A bus for each organisation, joined over `channel` with those of other replicas."""

    def __init__(self, channel: Channel | None = None) -> None:
        self._buses: dict[str, InMemorySubscriptionBus] = {}
        self._listeners: dict[str, int] = {}
        self._channel = channel
        self._self = secrets.token_hex(8)

    async def publish(self, event: ServerEvent) -> None:
        """Tell who listens in the organisation of this request, here and on the other replicas."""
        organisation = current.get().organisation
        await self._tell(organisation, event)
        if self._channel and isinstance(event, ResourceUpdated):
            text = json.dumps([self._self, organisation, event.uri])
            with suppress(StateUnavailable):  # listening is a courtesy; what was done is done
                await self._channel.publish(CHANNEL, text)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Let somebody of this request's organisation listen."""
        organisation = current.get().organisation
        unsubscribe = self._buses.setdefault(organisation, InMemorySubscriptionBus()).subscribe(listener)
        self._listeners[organisation] = self._listeners.get(organisation, 0) + 1
        over = False

        def leave() -> None:
            nonlocal over
            if over:
                return
            over = True
            unsubscribe()
            self._listeners[organisation] -= 1
            if self._listeners[organisation] == 0:
                del self._listeners[organisation], self._buses[organisation]

        return leave

    async def run(self) -> None:
        """Hear what other replicas tell, until cancelled; a lost connection is made again."""
        if self._channel is None:
            return
        wait = FIRST_WAIT
        while True:
            started = anyio.current_time()
            with suppress(StateUnavailable):
                await self._channel.follow(CHANNEL, self._heard)
            wait = FIRST_WAIT if anyio.current_time() - started > LONGEST_WAIT else min(2 * wait, LONGEST_WAIT)
            await anyio.sleep(wait)

    async def _heard(self, text: str) -> None:
        try:
            sender, organisation, uri = json.loads(text)
        except ValueError:
            logger.warning("something that isn't ours was published on the channel of changes")
            return
        if sender != self._self:
            await self._tell(organisation, ResourceUpdated(uri=uri))

    async def _tell(self, organisation: str, event: ServerEvent) -> None:
        if bus := self._buses.get(organisation):
            await bus.publish(event)
