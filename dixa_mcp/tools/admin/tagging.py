"""The catalogue of tags: what conversations can be tagged with."""

from typing import Literal

from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read
from dixa_mcp.client.workspace import Tag
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.text.clean import line
from dixa_mcp.text.names import fold, pick
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools._doubt import settled

LONGEST = 60


@tool(Effect.INTERNAL, touches="", idempotent=True)
async def manage_tag(
    call: Call, name: str, action: Literal["create", "activate", "deactivate"], color: str = ""
) -> Change:
    """Create a tag, or let one be used or not. Tags can't be renamed; deactivating keeps them where they are."""
    if action == "create":
        return await _create(call, line(name, 500), color)
    tag = await call.dixa.catalogue.find("tag", name)
    active = action == "activate"
    if tag.is_active == active:
        return Change(f"The tag {line(tag.name)} is {_word(active)} already.", visible_to="nobody")
    path = "/tags/{id}/activate" if active else "/tags/{id}/deactivate"
    try:
        await call.dixa.send("PATCH", at(path, id=tag.id))
    except DixaMcpError as error:
        await settled(error, lambda: _switched(call, tag.id, active))
    inverse = "deactivate" if active else "activate"
    return Change(
        f"The tag {line(tag.name)} is {_word(active)} now.",
        visible_to="colleagues",
        target=f"tag {tag.name}",
        before=_word(not active),
        after=_word(active),
        undo=Undo("dixa_manage_tag", {"name": tag.id, "action": inverse}, {"tag": _word(active)}),
    )


async def _create(call: Call, name: str, color: str) -> Change:
    """Create a tag unless its name is taken, spelt as it may be.

    Raises:
        InvalidArgument: An empty or overlong name.
        Refused: It exists under another spelling, or is switched off.
    """
    if not fold(name) or len(name) > LONGEST:
        raise InvalidArgument(f"A tag's name has 1 to {LONGEST} characters.")
    everything = await call.dixa.catalogue.tags(inactive=True)
    for tag in everything:
        if fold(tag.name).replace(" ", "") == fold(name).replace(" ", ""):
            return _taken(tag, name)
    near = pick(name, everything, lambda tag: (tag.name,))
    alike = [tag.name for tag in ((near.one,) if near.one else (*near.several, *near.nearest))]
    body = {"name": name} | ({"color": color} if color else {})
    try:
        made = read(Tag, (await call.dixa.send("POST", at("/tags"), body)).data)
    except DixaMcpError as error:
        made = await settled(error, lambda: _named(call, name))
    return Change(
        f"The tag {line(made.name)} was created.",
        visible_to="colleagues",
        target=f"tag {made.name}",
        undo=Undo("dixa_manage_tag", {"name": made.id, "action": "deactivate"}, {"tag": _word(made.is_active)}),
        cannot_undo="an undo deactivates it; it isn't deleted",
        warnings=[f"There are tags much like it: {', '.join(map(line, alike[:5]))}. If one was meant, undo this."]
        if alike
        else [],
    )


async def _named(call: Call, name: str) -> Tag | None:
    return next((tag for tag in await call.dixa.catalogue.tags(inactive=True) if tag.name == name), None)


async def _switched(call: Call, tag_id: str, active: bool) -> Tag | None:
    everything = await call.dixa.catalogue.tags(inactive=True)
    return next((tag for tag in everything if tag.id == tag_id and tag.is_active == active), None)


def _taken(tag: Tag, name: str) -> Change:
    if not tag.is_active:
        raise Refused("state", f"The tag {line(tag.name)} exists, but is inactive.", "Use it with action=activate.")
    if tag.name != name:
        raise Refused("state", f"There is a tag {line(tag.name)} already.", f"Use that one instead of {line(name)!r}.")
    return Change(f"The tag {line(tag.name)} exists already.", visible_to="nobody", duplicate=True)


def _word(active: bool) -> str:
    return "active" if active else "inactive"
