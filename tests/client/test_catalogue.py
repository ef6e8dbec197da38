"""Names become things, and a list is read once however many ask (design §7)."""

import asyncio
from typing import Any

import httpx
import pytest
from simulation import Wire, clock, dixa_on, error, ok, simulated

from dixa_mcp.client.catalogue import Catalogue
from dixa_mcp.client.deadline import deadline
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.client.workspace import FLOW_CHANNELS
from dixa_mcp.errors import OutOfTime, ServerError, Unresolved, explain

MIA = {
    "id": "039fbf8d-4ab7-46a4-9543-0786d6ebb40f",
    "displayName": "Mia Lindqvist",
    "email": "mia.lindqvist@example.com",
    "firstName": "Mia",
    "lastName": "Lindqvist",
}
TOM = {"id": "ad31f76a-5f61-4c6c-afef-c544867c129f", "displayName": "Tom Okafor", "email": "tom.okafor@example.com"}


def organisation() -> dict[str, Any]:
    """What each list answers, by path; a test changes it as Dixa's people would."""
    return {
        "/organization": {"id": "o", "name": "Fernway Outfitters"},
        "/queues": [
            {"id": "19a7a6cc-bb71-40a3-a61f-2df89d69266a", "name": "Returns & refunds"},
            {"id": "241cc9ef-d505-4e17-af2c-15205ebdd6fd", "name": "VIP"},
            {"id": "f075b2c1-49e3-425e-85b1-fd67aa1517d1", "name": "Billing disputes"},
        ],
        "/agents": [MIA, TOM],
        "/teams": [{"id": "t1", "name": "Frontline"}],
        "/tags": [
            {"id": "r1", "name": "refund", "state": "Active"},
            {"id": "r2", "name": "Refund", "state": "Inactive"},
            {"id": "s1", "name": "summer-2024-campaign", "state": "Inactive"},
            {"id": "d1", "name": "damaged", "state": "Active"},
        ],
        "/contact-endpoints": [
            {"_type": "EmailEndpoint", "address": "fernway-support@email.dixa.io", "name": "Support inbox"},
            {"_type": "TelephonyEndpoint", "number": "+12025550175", "name": "US line"},
        ],
        "/templates": [{"id": "p1", "name": "Return label", "_type": "QuickResponse"}],
        "/custom-attributes": [
            {"id": "a1", "entityType": "Conversation", "identifier": "contact_reason", "label": "Contact reason"},
            {"id": "a2", "entityType": "Contact", "identifier": "tier", "label": "Tier"},
            {"id": "a3", "entityType": "Conversation", "identifier": "tier", "label": "Tier"},
            {"id": "a4", "entityType": "Conversation", "identifier": "old", "label": "Old", "isArchived": True},
        ],
        "/conversations/flows": [
            {"id": "f1", "name": "US call flow", "channel": "PstnPhone", "contactEndpointId": "+1"}
        ],
        "/business-hours/schedules": {"schedules": [{"id": "h1", "name": "Copenhagen office"}]},
        "/analytics/metrics": [{"id": "csat"}, {"id": "closed_conversations"}],
        "/analytics/records": [{"id": "ratings"}],
        "/analytics/filter/channel": [{"value": "EMAIL", "label": "Email"}],
        "/knowledge/collections": [{"id": "k1", "title": "Help centre"}],
    }


def on(lists: dict[str, Any], latency: float = 0.1) -> tuple[Dixa, Catalogue, Wire]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            return httpx.Response(204)
        if request.url.path.endswith("/flows") and request.url.params["channel"] != "PstnPhone":
            return ok([])
        return ok(lists[request.url.path.removeprefix("/v1")])

    dixa, wire = dixa_on(answer, latency=latency)
    return dixa, dixa.catalogue, wire


FOUND: list[tuple[str, str, str]] = [
    ("queue", "Billing disputes", "f075b2c1-49e3-425e-85b1-fd67aa1517d1"),
    ("queue", "billing", "f075b2c1-49e3-425e-85b1-fd67aa1517d1"),
    ("queue", "returns and refunds", "19a7a6cc-bb71-40a3-a61f-2df89d69266a"),
    ("queue", "241CC9EF-d505-4e17-af2c-15205ebdd6fd", "241cc9ef-d505-4e17-af2c-15205ebdd6fd"),
    ("agent", "mia", MIA["id"]),
    ("agent", "MIA.LINDQVIST@example.com", MIA["id"]),
    ("agent", MIA["id"], MIA["id"]),
    ("team", "frontline", "t1"),
    ("tag", "refund", "r1"),
    ("tag", "REFUND", "r1"),
    ("tag", "r2", "r2"),
    ("tag", "summer", "s1"),
    ("endpoint", "support inbox", "fernway-support@email.dixa.io"),
    ("endpoint", "fernway-support@email.dixa.io", "fernway-support@email.dixa.io"),
    ("endpoint", "+1 202 555 0175", "+12025550175"),
    ("template", "return label", "p1"),
    ("flow", "us call flow", "f1"),
    ("schedule", "copenhagen", "h1"),
    ("metric", "closed conversations", "closed_conversations"),
    ("record", "ratings", "ratings"),
    ("collection", "help centre", "k1"),
    ("attribute", "contact reason", "a1"),
    ("attribute", "contact_reason", "a1"),
    ("attribute", "a2", "a2"),
]


