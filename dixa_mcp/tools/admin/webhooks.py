"""Webhooks: what Dixa sends to others, and whether it arrives."""

import base64
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.records import read, read_all
from dixa_mcp.client.reports import EventDelivery, Webhook
from dixa_mcp.errors import DixaMcpError, InvalidArgument, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question
from dixa_mcp.render.admin import Deliveries, Sent, Webhooks
from dixa_mcp.render.raw import address
from dixa_mcp.text.clean import line
from dixa_mcp.toolbox import Change, Effect, Undo, tool
from dixa_mcp.tools._doubt import settled
from dixa_mcp.tools._single import single
from dixa_mcp.tools._turns import turn
from dixa_mcp.tools.admin import _webhooks

LOGGED = 5
"""Deliveries shown of a log, the newest first."""

WebhookName = Annotated[str, Field(description="Name or id")]


@tool(Effect.READ, touches="")
async def get_webhooks(call: Call, webhook: str = "", event: str = "") -> Webhooks | Deliveries:
    """Show webhooks and whether their deliveries arrive; with webhook and event, the latest payloads."""
    if event and not webhook:
        raise InvalidArgument("event needs webhook: whose deliveries?")
    dixa = call.dixa
    if event and call.settings.read_queues:
        raise Refused("queues", "Deliveries show conversations of all queues; only some may be read (--read-queues).")
    if event:
        hook, name = await _webhooks.find(dixa, webhook), _webhooks.event_names([event])[0]
        path = at("/webhooks/{id}/delivery-status/logs/{event}", id=hook.id, event=name)
        found = read_all(EventDelivery, await dixa.get(path))
        found.sort(key=lambda each: str(each.detail.delivery_timestamp if each.detail else ""), reverse=True)
        return Deliveries(hook.name, name, found[:LOGGED], of=len(found))
    hooks = [await _webhooks.find(dixa, webhook)] if webhook else await _webhooks.webhooks(dixa)
    states = await dixa.all([partial(_status, dixa, hook) for hook in hooks])
    queues = {queue.id: queue.name for queue in await dixa.catalogue.queues()} if any(h.filters for h in hooks) else {}
    rows = [Sent(hook, *_known(state), queues) for hook, state in zip(hooks, states, strict=True)]
    return Webhooks(rows, alone=bool(webhook))


async def _status(dixa: Dixa, hook: Webhook) -> list[EventDelivery]:
    return read_all(EventDelivery, await dixa.get(at("/webhooks/{id}/delivery-status", id=hook.id)))


def _known(state: list[EventDelivery] | DixaMcpError) -> tuple[list[EventDelivery], str]:
    return ([], state.what) if isinstance(state, DixaMcpError) else (state, "")


@tool(Effect.EGRESS, touches="", idempotent=True)
async def save_webhook(
    call: Call,
    webhook: Annotated[str, Field(description="To change: name or id")] = "",
    name: str = "",
    url: str = "",
    events: list[str] | None = None,
    authorization: Annotated[str, Field(description="Bearer TOKEN or user:password")] = "",
    queues: Annotated[list[str] | None, Field(description="Only these")] = None,
    enabled: bool | None = None,
) -> Change:
    """Create a webhook (name, url, events) or change one. Customer data flows to the URL; a person confirms."""
    body = await _body(call.dixa, webhook, name, url, events, authorization, queues, enabled)
    if webhook:
        return await _change(call, await _webhooks.find(call.dixa, webhook), body)
    # However its events are spelt, a webhook of this name to this address is one webhook.
    async with turn(call, "webhook", sha256(f"{name}\n{url}".encode()).hexdigest()):
        if (there := await _same(call.dixa, name, url)) is not None:
            return _created(there, duplicate=True)
        async with single(call):
            return _created(await _make(call.dixa, body))


@save_webhook.leaves_to
async def _(
    call: Call,
    webhook: str = "",
    name: str = "",
    url: str = "",
    events: list[str] | None = None,
    authorization: str = "",
    queues: list[str] | None = None,
    enabled: bool | None = None,
) -> list[str]:
    """Where data goes afterwards; to nowhere new when a webhook is only switched off."""
    if url or not webhook:
        return [url]
    only_off = enabled is False and not (name or events or authorization or queues)
    return [] if only_off else [(await _webhooks.find(call.dixa, webhook)).url]


