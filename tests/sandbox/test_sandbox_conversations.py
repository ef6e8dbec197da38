"""Conversations in the sandbox: their life, their messages, and what would have left."""

import json
from typing import Any

import httpx
import pytest
from fernway_ids import DANIEL, GENERAL, GRACE, LUCAS, MIA, NOBODY, NOOR, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.events import signature

Client = httpx.AsyncClient
SUPPORT = "fernway-support@email.dixa.io"


def text(value: str, kind: str = "Text") -> dict[str, str]:
    return {"_type": kind, "value": value}


def outbound(value: str = "Hello", agent: str = MIA, **more: Any) -> dict[str, Any]:
    return {"_type": "Outbound", "agentId": agent, "content": text(value), **more}


async def conversation(dixa: Client, csid: int) -> dict[str, Any]:
    return (await dixa.get(f"/conversations/{csid}")).json()["data"]


async def activities(dixa: Client, csid: int) -> list[str]:
    return [entry["_type"] for entry in (await dixa.get(f"/conversations/{csid}/activitylog")).json()["data"]]


@pytest.mark.parametrize("csid", range(10401, 10414))
async def test_every_kind_of_conversation_can_be_read_with_all_that_hangs_on_it(dixa: Client, csid: int) -> None:
    """Fixtures §9; each answer is also held against the API document."""
    assert (await conversation(dixa, csid))["id"] == csid
    for part in ("messages", "notes", "tags", "ratings", "rating", "activitylog", "linked"):
        assert (await dixa.get(f"/conversations/{csid}/{part}")).status_code == 200


async def test_the_seeded_log_of_10401_is_in_order(dixa: Client) -> None:
    """Fixtures §11."""
    assert await activities(dixa, 10401) == [
        "ConversationCreatedByCustomer",
        "ConversationAutoreplySent",
        "ConversationOffered",
        "ConversationOfferAccepted",
        "ConversationAssigned",
        "TagAdded",
        "NoteAdded",
    ]


async def test_the_organisations_log_can_be_cut_by_time(dixa: Client) -> None:
    """FromDatetime and toDatetime (notes §11)."""
    await dixa.post("/conversations/10402/notes", json={"message": "Late"})
    every = (await dixa.get("/conversations/activitylog")).json()["data"]
    assert len(every) == 8
    late = (await dixa.get("/conversations/activitylog?fromDatetime=2026-02-13T00:00:00.000Z")).json()["data"]
    assert [entry["_type"] for entry in late] == ["NoteAdded"]
    early = (await dixa.get("/conversations/activitylog?toDatetime=2026-02-12T07:42:00Z")).json()["data"]
    assert len(early) == 2


# --- life


async def test_closing_twice_closes_once(sandbox: Sandbox, dixa: Client) -> None:
    """204 either way (notes §25), one entry in the log, one delivery to the subscribed webhook."""
    for _ in range(2):
        assert (await dixa.put("/conversations/10401/close", json={"userId": TOM})).status_code == 204
    closed = await conversation(dixa, 10401)
    assert (closed["state"], closed["stateUpdatedAt"]) == ("Closed", "2026-02-13T12:00:00Z")
    assert (await activities(dixa, 10401)).count("ConversationClosed") == 1
    assert [item["kind"] for item in sandbox.outbox] == ["webhook"]


async def test_a_webhook_delivery_is_signed_and_recorded_but_not_sent(sandbox: Sandbox, dixa: Client) -> None:
    """HMAC over `<t>.<body>` with the hex-decoded secret; upper-case words in the payload (notes §19)."""
    await dixa.put("/conversations/10401/close")
    delivery = sandbox.outbox[0]
    hook = sandbox.organisation.webhooks["7ce82f73-27ee-48b4-9303-46be9b2ed9e2"]
    expected = signature(hook["secretKey"], delivery["text"], sandbox.clock.now())
    assert delivery["headers"]["X-DIXA-SIGNATURE"] == expected
    payload = json.loads(delivery["text"])
    assert (payload["event_fqn"], payload["data"]["conversation"]["status"]) == ("CONVERSATION_CLOSED", "CLOSED")
    assert sandbox.organisation.deliveries[hook["id"]]["ConversationClosed"][-1]["payload"] == delivery["text"]
    assert sandbox.reached_customers == []


