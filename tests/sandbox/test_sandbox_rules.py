"""The small print of the API, tried by somebody who looks for a way round it."""

import json
from typing import Any

import httpx
import pytest
from fernway_ids import DANIEL, GENERAL, LUCAS, MIA, NOBODY, NOOR, OLIVIA, RETURNS, SARA, TOM

from dixa_mcp.sandbox import Sandbox

Client = httpx.AsyncClient
CLOSING = "0be2a6fe-2b46-45b6-bb93-d9b72eb796c6"
ORDER = "4b2fe144-136d-456f-8516-c49e408c994c"
TIER = "19ec52bc-3d73-4215-9fcf-5be4705b8f15"
SURVEY = "b87da6a0-c730-49c3-93e3-9d8ff611d4d1"
WHEN = "2026-02-02T08:00:00.000Z"


def text(value: str) -> dict[str, str]:
    return {"_type": "Text", "value": value}


def imported(**more: Any) -> dict[str, Any]:
    plain = {"genericChannelName": "genericapimessaging", "requesterId": OLIVIA, "direction": "Inbound"}
    return plain | {"createdAt": WHEN} | more


def said(words: str, when: str = WHEN, **more: Any) -> dict[str, Any]:
    return {"_type": "InboundImport", "content": text(words), "createdAt": when, **more}


async def data(dixa: Client, path: str) -> Any:
    return (await dixa.get(path)).json()["data"]


async def refused(sandbox: Sandbox, answer: httpx.Response, status: int, words: str, before: Any) -> None:
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text
    assert sandbox.organisation.state() == before


# --- external ids


async def test_an_external_id_is_taken_whoever_took_it(sandbox: Sandbox, dixa: Client) -> None:
    """By a message, a first message, an import or a message of it: one space, and refused without a trace."""
    outbound = {"_type": "Outbound", "agentId": MIA, "content": text("Hello")}
    mail = {"_type": "Email", "requesterId": OLIVIA, "emailIntegrationId": "fernway-support@email.dixa.io"}
    mail |= {"subject": "Hello"}
    await dixa.post("/conversations/10401/messages", json=outbound | {"externalId": "a"})
    await dixa.post("/conversations", json=mail | {"message": outbound | {"externalId": "b"}})
    await dixa.post("/conversations/import", json=imported(externalId="c", messages=[said("x", externalId="d")]))
    before = sandbox.organisation.state()
    for taken in "abcd":
        mine = {"externalId": taken}
        for path, body in (
            ("/conversations/10401/messages", outbound | mine),
            ("/conversations", mail | {"message": outbound | mine}),
            ("/conversations/import", imported(**mine)),
            ("/conversations/import", imported(messages=[said("x", **mine)])),
        ):
            await refused(sandbox, await dixa.post(path, json=body), 400, "Duplicate externalId", before)
    twice = imported(messages=[said("x", externalId="e"), said("y", externalId="e")])
    await refused(sandbox, await dixa.post("/conversations/import", json=twice), 400, "Duplicate externalId", before)


# --- imports


