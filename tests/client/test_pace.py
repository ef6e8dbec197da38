"""The token's pace: 10 a second with a burst of 4 is Dixa's limit, 3.5 ours (notes §3, design §7)."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import clock, simulated

from dixa_mcp.client.deadline import deadline
from dixa_mcp.client.pace import Pace, ShutError


async def turns(pace: Pace, many: int) -> list[float]:
    """Take turns, all at once, and return when each came."""
    times: list[float] = []

    async def one() -> None:
        await pace.turn()
        times.append(clock())

    await asyncio.gather(*(one() for _ in range(many)))
    return times


@simulated
async def test_a_rested_pace_lets_three_go_and_then_one_each_tenth_of_a_second() -> None:
    """Capacity 3.5: the fourth waits half an interval."""
    times = await turns(Pace(), 7)
    assert times == pytest.approx([0, 0, 0, 0.05, 0.15, 0.25, 0.35])


@given(
    rests=st.lists(st.floats(0, 2), min_size=1, max_size=30),
    rate=st.sampled_from([1.0, 2.5, 10.0]),
    burst=st.sampled_from([1.0, 3.5, 4.0]),
)
@settings(max_examples=60)
def test_no_window_ever_holds_more_than_the_rate_and_the_burst(rests: list[float], rate: float, burst: float) -> None:
    """Whoever comes whenever: in any window of w seconds at most burst + rate × w go."""

    @simulated
    async def run() -> None:
        pace, times = Pace(rate, burst), list[float]()

        async def comer(after: float) -> None:
            await asyncio.sleep(after)
            await pace.turn()
            times.append(clock())

        await asyncio.gather(*(comer(after) for after in rests))
        for first, start in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= burst + rate * (times[last] - start) + 1e-3

    run()


@simulated
async def test_waiters_go_in_the_order_they_came() -> None:
    """Fair between concurrent calls."""
    pace, order = Pace(), list[int]()

    async def one(number: int) -> None:
        await pace.turn()
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(30)))
    assert order == list(range(30))


@simulated
async def test_a_cancelled_waiter_leaves_no_gap() -> None:
    """A hundred who give up must not cost those behind them ten seconds."""
    pace = Pace()
    await turns(pace, 3)
    quitters = [asyncio.create_task(pace.turn()) for _ in range(100)]
    await asyncio.sleep(0)
    stayer = asyncio.create_task(turns(pace, 1))
    await asyncio.sleep(0)
    for each in quitters:
        each.cancel()
    assert await stayer == pytest.approx([0.05])


@simulated
async def test_a_pause_stops_everybody_and_ends_one_at_a_time() -> None:
    """After a 429 Dixa's own bucket is empty, so nothing may burst."""
    pace = Pace()
    await pace.pause(5)
    assert await turns(pace, 4) == pytest.approx([5, 5.1, 5.2, 5.3])


@simulated
async def test_a_pause_also_stops_who_is_waiting_already() -> None:
    """One call's 429 is everybody's."""
    pace = Pace()
    waiting = asyncio.create_task(turns(pace, 5))
    await asyncio.sleep(0.01)
    await pace.pause(3)
    assert await waiting == pytest.approx([0, 0, 0, 3.01, 3.11])


@simulated
async def test_a_pause_longer_than_the_deadline_is_refused_at_once() -> None:
    """Waiting in vain helps nobody; the error says until when."""
    pace = Pace()
    await pace.pause(50)
    with deadline(30), pytest.raises(ShutError) as caught:
        await pace.turn()
    assert (clock(), caught.value.seconds, caught.value.quota) == (0, 50, False)


@simulated
async def test_a_closed_pace_refuses_at_once_until_the_day_is_over() -> None:
    """The day's quota: no request, no waiting (design §7)."""
    pace = Pace(None)
    await pace.close(3600)
    with pytest.raises(ShutError) as caught:
        await pace.turn()
    assert (clock(), caught.value.quota) == (0, True)
    await asyncio.sleep(3600)
    await pace.turn()


@simulated
async def test_closing_wakes_who_waits_for_a_pause_to_end() -> None:
    """They mustn't sit out an hour to be refused then."""
    pace = Pace()
    await pace.pause(600)
    waiting = asyncio.create_task(pace.turn())
    await asyncio.sleep(0.5)
    await pace.close(3600)
    with pytest.raises(ShutError):
        await waiting
    assert clock() < 3


@simulated
async def test_without_a_rate_nobody_waits_but_pauses_hold() -> None:
    """`rate=None` is for the sandbox."""
    pace = Pace(None)
    assert await turns(pace, 100) == [0] * 100
    await pace.pause(2)
    assert await turns(pace, 3) == [2] * 3


@simulated
async def test_a_drain_of_two_hundred_takes_what_the_rate_allows() -> None:
    """At least 97 % of the documented rate (design §11)."""
    times = await turns(Pace(), 200)
    assert 200 / (times[-1] + 0.1) >= 0.97 * 10


@pytest.mark.parametrize("seed", range(20))
def test_jitter_on_the_way_never_overflows_dixas_bucket(seed: int) -> None:
    """Half an interval of jitter is what the half token below Dixa's capacity buys."""
    rng = random.Random(seed)

    @simulated
    async def run() -> None:
        arrivals = sorted(time + rng.uniform(0, 0.05) for time in await turns(Pace(), 60))
        tokens, last = 4.0, 0.0
        for at in arrivals:
            tokens, last = min(4.0, tokens + (at - last) * 10) - 1, at
            assert tokens >= -1e-6

    run()