async def test_closing_a_chat_starts_a_survey(sandbox: Sandbox, dixa: Client) -> None:
    """Scheduled at once, offered five minutes later; ours: only on the channels of the settings."""
    await dixa.put("/conversations/10403/close", json={})
    assert [item["kind"] for item in sandbox.reached_customers] == ["survey"]
    ratings = (await dixa.get("/conversations/10403/ratings")).json()["data"]
    assert [rating["ratingStatus"] for rating in ratings] == ["Scheduled"]
    sandbox.clock.advance(minutes=5)
    ratings = (await dixa.get("/conversations/10403/ratings")).json()["data"]
    assert [rating["ratingStatus"] for rating in ratings] == ["Offered"]


async def test_reopening_goes_back_to_the_queue_without_the_agent(dixa: Client) -> None:
    """Offered again in its former queue, without one in the default queue (notes §11)."""
    assert (await dixa.put("/conversations/10405/reopen", json={})).status_code == 204
    phone = await conversation(dixa, 10405)
    assert (phone["state"], phone["queue"]["id"]) == ("Open", "f343d8d3-340e-4287-824e-d5437561c985")
    assert "assignment" not in phone
    await dixa.put("/conversations/10413/reopen")
    assert (await conversation(dixa, 10413))["queue"]["id"] == GENERAL


async def test_a_follow_up_ends_when_its_time_comes(sandbox: Sandbox, dixa: Client) -> None:
    """Pending until then, open afterwards with the same agent; logged both times (notes §11)."""
    body = {"timestamp": "2026-02-16T08:00:00Z", "userId": MIA}
    assert (await dixa.put("/conversations/10401/followup", json=body)).status_code == 204
    assert (await conversation(dixa, 10401))["state"] == "Pending"
    sandbox.clock.advance(days=2)
    assert (await conversation(dixa, 10401))["state"] == "Pending"
    sandbox.clock.advance(days=1)
    back = await conversation(dixa, 10401)
    assert (back["state"], back["assignment"]["agentId"]) == ("Open", MIA)
    assert (await activities(dixa, 10401))[-3:] == ["FollowupAdded", "ConversationPending", "FollowupExpired"]
    past = await dixa.put("/conversations/10401/followup", json={"timestamp": "2026-02-01T08:00:00Z"})
    assert past.status_code == 400


async def test_a_transfer_takes_the_agent_away_and_queues_anew(dixa: Client) -> None:
    """To a queue only (notes §11)."""
    body = {"queueId": RETURNS, "userId": MIA}
    assert (await dixa.put("/conversations/10401/transfer/queue", json=body)).status_code == 204
    moved = await conversation(dixa, 10401)
    assert moved["queue"] == {"id": RETURNS, "queuedAt": "2026-02-13T12:00:00Z"}
    assert "assignment" not in moved
    assert (await activities(dixa, 10401))[-3:] == ["TransferInitiated", "ConversationUnassigned", "TransferSuccessful"]
    position = (await dixa.get("/queues/conversation-position/10401")).json()["data"]
    assert position == {"position": 2, "queuedAt": "2026-02-13T12:00:00Z"}


async def test_a_polite_claim_is_refused_while_somebody_else_has_it(dixa: Client) -> None:
    """409 with force false; true, or nothing, takes over (notes §11)."""
    path = "/conversations/10401/claim"
    assert (await dixa.put(path, json={"agentId": TOM, "force": False})).status_code == 409
    assert (await dixa.put(path, json={"agentId": MIA, "force": False})).status_code == 204
    assert (await dixa.put(path, json={"agentId": TOM, "force": True})).status_code == 204
    assert (await conversation(dixa, 10401))["assignment"]["agentId"] == TOM
    assert (await dixa.put(path, json={"agentId": SARA})).status_code == 204
    assert (await conversation(dixa, 10401))["assignment"]["agentId"] == SARA


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("close", {"userId": NOBODY}, "User not found"),
        ("close", {"userId": OLIVIA}, "User is not agent/admin"),
        ("reopen", {"userId": OLIVIA}, "User is not agent/admin"),
        ("claim", {"agentId": OLIVIA, "force": False}, "User is not agent/admin"),
        ("transfer/queue", {"queueId": NOBODY}, "Queue does not exist"),
    ],
)
async def test_wrong_ids_in_a_body_are_bad_requests(dixa: Client, path: str, body: Any, message: str) -> None:
    """Unlike wrong ids in the path (notes §4)."""
    before = await conversation(dixa, 10401)
    answer = await dixa.put(f"/conversations/10401/{path}", json=body)
    assert (answer.status_code, answer.json()["message"]) == (400, message)
    assert await conversation(dixa, 10401) == before


