"""Webhooks in the sandbox: subscriptions, filters, and an event for everything that can happen."""

import json
from typing import Any

import httpx
import pytest
from fernway_ids import DANIEL, GENERAL, MIA, NOBODY, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp import operations
from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.events import signature

Client = httpx.AsyncClient
OPS = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"
REFUND = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
ORDER = "4b2fe144-136d-456f-8516-c49e408c994c"
TEXT = {"_type": "Text", "value": "Hello"}
#: No operation of the API leads to these, and nobody outside the sandbox answers, types or receives.
NEVER = {
    "AgentBannedEnduser", "AgentBannedIp", "AgentUnbannedEnduser", "AgentUnbannedIp", "ConversationEndUserReplaced",
    "ConversationMessageDeliveryDelivered", "ConversationMessageDeliveryFailed", "ConversationMessageDeliveryInfo",
    "ConversationMessageDeliverySeen", "ConversationMessageDeliverySpamComplaint", "TypingStarted",
}  # fmt: skip


def all_events() -> list[str]:
    parameters = operations.operations()["list_webhook_deliveries"].parameters
    return [event for parameter in parameters if parameter.name == "event" for event in parameter.values]


def subscription(**more: Any) -> dict[str, Any]:
    plain = {"name": "Mine", "url": "https://hooks.example.com/mine", "authorization": {"_type": "NoAuth"}}
    return plain | {"customHeaders": {}, "events": all_events()} | more


async def subscribe(dixa: Client, **more: Any) -> dict[str, Any]:
    answer = await dixa.post("/webhooks", json=subscription(**more))
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def fired(sandbox: Sandbox) -> list[str]:
    return [item["event"] for item in sandbox.outbox if item["to"] == ["https://hooks.example.com/mine"]]


# --- subscriptions


@pytest.mark.parametrize(
    ("authorization", "header"),
    [
        ({"_type": "BasicAuth", "username": "dixa", "password": "example-password"},
         {"Authorization": "Basic ZGl4YTpleGFtcGxlLXBhc3N3b3Jk"}),
        ({"_type": "TokenAuth", "value": "example-token"}, {"Authorization": "Bearer example-token"}),
        ({"_type": "NoAuth"}, {}),
    ],
)  # fmt: skip
async def test_a_webhook_is_sent_and_read_with_different_names(
    dixa: Client, authorization: dict[str, str], header: dict[str, str]
) -> None:
    """Events, authorization and customHeaders become subscribedEvents and headers, in clear (notes §19)."""
    events = ["ConversationClosed", "ConversationRated"]
    made = await subscribe(dixa, authorization=authorization, customHeaders={"X-Env": "test"}, events=events)
    assert made["headers"] == {"X-Env": "test"} | header
    assert (made["subscribedEvents"], made["enabled"], made["createdBy"]) == (events, True, MIA)
    assert len(bytes.fromhex(made["secretKey"])) == 32
    assert not {"events", "authorization", "customHeaders"} & made.keys()
    assert (await dixa.get(f"/webhooks/{made['id']}")).json()["data"] == made
    assert made in (await dixa.get("/webhooks")).json()["data"]


async def test_a_patch_changes_what_is_sent_and_leaves_the_secret(sandbox: Sandbox, dixa: Client) -> None:
    """Headers and authorization each for themselves (ours)."""
    before = (await dixa.get(f"/webhooks/{OPS}")).json()["data"]
    sandbox.clock.advance(hours=1)
    paused = (await dixa.patch(f"/webhooks/{OPS}", json={"enabled": False})).json()["data"]
    assert paused == before | {"enabled": False, "updatedAt": "2026-02-13T13:00:00Z"}
    headed = (await dixa.patch(f"/webhooks/{OPS}", json={"customHeaders": {"X-Env": "a"}})).json()["data"]
    assert headed["headers"] == {"X-Env": "a"} | before["headers"]
    bare = (await dixa.patch(f"/webhooks/{OPS}", json={"authorization": {"_type": "NoAuth"}})).json()["data"]
    assert bare["headers"] == {"X-Env": "a"}
    rules = {"Conversation": {"_type": "CombinedFilters", "strategy": "All", "conditions": [
        {"_type": "IsOneOf", "field": "QueueId", "values": [GENERAL]}]}}  # fmt: skip
    assert (await dixa.patch(f"/webhooks/{OPS}", json={"filters": rules})).json()["data"]["filters"] == rules
    assert "filters" not in (await dixa.patch(f"/webhooks/{OPS}", json={"filters": {}})).json()["data"]


