"""What follows an act: entries of the activity log, webhooks that would fire, and what would have left."""

import hashlib
import hmac
import json
from datetime import datetime

from dixa_mcp.sandbox.organisation import Organisation, name_of
from dixa_mcp.sandbox.wire import Json, part

#: Newer types have no old name of their own (the contract lists 35 old names for 43 types).
WITHOUT_OLD_NAME = {
    "ConversationChannelChanged",
    "ConversationCustomAttributesUpdated",
    "ConversationLinkedFromChild",
    "ConversationLinkedToParent",
    "ConversationMessageRedacted",
    "ConversationRatingNotOffered",
    "ConversationResolvedStateToggled",
    "ConversationUnlinkedFromChild",
    "ConversationUnlinkedToParent",
}

#: Deliveries of an event that the log of a webhook keeps (ours).
KEPT_DELIVERIES = 100

#: Channel → its name in a delivery (notes §7, §19).
CHANNEL_IN_PAYLOADS = {
    "WhatsApp": "WHATSAPP", "Voicemail": "VOICEMAIL", "WidgetChat": "WIDGET_CHAT", "Twitter": "TWITTER",
    "FacebookMessenger": "FACEBOOK_MESSENGER", "Email": "EMAIL", "ContactForm": "CONTACT_FORM",
    "Callback": "CALLBACK", "PstnPhone": "PSTN_PHONE", "Sms": "SMS", "Messenger": "MESSENGER",
}  # fmt: skip


def log(org: Organisation, csid: int, kind: str, author: str | None = None, attributes: Json | None = None) -> Json:
    """Write an entry of the activity log (notes §11). `attributes` holds its own `_type`."""
    entry: Json = {
        "id": org.new_id(),
        "conversationId": csid,
        "activityTimestamp": org.now_ms(),
        "activityType": _old_name(kind),
        "_type": kind,
    }
    if person := org.person(author):
        entry["author"] = person
    if attributes:
        entry["attributes"] = attributes
    org.activity.setdefault(csid, []).append(entry)
    return entry


def _old_name(kind: str) -> str:
    if kind == "ConversationReserved":
        return "ConversationReservedType"
    return "UnknownActivityType" if kind in WITHOUT_OLD_NAME else f"{kind}ActivityType"


def leave(org: Organisation, kind: str, to: list[str], text: str, csid: int | None, **more: object) -> Json:
    """Put something in the outbox that a real Dixa would have sent. Nothing is ever sent."""
    item: Json = {"kind": kind, "organisation": org.details["name"], "at": org.now_ms(), "to": to, "text": text}
    if csid is not None:
        item["conversation"] = csid
    item |= {key: value for key, value in more.items() if value not in (None, [], "")}
    org.outbox.append(item)
    return item


def emit(org: Organisation, event: str, csid: int, **details: object) -> None:
    """Deliver an event to the webhooks that subscribed to it: on paper, signed as Dixa signs (notes §19)."""
    for hook in org.webhooks.values():
        if hook["enabled"] and event in hook["subscribedEvents"] and _wanted(org, hook, csid, details):
            _deliver(org, hook, event, csid, details)


def _wanted(org: Organisation, hook: Json, csid: int, details: Json) -> bool:
    rules = part(hook, "filters").get("Conversation")
    if not rules:
        return True
    conversation = org.conversations[csid]
    seen = {
        "InitialChannel": CHANNEL_IN_PAYLOADS[conversation["channel"]].lower(),
        "QueueId": part(conversation, "queue").get("id", ""),
        "OperationOrigin": str(details.get("origin", "")),
    }
    results = [
        (seen.get(rule["field"]) in rule["values"]) == (rule["_type"] == "IsOneOf") for rule in rules["conditions"]
    ]
    return all(results) if rules["strategy"] == "All" else any(results)


def _deliver(org: Organisation, hook: Json, event: str, csid: int, details: Json) -> None:
    payload = {
        "event_id": org.new_id(),
        "event_fqn": _snake(event),
        "event_version": "1",
        "event_timestamp": org.now_ms(),
        "organization": {"id": org.details["id"], "name": org.details["name"]},
        "data": {"conversation": _in_payload(org, csid)} | {k: v for k, v in details.items() if k != "origin"},
    }
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    headers = {
        "X-DIXA-SUBSCRIPTION-ID": hook["id"],
        "X-DIXA-SIGNATURE": signature(hook["secretKey"], body, org.at()),
    } | hook["headers"]
    leave(org, "webhook", [hook["url"]], body, csid, event=event, headers=headers)
    # Ours: the other side always says 200, because nobody is asked.
    record = {"deliveryTimestamp": org.now_ms(), "success": True, "responseCode": 200, "responseText": "OK"}
    sent = org.deliveries.setdefault(hook["id"], {}).setdefault(event, [])
    sent.append(record | {"payload": body, "csid": csid})
    del sent[:-KEPT_DELIVERIES]


def signature(secret: str, body: str, moment: datetime) -> str:
    """Return the signature header: HMAC-SHA256 over `<ms>.<body>` with the hex-decoded secret (notes §19)."""
    ms = int(moment.timestamp() * 1000)
    digest = hmac.new(bytes.fromhex(secret), f"{ms}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={ms},v1={digest}"


def _snake(event: str) -> str:
    spaced = "".join(f"_{letter}" if letter.isupper() else letter for letter in event).lstrip("_")
    return spaced.upper().replace("S_L_A_", "SLA_")


def in_payload(org: Organisation, user: str | None) -> Json | None:
    """Return a person as deliveries show one, None for nobody."""
    person = org.agents.get(user or "") or org.end_users.get(user or "")
    if person is None:
        return None
    shown = {"id": person["id"], "name": name_of(person), "email": person.get("email")}
    return shown | {"phone": person.get("phoneNumber"), "roles": person.get("roles", ["Enduser"])}


def _in_payload(org: Organisation, csid: int) -> Json:
    """Return a conversation as deliveries show it: snake case, upper-case words (notes §19)."""
    conversation = org.conversations[csid]
    queue = part(conversation, "queue").get("id")
    agent = part(conversation, "assignment").get("agentId")
    return {
        "csid": csid,
        "channel": CHANNEL_IN_PAYLOADS[conversation["channel"]],
        "status": conversation.get("state", "Open").upper(),
        "direction": conversation.get("direction", "Inbound").upper(),
        "queue": {"id": queue, "name": org.queues[queue]["name"]} if queue in org.queues else None,
        "contact_point": conversation.get("integrationEmail") or conversation.get("fromNumber"),
        "requester": in_payload(org, conversation["requesterId"]),
        "assignee": in_payload(org, agent),
        "subject": conversation.get("subject"),
        "tags": [{"id": tag, "name": org.tags[tag]["name"]} for tag in org.tagged.get(csid, [])],
        "created_at": conversation["createdAt"],
    }
