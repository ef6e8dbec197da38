"""Analytics: the catalogue, figures and rows (notes §13)."""

from dixa_mcp.sandbox import measuring
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Request, data, invalid, page

MEANINGS = {
    "csid": "Number of the conversation",
    "current_channel": "Channel the conversation is on",
    "initial_channel": "Channel the conversation began on",
    "initial_direction": "Who began the conversation",
    "contact_point": "Own address or number",
    "queue": "Queue of the conversation",
    "agent_id": "Agent it counts for",
    "closed_at": "When it was closed",
}
NEVER_EMPTY = ("csid", "current_channel", "initial_channel", "initial_direction", "closed_at")


def _filters(spec: Json) -> list[Json]:
    return [{"filterAttribute": name, "description": f"Only of this {name}"} for name in spec["filters"]]


def _metric(name: str, spec: Json) -> Json:
    return {
        "id": name,
        "description": spec["description"],
        "filters": _filters(spec),
        "aggregations": [{"measure": measure, "description": measure} for measure in spec["measures"]],
        "relatedRecordIds": spec["records"],
    }


def _record(name: str, spec: Json) -> Json:
    return {
        "id": name,
        "description": spec["description"],
        "filters": _filters(spec),
        "relatedMetricIds": spec["metrics"],
        "fieldsMetadata": [
            {"field": field, "description": MEANINGS[field], "nullable": field not in NEVER_EMPTY}
            for field in spec["fields"]
        ],
    }


@handles("list_metrics")
def list_metrics(org: Organisation, request: Request) -> Answer:
    return page(request, [_metric(name, spec) for name, spec in org.metrics.items()])


@handles("get_metric")
def get_metric(org: Organisation, request: Request) -> Answer:
    """The contract knows no 404 here, so a miss is a 400 (ours)."""
    name = request.path["metricId"]
    if name not in org.metrics:
        raise invalid("path parameter metricId")
    return data(_metric(name, org.metrics[name]))


@handles("query_metric_data")
def query_metric_data(org: Organisation, request: Request) -> Answer:
    """Aggregations left out are all of the metric's (notes §13)."""
    name = request.field("id")
    if name not in org.metrics:
        raise invalid("body (unknown metric id)")
    offered: list[str] = org.metrics[name]["measures"]
    measures: list[str] = request.field("aggregations") or offered
    if not set(measures) <= set(offered):
        raise invalid(f"body (aggregations of {name} are {', '.join(offered)})")
    found = measuring.facts(org, name, request.body)
    return data({"id": name, "aggregates": measuring.aggregates(name, measures, found)})


@handles("list_metric_records")
def list_metric_records(org: Organisation, request: Request) -> Answer:
    return page(request, [_record(name, spec) for name, spec in org.records.items()])


@handles("get_metric_record")
def get_metric_record(org: Organisation, request: Request) -> Answer:
    """The contract knows no 404 here, so a miss is a 400 (ours)."""
    name = request.path["recordId"]
    if name not in org.records:
        raise invalid("path parameter recordId")
    return data(_record(name, org.records[name]))


@handles("query_metric_records")
def query_metric_records(org: Organisation, request: Request) -> Answer:
    name = request.field("id")
    if name not in org.records:
        raise invalid("body (unknown record id)")
    answer = page(request, measuring.facts(org, name, request.body))
    answer.body["data"] = [measuring.row(org, name, fact) for fact in answer.body["data"]]
    return answer


@handles("list_filter_values")
def list_filter_values(org: Organisation, request: Request) -> Answer:
    return page(request, measuring.filter_values(org, request.path["filterAttribute"]))
