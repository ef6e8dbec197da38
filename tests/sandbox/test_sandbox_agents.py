"""Agents in the sandbox: invited, changed, downgraded, and switched between channels."""

from typing import Any

import httpx
import pytest
from fernway_ids import GENERAL, MIA, NOBODY, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp.sandbox import Sandbox

Client = httpx.AsyncClient
AIKO = "c9fb8063-7cbe-4f06-ba22-8acda7e90155"
NEW = {"displayName": "Ida Holm", "email": "ida.holm@example.com"}


async def data(dixa: Client, path: str) -> Any:
    return (await dixa.get(path)).json()["data"]


async def test_a_new_agent_is_invited_and_offline(sandbox: Sandbox, dixa: Client) -> None:
    """201, role Agent; presumably an invitation (notes §15), which reaches no customer."""
    answer = await dixa.post("/agents", json=NEW | {"phoneNumber": "+46701740699", "externalId": "x"})
    made = answer.json()["data"]
    assert (answer.status_code, made["roles"], made["additionalEmails"]) == (201, ["Agent"], [])
    assert (made["createdAt"], "externalId" in made) == ("2026-02-13T12:00:00Z", False)
    assert (await data(dixa, "/agents?email=ida.holm%40example.com")) == [made]
    assert (await data(dixa, f"/agents/{made['id']}/presence"))["connectionStatus"] == "Offline"
    assert [(item["kind"], item["to"]) for item in sandbox.outbox] == [("invitation", ["ida.holm@example.com"])]
    assert sandbox.reached_customers == []
    assert (await dixa.put("/conversations/10402/claim", json={"agentId": made["id"]})).status_code == 204


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"email": "MIA.lindqvist@example.com"}, "EmailExists"),
        ({"email": "olivia.hart@example.com"}, "EmailExists"),
        ({"phoneNumber": "+447700900123"}, "PhoneNumberExists"),
        ({"phoneNumber": "0046"}, "phoneNumber"),
        ({"additionalEmails": ["nobody"]}, "additionalEmails"),
        ({"displayName": None}, "body"),
        ({"email": None}, "body"),
    ],
)
async def test_an_agent_that_cannot_be_made_leaves_no_trace(
    sandbox: Sandbox, dixa: Client, change: dict[str, Any], problem: str
) -> None:
    """Name and address are required; both people and their addresses are unique (notes §15, §23)."""
    before = sandbox.organisation.state()
    answer = await dixa.post("/agents", json=NEW | change)
    assert (answer.status_code, problem in answer.json()["message"]) == (400, True), answer.text
    assert (sandbox.organisation.state(), sandbox.outbox) == (before, [])


async def test_several_agents_are_made_or_refused_one_by_one(dixa: Client) -> None:
    """Under `data`, unlike the bulk changes (notes §5)."""
    answer = await dixa.post("/agents/bulk", json={"data": [NEW, NEW]})
    outcomes = answer.json()["data"]
    assert (answer.status_code, [item["_type"] for item in outcomes]) == (
        201,
        ["BulkActionSuccess", "BulkActionFailure"],
    )
    assert outcomes[1]["error"] == {
        "_type": "Validation",
        "message": "Creating Agent failed with [errors:EmailExists]",
    }


async def test_patch_changes_put_replaces_and_the_address_stays(dixa: Client) -> None:
    """Neither has the e-mail address (notes §15); roles are read-only."""
    patched = (await dixa.patch(f"/agents/{TOM}", json={"displayName": "Tom O.", "email": "t@example.com"})).json()
    assert (patched["data"]["displayName"], patched["data"]["email"]) == ("Tom O.", "tom.okafor@example.com")
    assert patched["data"]["phoneNumber"] == "+447700900101"
    replaced = (await dixa.put(f"/agents/{TOM}", json={"displayName": "Tom", "roles": ["Admin"]})).json()["data"]
    assert "phoneNumber" not in replaced
    assert "lastName" not in replaced
    assert (replaced["email"], replaced["roles"]) == ("tom.okafor@example.com", ["Agent"])
    assert (await dixa.put(f"/agents/{TOM}", json={"firstName": "Tom"})).status_code == 400
    assert (await dixa.patch(f"/agents/{TOM}", json={"email": "t@example.com"})).status_code == 400
    assert (await dixa.patch(f"/agents/{NOBODY}", json={"displayName": "X"})).status_code == 404
    assert (await dixa.patch(f"/agents/{OLIVIA}", json={"displayName": "X"})).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_bulk_changes_take_a_bare_list_and_fail_one_by_one(dixa: Client, method: str) -> None:
    """`{"data": […]}` is what third-party clients send, wrongly (notes §5, §26)."""
    items = [{"id": TOM, "displayName": "Tom O."}, {"id": NOBODY, "displayName": "X"}]
    items.append({"id": AIKO, "displayName": "Aiko", "phoneNumber": "+447700900101"})
    outcomes = (await dixa.request(method, "/agents", json=items)).json()["data"]
    if method == "PATCH":
        assert outcomes[0]["data"]["displayName"] == "Tom O."
        assert outcomes[2]["error"]["message"] == f"Updating Agent [id:{AIKO}] failed with [errors:PhoneNumberExists]"
    else:
        assert outcomes[2]["data"]["phoneNumber"] == "+447700900101", "Tom's number was cleared before"
    assert outcomes[1]["error"] == {"_type": "NotFound", "id": NOBODY, "message": "User not found"}
    assert (await dixa.request(method, "/agents", json={"data": items})).status_code == 400
    assert (await dixa.request(method, "/agents")).json() == {"data": []}