async def test_links_have_one_level_and_one_parent(dixa: Client) -> None:
    """One parent a child, no grandchildren (notes §11)."""
    link = {"parentId": 10401, "linkType": "Related"}
    assert (await dixa.put("/conversations/10403/link", json=link)).status_code == 204
    linked = (await dixa.get("/conversations/10401/linked")).json()["data"]
    assert [(child["id"], "customAttributes" in child) for child in linked] == [(10403, False)]
    for csid, parent in ((10403, 10404), (10401, 10404), (10404, 10403), (10404, 10404), (10404, 99999999)):
        answer = await dixa.put(f"/conversations/{csid}/link", json=link | {"parentId": parent})
        assert answer.status_code == 400, (csid, parent)


async def test_a_parent_has_at_most_a_hundred_children(dixa: Client, sandbox: Sandbox) -> None:
    """Notes §11."""
    org = sandbox.organisation
    for csid in range(20_000, 20_099):
        child = {"_type": "GenericConversation", "id": csid, "requesterId": OLIVIA, "channel": "Messenger"}
        org.conversations[csid] = child | {"createdAt": "2026-01-01T00:00:00Z"}
        org.link(csid, 10402, "FollowUp")
    link = {"parentId": 10402, "linkType": "SideConversation"}
    assert (await dixa.put("/conversations/10403/link", json=link)).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "close", {}),
        ("PUT", "claim", {"agentId": MIA}),
        ("POST", "notes", {"message": "Hello"}),
        ("POST", "messages", outbound()),
        ("PUT", "tags/f30052e9-e4fd-4293-a7c2-6ea9ec0cfcf0", None),
    ],
)
async def test_an_anonymised_conversation_refuses_every_change(dixa: Client, method: str, path: str, body: Any) -> None:
    """Ours: 400."""
    before = await conversation(dixa, 10409)
    answer = await dixa.request(method, f"/conversations/10409/{path}", json=body)
    assert (answer.status_code, await conversation(dixa, 10409)) == (400, before)


# --- notes


async def test_notes_are_kept_and_nobody_outside_sees_them(sandbox: Sandbox, dixa: Client) -> None:
    """Author without agentId is the token's owner (notes §11)."""
    note = (await dixa.post("/conversations/10402/notes", json={"message": "Prefers phone."})).json()["data"]
    assert (note["authorId"], note["csid"], note["createdAt"]) == (MIA, 10402, "2026-02-13T12:00:00.000Z")
    assert (await dixa.get("/conversations/10402/notes")).json()["data"] == [note]
    assert sandbox.outbox == []
    unknown = await dixa.post("/conversations/10402/notes", json={"message": "x", "agentId": NOBODY})
    assert (unknown.status_code, unknown.json()["message"]) == (400, "Agent was not found")


async def test_several_notes_succeed_and_fail_one_by_one(dixa: Client) -> None:
    """The error has no `_type` here (notes §4)."""
    body = {"data": [{"message": "One"}, {"message": "Two", "agentId": NOBODY}]}
    outcomes = (await dixa.post("/conversations/10402/notes/bulk", json=body)).json()["data"]
    assert [outcome["_type"] for outcome in outcomes] == ["BulkActionSuccess", "BulkActionFailure"]
    assert outcomes[1]["error"] == {"message": "Agent was not found"}
    assert len((await dixa.get("/conversations/10402/notes")).json()["data"]) == 1


