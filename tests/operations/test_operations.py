"""Our table of operations against Dixa's own document, and what it promises by itself."""

import json
import re
from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest
from contract_document import Contract, our_form, sorted_fields
from wrong import spoiled, where, with_wrong

from dixa_mcp.operations import Operation, effects_of, match, operations, problems, shape_of
from dixa_mcp.operations.data import language

EFFECTS = ("read", "internal", "customer", "egress", "irreversible")
VERBS = {
    "activate", "add", "anonymize", "claim", "close", "create", "deactivate", "delete", "follow", "get", "import",
    "link", "list", "move", "offer", "publish", "query", "remove", "reopen", "replace", "search", "set", "submit",
    "tag", "transfer", "unpublish", "untag", "update", "upload",
}  # fmt: skip
ALL = list(operations().values())
BY_CALL = {(operation.method, operation.path): operation for operation in ALL}


def refused(operation: Operation, body: Any) -> list[str]:
    """The places in the body that `problems` objects to."""
    path = {parameter.name: "1" for parameter in operation.parameters if parameter.where == "path"}
    found = problems(operation, path, {}, body)
    return [problem.where for problem in found if problem.where.startswith("body")]


def test_the_table_has_exactly_the_operations_of_the_contract(contract: Contract) -> None:
    """Design §1: the whole contract is there, 123 method and path pairs (notes §1)."""
    documented = [(method, path) for method, path, _ in contract.operations()]
    assert list(BY_CALL) == documented
    assert len(ALL) == len(documented) == 123


def test_each_operation_has_the_facts_of_the_contract(contract: Contract) -> None:
    """Section, success, answer, paging, body, media and deprecation are facts of the document (notes §5, §6)."""
    for method, path, documented in contract.operations():
        operation = BY_CALL[method, path]
        (status,) = [int(status) for status in documented["responses"] if status.startswith("2")]
        content = documented["responses"][str(status)].get("content", {})
        schema = next(iter(content.values()))["schema"] if content else {}
        answer = "array" if schema.get("type") == "array" else "data" if content else "empty"
        wanted = documented.get("requestBody", {})
        media = "multipart" if "multipart/form-data" in wanted.get("content", {}) else "json"
        ours = (
            operation.tag, operation.success, operation.answer, operation.deprecated,
            bool(operation.body), operation.body_required, operation.media,
        )  # fmt: skip
        assert ours == (
            documented["tags"][0], status, answer, documented.get("deprecated", False),
            bool(wanted), wanted.get("required", False), media,
        ), operation.name  # fmt: skip


def test_an_answer_called_data_has_the_envelope(contract: Contract) -> None:
    """Notes §5: a success is `{"data": …}` unless the table says otherwise."""
    for method, path, documented in contract.operations():
        operation = BY_CALL[method, path]
        if operation.answer == "data":
            (content,) = documented["responses"][str(operation.success)]["content"].values()
            assert "data" in contract.schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"]


def test_each_parameter_is_the_contracts(contract: Contract) -> None:
    """Name, place, type, need, default, values and limits; prose counts. Page sizes: notes §6."""
    for method, path, documented in contract.operations():
        wanted = contract.parameters(documented)
        for parameter in wanted:
            if parameter["name"] == "pageLimit":
                # [MP, CLI] name the upper limits; a page of less than one row makes no sense anywhere.
                most = {("POST", "/analytics/records"): 300} | dict.fromkeys(
                    [("GET", "/search/conversations"), ("POST", "/search/conversations")], 50
                )
                parameter |= {"minimum": 1, "maximum": most.get((method, path))}
        ours = [asdict(parameter) for parameter in BY_CALL[method, path].parameters]
        for parameter in ours:
            parameter["values"] = tuple(sorted(parameter["values"]))
        by_name = sorted(wanted, key=lambda each: (each["where"], each["name"]))
        assert sorted(ours, key=lambda each: (each["where"], each["name"])) == by_name, (method, path)


