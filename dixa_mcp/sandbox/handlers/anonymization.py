"""Anonymisation requests (notes §20). What they do is in `anonymizing.py`."""

import re

from dixa_mcp.sandbox.anonymizing import ask, poll
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Refusal, Request, data

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: How the id of an entity looks in the deprecated call (notes §7).
FORMS = {"User": UUID, "Conversation": r"[1-9]\d*", "Message": rf"[1-9]\d*_{UUID}"}


@handles("anonymize_end_user")
def anonymize_end_user(org: Organisation, request: Request) -> Answer:
    asked = ask(org, "User", request.path["userId"], request.owner, force=request.flag("force"))
    return data(asked, 202)


@handles("anonymize_conversation")
def anonymize_conversation(org: Organisation, request: Request) -> Answer:
    asked = ask(org, "Conversation", str(request.csid()), request.owner, force=request.flag("force"))
    return data(asked, 202)


@handles("anonymize_message")
def anonymize_message(org: Organisation, request: Request) -> Answer:
    """Open or closed: a message has no `force` (notes §20)."""
    target = f"{request.csid()}_{request.path['messageId']}"
    return data(ask(org, "Message", target, request.owner), 202)


@handles("anonymize_entity")
def anonymize_entity(org: Organisation, request: Request) -> Answer:
    """The deprecated call: 200, and every refusal is a 400, as the contract knows nothing else (ours)."""
    kind = request.field("_type") or str(request.field("entityType", "")).removesuffix("AnonymizationType")
    if kind not in FORMS:
        raise Refusal(400, "The entity type is missing")
    target = str(request.field("entityId")).lower()
    if not re.fullmatch(FORMS[kind], target):
        raise Refusal(400, "The entityId doesn't match the expected format for the specified type")
    try:
        return data(ask(org, kind, target, request.owner, force=request.field("forceAnonymization") is True))
    except Refusal as refusal:
        raise Refusal(400, refusal.message) from refusal


@handles("get_anonymization")
def get_anonymization(org: Organisation, request: Request) -> Answer:
    return data(poll(org, request.path["requestId"]))