# --- messages


async def test_a_reply_by_mail_leaves_with_its_copies(sandbox: Sandbox, dixa: Client) -> None:
    """Cc and bcc are end-user ids (notes §9)."""
    body = outbound("On its way", cc=[GRACE], bcc=[LUCAS], attachments=[{"url": "https://files.example.com/a.pdf"}])
    answer = (await dixa.post("/conversations/10401/messages", json=body)).json()["data"]
    assert (answer["direction"], answer["authorId"]) == ("Outbound", MIA)
    [mail] = sandbox.outbox
    assert (mail["kind"], mail["to"], mail["cc"], mail["bcc"]) == (
        "email",
        ["olivia.hart@example.com"],
        ["grace.hill@example.com"],
        ["lucas.meyer@example.com"],
    )
    assert (mail["sender"], mail["subject"], mail["text"]) == (
        "support@example.com",
        "Order F-20417 has not arrived",
        "On its way",
    )
    kept = (await dixa.get("/conversations/10401/messages")).json()["data"][-1]
    assert kept["id"] == answer["messageId"] == mail["message"]
    assert kept["attributes"]["attachments"][0]["url"].startswith("https://files.dixa.io/private/fernway/")
    assert (await activities(dixa, 10401))[-1] == "MessageAddedByAgent"


async def test_an_inbound_message_leaves_nothing_and_opens_a_closed_conversation(
    sandbox: Sandbox, dixa: Client
) -> None:
    """Its author is the requester (notes §9); reopening is inferred there."""
    await dixa.put("/conversations/10401/close")
    sandbox.outbox.clear()
    body = {"_type": "Inbound", "content": text("Any news?")}
    answer = (await dixa.post("/conversations/10401/messages", json=body)).json()["data"]
    assert (answer["authorId"], sandbox.outbox) == (OLIVIA, [])
    assert (await conversation(dixa, 10401))["state"] == "Open"
    await dixa.put("/conversations/10401/close")
    await dixa.post("/conversations/10401/messages", json=outbound())
    assert (await conversation(dixa, 10401))["state"] == "Closed"


@pytest.mark.parametrize(
    ("csid", "body", "message"),
    [
        (10405, outbound(), "Unsupported ConversationChannel"),
        (10408, outbound(), "Unsupported ConversationChannel"),
        (10410, outbound(), "Unsupported ConversationChannel"),
        (10411, outbound(), "Unsupported ConversationChannel"),
        (10406, {"_type": "Inbound", "content": text("Hi")}, "Invalid input for Message"),
        (10407, outbound(), "Invalid input for Message"),
        (10407, {"_type": "Inbound", "content": text("Hi", "Markdown")}, "Invalid input for Message"),
        (10401, {"_type": "Outbound", "agentId": MIA}, "Invalid input for Message"),
        (10403, outbound(cc=[GRACE]), "Invalid input for Message"),
        (10401, outbound(agent=NOBODY), "User not found"),
        (10401, outbound(agent=OLIVIA), "User is not agent/admin"),
        (10401, outbound(cc=[NOBODY]), "User not found"),
        (10401, outbound(integrationEmail="nobody@example.com"), "Invalid input for Message"),
        (10401, outbound(attachments=[{"url": "https://gone.invalid/a.png"}]), "Failure to download attachment"),
        (10401, outbound(externalId="form-5512"), "Duplicate externalId"),
    ],
)
async def test_a_message_the_channel_cannot_take_is_refused_and_changes_nothing(
    sandbox: Sandbox, dixa: Client, csid: int, body: Any, message: str
) -> None:
    """Channels and limits of notes §9."""
    before = json.dumps(sandbox.organisation.state())
    answer = await dixa.post(f"/conversations/{csid}/messages", json=body)
    assert (answer.status_code, answer.json()["message"]) == (400, message)
    assert (json.dumps(sandbox.organisation.state()), sandbox.outbox) == (before, [])


