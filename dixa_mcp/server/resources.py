"""Resources: each is a call of its twin tool through the same frame, since many clients show tools only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import CallToolResult, Completion, Resource, ResourceTemplate, TextContent

from dixa_mcp.client.workspace import FLOW_CHANNELS as FLOWS
from dixa_mcp.errors import DixaMcpError
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.server import prompts
from dixa_mcp.server.frame import Tenant
from dixa_mcp.text.names import fold

if TYPE_CHECKING:
    from dixa_mcp.server import DixaServer


@dataclass(frozen=True, slots=True)
class Twin:
    """A resource and the tool call it stands for; the URI's `{variable}` is an argument of the tool."""

    uri: str
    title: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    argument: str = ""
    """The tool's argument that the URI's variable fills."""
    completes: str = ""
    """The values of the variable: a kind of the catalogue, or the values with `|` between them."""

    @property
    def variable(self) -> str:
        """The name of the variable, if there is one."""
        found = re.search(r"\{(\w+)\}", self.uri)
        return found[1] if found else ""

    def match(self, uri: str) -> dict[str, Any] | None:
        """Read the tool's arguments from a URI; None when it is another resource."""
        before, _, after = self.uri.partition(f"{{{self.variable}}}")
        if not self.variable:
            return {**self.arguments} if uri == self.uri else None
        if not (uri.startswith(before) and uri.endswith(after)) or len(uri) <= len(before) + len(after):
            return None
        value = unquote(uri[len(before) : len(uri) - len(after)])
        return None if "/" in value else {**self.arguments, self.argument: value}


def _list(name: str, title: str, kind: str) -> Twin:
    return Twin(f"dixa://catalogue/{name}", title, "dixa_lookup", {"kind": kind})


TWINS = (
    Twin("dixa://organization", "The organisation, and what may be done in it", "dixa_status"),
    Twin("dixa://policy", "Mode, limits and what is left of them", "dixa_status"),
    Twin("dixa://changes", "What was changed through this server", "dixa_list_changes"),
    _list("tags", "Tags", "tags"),
    _list("queues", "Queues", "queues"),
    _list("teams", "Teams", "teams"),
    _list("agents", "Agents", "agents"),
    _list("contact-endpoints", "The organisation's addresses and numbers", "endpoints"),
    _list("templates", "Templates", "templates"),
    _list("business-hours", "Business-hours schedules", "schedules"),
    _list("webhook-events", "Events a webhook can subscribe to", "webhook_events"),
    Twin("dixa://catalogue/metrics", "Metrics", "dixa_find_metrics"),
    Twin("dixa://catalogue/records", "Records", "dixa_find_metrics"),
    Twin(
        "dixa://custom-attributes/{entity}",
        "Custom attributes and their options",
        "dixa_lookup",
        {"kind": "attributes"},
        "entity",
        "conversation|contact",
    ),
    Twin(
        "dixa://flows/{channel}", "Flows of one channel", "dixa_lookup", {"kind": "flows"}, "channel", "|".join(FLOWS)
    ),
    Twin("dixa://conversation/{id}", "A conversation on one page", "dixa_get_conversation", {}, "conversation_id"),
    Twin(
        "dixa://conversation/{id}/transcript",
        "Messages and notes of a conversation",
        "dixa_get_thread",
        {},
        "conversation_id",
    ),
    Twin("dixa://customer/{id}", "A customer, with attributes and history", "dixa_get_customer", {}, "customer"),
    Twin("dixa://queue/{name}", "A queue right now", "dixa_get_queue_status", {}, "queue", "queue"),
    Twin("dixa://article/{id}", "A knowledge article", "dixa_get_article", {}, "article"),
    Twin("dixa://metric/{id}", "A metric, with its filters and measures", "dixa_find_metrics", {}, "query", "metric"),
)

CATALOGUES = ("dixa://catalogue/", "dixa://custom-attributes/", "dixa://flows/")
"""What changes rarely enough to be kept for five minutes."""


def fixed(policy: Policy, caller: Caller) -> list[Resource]:
    """The resources without a variable whose twin this caller may use."""
    return [
        Resource(uri=twin.uri, name=_name(twin), title=twin.title, mime_type="text/plain")
        for twin in _offered(policy, caller)
        if not twin.variable
    ]


def templates(policy: Policy, caller: Caller) -> list[ResourceTemplate]:
    """The resources with a variable whose twin this caller may use."""
    return [
        ResourceTemplate(uri_template=twin.uri, name=_name(twin), title=twin.title, mime_type="text/plain")
        for twin in _offered(policy, caller)
        if twin.variable
    ]


async def read(server: "DixaServer", uri: str, context: Context[Any, Any] | None) -> Iterable[ReadResourceContents]:
    """Read a resource by calling its twin.

    Raises:
        ResourceNotFoundError: Nothing of ours has this URI.
        ResourceError: The twin refused or failed; its words.
    """
    for twin in TWINS:
        arguments = twin.match(uri)
        if arguments is None:
            continue
        try:
            result = await server.call_tool(twin.tool, arguments, context)
        except ToolError as error:
            raise ResourceError(str(error)) from error
        assert isinstance(result, CallToolResult)  # noqa: S101 - twins are READ tools, which never ask
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
        return [ReadResourceContents(content=text, mime_type="text/plain")]
    raise ResourceNotFoundError(f"No resource {uri}. resources/list and resources/templates/list show all.")


async def complete(policy: Policy, tenant: Tenant, reference: Any, argument: Any) -> Completion | None:
    """Complete the variable of a template, or an argument of a prompt, from its finite list of values.

    Only of what this caller is offered: a list of values is an answer of the tool behind it.
    """
    source = _source(policy, tenant.caller, reference, str(argument.name))
    if not source:
        return None
    wanted = fold(str(argument.value))
    values = source.split("|") if "|" in source else await _names(tenant, source)
    fitting = [value for value in values if fold(value).startswith(wanted)]
    return Completion(values=fitting[:100], total=len(fitting), has_more=len(fitting) > 100)


def _source(policy: Policy, caller: Caller, reference: Any, name: str) -> str:
    for twin in _offered(policy, caller):
        if getattr(reference, "uri", "") == twin.uri and name == twin.variable:
            return twin.completes
    shown = {prompt.name for prompt in prompts.offered(policy, caller)}
    for job in prompts.JOBS:
        if job.name in shown and getattr(reference, "name", "") == job.name:
            return dict(job.completes).get(name, "")
    return ""


async def _names(tenant: Tenant, kind: str) -> list[str]:
    """Names of a kind; nothing where they can't be read, since a completion is a courtesy."""
    catalogue = tenant.dixa.catalogue
    try:
        match kind:
            case "queue":
                return [queue.name for queue in await catalogue.queues()]
            case "agent":
                return [agent.name for agent in await catalogue.agents()]
            case "tag":
                return [tag.name for tag in await catalogue.tags()]
            case _:
                return [metric.id for metric in await catalogue.metrics()]
    except DixaMcpError:
        return []


def _offered(policy: Policy, caller: Caller) -> list[Twin]:
    listed = {tool.name for tool in policy.listed(caller)}
    return [twin for twin in TWINS if twin.tool in listed]


def _name(twin: Twin) -> str:
    return re.sub(r"\W+", "-", twin.uri.removeprefix("dixa://")).strip("-")
