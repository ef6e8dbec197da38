"""Anonymisation in the sandbox: it takes a moment, it is refused while something is open, and it is final."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fernway_ids import GRACE, MIA, NOBODY, NOOR, OLIVIA, SARA, TOM

from dixa_mcp.sandbox import Sandbox, transport

Client = httpx.AsyncClient
Connect = Callable[..., Client]
MAIL = "b4fffe9d-da46-49d0-8815-1d535899b2ea"
TEXT = {"_type": "Text", "value": "Hello"}
DONE = "10409"


async def data(dixa: Client, path: str) -> Any:
    return (await dixa.get(path)).json()["data"]


async def everything_readable(dixa: Client, sandbox: Sandbox) -> str:
    """Return all that the API shows of an organisation, and the state behind it, as one text."""
    reads = ["/endusers?pageLimit=1000", "/conversations/activitylog?pageLimit=10000", "/webhooks"]
    reads += [f"/endusers/{user}" for user in sandbox.organisation.end_users]
    parts = ("", "/messages", "/notes", "/ratings", "/activitylog", "/tags", "/linked")
    reads += [f"/conversations/{csid}{part}" for csid in sandbox.organisation.conversations for part in parts]
    for hook, sent in sandbox.organisation.deliveries.items():
        reads += [f"/webhooks/{hook}/delivery-status/logs/{event}" for event in sent]
    return json.dumps([(await dixa.get(path)).text for path in reads] + [sandbox.organisation.state()])


# --- asking


async def test_a_request_is_carried_out_when_the_clock_has_moved(sandbox: Sandbox, dixa: Client) -> None:
    """202 with the request, processedAt half a minute later (fixtures §11); until then nothing is gone."""
    answer = await dixa.patch("/conversations/10405/anonymize")
    asked = answer.json()["data"]
    assert (answer.status_code, asked["_type"], asked["entityType"]) == (
        202,
        "Conversation",
        "ConversationAnonymizationType",
    )
    assert (asked["targetEntityId"], asked["requestedBy"], "processedAt" in asked) == ("10405", MIA, False)
    assert (await data(dixa, "/conversations/10405"))["_type"] == "PstnPhoneConversation"
    sandbox.clock.advance(hours=1)
    done = await data(dixa, f"/anonymization/request/{asked['id']}")
    assert done == asked | {"processedAt": "2026-02-13T12:00:30.000Z"}
    assert (await data(dixa, "/conversations/10405"))["_type"] == "AnonymizedConversation"


async def test_a_request_is_carried_out_with_the_second_poll(dixa: Client) -> None:
    """The clock stands still unless it is moved, so polling must end, too (fixtures §11)."""
    asked = (await dixa.patch("/conversations/10405/anonymize")).json()["data"]
    path = f"/anonymization/request/{asked['id']}"
    assert [("processedAt" in await data(dixa, path)) for _ in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/endusers/{NOBODY}/anonymize", 404),
        (f"/endusers/{MIA}/anonymize", 404),
        ("/conversations/99999999/anonymize", 404),
        (f"/conversations/10401/messages/{NOBODY}/anonymize", 404),
        (f"/conversations/10402/messages/{MAIL}/anonymize", 404),
        ("/conversations/10401/anonymize", 409),
        ("/conversations/10404/anonymize", 409),
        ("/conversations/10401/anonymize?force=false", 409),
        (f"/endusers/{OLIVIA}/anonymize", 409),
        (f"/conversations/{DONE}/anonymize?force=true", 409),
    ],
)
async def test_what_is_unknown_open_or_done_already_is_refused(
    sandbox: Sandbox, dixa: Client, path: str, status: int
) -> None:
    """404, and presumably 409 for what isn't closed (notes §20): open and pending; ours: for what is done."""
    before = sandbox.organisation.state()
    answer = await dixa.patch(path)
    assert (answer.status_code, sandbox.organisation.state()) == (status, before)


async def test_force_counts_in_the_query_only(dixa: Client) -> None:
    """A body isn't looked at: Dixa's own command line got that wrong (notes §20)."""
    answer = await dixa.patch("/conversations/10401/anonymize", json={"force": True})
    assert answer.status_code == 409


