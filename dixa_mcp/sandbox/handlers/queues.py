"""Queues and who is in them (notes §17)."""

from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import (
    CONFLICT,
    NO_QUEUE,
    Answer,
    Json,
    Refusal,
    Request,
    data,
    done,
    empty,
    failed,
    invalid,
    missing,
    part,
)

MOST_AT_ONCE = 10


def _queue(org: Organisation, request: Request) -> Json:
    if request.path["queueId"] not in org.queues:
        raise missing()
    return org.queues[request.path["queueId"]]


@handles("list_queues")
def list_queues(org: Organisation, request: Request) -> Answer:
    return data(list(org.queues.values()))


@handles("get_queue")
def get_queue(org: Organisation, request: Request) -> Answer:
    return data(_queue(org, request))


@handles("create_queue")
def create_queue(org: Organisation, request: Request) -> Answer:
    """Sent as `offerAlgorithm`, read as `offeringAlgorithm`. A new default queue replaces the former one."""
    asked: Json = request.field("request")
    if not asked["name"].strip():
        raise invalid("body (request.name must not be empty)")
    queue_id = org.new_id()
    given = {key: value for key, value in asked.items() if value is not None}
    algorithm = given.pop("offerAlgorithm", None)
    given.pop("callFunctionality")
    queue: Json = {"id": queue_id, "name": "", "isDefault": False, "organizationId": org.details["id"]}
    queue |= {"queueThresholds": {}, "slaCalculationMethod": "AbandonedIgnored", "memberListType": "Default"}
    queue |= {"offeringAlgorithm": algorithm} if algorithm else {}
    queue |= {"usages": {"queueId": queue_id, "usages": {}}, "doNotOfferTimeouts": {}, **given}
    if queue["isDefault"]:
        for other in org.queues.values():
            other["isDefault"] = False
    org.queues[queue_id] = queue
    org.queue_members[queue_id] = []
    return data(queue, 201)


@handles("list_queue_members")
def list_queue_members(org: Organisation, request: Request) -> Answer:
    return data(org.queue_members.get(_queue(org, request)["id"], []))


def _asked(request: Request) -> list[str]:
    agents: list[str] = request.field("agentIds", [])
    if len(agents) > MOST_AT_ONCE:
        raise invalid(f"body (agentIds takes at most {MOST_AT_ONCE})")
    return agents


@handles("add_queue_members")
def add_queue_members(org: Organisation, request: Request) -> Answer:
    """Each agent is added or refused alone; who is in already counts as added (ours)."""
    members = org.queue_members.setdefault(_queue(org, request)["id"], [])
    outcomes: list[Json] = []
    for agent in _asked(request):
        if agent in org.agents:
            if agent not in [member["agentId"] for member in members]:
                members.append({"agentId": agent, "priority": 1})
            outcomes.append(done(agent))
        elif agent in org.end_users:
            outcomes.append(failed("Validation", "Member is neither Agent or Admin", agent))
        else:
            outcomes.append(failed("NotFound", "User not found", agent))
    return data(outcomes)


@handles("remove_queue_members")
def remove_queue_members(org: Organisation, request: Request) -> Answer:
    """Who isn't in is passed over (ours)."""
    queue_id, leaving = _queue(org, request)["id"], _asked(request)
    members = org.queue_members.get(queue_id, [])
    org.queue_members[queue_id] = [member for member in members if member["agentId"] not in leaving]
    return empty()


@handles("get_queue_availability")
def get_queue_availability(org: Organisation, request: Request) -> Answer:
    """Only bot channels; 409 where the organisation has none; an unknown queue is a 400 (notes §17)."""
    if request.path["queueId"] not in org.queues:
        raise Refusal(400, NO_QUEUE)
    if not org.availability:
        raise Refusal(409, CONFLICT)
    return data(org.availability.get(request.path["queueId"], []))


@handles("get_queue_position")
def get_queue_position(org: Organisation, request: Request) -> Answer:
    """1 is next. Ours: who is assigned or closed has no position, who never queued is a 404."""
    conversation = org.conversation(request.csid("csid"))
    queue: Json = part(conversation, "queue")
    if "queuedAt" not in queue:
        raise missing()
    line = sorted(
        (other["queue"]["queuedAt"], csid)
        for csid, other in org.conversations.items()
        if part(other, "queue").get("id") == queue["id"] and _waits(other)
    )
    place = [csid for _, csid in line]
    position: Json = {"position": place.index(conversation["id"]) + 1} if conversation["id"] in place else {}
    return data(position | {"queuedAt": queue["queuedAt"]})


def _waits(conversation: Json) -> bool:
    queued = "queuedAt" in part(conversation, "queue")
    return queued and "assignment" not in conversation and conversation.get("state") == "Open"
