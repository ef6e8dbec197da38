"""Webhooks by name or id, and their events by words."""

from collections.abc import Iterable

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read_all
from dixa_mcp.client.reports import Webhook
from dixa_mcp.errors import InvalidArgument, Unresolved
from dixa_mcp.operations import operations
from dixa_mcp.text.names import pick


async def webhooks(dixa: Dixa) -> list[Webhook]:
    """List all webhooks; not cached, since somebody may just have changed one."""
    return read_all(Webhook, await dixa.get(at("/webhooks")))


async def find(dixa: Dixa, text: str) -> Webhook:
    """Find the one webhook of this name or id.

    Raises:
        Unresolved: None or several are called so; carries the choices.
    """
    everything = await webhooks(dixa)
    match = pick(text, everything, lambda each: (each.name, each.id))
    if match.one is not None:
        return match.one
    choices = [f"{each.name} ({each.id})" for each in match.several or everything]
    raise Unresolved("webhook", text, choices, ambiguous=bool(match.several))


def events() -> tuple[str, ...]:
    """The events Dixa can send (notes §19)."""
    parameters = operations()["list_webhook_deliveries"].parameters
    return next(each.values for each in parameters if each.name == "event")


def event_names(given: Iterable[str]) -> list[str]:
    """Read events as people write them: `conversation closed` is ConversationClosed.

    Raises:
        InvalidArgument: Dixa has no such event; names all that come near.
    """
    found: list[str] = []
    for text in given:
        match = pick(text, events(), lambda name: (name, name.removeprefix("Conversation")))
        if match.one is None:
            near = ", ".join(match.several or events())
            raise InvalidArgument(f"Dixa has no event {text!r}.", f"There are: {near}.")
        found.append(match.one)
    return list(dict.fromkeys(found))
