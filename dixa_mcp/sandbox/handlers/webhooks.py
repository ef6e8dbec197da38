"""Webhook subscriptions and what became of their deliveries (notes §19)."""

import base64
from collections.abc import Mapping

from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Request, data, empty, invalid, missing

DETAIL = ("deliveryTimestamp", "success", "responseCode", "responseText")


def _webhook(org: Organisation, request: Request) -> Json:
    """Return the subscription of the path: 404 where the contract knows one, else 400 (ours)."""
    found = org.webhooks.get(request.path["webhookSubscriptionId"])
    if found is not None:
        return found
    raise invalid("path parameter webhookSubscriptionId") if request.operation.name == "update_webhook" else missing()


@handles("list_webhooks")
def list_webhooks(org: Organisation, request: Request) -> Answer:
    return data(list(org.webhooks.values()))


@handles("get_webhook")
def get_webhook(org: Organisation, request: Request) -> Answer:
    return data(_webhook(org, request))


@handles("create_webhook")
def create_webhook(org: Organisation, request: Request) -> Answer:
    """Sent as `events`, `authorization` and `customHeaders`, read as `subscribedEvents` and `headers`."""
    _check(request)
    now = org.now()
    webhook: Json = {
        "id": org.new_id(),
        "name": request.field("name"),
        "subscribedEvents": list(dict.fromkeys(request.field("events", []))),
        "url": request.field("url"),
        "headers": request.field("customHeaders") | _authorization(request.field("authorization")),
        "secretKey": (org.new_id() + org.new_id()).replace("-", ""),
        "enabled": request.field("enabled", True),
        "createdAt": now,
        "createdBy": request.owner,
        "updatedAt": now,
        "updatedBy": request.owner,
    }
    webhook |= {"filters": request.field("filters")} if request.field("filters") else {}
    org.webhooks[webhook["id"]] = webhook
    return data(webhook, 201)


@handles("update_webhook")
def update_webhook(org: Organisation, request: Request) -> Answer:
    """Ours: what isn't sent stays, headers and authorization each for itself; empty filters clear them."""
    webhook = _webhook(org, request)
    _check(request)
    changed: Json = {key: request.field(key) for key in ("name", "url", "enabled") if request.field(key) is not None}
    if (events := request.field("events")) is not None:
        changed["subscribedEvents"] = list(dict.fromkeys(events))
    authorization = {key: value for key, value in webhook["headers"].items() if key == "Authorization"}
    custom = {key: value for key, value in webhook["headers"].items() if key != "Authorization"}
    if (asked := request.field("authorization")) is not None:
        authorization = _authorization(asked)
    changed["headers"] = request.field("customHeaders", custom) | authorization
    if (filters := request.field("filters")) is not None:
        changed["filters"] = filters
    if any(webhook.get(key) != value for key, value in changed.items()):
        webhook |= changed | {"updatedAt": org.now(), "updatedBy": request.owner}
    if not webhook.get("filters"):
        webhook.pop("filters", None)
    return data(webhook)


@handles("delete_webhook")
def delete_webhook(org: Organisation, request: Request) -> Answer:
    """Its deliveries go with it."""
    webhook = _webhook(org, request)["id"]
    del org.webhooks[webhook]
    org.deliveries.pop(webhook, None)
    return empty()


@handles("get_webhook_delivery_status")
def get_webhook_delivery_status(org: Organisation, request: Request) -> Answer:
    """The newest delivery of every event that is subscribed to."""
    webhook = _webhook(org, request)
    sent = org.deliveries.get(webhook["id"], {})
    statuses = [
        {"_type": "DeliveryDetail"} | _detail(sent[event][-1]) if sent.get(event) else {"_type": "NoRecentDelivery"}
        for event in webhook["subscribedEvents"]
    ]
    events: list[str] = webhook["subscribedEvents"]
    return data([{"event": event, "deliveryStatus": status} for event, status in zip(events, statuses, strict=True)])


@handles("list_webhook_deliveries")
def list_webhook_deliveries(org: Organisation, request: Request) -> Answer:
    """The newest deliveries of an event, the newest first (ours)."""
    webhook = _webhook(org, request)["id"]
    sent = org.deliveries.get(webhook, {}).get(request.path["event"], [])
    return data([{"deliveryDetail": _detail(item), "payload": item["payload"]} for item in reversed(sent)])


def _detail(delivery: Json) -> Json:
    return {key: delivery[key] for key in DETAIL}


def _check(request: Request) -> None:
    """Refuse an empty name and an address that isn't http(s)."""
    if not request.field("name", "x").strip():
        raise invalid("body (name must not be empty)")
    if not request.field("url", "https://").startswith(("https://", "http://")):
        raise invalid("body (url must be an http address)")


def _authorization(asked: Mapping[str, str]) -> dict[str, str]:
    """Return the header an authorization becomes: it is read in clear (notes §19)."""
    match asked["_type"]:
        case "BasicAuth":
            pair = f"{asked['username']}:{asked['password']}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        case "TokenAuth":
            return {"Authorization": f"Bearer {asked['value']}"}
        case _:
            return {}
