"""What is left of messages and log entries after an anonymisation: who, when and how long, but no words."""

from collections.abc import Collection
from typing import Any, cast

from dixa_mcp.sandbox.wire import Json, listed

#: Attributes of a message that say nothing about anybody.
PLAIN = ("_type", "direction", "isAutoReply", "isAutomated", "duration", "utterance_start_ms", "utterance_end_ms")
NOTHING: Json = {"_type": "Text", "value": ""}
#: What the others become; where the contract requires one, the empty form of it.
EMPTIED: Json = {
    "content": NOTHING,
    "emailContent": {"_type": "Regular", "content": NOTHING},
    "formSubmission": {"values": {}},
    "recording": "",
    "attachments": [],
    "inlineImages": [],
    "cc": [],
    "bcc": [],
    "replyDefaultToEmails": [],
}


def blank(message: Json) -> Json:
    """Return a message without text, files, addresses and external id."""
    attributes: Json = message["attributes"]
    left = {key: attributes[key] for key in PLAIN if key in attributes}
    left |= {key: value for key, value in EMPTIED.items() if key in attributes}
    call = attributes["_type"] == "PhoneAttributes"
    nobody: Json = {"from": "" if call else {"email": ""}, "to": "" if call else list[Json]()}
    left |= {key: value for key, value in nobody.items() if key in attributes}
    return {key: message[key] for key in ("id", "authorId", "createdAt")} | {"attributes": left}


def files_in(message: Json) -> int:
    """Return how many files a message has."""
    attributes: Json = message["attributes"]
    single = sum(key in attributes for key in ("recording", "originalContentUrl"))
    return single + len(listed(attributes, "attachments")) + len(listed(attributes, "inlineImages"))


def without_person(value: Any, user: str, addresses: Collection[str]) -> Any:
    """Return a copy in which a person is an id, a mail contact of theirs nobody, and lists don't hold one."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [without_person(item, user, addresses) for item in items if not _is_contact(item, addresses)]
    if not isinstance(value, dict):
        return value
    thing = cast("Json", value)
    if _is_contact(thing, addresses) and "id" not in thing:
        return {"email": ""}
    if thing.get("id") == user:
        return {"id": user}
    return {key: without_person(item, user, addresses) for key, item in thing.items()}


def _is_contact(value: Any, addresses: Collection[str]) -> bool:
    thing: Json = cast("Json", value) if isinstance(value, dict) else {}
    return str(thing.get("email") or "").casefold() in addresses
