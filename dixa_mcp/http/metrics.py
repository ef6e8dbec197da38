"""Figures for Prometheus. No label names a tenant, a caller or an id."""

import time
from contextlib import suppress
from typing import Any, Protocol

from dixa_mcp.client.pace import Pacing
from dixa_mcp.errors import SettingsError
from dixa_mcp.state import Reservation, State
from dixa_mcp.toolbox import Effect

PREFIX = "dixa_mcp_"
QUICK = (0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30)
"""Bounds of times, in seconds."""
SHARES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)


class Figures(Protocol):
    """What is counted."""

    def call(self, tool: str, effect: Effect, outcome: str) -> None:
        """Count a call that ended: done, asked, declined, unanswered, refused or failed."""
        ...

    def request(self, method: str, status: int) -> None:
        """Count a request to Dixa; status 0 when no answer came."""
        ...

    def waited(self, seconds: float) -> None:
        """Keep how long a request waited for its turn."""
        ...

    def waiting(self, change: int) -> None:
        """Count who waits for a turn now."""
        ...

    def budget(self, name: str, left: float) -> None:
        """Keep what share of a budget was left when it was drawn on, 0 where it was refused."""
        ...

    def answered(self, status: int, seconds: float) -> None:
        """Count an HTTP answer."""
        ...

    def busy(self, change: int) -> None:
        """Count the calls that are going on."""
        ...


class NoFigures:
    """Nothing is counted, for nobody asked."""

    def call(self, tool: str, effect: Effect, outcome: str) -> None: ...
    def request(self, method: str, status: int) -> None: ...
    def waited(self, seconds: float) -> None: ...
    def waiting(self, change: int) -> None: ...
    def budget(self, name: str, left: float) -> None: ...
    def answered(self, status: int, seconds: float) -> None: ...
    def busy(self, change: int) -> None: ...


class Prometheus:
    """Figures in a registry of their own, so that nothing else of the process is told.

    Raises:
        SettingsError: The package isn't installed.
    """

    def __init__(self) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415 - an extra
        except ImportError as missing:
            raise SettingsError(
                "Metrics need the package prometheus-client.", "Install dixa-mcp[metrics]."
            ) from missing
        self.registry = CollectorRegistry()

        def made(kind: Any, name: str, about: str, labels: tuple[str, ...] = (), **options: Any) -> Any:
            return kind(PREFIX + name, about, labels, registry=self.registry, **options)

        self._calls = made(Counter, "calls", "Calls that ended.", ("tool", "effect", "decision"))
        self._requests = made(Counter, "dixa_requests", "Requests to Dixa; status 0: no answer.", ("method", "status"))
        self._waited = made(Histogram, "pace_wait_seconds", "Waiting for a turn to ask Dixa.", buckets=QUICK)
        self._waiting = made(Gauge, "pace_waiting", "Requests that wait for their turn now.")
        self._budget = made(
            Histogram, "budget_left_ratio", "Share of a budget left when drawn on.", ("budget",), buckets=SHARES
        )
        self._answers = made(Histogram, "http_seconds", "HTTP answers by status.", ("status",), buckets=QUICK)
        self._busy = made(Gauge, "calls_in_progress", "Calls that are going on now.")

    def call(self, tool: str, effect: Effect, outcome: str) -> None:
        """Count a call."""
        self._calls.labels(tool, str(effect), outcome).inc()

    def request(self, method: str, status: int) -> None:
        """Count a request to Dixa."""
        self._requests.labels(method, str(status)).inc()

    def waited(self, seconds: float) -> None:
        """Keep a wait."""
        self._waited.observe(seconds)

    def waiting(self, change: int) -> None:
        """Count who waits."""
        self._waiting.inc(change)

    def budget(self, name: str, left: float) -> None:
        """Keep what is left."""
        self._budget.labels(name).observe(left)

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self._answers.labels(str(status)).observe(seconds)

    def busy(self, change: int) -> None:
        """Count the calls."""
        self._busy.inc(change)

    def page(self) -> tuple[bytes, str]:
        """The page Prometheus reads, and its media type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415 - as above

        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class WatchedPace:
    """A pace whose waiting is counted."""

    def __init__(self, pace: Pacing, figures: Figures) -> None:
        self._pace = pace
        self._figures = figures

    async def turn(self) -> None:
        """Wait for the next slot."""
        started = time.monotonic()
        self._figures.waiting(1)
        try:
            await self._pace.turn()
        finally:
            self._figures.waiting(-1)
            self._figures.waited(time.monotonic() - started)

    async def pause(self, seconds: float) -> None:
        """Stop everybody on this token."""
        await self._pace.pause(seconds)

    async def close(self, seconds: float) -> None:
        """Stop everybody on this token for longer."""
        await self._pace.close(seconds)


class WatchedState:
    """A state whose budgets are counted; everything else goes through."""

    def __init__(self, state: State, figures: Figures) -> None:
        self._state = state
        self._figures = figures
        self.get = state.get
        self.put = state.put
        self.add = state.add
        self.take = state.take
        self.release = state.release
        self.push = state.push
        self.items = state.items

    async def reserve(self, key: str, amount: int, limit: int, window: float) -> Reservation:
        """Count against a limit."""
        said = await self._state.reserve(key, amount, limit, window)
        kind, _, rest = key.partition(":")
        if kind == "budget" and amount:
            with suppress(ZeroDivisionError):
                self._figures.budget(rest.partition(":")[0], (limit - said.used) / limit if said.granted else 0.0)
        return said
