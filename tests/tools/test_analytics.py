"""Metrics: the right number for the question, in the right period, zone and currency of words (notes §13)."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import truth
from front_door import desk
from happenings import SARA

from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.organisation import Organisation

JANUARY = truth.between("2026-01-01", "2026-01-31")
DECEMBER = truth.between("2025-12-01", "2025-12-31")
WEEK = truth.between("2026-02-02", "2026-02-08")


@pytest.fixture
def busy() -> Sandbox:
    """Some hundred generated conversations besides the seeded ones."""
    return Sandbox(scale=400)


def parts(structured: Any) -> dict[str, Any]:
    return {part["label"]: part["value"] for part in structured["parts"]}


def requests(sandbox: Sandbox, operation: str = "query_metric_data") -> int:
    return sum(request.operation == operation for request in sandbox.requests)


# --- which metric


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("which metric tells me first response time?", "metric first_response_time"),
        ("how happy are our customers", "metric csat"),
        ("satisfaction score", "metric csat"),
        ("how many conversations did we resolve", "metric closed_conversations"),
        ("tickets solved", "metric closed_conversations"),
        ("how fast do we answer", "metric first_response_time"),
        ("first contact resolution", "metric fcr"),
        ("workload per agent", "metric conversation_assignments_per_agent"),
        ("first responce tiem", "metric first_response_time"),
        ("fcr", "metric fcr"),
        ("rating comments, the single rows", "record ratings"),
    ],
)
async def test_a_question_in_plain_words_finds_its_metric_first(question: str, first: str) -> None:
    """The catalogue isn't published, so words must lead to it (notes §13, design §5)."""
    async with desk() as d:
        said = await d.call("find_metrics", query=question)
        assert said.text.startswith(f"{first}:"), said.text


async def test_a_finding_tells_filters_in_our_words_measures_and_values(era: str) -> None:
    """What the next call takes stands in the answer: our argument names, not Dixa's attributes."""
    async with desk(era=era) as d:
        said = await d.call("find_metrics", query="csat")
        assert "Filters: agent, queue, channel, tag, direction, contact_point" in said.text
        assert "Measures: Percentage" in said.text
        assert "Values of channel: Email" in said.text
        assert "agent_id." not in said.text


async def test_words_that_fit_nothing_list_what_there_is() -> None:
    """A near miss lists the choices (design §5)."""
    async with desk() as d:
        said = await d.call("find_metrics", query="xylophone")
        assert "No metric or record fits “xylophone”" in said.text
        assert "first_response_time" in said.text


async def test_no_words_list_everything() -> None:
    """The whole catalogue is small enough for one answer."""
    async with desk() as d:
        said = await d.call("find_metrics")
        organisation = d.sandbox.organisation
        for name in organisation.metrics:
            assert f"metric {name}:" in said.text
        for name in organisation.records:
            assert f"record {name}:" in said.text


# --- one value


async def test_a_value_and_the_former_one_are_what_the_state_says(era: str, busy: Sandbox) -> None:
    """Recomputed from the sandbox's ratings; a whole month compares with the whole one before."""
    async with desk(era=era, sandbox=busy) as d:
        said = await d.call("query_metric", metric="csat", period="last month")
        figure = said.structured["figures"][0]
        assert figure["value"] == pytest.approx(truth.csat(busy, JANUARY), abs=0.01)
        assert figure["former"] == pytest.approx(truth.csat(busy, DECEMBER), abs=0.01)
        assert not d.writes


async def test_the_period_is_said_once_with_its_zone_once(busy: Sandbox) -> None:
    """Resolved ends and zone are said in the answer (design §5), and not twice."""
    async with desk("--timezone", "Europe/Copenhagen", sandbox=busy) as d:
        month = await d.call("query_metric", metric="csat", period="this month")
        week = await d.call("query_metric", metric="csat", period="last week")
        day = await d.call("query_metric", metric="csat", period="yesterday")
        assert month.text.splitlines()[1] == "this month: 2026-02-01 to 2026-02-13 13:00 (Europe/Copenhagen)"
        assert week.text.splitlines()[1] == "last week: 2026-02-02 to 2026-02-08 (Europe/Copenhagen)"
        assert "Before: 2026-01-26 to 2026-02-01 (Europe/Copenhagen)" in week.text
        assert day.text.splitlines()[1] == "yesterday: 2026-02-12 (Europe/Copenhagen)"