@pytest.mark.parametrize(
    "change",
    [
        {"events": ["ConversationExploded"]},
        {"url": "ftp://hooks.example.com"},
        {"url": "not an address"},
        {"name": " "},
        {"authorization": {"_type": "Digest"}},
        {"filters": {"Conversation": {"_type": "CombinedFilters", "strategy": "All", "conditions": []}}},
    ],
)
async def test_a_subscription_that_makes_no_sense_is_refused(dixa: Client, change: dict[str, Any]) -> None:
    """Closed list of events, http address, at least one condition (notes §19): 400, and nothing is kept."""
    before = (await dixa.get("/webhooks")).json()
    assert (await dixa.post("/webhooks", json=subscription(**change))).status_code == 400
    assert (await dixa.patch(f"/webhooks/{OPS}", json=change)).status_code == 400
    assert (await dixa.get("/webhooks")).json() == before


async def test_a_deleted_webhook_is_gone_with_its_deliveries(sandbox: Sandbox, dixa: Client) -> None:
    """404 afterwards; the contract documents none for PATCH, so 400 there (notes §4)."""
    assert (await dixa.delete(f"/webhooks/{OPS}")).status_code == 204
    for path in ("", "/delivery-status", "/delivery-status/logs/ConversationClosed"):
        assert (await dixa.get(f"/webhooks/{OPS}{path}")).status_code == 404
    assert (await dixa.patch(f"/webhooks/{OPS}", json={"enabled": True})).status_code == 400
    await dixa.put("/conversations/10401/close")
    assert sandbox.outbox == []


# --- deliveries


async def test_the_status_shows_the_newest_delivery_of_each_event(dixa: Client) -> None:
    """Fixtures §12: one that went well, one that failed; none for what never happened."""
    path = f"/webhooks/{OPS}/delivery-status"
    seen = {item["event"]: item["deliveryStatus"] for item in (await dixa.get(path)).json()["data"]}
    assert (seen["ConversationCreated"]["responseCode"], seen["ConversationClosed"]["responseCode"]) == (200, 503)
    await dixa.put("/conversations/10401/close")
    seen = {item["event"]: item["deliveryStatus"] for item in (await dixa.get(path)).json()["data"]}
    assert (seen["ConversationClosed"]["success"], seen["ConversationClosed"]["responseCode"]) == (True, 200)
    mine = await subscribe(dixa, events=["ConversationRated"])
    [never] = (await dixa.get(f"/webhooks/{mine['id']}/delivery-status")).json()["data"]
    assert never == {"event": "ConversationRated", "deliveryStatus": {"_type": "NoRecentDelivery"}}


async def test_the_log_holds_what_was_sent_newest_first(sandbox: Sandbox, dixa: Client) -> None:
    """The payload is a JSON string with the customer's data in it (notes §19)."""
    mine = await subscribe(dixa, events=["ConversationNoteAdded"])
    for words in ("One", "Two"):
        await dixa.post("/conversations/10401/notes", json={"message": words, "agentId": TOM})
    logs = f"/webhooks/{mine['id']}/delivery-status/logs"
    entries = (await dixa.get(f"{logs}/ConversationNoteAdded")).json()["data"]
    payloads = [json.loads(entry["payload"]) for entry in entries]
    assert [payload["data"]["text"] for payload in payloads] == ["Two", "One"]
    assert (payloads[0]["event_fqn"], payloads[0]["event_version"]) == ("CONVERSATION_NOTE_ADDED", "1")
    shown = payloads[0]["data"]
    assert shown["author"]["name"] == "Tom Okafor"
    assert shown["conversation"]["requester"] == {
        "id": OLIVIA,
        "name": "Olivia Hart",
        "email": "olivia.hart@example.com",
        "phone": "+447700900123",
        "roles": ["Enduser"],
    }
    assert [item["text"] for item in sandbox.outbox] == [entry["payload"] for entry in reversed(entries)]
    for item in sandbox.outbox:
        assert item["headers"]["X-DIXA-SUBSCRIPTION-ID"] == mine["id"]
        assert item["headers"]["X-DIXA-SIGNATURE"] == signature(mine["secretKey"], item["text"], sandbox.clock.now())
    assert (await dixa.get(f"{logs}/ConversationRated")).json()["data"] == []
    assert (await dixa.get(f"{logs}/ConversationExploded")).status_code == 400


