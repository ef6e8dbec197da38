"""The sandbox takes what the document shows and refuses what departs from it, without changing anything.

The judge of a spoiled body is the document itself (`contract_oracle`), not our table of operations. What
nobody refuses: fields and query parameters that the document doesn't know (notes §26), and null for
something optional (ours).
"""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from contract_oracle import document, faults_of
from fernway_ids import GENERAL, NOBODY, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp import operations
from dixa_mcp.operations import Operation
from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.wire import Answer, Incoming

OPERATIONS = list(operations.operations().values())
TEXT_ATTRIBUTE, CUSTOMER_NUMBER = "4b2fe144-136d-456f-8516-c49e408c994c", "38645cf4-6f16-4169-8cb4-74b8d0a48a73"
CHLOE = "bbbd7936-7047-40a4-ac57-a3c4feff2889"  # both her conversations are closed
REFUND = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
OPS_HOOK = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"
WIDGET = "9f0f1559-2240-4f07-991e-d1e8457dde04"
CATEGORY = "9221b9d3-8b3c-448e-8dc4-8dff91702863"
ARTICLE = "351d1fdf-693f-48ac-a893-f30a545fcbbc"
SCHEDULE = "1496718a-7b67-4fc9-96ca-3f431cd17c78"

#: Ids of the seed for the path.
PLACES = {
    "agentId": TOM,
    "userId": OLIVIA,
    "teamId": "6bef1303-9224-4c2b-90e1-a9092e795aad",
    "conversationId": "10401",
    "messageId": "b4fffe9d-da46-49d0-8815-1d535899b2ea",
    "ratingId": "b87da6a0-c730-49c3-93e3-9d8ff611d4d1",
    "tagId": REFUND,
    "queueId": RETURNS,
    "csid": "10402",
    "requestId": "c4f30956-c7e3-4baa-8a40-6fe3cb86890d",
    "contactEndpointId": "+12025550175",
    "customAttributeId": TEXT_ATTRIBUTE,
    "webhookSubscriptionId": OPS_HOOK,
    "event": "ConversationCreated",
    "templateId": "0678845c-9b9a-4a29-87a5-163d8e8fd901",
    "scheduleId": SCHEDULE,
    "collectionId": "fd9712e1-cfd5-4ab0-8dbc-71827dbc349c",
    "categoryId": CATEGORY,
    "articleId": ARTICLE,
    "languageId": "en",
    "parentId": "5e3075f2-7754-4500-864a-a5fc0594b959",
    "metricId": "csat",
    "recordId": "ratings",
    "filterAttribute": "channel",
}
#: Ids of the seed for the body, by field.
KNOWN: dict[str, Any] = {
    "agentId": TOM,
    "agentIds": [TOM, SARA],
    "requesterId": OLIVIA,
    "userId": SARA,
    "queueId": GENERAL,
    "closedBy": SARA,
    "ownedBy": SARA,
    "parentId": 10402,
    "entityId": CHLOE,
    "emailIntegrationId": "fernway-support@email.dixa.io",
    "tags": [REFUND],
    "add": [REFUND],
    "timestamp": "2026-03-01T08:00:00Z",
}
#: What an operation needs besides.
ALSO: dict[str, dict[str, Any]] = {
    "create_article": {"parentId": CATEGORY},
    "offer_rating": {"userId": OLIVIA},
    "submit_rating": {"userId": OLIVIA},
}
#: Refusals of a body that fits the document but names what isn't there: a wrong id in a body (notes §4).
UNKNOWN = {
    "Agent was not found",
    "Invalid input for patching",
    "Parent conversation does not exist",
    "Rating offer does not exist",
    "Requester does not exist",
    "Tag does not exist",
    "The requested resource could not be found",
    "User not found",
}
#: What isn't a value of its kind: another kind of JSON for each.
OTHER_KINDS: dict[type, list[Any]] = {
    str: [17, True, [], {}],
    bool: ["true", 1, {}],
    int: ["17", 1.5, True, []],
    float: ["1.5", True, []],
    list: ["text", {}, 17],
    dict: ["text", [], 17],
}


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def ask(sandbox: Sandbox, operation: Operation, body: Any = None, **path: str) -> Answer:
    """Ask with ids of the seed in the path; bytes are sent as they are."""
    target = operation.path
    for name, value in (PLACES | path).items():
        target = target.replace("{" + name + "}", quote(value, safe=""))
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    headers = {"Authorization": "sandbox-admin-token", "Content-Type": "application/json"}
    return sandbox.answer(Incoming(operation.method, f"/v1{target}{path.get('query', '')}", headers, content))


def snapshot(sandbox: Sandbox) -> str:
    return json.dumps([[org.state() for org in sandbox.organisations.values()], sandbox.outbox])


@pytest.fixture(scope="module")
def before() -> str:
    """The state of every new sandbox."""
    return snapshot(Sandbox())


