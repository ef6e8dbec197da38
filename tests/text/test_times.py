"""Times as people and Dixa write them; nothing reads the clock (design §5, notes §7)."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dixa_mcp.text.times import BadTime, ago, instant, parse, period, shown, wire

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 2, 13, 12, 0, tzinfo=UTC)  # a Friday, 13:00 in Copenhagen
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in ("Europe/Copenhagen", "UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")
    ]
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes naive bounds


def local(text: str, *, future: bool = False) -> str:
    return f"{instant(text, NOW, COPENHAGEN, future=future):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "past", "future"),
    [
        ("now", "2026-02-13 13:00", "2026-02-13 13:00"),
        ("today", "2026-02-13 00:00", "2026-02-13 00:00"),
        ("Yesterday 17:30", "2026-02-12 17:30", "2026-02-12 17:30"),
        ("tomorrow 8:00", "2026-02-14 08:00", "2026-02-14 08:00"),
        ("tomorrow at 8am", "2026-02-14 08:00", "2026-02-14 08:00"),
        ("monday", "2026-02-09 00:00", "2026-02-16 00:00"),
        ("Mon 09:00", "2026-02-09 09:00", "2026-02-16 09:00"),
        ("friday 14:00", "2026-02-06 14:00", "2026-02-13 14:00"),
        ("friday 12:00", "2026-02-13 12:00", "2026-02-20 12:00"),
        ("next monday", "2026-02-16 00:00", "2026-02-16 00:00"),
        ("last monday", "2026-02-09 00:00", "2026-02-09 00:00"),
        ("14:30", "2026-02-12 14:30", "2026-02-13 14:30"),
        ("7d", "2026-02-06 13:00", "2026-02-20 13:00"),
        ("36h", "2026-02-12 01:00", "2026-02-15 01:00"),
        ("2w", "2026-01-30 13:00", "2026-02-27 13:00"),
        ("1d12h", "2026-02-12 01:00", "2026-02-15 01:00"),
        ("2 days", "2026-02-11 13:00", "2026-02-15 13:00"),
        ("in 3h", "2026-02-13 16:00", "2026-02-13 16:00"),
        ("3 hours ago", "2026-02-13 10:00", "2026-02-13 10:00"),
        ("2026-02-01", "2026-02-01 00:00", "2026-02-01 00:00"),
        ("2026-02-01 09:15", "2026-02-01 09:15", "2026-02-01 09:15"),
        ("2026-02-01T09:15", "2026-02-01 09:15", "2026-02-01 09:15"),
        ("2026-02-01t09:15:00z", "2026-02-01 10:15", "2026-02-01 10:15"),
        ("2026-02-01T09:15:00-05:00", "2026-02-01 15:15", "2026-02-01 15:15"),
        ("2021-12-01T12:46:36.581Z[GMT]", "2021-12-01 13:46", "2021-12-01 13:46"),
    ],
)
def test_a_point_in_time_is_read_in_the_given_zone(text: str, past: str, future: str) -> None:
    """Times are ISO 8601 or `7d`, `yesterday` (design §5); which way they point is the tool's to say."""
    assert (local(text), local(text, future=True)) == (past, future)


@pytest.mark.parametrize(
    "text", ["", "foo", "7", "2026-02-30", "25:00", "13pm", "99999y", "0001-01-01", "monday tuesday", "d", "-"]
)
def test_a_time_nobody_can_tell_is_refused_with_the_forms_that_work(text: str) -> None:
    """An argument that can't be used says what would do."""
    with pytest.raises(BadTime, match="ISO 8601"):
        local(text)


@given(st.text(max_size=30), MOMENTS, ZONES)
def test_any_text_is_a_time_or_refused(text: str, now: datetime, zone: ZoneInfo) -> None:
    """Models write anything; only BadTime may come of it."""
    for read in (instant, period):
        with contextlib.suppress(BadTime):
            read(text, now, zone)


def test_local_times_that_summer_time_skips_or_doubles_are_decided() -> None:
    """Skipped → forward by the gap; doubled → the first of the two."""
    assert instant("2026-03-29 02:30", NOW, COPENHAGEN).isoformat() == "2026-03-29T03:30:00+02:00"
    assert instant("2026-10-25 02:30", NOW, COPENHAGEN).isoformat() == "2026-10-25T02:30:00+02:00"