def test_the_paged_operations_are_those_of_the_notes(judged: dict[tuple[str, str], dict[str, str]]) -> None:
    """Notes §6: thirteen operations page, everything else returns the full list."""
    paged = {call for call, operation in BY_CALL.items() if operation.paged}
    assert paged == {call for call, row in judged.items() if row["paginated"] == "yes"}
    assert len(paged) == 13


def test_each_body_has_the_form_of_the_contract(contract: Contract) -> None:
    """Fields, needs, value lists and union tags, as the document has them and the notes amend them."""
    for method, path, documented in contract.operations():
        operation = BY_CALL[method, path]
        if operation.body:
            ours = our_form(language().shape(operation.body))
            wanted = contract.form(contract.body(documented))
            assert sorted_fields(ours) == sorted_fields(wanted), operation.name


def test_the_defaults_named_in_bodies_are_those_of_the_documents_prose(contract: Contract) -> None:
    """Only two defaults of fields are written down (notes §12; the webhook's `enabled`)."""
    named = {
        name: re.findall(r"(\w+)\?: \w+ = (\w+)", shape_of(operation))
        for name, operation in operations().items()
        if " = " in operation.body
    }
    assert named == {"search_conversations": [("exactMatch", "false")], "create_webhook": [("enabled", "true")]}
    enabled = contract.schemas["CreateWebhookSubscriptionInput"]["properties"]["enabled"]
    assert "Default is `true`" in enabled["description"]


def bodies(contract: Contract, noted: list[tuple[str, str, Any]]) -> list[tuple[Operation, dict[str, Any], Any]]:
    """Every right body we know: operation, contract form, body."""
    found: list[tuple[Operation, dict[str, Any], Any]] = []
    users: dict[str, list[tuple[Operation, dict[str, Any]]]] = {}
    for method, path, documented in contract.operations():
        schema = contract.body(documented)
        if not schema:
            continue
        operation, form = BY_CALL[method, path], contract.form(schema)
        found += [(operation, form, body) for body in contract.examples(documented)]
        reference = schema.get("$ref") or schema["items"]["$ref"] + "[]"
        users.setdefault(reference.rpartition("/")[2], []).append((operation, form))
    for schema, _, text in noted:
        body = json.loads(text)
        found += [(operation, form, body) for operation, form in users.get(schema, ())]
        if schema == "Condition":
            search = {"filters": {"strategy": "All", "conditions": [body]}}
            found += [(operation, form, search) for operation, form in users["SearchParametersInput"]]
    return found


def test_every_right_body_is_accepted(contract: Contract, noted: list[tuple[str, str, Any]]) -> None:
    """The request examples of the document and the bodies of the notes, none of which is broken (notes §20)."""
    right = bodies(contract, noted)
    assert len(right) > 150
    for operation, _, body in right:
        assert refused(operation, body) == [], (operation.name, body)
    covered = {operation.name for operation, _, _ in right}
    assert {each.name for each in ALL if each.body} - covered == {"upload_article_attachments"}


def test_every_wrong_body_is_refused_at_the_place_that_is_wrong(
    contract: Contract, noted: list[tuple[str, str, Any]]
) -> None:
    """Dropped needs, wrong `_type`, wrong types, unknown words and broken limits, each alone, in each body."""
    tried: Counter[str] = Counter()
    for operation, form, body in bodies(contract, noted):
        for path, wrong in spoiled(form, body):
            places = refused(operation, with_wrong(body, path, wrong))
            place = where(path)
            near = [each for each in places if place.startswith(each) or each.startswith(place)]
            assert near, (operation.name, place, wrong)
            tried[operation.name] += 1
    assert tried.total() > 5000
    assert len(tried) == 45


def test_unknown_fields_and_parameters_are_no_problem() -> None:
    """Notes §26: Dixa forbids neither."""
    operation = operations()["add_note"]
    found = problems(operation, {"conversationId": "10401"}, {"trace": ["1"]}, {"message": "Hi", "colour": "red"})
    assert found == []


