"""Large organisations: generated, reproducible, and the same whoever has looked at them (design §8)."""

import hashlib
import json
import unicodedata
from collections.abc import Iterator
from statistics import median
from typing import Any

import httpx
import pytest

from dixa_mcp.sandbox import Sandbox, searching, transport
from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.stories import written_ms

Client = httpx.AsyncClient

SEEDED = 13
SCALE = 400


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(scale=SCALE)


def digest(sandbox: Sandbox) -> str:
    states = [org.state() for org in sandbox.organisations.values()]
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()


def generated(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    return (item for csid, item in sandbox.organisation.conversations.items() if csid > 20_000)


@pytest.fixture(scope="module")
def seen() -> Sandbox:
    """A twin of `sandbox` in which everything is written out; only read, so that one is enough."""
    sandbox = Sandbox(scale=SCALE)
    assert len(sandbox.organisation.messages) == SEEDED - 1 + SCALE, "all are written out now"
    assert not sandbox.organisation.untold.stories
    return sandbox


@pytest.fixture(scope="module")
def before(seen: Sandbox) -> str:
    """The digest of the organisation as it was made."""
    return digest(seen)


def test_the_same_seed_gives_the_same_organisation_byte_for_byte(before: str) -> None:
    """And another seed another one."""
    assert before == digest(Sandbox(scale=SCALE))
    assert before != digest(Sandbox(scale=SCALE, seed=2))


async def test_a_reset_makes_the_same_organisation_again(sandbox: Sandbox, dixa: Client, before: str) -> None:
    csid = next(generated(sandbox))["id"]
    await dixa.post(f"/conversations/{csid}/notes", json={"message": "Hello"})
    assert digest(sandbox) != before
    sandbox.reset()
    assert digest(sandbox) == before


async def test_looking_changes_nothing(sandbox: Sandbox, dixa: Client, before: str) -> None:
    """Threads are written out when somebody looks, in whatever order."""
    for conversation in reversed(list(generated(sandbox))[::7]):
        await dixa.get(f"/conversations/{conversation['id']}/messages")
    assert digest(sandbox) == before


def test_only_what_is_looked_at_is_written_out() -> None:
    """So that a hundred thousand conversations start in seconds."""
    organisation = Sandbox(scale=20_000).organisation
    assert (len(organisation.conversations), len(organisation.untold.stories)) == (SEEDED + 20_000, 20_000)
    assert max(organisation.messages.told) < 20_000, "only the seeded ones"
    csid = next(iter(organisation.untold.stories))
    assert organisation.messages[csid]
    assert len(organisation.untold.stories) == 20_000 - 1


def test_threads_people_and_words_are_of_many_kinds(sandbox: Sandbox) -> None:
    """Lengths, scripts, languages, channels, states, tags, ratings, attributes (issue: a sandbox that honours …)."""
    organisation, some = sandbox.organisation, list(generated(sandbox))
    lengths = sorted(len(organisation.messages[item["id"]]) for item in some)
    assert (lengths[0], median(lengths) < 8, lengths[-1] > 25) == (1, True, True)
    assert any("assignment" not in item for item in some), "some wait in their queue"
    names = " ".join(user.get("displayName", "") for user in organisation.end_users.values())
    scripts = {unicodedata.name(letter).partition(" ")[0] for letter in names if letter.isalpha()}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "CJK"}
    assert len({item["language"] for item in some if "language" in item}) > 8
    assert {item["channel"] for item in some} == {"Email", "ContactForm", "WidgetChat", "WhatsApp", "Sms", "PstnPhone"}
    assert {item["state"] for item in some} >= {"Open", "Closed"}
    assert {len(organisation.tagged.get(item["id"], [])) for item in some} == {0, 1, 2}
    ratings = [organisation.ratings[item["id"]][0] for item in some if item["id"] in organisation.ratings]
    assert {rating["ratingScore"] for rating in ratings} == {1, 2, 3, 4, 5}
    assert any("ratingComment" in rating for rating in ratings)
    held = {value["identifier"] for item in some for value in item["customAttributes"]}
    assert held == {"order_number", "contact_reason", "closing_reason"}
    assert any(organisation.notes.get(item["id"]) for item in some)