@save_webhook.asks
async def _(
    call: Call,
    webhook: str = "",
    name: str = "",
    url: str = "",
    events: list[str] | None = None,
    authorization: str = "",
    queues: list[str] | None = None,
    enabled: bool | None = None,
) -> Question:
    body = await _body(call.dixa, webhook, name, url, events, authorization, queues, enabled)
    present = await _webhooks.find(call.dixa, webhook) if webhook else None
    goes_to = url or (present.url if present else "")
    lines = [f"Change the webhook “{line(present.name)}”?" if present else f"Create the webhook “{line(name)}”?"]
    if enabled is False:
        lines.append(f"Nothing is sent to {line(goes_to, 500)} while it is off.")
    else:
        lines.append(f"Customer data (names, addresses, messages) goes to {line(goes_to, 500)} from then on.")
    if present and url and url != present.url:
        lines.append(f"Until now it went to {line(present.url, 500)}.")
    if present and name:
        lines.append(f"New name: {line(name)}")
    if enabled is not False or events:
        lines.append(f"Events: {', '.join(body.get('events') or (present.subscribed_events if present else ()))}")
    if queues:
        lines.append(
            f"Only of these queues: {', '.join([(await call.dixa.catalogue.find('queue', q)).name for q in queues])}"
        )
    if authorization or not present:
        kind = {"TokenAuth": "a bearer token", "BasicAuth": "a user name and password", "NoAuth": "none"}
        lines.append(f"Authorization it sends: {kind[body['authorization']['_type']]}")
    return Question("\n".join(lines))


@tool(Effect.IRREVERSIBLE, touches="")
async def delete_webhook(call: Call, webhook: WebhookName) -> Change:
    """Delete a webhook for good; a person types its id. To pause one, use dixa_save_webhook."""
    hook = await _webhooks.find(call.dixa, webhook)
    try:
        await call.dixa.send("DELETE", at("/webhooks/{id}", id=hook.id))
    except DixaMcpError as error:
        await settled(error, lambda: _gone(call.dixa, hook.id))
    return Change(
        f"Webhook “{line(hook.name)}” was deleted; nothing is sent to {address(hook.url)} any more.",
        visible_to="colleagues",
        target=f"webhook {hook.name}",
        cannot_undo="a new webhook gets another id and another secret",
    )


@delete_webhook.asks
async def _(call: Call, webhook: str) -> Question:
    hook = await _webhooks.find(call.dixa, webhook)
    lines = [
        f"Delete the webhook “{line(hook.name)}” for good?",
        f"It sends {', '.join(hook.subscribed_events)} to {line(hook.url, 500)}.",
        "A new one would get another id and another secret, so whoever receives it must be changed, too.",
        f"Type {hook.id} to agree.",
    ]
    return Question("\n".join(lines), typed=hook.id)


async def _body(
    dixa: Dixa,
    webhook: str,
    name: str,
    url: str,
    events: list[str] | None,
    authorization: str,
    queues: list[str] | None,
    enabled: bool | None,
) -> dict[str, Any]:
    """What is sent: everything of a new webhook, only what changes of an old one.

    Raises:
        InvalidArgument: Something is missing or no such event exists.
    """
    if url and not url.startswith(("https://", "http://")):
        raise InvalidArgument("url must begin with https://.")
    body: dict[str, Any] = {"name": name} if name else {}
    body |= {"url": url} if url else {}
    body |= {"events": _webhooks.event_names(events)} if events else {}
    body |= {"enabled": enabled} if enabled is not None else {}
    if queues:
        ids = [(await dixa.catalogue.find("queue", queue)).id for queue in queues]
        condition = {"_type": "IsOneOf", "field": "QueueId", "values": ids}
        body["filters"] = {"Conversation": {"_type": "CombinedFilters", "strategy": "All", "conditions": [condition]}}
    if authorization:
        body["authorization"] = _authorization(authorization)
    if webhook:
        if not body:
            raise InvalidArgument("Say what to change: name, url, events, authorization, queues or enabled.")
        return body
    if missing := [word for word, given in (("name", name), ("url", url), ("events", events)) if not given]:
        raise InvalidArgument(f"A new webhook needs {' and '.join(missing)}.", "To change one, name it as webhook.")
    return {"authorization": {"_type": "NoAuth"}, "customHeaders": {}, "enabled": True, **body}