@pytest.mark.parametrize(
    ("name", "path", "query", "expected"),
    [
        ("get_conversation", {}, {}, ["path conversationId is required"]),
        ("get_conversation", {"conversationId": "0"}, {}, ["path conversationId must be a conversation number"]),
        ("get_conversation", {"conversationId": "1/../2"}, {}, ["path conversationId must be a conversation"]),
        ("get_conversation", {"conversationId": "٢"}, {}, ["path conversationId must be a conversation number"]),
        ("get_conversation", {"conversationId": "010401"}, {}, ["path conversationId must be a conversation"]),
        ("get_conversation", {"conversationId": str(2**63)}, {}, ["path conversationId must be a conversation"]),
        ("get_agent", {"agentId": "presence"}, {}, ["path agentId must be a uuid"]),
        ("list_tags", {}, {"includeDeactivated": ["yes"]}, ["query includeDeactivated must be true or false"]),
        ("list_tags", {}, {"includeDeactivated": ["true"]}, []),
        ("list_agents", {}, {"pageLimit": ["ten"]}, ["query pageLimit must be an integer of at least 1"]),
        ("list_agents", {}, {"pageLimit": ["0"]}, ["query pageLimit must be an integer of at least 1"]),
        ("list_agents", {}, {"email": ["a@example.com", "b@example.com"]}, ["query email must be given once"]),
        ("search_conversations", {}, {"pageLimit": ["51"]}, ["query pageLimit must be an integer from 1 to 50"]),
        ("search_conversations_by_text", {}, {}, ["query query is required"]),
        ("search_conversations_by_text", {}, {"query": [""]}, ["query query must not be empty"]),
        ("list_flows", {}, {"channel": ["Twitter"]}, ["query channel must be one of WhatsApp, Voicemail,"]),
        ("list_activity", {}, {"fromDatetime": ["2026-02-13T12:00:00"]}, ["query fromDatetime must be an ISO"]),
        ("list_activity", {}, {"fromDatetime": ["2026-02-13T12:00:00.000Z[GMT]"]}, []),
        ("add_note", {"conversationId": "1"}, {}, ["body is required"]),
        ("close_conversation", {"conversationId": "1"}, {}, []),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_do(
    name: str, path: dict[str, str], query: dict[str, list[str]], expected: list[str]
) -> None:
    """Notes §4: Dixa answers 400 to a malformed id or parameter; we say it in words that help."""
    found = problems(operations()[name], path, query, None)
    assert len(found) == len(expected)
    for problem, start in zip(found, expected, strict=True):
        assert f"{problem.where} {problem.what}".startswith(start)


def test_a_request_is_matched_with_its_operation_and_its_values() -> None:
    """Each of the 123 is found again, and values arrive percent-decoded."""
    for operation in ALL:
        filled = re.sub(r"\{(\w+)\}", r"%2B\1%40x", operation.path)
        values = {
            parameter.name: f"+{parameter.name}@x" for parameter in operation.parameters if parameter.where == "path"
        }
        assert match(operation.method.lower(), filled) == (operation, values)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("GET /agents/presence", "list_presence"),
        ("GET /agents/1", "get_agent"),
        ("DELETE /agents/presence", "delete_agent"),
        ("GET /conversations/flows", "list_flows"),
        ("GET /search/conversations/", "search_conversations_by_text"),
        ("POST /conversations/1/notes/bulk", "add_notes"),
        ("GET /queues/conversation-position/1", "get_queue_position"),
        ("GET /queues/1/members", "list_queue_members"),
    ],
)
def test_fixed_words_of_a_path_win_over_variables(call: str, name: str) -> None:
    """`/agents/presence` isn't the agent called presence; a slash at the end is Dixa's own (notes §6)."""
    found = match(*call.split())
    assert found is not None
    assert found[0].name == name