async def test_force_closes_first_and_at_once(sandbox: Sandbox, dixa: Client) -> None:
    """All that is open of the customer's, as somebody's act, whether they like it or not (notes §20)."""
    assert (await dixa.patch(f"/endusers/{NOOR}/anonymize?force=true")).status_code == 202
    assert (await data(dixa, "/conversations/10403"))["state"] == "Closed"
    assert (await data(dixa, "/conversations/10403/activitylog"))[0]["_type"] == "ConversationClosed"
    assert [item["kind"] for item in sandbox.outbox] == ["webhook", "survey"]
    assert (await data(dixa, "/conversations/10401"))["state"] == "Open"


async def test_asking_again_while_it_waits_gives_the_same_request(dixa: Client) -> None:
    """Ours: a repeat after a lost answer makes no second one."""
    first = (await dixa.patch("/conversations/10405/anonymize")).json()
    assert (await dixa.patch("/conversations/10405/anonymize")).json() == first


async def test_the_status_needs_rights_and_a_request(dixa: Client, connect: Connect) -> None:
    """401 for the limited token, 404 for an unknown request (notes §2, §4)."""
    assert (await dixa.get(f"/anonymization/request/{NOBODY}")).status_code == 404
    seeded = "/anonymization/request/c4f30956-c7e3-4baa-8a40-6fe3cb86890d"
    assert (await data(dixa, seeded))["targetEntityId"] == DONE
    assert (await connect("sandbox-limited-token").get(seeded)).status_code == 401
    assert (await connect("sandbox-second-token").get(seeded)).status_code == 404


# --- the deprecated call


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"entityId": "10405", "_type": "Conversation"}, "Conversation"),
        ({"entityId": "10401", "_type": "Conversation", "forceAnonymization": True}, "Conversation"),
        ({"entityId": "10405", "entityType": "ConversationAnonymizationType"}, "Conversation"),
        ({"entityId": GRACE, "_type": "User", "forceAnonymization": True}, "User"),
        ({"entityId": f"10401_{MAIL}", "_type": "Message"}, "Message"),
    ],
)
async def test_the_deprecated_call_takes_the_target_in_its_body(dixa: Client, body: Any, kind: str) -> None:
    """200 instead of 202 (notes §20)."""
    answer = await dixa.post("/anonymization", json=body)
    assert (answer.status_code, answer.json()["data"]["_type"]) == (200, kind)
    assert answer.json()["data"]["targetEntityId"] == body["entityId"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"entityId": "10405"}, "The entity type is missing"),
        ({"entityId": "10405", "_type": "User"}, "The entityId doesn't match the expected format"),
        ({"entityId": GRACE, "_type": "Conversation"}, "The entityId doesn't match the expected format"),
        ({"entityId": MAIL, "_type": "Message"}, "The entityId doesn't match the expected format"),
        ({"entityId": "99999999", "_type": "Conversation"}, "could not be found"),
        ({"entityId": "10401", "_type": "Conversation"}, "Conflict"),
        ({"entityId": "10405", "_type": "Team"}, "body"),
    ],
)
async def test_the_deprecated_call_refuses_with_400_only(dixa: Client, body: Any, text: str) -> None:
    """It documents neither 404 nor 409 (notes §4)."""
    answer = await dixa.post("/anonymization", json=body)
    assert (answer.status_code, text in answer.json()["message"]) == (400, True), answer.text


# --- what is left


@pytest.mark.parametrize("csid", [csid for csid in range(10401, 10414) if csid != int(DONE)])
async def test_any_kind_of_conversation_leaves_a_frame_that_can_be_read(
    sandbox: Sandbox, dixa: Client, csid: int
) -> None:
    """Whatever its channel: each answer is held against the document (notes §9, §20)."""
    before = await data(dixa, f"/conversations/{csid}")
    said = len(await data(dixa, f"/conversations/{csid}/messages"))
    assert (await dixa.patch(f"/conversations/{csid}/anonymize?force=true")).status_code == 202
    sandbox.clock.advance(minutes=1)
    after = await data(dixa, f"/conversations/{csid}")
    assert (after["_type"], after["anonymizedAt"]) == ("AnonymizedConversation", "2026-02-13T12:00:30Z")
    kept = ("id", "requesterId", "channel", "createdAt", "direction", "link")
    assert [after.get(key) for key in kept] == [before.get(key) for key in kept]
    assert not {"assignment", "queue", "subject", "fromEmail", "browserInfo"} & after.keys()
    messages = await data(dixa, f"/conversations/{csid}/messages")
    assert len(messages) == said
    assert "files.dixa.io" not in json.dumps(messages)
    for part in ("notes", "ratings", "activitylog", "tags", "linked"):
        assert (await dixa.get(f"/conversations/{csid}/{part}")).status_code == 200