async def test_several_values_of_a_filter_count_together(busy: Sandbox) -> None:
    """Several values of one attribute are an or (notes §13), given with commas."""
    async with desk(sandbox=busy) as d:
        said = await d.call(
            "query_metric", metric="closed_conversations", period="last month", channel="email, chat", compare=False
        )
        wanted = [each for each in truth.closed(busy, JANUARY) if each["channel"] in {"Email", "WidgetChat"}]
        assert said.structured["figures"] == [{"measure": "Count", "value": len(wanted), "former": None}]
        assert said.structured["filters"] == {"channel": "Email, Chat"}
        assert "before" not in said.text.lower()


async def test_a_name_with_a_comma_is_one_name(busy: Sandbox) -> None:
    """A queue may be called `Sales, EU`; the whole text is tried before it is cut at commas."""
    queue = next(iter(busy.organisation.queues.values()))
    queue["name"] = "Sales, EU"
    async with desk(sandbox=busy) as d:
        said = await d.call("query_metric", metric="closed_conversations", period="last month", queue="sales, eu")
        assert said.structured["filters"] == {"queue": "Sales, EU"}


async def test_an_agent_is_known_by_mail_too(busy: Sandbox) -> None:
    """Names or ids everywhere (design §5)."""
    async with desk(sandbox=busy) as d:
        mail = busy.organisation.agents[SARA]["email"]
        said = await d.call("query_metric", metric="csat", period="last month", agent=mail)
        assert said.structured["figures"][0]["value"] == pytest.approx(truth.csat(busy, JANUARY, SARA), abs=0.01)


async def test_given_conversations_take_the_place_of_the_period() -> None:
    """Dixa takes a period or conversations, never both (notes §13)."""
    async with desk() as d:
        ids = [each["id"] for each in truth.closed(d.sandbox)][:2]
        said = await d.call("query_metric", metric="closed_conversations", conversation_ids=[*ids, 10401])
        assert said.structured["figures"] == [{"measure": "Count", "value": 2, "former": None}]
        assert said.text.splitlines()[1] == "3 conversations"
        refused = await d.call("query_metric", metric="closed_conversations", conversation_ids=ids, by="day")
        assert refused.failed
        assert "leave conversation_ids out" in refused.text


async def test_a_unit_is_shown_only_where_it_is_known(busy: Sandbox) -> None:
    """Dixa documents no units (notes §13): a percentage has one, another only by the metric's own words."""
    async with desk(sandbox=busy) as d:
        known = await d.call("query_metric", metric="first_response_time", period="last month")
        assert re.search(r"Average: [\d,.]+ s \(\d+ h \d+ min\)|Average: [\d,.]+ s \(\d+ min\)", known.text), known.text
        busy.organisation.metrics["first_response_time"]["description"] = "Time to the first answer"
        async with desk(sandbox=busy) as other:
            unknown = await other.call("query_metric", metric="first_response_time", period="last month")
            assert re.search(r"^Average: [\d,.]+ \(before: ", unknown.text, re.MULTILINE), unknown.text


async def test_one_measure_can_be_chosen(busy: Sandbox) -> None:
    """A metric may have several measures; a wrong one lists them."""
    async with desk(sandbox=busy) as d:
        said = await d.call("query_metric", metric="first_response_time", period="last month", measure="max")
        assert [figure["measure"] for figure in said.structured["figures"]] == ["Max"]
        wrong = await d.call("query_metric", metric="csat", measure="Sum")
        assert wrong.failed
        assert "csat has no measure 'Sum'; it has Percentage" in wrong.text


# --- split up


async def test_the_parts_by_queue_are_what_the_state_says(era: str, busy: Sandbox) -> None:
    """One query a queue, the largest first, with shares of the total (design §5)."""
    async with desk(era=era, sandbox=busy) as d:
        said = await d.call("query_metric", metric="closed_conversations", period="last month", by="queue")
        wanted = truth.by_queue(busy, JANUARY)
        shown = parts(said.structured)
        assert {name: count for name, count in shown.items() if count} == {k: v for k, v in wanted.items() if k}
        assert list(shown.values()) == sorted(shown.values(), reverse=True)
        total = sum(wanted.values())
        top, count = next(iter(shown.items()))
        former = truth.by_queue(busy, DECEMBER)[top]
        assert re.search(
            rf"^{re.escape(top)} +█+ {count}, {round(100 * count / total)} % \(before: {former}\)$",
            said.text,
            re.MULTILINE,
        ), said.text
        assert ("In none of these" in said.text) == bool(wanted[""])


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
async def test_days_are_cut_in_the_answers_zone(zone: str, busy: Sandbox) -> None:
    """A day is a local day; every closed conversation falls into exactly one."""
    span = truth.between("2026-01-01", "2026-01-31", zone)
    async with desk("--timezone", zone, sandbox=busy) as d:
        said = await d.call("query_metric", metric="closed_conversations", period="2026-01", by="day")
        shown = parts(said.structured)
        assert len(shown) == 31
        assert {day: count for day, count in shown.items() if count} == truth.by_day(busy, span, zone)
        assert sum(shown.values()) == said.structured["figures"][0]["value"]


