"""Custom attributes: definitions, and the values of conversations and contacts (notes §14)."""

from typing import Any, cast

from dixa_mcp.sandbox.events import emit, log
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import BAD_PATCH, Answer, Json, Refusal, Request, data, invalid


@handles("list_custom_attributes")
def list_custom_attributes(org: Organisation, request: Request) -> Answer:
    return data(list(org.attributes.values()))


@handles("get_custom_attribute")
def get_custom_attribute(org: Organisation, request: Request) -> Answer:
    """The contract knows no 404 here, so a miss is a 400 (ours)."""
    if request.path["customAttributeId"] not in org.attributes:
        raise invalid("path parameter customAttributeId")
    return data(org.attributes[request.path["customAttributeId"]])


@handles("update_conversation_attributes")
def update_conversation_attributes(org: Organisation, request: Request) -> Answer:
    csid = request.csid()
    conversation = org.living(csid)
    changed = _patch(org, conversation, request.body or {}, "Conversation")
    if not request.body:
        return data(changed)
    attributes = {
        "_type": "ConversationCustomAttributesUpdatedAttribute",
        "updatedAttributeIds": list(request.body or {}),
        "updatedAttributeValues": {item["id"]: item["value"] for item in changed},
    }
    log(org, csid, "ConversationCustomAttributesUpdated", request.owner, attributes)
    emit(org, "ConversationCustomAttributeUpdated", csid, custom_attributes=changed)
    return data(changed)


@handles("update_end_user_attributes")
def update_end_user_attributes(org: Organisation, request: Request) -> Answer:
    return data(_patch(org, org.remembered(request.path["userId"]), request.body or {}, "Contact"))


def _patch(org: Organisation, holder: Json, values: Json, entity: str) -> list[Json]:
    """Change the attributes that are named, all or none; null clears. Return those that have a value now."""
    for key, value in values.items():
        definition = org.attributes.get(key)
        if definition is None or definition["entityType"] != entity or not _fits(definition, value):
            raise Refusal(400, BAD_PATCH)
    kept = {item["id"]: item for item in holder["customAttributes"]}
    for key, value in values.items():
        definition = org.attributes[key]
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = _written(definition, value)
    holder["customAttributes"] = [kept[key] for key in org.attributes if key in kept]
    return [kept[key] for key in values if key in kept]


def _written(definition: Json, value: Any) -> Json:
    return {
        "id": definition["id"],
        "name": definition["label"],
        "identifier": definition["identifier"],
        "value": value,
    }


def _fits(definition: Json, value: Any) -> bool:
    """Whether a value suits: text for a text field, option values from the parent down for a select."""
    if definition["isArchived"] or definition["isDeactivated"]:
        return False
    if value is None:
        return True
    if definition["inputDefinition"]["_type"] == "Text":
        return isinstance(value, str)
    if not isinstance(value, list) or not value:
        return False
    options = definition["inputDefinition"]["options"]
    for step in cast("list[Any]", value):
        option = next((item for item in options if item["value"] == step and not item["isDeactivated"]), None)
        if option is None:
            return False
        options = option["nestedOptions"]
    return True