async def test_imported_messages_come_oldest_first_by_their_own_authors(dixa: Client) -> None:
    """Whatever their order in the body; another inbound author is named in `attributes` (notes §10)."""
    messages = [
        said("second", "2026-02-02T09:00:00.000Z", attributes={"requesterId": LUCAS}),
        said("first", "2026-02-02T08:00:00.000Z"),
    ]
    made = (await dixa.post("/conversations/import", json=imported(messages=messages))).json()["data"]
    kept = await data(dixa, f"/conversations/{made['id']}/messages")
    assert [(item["attributes"]["content"]["value"], item["authorId"]) for item in kept] == [
        ("first", OLIVIA),
        ("second", LUCAS),
    ]
    assert made["partialErrors"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"requesterId": NOBODY}, "Requester does not exist"),
        ({"requesterId": MIA}, "Requester does not exist"),
        ({"messages": [said("x", attributes={"requesterId": NOBODY})]}, "Requester does not exist"),
        ({"messages": [said("x") | {"_type": "OutboundImport", "agentId": OLIVIA}]}, "Agent does not exist"),
        ({"closing": {"closedAt": WHEN, "closedBy": NOBODY}}, "Agent does not exist"),
        ({"genericChannelName": "whatsapp"}, "body"),
        ({"genericChannelName": "email"}, "Invalid input for Message"),
    ],
)
async def test_an_import_with_a_wrong_name_in_it_is_refused(
    sandbox: Sandbox, dixa: Client, change: dict[str, Any], words: str
) -> None:
    """Wrong ids in this body are 400 (notes §4), and nothing is stored."""
    before = sandbox.organisation.state()
    await refused(sandbox, await dixa.post("/conversations/import", json=imported() | change), 400, words, before)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"assignment": {"agentId": OLIVIA, "assignedAt": WHEN}}, "could not be assigned"),
        ({"messages": [said("x", attachments=[{"url": "https://gone.invalid/a.png"}])]}, "download attachment"),
    ],
)
async def test_an_import_keeps_what_it_can_and_says_what_it_could_not(
    dixa: Client, change: dict[str, Any], problem: str
) -> None:
    """201 with partialErrors (notes §4)."""
    answer = await dixa.post("/conversations/import", json=imported() | change)
    [only] = answer.json()["data"]["partialErrors"]
    assert (answer.status_code, problem in only["message"]) == (201, True)
    assert (await data(dixa, f"/conversations/{answer.json()['data']['id']}"))["state"] == "Open"


# --- notes


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-02-13T09:30:00.000Z", "2026-02-13T09:30:00.000Z"),
        ("2026-02-13T09:30:00Z", "2026-02-13T09:30:00.000Z"),
        ("2026-02-13T09:30:00.581Z[GMT]", "2026-02-13T09:30:00.581Z"),
        ("2026-02-13T10:30:00.000+01:00", "2026-02-13T09:30:00.000Z"),
    ],
)
async def test_a_note_may_be_dated_in_either_form(dixa: Client, sent: str, kept: str) -> None:
    """Plain and with a zone in brackets (notes §7); notes are listed oldest first."""
    await dixa.post("/conversations/10402/notes", json={"message": "now"})
    answer = await dixa.post("/conversations/10402/notes", json={"message": "then", "createdAt": sent})
    assert (answer.status_code, answer.json()["data"]["createdAt"]) == (200, kept)
    assert [note["message"] for note in await data(dixa, "/conversations/10402/notes")] == ["then", "now"]


NO_DAY = "2026-02-30T00:00:00.000Z"


@pytest.mark.parametrize("sent", ["yesterday", "13.02.2026", "", NO_DAY])
async def test_a_note_of_no_date_is_refused(sandbox: Sandbox, dixa: Client, sent: str) -> None:
    """400 (notes §4); in bulk only that note."""
    before = sandbox.organisation.state()
    body = {"message": "x", "createdAt": sent}
    words = "Invalid date format" if sent == NO_DAY else "createdAt"
    await refused(sandbox, await dixa.post("/conversations/10402/notes", json=body), 400, words, before)
    if sent == NO_DAY:
        answer = await dixa.post("/conversations/10402/notes/bulk", json={"data": [body, {"message": "y"}]})
        assert answer.json()["data"][0]["error"] == {"message": "Invalid date format"}
        assert len(await data(dixa, "/conversations/10402/notes")) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/conversations/10401/followup", {"timestamp": NO_DAY}),
        ("GET", f"/conversations/activitylog?fromDatetime={NO_DAY}", None),
        ("POST", "/conversations/10401/ratings/offer", {"ratingType": "Csat", "offeredAt": NO_DAY}),
        ("POST", "/conversations/import", imported(createdAt=NO_DAY)),
        ("POST", "/conversations/import", imported(messages=[said("x", NO_DAY)])),
        ("POST", "/conversations/import", imported(assignment={"agentId": TOM, "assignedAt": NO_DAY})),
        ("POST", "/conversations/import", imported(closing={"closedBy": TOM, "closedAt": NO_DAY})),
        ("POST", "/search/conversations", {"filters": {"strategy": "All", "conditions": [
            {"field": {"_type": "CreationDate", "operator": {"_type": "Since", "timestamp": NO_DAY}}}]}}),
    ],
)  # fmt: skip
async def test_a_day_that_does_not_exist_is_refused_everywhere(
    sandbox: Sandbox, dixa: Client, method: str, path: str, body: Any
) -> None:
    """400, and nothing is half done (notes §4)."""
    before = sandbox.organisation.state()
    await refused(sandbox, await dixa.request(method, path, json=body), 400, "Invalid date format", before)