async def test_nothing_of_an_anonymised_customer_is_left_anywhere(sandbox: Sandbox, dixa: Client) -> None:
    """User ⊃ conversations ⊃ messages (notes §20): names, addresses, texts, notes, comments, logs, files."""
    secrets = ["Olivia", "olivia", "o.hart@example.org", "+447700900123", "C-100231", "F-20417", "Hamburg"]
    secrets += ["OMS: replacement", "Splendid", "only-for-the-log", "Copied words"]
    hook = {"name": "All", "url": "https://hooks.example.com/all", "authorization": {"_type": "NoAuth"}}
    events = ["ConversationNoteAdded", "ConversationMessageAdded", "ConversationRated", "ConversationClosed"]
    await dixa.post("/webhooks", json=hook | {"customHeaders": {}, "events": events})
    offer = {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA}
    rating = (await dixa.post("/conversations/10401/ratings/offer", json=offer)).json()["data"]["id"]
    result = {"ratingResult": {"_type": "Csat", "value": 5}, "comment": "Splendid"}
    await dixa.post(f"/conversations/10401/ratings/{rating}/submit", json=result)
    await dixa.post("/conversations/10401/notes", json={"message": "only-for-the-log"})
    await dixa.patch(f"/endusers/{OLIVIA}", json={"avatarUrl": "https://pictures.example.com/o.png"})
    copied = {"_type": "Outbound", "agentId": MIA, "content": TEXT, "cc": [OLIVIA]}
    await dixa.post("/conversations/10412/messages", json=copied | {"agentId": TOM})
    bot = {"genericChannelName": "email", "requesterId": GRACE, "direction": "Inbound"}
    written = {"_type": "InboundImport", "content": TEXT | {"value": "Copied words"}}
    written |= {"createdAt": "2026-02-01T08:00:00.000Z", "attributes": {"requesterId": OLIVIA}}
    bot |= {
        "createdAt": "2026-02-01T08:00:00.000Z",
        "attributes": {"emailIntegrationId": "fernway-support@email.dixa.io"},
    }
    assert (await dixa.post("/conversations/import", json=bot | {"messages": [written]})).status_code == 201
    avatar = (await data(dixa, f"/endusers/{OLIVIA}"))["avatarUrl"]
    before = await everything_readable(dixa, sandbox)
    assert [word for word in secrets if word not in before] == []

    assert (await dixa.patch(f"/endusers/{OLIVIA}/anonymize?force=true")).status_code == 202
    sandbox.clock.advance(hours=24)

    after = await everything_readable(dixa, sandbox)
    assert [word for word in secrets if word in after] == []
    for query in ("email=olivia.hart%40example.com", "email=o.hart%40example.org", "phone=%2B447700900123"):
        assert await data(dixa, f"/endusers?{query}") == []
    assert await data(dixa, "/endusers?externalId=C-100231") == []
    for words in ("F-20417", "Olivia", "Copied"):
        assert (await dixa.post("/search/conversations", json={"query": {"value": words}})).json()["data"] == []
        assert (await dixa.get(f"/search/conversations?query={words}")).json()["data"] == []
    user = await data(dixa, f"/endusers/{OLIVIA}")
    lists = {"additionalEmails": [], "additionalPhoneNumbers": [], "middleNames": [], "customAttributes": []}
    assert user == {"id": OLIVIA, "createdAt": "2024-09-02T10:11:12Z"} | lists
    dixa.event_hooks = {}
    for file in (avatar, "https://files.dixa.io/private/fernway/email_original_data/0001"):
        assert (await dixa.get(file)).status_code == 404


async def test_other_customers_keep_everything(sandbox: Sandbox, dixa: Client) -> None:
    """Only the customer who was asked for is gone."""
    lucas = [await data(dixa, path) for path in ("/conversations/10402", "/conversations/10402/messages")]
    await dixa.patch(f"/endusers/{OLIVIA}/anonymize?force=true")
    sandbox.clock.advance(minutes=1)
    assert [await data(dixa, path) for path in ("/conversations/10402", "/conversations/10402/messages")] == lucas
    assert (await data(dixa, "/agents"))[0]["displayName"] == "Mia Lindqvist"
    entries = await data(dixa, "/conversations/10401/activitylog")
    assert {entry["author"]["name"] for entry in entries if "name" in entry.get("author", {})} == {"Mia Lindqvist"}