def _authorization(given: str) -> dict[str, str]:
    kind, _, value = given.strip().partition(" ")
    if kind.lower() == "bearer" and value:
        return {"_type": "TokenAuth", "value": value.strip()}
    if kind.lower() == "basic" and value:
        try:
            given = base64.b64decode(value, validate=True).decode()
        except ValueError as error:
            raise InvalidArgument("authorization: after Basic comes base64, or leave Basic out.") from error
    user, colon, password = given.partition(":")
    if not (colon and user):
        raise InvalidArgument("authorization is Bearer TOKEN or user:password.")
    return {"_type": "BasicAuth", "username": user, "password": password}


async def _make(dixa: Dixa, body: dict[str, Any]) -> Webhook:
    """Create a webhook; when the answer is lost, look whether it is there.

    Raises:
        DixaMcpError: It isn't, or nobody can tell.
    """
    try:
        return read(Webhook, (await dixa.send("POST", at("/webhooks"), body)).data)
    except DixaMcpError as error:
        return await settled(error, lambda: _same(dixa, body["name"], body["url"]))


async def _same(dixa: Dixa, name: str, url: str) -> Webhook | None:
    return next((each for each in await _webhooks.webhooks(dixa) if (each.name, each.url) == (name, url)), None)


def _created(hook: Webhook, *, duplicate: bool = False) -> Change:
    return Change(
        f"Webhook “{line(hook.name)}” sends {', '.join(hook.subscribed_events)} to {address(hook.url)}.",
        visible_to="outside",
        target=f"webhook {hook.name}",
        undo=None if duplicate else Undo("dixa_delete_webhook", {"webhook": hook.id}, {"webhook": facts(hook)}),
        cannot_undo="what was sent by then stays sent",
        duplicate=duplicate,
    )


async def _change(call: Call, before: Webhook, body: dict[str, Any]) -> Change:
    wanted = _comparable(body)
    differing = {name: value for name, value in wanted.items() if facts(before)[name] != value}
    if not differing and len(wanted) == len(body):
        return Change(f"Webhook “{line(before.name)}” is so already.", visible_to="nobody")
    try:
        reply = await call.dixa.send("PATCH", at("/webhooks/{id}", id=before.id), body)
        after = read(Webhook, reply.data) if reply.data else await _webhooks.find(call.dixa, before.id)
    except DixaMcpError as error:
        # What can't be read, such as credentials, tells nothing: without another difference it stays unknown.
        if not differing:
            raise
        after = await settled(error, lambda: _has(call.dixa, before.id, wanted))
    was, now = facts(before), facts(after)
    changed = {name: value for name, value in was.items() if now[name] != value}
    lost = [name for name in ("authorization", "filters") if name in body]
    return Change(
        f"Webhook “{line(after.name)}” was changed; it is {'on' if after.enabled else 'off'}.",
        visible_to="outside" if after.enabled else "colleagues",
        target=f"webhook {after.name}",
        before=_shown(changed),
        after=_shown({name: now[name] for name in changed}),
        undo=Undo("dixa_save_webhook", {"webhook": after.id, **changed}, {"webhook": {n: now[n] for n in changed}})
        if changed
        else None,
        cannot_undo=f"an undo doesn't bring back the former {' and '.join(lost)}" if lost else "",
    )


async def _gone(dixa: Dixa, hook_id: str) -> bool | None:
    return None if any(each.id == hook_id for each in await _webhooks.webhooks(dixa)) else True


async def _has(dixa: Dixa, hook_id: str, wanted: dict[str, Any]) -> Webhook | None:
    hook = next((each for each in await _webhooks.webhooks(dixa) if each.id == hook_id), None)
    return hook if hook and all(facts(hook)[name] == value for name, value in wanted.items()) else None


def _comparable(body: dict[str, Any]) -> dict[str, Any]:
    """What of a body can be compared with `facts`."""
    known = {name: value for name, value in body.items() if name in {"name", "url", "events", "enabled"}}
    return known | ({"events": sorted(known["events"])} if "events" in known else {})


def facts(hook: Webhook) -> dict[str, Any]:
    """What of a webhook can be compared and put back; credentials are never read."""
    return {"name": hook.name, "url": hook.url, "events": sorted(hook.subscribed_events), "enabled": hook.enabled}


def _shown(facts: dict[str, Any]) -> str:
    return "; ".join(f"{name} {_word(name, value)}" for name, value in facts.items())


def _word(name: str, value: Any) -> str:
    match name:
        case "url":
            return address(value)
        case "events":
            return ", ".join(value)
        case "enabled":
            return "yes" if value else "no"
        case _:
            return line(str(value))