def test_nothing_happens_before_it_was_asked_for_or_after_now(sandbox: Sandbox) -> None:
    """Threads, notes and logs are in order, and none is in the future."""
    organisation, now = sandbox.organisation, sandbox.organisation.now_ms()
    for item in generated(sandbox):
        said = [message["createdAt"] for message in organisation.messages[item["id"]]]
        logged = [entry["activityTimestamp"] for entry in organisation.activity[item["id"]]]
        assert said == sorted(said)
        assert logged == sorted(logged)
        assert item["createdAt"][:19] == said[0][:19] == logged[0][:19]
        assert max(*said, *logged, item["stateUpdatedAt"]) <= now


@pytest.mark.parametrize("channel", ["Email", "ContactForm", "WidgetChat", "WhatsApp", "Sms", "PstnPhone"])
async def test_generated_conversations_answer_as_the_document_says(
    sandbox: Sandbox, dixa: Client, channel: str
) -> None:
    """The client of these tests holds every good answer against the document."""
    some = [item for item in generated(sandbox) if item["channel"] == channel]
    for item in some[:5]:
        for path in ("", "/messages", "/notes", "/activitylog", "/tags", "/ratings"):
            assert (await dixa.get(f"/conversations/{item['id']}{path}")).status_code == 200
        assert (await dixa.get(f"/endusers/{item['requesterId']}")).status_code == 200


async def test_generated_files_open(sandbox: Sandbox, dixa: Client) -> None:
    """Recordings and pictures, as the seeded ones."""
    calls = [item["id"] for item in generated(sandbox) if item["channel"] == "PstnPhone"]
    heard = sandbox.organisation.messages[calls[0]][-1]["attributes"]["recording"]
    assert (await dixa.get(heard)).headers["Content-Type"] == "audio/wav"
    pictures = [
        attachment["url"]
        for item in generated(sandbox)
        for attachment in sandbox.organisation.messages[item["id"]][0]["attributes"].get("attachments", [])
    ]
    assert (await dixa.get(pictures[0])).headers["Content-Type"] == "image/png"
    assert (await dixa.get(pictures[0].replace("photo", "other"))).status_code == 404


async def test_a_generated_conversation_can_be_worked_on(sandbox: Sandbox, dixa: Client) -> None:
    """What is done goes on from what was generated."""
    open_one = next(item for item in generated(sandbox) if item["state"] == "Open" and item["channel"] == "Email")
    before = (await dixa.get(f"/conversations/{open_one['id']}/activitylog")).json()["data"]
    await dixa.put(f"/conversations/{open_one['id']}/close", json={})
    after = (await dixa.get(f"/conversations/{open_one['id']}/activitylog")).json()["data"]
    assert after[: len(before)] == before
    assert after[-1]["_type"] == "ConversationClosed"


# --- the index agrees with reading


def field(kind: str, operator: str, **more: Any) -> dict[str, Any]:
    return {
        "filters": {
            "strategy": "All",
            "conditions": [{"field": {"_type": kind, "operator": {"_type": operator, **more}}}],
        }
    }


def words(value: str, **more: Any) -> dict[str, Any]:
    return {"query": {"value": value, **more}}


def reading(sandbox: Sandbox) -> Client:
    """Return a client of another sandbox than the test's own."""
    headers = {"Authorization": "sandbox-admin-token"}
    return Client(transport=transport(sandbox), base_url="https://dev.dixa.io/v1", headers=headers)


async def everything(dixa: Client, path: str, body: Any) -> list[Any]:
    """Return all pages of a paged POST."""
    found: list[Any] = []
    query = ""
    while True:
        answer = (await dixa.post(f"{path}?pageLimit=50{query}", json=body)).json()
        found += answer["data"]
        if "next" not in answer.get("meta", {}):
            return found
        key = answer["meta"]["next"].partition("pageKey=")[2].partition("&")[0]
        query = f"&pageKey={key}"


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("/search/conversations", body)
    for body in (
        words("parcel"),
        words("PARCEL where"),
        words("Where is my parcel", exactMatch=True),
        words("parcel my is", exactMatch=True),
        words("warehouse"),
        words("Müller"),
        words("O'Shea"),
        words("田中"),
        words("F-2"),
        words("wrote?"),
        words("?"),
        words("Best regards", exactMatch=True),
        words("parcel") | field("Status", "IsOneOf", values=["open"]),
        field("LastMessage", "Since", timestamp="2026-02-01T00:00:00.000Z"),
        field("LastActivity", "Until", timestamp="2025-10-01T00:00:00.000Z"),
        field(
            "AssignedDate",
            "Between",
            timestampFrom="2025-12-01T00:00:00.000Z",
            timestampTo="2025-12-31T00:00:00.000Z",
        ),
        field("ClosedDate", "Since", timestamp="2026-01-15T00:00:00.000Z"),
        field("CreationDate", "Since", timestamp="2026-01-15T00:00:00.000Z"),
        field("Duration", "LongerThanOrEqualTo", duration=200_000_000),
    )
]