async def test_statistics_stay_as_they_were(sandbox: Sandbox, dixa: Client) -> None:
    """Metadata is kept for them (notes §20): figures by agent, queue and channel don't move."""

    async def figures() -> list[Any]:
        period = {"periodFilter": {"_type": "Preset", "value": "ThisYear"}, "timezone": "UTC"}
        asked = [
            ("csat", "agent_id", SARA),
            ("closed_conversations", "queue_id", "f343d8d3-340e-4287-824e-d5437561c985"),
        ]
        asked += [
            ("first_response_time", "channel", "EMAIL"),
            ("closed_conversations", "contact_point", "+12025550175"),
        ]
        bodies = [{"id": name, "filters": [{"attribute": field, "values": [value]}]} for name, field, value in asked]
        return [(await dixa.post("/analytics/metrics", json=body | period)).json()["data"] for body in bodies]

    before = await figures()
    for csid in (10405, 10406, 10408, 10410, 10413):
        assert (await dixa.patch(f"/conversations/{csid}/anonymize")).status_code == 202
    sandbox.clock.advance(minutes=1)
    assert (await figures(), sandbox.organisation.conversations[10405]["_type"]) == (before, "AnonymizedConversation")


async def test_a_message_alone_loses_its_words_and_files(dixa: Client) -> None:
    """Also in an open conversation: it has no force (notes §20); the log says what was removed (notes §11)."""
    path = f"/conversations/10401/messages/{MAIL}/anonymize"
    asked = (await dixa.patch(path)).json()["data"]
    assert (asked["_type"], asked["targetEntityId"]) == ("Message", f"10401_{MAIL}")
    for _ in range(2):
        await dixa.get(f"/anonymization/request/{asked['id']}")
    first, reply = (await data(dixa, "/conversations/10401/messages"))[:2]
    assert (first["id"], first["attributes"]["emailContent"]["content"]["value"]) == (MAIL, "")
    assert ("originalContentUrl" in first["attributes"], first["attributes"]["direction"]) == (False, "Inbound")
    assert reply["attributes"]["emailContent"]["content"]["value"]
    entry = (await data(dixa, "/conversations/10401/activitylog"))[-1]
    assert (entry["_type"], entry["attributes"]) == (
        "ConversationMessageRedacted",
        {
            "_type": "MessageRedactedAttribute",
            "messageId": MAIL,
            "wasTextRedacted": True,
            "numberOfDeletedFiles": 1,
        },
    )
    assert (await data(dixa, "/conversations/10401"))["state"] == "Open"
    assert (await dixa.patch(path)).status_code == 409
    found = await dixa.post("/search/conversations", json={"query": {"value": "Monday"}})
    assert found.json()["data"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", f"/endusers/{OLIVIA}", {"displayName": "Olivia"}, 400),
        ("PUT", f"/endusers/{OLIVIA}", {"displayName": "Olivia"}, 400),
        ("PATCH", f"/endusers/{OLIVIA}/custom-attributes", {"38645cf4-6f16-4169-8cb4-74b8d0a48a73": "C-1"}, 400),
        ("PATCH", f"/endusers/{OLIVIA}/anonymize", None, 409),
        ("POST", "/conversations/10401/notes", {"message": "Olivia"}, 400),
        ("POST", "/conversations/10401/ratings/offer", {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA}, 400),
        ("PUT", "/conversations/10401/reopen", {}, 400),
        ("PUT", "/conversations/10404/link", {"parentId": 10401, "linkType": "Related"}, 400),
        ("PATCH", f"/conversations/10401/messages/{MAIL}/anonymize", None, 409),
    ],
)
async def test_it_is_final(sandbox: Sandbox, dixa: Client, method: str, path: str, body: Any, status: int) -> None:
    """There is no way back and nothing new is written to it (notes §20; the refusals are ours)."""
    await dixa.patch(f"/endusers/{OLIVIA}/anonymize?force=true")
    sandbox.clock.advance(minutes=1)
    await dixa.get("/organization")
    before = sandbox.organisation.state()
    assert (await dixa.request(method, path, json=body)).status_code == status
    assert sandbox.organisation.state() == before


