"""The site: the MCP endpoint behind its door, and the few pages beside it, as one ASGI application."""

import hmac
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from dixa_mcp import __version__
from dixa_mcp.client.pace import Pacing
from dixa_mcp.errors import SettingsError
from dixa_mcp.guardrails import Guardrails
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.http.bus import TenantBus
from dixa_mcp.http.callers import Gate, Open, OwnToken, TokenTable
from dixa_mcp.http.challenge import Challenge
from dixa_mcp.http.door import Door, Limits
from dixa_mcp.http.front import PATH, Front
from dixa_mcp.http.metrics import Figures, NoFigures, Prometheus, WatchedState
from dixa_mcp.http.oauth import OAuth, metadata
from dixa_mcp.http.tenants import Connect, Pool
from dixa_mcp.http.visits import current
from dixa_mcp.server import DixaServer
from dixa_mcp.server.assembly import audit_of, keys_of
from dixa_mcp.settings import Settings
from dixa_mcp.state import MemoryState
from dixa_mcp.state.opening import shared
from dixa_mcp.tools import TOOLS

METADATA = "/.well-known/oauth-protected-resource"
ASKED_AGAIN = 1.0
"""Seconds an answer of Redis holds for `/readyz`: probes of many must not become its load."""


class Site:
    """Everything one process serves over HTTP.

    Args:
        settings: the operator's.
        connect: makes a client of Dixa from a token and a pace.
        key: the server's own Dixa token; None where each caller brings one.
        limits: how patient the door is; by default as the settings say.

    Raises:
        SettingsError: Something can't work, or wouldn't be safe.
    """

    def __init__(
        self, settings: Settings, connect: Connect, key: SecretStr | None, limits: Limits | None = None
    ) -> None:
        self.settings = settings
        self.front = Front.of(settings)
        self.figures: Figures = Prometheus() if _measured(settings) else NoFigures()
        self.redis = shared(settings)
        if self.redis and not keys_of(settings):
            raise SettingsError(
                "--redis-url is for replicas, and what one of them asks a person another must be able to read.",
                "Set --state-key (better DIXA_MCP_STATE_KEY) to the same secret of 32 characters everywhere.",
            )
        policy = Policy(settings, TOOLS)
        self.pool = Pool(
            settings,
            connect,
            Guardrails(policy, audit_of(settings)),
            WatchedState(self.redis or MemoryState(), self.figures),
            self.figures,
            key,
            self._paces if self.redis else None,
        )
        self._bus = TenantBus(self.redis.server if self.redis else None)
        self._server = DixaServer(
            policy,
            self.pool.tenant,
            state_keys=keys_of(settings),
            subscriptions=self._bus,
            middleware=[self._held],
        )
        gate = _gate(settings, self.front)
        self._metadata = metadata(gate, self.front) if isinstance(gate, OAuth) else None
        # The SDK's application is one more router around its one page, so the page itself is served.
        self._server.streamable_http_app(
            streamable_http_path=PATH,
            max_request_body_size=settings.max_body,
            max_sessions=settings.sessions,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the door's work
        )
        self.door = Door(
            self._server.session_manager.handle_request,
            self.front,
            gate,
            self.pool,
            limits or Limits.of(settings),
            self.figures,
            settings.agent_header,
            Challenge(_metadata_url(self.front), policy) if self._metadata else Challenge(),
            self._owners,
        )
        self.app = Starlette(routes=self._routes(), middleware=self._middleware(), lifespan=self._lifespan)
        self.app.router.redirect_slashes = False
        self._asked = float("-inf")
        self._writable = True

    @property
    def closing(self) -> bool:
        """Whether the process is about to end."""
        return self.door.closing

    def close_streams(self) -> None:
        """Take no new calls, and end what would stay open for ever; calls under way go on."""
        self.door.close_streams()
        self._server.close_streams()

    def metrics_app(self) -> Starlette:
        """The page of figures alone, for a port of its own."""
        return Starlette(routes=[Route("/metrics", self._figures_page)])

    def _routes(self) -> list[Route | Mount]:
        routes: list[Route | Mount] = [
            Route("/healthz", self._health),
            Route("/readyz", self._ready),
            Route(PATH, self.door),
        ]
        if self.settings.metrics_token.get_secret_value():
            routes.append(Route("/metrics", self._guarded_figures))
        if self._metadata is not None:
            routes += [Route(METADATA, self._resource), Route(METADATA + PATH, self._resource)]
        return routes

    def _middleware(self) -> list[Middleware]:
        if not self.front.origins:
            return []
        cors: Any = CORSMiddleware
        return [
            Middleware(
                cors,
                allow_origins=sorted(self.front.origins),
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["*"],
                expose_headers=["Mcp-Session-Id", "WWW-Authenticate", "Retry-After"],
            )
        ]

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        async with self._server.session_manager.run(), anyio.create_task_group() as group:
            group.start_soon(self._bus.run)
            try:
                yield
            finally:
                group.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await self.pool.aclose()
                    if self.redis:
                        await self.redis.aclose()

    def _owners(self) -> Counter[str]:
        """Who has how many sessions of the older protocol open, as the SDK knows: it ends those that are idle."""
        manager: Any = self._server.session_manager
        return Counter(f"{owner['client_id']}\n{owner['subject']}" for owner in manager._session_owners.values())  # noqa: SLF001 - told nowhere else

    async def _held(self, ctx: Any, call_next: Any) -> Any:
        """Keep an organisation ready while its call goes on, though the caller may have gone."""
        visit = current.get()
        self.pool.hold(visit)
        try:
            return await call_next(ctx)
        finally:
            self.pool.leave(visit)

    def _paces(self, organisation: str) -> Pacing:
        from dixa_mcp.client.pace_redis import RedisPace  # noqa: PLC0415 - an extra

        assert self.redis is not None  # noqa: S101 - passed on only then
        return RedisPace(self.redis.server, organisation, self.settings.rate)

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def _ready(self, request: Request) -> Response:
        """Say what works. Without Redis reads go on, so the replica stays in service; `?for=writes` asks for more."""
        if self.closing:
            return JSONResponse({"status": "stopping"}, 503)
        if self.redis is None:
            return JSONResponse({"status": "ready", "writes": "allowed", "state": "memory"})
        if await self._redis_takes_writes():
            return JSONResponse({"status": "ready", "writes": "allowed", "state": "redis"})
        status = 503 if request.query_params.get("for") == "writes" else 200
        return JSONResponse({"status": "degraded", "writes": "stopped", "state": "redis takes no writes"}, status)

    async def _redis_takes_writes(self) -> bool:
        assert self.redis is not None  # noqa: S101 - asked for only then
        if anyio.current_time() >= self._asked + ASKED_AGAIN:
            self._writable = await self.redis.server.writable()
            self._asked = anyio.current_time()
        return self._writable

    async def _resource(self, request: Request) -> Response:
        return JSONResponse(self._metadata, headers={"Cache-Control": "max-age=3600"})

    async def _guarded_figures(self, request: Request) -> Response:
        wanted = self.settings.metrics_token.get_secret_value()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {wanted}".encode()):
            return PlainTextResponse("The bearer of --metrics-token is wanted.", 401, {"WWW-Authenticate": "Bearer"})
        return await self._figures_page(request)

    async def _figures_page(self, request: Request) -> Response:
        assert isinstance(self.figures, Prometheus)  # noqa: S101 - this page exists only then
        page, media = self.figures.page()
        return Response(page, media_type=media)


def _measured(settings: Settings) -> bool:
    return bool(settings.metrics or settings.metrics_token.get_secret_value())


def _metadata_url(front: Front) -> str:
    return front.resource.removesuffix(PATH) + METADATA + PATH


def _gate(settings: Settings, front: Front) -> Gate:
    """The way of telling callers that these settings ask for.

    Raises:
        SettingsError: It lacks what it needs, or something is set that only another way reads.
    """
    oauth = settings.oauth_issuer or settings.oauth_audience or settings.oauth_jwks_url or settings.oauth_agent_claim
    if settings.auth != "oauth" and oauth:
        raise SettingsError("--oauth-… settings only work with --auth oauth.")
    if settings.auth != "shared-token" and settings.auth_file:
        raise SettingsError("--auth-file only works with --auth shared-token.")
    match settings.auth:
        case "none":
            return Open()
        case "dixa-token":
            return OwnToken()
        case "oauth":
            return OAuth(settings, front)
        case "shared-token":
            if settings.auth_file is None:
                raise SettingsError("--auth shared-token needs --auth-file.", "dixa-mcp token NAME makes its entries.")
            return TokenTable(settings.auth_file)
