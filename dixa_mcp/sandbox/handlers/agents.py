"""Agents: who they are, their teams, whether they are there (notes §15). Writing is in `agent_writes.py`."""

from dixa_mcp.sandbox import people
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Refusal, Request, data, page

BOTH_FILTERS = "Invalid filters: Cannot provide both phone number and email address"


@handles("list_agents")
def list_agents(org: Organisation, request: Request) -> Answer:
    """Ours: a filter that matches nobody gives an empty list."""
    email, phone = request.parameter("email"), request.parameter("phone")
    if email is not None and phone is not None:
        raise Refusal(400, BOTH_FILTERS)
    found = list(org.agents.values())
    if email is not None:
        found = [agent for agent in found if people.same_email(agent, email)]
    if phone is not None:
        found = [agent for agent in found if people.same_phone(agent, phone)]
    return page(request, found)


@handles("get_agent")
def get_agent(org: Organisation, request: Request) -> Answer:
    return data(org.agent(request.path["agentId"]))


@handles("list_agent_teams")
def list_agent_teams(org: Organisation, request: Request) -> Answer:
    """Team ids only (notes §15)."""
    agent = org.agent(request.path["agentId"])["id"]
    return data([{"id": team} for team, members in org.team_members.items() if agent in members])


@handles("get_agent_presence")
def get_agent_presence(org: Organisation, request: Request) -> Answer:
    return data(presence_of(org, org.agent(request.path["agentId"])["id"]))


@handles("list_presence")
def list_presence(org: Organisation, request: Request) -> Answer:
    """A bare array, without the envelope (notes §5)."""
    return Answer(200, [presence_of(org, agent) for agent in org.agents])


def presence_of(org: Organisation, agent: str) -> Json:
    """Return an agent's presence now; its times have no zone (notes §7)."""
    kept = org.presence.get(agent, {"userId": agent, "connectionStatus": "Offline", "activeChannels": []})
    return {"userId": agent, "requestTime": org.now_ms().removesuffix("Z")} | kept