# --- ratings


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [("Csat", (1, 5), (0, 6, -1, 4.5, "5")), ("Nps", (0, 10), (-1, 11)), ("ThumbsUpOrDown", (0, 1), (2, -1))],
)
async def test_a_score_stays_within_its_scale(
    dixa: Client, kind: str, good: tuple[Any, ...], bad: tuple[Any, ...]
) -> None:
    """Csat 1-5, Nps 0-10, thumbs 0/1 (notes §16)."""
    offer = {"ratingType": kind, "userId": OLIVIA, "agentId": MIA}
    for value in bad + good:
        rating = (await dixa.post("/conversations/10401/ratings/offer", json=offer)).json()["data"]["id"]
        path = f"/conversations/10401/ratings/{rating}/submit"
        answer = await dixa.post(path, json={"ratingResult": {"_type": kind, "value": value}})
        assert (value, answer.status_code) == (value, 201 if value in good and isinstance(value, int) else 400)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ratingType": "Stars"}, "ratingType"),
        ({"userId": NOBODY}, "User not found"),
        ({"userId": MIA}, "User not found"),
        ({"agentId": NOBODY}, "User not found"),
        ({"agentId": OLIVIA}, "User is not agent/admin"),
    ],
)
async def test_an_offer_names_people_who_exist(
    sandbox: Sandbox, dixa: Client, change: dict[str, Any], words: str
) -> None:
    """A customer and an agent (notes §16)."""
    before = sandbox.organisation.state()
    body = {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA} | change
    await refused(sandbox, await dixa.post("/conversations/10401/ratings/offer", json=body), 400, words, before)


async def test_what_an_offer_leaves_out_is_the_conversations(dixa: Client) -> None:
    """User and agent are optional in beta (notes §1); nobody has 10402, so there the agent must be named."""
    made = (await dixa.post("/conversations/10401/ratings/offer", json={"ratingType": "Csat"})).json()["data"]
    assert (made["userId"], made["agentId"], made["offeredAt"]) == (OLIVIA, MIA, "2026-02-13T12:00:00Z")
    assert (await dixa.post("/conversations/10402/ratings/offer", json={"ratingType": "Csat"})).status_code == 400
    assert (await dixa.post("/conversations/99999999/ratings/offer", json={"ratingType": "Csat"})).status_code == 404


async def test_questions_of_one_survey_share_an_id_and_are_answered_alone(dixa: Client) -> None:
    """Conversation, id and type together are the key (notes §16); what is rated stays rated."""
    path = f"/conversations/10413/ratings/{SURVEY}/submit"
    assert (await dixa.post(path, json={"ratingResult": {"_type": "Csat", "value": 1}})).status_code == 400
    answer = await dixa.post(path, json={"ratingResult": {"_type": "Nps", "value": 9}, "userId": NOBODY})
    assert (answer.status_code, answer.json()["data"]["ratingId"]) == (201, SURVEY)
    scores = {item["ratingType"]: item["ratingScore"] for item in await data(dixa, "/conversations/10413/ratings")}
    assert scores == {"Csat": 4, "Nps": 9}
    elsewhere = path.replace("10413", "10401")
    assert (await dixa.post(elsewhere, json={"ratingResult": {"_type": "Nps", "value": 9}})).status_code == 400