async def test_days_survive_the_change_to_summer_time() -> None:
    """29 March 2026 has 23 hours in Copenhagen; no hour is counted twice or lost."""
    sandbox = Sandbox(clock=datetime(2026, 4, 14, 12, tzinfo=UTC))
    for number, each in enumerate(sandbox.organisation.conversations.values()):
        each |= {"state": "Closed", "stateUpdatedAt": f"2026-03-{28 + number % 3}T{(21 + number // 3) % 24:02}:30:00Z"}
    span = truth.between("2026-03-27", "2026-03-31", "Europe/Copenhagen")
    async with desk("--timezone", "Europe/Copenhagen", sandbox=sandbox) as d:
        said = await d.call(
            "query_metric", metric="closed_conversations", period="2026-03-27..2026-03-31", by="day", compare=False
        )
        shown = {day: count for day, count in parts(said.structured).items() if count}
        assert shown == truth.by_day(sandbox, span, "Europe/Copenhagen") != truth.by_day(sandbox, span, "UTC")


async def test_weeks_and_months_keep_the_ends_of_the_period(busy: Sandbox) -> None:
    """A period that begins in the middle of a week has a short first week."""
    async with desk(sandbox=busy) as d:
        weeks = await d.call("query_metric", metric="closed_conversations", period="2026-01-01..2026-01-31", by="week")
        assert list(parts(weeks.structured)) == ["2026-01-01", "2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]
        assert sum(parts(weeks.structured).values()) == len(truth.closed(busy, JANUARY))
        months = await d.call("query_metric", metric="closed_conversations", period="2025", by="month")
        assert list(parts(months.structured))[-5:] == ["2025-08", "2025-09", "2025-10", "2025-11", "2025-12"]


async def test_each_day_stands_beside_the_same_day_before(busy: Sandbox) -> None:
    """The former period is compared part by part."""
    async with desk(sandbox=busy) as d:
        said = await d.call("query_metric", metric="closed_conversations", period="last week", by="day")
        former = truth.by_day(busy, truth.between("2026-01-26", "2026-02-01"), "UTC")
        assert [part["former"] for part in said.structured["parts"]] == [
            former[day] for day in ("2026-01-26", "2026-01-27", "2026-01-28", "2026-01-29", "2026-01-30")
        ] + [former["2026-01-31"], former["2026-02-01"]]


async def test_overlapping_parts_have_no_shares(busy: Sandbox) -> None:
    """A conversation may have several tags, so their counts aren't shares of a whole."""
    everything = list(busy.organisation.tags)
    for each in truth.closed(busy, JANUARY):
        busy.organisation.tagged[each["id"]] = everything
    async with desk(sandbox=busy) as d:
        said = await d.call("query_metric", metric="closed_conversations", period="last month", by="tag")
        assert said.structured["shares"] is False
        assert " %" not in said.text
        assert "several tags" in said.text


async def test_named_values_bound_the_parts(busy: Sandbox) -> None:
    """`by` with a filter of the same kind asks for those values only."""
    async with desk(sandbox=busy) as d:
        said = await d.call(
            "query_metric", metric="closed_conversations", period="last month", by="channel", channel="sms, email"
        )
        assert sorted(parts(said.structured)) == ["Email", "SMS"]
        assert requests(busy) == 2 + 2 * 2


async def test_too_many_values_are_cut_and_said(busy: Sandbox) -> None:
    """The fan-out is bounded: what was left out stands in the answer (design §5)."""
    tag = next(iter(busy.organisation.tags.values()))
    for number in range(150):
        busy.organisation.tags[f"extra-{number}"] = {**tag, "id": f"extra-{number}", "name": f"Extra {number}"}
    async with desk(sandbox=busy) as d:
        said = await d.call("query_metric", metric="closed_conversations", period="last month", by="tag")
        left = len(busy.organisation.tags) - 100
        assert f"INCOMPLETE: {left} more tags weren't asked for; name the ones you want with tag=…" in said.text
        assert requests(busy) == 2 + 100
        assert "former period is left out of the parts" in said.text


async def test_too_many_days_ask_for_a_coarser_division() -> None:
    """A year by day would be 365 requests."""
    async with desk() as d:
        d.sandbox.organisation.conversations[10405]["stateUpdatedAt"] = "2025-06-01T12:00:00Z"
        said = await d.call("query_metric", metric="closed_conversations", period="2025", by="day")
        assert said.failed
        assert "365 days, and at most 100" in said.text
        assert "Use week" in said.text


async def test_a_part_that_fails_is_missing_and_said(busy: Sandbox) -> None:
    """Partial results say so, with Dixa's reason (design §7)."""
    busy.faults.add("query_metric_data", status=400, after=4, message="No such value")
    async with desk(sandbox=busy) as d:
        said = await d.call(
            "query_metric", metric="closed_conversations", period="last month", by="queue", compare=False
        )
        assert not said.failed
        count = len(busy.organisation.queues)
        assert f"INCOMPLETE: 1 of {count} parts are missing" in said.text
        assert "No such value" in said.text
        assert len(said.structured["parts"]) == count - 1
        assert "In none of these" not in said.text


async def test_progress_is_reported_part_by_part(busy: Sandbox) -> None:
    """Long fan-outs report progress, which keeps them alive (design §7)."""
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))

    async with desk(sandbox=busy) as d:
        arguments = {"metric": "closed_conversations", "period": "last week", "by": "day"}
        await d.client.call_tool("dixa_query_metric", arguments, progress_callback=hear)
        assert heard == [(day, 7) for day in range(1, 8)]