@pytest.mark.parametrize(("kind", "text", "found"), FOUND)
@simulated
async def test_a_name_or_id_as_people_write_it_finds_its_thing(kind: Any, text: str, found: str) -> None:
    """Case, accents and punctuation don't matter; a unique part will do (design §5)."""
    _, catalogue, _ = on(organisation())
    assert (await catalogue.find(kind, text)).id == found


@simulated
async def test_an_attribute_is_looked_for_where_it_belongs() -> None:
    """The same label may be on conversations and on contacts; archived ones can't be set (notes §14)."""
    _, catalogue, _ = on(organisation())
    assert (await catalogue.find("attribute", "Tier", entity="Contact")).id == "a2"
    assert (await catalogue.find("attribute", "Tier", entity="Conversation")).id == "a3"
    with pytest.raises(Unresolved) as caught:
        await catalogue.find("attribute", "Tier")
    assert caught.value.choices == ["Tier (Contact attribute tier)", "Tier (Conversation attribute tier)"]
    with pytest.raises(Unresolved):
        await catalogue.find("attribute", "Old", entity="Conversation")


@simulated
async def test_an_unknown_name_in_a_short_list_shows_the_list() -> None:
    """A near miss lists the choices (design §5)."""
    _, catalogue, wire = on(organisation())
    with pytest.raises(Unresolved) as caught:
        await catalogue.find("queue", "Zebra")
    assert caught.value.choices == ["Returns & refunds", "VIP", "Billing disputes"]
    assert "No queue is called 'Zebra'" in explain(caught.value)
    assert len(wire.requests) == 1


@simulated
async def test_an_unknown_name_in_a_long_list_shows_the_nearest() -> None:
    """All of 300 would be too many."""
    lists = organisation()
    lists["/tags"] = [{"id": f"t{n}", "name": f"topic {n}"} for n in range(300)] + [{"id": "x", "name": "warranty"}]
    _, catalogue, _ = on(lists)
    with pytest.raises(Unresolved) as caught:
        await catalogue.find("tag", "waranty")
    assert caught.value.choices[0] == "warranty"
    assert len(caught.value.choices) <= 8


@simulated
async def test_a_name_that_fits_several_shows_them_apart() -> None:
    """Two colleagues of one name are told apart by their addresses."""
    lists = organisation()
    lists["/agents"] = [MIA, MIA | {"id": "other", "email": "mia2@example.com"}]
    _, catalogue, _ = on(lists)
    with pytest.raises(Unresolved) as caught:
        await catalogue.find("agent", "Mia Lindqvist")
    assert caught.value.choices == [
        "Mia Lindqvist (mia.lindqvist@example.com)",
        "Mia Lindqvist (mia2@example.com)",
    ]
    assert explain(caught.value).startswith("Several agents fit")


@simulated
async def test_fifty_who_ask_at_once_make_one_request() -> None:
    """Single flight."""
    _, catalogue, wire = on(organisation())
    found = await asyncio.gather(*(catalogue.find("queue", "VIP") for _ in range(50)))
    assert ({each.name for each in found}, len(wire.requests)) == ({"VIP"}, 1)


@simulated
async def test_a_list_is_kept_for_five_minutes() -> None:
    """And read again after that."""
    _, catalogue, wire = on(organisation())
    for wait in (0, 100, 190, 20):
        await asyncio.sleep(wait)
        await catalogue.queues()
    assert wire.times == pytest.approx([0, 310.1], abs=0.2)


@simulated
async def test_a_reader_that_is_cancelled_leaves_the_reading_to_the_next() -> None:
    """One client that goes away mustn't fail the others."""
    _, catalogue, wire = on(organisation())
    first = asyncio.create_task(catalogue.queues())
    await asyncio.sleep(0.05)
    second = asyncio.create_task(catalogue.queues())
    await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 3
    assert len(wire.requests) == 2