def examples() -> list[tuple[Operation, Any, Any]]:
    """Return (operation, schema, body) for each documented JSON request body."""
    if document() is None:
        return []
    found: list[tuple[Operation, Any, Any]] = []
    for operation in OPERATIONS:
        stated = document()["paths"][f"/v1{operation.path}"][operation.method.lower()]
        content = stated.get("requestBody", {}).get("content", {}).get("application/json", {})
        bodies = [content["example"]] if "example" in content else []
        bodies += [example["value"] for example in content.get("examples", {}).values()]
        found += [(operation, content["schema"], body) for body in bodies]
    return found


EXAMPLES = examples()
NEEDS_DOCUMENT = pytest.mark.skipif(not EXAMPLES, reason="needs Dixa's own document beside the repository")
NAMED = [pytest.param(*example, id=f"{example[0].name}-{number}") for number, example in enumerate(EXAMPLES)]


def filled(operation: Operation, body: Any) -> Any:
    """Return a body with the document's made-up ids replaced by the seed's."""
    if operation.name in ("update_conversation_attributes", "update_end_user_attributes"):
        return {TEXT_ATTRIBUTE if "conversation" in operation.name else CUSTOMER_NUMBER: "F-20417"}
    known = KNOWN | ALSO.get(operation.name, {})

    def fill(value: Any, name: str = "") -> Any:
        if name in known and isinstance(value, type(known[name])):
            return known[name]
        if isinstance(value, dict):
            return {key: fill(item, key) for key, item in value.items()}
        return [fill(item) for item in value] if isinstance(value, list) else value

    return fill(body)


def place_for(sandbox: Sandbox, operation: Operation, body: Any) -> dict[str, str]:
    """Return where an example can work, and bring about what it needs: submitting needs an offer."""
    match operation.name:
        case "add_message" if body["content"]["_type"] == "Markdown":
            return {"conversationId": "10407"}  # Markdown is for WhatsApp
        case "claim_conversation":
            return {"conversationId": "10402"}  # nobody has it
        case "link_conversation":
            return {"conversationId": "10403"}
        case "submit_rating":
            offer = {"userId": OLIVIA, "agentId": TOM, "ratingType": body["ratingResult"]["_type"]}
            offer["offeredAt"] = "2026-02-13T11:00:00Z"
            return {"ratingId": ask(sandbox, operations.operations()["offer_rating"], offer).body["data"]["id"]}
        case _:
            return {}


@NEEDS_DOCUMENT
@pytest.mark.parametrize(("operation", "schema", "body"), NAMED)
def test_a_documented_body_is_at_most_refused_for_its_made_up_ids(
    sandbox: Sandbox, operation: Operation, schema: Any, body: Any
) -> None:
    """As it stands in the document, with an id of the seed in the path."""
    sandbox.reset()
    answer = ask(sandbox, operation, body, **place_for(sandbox, operation, body))
    assert answer.status == operation.success or (answer.status in (400, 404) and answer.body["message"] in UNKNOWN), (
        answer.body
    )


@NEEDS_DOCUMENT
@pytest.mark.parametrize(("operation", "schema", "body"), NAMED)
def test_a_documented_body_with_known_ids_is_taken(
    sandbox: Sandbox, operation: Operation, schema: Any, body: Any
) -> None:
    """With ids of the seed each of them succeeds, in the documented status."""
    sandbox.reset()
    answer = ask(sandbox, operation, filled(operation, body), **place_for(sandbox, operation, body))
    assert answer.status == operation.success, answer.body


# --- spoiled bodies


def spoiled(body: Any) -> Iterator[tuple[str, Any]]:
    """Yield (where, body) with one value of another kind, one field missing, or one `_type` that isn't one."""
    for steps in _places(body):
        held = body
        for step in steps:
            held = held[step]
        wrong = OTHER_KINDS.get(type(held), [])
        for value in [*wrong, "Nonsense"] if steps[-1:] == ("_type",) else wrong:
            yield f"{steps} = {value!r}", _changed(body, steps, value)
        if steps and isinstance(steps[-1], str):
            yield f"{steps} missing", _changed(body, steps, None, drop=True)