async def test_an_empty_patch_is_an_error_of_its_own(dixa: Client) -> None:
    """EmptyPatchSet (notes §4)."""
    outcomes = (await dixa.patch("/agents", json=[{"id": TOM}])).json()["data"]
    assert (outcomes[0]["error"]["_type"], outcomes[0]["error"]["id"]) == ("EmptyPatchSet", TOM)


async def test_a_downgraded_agent_is_an_end_user_and_out_of_everything(dixa: Client) -> None:
    """The same id in the other list (notes §7, §15); ours: what was open goes back to its queue."""
    assert (await dixa.delete(f"/agents/{TOM}")).status_code == 204
    assert (await dixa.get(f"/agents/{TOM}")).status_code == 404
    user = await data(dixa, f"/endusers/{TOM}")
    assert (user["displayName"], user["email"], "roles" in user) == ("Tom Okafor", "tom.okafor@example.com", False)
    assert TOM not in [item["userId"] for item in (await dixa.get("/agents/presence")).json()]
    for queue in (GENERAL, RETURNS):
        assert TOM not in [member["agentId"] for member in await data(dixa, f"/queues/{queue}/members")]
    assert TOM not in [
        member["id"] for member in await data(dixa, "/teams/6bef1303-9224-4c2b-90e1-a9092e795aad/agents")
    ]
    chat = await data(dixa, "/conversations/10403")
    assert ("assignment" in chat, chat["queue"]) == (False, {"id": GENERAL, "queuedAt": "2026-02-13T12:00:00Z"})
    log = await data(dixa, "/conversations/10403/activitylog")
    assert [(entry["_type"], entry["attributes"]["agent"]["name"]) for entry in log] == [
        ("ConversationUnassigned", "Tom Okafor")
    ]
    refused = await dixa.put("/conversations/10403/claim", json={"agentId": TOM})
    assert (refused.status_code, refused.json()["message"]) == (400, "User is not agent/admin")


async def test_closed_conversations_keep_the_id_of_a_downgraded_agent(dixa: Client) -> None:
    """Who had it is history (ours)."""
    assert (await dixa.delete(f"/agents/{SARA}")).status_code == 204
    assert (await data(dixa, "/conversations/10408"))["assignment"]["agentId"] == SARA
    pending = await data(dixa, "/conversations/10404")
    assert (pending["state"], "assignment" in pending) == ("Pending", False)


async def test_nobody_downgrades_themselves_or_who_is_unknown(dixa: Client) -> None:
    """The token would belong to no agent (ours)."""
    assert (await dixa.delete(f"/agents/{MIA}")).status_code == 400
    assert (await dixa.delete(f"/agents/{NOBODY}")).status_code == 404
    assert (await dixa.delete(f"/agents/{OLIVIA}")).status_code == 404


@pytest.mark.parametrize(
    ("agent", "channel", "working", "active", "status"),
    [
        (MIA, "Speak", False, ["Email", "ContactForm", "WidgetChat"], "Working"),
        (SARA, "Email", True, ["Email", "ContactForm"], "Working"),
        (TOM, "Messaging", True, ["Email", "WidgetChat", "WhatsApp", "FacebookMessenger", "Twitter", "Sms"], "Working"),
        ("df247f11-be90-45e7-86e6-0060b00d669d", "Speak", False, [], "Away"),
    ],
)
async def test_a_working_channel_changes_what_is_offered(
    dixa: Client, agent: str, channel: str, working: bool, active: list[str], status: str
) -> None:
    """A group of channels at once (notes §15); which ones are in it is ours."""
    path = f"/agents/{agent}/presence"
    for _ in range(2):
        answer = await dixa.put(f"{path}/working-channel", json={"channel": channel, "working": working})
        assert (answer.status_code, answer.content) == (204, b"")
    presence = await data(dixa, path)
    assert (presence["activeChannels"], presence["presenceStatus"]) == (active, status)
    assert presence["connectionStatus"] == "Online"


async def test_a_working_channel_needs_an_agent_and_a_known_channel(dixa: Client) -> None:
    """No 404 in the contract (notes §4)."""
    body = {"channel": "Email", "working": True}
    for agent, text in ((NOBODY, "User not found"), (OLIVIA, "User is not agent/admin")):
        answer = await dixa.put(f"/agents/{agent}/presence/working-channel", json=body)
        assert (answer.status_code, answer.json()["message"]) == (400, text)
    wrong = await dixa.put(f"/agents/{MIA}/presence/working-channel", json=body | {"channel": "WidgetChat"})
    assert wrong.status_code == 400
    offline = await dixa.put(f"/agents/{AIKO}/presence/working-channel", json=body)
    assert offline.status_code == 204
    assert (await data(dixa, f"/agents/{AIKO}/presence"))["connectionStatus"] == "Offline"


async def test_agents_are_found_by_one_filter(dixa: Client) -> None:
    """E-mail or phone, not both (notes §15)."""
    assert [agent["id"] for agent in await data(dixa, "/agents?phone=%2B447700900101")] == [TOM]
    assert await data(dixa, "/agents?email=") == []
    both = await dixa.get("/agents?email=a%40example.com&phone=%2B447700900101")
    assert both.json() == {"message": "Invalid filters: Cannot provide both phone number and email address"}
