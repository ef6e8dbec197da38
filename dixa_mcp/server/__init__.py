"""Everything that speaks MCP: the server object, the frame around calls, resources and prompts."""

from collections.abc import Iterable, Sequence
from typing import Any

from mcp.server import CacheHint
from mcp.server.context import ServerMiddleware
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.subscriptions import SubscriptionBus
from mcp.types import GetPromptResult, InputRequiredResult, Prompt, Resource, ResourceTemplate
from mcp.types import Tool as McpTool
from pydantic import AnyUrl

from dixa_mcp import __version__
from dixa_mcp.errors import Refused, explain
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.server import apps, prompts, resources
from dixa_mcp.server.asking import sealing
from dixa_mcp.server.frame import Tenants, bind
from dixa_mcp.server.instructions import instructions

CATALOGUE_LIFE_MS = 300_000


class DixaServer(MCPServer[Any]):
    """The MCP server. Lists what the caller may use; what it may not is answered with the reason."""

    def __init__(
        self,
        policy: Policy,
        tenants: Tenants,
        *,
        state_keys: Sequence[str] = (),
        subscriptions: SubscriptionBus | None = None,
        middleware: Sequence[ServerMiddleware[Any]] = (),
    ) -> None:
        self._policy = policy
        self._tenants = tenants
        bound = [bind(tool, tenants, policy.settings) for tool in policy.offered()]
        super().__init__(
            "dixa",
            title="Dixa",
            version=__version__,
            instructions=instructions(policy),
            tools=list(bound),
            extensions=apps.pages_for(tool.name for tool in bound),
            log_level="WARNING",
            request_state_security=sealing(policy.settings.answer_within, state_keys, self._whose),
            subscriptions=subscriptions,
            middleware=[*middleware, _catalogues_keep],
            cache_hints={
                "tools/list": CacheHint(ttl_ms=CATALOGUE_LIFE_MS, scope="private"),
                "resources/list": CacheHint(ttl_ms=CATALOGUE_LIFE_MS, scope="private"),
                "resources/templates/list": CacheHint(ttl_ms=CATALOGUE_LIFE_MS, scope="private"),
                "prompts/list": CacheHint(ttl_ms=CATALOGUE_LIFE_MS, scope="private"),
            },
        )
        self.completion()(self._complete)

    async def list_tools(self) -> list[McpTool]:
        """List the tools this caller may use, by name."""
        listed = {tool.name for tool in self._policy.listed(self._tenants().caller)}
        return [tool for tool in await super().list_tools() if tool.name in listed]

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None) -> Any:
        """Call a tool, or say why this one can't be called."""
        if self._tool_manager.get_tool(name) is None:
            raise ToolError(explain(Refused("policy", self._policy.why_unknown(name, self._tenants().caller))))
        return await super().call_tool(name, arguments, context)

    async def list_resources(self) -> list[Resource]:
        """List the resources that have no variable, and the pages of MCP Apps."""
        return [*resources.fixed(self._policy, self._tenants().caller), *await super().list_resources()]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """List the resources with a variable."""
        return resources.templates(self._policy, self._tenants().caller)

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource: a call of its twin tool, through the same frame."""
        if apps.is_page(str(uri)):
            return await super().read_resource(uri, context)
        return await resources.read(self, str(uri), context)

    async def list_prompts(self) -> list[Prompt]:
        """List the prompts whose tools this caller may use."""
        return prompts.offered(self._policy, self._tenants().caller)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult:
        """Fill a prompt in."""
        return prompts.get(name, arguments or {})

    def close_streams(self) -> None:
        """End every stream that listens for changes, each with its final answer."""
        entry: Any = self._lowlevel_server.get_request_handler("subscriptions/listen")
        if entry is not None:
            entry.handler.close()

    def _whose(self) -> str:
        caller = self._tenants().caller
        return f"{caller.tenant}\n{caller.name}"

    async def _complete(self, reference: Any, argument: Any, context: Any) -> Any:
        return await resources.complete(self._policy, self._tenants(), reference, argument)


async def _catalogues_keep(ctx: Any, call_next: Any) -> Any:
    """Tell clients of 2026-07-28 how long a catalogue may be kept; conversations may not (design §5)."""
    result: Any = await call_next(ctx)
    parameters: dict[str, Any] = ctx.params or {}
    if ctx.method == "resources/read" and str(parameters.get("uri", "")).startswith(resources.CATALOGUES):
        return {**result, "ttlMs": CATALOGUE_LIFE_MS, "cacheScope": "private"}
    return result
