"""Search and analytics in the sandbox: every filter and operator, and figures that add up."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fernway_ids import GENERAL, GRACE, MIA, OLIVIA, SARA, TOM

from dixa_mcp.sandbox import Sandbox

Client = httpx.AsyncClient
REFUND = "1adaf35f-917a-42fb-a7c3-91e45c98bace"
LATE = "c3ec79d6-4bfa-4a8a-b2e5-cde72d2dd6b9"
VIP = "5985a499-cab7-47bf-bc9f-ed0130c0a823"
ORDER = "4b2fe144-136d-456f-8516-c49e408c994c"
REASON = "d10fab2a-5f2b-4baf-8f55-848db3ad59ec"
CLOSING = "0be2a6fe-2b46-45b6-bb93-d9b72eb796c6"
EVERYTHING = set(range(10401, 10414))


async def search(dixa: Client, **body: Any) -> list[int]:
    answer = await dixa.post("/search/conversations", json=body)
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["data"]]


async def filtered(dixa: Client, *fields: Any, strategy: str = "All") -> set[int]:
    conditions = [{"field": field} for field in fields]
    return set(await search(dixa, filters={"strategy": strategy, "conditions": conditions}))


def one_of(kind: str, *values: Any) -> dict[str, Any]:
    return {"_type": kind, "operator": {"_type": "IsOneOf", "values": list(values)}}


def field(kind: str, operator: str, **more: Any) -> dict[str, Any]:
    return {"_type": kind, "operator": {"_type": operator, **more}}


def attribute(attribute_id: str, operator: str, *values: Any) -> dict[str, Any]:
    return field("CustomAttribute", operator, **({"values": list(values)} if values else {})) | {
        "attributeId": attribute_id
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (one_of("AgentId", MIA), {10401, 10406}),
        (field("AgentId", "IsNotOneOf", values=[MIA]), EVERYTHING - {10401, 10406}),
        (field("AgentId", "IsEmpty"), {10402, 10409, 10410, 10413}),
        (field("AgentId", "IsNotEmpty"), EVERYTHING - {10402, 10409, 10410, 10413}),
        (one_of("QueueId", GENERAL), {10401, 10403, 10404, 10408, 10410}),
        (field("QueueId", "IsEmpty"), {10406, 10409, 10411, 10412, 10413}),
        (one_of("ContactId", GRACE), {10409, 10412}),
        (one_of("ConversationId", "10401", "10402"), {10401, 10402}),
        (field("TagId", "IncludesOne", values=[REFUND, LATE]), {10401, 10402, 10413}),
        (field("TagId", "IncludesAll", values=[LATE, VIP]), {10401}),
        (field("TagId", "ExcludesAll", values=[REFUND, LATE]), EVERYTHING - {10401, 10402, 10413}),
        (field("TagId", "ExcludesOne", values=[LATE, VIP]), EVERYTHING - {10401}),
        (field("TagId", "IsEmpty"), EVERYTHING - {10401, 10402, 10405, 10408, 10413}),
        (field("TagId", "IsNotEmpty"), {10401, 10402, 10405, 10408, 10413}),
        (one_of("Channel", "phone", "sms"), {10405, 10406}),
        (one_of("Channel", "genericapimessaging"), {10411}),
        (field("Channel", "IsNotOneOf", values=["email"]), EVERYTHING - {10401, 10409, 10412, 10413}),
        (one_of("Direction", "outbound"), {10406, 10412}),
        (one_of("Status", "pending"), {10404}),
        (field("Status", "IsNotOneOf", values=["closed"]), {10401, 10402, 10403, 10404, 10407, 10411, 10412}),
        (field("AssignedDate", "Since", timestamp="2026-02-13T00:00:00.000Z"), {10403, 10407, 10412}),
        (field("CreationDate", "Until", timestamp="2026-01-01T00:00:00.000Z"), {10409, 10410}),
        (
            field("ClosedDate", "Between", timestampFrom="2026-02-06T00:00:00Z", timestampTo="2026-02-09T00:00:00Z"),
            {10408, 10413},
        ),
        (field("LastMessage", "Since", timestamp="2026-02-13T11:50:00.000Z"), {10403}),
        (
            field("LastActivity", "Since", timestamp="2026-02-12T08:30:00.000Z"),
            {10401, 10402, 10403, 10407, 10412},
        ),
        (field("Duration", "LongerThanOrEqualTo", duration=86_400_000 * 10), {10411}),
        (field("Duration", "ShorterThanOrEqualTo", duration=672_000), {10403, 10405}),
        (field("Duration", "Between", min=672_000, max=3_600_000), {10402, 10405, 10406, 10410, 10412}),
        (attribute(ORDER, "IsOneOf", ["F-20417"]), {10401}),
        (attribute(REASON, "IsOneOf", ["delivery"]), {10401}),
        (attribute(REASON, "IsOneOf", ["delivery", "lost"]), set()),
        (attribute(REASON, "IsNotOneOf", ["delivery", "late"]), EVERYTHING - {10401}),
        (attribute(CLOSING, "IsEmpty"), EVERYTHING - {10405, 10413}),
        (attribute(CLOSING, "IsNotEmpty"), {10405, 10413}),
    ],
)
async def test_each_operator_finds_what_it_says(dixa: Client, asked: Any, found: set[int]) -> None:
    """Every field and operator of notes §12, on the seed."""
    assert await filtered(dixa, asked) == found


async def test_conditions_are_joined_by_the_strategy(dixa: Client) -> None:
    """All = and, Any = or (notes §12)."""
    both = one_of("Status", "open"), one_of("AgentId", TOM)
    assert await filtered(dixa, *both) == {10403, 10407, 10411, 10412}
    assert await filtered(dixa, *both, strategy="Any") == {10401, 10402, 10403, 10407, 10411, 10412}


async def test_text_is_found_in_subjects_and_messages_and_marked(dixa: Client) -> None:
    """Notes §12; the highlights' form is the document's."""
    answer = await dixa.post("/search/conversations", json={"query": {"value": "order F-20417", "exactMatch": True}})
    [hit] = answer.json()["data"]
    assert hit["id"] == 10401
    assert hit["highlights"]["subject"] == ['<em class="highlight">Order F-20417</em> has not arrived']
    assert await search(dixa, query={"value": "f-20417 arrived"}) == [10401]
    assert await search(dixa, query={"value": "arrived order", "exactMatch": True}) == []
    assert await search(dixa, query={"value": "ord"}) == []


async def test_text_and_filters_narrow_each_other(dixa: Client) -> None:
    """Notes §12."""
    filters = {"strategy": "All", "conditions": [{"field": one_of("ContactId", OLIVIA)}]}
    assert await search(dixa, query={"value": "order"}, filters=filters) == [10401]
    filters = {"strategy": "All", "conditions": [{"field": one_of("ContactId", GRACE)}]}
    assert await search(dixa, query={"value": "order"}, filters=filters) == []


async def test_a_search_sees_what_was_just_written(dixa: Client) -> None:
    """Memory, without a delay (ours)."""
    message = {"_type": "Inbound", "content": {"_type": "Text", "value": "Zanzibar"}}
    await dixa.post("/conversations/10401/messages", json=message)
    assert await search(dixa, query={"value": "zanzibar"}) == [10401]


async def test_without_anything_all_conversations_come_newest_first_in_pages(dixa: Client) -> None:
    """Text, filters or neither (notes §12); the link has the document's slash and colon (notes §6)."""
    first = (await dixa.post("/search/conversations?pageLimit=12", json={})).json()
    assert first["data"][0]["id"] == 10403
    assert first["meta"]["next"].startswith("/v1/search/conversations/?pageKey=")
    assert first["meta"]["next"].endswith(":")
    key = httpx.URL(first["meta"]["next"]).params["pageKey"]
    second = (await dixa.post("/search/conversations", params={"pageKey": key}, json={})).json()
    assert [hit["id"] for hit in second["data"]] == [10409]
    assert await search(dixa) == [hit["id"] for hit in first["data"] + second["data"]]