async def test_a_survey_that_was_not_offered_yet_cannot_be_answered(sandbox: Sandbox, dixa: Client) -> None:
    """Scheduled isn't offered (notes §16); five minutes later it is."""
    await dixa.put("/conversations/10403/close", json={})
    [rating] = await data(dixa, "/conversations/10403/ratings")
    path, body = f"/conversations/10403/ratings/{rating['id']}/submit", {"ratingResult": {"_type": "Csat", "value": 5}}
    assert (await dixa.post(path, json=body)).status_code == 400
    sandbox.clock.advance(minutes=5)
    assert (await dixa.post(path, json=body)).status_code == 201


# --- time that passes


async def test_what_was_due_happens_at_its_own_time(sandbox: Sandbox, dixa: Client) -> None:
    """However far the clock is moved: state, log and survey carry the moment they were due."""
    await dixa.put("/conversations/10401/followup", json={"timestamp": "2026-02-20T08:00:00Z"})
    await dixa.put("/conversations/10401/followup", json={"timestamp": "2026-02-16T08:00:00Z"})
    await dixa.put("/conversations/10403/close", json={})
    sandbox.clock.advance(days=30)
    assert (await data(dixa, "/conversations/10401"))["stateUpdatedAt"] == "2026-02-16T08:00:00Z"
    log = [entry for entry in await data(dixa, "/conversations/10401/activitylog") if "Followup" in entry["_type"]]
    assert [(entry["_type"], entry["activityTimestamp"]) for entry in log] == [
        ("FollowupAdded", "2026-02-13T12:00:00.000Z"),
        ("FollowupAdded", "2026-02-13T12:00:00.000Z"),
        ("FollowupExpired", "2026-02-16T08:00:00.000Z"),
    ]
    [rating] = await data(dixa, "/conversations/10403/ratings")
    assert rating["timestamps"]["offered_at"] == "2026-02-13T12:05:00Z"
    assert sandbox.clock.now().day == 15, "the clock itself is where it was moved to"


@pytest.mark.parametrize("path", ["close", "reopen", "transfer/queue"])
async def test_a_follow_up_that_was_ended_does_not_come_back(sandbox: Sandbox, dixa: Client, path: str) -> None:
    """FollowupRemoved, and no expiry afterwards (notes §11)."""
    await dixa.put(f"/conversations/10404/{path}", json={"queueId": RETURNS})
    state = (await data(dixa, "/conversations/10404"))["state"]
    sandbox.clock.advance(days=365)
    kinds = [entry["_type"] for entry in await data(dixa, "/conversations/10404/activitylog")]
    assert (kinds.count("FollowupRemoved"), "FollowupExpired" in kinds) == (1, False)
    assert (await data(dixa, "/conversations/10404"))["state"] == state


# --- attributes, tags, queues


@pytest.mark.parametrize("flag", ["isArchived", "isDeactivated"])
async def test_a_retired_attribute_takes_no_value(sandbox: Sandbox, dixa: Client, flag: str) -> None:
    """400 "Invalid input for patching" (notes §14), also for clearing (ours)."""
    sandbox.organisation.attributes[ORDER][flag] = True
    before = sandbox.organisation.state()
    for value in ("F-1", None):
        answer = await dixa.patch("/conversations/10401/custom-attributes", json={ORDER: value})
        await refused(sandbox, answer, 400, "Invalid input for patching", before)


async def test_attributes_of_the_unknown_are_404_and_wrong_ones_say_so(sandbox: Sandbox, dixa: Client) -> None:
    """The holder is in the path, the attribute in the body (notes §4, §14)."""
    assert (await dixa.patch("/conversations/99999999/custom-attributes", json={ORDER: "F"})).status_code == 404
    assert (await dixa.patch(f"/endusers/{NOBODY}/custom-attributes", json={TIER: ["gold"]})).status_code == 404
    before = sandbox.organisation.state()
    for wrong in ({"order_number": "F-1"}, {TIER: ["gold", "gold"]}, {TIER: []}, {CLOSING: [None]}, {ORDER: 7}):
        answer = await dixa.patch("/conversations/10401/custom-attributes", json=wrong)
        assert answer.status_code == 400, wrong
    assert sandbox.organisation.state() == before


