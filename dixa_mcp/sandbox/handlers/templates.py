"""Quick responses and auto-replies (notes §17)."""

from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Request, empty, missing, page


@handles("list_templates")
def list_templates(org: Organisation, request: Request) -> Answer:
    kind = request.parameter("type")
    return page(request, [template for template in org.templates.values() if kind in (None, template["_type"])])


@handles("delete_template")
def delete_template(org: Organisation, request: Request) -> Answer:
    """For good; the flows that use it stay, broken (nothing here runs them)."""
    if org.templates.pop(request.path["templateId"], None) is None:
        raise missing()
    return empty()