def test_days_keep_the_time_of_day_and_hours_are_real_over_a_change_of_the_clock() -> None:
    """A day before Monday 09:00 is Sunday 09:00, although only 23 hours lie between."""
    monday = datetime(2026, 3, 30, 9, 0, tzinfo=COPENHAGEN)
    assert f"{instant('2d', monday, COPENHAGEN):%d %H:%M}" == "28 09:00"
    assert f"{instant('48h', monday, COPENHAGEN):%d %H:%M}" == "28 08:00"


@given(MOMENTS)
def test_a_time_survives_the_way_to_dixa_and_back(moment: datetime) -> None:
    """Dixa takes UTC with milliseconds (notes §7)."""
    assert parse(wire(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_times_are_sent_as_dixa_takes_them() -> None:
    """UTC with milliseconds (notes §7); a time without a zone could mean anything."""
    assert wire(NOW.astimezone(COPENHAGEN)) == "2026-02-13T12:00:00.000Z"
    with pytest.raises(BadTime):
        wire(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text",
    [
        "2021-12-01T12:46:36.581Z",
        "2021-12-01T12:46:36.581Z[GMT]",
        "2021-12-01T12:46:36.581",
        "2021-12-01T12:46:36.581+00:00",
        "2021-12-01T13:46:36.581+01:00[Europe/Copenhagen]",
    ],
)
def test_each_of_dixas_ways_to_write_a_time_is_read(text: str) -> None:
    """Java suffixes, and presence without a zone (notes §7)."""
    assert parse(text) == datetime(2021, 12, 1, 12, 46, 36, 581000, tzinfo=UTC)


def test_a_time_of_dixas_that_is_none_is_refused() -> None:
    """The reader of an answer decides what to do then."""
    with pytest.raises(BadTime):
        parse("soon")


def test_times_are_shown_in_the_zone_with_its_name() -> None:
    """The zone is said in the answer (design §5)."""
    assert shown(NOW, COPENHAGEN) == "2026-02-13 13:00 CET"
    assert shown(NOW, COPENHAGEN, NOW) == "today 13:00 CET"
    assert shown(NOW, COPENHAGEN, NOW + timedelta(hours=11)) == "yesterday 13:00 CET"


def test_distances_are_short() -> None:
    """For readers."""
    away = [
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(hours=30),
        timedelta(days=3),
        timedelta(days=90),
        timedelta(days=800),
    ]
    assert [ago(NOW - one, NOW) for one in away] == [
        "just now",
        "5 min ago",
        "30 h ago",
        "3 days ago",
        "3 months ago",
        "2 years ago",
    ]
    assert ago(NOW + timedelta(hours=3), NOW) == "in 3 h"


@pytest.mark.parametrize(
    ("text", "stretch", "preset", "previous"),
    [
        ("today", "2026-02-13 00:00 - 2026-02-13 13:00", "Today", "2026-02-12 00:00 - 2026-02-12 13:00"),
        ("yesterday", "2026-02-12 00:00 - 2026-02-13 00:00", "Yesterday", "2026-02-11 00:00 - 2026-02-12 00:00"),
        ("this week", "2026-02-09 00:00 - 2026-02-13 13:00", "ThisWeek", "2026-02-02 00:00 - 2026-02-06 13:00"),
        ("last week", "2026-02-02 00:00 - 2026-02-09 00:00", "PreviousWeek", "2026-01-26 00:00 - 2026-02-02 00:00"),
        ("this_month", "2026-02-01 00:00 - 2026-02-13 13:00", "ThisMonth", "2026-01-01 00:00 - 2026-01-13 13:00"),
        (
            "Previous Month",
            "2026-01-01 00:00 - 2026-02-01 00:00",
            "PreviousMonth",
            "2025-12-01 00:00 - 2026-01-01 00:00",
        ),
        (
            "PreviousMonth",
            "2026-01-01 00:00 - 2026-02-01 00:00",
            "PreviousMonth",
            "2025-12-01 00:00 - 2026-01-01 00:00",
        ),
        ("this quarter", "2026-01-01 00:00 - 2026-02-13 13:00", "ThisQuarter", "2025-10-01 00:00 - 2025-11-13 13:00"),
        (
            "last quarter",
            "2025-10-01 00:00 - 2026-01-01 00:00",
            "PreviousQuarter",
            "2025-07-01 00:00 - 2025-10-01 00:00",
        ),
        ("this year", "2026-01-01 00:00 - 2026-02-13 13:00", "ThisYear", "2025-01-01 00:00 - 2025-02-13 13:00"),
        ("last year", "2025-01-01 00:00 - 2026-01-01 00:00", None, "2024-01-01 00:00 - 2025-01-01 00:00"),
        ("7d", "2026-02-06 13:00 - 2026-02-13 13:00", None, "2026-01-30 13:00 - 2026-02-06 13:00"),
        ("last 30 days", "2026-01-14 13:00 - 2026-02-13 13:00", None, "2025-12-15 13:00 - 2026-01-14 13:00"),
        ("2026-01", "2026-01-01 00:00 - 2026-02-01 00:00", "PreviousMonth", "2025-12-01 00:00 - 2026-01-01 00:00"),
        ("2025-Q3", "2025-07-01 00:00 - 2025-10-01 00:00", None, "2025-04-01 00:00 - 2025-07-01 00:00"),
        ("March 2025", "2025-03-01 00:00 - 2025-04-01 00:00", None, "2025-02-01 00:00 - 2025-03-01 00:00"),
        ("2026-02-01..2026-02-07", "2026-02-01 00:00 - 2026-02-08 00:00", None, "2026-01-25 00:00 - 2026-02-01 00:00"),
        (
            "2026-02-01 to 2026-02-07",
            "2026-02-01 00:00 - 2026-02-08 00:00",
            None,
            "2026-01-25 00:00 - 2026-02-01 00:00",
        ),
        ("2025-11..2025-12", "2025-11-01 00:00 - 2026-01-01 00:00", None, "2025-09-01 00:00 - 2025-11-01 00:00"),
        (
            "2026-02-12T10:00Z..2026-02-12T12:00Z",
            "2026-02-12 11:00 - 2026-02-12 13:00",
            None,
            "2026-02-12 09:00 - 2026-02-12 11:00",
        ),
        ("2026-02-13..", "2026-02-13 00:00 - 2026-02-13 13:00", None, "2026-02-12 11:00 - 2026-02-13 00:00"),
    ],
)
def test_a_period_has_bounds_a_preset_and_one_before(
    text: str, stretch: str, preset: str | None, previous: str
) -> None:
    """Dixa's presets (notes §13); a unit compares with the one before, else the same time elapsed."""
    found = period(text, NOW, COPENHAGEN)
    before = found.previous()
    assert f"{found.start:%Y-%m-%d %H:%M} - {found.end:%Y-%m-%d %H:%M}" == stretch
    assert found.preset == preset
    assert f"{before.start:%Y-%m-%d %H:%M} - {before.end:%Y-%m-%d %H:%M}" == previous


def test_a_period_says_in_words_what_it_covers() -> None:
    """The answer shows the reader which days were counted."""
    assert period("last week", NOW, COPENHAGEN).text == "last week, 2026-02-02 to 2026-02-08"
    assert period("2026-02-12..2026-02-12", NOW, COPENHAGEN).text == "2026-02-12"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2027", "lies ahead"),
        ("2026-02-07..2026-02-01", "ends before"),
        ("foo", "last week"),
        ("..", "last week"),
        ("2026-13", "last week"),
    ],
)
def test_a_period_that_is_none_is_refused_with_the_reason(text: str, why: str) -> None:
    """An argument that can't be used says what would do."""
    with pytest.raises(BadTime, match=why):
        period(text, NOW, COPENHAGEN)


@given(
    MOMENTS,
    ZONES,
    st.sampled_from(
        [
            "today",
            "yesterday",
            "this week",
            "last week",
            "this month",
            "last month",
            "this quarter",
            "last quarter",
            "this year",
            "last year",
            "7d",
            "36h",
        ]
    ),
)
def test_periods_are_aware_and_the_one_before_ends_before_they_start(now: datetime, zone: ZoneInfo, text: str) -> None:
    """Whatever the clock shows, also while it is changed."""
    found = period(text, now, zone)
    before = found.previous()
    assert before.start.astimezone(UTC) <= before.end.astimezone(UTC) <= found.start.astimezone(UTC)
    assert found.start.astimezone(UTC) <= found.end.astimezone(UTC) <= now
    assert found.start.tzinfo is found.end.tzinfo is zone
