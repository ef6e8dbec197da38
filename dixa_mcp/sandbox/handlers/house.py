"""The organisation itself and its contact endpoints."""

from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Request, data, missing


@handles("get_organization")
def get_organization(org: Organisation, request: Request) -> Answer:
    return data(org.details)


@handles("list_contact_endpoints")
def list_contact_endpoints(org: Organisation, request: Request) -> Answer:
    kind = request.parameter("_type")
    return data([endpoint for endpoint in org.endpoints.values() if kind in (None, endpoint["_type"])])


@handles("get_contact_endpoint")
def get_contact_endpoint(org: Organisation, request: Request) -> Answer:
    if request.path["contactEndpointId"] not in org.endpoints:
        raise missing()
    return data(org.endpoints[request.path["contactEndpointId"]])
