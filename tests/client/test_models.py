"""What we read, against what Dixa documents and what the fixtures show (notes §8, aesthetics §3.6)."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dixa_mcp.client.messages import Form, Mailed, Message, Other, Recorded, Spoken, Written
from dixa_mcp.client.models import (
    ActivityEntry,
    AnonymizationRequest,
    AttributeValue,
    Conversation,
    Note,
    QueuePosition,
    Rating,
    SearchHit,
)
from dixa_mcp.client.records import Record, read, read_all
from dixa_mcp.client.reports import (
    Article,
    ArticleTranslations,
    CatalogItem,
    Category,
    Collection,
    EventDelivery,
    FilterValue,
    Metric,
    MetricData,
    MetricRecord,
    RecordType,
    Webhook,
)
from dixa_mcp.client.workspace import (
    Agent,
    AttributeDefinition,
    ContactEndpoint,
    EndUser,
    Flow,
    Hours,
    OpenStatus,
    Organization,
    Presence,
    Queue,
    QueueAvailability,
    QueueMember,
    Schedule,
    Tag,
    Team,
    TeamMember,
    Template,
)
from dixa_mcp.errors import DixaMcpError

SHARED = Path(__file__).parents[3] / "shared" / "dixa-api"

#: Reads of the contract → the model of what they answer. A dotted name is where in `data` it sits.
READS: dict[str, type[Record] | tuple[type[Record], str]] = {
    "GET /agents": Agent,
    "GET /agents/presence": Presence,
    "GET /agents/{agentId}": Agent,
    "GET /agents/{agentId}/presence": Presence,
    "GET /agents/{agentId}/teams": Team,
    "GET /analytics/filter/{filterAttribute}": FilterValue,
    "GET /analytics/metrics": Metric,
    "GET /analytics/metrics/{metricId}": Metric,
    "GET /analytics/records": RecordType,
    "GET /analytics/records/{recordId}": RecordType,
    "POST /analytics/metrics": MetricData,
    "POST /analytics/records": MetricRecord,
    "GET /anonymization/request/{requestId}": AnonymizationRequest,
    "PATCH /conversations/{conversationId}/anonymize": AnonymizationRequest,
    "PATCH /endusers/{userId}/anonymize": AnonymizationRequest,
    "GET /business-hours/schedules": (Schedule, "schedules"),
    "GET /business-hours/schedules/{scheduleId}/definition": (Schedule, "schedule"),
    "GET /business-hours/schedules/{scheduleId}/status": OpenStatus,
    "GET /business-hours/schedules/{scheduleId}/upcoming": (Schedule, "schedule"),
    "GET /contact-endpoints": ContactEndpoint,
    "GET /contact-endpoints/{contactEndpointId}": ContactEndpoint,
    "GET /conversations/activitylog": ActivityEntry,
    "GET /conversations/flows": Flow,
    "GET /conversations/{conversationId}": Conversation,
    "GET /conversations/{conversationId}/activitylog": ActivityEntry,
    "GET /conversations/{conversationId}/linked": Conversation,
    "GET /conversations/{conversationId}/messages": Message,
    "GET /conversations/{conversationId}/notes": Note,
    "GET /conversations/{conversationId}/rating": Rating,
    "GET /conversations/{conversationId}/ratings": Rating,
    "GET /conversations/{conversationId}/tags": Tag,
    "PATCH /conversations/{conversationId}/custom-attributes": AttributeValue,
    "GET /custom-attributes": AttributeDefinition,
    "GET /custom-attributes/{customAttributeId}": AttributeDefinition,
    "GET /endusers": EndUser,
    "GET /endusers/{userId}": EndUser,
    "GET /endusers/{userId}/conversations": Conversation,
    "PATCH /endusers/{userId}/custom-attributes": AttributeValue,
    "GET /knowledge/articles/{articleId}": Article,
    "GET /knowledge/articles/{articleId}/translations": ArticleTranslations,
    "GET /knowledge/categories/{categoryId}": Category,
    "GET /knowledge/categories/{categoryId}/translations": Record,
    "GET /knowledge/collections": Collection,
    "GET /knowledge/collections/{collectionId}": Collection,
    "GET /knowledge/collections/{collectionId}/catalog": CatalogItem,
    "GET /organization": Organization,
    "GET /queues": Queue,
    "GET /queues/conversation-position/{csid}": QueuePosition,
    "GET /queues/{queueId}": Queue,
    "GET /queues/{queueId}/availability": QueueAvailability,
    "GET /queues/{queueId}/members": QueueMember,
    "GET /search/conversations": SearchHit,
    "POST /search/conversations": SearchHit,
    "GET /tags": Tag,
    "GET /tags/{tagId}": Tag,
    "GET /teams": Team,
    "GET /teams/{teamId}": Team,
    "GET /teams/{teamId}/agents": TeamMember,
    "GET /teams/{teamId}/presence": Presence,
    "GET /templates": Template,
    "GET /webhooks": Webhook,
    "GET /webhooks/{webhookSubscriptionId}": Webhook,
    "GET /webhooks/{webhookSubscriptionId}/delivery-status": EventDelivery,
    "GET /webhooks/{webhookSubscriptionId}/delivery-status/logs/{event}": EventDelivery,
}

#: Schemas of the fixtures → the model.
FIXTURES: dict[str, type[Record]] = {
    "Agent": Agent,
    "ChannelAvailabilityOutcome": QueueAvailability,
    "ContactEndpoint": ContactEndpoint,
    "Conversation": Conversation,
    "ConversationFlow": Flow,
    "CustomAttributeDefinition": AttributeDefinition,
    "EndUser": EndUser,
    "Message": Message,
    "OrganizationDetails": Organization,
    "Queue1": Queue,
    "QueueMember": QueueMember,
    "QueuedConversation": QueuePosition,
    "TeamMember": TeamMember,
    "UserPresence": Presence,
}


@cache
def contract() -> dict[str, Any]:
    document = SHARED / "openapi.yaml"
    if not document.exists():
        pytest.skip("the API document isn't here (it doesn't ship)")
    import yaml

    return yaml.load(document.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def examples(operation: str) -> Iterator[Any]:
    method, _, path = operation.partition(" ")
    for status, response in contract()["paths"][f"/v1{path}"][method.lower()]["responses"].items():
        for content in response.get("content", {}).values() if status.startswith("2") else ():
            if "example" in content:
                yield content["example"]
            for example in content.get("examples", {}).values():
                yield example["value"]


def test_every_read_of_the_contract_has_a_model() -> None:
    """A new GET of Dixa's shows up here."""
    reads = {
        f"GET {path.removeprefix('/v1')}" for path, operations in contract()["paths"].items() if "get" in operations
    }
    assert reads - READS.keys() == set()


