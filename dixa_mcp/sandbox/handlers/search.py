"""Search for conversations (notes §12)."""

from dixa_mcp.sandbox import searching
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Request, invalid, page


@handles("search_conversations")
def search_conversations(org: Organisation, request: Request) -> Answer:
    """Ids and highlights only; text, filters or both, or neither."""
    query = request.field("query")
    found = searching.find(org, query, request.field("filters"))
    answer = page(request, found)
    answer.body["data"] = [searching.hit(org, item, query) for item in answer.body["data"]]
    return answer


@handles("search_conversations_by_text")
def search_conversations_by_text(org: Organisation, request: Request) -> Answer:
    """The deprecated search: adds the messages in which the words stand."""
    value = request.parameter("query") or ""
    if not value.strip():
        raise invalid("query parameter query")
    query = {"value": value, "exactMatch": request.flag("exactMatch")}
    answer = page(request, searching.find(org, query, None))
    for number, item in enumerate(answer.body["data"]):
        marks = searching.hit(org, item, query)
        marks["highlights"].pop("text", None)
        answer.body["data"][number] = marks | {"innerHits": searching.inner_hits(org, item, query)}
    return answer
