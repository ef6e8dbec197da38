"""End users: the customers (notes §15)."""

from dixa_mcp.sandbox import people
from dixa_mcp.sandbox.organisation import Organisation, without_attributes
from dixa_mcp.sandbox.registry import handles
from dixa_mcp.sandbox.wire import Answer, Json, Refusal, Request, data, done, failed, page

BOTH_FILTERS = "Invalid filters: Cannot provide both phone number and email address"


@handles("list_end_users")
def list_end_users(org: Organisation, request: Request) -> Answer:
    """At most one filter; ours: one that matches nobody gives an empty list."""
    filters = {name: request.parameter(name) for name in ("email", "phone", "externalId")}
    given = {name: value for name, value in filters.items() if value is not None}
    if len(given) > 1:
        both = {"email", "phone"} <= given.keys()
        raise Refusal(400, BOTH_FILTERS if both else "Invalid filters: Cannot provide more than one filter")
    found = list(org.end_users.values())
    for name, value in given.items():
        if name == "email":
            found = [user for user in found if people.same_email(user, value)]
        elif name == "phone":
            found = [user for user in found if people.same_phone(user, value)]
        else:
            found = [user for user in found if user.get("externalId") == value]
    return page(request, [without_attributes(user) for user in found])


@handles("get_end_user")
def get_end_user(org: Organisation, request: Request) -> Answer:
    return data(org.end_user(request.path["userId"]))


@handles("create_end_user")
def create_end_user(org: Organisation, request: Request) -> Answer:
    return data(_create(org, request.body or {}), 201)


@handles("create_end_users")
def create_end_users(org: Organisation, request: Request) -> Answer:
    outcomes: list[Json] = []
    for item in request.field("data", []):
        try:
            outcomes.append(done(without_attributes(_create(org, item))))
        except Refusal as refusal:
            outcomes.append(failed("Validation", refusal.message))
    return data(outcomes, 201)


@handles("update_end_user", "replace_end_user")
def change_end_user(org: Organisation, request: Request) -> Answer:
    replace = request.operation.name == "replace_end_user"
    return data(without_attributes(_change(org, request.path["userId"], request.body or {}, replace=replace)))


@handles("update_end_users", "replace_end_users")
def change_end_users(org: Organisation, request: Request) -> Answer:
    """Each item succeeds or fails alone (notes §4)."""
    replace = request.operation.name == "replace_end_users"
    outcomes: list[Json] = []
    for item in request.field("data", []):
        user = item["id"]
        try:
            outcomes.append(done(without_attributes(_change(org, user, item, replace=replace))))
        except Refusal as refusal:
            outcomes.append(people.failure(refusal, user))
    return data(outcomes)


def _create(org: Organisation, body: Json) -> Json:
    fields = people.fields_of(body)
    if problems := people.problems_with(org, fields):
        raise Refusal(400, f"Creating EndUser failed with [errors:{','.join(problems)}]")
    user = people.made(org, fields)
    user["customAttributes"] = []
    org.end_users[user["id"]] = user
    return user


def _change(org: Organisation, user: str, body: Json, *, replace: bool) -> Json:
    person = org.remembered(user)
    fields = people.fields_of(body)
    problems = people.problems_with(org, fields, user)
    if not fields and not replace:
        problems = [people.EMPTY]
    if problems:
        raise Refusal(400, f"Updating EndUser [id:{user}] failed with [errors:{','.join(problems)}]")
    change = people.replaced if replace else people.patched
    org.end_users[user] = change(org, person, fields)
    return org.end_users[user]
