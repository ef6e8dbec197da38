"""Conversations: reading, and moving them through their life (notes §9, §11)."""

import math

from dixa_mcp.sandbox import acts
from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.events import log
from dixa_mcp.sandbox.organisation import Organisation, without_attributes
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import CONFLICT, NO_QUEUE, Answer, Refusal, Request, data, empty, invalid, page, part, stamp

#: What a link is called when it is read: the request knows Related and SideConversation, the answer
#: SideConversation, FollowUp and EmailForward (notes §9). Ours: a related one reads as a follow-up.
LINK_AS_READ = {"Related": "FollowUp", "SideConversation": "SideConversation"}
MOST_CHILDREN = 100


@handles("get_conversation")
def get_conversation(org: Organisation, request: Request) -> Answer:
    return data(org.conversation(request.csid()))


@handles("close_conversation")
def close_conversation(org: Organisation, request: Request) -> Answer:
    conversation = org.living(request.csid())
    acts.close(org, conversation, org.acting(request.field("userId"), request.owner))
    return empty()


@handles("reopen_conversation")
def reopen_conversation(org: Organisation, request: Request) -> Answer:
    conversation = org.living(request.csid())
    acts.reopen(org, conversation, org.acting(request.field("userId"), request.owner))
    return empty()


@handles("follow_up_conversation")
def follow_up_conversation(org: Organisation, request: Request) -> Answer:
    conversation = org.living(request.csid())
    by = org.acting(request.field("userId"), request.owner)
    until = parse(request.field("timestamp"))
    if until <= org.at():
        raise invalid("body (timestamp must be in the future)")
    acts.follow_up(org, conversation, stamp(until), by)
    return empty()


@handles("transfer_conversation")
def transfer_conversation(org: Organisation, request: Request) -> Answer:
    conversation = org.living(request.csid())
    by = org.acting(request.field("userId"), request.owner)
    queue = request.field("queueId")
    if queue not in org.queues:
        raise Refusal(400, NO_QUEUE)
    acts.transfer(org, conversation, queue, by)
    return empty()


@handles("claim_conversation")
def claim_conversation(org: Organisation, request: Request) -> Answer:
    """Leaving `force` out takes over, as the contract's wording suggests (notes §11)."""
    conversation = org.living(request.csid())
    agent = org.agent_id(request.field("agentId"))
    holder = part(conversation, "assignment").get("agentId")
    if holder not in (None, agent) and request.field("force") is False:
        raise Refusal(409, CONFLICT)
    acts.claim(org, conversation, agent)
    return empty()


@handles("link_conversation")
def link_conversation(org: Organisation, request: Request) -> Answer:
    """At most 100 children, one parent a child, no grandchildren (notes §11)."""
    csid, parent = request.csid(), request.field("parentId")
    child = org.living(csid)
    if parent not in org.conversations:
        raise Refusal(400, "Parent conversation does not exist")
    org.living(parent)
    if parent == csid:
        raise Refusal(400, "A conversation cannot be its own parent")
    if "link" in child:
        raise Refusal(400, "Conversation already has a parent")
    if org.children(csid) or "link" in org.conversations[parent]:
        raise Refusal(400, "A child conversation cannot have child conversations")
    if len(org.children(parent)) >= MOST_CHILDREN:
        raise Refusal(400, "Parent conversation has too many children")
    kind = request.field("linkType")
    org.link(csid, parent, LINK_AS_READ[kind])
    attributes = {"_type": "ConversationLinkedAttribute", "child": csid, "parent": parent, "linkType": kind}
    log(org, csid, "ConversationLinkedToParent", request.owner, attributes)
    log(org, parent, "ConversationLinkedFromChild", request.owner, attributes)
    return empty()


@handles("list_linked_conversations")
def list_linked_conversations(org: Organisation, request: Request) -> Answer:
    org.conversation(request.csid())
    return data([without_attributes(child) for child in org.children(request.csid())])


@handles("list_end_user_conversations")
def list_end_user_conversations(org: Organisation, request: Request) -> Answer:
    """Ours: the newest first."""
    user = request.path["userId"]
    org.end_user(user)
    asked = [item for item in org.conversations.values() if item["requesterId"] == user]
    asked.sort(key=lambda item: (item["createdAt"], item["id"]), reverse=True)
    return page(request, [without_attributes(item) for item in asked])


@handles("list_conversation_activity")
def list_conversation_activity(org: Organisation, request: Request) -> Answer:
    """The contract knows no 404 here: an unknown conversation has an empty log (ours)."""
    return data(org.activity.get(request.csid(), []))


@handles("list_activity")
def list_activity(org: Organisation, request: Request) -> Answer:
    """The whole organisation's log, oldest first (ours)."""
    since, until = request.parameter("fromDatetime"), request.parameter("toDatetime")
    start = parse(since).timestamp() if since is not None else -math.inf
    end = parse(until).timestamp() if until is not None else math.inf
    told = [
        (parse(entry["activityTimestamp"]).timestamp(), csid, number)
        for csid, entries in org.activity.told.items()
        for number, entry in enumerate(entries)
    ]
    found = [moment for moment in told if start <= moment[0] <= end]
    answer = page(request, sorted(org.untold.log(start, end) + found))
    answer.body["data"] = [org.activity[csid][number] for _, csid, number in answer.body["data"]]
    return answer


@handles("list_flows")
def list_flows(org: Organisation, request: Request) -> Answer:
    """One channel at a time, PstnPhone unless another is named (notes §17)."""
    channel = request.parameter("channel") or "PstnPhone"
    return data([flow for flow in org.flows.values() if flow["channel"] == channel])