@pytest.mark.parametrize(
    "call",
    ["GET /", "GET /nowhere", "PATCH /teams", "GET /agents//teams", "GET /v1/agents", "GET /conversations/1/../2"],
)
def test_a_path_outside_the_contract_matches_nothing(call: str) -> None:
    """Notes §3: using undocumented endpoints may cost the token."""
    assert match(*call.split()) is None


def test_names_are_unique_guessable_and_short() -> None:
    """One name each, verb first; `operations` is keyed by it."""
    assert [name for name, operation in operations().items() if name != operation.name] == []
    assert len({operation.name for operation in ALL}) == len(set(ALL)) == 123
    for operation in ALL:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation.name), operation.name
        assert len(operation.name) <= 34, operation.name
        assert operation.name.split("_")[0] in VERBS, operation.name


def test_summaries_are_short_sentences() -> None:
    """At most 90 characters, one sentence each, no two alike."""
    for operation in ALL:
        assert 10 < len(operation.summary) <= 90, operation.name
        assert operation.summary[0].isupper(), operation.name
        assert operation.summary.endswith("."), operation.name
    assert len({operation.summary for operation in ALL}) == len(ALL)


def test_no_sentence_of_the_vendor_is_used(contract: Contract) -> None:
    """Design §2: facts ship, Dixa's sentences don't."""
    theirs = {
        str(documented.get(key, "")).strip(". ").casefold()
        for _, _, documented in contract.operations()
        for key in ("summary", "description")
    }
    ours = {operation.summary.strip(". ").casefold() for operation in ALL}
    # Two plain words, "verb noun", can't be said otherwise.
    assert {said for said in ours & theirs if len(said.split()) > 3} == set()


def test_effects_follow_the_judgement_of_the_notes(judged: dict[tuple[str, str], dict[str, str]]) -> None:
    """Columns kind and reaches_customer; where they leave room, design §3 decides."""
    for call, row in judged.items():
        operation = BY_CALL[call]
        reaches, effect = row["reaches_customer"], operation.effect
        assert effect in EFFECTS
        assert (row["kind"] == "read") == (effect == "read"), operation.name
        if row["kind"] == "irreversible":
            assert effect == "irreversible", operation.name
        if reaches.startswith("yes"):
            assert effect in ("customer", "irreversible"), operation.name
        if "leave" in reaches or "public URL" in reaches:
            assert effect == "egress", operation.name


def test_the_dangerous_operations_are_exactly_these() -> None:
    """Design §3, word by word."""
    by_effect = {effect: {each.name for each in ALL if each.effect == effect} for effect in EFFECTS}
    assert by_effect["egress"] == {"create_webhook", "update_webhook", "upload_article_attachments"}
    assert by_effect["irreversible"] == {
        "anonymize_conversation", "anonymize_end_user", "anonymize_entity", "anonymize_message", "delete_agent",
        "delete_article", "delete_article_translation", "delete_tag", "delete_team", "delete_template",
        "delete_webhook",
    }  # fmt: skip
    assert by_effect["customer"] == {
        "add_message", "close_conversation", "create_agent", "create_agents", "create_conversation",
        "import_conversation", "move_article", "offer_rating", "publish_article", "publish_article_translation",
        "remove_article_parent", "replace_end_user", "replace_end_users", "submit_rating", "unpublish_article",
        "unpublish_article_translation",
    }  # fmt: skip
    reads = by_effect["read"]
    assert all(BY_CALL[call].name in reads for call in BY_CALL if call[0] == "GET")
    posts = {name for name in reads if operations()[name].method != "GET"}
    assert posts == {"query_metric_data", "query_metric_records", "search_conversations"}


