"""Tags, attributes, ratings, people, queues, teams, endpoints in the sandbox."""

from typing import Any

import httpx
import pytest
from fernway_ids import DANIEL, GENERAL, LUCAS, MIA, NOBODY, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp.sandbox import Sandbox

Client = httpx.AsyncClient
REFUND = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
CAMPAIGN = "c2ba9aae-e9cf-41b8-a121-a74727c9a728"
ORDER = "4b2fe144-136d-456f-8516-c49e408c994c"
REASON = "d10fab2a-5f2b-4baf-8f55-848db3ad59ec"
CLOSING = "0be2a6fe-2b46-45b6-bb93-d9b72eb796c6"
TIER = "19ec52bc-3d73-4215-9fcf-5be4705b8f15"
FRONTLINE = "6bef1303-9224-4c2b-90e1-a9092e795aad"


async def data(dixa: Client, path: str) -> Any:
    return (await dixa.get(path)).json()["data"]


async def tags_of(dixa: Client, csid: int) -> list[str]:
    return [tag["name"] for tag in await data(dixa, f"/conversations/{csid}/tags")]


@pytest.mark.parametrize(
    "path",
    [
        "/tags",
        "/tags?includeDeactivated=true",
        f"/tags/{CAMPAIGN}",
        "/queues",
        f"/queues/{GENERAL}",
        f"/queues/{GENERAL}/members",
        f"/queues/{GENERAL}/availability",
        "/queues/conversation-position/10402",
        "/agents",
        f"/agents/{MIA}",
        f"/agents/{MIA}/teams",
        f"/agents/{MIA}/presence",
        "/agents/presence",
        "/teams",
        f"/teams/{FRONTLINE}",
        f"/teams/{FRONTLINE}/agents",
        f"/teams/{FRONTLINE}/presence",
        "/endusers",
        f"/endusers/{OLIVIA}",
        f"/endusers/{OLIVIA}/conversations",
        "/contact-endpoints",
        "/contact-endpoints/%2B12025550175",
        "/contact-endpoints/fernway-support%40email.dixa.io",
        "/custom-attributes",
        f"/custom-attributes/{REASON}",
        "/conversations/flows",
        "/conversations/flows?channel=Email",
        "/organization",
        "/analytics/metrics",
        "/analytics/metrics/csat",
        "/analytics/records",
        "/analytics/records/ratings",
        "/analytics/filter/channel",
    ],
)
async def test_a_read_answers_as_the_document_says(dixa: Client, path: str) -> None:
    """The client of these tests holds every good answer against the document."""
    answer = await dixa.get(path)
    assert answer.status_code == 200
    assert answer.json()


# --- tags


async def test_inactive_tags_are_hidden_and_cannot_be_put_on(dixa: Client) -> None:
    """They stay where they are and can be taken off (notes §16)."""
    assert len(await data(dixa, "/tags")) == 6
    assert len(await data(dixa, "/tags?includeDeactivated=true")) == 7
    assert (await dixa.put(f"/conversations/10401/tags/{CAMPAIGN}")).status_code == 400
    assert "summer-2024-campaign" in await tags_of(dixa, 10408)
    assert (await dixa.delete(f"/conversations/10408/tags/{CAMPAIGN}")).status_code == 204
    assert await tags_of(dixa, 10408) == ["feedback"]


async def test_tagging_twice_tags_once(dixa: Client) -> None:
    """204 both times, one entry in the log."""
    for _ in range(2):
        assert (await dixa.put(f"/conversations/10403/tags/{REFUND}")).status_code == 204
    assert await tags_of(dixa, 10403) == ["refund"]
    assert [entry["_type"] for entry in await data(dixa, "/conversations/10403/activitylog")] == ["TagAdded"]
    assert (await dixa.put(f"/conversations/10403/tags/{NOBODY}")).status_code == 404


async def test_bulk_tagging_creates_what_is_missing(dixa: Client) -> None:
    """By name, 202; a typo makes a new tag (notes §16)."""
    body = {"data": [{"name": "refund"}, {"name": "refnud"}, {"name": "summer-2024-campaign"}]}
    assert (await dixa.post("/conversations/10403/tags/bulk", json=body)).status_code == 202
    assert await tags_of(dixa, 10403) == ["refund", "refnud"]
    assert "refnud" in [tag["name"] for tag in await data(dixa, "/tags")]


async def test_creating_a_tag_that_exists_returns_it_unchanged(dixa: Client) -> None:
    """Get or create, 200 (notes §16)."""
    answer = await dixa.post("/tags", json={"name": "refund", "color": "#000000"})
    assert (answer.status_code, answer.json()["data"]["id"], answer.json()["data"]["color"]) == (200, REFUND, "#C0392B")
    assert (await dixa.post("/tags", json={"name": "new"})).json()["data"]["state"] == "Active"
    assert (await dixa.post("/tags", json={"name": " "})).status_code == 400