async def test_the_deprecated_search_adds_the_messages(dixa: Client) -> None:
    """InnerHits with their highlight (notes §12)."""
    answer = (await dixa.get("/search/conversations?query=tent")).json()
    [hit] = answer["data"]
    assert hit["innerHits"][0]["highlight"]["text"] == 'Is the <em class="highlight">tent</em> in stock?'
    assert (await dixa.get("/search/conversations?query=")).status_code == 400
    assert (await dixa.get("/search/conversations")).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"query": {"value": ""}},
        {"filters": {"strategy": "Some", "conditions": []}},
        {
            "filters": {
                "strategy": "All",
                "conditions": [{"field": {"_type": "Colour", "operator": {"_type": "IsEmpty"}}}],
            }
        },
        {"filters": {"strategy": "All", "conditions": [{"field": one_of("Status", "Open")}]}},
        {"filters": {"strategy": "All", "conditions": [{"field": field("Status", "IsEmpty")}]}},
        {"filters": {"strategy": "All", "conditions": [{"field": field("CreationDate", "Since", timestamp="soon")}]}},
    ],
)
async def test_a_condition_that_is_none_is_refused(dixa: Client, body: Any) -> None:
    """Value lists and operators by field (notes §12)."""
    assert (await dixa.post("/search/conversations", json=body)).status_code == 400


