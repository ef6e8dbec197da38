"""Business hours as the catalogue keeps them: the schedules, and the zone they tell the organisation lives in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dixa_mcp.client.paths import at
from dixa_mcp.client.records import Record, read
from dixa_mcp.client.workspace import Schedule

if TYPE_CHECKING:
    from dixa_mcp.client.dixa import Dixa


class _Schedules(Record):
    schedules: tuple[Schedule, ...] = ()


class _Definition(Record):
    schedule: Schedule | None = None


async def schedules(dixa: "Dixa") -> Sequence[Schedule]:
    """Read the schedules; Dixa answers them one level deeper than other lists (notes §5)."""
    return read(_Schedules, await dixa.get(at("/business-hours/schedules"))).schedules


async def definition(dixa: "Dixa", schedule_id: str) -> Schedule | None:
    """Read a schedule whole: its zone, its week and its exceptions."""
    path = at("/business-hours/schedules/{id}/definition", id=schedule_id)
    return read(_Definition, await dixa.get(path)).schedule


async def only_timezone(dixa: "Dixa", known: Sequence[Schedule]) -> list[str]:
    """Read the zone of the only schedule; empty where there are none or several, since either may be meant."""
    if len(known) != 1:
        return []
    schedule = await definition(dixa, known[0].id)
    return [schedule.timezone] if schedule and schedule.timezone else []