async def test_a_disabled_or_unsubscribed_webhook_hears_nothing(sandbox: Sandbox, dixa: Client) -> None:
    """Only enabled ones, only what they asked for (notes §19)."""
    await subscribe(dixa, enabled=False)
    await subscribe(dixa, events=["ConversationRated"])
    await subscribe(dixa, events=[])
    await dixa.post("/conversations/10401/notes", json={"message": "Hello"})
    assert sandbox.outbox == []


def condition(field: str, *values: str, but: bool = False) -> dict[str, Any]:
    return {"_type": "IsNotOneOf" if but else "IsOneOf", "field": field, "values": list(values)}


@pytest.mark.parametrize(
    ("strategy", "conditions", "heard"),
    [
        ("All", [condition("QueueId", GENERAL)], [10401, 10403]),
        ("All", [condition("QueueId", GENERAL, but=True)], [10402]),
        ("All", [condition("InitialChannel", "email", "widget_chat")], [10401, 10403]),
        ("All", [condition("QueueId", GENERAL), condition("InitialChannel", "email")], [10401]),
        ("Any", [condition("QueueId", RETURNS), condition("InitialChannel", "email")], [10401, 10402]),
        ("All", [condition("OperationOrigin", "ApiImport")], []),
        ("All", [condition("OperationOrigin", "ApiImport", but=True)], [10401, 10402, 10403]),
    ],
)
async def test_filters_decide_which_conversations_are_told_of(
    sandbox: Sandbox, dixa: Client, strategy: str, conditions: list[Any], heard: list[int]
) -> None:
    """CombinedFilters over channel, origin and queue, joined by the strategy (notes §19)."""
    rules = {"Conversation": {"_type": "CombinedFilters", "strategy": strategy, "conditions": conditions}}
    await subscribe(dixa, events=["ConversationNoteAdded"], filters=rules)
    for csid in (10401, 10402, 10403):
        await dixa.post(f"/conversations/{csid}/notes", json={"message": "Hello"})
    assert [item["conversation"] for item in sandbox.outbox] == heard


async def test_an_import_is_told_apart_by_its_origin(sandbox: Sandbox, dixa: Client) -> None:
    """A bot's webhook leaves out what the bot itself imported (notes §10, §19)."""
    rules = {"Conversation": {"_type": "CombinedFilters", "strategy": "All", "conditions": [
        condition("OperationOrigin", "ApiImport", but=True)]}}  # fmt: skip
    await subscribe(dixa)
    await subscribe(dixa, url="https://hooks.example.com/bot", filters=rules)
    when = "2026-02-02T08:00:00.000Z"
    body: dict[str, Any] = {"genericChannelName": "genericapimessaging", "requesterId": OLIVIA, "direction": "Inbound"}
    body |= {"createdAt": when, "messages": [{"_type": "InboundImport", "content": TEXT, "createdAt": when}]}
    more: dict[str, Any] = {"assignment": {"agentId": TOM, "assignedAt": when}}
    more["closing"] = {"closedAt": when, "closedBy": TOM}
    assert (await dixa.post("/conversations/import", json=body | more)).status_code == 201
    assert fired(sandbox) == [
        "ConversationCreated",
        "ConversationMessageAdded",
        "ConversationAssigned",
        "ConversationClosed",
    ]
    assert not [item for item in sandbox.outbox if item["to"] == ["https://hooks.example.com/bot"]]


# --- every event


