"""Tags: the catalogue, and tags of conversations (notes §16)."""

from dixa_mcp.sandbox import acts
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Refusal, Request, data, empty, invalid, missing


def _tag(org: Organisation, request: Request) -> Json:
    if request.path["tagId"] not in org.tags:
        raise missing()
    return org.tags[request.path["tagId"]]


@handles("list_tags")
def list_tags(org: Organisation, request: Request) -> Answer:
    everything = request.flag("includeDeactivated")
    return data([tag for tag in org.tags.values() if everything or tag["state"] == "Active"])


@handles("get_tag")
def get_tag(org: Organisation, request: Request) -> Answer:
    return data(_tag(org, request))


@handles("create_tag")
def create_tag(org: Organisation, request: Request) -> Answer:
    """An existing tag of that name comes back as it is, with 200."""
    name = request.field("name", "")
    if not name.strip():
        raise invalid("body (name must not be empty)")
    return data(org.tag_named(name) or org.new_tag(name, request.field("color")))


@handles("delete_tag")
def delete_tag(org: Organisation, request: Request) -> Answer:
    """The tag leaves every conversation with it, for good."""
    tag_id = _tag(org, request)["id"]
    for tags in org.tagged.values():
        if tag_id in tags:
            tags.remove(tag_id)
    del org.tags[tag_id]
    return empty()


@handles("activate_tag", "deactivate_tag")
def switch_tag(org: Organisation, request: Request) -> Answer:
    _tag(org, request)["state"] = "Active" if request.operation.name == "activate_tag" else "Inactive"
    return empty()


@handles("list_conversation_tags")
def list_conversation_tags(org: Organisation, request: Request) -> Answer:
    org.conversation(request.csid())
    return data([org.tags[tag_id] for tag_id in org.tagged.get(request.csid(), [])])


@handles("tag_conversation")
def tag_conversation(org: Organisation, request: Request) -> Answer:
    """Only active tags can be put on."""
    org.living(request.csid())
    tag = _tag(org, request)
    if tag["state"] != "Active":
        raise Refusal(400, "Tag is not active")
    acts.tag(org, request.csid(), tag["id"], request.owner)
    return empty()


@handles("untag_conversation")
def untag_conversation(org: Organisation, request: Request) -> Answer:
    """Active and inactive tags can be taken off."""
    org.living(request.csid())
    acts.untag(org, request.csid(), _tag(org, request)["id"], request.owner)
    return empty()


@handles("tag_conversation_by_names")
def tag_conversation_by_names(org: Organisation, request: Request) -> Answer:
    """Missing tags are created. Ours: it is done at once, and an inactive tag is passed over."""
    org.living(request.csid())
    if not all(item["name"].strip() for item in request.field("data", [])):
        raise invalid("body (name must not be empty)")
    for item in request.field("data", []):
        tag = org.tag_named(item["name"]) or org.new_tag(item["name"])
        if tag["state"] == "Active":
            acts.tag(org, request.csid(), tag["id"], request.owner)
    return empty(202)