async def test_a_deleted_tag_leaves_every_conversation(dixa: Client) -> None:
    """Irreversible; deactivating isn't (notes §16)."""
    assert (await dixa.patch(f"/tags/{REFUND}/deactivate")).status_code == 204
    assert (await dixa.patch(f"/tags/{REFUND}/activate")).status_code == 204
    assert await tags_of(dixa, 10402) == ["refund"]
    assert (await dixa.delete(f"/tags/{REFUND}")).status_code == 204
    assert (await tags_of(dixa, 10402), await tags_of(dixa, 10413)) == ([], [])
    assert (await dixa.get(f"/tags/{REFUND}")).status_code == 404


# --- custom attributes


async def test_attributes_are_patched_by_id_and_null_clears(dixa: Client) -> None:
    """Text, a path of option values, null; what isn't named stays (notes §14)."""
    path = "/conversations/10401/custom-attributes"
    answer = await dixa.patch(path, json={ORDER: None, CLOSING: ["solved"], REASON: ["payment"]})
    assert [(item["identifier"], item["value"]) for item in answer.json()["data"]] == [
        ("closing_reason", ["solved"]),
        ("contact_reason", ["payment"]),
    ]
    held = (await data(dixa, "/conversations/10401"))["customAttributes"]
    assert {item["identifier"]: item["value"] for item in held} == {
        "contact_reason": ["payment"],
        "closing_reason": ["solved"],
    }


@pytest.mark.parametrize(
    "body",
    [
        {ORDER: ["F-1"]},
        {CLOSING: "solved"},
        {CLOSING: ["Solved"]},
        {REASON: ["late"]},
        {REASON: ["delivery", "wrong_size"]},
        {TIER: ["gold"]},
        {NOBODY: "x"},
        {ORDER: "F-2", CLOSING: ["nonsense"]},
    ],
)
async def test_a_value_that_does_not_fit_changes_nothing(dixa: Client, body: Any) -> None:
    """Wrong form, label instead of value, child without parent, another entity's attribute (notes §14)."""
    before = await data(dixa, "/conversations/10401")
    answer = await dixa.patch("/conversations/10401/custom-attributes", json=body)
    assert answer.status_code == 400
    assert await data(dixa, "/conversations/10401") == before


async def test_contacts_have_attributes_of_their_own(dixa: Client) -> None:
    """Notes §14."""
    assert (await dixa.patch(f"/endusers/{LUCAS}/custom-attributes", json={TIER: ["silver"]})).status_code == 200
    held = (await data(dixa, f"/endusers/{LUCAS}"))["customAttributes"]
    assert {item["identifier"]: item["value"] for item in held}["loyalty_tier"] == ["silver"]
    assert (await dixa.patch(f"/endusers/{LUCAS}/custom-attributes", json={ORDER: "F-1"})).status_code == 400


# --- ratings


async def test_a_rating_is_offered_and_then_submitted(sandbox: Sandbox, dixa: Client) -> None:
    """Recording a survey held elsewhere reaches nobody (notes §16)."""
    offer = {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA, "offeredAt": "2026-02-13T10:00:00Z"}
    offered = await dixa.post("/conversations/10401/ratings/offer", json=offer)
    assert offered.status_code == 201
    path = f"/conversations/10401/ratings/{offered.json()['data']['id']}/submit"
    result = {"ratingResult": {"_type": "Csat", "value": 5}, "comment": "Fast"}
    assert (await dixa.post(path, json={"ratingResult": {"_type": "Csat", "value": 6}})).status_code == 400
    assert (await dixa.post(path, json={"ratingResult": {"_type": "Nps", "value": 6}})).status_code == 400
    assert (await dixa.post(path, json=result)).status_code == 201
    assert (await dixa.post(path, json=result)).status_code == 400
    [rating] = await data(dixa, "/conversations/10401/ratings")
    assert (rating["ratingStatus"], rating["ratingScore"], rating["ratingComment"]) == ("Rated", 5, "Fast")
    assert sandbox.outbox == []


# --- end users


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("email=olivia.hart%40example.com", ["Olivia Hart"]),
        ("email=O.Hart%40example.org", ["Olivia Hart"]),
        ("phone=%2B12025550143", ["Noor Haddad"]),
        ("externalId=C-100240", ["Grace Hill"]),
        ("email=nobody%40example.com", []),
    ],
)
async def test_end_users_are_found_by_one_exact_filter(dixa: Client, query: str, names: list[str]) -> None:
    """email, phone or externalId (notes §15)."""
    found = await data(dixa, f"/endusers?{query}")
    assert [user["displayName"] for user in found] == names
    assert all("customAttributes" not in user for user in found)


