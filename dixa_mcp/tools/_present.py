"""The present state of what a change wrote, by the names that `Undo.wrote` uses.

One more thing that can be undone is one more reader here: it takes the arguments of the inverse call and
returns the state in the same form as the tool put it into `wrote`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at, csid
from dixa_mcp.client.records import read_all
from dixa_mcp.client.workspace import Tag
from dixa_mcp.errors import Refused
from dixa_mcp.text.clean import line
from dixa_mcp.tools import _attributes, _people
from dixa_mcp.tools._details import present
from dixa_mcp.tools._editions import drafts_now, published_now

Arguments = Mapping[str, Any]


async def _queue(dixa: Dixa, arguments: Arguments) -> str:
    queue = (await _people.conversation(dixa, arguments["conversation_id"])).queue
    return queue.id if queue else ""


async def _assignee(dixa: Dixa, arguments: Arguments) -> str:
    assignment = (await _people.conversation(dixa, arguments["conversation_id"])).assignment
    return assignment.agent_id if assignment else ""


async def _state(dixa: Dixa, arguments: Arguments) -> str:
    return (await _people.conversation(dixa, arguments["conversation_id"])).state


async def _tags(dixa: Dixa, arguments: Arguments) -> list[str]:
    path = at("/conversations/{id}/tags", id=csid(arguments["conversation_id"]))
    return sorted(tag.name for tag in read_all(Tag, await dixa.get(path)))


async def _attributes_now(dixa: Dixa, arguments: Arguments) -> dict[str, str]:
    """Attributes by label, of the customer or conversation that the inverse call names."""
    if "customer" in arguments:
        values = (await _people.customer(dixa, arguments["customer"])).custom_attributes
    else:
        values = (await _people.conversation(dixa, arguments["conversation_id"])).custom_attributes
    return await _attributes.labelled(dixa, values)


async def _customer(dixa: Dixa, arguments: Arguments) -> dict[str, str]:
    return present(await _people.customer(dixa, arguments["customer"]))


READERS: dict[str, Callable[[Dixa, Arguments], Awaitable[Any]]] = {
    "queue": _queue,
    "assignee": _assignee,
    "state": _state,
    "tags": _tags,
    "attributes": _attributes_now,
    "customer": _customer,
    "draft": drafts_now,
    "published": published_now,
}


def _reader(name: str) -> Callable[[Dixa, Arguments], Awaitable[Any]] | None:
    from dixa_mcp.tools.admin import _now  # noqa: PLC0415 - who doesn't offer that toolset must not load it

    return {**READERS, **_now.READERS}.get(name)


async def differences(dixa: Dixa, wrote: Mapping[str, Any], arguments: Arguments) -> list[str]:
    """Compare what a change wrote with what is there now; empty when it still stands.

    Raises:
        Refused: Nobody knows how to read one of these, so nothing can be compared.
    """
    found: list[str] = []
    for name, expected in wrote.items():
        reader = _reader(name)
        if reader is None:
            raise Refused("state", f"The present {name} can't be read, so it isn't known whether the change stands.")
        present: Any = await reader(dixa, arguments)
        if isinstance(expected, dict):
            present = {key: present.get(key) for key in cast("dict[str, Any]", expected)}
        if present != expected:
            was, now = await _words(dixa, name, expected), await _words(dixa, name, present)
            found.append(f"{name} was set to {was} and is {now} now")
    return found


async def _words(dixa: Dixa, name: str, value: Any) -> str:
    if not value:
        return "none"
    if name == "queue":
        return line(await _people.queue_name(dixa, value))
    if name == "assignee":
        agent = (await _people.agents(dixa)).get(value)
        return line(agent.name) if agent else "another agent"
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        return "; ".join(f"{key}: {line(str(each or 'none'), 60)}" for key, each in given.items())
    return line(", ".join(map(str, cast("list[Any]", value))) if isinstance(value, list) else str(value), 200)
