"""Each of the 123 operations answers as the document says it does when all is well."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from contract_oracle import document
from fernway_ids import GENERAL, GRACE, LUCAS, MIA, NOOR, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp import operations
from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.registry import handlers

Client = httpx.AsyncClient
Connect = Callable[..., Client]

ARTICLE = "351d1fdf-693f-48ac-a893-f30a545fcbbc"
ATTRIBUTE = "4b2fe144-136d-456f-8516-c49e408c994c"
CATEGORY = "5e3075f2-7754-4500-864a-a5fc0594b959"
COLLECTION = "fd9712e1-cfd5-4ab0-8dbc-71827dbc349c"
HOOK = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"
LANGUAGE = "en"
MESSAGE = "b4fffe9d-da46-49d0-8815-1d535899b2ea"
RATING = "b87da6a0-c730-49c3-93e3-9d8ff611d4d1"
REFUND = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
REQUEST = "c4f30956-c7e3-4baa-8a40-6fe3cb86890d"
SCHEDULE = "1496718a-7b67-4fc9-96ca-3f431cd17c78"
TEAM = "6bef1303-9224-4c2b-90e1-a9092e795aad"
TEMPLATE = "0678845c-9b9a-4a29-87a5-163d8e8fd901"

TEXT = {"_type": "Text", "value": "Hello"}
PERIOD = {"periodFilter": {"_type": "Preset", "value": {"_type": "ThisMonth"}}, "filters": [], "timezone": "UTC"}
QUEUE = {"name": "Spare", "callFunctionality": False, "isDefault": False, "isDoNotOfferEnabled": False}
WEBHOOK = {"name": "New", "url": "https://hooks.example.com/new", "authorization": {"_type": "NoAuth"}}
IMPORT = {"requesterId": OLIVIA, "direction": "Inbound", "createdAt": "2026-02-01T08:00:00.000Z"}
MAIL = {"_type": "Email", "requesterId": OLIVIA, "emailIntegrationId": "fernway-support@email.dixa.io"}

#: What goes into the path where an operation has that parameter and `SENT` names no other.
PATH = {
    "agentId": TOM, "articleId": ARTICLE, "categoryId": CATEGORY, "collectionId": COLLECTION,
    "contactEndpointId": "%2B12025550175", "conversationId": 10401, "csid": 10402, "customAttributeId": ATTRIBUTE,
    "event": "ConversationClosed", "filterAttribute": "channel", "languageId": LANGUAGE, "messageId": MESSAGE,
    "metricId": "csat", "parentId": CATEGORY, "queueId": GENERAL, "ratingId": RATING, "recordId": "ratings",
    "requestId": REQUEST, "scheduleId": SCHEDULE, "tagId": REFUND, "teamId": TEAM, "templateId": TEMPLATE,
    "userId": LUCAS, "webhookSubscriptionId": HOOK,
}  # fmt: skip

#: The bodies of writes, by operation.
SENT: dict[str, Any] = {
    "query_metric_data": {"id": "csat", **PERIOD},
    "query_metric_records": {"id": "ratings", **PERIOD},
    "create_agent": {"displayName": "New", "email": "new@example.com"},
    "create_agents": {"data": [{"displayName": "New", "email": "new@example.com"}]},
    "replace_agent": {"displayName": "Tom"},
    "replace_agents": [{"id": TOM, "displayName": "Tom"}],
    "update_agent": {"displayName": "Tom"},
    "update_agents": [{"id": TOM, "displayName": "Tom"}],
    "set_agent_working_channel": {"channel": "Speak", "working": True},
    "create_end_user": {"displayName": "New"},
    "create_end_users": {"data": [{"displayName": "New"}]},
    "replace_end_user": {"displayName": "Lucas"},
    "replace_end_users": {"data": [{"id": LUCAS, "displayName": "Lucas"}]},
    "update_end_user": {"displayName": "Lucas"},
    "update_end_users": {"data": [{"id": LUCAS, "displayName": "Lucas"}]},
    "update_end_user_attributes": {"38645cf4-6f16-4169-8cb4-74b8d0a48a73": "C-1"},
    "update_conversation_attributes": {ATTRIBUTE: "F-1"},
    "create_team": {"name": "Night"},
    "add_team_members": {"agentIds": [SARA]},
    "remove_team_members": {"agentIds": [MIA]},
    "follow_up_conversation": {"timestamp": "2026-02-16T08:00:00Z"},
    "transfer_conversation": {"queueId": RETURNS},
    "claim_conversation": {"agentId": TOM, "force": True},
    "link_conversation": {"parentId": 10404, "linkType": "Related"},
    "add_note": {"message": "Hello"},
    "add_notes": {"data": [{"message": "Hello"}]},
    "offer_rating": {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA},
    "submit_rating": {"ratingResult": {"_type": "Nps", "value": 9}},
    "tag_conversation_by_names": {"data": [{"name": "refund"}]},
    "add_message": {"_type": "Outbound", "agentId": MIA, "content": TEXT},
    "create_conversation": MAIL | {"subject": "Hello", "message": {"_type": "Inbound", "content": TEXT}},
    "import_conversation": IMPORT | {"genericChannelName": "genericapimessaging"},
    "create_queue": {"request": QUEUE},
    "add_queue_members": {"agentIds": [SARA]},
    "remove_queue_members": {"agentIds": [TOM]},
    "create_tag": {"name": "new"},
    "anonymize_entity": {"entityId": "10405", "_type": "Conversation"},
    "search_conversations": {"query": {"value": "order"}},
    "create_webhook": WEBHOOK | {"customHeaders": {}},
    "update_webhook": {"enabled": False},
    "create_article": {"translations": [{"languageId": LANGUAGE, "title": "T", "content": "<p>C</p>"}]}
    | {"parentId": CATEGORY},
    "update_article": {"ownedBy": MIA},
    "update_article_translations": {"translations": [{"languageId": LANGUAGE, "title": "T", "content": "<p>C</p>"}]},
}
#: Other places than those of PATH, and queries.
ELSEWHERE = {
    "submit_rating": {"conversationId": 10413},
    "anonymize_end_user": {"userId": GRACE, "query": "?force=true"},
    "anonymize_conversation": {"conversationId": 10405},
    "list_end_user_conversations": {"userId": NOOR},
    "search_conversations_by_text": {"query": "?query=order"},
}


def _request(name: str) -> tuple[str, str, Any]:
    operation = operations.operations()[name]
    places = PATH | ELSEWHERE.get(name, {})
    return operation.method, operation.path.format_map(places) + str(places.get("query", "")), SENT.get(name)


def test_every_operation_has_a_handler() -> None:
    """None answers 501 (design §8)."""
    assert set(handlers()) == set(operations.operations())


@pytest.mark.parametrize("name", operations.operations())
async def test_an_operation_answers_with_its_documented_success(dixa: Client, name: str) -> None:
    """Status and body: the client holds each answer against the document (notes §5)."""
    operation = operations.operations()[name]
    method, path, body = _request(name)
    files = [("files", ("a.png", b"\x89PNG\r\n\x1a\n", "image/png"))] if operation.media == "multipart" else None
    answer = await dixa.request(method, path, json=body, files=files)
    assert answer.status_code == operation.success, answer.text
    assert bool(answer.content) == (operation.answer != "empty")


@pytest.mark.parametrize("name", operations.operations())
async def test_a_limited_token_is_refused_where_the_document_says_401_and_nowhere_else(
    connect: Connect, name: str
) -> None:
    """The two attribute patches, the anonymisation status and both searches (notes §2)."""
    if document() is None:
        pytest.skip("../shared/dixa-api/openapi.yaml isn't here")
    operation = operations.operations()[name]
    method, path, body = _request(name)
    stated = document()["paths"]["/v1" + operation.path][operation.method.lower()]["responses"]
    answer = await connect("sandbox-limited-token").request(method, path, json=body)
    assert (answer.status_code == 401) == ("401" in stated)


@pytest.mark.parametrize("name", [name for name, op in operations.operations().items() if "{" in op.path])
async def test_an_id_of_another_organisation_is_an_id_of_nothing(connect: Connect, sandbox: Sandbox, name: str) -> None:
    """A token belongs to exactly one organisation (notes §22): refused, and nothing changes on either side."""
    before = [org.state() for org in sandbox.organisations.values()]
    method, path, body = _request(name)
    answer = await connect("sandbox-second-token").request(method, path, json=body)
    if name == "list_conversation_activity":  # knows no 404 (notes §4)
        assert answer.json() == {"data": []}
    elif name == "list_filter_values":  # a word, the same everywhere
        assert "General support" not in answer.text
    else:
        assert answer.status_code in (400, 404), answer.text
    assert [org.state() for org in sandbox.organisations.values()] == before


@pytest.mark.parametrize("name", [name for name, op in operations.operations().items() if "{" not in op.path])
async def test_a_list_or_write_of_one_organisation_leaves_the_other_alone(
    connect: Connect, sandbox: Sandbox, name: str
) -> None:
    """Ids of the other organisation in the body don't reach it, and its names come in no answer."""
    before = sandbox.organisation.state()
    method, path, body = _request(name)
    answer = await connect("sandbox-second-token").request(method, path, json=body)
    assert sandbox.organisation.state() == before
    names = ("Fernway", "General support", "Mia Lindqvist", "olivia.hart", "fernway-support")
    assert [word for word in names if word in answer.text] == []