async def test_two_filters_are_refused(dixa: Client) -> None:
    """The document's words (fixtures §14)."""
    answer = await dixa.get("/endusers?email=a%40b.example&phone=%2B12025550143")
    assert answer.json() == {"message": "Invalid filters: Cannot provide both phone number and email address"}
    assert (await dixa.get("/endusers?email=a%40b.example&externalId=1")).status_code == 400


async def test_an_end_user_is_created_once(dixa: Client) -> None:
    """Every field is optional; a taken e-mail or number fails (notes §15)."""
    body = {"displayName": "Ida", "email": "ida@example.org", "avatarUrl": "https://pictures.example.com/i.png"}
    made = await dixa.post("/endusers", json=body)
    assert made.status_code == 201
    assert made.json()["data"]["avatarUrl"].startswith("https://files.dixa.io/public/")
    again = await dixa.post("/endusers", json=body)
    assert (again.status_code, again.json()["message"]) == (400, "Creating EndUser failed with [errors:EmailExists]")
    assert (await dixa.post("/endusers", json={})).status_code == 201
    agents_mail = {"email": "mia.lindqvist@example.com"}
    assert (await dixa.post("/endusers", json=agents_mail)).status_code == 400
    assert (await dixa.get(f"/endusers/{MIA}")).status_code == 404


async def test_patch_changes_what_is_sent_and_put_clears_the_rest(dixa: Client) -> None:
    """Notes §15."""
    await dixa.patch(f"/endusers/{OLIVIA}", json={"phoneNumber": "+447700900124"})
    patched = await data(dixa, f"/endusers/{OLIVIA}")
    assert (patched["phoneNumber"], patched["externalId"]) == ("+447700900124", "C-100231")
    assert (await dixa.patch(f"/endusers/{OLIVIA}", json={})).status_code == 400
    assert (await dixa.patch(f"/endusers/{OLIVIA}", json={"phoneNumber": "0770"})).status_code == 400
    await dixa.put(f"/endusers/{OLIVIA}", json={"displayName": "Olivia"})
    replaced = await data(dixa, f"/endusers/{OLIVIA}")
    assert (replaced["displayName"], "email" in replaced, replaced["additionalEmails"]) == ("Olivia", False, [])
    assert len(replaced["customAttributes"]) == 2
    assert (await dixa.put(f"/endusers/{OLIVIA}", json={"email": "o@example.org"})).status_code == 400


async def test_bulk_changes_succeed_and_fail_one_by_one(dixa: Client) -> None:
    """Error types of notes §4, words of fixtures §5."""
    noor = "0195f9c2-e629-4888-94ab-796ce5542c50"
    body = {
        "data": [
            {"id": LUCAS, "displayName": "L. Meyer"},
            {"id": noor, "phoneNumber": "+12025550155"},
            {"id": NOBODY, "displayName": "X"},
            {"id": OLIVIA},
        ]
    }
    outcomes = (await dixa.patch("/endusers", json=body)).json()["data"]
    assert outcomes[0]["data"]["displayName"] == "L. Meyer"
    assert [outcome["error"] for outcome in outcomes[1:]] == [
        {
            "_type": "Validation",
            "id": noor,
            "message": f"Updating EndUser [id:{noor}] failed with [errors:PhoneNumberExists]",
        },
        {"_type": "NotFound", "id": NOBODY, "message": "User not found"},
        {
            "_type": "EmptyPatchSet",
            "id": OLIVIA,
            "message": f"Updating EndUser [id:{OLIVIA}] failed with [errors:EmptyPatchSet]",
        },
    ]
    made = await dixa.post("/endusers/bulk", json={"data": [{"email": "a@example.org"}, {"email": "a@example.org"}]})
    assert made.status_code == 201
    assert [item["_type"] for item in made.json()["data"]] == ["BulkActionSuccess", "BulkActionFailure"]
    put = await dixa.put("/endusers", json={"data": [{"id": DANIEL, "displayName": "Daniel"}]})
    assert put.json()["data"][0]["data"]["displayName"] == "Daniel"


# --- queues, teams, agents