async def test_whatsapp_takes_markdown_or_one_file_until_its_window_ends(sandbox: Sandbox, dixa: Client) -> None:
    """Notes §9: outbound and Markdown only, content optional with an attachment, `transportExpiresAt`."""
    path = "/conversations/10407/messages"
    markdown = {"_type": "Outbound", "agentId": TOM, "content": text("* Refund", "Markdown")}
    file = {"_type": "Outbound", "agentId": TOM, "attachments": [{"url": "https://files.example.com/invoice.pdf"}]}
    assert (await dixa.post(path, json=markdown)).status_code == 200
    assert (await dixa.post(path, json=file)).status_code == 200
    assert [(item["kind"], item["to"]) for item in sandbox.outbox] == [("whatsapp", ["+447700900188"])] * 2
    assert (await dixa.post(path, json=file | {"attachments": file["attachments"] * 2})).status_code == 400
    sandbox.clock.advance(hours=23)
    assert (await dixa.post(path, json=markdown)).status_code == 400


async def test_an_external_id_works_once(sandbox: Sandbox, dixa: Client) -> None:
    """The only aid against sending twice (notes §3)."""
    path = "/conversations/10401/messages"
    assert (await dixa.post(path, json=outbound(externalId="once"))).status_code == 200
    assert (await dixa.post(path, json=outbound(externalId="once"))).json() == {"message": "Duplicate externalId"}
    assert len(sandbox.outbox) == 1


# --- new conversations

MAIL = {"_type": "Email", "requesterId": OLIVIA, "emailIntegrationId": SUPPORT, "subject": "Hello"}
CHAT = {"_type": "Chat", "requesterId": NOOR, "widgetId": "9f0f1559-2240-4f07-991e-d1e8457dde04"}
SMS = {"_type": "Sms", "requesterId": "88dd71ca-b0d5-4164-ae33-f22f201a7c1c", "contactEndpointId": "+46701740610"}
CALL = {
    "_type": "Callback",
    "requesterId": DANIEL,
    "direction": "Outbound",
    "contactEndpointId": "+12025550175",
    "queueId": "f343d8d3-340e-4287-824e-d5437561c985",
}


@pytest.mark.parametrize(
    ("body", "kind", "to"),
    [
        (MAIL | {"message": outbound()}, "email", "olivia.hart@example.com"),
        (MAIL | {"_type": "ContactForm", "message": outbound()}, "email", "olivia.hart@example.com"),
        (CHAT | {"message": outbound()}, "chat", NOOR),
        (SMS | {"message": outbound()}, "sms", "+46701740611"),
        (CALL, "call", "+12025550155"),
    ],
)
async def test_a_new_outbound_conversation_reaches_the_customer(
    sandbox: Sandbox, dixa: Client, body: Any, kind: str, to: str
) -> None:
    """The five types that can be created (notes §9) and who notices (notes §21)."""
    answer = await dixa.post("/conversations", json=body)
    assert (answer.status_code, answer.json()) == (201, {"data": {"id": 10414}})
    made = await conversation(dixa, 10414)
    assert (made["state"], made["direction"]) == ("Open", "Outbound")
    assert [(item["kind"], item["to"], item["conversation"]) for item in sandbox.reached_customers] == [
        (kind, [to], 10414)
    ]


@pytest.mark.parametrize("body", [MAIL, MAIL | {"_type": "ContactForm"}, CHAT])
async def test_a_new_inbound_conversation_waits_in_its_queue(sandbox: Sandbox, dixa: Client, body: Any) -> None:
    """The requester is the author; the contact point's queue takes it (ours)."""
    message = {"_type": "Inbound", "content": text("Hi")}
    assert (await dixa.post("/conversations", json=body | {"message": message})).status_code == 201
    made = await conversation(dixa, 10414)
    assert (made["queue"]["id"], "assignment" in made, sandbox.reached_customers) == (GENERAL, False, [])
    assert (await dixa.get("/conversations/10414/messages")).json()["data"][0]["authorId"] == body["requesterId"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (MAIL | {"requesterId": NOBODY, "message": outbound()}, 404),
        (MAIL | {"emailIntegrationId": "nobody@example.com", "message": outbound()}, 404),
        (MAIL | {"requesterId": DANIEL, "message": outbound()}, 400),
        (CHAT | {"widgetId": NOBODY, "message": outbound()}, 404),
        (SMS | {"contactEndpointId": "+442079460991", "message": outbound()}, 400),
        (SMS | {"message": {"_type": "Inbound", "content": text("Hi")}}, 400),
        (CALL | {"requesterId": LUCAS}, 400),
        (CALL | {"queueId": NOBODY}, 404),
        (MAIL | {"message": outbound(externalId="form-5512")}, 400),
        (MAIL | {"message": outbound(attachments=[{"url": "ftp://files.example.com/a"}])}, 400),
    ],
)
async def test_a_conversation_that_cannot_be_made_leaves_no_trace(
    sandbox: Sandbox, dixa: Client, body: Any, status: int
) -> None:
    """Requester, endpoint and queue in this body may give 404 (notes §4)."""
    before = json.dumps(sandbox.organisation.state())
    assert (await dixa.post("/conversations", json=body)).status_code == status
    assert (json.dumps(sandbox.organisation.state()), sandbox.outbox) == (before, [])