async def test_everything_that_can_happen_fires_its_event(sandbox: Sandbox, dixa: Client) -> None:
    """21 of the 32 events have a cause in the API or in time that passes (notes §19)."""
    await subscribe(dixa)
    call = {"_type": "Callback", "requesterId": DANIEL, "direction": "Inbound", "contactEndpointId": "+12025550175"}
    offer = {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA}
    steps: list[tuple[str, str, Any]] = [
        ("POST", "", call | {"queueId": "f343d8d3-340e-4287-824e-d5437561c985"}),
        ("PUT", "/10414/close", {}),
        ("PUT", "/10401/transfer/queue", {"queueId": RETURNS}),
        ("PUT", "/10401/claim", {"agentId": SARA}),
        ("POST", "/10401/messages", {"_type": "Outbound", "agentId": SARA, "content": TEXT}),
        ("POST", "/10401/notes", {"message": "Hello"}),
        ("PUT", f"/10401/tags/{REFUND}", None),
        ("DELETE", f"/10401/tags/{REFUND}", None),
        ("PATCH", "/10401/custom-attributes", {ORDER: "F-1"}),
        ("POST", "/10401/ratings/offer", offer),
        ("PUT", "/10401/followup", {"timestamp": "2026-02-13T13:00:00Z"}),
        ("PUT", "/10405/reopen", {}),
    ]
    for method, path, body in steps:
        answer = await dixa.request(method, f"/conversations{path}", json=body)
        assert answer.is_success, answer.text
    [rating] = (await dixa.get("/conversations/10401/ratings")).json()["data"]
    result = {"ratingResult": {"_type": "Csat", "value": 4}}
    await dixa.post(f"/conversations/10401/ratings/{rating['id']}/submit", json=result)
    sandbox.clock.advance(hours=2)
    await dixa.get("/organization")
    assert set(all_events()) - set(fired(sandbox)) == NEVER
    assert len(all_events()) == 32


async def test_doing_nothing_new_fires_nothing(sandbox: Sandbox, dixa: Client) -> None:
    """A state that was there before isn't an event (notes §25)."""
    await subscribe(dixa)
    await dixa.put("/conversations/10405/close", json={})
    await dixa.put("/conversations/10401/reopen", json={})
    await dixa.put("/conversations/10401/claim", json={"agentId": MIA, "force": False})
    await dixa.put("/conversations/10401/tags/c3ec79d6-4bfa-4a8a-b2e5-cde72d2dd6b9")
    await dixa.delete(f"/conversations/10401/tags/{REFUND}")
    await dixa.patch("/conversations/10401/custom-attributes", json={})
    await dixa.put(f"/conversations/10401/tags/{NOBODY}")
    assert fired(sandbox) == []


# --- service levels


async def test_a_waiting_conversation_is_breached_at_its_limit(sandbox: Sandbox, dixa: Client) -> None:
    """The phone line's limit is a minute; the event carries the minute it ran out, not when somebody looked."""
    await subscribe(dixa, events=[event for event in all_events() if event.startswith("SLA")])
    await dixa.put("/conversations/10405/reopen", json={})
    sandbox.clock.advance(minutes=30)
    await dixa.get("/organization")
    assert fired(sandbox) == ["SLAEvaluationPending", "SLAEvaluationBreached"]
    breach = json.loads(sandbox.outbox[-1]["text"])
    assert (breach["event_fqn"], breach["event_timestamp"]) == ("SLA_EVALUATION_BREACHED", "2026-02-13T12:01:00.000Z")


@pytest.mark.parametrize(
    ("path", "body", "events"),
    [
        ("claim", {"agentId": MIA}, ["Achieved"]),
        ("close", {}, ["Voided"]),
        ("transfer/queue", {"queueId": GENERAL}, ["Voided", "Pending"]),
    ],
)
async def test_a_service_level_ends_with_what_happens_first(
    sandbox: Sandbox, dixa: Client, path: str, body: Any, events: list[str]
) -> None:
    """Achieved, void, or void and begun anew in the other queue (ours)."""
    await dixa.put("/conversations/10405/reopen", json={})
    await subscribe(dixa, events=[event for event in all_events() if event.startswith("SLA")])
    await dixa.put(f"/conversations/10405/{path}", json=body)
    sandbox.clock.advance(hours=1)
    await dixa.get("/organization")
    assert fired(sandbox) == [f"SLAEvaluation{event}" for event in events]