async def test_a_metric_is_split_only_by_what_it_knows() -> None:
    """`closed_conversations` has no agent filter; Dixa would ignore it silently (notes §13)."""
    async with desk() as d:
        split = await d.call("query_metric", metric="closed_conversations", by="agent", period="this month")
        filtered = await d.call("query_metric", metric="closed_conversations", agent="Mia")
        assert split.failed
        assert "can't be split by agent; it can by queue, channel, tag" in split.text
        assert filtered.failed
        assert "can't be filtered by agent; it can by queue, channel, tag, direction, contact_point" in filtered.text
        assert requests(d.sandbox) == 2


# --- nothing, and what goes wrong


async def test_an_empty_result_names_the_filter_that_emptied_it() -> None:
    """Design §5: an empty result says which filter emptied it."""
    async with desk() as d:
        said = await d.call(
            "query_metric",
            metric="closed_conversations",
            period="this month",
            channel="email, sms, phone",
            queue="Billing disputes",
        )
        assert "without queue Billing disputes there is a value" in said.text
        nothing = await d.call("query_metric", metric="closed_conversations", period="2020", channel="email")
        assert "Nothing was counted in this period, with any one of the filters taken out either" in nothing.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"metric": "csat", "period": "nonsense"}, "isn't a period"),
        ({"metric": "cssat"}, "Did you mean one of these: csat"),
        ({"metric": "csat", "queue": "Nowhere"}, "No queue is called 'Nowhere'"),
        ({"metric": "csat", "queue": "e"}, "queue"),
        ({"metric": "csat", "channel": "email, pigeon"}, "No channel is called 'pigeon'"),
        ({"metric": "csat", "by": "moon"}, "by"),
        ({"metric": "csat", "colour": "red"}, "no argument 'colour'"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_the_choices(arguments: dict[str, Any], words: str) -> None:
    """Bad input never reaches analytics, and the answer says what would do (design §5)."""
    async with desk() as d:
        said = await d.call("query_metric", **arguments)
        assert said.failed
        assert words in said.text
        assert requests(d.sandbox) == 0


async def test_dixas_refusal_is_said(busy: Sandbox) -> None:
    """An error is explained once, in words (design §7)."""
    busy.faults.add("query_metric_data", status=401)
    async with desk(sandbox=busy) as d:
        said = await d.call("query_metric", metric="csat")
        assert said.failed
        assert "did not accept the token" in said.text


async def test_numbers_need_no_right_to_write(era: str, busy: Sandbox) -> None:
    """READ tools run in read-only mode (design §3)."""
    async with desk("--mode", "read-only", era=era, sandbox=busy) as d:
        assert not (await d.call("query_metric", metric="csat", period="last month")).failed
        assert not (await d.call("query_records", record="ratings", period="last month")).failed
        assert not (await d.call("find_metrics", query="csat")).failed
        assert not d.writes


def test_the_truth_is_not_empty() -> None:
    """The tests above would pass on nothing otherwise."""
    sandbox = Sandbox(scale=400)
    organisation: Organisation = sandbox.organisation
    assert len(truth.closed(sandbox, JANUARY)) > 20
    assert len(truth.by_queue(sandbox, JANUARY)) > 2
    assert truth.csat(sandbox, JANUARY) != truth.csat(sandbox, DECEMBER)
    assert len(organisation.queues) > 3