# --- analytics


def preset(name: str) -> dict[str, Any]:
    return {"periodFilter": {"_type": "Preset", "value": {"_type": name}}, "timezone": "Europe/Copenhagen"}


async def figures(dixa: Client, metric: str, **body: Any) -> dict[str, Any]:
    answer = await dixa.post("/analytics/metrics", json={"id": metric, "filters": [], "timezone": "UTC"} | body)
    assert answer.status_code == 200, answer.text
    return {item["measure"]: item["value"] for item in answer.json()["data"]["aggregates"]}


@pytest.mark.parametrize(
    ("period", "closed"),
    [
        ("Today", 0),
        ("Yesterday", 0),
        ("ThisWeek", 2),
        ("PreviousWeek", 2),
        ("ThisMonth", 4),
        ("PreviousMonth", 0),
        ("ThisQuarter", 4),
        ("PreviousQuarter", 1),
        ("ThisYear", 4),
    ],
)
async def test_presets_are_cut_at_the_sandboxs_clock(dixa: Client, period: str, closed: int) -> None:
    """Friday 2026-02-13: 10405 and 10406 closed this week, 10408 and 10413 the week before (notes §13)."""
    assert await figures(dixa, "closed_conversations", **preset(period)) == {"Count": closed}


async def test_a_preset_may_be_a_bare_word(dixa: Client) -> None:
    """The schema says a word, the examples an object (notes §26)."""
    body = {"periodFilter": {"_type": "Preset", "value": "ThisWeek"}}
    assert await figures(dixa, "closed_conversations", **body) == {"Count": 2}


async def test_the_zone_cuts_the_day(dixa: Client, sandbox: Sandbox) -> None:
    """An interval is absolute; a preset day begins at the zone's midnight (notes §13)."""
    sandbox.clock.set(datetime(2026, 2, 11, 23, 30, tzinfo=UTC))
    day = {"periodFilter": {"_type": "Preset", "value": {"_type": "Today"}}}
    assert await figures(dixa, "closed_conversations", **day, timezone="UTC") == {"Count": 1}
    assert await figures(dixa, "closed_conversations", **day, timezone="Europe/Copenhagen") == {"Count": 0}
    interval = {"_type": "Interval", "start": "2026-02-11T15:41:12.000Z", "end": "2026-02-11T15:41:12.001Z"}
    assert await figures(dixa, "closed_conversations", periodFilter=interval) == {"Count": 1}