@simulated
async def test_who_waited_for_a_reading_that_failed_gets_its_error() -> None:
    """Fifty waiters must not become fifty failing requests, one after the other."""
    dixa, wire = dixa_on(lambda request: error(500, "down"), latency=0.1)
    results = await asyncio.gather(*(dixa.catalogue.queues() for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in results} == {ServerError}
    assert len(wire.requests) == 1
    with pytest.raises(ServerError):
        await dixa.catalogue.queues()
    assert len(wire.requests) == 2


@simulated
async def test_waiting_for_somebody_elses_reading_ends_with_the_own_deadline() -> None:
    """Single flight is no way around the deadline."""
    _, catalogue, _ = on(organisation(), latency=10)
    reader = asyncio.create_task(catalogue.queues())
    await asyncio.sleep(0)
    with deadline(2), pytest.raises(OutOfTime):
        await catalogue.queues()
    assert clock() == pytest.approx(2)
    assert len(await reader) == 3


@pytest.mark.parametrize(
    ("method", "path", "dropped"),
    [
        ("POST", at("/tags"), {"tags"}),
        ("PATCH", at("/tags/{id}/deactivate", id="r1"), {"tags"}),
        ("POST", at("/conversations/{id}/tags/bulk", id=1), {"tags"}),
        ("PUT", at("/conversations/{id}/tags/{tag}", id=1, tag="r1"), set[str]()),
        ("POST", at("/queues"), {"queues"}),
        ("DELETE", at("/agents/{id}", id="a"), {"agents"}),
        ("PATCH", at("/agents/{id}/presence", id="a"), set[str]()),
        ("PATCH", at("/queues/{id}/members", id="q"), set[str]()),
        ("POST", at("/teams"), {"teams"}),
        ("PUT", at("/conversations/{id}/close", id=1), set[str]()),
    ],
)
@simulated
async def test_a_write_drops_the_lists_it_touches(method: str, path: Any, dropped: set[str]) -> None:
    """A tag made a moment ago is there (design §7)."""
    dixa, catalogue, wire = on(organisation())
    lists = {"tags": catalogue.tags, "queues": catalogue.queues, "agents": catalogue.agents, "teams": catalogue.teams}
    for read in lists.values():
        await read()
    await dixa.send(method, path, {})
    wire.requests.clear()
    for read in lists.values():
        await read()
    assert {request.url.path.removeprefix("/v1/") for request in wire.requests} == dropped


@simulated
async def test_a_list_that_is_written_to_while_it_is_read_is_not_kept() -> None:
    """What was read may be from before the write."""
    dixa, catalogue, wire = on(organisation())
    reader = asyncio.create_task(catalogue.tags())
    await asyncio.sleep(0.05)
    dixa.on_write[0]("POST", at("/tags"))
    await reader
    await catalogue.tags()
    assert len(wire.requests) == 2


@simulated
async def test_a_name_somebody_just_made_is_found() -> None:
    """A miss reads the list once more if it isn't brand new."""
    lists = organisation()
    _, catalogue, wire = on(lists)
    with pytest.raises(Unresolved):
        await catalogue.find("queue", "Claims")
    lists["/queues"] = [*lists["/queues"], {"id": "c", "name": "Claims"}]
    await asyncio.sleep(6)
    assert (await catalogue.find("queue", "Claims")).id == "c"
    assert len(wire.requests) == 2


@simulated
async def test_misses_cannot_keep_dixa_busy() -> None:
    """A thousand misspelt names in a minute are a few readings, fewer if a reading is long."""
    for latency, most in ((0.1, 12), (1.0, 4)):
        _, catalogue, wire = on(organisation(), latency)
        for _ in range(1000):
            with pytest.raises(Unresolved):
                await catalogue.find("queue", "Zebra")
            await asyncio.sleep(0.06)
        assert len(wire.requests) <= most


@simulated
async def test_lists_in_pages_are_read_to_their_end() -> None:
    """Agents, templates, metrics and more (notes §6)."""
    pages = {None: ok([MIA], next="/v1/agents?pageKey=2"), "2": ok([TOM])}
    dixa, wire = dixa_on(lambda request: pages[request.url.params.get("pageKey")])
    assert [agent.name for agent in await dixa.catalogue.agents()] == ["Mia Lindqvist", "Tom Okafor"]
    assert len(wire.requests) == 2


@simulated
async def test_each_list_is_there() -> None:
    """With what the contract calls it."""
    _, catalogue, wire = on(organisation())
    assert (await catalogue.organization()).name == "Fernway Outfitters"
    assert [tag.id for tag in await catalogue.tags()] == ["r1", "d1"]
    assert len(await catalogue.tags(inactive=True)) == 4
    assert wire.paths.count("/v1/tags?includeDeactivated=true") == 1
    assert [each.id for each in await catalogue.attributes("Contact")] == ["a2"]
    assert len(await catalogue.attributes()) == 4
    assert [each.id for each in await catalogue.flows("PstnPhone")] == ["f1"]
    assert await catalogue.flows("Email") == []
    assert [each.id for each in await catalogue.flows()] == ["f1"]
    assert len([path for path in wire.paths if "/flows?" in path]) == 2 + len(FLOW_CHANNELS)
    assert [each.label for each in await catalogue.filter_values("channel")] == ["Email"]
    assert [each.name for each in await catalogue.schedules()] == ["Copenhagen office"]
    assert len(await catalogue.endpoints()) == 2
    assert len(await catalogue.templates()) == 1
    assert len(await catalogue.metrics()) == 2
    assert len(await catalogue.records()) == 1
    assert len(await catalogue.collections()) == 1


@simulated
async def test_a_flow_list_that_fails_fails_the_search() -> None:
    """Half a list would make a name look unknown."""
    dixa, _ = dixa_on(lambda request: error(500) if request.url.params["channel"] == "Voicemail" else ok([]))
    with pytest.raises(ServerError):
        await dixa.catalogue.flows()
