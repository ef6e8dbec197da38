"""Templates and business hours in the sandbox (notes §17)."""

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from fernway_ids import NOBODY

from dixa_mcp.sandbox import Sandbox, opening

Client = httpx.AsyncClient

WEEKDAYS = "1496718a-7b67-4fc9-96ca-3f431cd17c78"
VIP = "771cc6c7-cf5c-4554-935a-5e5e9c973cd0"
SHIPPING = "e0c25967-7fe5-445d-a71e-6a93ea7d034c"


def always(start: str = "00:00", end: str = "00:00") -> dict[str, Any]:
    return {"timezone": "UTC", "days": {str(day): [[start, end]] for day in range(1, 8)}}


# --- templates


async def test_templates_are_filtered_by_kind_and_paged(dixa: Client) -> None:
    """Notes §6, §17."""
    names = [item["name"] for item in (await dixa.get("/templates?type=EmailAutoReply")).json()["data"]]
    assert names == ["We got your mail"]
    first = (await dixa.get("/templates?type=QuickResponse&pageLimit=2")).json()
    rest = (await dixa.get(first["meta"]["next"].removeprefix("/v1"))).json()
    names = [item["name"] for item in (*first["data"], *rest["data"])]
    assert names == ["Return policy", "Shipping delay", "Closing words"]


async def test_a_deleted_template_is_gone(dixa: Client) -> None:
    """There is no way back (notes §20)."""
    assert (await dixa.delete(f"/templates/{SHIPPING}")).status_code == 204
    assert (await dixa.delete(f"/templates/{SHIPPING}")).status_code == 404
    assert SHIPPING not in (await dixa.get("/templates")).text


# --- business hours


async def test_schedules_come_under_their_own_names(dixa: Client) -> None:
    """`data.schedules` and `data.schedule` (notes §5)."""
    listed = (await dixa.get("/business-hours/schedules")).json()["data"]["schedules"]
    assert [item["name"] for item in listed] == ["Weekdays", "VIP line"]
    rules = (await dixa.get(f"/business-hours/schedules/{WEEKDAYS}/definition")).json()["data"]["schedule"]
    assert [item["dayOfWeek"] for item in rules["businessHours"]] == [1, 2, 3, 4, 5]
    assert rules["businessHours"][0]["intervals"] == [{"startTime": "09:00", "endTime": "17:00"}]
    assert [(item["businessHourType"], item["status"], item["nextDate"]) for item in rules["exceptions"]] == [
        ("Holiday", "Closed", "2026-12-24"),
        ("Holiday", "Closed", "2026-12-25"),
        ("Exception", "Closed", "2026-04-03"),
    ]


@pytest.mark.parametrize(
    ("moment", "is_open", "change"),
    [
        (None, True, "2026-02-13T16:00:00Z"),  # fixtures §12
        ("2026-02-14T12:00:00Z", False, "2026-02-16T08:00:00Z"),  # fixtures §12
        ("2026-02-13T07:59:59Z", False, "2026-02-13T08:00:00Z"),
        ("2026-02-13T08:00:00Z", True, "2026-02-13T16:00:00Z"),
        ("2026-02-13T16:00:00Z", False, "2026-02-16T08:00:00Z"),
        ("2026-02-13T13:00:00%2B01:00", True, "2026-02-13T16:00:00Z"),
        ("2026-03-30T06:59:00Z", False, "2026-03-30T07:00:00Z"),  # summer time has begun the day before
        ("2026-03-27T16:30:00Z", False, "2026-03-30T07:00:00Z"),
        ("2026-04-02T15:30:00Z", False, "2026-04-06T07:00:00Z"),  # Good Friday is closed
        ("2026-12-24T10:00:00Z", False, "2026-12-28T08:00:00Z"),  # both holidays, then a weekend
        ("2027-12-24T10:00:00Z", False, "2027-12-27T08:00:00Z"),  # yearly
    ],
)
async def test_a_schedule_knows_when_it_opens_and_closes(
    dixa: Client, moment: str | None, is_open: bool, change: str
) -> None:
    """Hours are local to the schedule's zone; holidays recur (notes §17)."""
    query = f"?timestamp={moment}" if moment else ""
    answer = (await dixa.get(f"/business-hours/schedules/{WEEKDAYS}/status{query}")).json()["data"]
    assert (answer["isOpen"], answer["closesAt" if is_open else "opensAt"]) == (is_open, change)


async def test_upcoming_days_apply_exceptions(sandbox: Sandbox, dixa: Client) -> None:
    """From today on, seven days unless asked (notes §17); ours: closed days, too."""
    week = (await dixa.get(f"/business-hours/schedules/{WEEKDAYS}/upcoming")).json()["data"]["schedule"][
        "businessHours"
    ]
    assert [item["startDate"] for item in week][::6] == ["2026-02-13", "2026-02-19"]
    assert [item["status"] for item in week] == ["Open", "Closed", "Closed", "Open", "Open", "Open", "Open"]
    sandbox.clock.set(datetime(2026, 12, 23, 23, 30, tzinfo=UTC))  # the 24th in Copenhagen
    eve = (await dixa.get(f"/business-hours/schedules/{WEEKDAYS}/upcoming?days=1")).json()["data"]["schedule"]
    assert [(item["name"], item["intervals"]) for item in eve["businessHours"]] == [("Christmas Eve", [])]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{NOBODY}/definition", 404),
        (f"{NOBODY}/upcoming", 404),
        (f"{NOBODY}/status", 400),
        (f"{VIP}/upcoming?days=0", 400),
        (f"{VIP}/upcoming?days=91", 400),
        (f"{VIP}/status?timestamp=soon", 400),
        (f"{VIP}/status?timestamp=9999-12-31T23:59:59Z", 400),
        (f"{VIP}/status?timestamp=0001-01-01T00:00:00Z", 400),
    ],
)
async def test_a_schedule_or_day_that_is_none_is_refused(dixa: Client, path: str, status: int) -> None:
    """The status has no documented 404 (notes §4); days are 1 to 90 (notes §26)."""
    assert (await dixa.get(f"/business-hours/schedules/{path}")).status_code == status


NOON = datetime(2026, 2, 13, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        (always(), (True, None)),
        ({"timezone": "UTC"}, (False, None)),
        (always("20:00", "14:00"), (True, datetime(2026, 2, 13, 14, tzinfo=UTC))),
        (always("08:00", "24:00"), (True, datetime(2026, 2, 14, tzinfo=UTC))),
        (
            always() | {"exceptions": [{"status": "Closed", "date": "2026-02-15"}]},
            (True, datetime(2026, 2, 15, tzinfo=UTC)),
        ),
        (
            {
                "timezone": "UTC",
                "exceptions": [{"status": "Open", "date": "2026-02-15", "hours": [["10:00", "11:00"]]}],
            },
            (False, datetime(2026, 2, 15, 10, tzinfo=UTC)),
        ),
    ],
    ids=["always open", "never open", "over midnight", "until midnight", "closed on one day", "open on one day"],
)
def test_hours_may_never_end_or_pass_midnight(schedule: Any, found: Any) -> None:
    """An interval that goes on the next day is one; without a change there is no next time."""
    assert opening.status(schedule, NOON) == found


def test_a_leap_day_comes_when_it_exists() -> None:
    """A holiday on 29 February waits for its year."""
    holiday = {"name": "Leap", "kind": "Holiday", "status": "Closed", "recurring": {"dayOfMonth": 29, "monthOfYear": 2}}
    shown = opening.exceptions({"timezone": "UTC", "exceptions": [holiday]}, date(2026, 2, 13))
    assert shown[0]["nextDate"] == "2028-02-29"
