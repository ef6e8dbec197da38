"""Teams (notes §17)."""

from dixa_mcp.sandbox.handlers.agents import presence_of
from dixa_mcp.sandbox.organisation import Organisation, name_of
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Request, data, empty, invalid, missing, page


def _team(org: Organisation, request: Request) -> Json:
    """Return the team of the path: 404 where the contract knows one, else 400 (ours)."""
    if request.path["teamId"] in org.teams:
        return org.teams[request.path["teamId"]]
    if request.operation.name in ("get_team", "list_team_presence"):
        raise missing()
    raise invalid("path parameter teamId")


@handles("list_teams")
def list_teams(org: Organisation, request: Request) -> Answer:
    return data(list(org.teams.values()))


@handles("get_team")
def get_team(org: Organisation, request: Request) -> Answer:
    return data(_team(org, request))


@handles("create_team")
def create_team(org: Organisation, request: Request) -> Answer:
    if not request.field("name", "").strip():
        raise invalid("body (name must not be empty)")
    team: Json = {"id": org.new_id(), "name": request.field("name")}
    org.teams[team["id"]] = team
    org.team_members[team["id"]] = []
    return data(team, 201)


@handles("delete_team")
def delete_team(org: Organisation, request: Request) -> Answer:
    """The agents stay."""
    team = _team(org, request)["id"]
    del org.teams[team]
    org.team_members.pop(team, None)
    return empty()


@handles("list_team_members")
def list_team_members(org: Organisation, request: Request) -> Answer:
    members = [org.agents[agent] for agent in org.team_members.get(_team(org, request)["id"], [])]
    return data([_member(agent) for agent in members])


def _member(agent: Json) -> Json:
    shown = {"id": agent["id"], "name": name_of(agent), "email": agent["email"]}
    return shown | ({"phoneNumber": agent["phoneNumber"]} if agent.get("phoneNumber") else {})


@handles("add_team_members")
def add_team_members(org: Organisation, request: Request) -> Answer:
    """All or none; 200 with an empty body (notes §5)."""
    members = org.team_members.setdefault(_team(org, request)["id"], [])
    asked = [org.agent_id(agent) for agent in request.field("agentIds", [])]
    members += [agent for agent in dict.fromkeys(asked) if agent not in members]
    return empty(200)


@handles("remove_team_members")
def remove_team_members(org: Organisation, request: Request) -> Answer:
    """Who isn't in is passed over (ours)."""
    team, leaving = _team(org, request)["id"], request.field("agentIds", [])
    org.team_members[team] = [agent for agent in org.team_members.get(team, []) if agent not in leaving]
    return empty()


@handles("list_team_presence")
def list_team_presence(org: Organisation, request: Request) -> Answer:
    team = _team(org, request)["id"]
    return page(request, [presence_of(org, agent) for agent in org.team_members.get(team, [])])