@pytest.mark.parametrize(("path", "body"), ASKED)
async def test_a_search_finds_the_same_before_and_after_looking(
    sandbox: Sandbox, dixa: Client, seen: Sandbox, path: str, body: Any
) -> None:
    """The index and the drawn times must agree with the texts and the times that are written out."""
    fresh = await everything(dixa, path, body)
    assert len(sandbox.organisation.untold.stories) >= SCALE - len(fresh)
    async with reading(seen) as after:
        assert await everything(after, path, body) == fresh


def test_drawn_times_are_the_written_ones(sandbox: Sandbox) -> None:
    """What search and analytics know without looking is what they would read."""
    organisation = sandbox.organisation
    for csid, story in list(organisation.untold.stories.items()):
        drawn = (written_ms(story.last_said), written_ms(story.last_happened))
        conversation = organisation.conversations[csid]
        assert organisation.messages[csid][-1]["createdAt"] == drawn[0], csid
        read = (searching.last_message(organisation, conversation), searching.last_activity(organisation, conversation))
        assert tuple(text and parse(text) for text in read) == tuple(map(parse, drawn)), csid


async def test_an_order_is_found_by_its_number(sandbox: Sandbox, dixa: Client) -> None:
    """With the prefix, without it, and in the conversations that were looked at as well."""
    story = next(story for story in sandbox.organisation.untold.stories.values() if "{number}" in story.lines()[0].text)
    for value in (f"F-{story.number}", str(story.number), f"order F-{story.number}".rpartition(" ")[2].lower()):
        assert story.csid in [hit["id"] for hit in await everything(dixa, "/search/conversations", words(value))]
    assert await everything(dixa, "/search/conversations", words("F-19999")) == []


@pytest.mark.parametrize("point", [[], ["+12025550175"], ["fernway-returns@email.dixa.io"]])
@pytest.mark.parametrize(
    "metric", ["csat", "closed_conversations", "first_response_time", "fcr", "conversation_assignments_per_agent"]
)
async def test_figures_are_the_same_before_and_after_looking(
    sandbox: Sandbox, dixa: Client, seen: Sandbox, metric: str, point: list[str]
) -> None:
    """Drawn times against written ones, in a period that cuts the organisation."""
    interval = {"_type": "Interval", "start": "2025-11-03T07:00:00.000Z", "end": "2026-02-03T00:00:00.000Z"}
    filters = [{"attribute": "contact_point", "values": point}] if point else []
    body = {"id": metric, "periodFilter": interval, "filters": filters, "timezone": "UTC"}
    fresh = (await dixa.post("/analytics/metrics", json=body)).json()
    assert len(sandbox.organisation.untold.stories) == SCALE
    async with reading(seen) as after:
        assert (await after.post("/analytics/metrics", json=body)).json() == fresh
    assert fresh["data"]["aggregates"]


async def test_the_organisations_log_is_the_same_before_and_after_looking(sandbox: Sandbox, dixa: Client) -> None:
    """Oldest first, in a span, page by page."""
    path = "/conversations/activitylog?fromDatetime=2026-01-01T00:00:00Z&toDatetime=2026-02-01T00:00:00Z&pageLimit=100"
    fresh = (await dixa.get(path)).json()
    times = [entry["activityTimestamp"] for entry in fresh["data"]]
    assert times == sorted(times)
    assert (len(times), times[0][:7]) == (100, "2026-01")
    assert len(sandbox.organisation.untold.stories) >= SCALE - 100
    assert len(sandbox.organisation.activity) > SCALE
    assert (await dixa.get(path)).json() == fresh