async def test_an_empty_patch_of_attributes_changes_and_logs_nothing(sandbox: Sandbox, dixa: Client) -> None:
    """No entry, no event (ours)."""
    before = sandbox.organisation.state()
    assert (await dixa.patch("/conversations/10401/custom-attributes", json={})).json() == {"data": []}
    assert sandbox.organisation.state() == before


async def test_bulk_tags_without_a_name_tag_nothing(sandbox: Sandbox, dixa: Client) -> None:
    """All or none; a tag without a name can't be made (ours, as in POST /tags)."""
    before = sandbox.organisation.state()
    body = {"data": [{"name": "refund"}, {"name": " "}]}
    answer = await dixa.post("/conversations/10403/tags/bulk", json=body)
    await refused(sandbox, answer, 400, "name", before)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_at_most_ten_members_at_once(sandbox: Sandbox, dixa: Client, method: str) -> None:
    """In and out (notes §17)."""
    before = sandbox.organisation.state()
    path = f"/queues/{GENERAL}/members"
    await refused(sandbox, await dixa.request(method, path, json={"agentIds": [MIA] * 11}), 400, "agentIds", before)
    assert (await dixa.request(method, path, json={"agentIds": [NOBODY] * 10})).is_success
    assert (await dixa.request(method, f"/queues/{NOBODY}/members", json={"agentIds": [MIA]})).status_code == 404


# --- end users


async def test_bulk_items_do_not_disturb_each_other(dixa: Client) -> None:
    """Each sees what the ones before it did, and a failure changes nothing of its own (notes §4)."""
    items = [
        {"id": OLIVIA, "phoneNumber": "+447700900199", "externalId": "X-1"},
        {"id": LUCAS, "phoneNumber": "+447700900123", "externalId": "X-2"},
        {"id": NOOR, "phoneNumber": "+447700900199", "externalId": "X-3"},
        {"id": NOBODY, "displayName": "X"},
        {"id": MIA, "displayName": "X"},
        {"id": DANIEL, "displayName": None},
    ]
    outcomes = (await dixa.patch("/endusers", json={"data": items})).json()["data"]
    assert [item.get("error", {}).get("_type") for item in outcomes] == [
        None,
        None,
        "Validation",
        "NotFound",
        "NotFound",
        "EmptyPatchSet",
    ]
    assert [item["error"]["id"] for item in outcomes[2:]] == [NOOR, NOBODY, MIA, DANIEL]
    assert (await data(dixa, f"/endusers/{NOOR}"))["externalId"] == "C-100233"
    assert (await dixa.patch("/endusers", json=items)).status_code == 400, "a bare list is for agents"
    assert (await dixa.patch("/endusers", json={"data": []})).json() == {"data": []}


@pytest.mark.parametrize(
    "query",
    [
        "email=a%40example.com&phone=%2B12025550143",
        "email=a%40example.com&externalId=C-1",
        "phone=%2B12025550143&externalId=C-1",
        "email=a%40example.com&phone=%2B12025550143&externalId=C-1",
        "email=&phone=",
    ],
)
async def test_filters_of_end_users_exclude_each_other(dixa: Client, query: str) -> None:
    """400 for any two (notes §15)."""
    answer = await dixa.get(f"/endusers?{query}")
    assert (answer.status_code, answer.json()["message"].startswith("Invalid filters: Cannot provide")) == (400, True)


async def test_an_empty_filter_finds_nobody(dixa: Client) -> None:
    """Not even the customer who has no e-mail address or external id (ours)."""
    for query in ("email=", "phone=", "externalId="):
        assert await data(dixa, f"/endusers?{query}") == []


# --- pages


