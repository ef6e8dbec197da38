"""What exists here, and what may be done."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from dixa_mcp import __version__
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.workspace import AttributeDefinition, AttributeOption, Template
from dixa_mcp.errors import DixaMcpError, StateUnavailable
from dixa_mcp.guardrails import budget
from dixa_mcp.guardrails.call import Call
from dixa_mcp.render.context import Listing, Status
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold
from dixa_mcp.toolbox import Effect, tool
from dixa_mcp.tools.context import _hours

Kind = Literal[
    "tags",
    "queues",
    "agents",
    "teams",
    "attributes",
    "endpoints",
    "flows",
    "templates",
    "schedules",
    "webhook_events",
]


MODES = {
    "read-only": "nothing can be changed",
    "confirm": "replies, new conversations, closing and new e-mails or phones are put to a person first; "
    "notes, tags, attributes, transfers and assignments aren't",
    "unattended": "nobody is asked; only named tools reach customers",
}
ASKING = {
    "draft": "a reply becomes an internal note, the rest is refused",
    "refuse": "refused",
    "two-step": "preview first, then the same call with its token",
}


@tool(Effect.READ)
async def lookup(
    dixa: Dixa,
    kind: Kind,
    query: str = "",
    entity: Literal["", "conversation", "contact"] = "",
    channel: Annotated[str, Field(description="Of flows")] = "",
    include_inactive: bool = False,
) -> Listing:
    """List names and allowed values. Not needed before other calls: they take names."""
    rows = await _rows(dixa, kind, query, entity, channel, inactive=include_inactive)
    wanted = fold(query)
    found = [row for row in rows if wanted in fold(row)]
    return Listing(kind, found, query, of=len(rows))


@tool(Effect.READ)
async def status(call: Call) -> Status:
    """Show organisation, mode, limits and what is left of them, and the acting agent."""
    settings = call.settings
    try:
        organisation = await call.dixa.catalogue.organization()
        name, state = organisation.name, organisation.status
    except DixaMcpError as error:
        name, state = "unknown", error.what
    try:
        agent = await call.acting()
        acting = agent.name if agent else "none: replies are refused (--acting-agent)"
    except DixaMcpError as error:
        acting = error.what
    return Status(
        organisation=name,
        state=state,
        now=await _now(call),
        mode=f"{settings.mode} ({MODES[settings.mode]})",
        acting=acting,
        queues=settings.queues,
        limits={name: value for name, value in _limits(call).items() if value},
        budgets=await _budgets(call),
        version=__version__,
        configuration=settings.fingerprint(),
    )


async def _now(call: Call) -> datetime | None:
    try:
        return await call.now()
    except DixaMcpError:
        return None


async def _budgets(call: Call) -> dict[str, str]:
    try:
        return await budget.left(call.settings, call)
    except StateUnavailable as error:
        return {"unknown": error.what}


def _limits(call: Call) -> dict[str, str]:
    settings = call.settings
    switch = settings.kill_switch
    return {
        "kill switch": "ON, every write is refused" if switch and switch.exists() else "",
        "internal only": "yes" if settings.internal_only else "",
        "anonymise and delete": "a person types the id"
        if settings.allow_irreversible
        else "not offered here; the operator can (toolset privacy, --allow-irreversible)",
        "without a person": ", ".join(settings.unattended),
        "when nobody can be asked": ASKING[settings.no_elicitation],
        "personal data": settings.pii if settings.pii != "off" else "",
    }


async def _rows(dixa: Dixa, kind: Kind, query: str, entity: str, channel: str, *, inactive: bool) -> list[str]:
    catalogue = dixa.catalogue
    match kind:
        case "tags":
            return [t.name + " (inactive)" * (not t.is_active) for t in await catalogue.tags(inactive=inactive)]
        case "queues":
            return [q.name + " (default)" * q.is_default for q in await catalogue.queues()]
        case "agents":
            return [f"{agent.name} <{agent.email}>" for agent in await catalogue.agents()]
        case "teams":
            return [team.name for team in await catalogue.teams()]
        case "attributes":
            wanted = {"": None, "conversation": "Conversation", "contact": "Contact"}[entity]
            found = await catalogue.attributes(wanted)  # type: ignore[arg-type]
            return [_attribute(each, entity) for each in found if inactive or each.is_usable]
        case "endpoints":
            return [f"{e.name}: {e.id} ({', '.join(e.functionality) or 'Email'})" for e in await catalogue.endpoints()]
        case "flows":
            return [f"{f.name} ({f.channel}, {f.contact_endpoint_id})" for f in await catalogue.flows(channel or None)]
        case "templates":
            return [_template(each, whole=bool(query)) for each in await catalogue.templates()]
        case "schedules":
            return await _hours.schedules(dixa)
        case "webhook_events":
            return _webhook_events()


def _template(template: Template, *, whole: bool) -> str:
    """A template's name, and its text for who asks for it by name."""
    languages = "".join(f", {each.locale}" for each in template.translations if not each.is_deactivated)
    text = f": {line(template.content, 500)}" if whole else ""
    return f"{template.name} ({template.kind}{languages}){text}"


def _webhook_events() -> list[str]:
    """Dixa lists its events nowhere (notes §19); the contract's own list is the source."""
    from dixa_mcp.operations import operations  # noqa: PLC0415 - no other tool of the default set needs the contract

    event = next(each for one in operations().values() for each in one.parameters if each.name == "event")
    return list(event.values)


def _attribute(attribute: AttributeDefinition, entity: str) -> str:
    options = ", ".join(_option(option) for option in attribute.input_definition.options if not option.is_deactivated)
    of = "" if entity else f" of a {'customer' if attribute.entity_type == 'Contact' else 'conversation'}"
    required = ", required" if attribute.is_required else ""
    return f"{attribute.label}{of}{required}: {options or 'text'}"


def _option(option: AttributeOption) -> str:
    below = [_option(nested) for nested in option.nested_options if not nested.is_deactivated]
    return f"{option.label} > ({', '.join(below)})" if below else option.label