async def test_a_rating_that_was_offered_cannot_be_submitted_afterwards(sandbox: Sandbox, dixa: Client) -> None:
    """Its comment would bring the customer's words back (ours)."""
    assert (await dixa.patch("/conversations/10413/anonymize")).status_code == 202
    sandbox.clock.advance(minutes=1)
    path = "/conversations/10413/ratings/b87da6a0-c730-49c3-93e3-9d8ff611d4d1/submit"
    body = {"ratingResult": {"_type": "Nps", "value": 9}, "comment": "I am Chloé"}
    assert (await dixa.post(path, json=body)).status_code == 400


async def test_a_survey_that_waited_is_cancelled(sandbox: Sandbox, dixa: Client) -> None:
    """Closed by force, anonymised before the survey's time: nothing is offered any more (ours)."""
    await dixa.patch("/conversations/10403/anonymize?force=true")
    sandbox.clock.advance(hours=1)
    assert [rating["ratingStatus"] for rating in await data(dixa, "/conversations/10403/ratings")] == ["Cancelled"]


async def test_conversations_opened_in_the_meantime_are_anonymised_too(sandbox: Sandbox, dixa: Client) -> None:
    """The customer is forgotten as of the moment it is carried out, not of the request."""
    await dixa.patch(f"/endusers/{GRACE}/anonymize?force=true")
    mail = {"_type": "Email", "requesterId": GRACE, "emailIntegrationId": "fernway-support@email.dixa.io"}
    body = mail | {"subject": "Grace again", "message": {"_type": "Inbound", "content": TEXT}}
    csid = (await dixa.post("/conversations", json=body)).json()["data"]["id"]
    sandbox.clock.advance(minutes=1)
    after = await data(dixa, f"/conversations/{csid}")
    assert (after["_type"], after["state"]) == ("AnonymizedConversation", "Closed")
    assert (await dixa.post("/conversations", json=body)).status_code == 404


async def test_a_generated_customer_is_forgotten_like_any_other() -> None:
    """Also where nobody has looked at the conversations before (design §8, `scale`)."""
    sandbox = Sandbox(scale=300)
    org = sandbox.organisation
    busy = Counter(item["requesterId"] for csid, item in org.conversations.items() if csid > 20_000)
    user, count = busy.most_common(1)[0]
    email = org.end_users[user]["email"]
    client = Client(transport=transport(sandbox), base_url="https://dev.dixa.io/v1")
    async with client as dixa:
        dixa.headers["Authorization"] = "sandbox-admin-token"
        assert (await dixa.patch(f"/endusers/{user}/anonymize?force=true")).status_code == 202
        sandbox.clock.advance(minutes=1)
        await dixa.get("/organization")
        asked = (await data(dixa, f"/endusers/{user}/conversations"))[:count]
        assert {item["_type"] for item in asked} == {"AnonymizedConversation"}
        assert email not in json.dumps(org.state())


async def test_a_conversation_alone_takes_its_log_and_deliveries_along(sandbox: Sandbox, dixa: Client) -> None:
    """The customer stays a customer elsewhere, but is only an id in what is left of this one (notes §20)."""
    hook = {"name": "All", "url": "https://hooks.example.com/all", "authorization": {"_type": "NoAuth"}}
    hook |= {"customHeaders": {}, "events": ["ConversationNoteAdded"]}
    made = (await dixa.post("/webhooks", json=hook)).json()["data"]["id"]
    await dixa.post("/conversations/10401/notes", json={"message": "Hamburg"})
    await dixa.post("/conversations/10402/notes", json={"message": "Boots"})
    await dixa.patch("/conversations/10401/anonymize?force=true")
    sandbox.clock.advance(minutes=1)
    log = await data(dixa, "/conversations/10401/activitylog")
    assert log[0]["author"] == {"id": OLIVIA}
    assert [word for word in ("Olivia", "olivia", "F-20417", "Hamburg") if word in json.dumps(log)] == []
    logged = await data(dixa, f"/webhooks/{made}/delivery-status/logs/ConversationNoteAdded")
    assert ["Boots" in entry["payload"] for entry in logged] == [True, False]
    assert logged[1] == {"deliveryDetail": logged[0]["deliveryDetail"], "payload": "{}"}
    assert (await data(dixa, f"/endusers/{OLIVIA}"))["displayName"] == "Olivia Hart"
