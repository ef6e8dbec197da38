"""Agents: inviting, changing, downgrading, and what they are offered (notes §15)."""

from typing import cast

from dixa_mcp.sandbox import acts, people
from dixa_mcp.sandbox.events import leave
from dixa_mcp.sandbox.organisation import Organisation, name_of
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Refusal, Request, data, done, empty, failed, part

#: Channels of a working channel; the contract names the groups only, what is in them is ours.
WORKING_CHANNELS = {
    "Email": ("Email", "ContactForm"),
    "InteractiveChat": ("WidgetChat", "Messenger"),
    "Messaging": ("WhatsApp", "FacebookMessenger", "Twitter", "Sms"),
    "Speak": ("PstnPhone", "Callback", "Voicemail"),
}


@handles("create_agent")
def create_agent(org: Organisation, request: Request) -> Answer:
    return data(_create(org, request.body, request.owner), 201)


@handles("create_agents")
def create_agents(org: Organisation, request: Request) -> Answer:
    """Each agent is made or refused alone (notes §4)."""
    outcomes: list[Json] = []
    for item in request.field("data", []):
        try:
            outcomes.append(done(_create(org, item, request.owner)))
        except Refusal as refusal:
            outcomes.append(failed("Validation", refusal.message))
    return data(outcomes, 201)


@handles("update_agent", "replace_agent")
def change_agent(org: Organisation, request: Request) -> Answer:
    replace = request.operation.name == "replace_agent"
    return data(_change(org, request.path["agentId"], request.body or {}, replace=replace))


@handles("update_agents", "replace_agents")
def change_agents(org: Organisation, request: Request) -> Answer:
    """The body is a bare list (notes §5); each item succeeds or fails alone."""
    replace = request.operation.name == "replace_agents"
    outcomes: list[Json] = []
    for item in cast("list[Json]", request.body or []):
        try:
            outcomes.append(done(_change(org, item["id"], item, replace=replace)))
        except Refusal as refusal:
            outcomes.append(people.failure(refusal, item["id"]))
    return data(outcomes)


@handles("delete_agent")
def delete_agent(org: Organisation, request: Request) -> Answer:
    """The person stays as an end user of the same id, out of teams and queues.

    Ours: what was open with them goes back to its queue, what is closed keeps their id, and nobody can
    downgrade the owner of the token in use.
    """
    agent = org.agent(request.path["agentId"])
    if agent["id"] == request.owner:
        raise Refusal(400, "The owner of the token cannot be downgraded")
    for conversation in list(org.conversations.values()):
        if part(conversation, "assignment").get("agentId") == agent["id"] and conversation.get("state") != "Closed":
            acts.unassign(org, conversation, request.owner)
            acts.enqueue(org, conversation, part(conversation, "queue").get("id") or org.default_queue())
    for members in org.team_members.values():
        members[:] = [member for member in members if member != agent["id"]]
    for queue in org.queue_members.values():
        queue[:] = [member for member in queue if member["agentId"] != agent["id"]]
    org.presence.pop(agent["id"], None)
    del org.agents[agent["id"]]
    plain = {key: value for key, value in agent.items() if key != "roles"}
    org.end_users[agent["id"]] = people.in_order(plain | {"customAttributes": []})
    return empty()


@handles("set_agent_working_channel")
def set_agent_working_channel(org: Organisation, request: Request) -> Answer:
    """Switch one group of channels. No 404 in the contract: a wrong id is a 400 (ours).

    Ours: who takes any channel is Working, who takes none is Away; nobody comes online by it.
    """
    agent = org.agent_id(request.path["agentId"])
    kept = org.presence.setdefault(agent, {"userId": agent, "connectionStatus": "Offline", "activeChannels": []})
    group = WORKING_CHANNELS[request.field("channel")]
    active = [channel for channel in kept["activeChannels"] if channel not in group]
    kept["activeChannels"] = [*active, *group] if request.field("working") else active
    kept["presenceStatus"] = "Working" if kept["activeChannels"] else "Away"
    return empty()


def _create(org: Organisation, body: Json, owner: str) -> Json:
    """Make an agent; ours: Dixa writes them an invitation, and an end user of that address is in the way."""
    fields = people.fields_of(body, without=("externalId",))
    if problems := people.problems_with(org, fields):
        raise Refusal(400, f"Creating Agent failed with [errors:{','.join(problems)}]")
    agent = people.in_order(people.made(org, fields) | {"roles": ["Agent"]})
    org.agents[agent["id"]] = agent
    text = f"{name_of(org.agents[owner])} invites you to {org.details['name']}."
    leave(org, "invitation", [agent["email"]], text, None, agent=agent["id"])
    return agent


def _change(org: Organisation, agent_id: str, body: Json, *, replace: bool) -> Json:
    """Change or replace an agent; the e-mail address stays whatever is sent (notes §15)."""
    agent = org.agent(agent_id)
    fields = people.fields_of(body, without=("email", "externalId"))
    problems = people.problems_with(org, fields, agent_id)
    if not fields and not replace:
        problems = [people.EMPTY]
    if problems:
        raise Refusal(400, f"Updating Agent [id:{agent_id}] failed with [errors:{','.join(problems)}]")
    if replace:
        org.agents[agent_id] = people.replaced(org, agent, fields | {"email": agent["email"]})
    else:
        org.agents[agent_id] = people.patched(org, agent, fields)
    return org.agents[agent_id]