def _places(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield steps
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inside:
        yield from _places(item, (*steps, step))


def _changed(body: Any, steps: tuple[Any, ...], value: Any, *, drop: bool = False) -> Any:
    if not steps:
        return value
    made = copy.deepcopy(body)
    inside = made
    for step in steps[:-1]:
        inside = inside[step]
    if drop:
        del inside[steps[-1]]
    else:
        inside[steps[-1]] = value
    return made


@NEEDS_DOCUMENT
def test_whatever_departs_from_the_document_is_refused_and_changes_nothing(sandbox: Sandbox) -> None:
    """Thousands of bodies, each wrong in one place by the document's own schema: 400, and the same state after."""
    tried: Counter[str] = Counter()
    for operation, schema, example in EXAMPLES:
        sandbox.reset()
        body, place = filled(operation, example), place_for(sandbox, operation, example)
        before = snapshot(sandbox)
        known = set(faults_of(schema, body))  # a preset period departs from its schema in every example (notes §8)
        for where, wrong in spoiled(body):
            if not set(faults_of(schema, wrong)) - known:
                continue
            answer = ask(sandbox, operation, wrong, **place)
            assert answer.status == 400, (operation.name, where, answer.status, answer.body)
            tried[operation.name] += 1
        assert snapshot(sandbox) == before, operation.name
    assert tried.total() > 2000
    assert set(tried) == {operation.name for operation, _, _ in EXAMPLES}


WITH_BODY = [operation for operation in OPERATIONS if operation.body]


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
def test_what_is_no_body_is_refused_and_changes_nothing(sandbox: Sandbox, before: str, operation: Operation) -> None:
    """Not JSON, not the outer kind, cut off, or nothing where something is required."""
    sandbox.reset()
    wrong = [b"{", b"\xff\xfe", b"nonsense", b"17", b'"text"', b"true", b'{"a":', b"{'a': 1}", b"[17]"]
    for body in [*wrong, b""] if operation.body_required else wrong:
        answer = ask(sandbox, operation, body)
        assert answer.status == 400, (body, answer.status)
    assert snapshot(sandbox) == before


def test_null_counts_as_left_out_however_deep(sandbox: Sandbox) -> None:
    """Nothing null is stored: answers leave out what is absent (notes §5)."""
    sandbox.reset()
    browser = {"name": "Firefox", "version": None, "ipAddress": "192.0.2.1", "originatingUrl": None}
    body = {"_type": "Chat", "requesterId": OLIVIA, "widgetId": None, "browserInfo": browser, "language": None}
    body |= {"message": {"_type": "Inbound", "content": {"_type": "Text", "value": "Hi"}, "attachments": None}}
    created = ask(sandbox, operations.operations()["create_conversation"], body)
    assert created.status == 400, "the widget is needed"
    created = ask(sandbox, operations.operations()["create_conversation"], body | {"widgetId": WIDGET})
    assert created.status == 201
    assert "null" not in json.dumps(sandbox.organisation.conversations[created.body["data"]["id"]])


# --- paths and queries


MALFORMED = {"uuid": ["not-a-uuid", "17", f"{TOM}0", "%"], "csid": ["abc", "0", "-1", "1.5", str(2**63), "%20"]}
MISSING = {"uuid": NOBODY, "csid": "99999999", "string": "nobody@example.com"}
#: Reads that answer for an unknown conversation as well (ours).
ALWAYS = ("list_conversation_activity",)


def taking(where: str) -> list[Operation]:
    """The operations with a parameter in the path or in the query."""
    return [each for each in OPERATIONS if any(parameter.where == where for parameter in each.parameters)]


@pytest.mark.parametrize("operation", taking("path"), ids=lambda operation: operation.name)
def test_a_wrong_id_in_the_path_is_refused_and_changes_nothing(
    sandbox: Sandbox, before: str, operation: Operation
) -> None:
    """Malformed is 400; unknown is 404, or 400 where the document knows no 404 (notes §4)."""
    sandbox.reset()
    body = next((filled(operation, body) for known, _, body in EXAMPLES if known is operation), None)
    for parameter in operation.parameters:
        if parameter.where != "path":
            continue
        for value in MALFORMED.get(parameter.type, []):
            assert ask(sandbox, operation, body, **{parameter.name: value}).status == 400, (parameter.name, value)
        unknown = ask(sandbox, operation, body, **{parameter.name: MISSING[parameter.type]}).status
        assert unknown in ((200,) if operation.name in ALWAYS else (400, 404)), parameter.name
    assert snapshot(sandbox) == before


WRONG = {
    "int": ["x", "1.5", "0", "-3", str(2**31), "", "1e2"],
    "bool": ["maybe", "2", ""],
    "datetime": ["soon", "2026-02-30T00:00:00Z", "17", ""],
}


@pytest.mark.parametrize("operation", taking("query"), ids=lambda operation: operation.name)
def test_a_wrong_parameter_is_refused_and_changes_nothing(sandbox: Sandbox, before: str, operation: Operation) -> None:
    """The text names it (notes §4); unknown parameters are ignored (notes §26)."""
    sandbox.reset()
    for parameter in (parameter for parameter in operation.parameters if parameter.where == "query"):
        values = ["not a page key"] if parameter.name == "pageKey" else WRONG.get(parameter.type, [])
        for value in [*values, "Nonsense"] if parameter.values else values:
            query = f"?{parameter.name}={quote(value)}&query=word&unknown=1"
            answer = ask(sandbox, operation, _any_body(operation), query=query)
            assert answer.status == 400, (parameter.name, value, answer.status)
            named = f"Invalid value for: query parameter {parameter.name}"
            assert answer.body["message"] in (named, "Invalid date format")
    assert snapshot(sandbox) == before


def _any_body(operation: Operation) -> Any:
    return next((filled(operation, body) for known, _, body in EXAMPLES if known is operation), None)