async def test_members_are_added_one_by_one_and_at_most_ten_at_once(dixa: Client) -> None:
    """Notes §17."""
    path = f"/queues/{RETURNS}/members"
    outcomes = (await dixa.patch(path, json={"agentIds": [MIA, OLIVIA, NOBODY]})).json()["data"]
    assert outcomes[0] == {"_type": "BulkActionSuccess", "data": MIA}
    assert [outcome["error"]["message"] for outcome in outcomes[1:]] == [
        "Member is neither Agent or Admin",
        "User not found",
    ]
    assert [member["agentId"] for member in await data(dixa, path)] == [TOM, SARA, MIA]
    removed = await dixa.request("DELETE", path, json={"agentIds": [TOM, SARA]})
    assert removed.status_code == 204
    assert [member["agentId"] for member in await data(dixa, path)] == [MIA]
    assert (await dixa.patch(path, json={"agentIds": [MIA] * 11})).status_code == 400


async def test_a_queue_is_sent_and_read_with_different_names(dixa: Client) -> None:
    """OfferAlgorithm becomes offeringAlgorithm; fields go under `request` (notes §17)."""
    body = {"name": "Spare", "callFunctionality": False, "isDefault": False, "isDoNotOfferEnabled": False}
    made = await dixa.post("/queues", json={"request": body | {"offerAlgorithm": "AllAtOnce"}})
    assert made.status_code == 201
    queue = await data(dixa, f"/queues/{made.json()['data']['id']}")
    assert (queue["name"], queue["offeringAlgorithm"], "callFunctionality" in queue) == ("Spare", "AllAtOnce", False)
    assert (await dixa.post("/queues", json=body)).status_code == 400


async def test_availability_is_a_conflict_where_no_bot_channel_exists(connect: Any) -> None:
    """409 without a supported channel, 400 for an unknown queue (notes §4, §17)."""
    assert (await connect().get(f"/queues/{NOBODY}/availability")).status_code == 400
    other = connect("sandbox-second-token")
    queue = (await data(other, "/queues"))[0]["id"]
    assert (await other.get(f"/queues/{queue}/availability")).status_code == 409


async def test_only_waiting_conversations_have_a_position(dixa: Client) -> None:
    """Notes §17; ours: who never queued is a 404."""
    assert await data(dixa, "/queues/conversation-position/10402") == {
        "position": 1,
        "queuedAt": "2026-02-13T11:40:02Z",
    }
    assert "position" not in await data(dixa, "/queues/conversation-position/10401")
    assert (await dixa.get("/queues/conversation-position/10412")).status_code == 404


async def test_teams_come_and_go_and_keep_their_agents(dixa: Client) -> None:
    """200 with an empty body for adding (notes §5)."""
    team = (await dixa.post("/teams", json={"name": "Night"})).json()["data"]["id"]
    added = await dixa.patch(f"/teams/{team}/agents", json={"agentIds": [MIA, TOM]})
    assert (added.status_code, added.content) == (200, b"")
    assert [member["name"] for member in await data(dixa, f"/teams/{team}/agents")] == ["Mia Lindqvist", "Tom Okafor"]
    assert {"id": team} in await data(dixa, f"/agents/{MIA}/teams")
    assert (await dixa.request("DELETE", f"/teams/{team}/agents", json={"agentIds": [MIA]})).status_code == 204
    assert (await dixa.patch(f"/teams/{team}/agents", json={"agentIds": [OLIVIA]})).status_code == 400
    assert (await dixa.delete(f"/teams/{team}")).status_code == 204
    assert (await dixa.get(f"/teams/{team}")).status_code == 404
    assert (await dixa.get(f"/agents/{TOM}")).status_code == 200


async def test_presence_of_all_agents_is_a_bare_array(dixa: Client) -> None:
    """Without the envelope, and with times that have no zone (notes §5, §7)."""
    body = (await dixa.get("/agents/presence")).json()
    assert [item["connectionStatus"] for item in body] == ["Online"] * 4 + ["Offline"] * 2
    assert body[0]["requestTime"] == "2026-02-13T12:00:00.000"


async def test_flows_are_listed_one_channel_at_a_time(dixa: Client) -> None:
    """PstnPhone unless another is named; no Sms (notes §17)."""
    assert [flow["name"] for flow in await data(dixa, "/conversations/flows")] == ["US call flow"]
    assert [flow["name"] for flow in await data(dixa, "/conversations/flows?channel=Email")] == ["Support mail flow"]
    assert (await dixa.get("/conversations/flows?channel=Sms")).status_code == 400


async def test_contact_endpoints_are_found_by_address_or_number(dixa: Client) -> None:
    """The id is the address or number itself, encoded in the path (notes §7)."""
    assert len(await data(dixa, "/contact-endpoints?_type=TelephonyEndpoint")) == 3
    assert (await dixa.get("/contact-endpoints/nobody%40example.com")).status_code == 404