async def test_an_import_keeps_history_and_sends_nothing(sandbox: Sandbox, dixa: Client) -> None:
    """Generic API messaging, assigned; what couldn't be done is a partial error (notes §4, §10)."""
    body = {
        "_type": "GenericConversationImport",
        "genericChannelName": "genericapimessaging",
        "requesterId": OLIVIA,
        "direction": "Inbound",
        "createdAt": "2026-02-02T08:00:00.000Z",
        "externalId": "bot-9",
        "messages": [
            {"_type": "InboundImport", "content": text("Help"), "createdAt": "2026-02-02T08:00:05.000Z"},
            {
                "_type": "OutboundImport",
                "agentId": TOM,
                "content": text("Sure"),
                "attachments": [{"url": "https://gone.invalid/a.png"}],
                "createdAt": "2026-02-02T08:00:20.000Z",
            },
        ],
        "assignment": {"agentId": NOBODY, "assignedAt": "2026-02-02T08:01:00.000Z"},
    }
    answer = await dixa.post("/conversations/import", json=body)
    assert answer.status_code == 201
    assert [problem["message"] for problem in answer.json()["data"]["partialErrors"]] == [
        "Failure to download attachment",
        "The conversation could not be assigned: agent does not exist",
    ]
    assert sandbox.reached_customers == []
    assert [item["authorId"] for item in (await dixa.get("/conversations/10414/messages")).json()["data"]] == [
        OLIVIA,
        TOM,
    ]
    assert (await dixa.post("/conversations/import", json=body)).json() == {"message": "Duplicate externalId"}
    unknown = await dixa.post("/conversations/import", json=body | {"requesterId": NOBODY})
    assert (unknown.status_code, unknown.json()["message"]) == (400, "Requester does not exist")


async def test_an_imported_mail_can_be_closed_history(dixa: Client) -> None:
    """Cc and bcc are addresses here, unlike in messages (notes §10)."""
    body = {
        "_type": "GenericConversationImport",
        "genericChannelName": "email",
        "requesterId": OLIVIA,
        "direction": "Inbound",
        "createdAt": "2025-11-03T10:00:00.000Z",
        "attributes": {"emailIntegrationId": SUPPORT, "subject": "Old ticket"},
        "messages": [
            {
                "_type": "OutboundImport",
                "agentId": SARA,
                "content": text("Refunded"),
                "createdAt": "2025-11-03T12:00:00.000Z",
                "attributes": {"emailIntegrationId": SUPPORT, "cc": ["grace.hill@example.com"], "bcc": []},
            }
        ],
        "closing": {"closedAt": "2025-11-03T12:05:00.000Z", "closedBy": SARA},
    }
    csid = (await dixa.post("/conversations/import", json=body)).json()["data"]["id"]
    made = await conversation(dixa, csid)
    assert (made["state"], made["stateUpdatedAt"], made["subject"]) == (
        "Closed",
        "2025-11-03T12:05:00Z",
        "Old ticket",
    )
    [message] = (await dixa.get(f"/conversations/{csid}/messages")).json()["data"]
    assert message["attributes"]["cc"] == [{"email": "grace.hill@example.com"}]