@pytest.mark.parametrize("operation", READS)
def test_every_documented_example_is_read(operation: str) -> None:
    """The document's own examples are the oracle, its mistakes included (notes §20)."""
    entry = READS[operation]
    kind, where = entry if isinstance(entry, tuple) else (entry, "")
    found = list(examples(operation))
    assert found
    for example in found:
        data = example["data"] if isinstance(example, dict) else example
        data = data[where] if where else data
        things = data if isinstance(data, list) else [data]
        assert things
        for thing, made in zip(things, read_all(kind, things), strict=True):
            if "id" in thing:
                assert str(made.model_dump()["id"]) == str(thing["id"]) or kind is Record
            assert kind is Record or made.model_fields_set, f"{kind.__name__} read nothing"
            told = {name: value for name, value in thing.items() if name.endswith(("At", "Timestamp", "timestamp"))}
            dumped = made.model_dump(by_alias=True)
            assert all(isinstance(dumped[name], datetime) for name in told if name in dumped)


def fixtures() -> list[tuple[str, str, str]]:
    document = SHARED / "fixtures.md"
    if not document.exists():
        return [("", "fixtures.md isn't here (it doesn't ship)", "")]
    lines = re.findall(r"^- \*\*(\w+)\*\* — (.+?): `(\{.*\})`$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return [line for line in lines if line[0] in FIXTURES]


@pytest.mark.parametrize(("schema", "label", "line"), fixtures())
def test_every_fixture_is_read(schema: str, label: str, line: str) -> None:
    """The sandbox's organisation is made of these."""
    if not schema:
        pytest.skip(label)
    made = read(FIXTURES[schema], json.loads(line))
    assert made.model_fields_set


def said(attributes: dict[str, Any]) -> Message:
    return read(Message, {"id": "m", "attributes": attributes})


@pytest.mark.parametrize(
    ("attributes", "arm", "text"),
    [
        ({"_type": "ChatAttributes", "content": {"_type": "Text", "value": "hi"}, "isAutomated": True}, Written, "hi"),
        ({"_type": "SmsAttributes", "content": {"_type": "Text", "value": "hi"}}, Written, "hi"),
        ({"_type": "WhatsAppAttributes", "attachments": [{"url": "https://files.dixa.io/a"}]}, Written, ""),
        ({"_type": "TwitterAttributes"}, Written, ""),
        (
            {
                "_type": "EmailAttributes",
                "emailContent": {"_type": "Regular", "content": {"_type": "Html", "value": "<p>hi</p>"}},
                "from": {"email": "a@b.example"},
                "isAutoReply": False,
            },
            Mailed,
            "<p>hi</p>",
        ),
        ({"_type": "ContactFormAttributes", "isAutoReply": True}, Mailed, ""),
        ({"_type": "PhoneAttributes", "from": "+45", "to": 987654321, "duration": 12}, Spoken, ""),
        (
            {"_type": "TranscriptAttributes", "content": {"_type": "Text", "value": "hello"}, "utterance_start_ms": 5},
            Spoken,
            "hello",
        ),
        ({"_type": "CallRecordingAttributes", "recording": "https://files.dixa.io/r", "duration": 3}, Recorded, ""),
        (
            {"_type": "MessengerFormAttributes", "formSubmission": {"values": {"Name": "Olivia", "Why": ["a"]}}},
            Form,
            "",
        ),
        (
            {"_type": "HologramAttributes", "content": {"_type": "Scent", "value": "roses"}, "beam": {"x": 1}},
            Other,
            "roses",
        ),
        ({}, Other, ""),
    ],
    ids=lambda value: value.get("_type", "none") if isinstance(value, dict) else None,
)
def test_twelve_kinds_of_message_become_six_arms(attributes: dict[str, Any], arm: type[Record], text: str) -> None:
    """Arms are what we do, not Dixa's names; an invented kind becomes Other (aesthetics §3.6)."""
    message = said(attributes)
    assert type(message.attributes) is arm
    assert message.text == text
    assert message.attributes.kind == attributes.get("_type", "")


def test_an_email_tells_sender_copies_and_where_its_text_is() -> None:
    """One too large has only a file (notes §23)."""
    message = said(
        {
            "_type": "EmailAttributes",
            "emailContent": {"_type": "TooLarge", "file": {"url": "https://files.dixa.io/private/x"}},
            "from": {"email": "olivia@example.com", "name": "Olivia"},
            "cc": [{"email": "cc@example.com"}],
            "isAutoReply": True,
            "direction": "Inbound",
            "attachments": [{"url": "https://files.dixa.io/a", "prettyName": "a.pdf"}],
        }
    )
    mail = message.attributes
    assert mail.sender
    assert (mail.sender.email, [each.email for each in mail.copies]) == ("olivia@example.com", ["cc@example.com"])
    assert (mail.is_auto, mail.too_large, mail.is_html) == (True, "https://files.dixa.io/private/x", False)
    assert (message.direction, message.attachments[0].pretty_name) == ("Inbound", "a.pdf")


@pytest.mark.parametrize(
    "text",
    [
        "2021-12-01T12:46:36.581Z[GMT]",
        "2021-12-01T12:46:36.581Z",
        "2021-12-01T12:46:36.581",
        "2021-12-01T12:46:36.581+00:00",
    ],
)
def test_dixas_ways_to_write_a_time_are_one_time_in_utc(text: str) -> None:
    """Bracketed zone, none at all, or an offset (notes §7)."""
    made = read(Note, {"createdAt": text}).created_at
    assert made == datetime(2021, 12, 1, 12, 46, 36, 581_000, tzinfo=UTC)
    assert made
    assert made.utcoffset() == timedelta()


@pytest.mark.parametrize("text", ["soon", "", None, 7, {}])
def test_a_time_nobody_can_read_is_absent(text: Any) -> None:
    """One odd field must not cost the conversation."""
    assert read(Note, {"createdAt": text, "message": "x"}) == read(Note, {"message": "x"})


def test_null_is_absent_and_unknown_is_ignored() -> None:
    """Accept both (notes §5), and whatever Dixa adds."""
    made = read(
        Conversation,
        {"id": 1, "_type": "FaxConversation", "queue": None, "customAttributes": None, "state": None, "toner": "low"},
    )
    assert (made.kind, made.queue, made.custom_attributes, made.state) == ("FaxConversation", None, (), "")


@pytest.mark.parametrize(
    ("value", "path"), [("F-1", ["F-1"]), (["delivery", "late"], ["delivery", "late"]), (None, []), ([], [])]
)
def test_an_attribute_is_a_text_or_a_path(value: Any, path: list[str]) -> None:
    """Untagged: a string or an array (notes §8)."""
    assert read(AttributeValue, {"id": "a", "value": value}).path == path


def test_a_webhook_is_read_without_its_secrets() -> None:
    """The Authorization value stands in `headers` in clear, and `secretKey` in every read (notes §19)."""
    made = read(
        Webhook,
        {"id": "w", "url": "https://x.example", "headers": {"Authorization": "Basic c2VjcmV0"}, "secretKey": "4g4h988"},
    )
    shown = repr(made) + made.model_dump_json()
    assert "c2VjcmV0" not in shown
    assert "4g4h988" not in shown


@pytest.mark.parametrize("data", [None, [], "x", {}, {"id": "no number", "subject": "SECRET"}], ids=repr)
def test_what_has_no_shape_is_told_without_its_content(data: Any) -> None:
    """Not a crash, and no customer's text in an error."""
    with pytest.raises(DixaMcpError, match="Conversation") as caught:
        read(Conversation, data)
    assert "SECRET" not in str(caught.value)


def test_an_absent_list_is_empty() -> None:
    """`data` isn't required (notes §1)."""
    assert read_all(Tag, None) == []


WORDS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: read(Tag, {"id": "t", "state": "Inactive"}).is_active, False),
    (lambda: read(Tag, {"id": "t"}).is_active, True),
    (lambda: read(Presence, {"connectionStatus": "Online", "presenceStatus": "Working"}).is_working, True),
    (lambda: read(Presence, {"connectionStatus": "Online", "presenceStatus": "Away"}).is_working, False),
    (lambda: read(Presence, {"connectionStatus": "Offline"}).is_working, False),
    (lambda: read(EndUser, {"id": "u", "firstName": "Olivia", "lastName": "Hart"}).name, "Olivia Hart"),
    (lambda: read(EndUser, {"id": "u", "phoneNumber": "+45"}).name, "+45"),
    (lambda: read(ContactEndpoint, {"number": "+45"}).id, "+45"),
    (lambda: read(AttributeDefinition, {"id": "a", "isArchived": True}).is_usable, False),
    (lambda: read(Conversation, {"id": 1, "_type": "AnonymizedConversation"}).is_anonymized, True),
    (lambda: read(Hours, {"status": {"_type": "Open"}}).status, "Open"),
]


def test_a_null_in_a_map_is_absent() -> None:
    """One threshold that isn't set mustn't cost all queues."""
    queue = read(
        Queue, {"id": "q", "queueThresholds": {"SlaTimeLimit": None, "SlaPercentage": 80}, "usages": {"usages": None}}
    )
    assert queue.queue_thresholds == {"SlaPercentage": 80}


@pytest.mark.parametrize(("say", "expected"), WORDS)
def test_what_a_record_says_of_itself(say: Callable[[], Any], expected: Any) -> None:
    """Each judgement in one place."""
    assert say() == expected