@pytest.mark.parametrize(
    ("attribute_name", "values", "count"),
    [
        ("channel", ["PSTN_PHONE"], 1),
        ("channel", ["email", "SMS"], 2),
        ("queue_id", [GENERAL], 1),
        ("initial_direction", ["OUTBOUND"], 1),
        ("tag_id", [REFUND], 1),
        ("contact_point", ["+12025550175"], 1),
        ("agent_id", [SARA], 4),
    ],
)
async def test_filters_narrow_and_what_does_not_apply_is_ignored(
    dixa: Client, attribute_name: str, values: list[str], count: int
) -> None:
    """closed_conversations has no agent_id filter (notes §13)."""
    filters = [{"attribute": attribute_name, "values": values}]
    assert await figures(dixa, "closed_conversations", **preset("ThisMonth") | {"filters": filters}) == {"Count": count}


async def test_figures_come_from_the_conversations(dixa: Client) -> None:
    """csat: scores of 4 and 5 among the ratings; the others by their names (fixtures §13)."""
    month = preset("ThisMonth")
    assert await figures(dixa, "csat", **month) == {"Percentage": 66.67}
    assert await figures(dixa, "conversation_assignments_per_agent", **month) == {"Count": 4, "Sum": 9.0}
    assert await figures(dixa, "fcr", **month) == {"Percentage": 75.0}
    times = await figures(dixa, "first_response_time", **month)
    assert (times["Min"], times["Max"]) == (20.0, 51_300.0)
    assert await figures(dixa, "csat", **preset("Today")) == {}
    assert await figures(dixa, "csat", csidFilter=[10408]) == {"Percentage": 0.0}


async def test_records_are_rows_of_the_same_conversations(dixa: Client) -> None:
    """Typed fields with labels; paged (notes §13)."""
    body = {"id": "ratings", "filters": [], **preset("ThisMonth")}
    first = (await dixa.post("/analytics/records?pageLimit=2", json=body)).json()
    key = httpx.URL(first["meta"]["next"]).params["pageKey"]
    second = (await dixa.post("/analytics/records", params={"pageKey": key}, json=body)).json()
    rows = first["data"] + second["data"]
    assert [row["fields"][0]["field"]["value"] for row in rows] == [10408, 10413, 10405]
    assert [row["value"]["value"] for row in rows] == [2, 4, 5]
    assert rows[2]["fields"][2] == {
        "name": "queue",
        "field": {"_type": "UUIDField", "value": "f343d8d3-340e-4287-824e-d5437561c985", "label": "Phone line"},
    }
    closed = {"id": "closed_conversations", "csidFilter": [10405], "filters": [], "timezone": "UTC"}
    [row] = (await dixa.post("/analytics/records", json=closed)).json()["data"]
    assert "value" not in row


@pytest.mark.parametrize(
    "body",
    [
        {"id": "nonsense", "csidFilter": [10405], "timezone": "UTC"},
        {"id": "csat", "timezone": "UTC"},
        {"id": "csat", "csidFilter": [10405], "timezone": "Mars/Olympus"},
        {"id": "csat", "csidFilter": [10405], "timezone": "UTC", "aggregations": ["Count"]},
        {
            "id": "csat",
            "csidFilter": [10405],
            "timezone": "UTC",
            "filters": [{"attribute": "colour", "values": ["red"]}],
        },
        {"id": "csat", "csidFilter": [10405], **preset("Today")},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(dixa: Client, body: Any) -> None:
    """Either a period or conversations, never both (notes §13)."""
    assert (await dixa.post("/analytics/metrics", json=body)).status_code == 400


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("channel", "Phone"),
        ("agent_id", "Mia Lindqvist"),
        ("queue_id", "VIP"),
        ("tag_id", "refund"),
        ("initial_direction", "Inbound"),
        ("contact_point", "+12025550175"),
    ],
)
async def test_filter_values_have_labels(dixa: Client, name: str, label: str) -> None:
    """Fixtures §13."""
    values = (await dixa.get(f"/analytics/filter/{name}")).json()["data"]
    assert label in [value["label"] for value in values]


async def test_unknown_catalogue_entries_are_bad_requests(dixa: Client) -> None:
    """The contract knows no 404 here (notes §4)."""
    for path in ("metrics/nonsense", "records/nonsense", "filter/nonsense"):
        assert (await dixa.get(f"/analytics/{path}")).status_code == 400