def test_every_field_that_raises_an_effect_exists_in_the_body() -> None:
    """A misspelt field would never raise anything."""
    for operation in ALL:
        for field, effect in operation.raised.items():
            assert EFFECTS.index(effect) > EFFECTS.index(operation.effect) or operation.effect == "egress"
            forms = [our_form(language().shape(operation.body))]
            for step in field.split("."):
                forms = [arm for form in forms for arm in objects(form) if step in arm["object"]]
                assert forms, (operation.name, field)
                forms = [arm["object"][step]["form"] for arm in forms]


def objects(form: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects a value of this form may be, lists entered."""
    if "either" in form:
        return [found for arm in form["either"] for found in objects(arm)]
    return objects(form["list"]) if "list" in form else [form] if "object" in form else []


@pytest.mark.parametrize(
    ("name", "body", "effects"),
    [
        ("add_message", {"_type": "Outbound", "cc": [], "bcc": None, "attachments": []}, {"customer"}),
        ("add_message", {"_type": "Outbound", "bcc": ["x"]}, {"customer", "egress"}),
        ("create_conversation", {"message": {"attachments": [{"url": "x"}]}}, {"customer", "egress"}),
        ("import_conversation", {"messages": [{}, {"attachments": [{}]}]}, {"customer", "egress"}),
        ("update_end_user", {"displayName": "Olivia"}, {"internal"}),
        ("update_end_user", {"email": None}, {"internal", "customer"}),
        ("update_end_user", {"additionalEmails": []}, {"internal", "customer"}),
        ("update_end_users", {"data": [{"id": "x"}, {"phoneNumber": "+1"}]}, {"internal", "customer"}),
        ("update_agents", [{"id": "x", "avatarUrl": "https://x"}], {"internal", "egress"}),
        ("close_conversation", None, {"customer"}),
    ],
)
def test_a_body_raises_the_effect_of_its_call(name: str, body: Any, effects: set[str]) -> None:
    """Design §3: arguments may raise an effect; an empty list of copies lets nothing leave."""
    assert effects_of(operations()[name], body) == effects


def test_undo_names_an_operation_that_isnt_itself_a_read() -> None:
    """A note about undoing needs an undo; an inverse changes something."""
    for operation in ALL:
        if operation.undo:
            assert operations()[operation.undo].effect != "read", operation.name
        else:
            assert not operation.undo_note, operation.name
        if operation.effect in ("read", "irreversible"):
            assert not operation.undo, operation.name


def test_undo_follows_the_judgement_of_the_notes(judged: dict[tuple[str, str], dict[str, str]]) -> None:
    """Column undo: none, the same call, or another method on the same path or its neighbour."""
    for call, row in judged.items():
        operation, said = BY_CALL[call], row["undo"]
        undo = operations().get(operation.undo)
        if not said or said.startswith("none"):
            assert undo is None, operation.name
            continue
        assert undo is not None, operation.name
        if said.startswith("same call"):
            assert undo is operation
        elif found := re.match(r"(PUT|PATCH|DELETE) same path", said):
            assert (undo.method, undo.path) == (found[1], operation.path)
        elif found := re.match(r"(PUT|PATCH|POST) \.\.\.(/\S+)", said):
            assert undo.method == found[1]
            assert undo.path.endswith(found[2])
        elif said == "DELETE":
            assert (undo.method, undo.path.rpartition("/")[0]) == ("DELETE", operation.path)


def test_the_shape_shown_to_a_model_defines_every_name_it_uses() -> None:
    """A model that sees `Message` must see what a Message is, and what X{…} means."""
    for operation in ALL:
        shown = shape_of(operation)
        assert bool(shown) == bool(operation.body)
        defined = set(re.findall(r"^(\w+) = ", shown, re.MULTILINE))
        bare = re.sub(r'"[^"]*"', "", shown.partition("\nX{")[0])
        used = set(re.findall(r"(?:\.\.\.|[:|\[<] ?|^)([A-Z]\w*)(?![\w{])", bare, re.MULTILINE)) - defined
        assert used == set(), (operation.name, used)
        assert ("{…}" in shown) == bool(re.search(r"\w\{", bare)), operation.name
