"""Business hours (notes §17)."""

from datetime import date

from dixa_mcp.sandbox import opening
from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Request, data, invalid, missing, stamp


def _schedule(org: Organisation, request: Request) -> Json:
    """Return the schedule of the path: 404 where the contract knows one, else 400 (ours)."""
    if request.path["scheduleId"] in org.schedules:
        return org.schedules[request.path["scheduleId"]]
    raise invalid("path parameter scheduleId") if request.operation.name == "get_business_hours_status" else missing()


def _today(org: Organisation, schedule: Json) -> date:
    return org.at().astimezone(opening.zone_of(schedule)).date()


def _head(schedule: Json) -> Json:
    return {key: schedule[key] for key in ("id", "name", "timezone")}


@handles("list_business_hours_schedules")
def list_business_hours_schedules(org: Organisation, request: Request) -> Answer:
    """All of them: there is no paging parameter (notes §6)."""
    return data({"schedules": [{"id": item["id"], "name": item["name"]} for item in org.schedules.values()]})


@handles("get_business_hours_definition")
def get_business_hours_definition(org: Organisation, request: Request) -> Answer:
    schedule = _schedule(org, request)
    today = _today(org, schedule)
    rules = {"businessHours": opening.regular(schedule, today), "exceptions": opening.exceptions(schedule, today)}
    return data({"schedule": _head(schedule) | rules})


@handles("get_upcoming_business_hours")
def get_upcoming_business_hours(org: Organisation, request: Request) -> Answer:
    schedule = _schedule(org, request)
    days = opening.upcoming(schedule, _today(org, schedule), int(request.parameter("days") or 7))
    return data({"schedule": _head(schedule) | {"businessHours": days}})


@handles("get_business_hours_status")
def get_business_hours_status(org: Organisation, request: Request) -> Answer:
    """Now, or at `timestamp`; with the next change, if there is one."""
    schedule = _schedule(org, request)
    try:
        moment = parse(request.parameter("timestamp") or org.now())
        is_open, change = opening.status(schedule, moment)
    except (ValueError, OverflowError) as error:  # no such day, or the ends of the calendar
        raise invalid("query parameter timestamp") from error
    answer: Json = {"isOpen": is_open, "timestamp": stamp(moment)}
    if change:
        answer["closesAt" if is_open else "opensAt"] = stamp(change)
    return data(answer)