@pytest.mark.parametrize(
    "key",
    [
        "", "%20", "x", "cGFnZQ%3D%3D", "eyJwYWdlIjoxfQ%3D%3D",  # nothing, spaces, not base64, no fields, JSON
        "cGFnZUxpbWl0PTUwJnBhZ2U9LTE%3D",  # pageLimit=50&page=-1
        "cGFnZUxpbWl0PTAmcGFnZT0x",  # pageLimit=0&page=1
        "cGFnZUxpbWl0PTk5OTk5OSZwYWdlPTE%3D",  # pageLimit=999999&page=1
        "cGFnZUxpbWl0PWZldyZwYWdlPTE%3D",  # pageLimit=few&page=1
        "%2Fv1%2Fagents%3FpageKey%3Dx",  # the whole link instead of its key
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/agents", "/endusers", "/search/conversations"])
async def test_a_page_key_that_is_none_of_ours_is_refused(dixa: Client, path: str, key: str) -> None:
    """400 with the parameter's name (notes §4, §6)."""
    method = "POST" if path.startswith("/search") else "GET"
    answer = await dixa.request(method, f"{path}?pageKey={key}")
    assert (answer.status_code, answer.json()["message"].split(": ")[0]) == (400, "Invalid value for")


async def test_a_key_beyond_the_end_is_an_empty_last_page(dixa: Client) -> None:
    """Things may have gone since the key was given (notes §6)."""
    body = (await dixa.get("/agents?pageKey=cGFnZUxpbWl0PTUwJnBhZ2U9MQ%3D%3D")).json()  # pageLimit=50&page=1
    assert (body["data"], "next" in body["meta"]) == ([], False)


async def test_the_key_of_a_search_works_with_the_same_body_only_by_position(dixa: Client) -> None:
    """A key is a place in a list; the body must be sent again (notes §6)."""
    first = (await dixa.post("/search/conversations?pageLimit=5", json={})).json()
    link = first["meta"]["next"]
    assert link.startswith("/v1/search/conversations/?pageKey=")
    second = (await dixa.post(link.removeprefix("/v1"), json={})).json()
    ids = [item["id"] for body in (first, second) for item in body["data"]]
    assert len(set(ids)) == 10


# --- ids


async def test_an_id_in_capitals_is_the_same_id(dixa: Client) -> None:
    """A uuid has no case."""
    assert (await data(dixa, f"/agents/{MIA.upper()}"))["id"] == MIA


@pytest.mark.parametrize("csid", ["0", "-1", "10401.0", "1e4", "%2010401", "99999999999999999999", "#10401"])
async def test_a_conversation_number_is_a_positive_integer(dixa: Client, csid: str) -> None:
    """Int64 (notes §7): 400 for anything else."""
    answer = await dixa.get(f"/conversations/{csid}/notes")
    assert answer.status_code in (400, 404)
    assert "csid" not in json.dumps(answer.json())


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/conversations/20501/claim", {"agentId": TOM}),
        ("PUT", "/conversations/20501/transfer/queue", {"queueId": GENERAL}),
        ("PUT", "/conversations/20501/link", {"parentId": 10401, "linkType": "Related"}),
        ("PUT", "/conversations/20501/close", {"userId": MIA}),
        ("PUT", "/conversations/20501/tags/1adaf35f-917a-42fb-a7c3-91e45c98bace", None),
        ("POST", "/conversations/20501/notes", {"message": "x", "agentId": SARA}),
        ("POST", "/conversations/20501/messages", {"_type": "Outbound", "agentId": MIA, "content": text("x")}),
        ("POST", "/conversations/20501/ratings/offer", {"ratingType": "Csat", "userId": OLIVIA, "agentId": MIA}),
        ("PATCH", "/conversations/20501/custom-attributes", {ORDER: "F-1"}),
        ("PATCH", "/teams/27c818ea-7dc5-455c-a8e5-623881d8b5b8/agents", {"agentIds": [MIA]}),
        ("POST", "/conversations/import", imported()),
        ("POST", "/anonymization", {"entityId": "10405", "_type": "Conversation"}),
    ],
)
async def test_a_body_cannot_name_what_another_organisation_has(
    connect: Any, sandbox: Sandbox, method: str, path: str, body: Any
) -> None:
    """Its own conversation, the other's agent, queue, tag, customer, attribute: refused (notes §22)."""
    before = [org.state() for org in sandbox.organisations.values()]
    answer = await connect("sandbox-second-token").request(method, path, json=body)
    assert answer.status_code in (400, 404), answer.text
    assert ([org.state() for org in sandbox.organisations.values()], sandbox.outbox) == (before, [])
