"""The deadline of a whole tool call (design §7)."""

import asyncio
import math

import pytest
from simulation import clock, dixa_on, error, ok, script, simulated

from dixa_mcp.client.deadline import deadline, paused, remaining, renew
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.paths import at
from dixa_mcp.errors import DixaMcpError, NoAnswer, OutOfTime, ServerError, TooManyRequests, explain

QUEUES = at("/queues")
CLOSE = at("/conversations/{id}/close", id=1)


@simulated
async def test_without_a_deadline_there_is_time_for_ever() -> None:
    """Scripts and start-up have none."""
    assert remaining() == math.inf


@simulated
async def test_an_inner_deadline_only_shortens() -> None:
    """Whoever sets one inside a call can't outlive the call."""
    with deadline(30):
        with deadline(60):
            assert remaining() == 30
        with deadline(5):
            assert remaining() == 5
        await asyncio.sleep(31)
        assert remaining() == 0
    assert remaining() == math.inf


@simulated
async def test_waiting_for_a_person_does_not_count() -> None:
    """A person has five minutes, the call still thirty seconds (design §4.3)."""
    with deadline(30), deadline(20):
        await asyncio.sleep(5)
        with paused():
            await asyncio.sleep(290)
        assert remaining() == 15


@simulated
async def test_progress_renews_the_period_ten_times_over_and_no_more() -> None:
    """Progress keeps long fan-outs alive, but nothing lives for ever."""
    with deadline(30):
        for _ in range(29):
            await asyncio.sleep(10)
            renew()
            assert remaining() > 0
        await asyncio.sleep(10)
        renew()
        assert remaining() == 0


@simulated
async def test_a_read_that_hangs_ends_with_the_deadline() -> None:
    """One hanging request must not stop the server."""

    async def never(request: object) -> Exception:
        await asyncio.Event().wait()
        raise AssertionError

    dixa, wire = dixa_on(never, timeout=20)
    with deadline(7), pytest.raises(OutOfTime) as caught:
        await asyncio.gather(dixa.get(QUEUES), asyncio.sleep(60))
    assert clock() == pytest.approx(7)
    assert len(wire.requests) == 1
    assert "Nothing was changed" in explain(caught.value)


@simulated
async def test_a_write_cut_off_by_the_deadline_says_that_it_may_have_happened() -> None:
    """It was sent; nobody knows what became of it (design §4.5)."""

    async def never(request: object) -> Exception:
        await asyncio.Event().wait()
        raise AssertionError

    dixa, _ = dixa_on(never, timeout=20)
    with deadline(7), pytest.raises(NoAnswer) as caught:
        await asyncio.gather(dixa.send("PUT", CLOSE, {}), asyncio.sleep(60))
    assert (clock(), caught.value.changed) == (pytest.approx(7), None)


@simulated
async def test_after_the_deadline_nothing_is_sent() -> None:
    """Not even once."""
    dixa, wire = dixa_on(lambda request: ok([]))
    with deadline(1):
        await asyncio.sleep(1)
        with pytest.raises(OutOfTime):
            await dixa.get(QUEUES)
        with pytest.raises(OutOfTime) as caught:
            await dixa.send("PUT", CLOSE, {})
    assert (wire.requests, caught.value.changed) == ([], False)


@simulated
async def test_who_waits_for_the_pace_when_the_deadline_comes_has_sent_nothing() -> None:
    """A write that never left is known not to have happened."""
    dixa, wire = dixa_on(lambda request: ok(None), pace=Pace(0.01, burst=1))
    await dixa.send("PUT", CLOSE, {})
    with deadline(10), pytest.raises(OutOfTime) as caught:
        await dixa.send("PUT", CLOSE, {})
    assert (clock(), len(wire.requests), caught.value.changed) == (pytest.approx(10), 1, False)


@simulated
async def test_retries_stop_before_the_deadline_with_the_last_error() -> None:
    """What Dixa said last tells more than that time was up."""
    dixa, wire = dixa_on(script(error(503, "busy")))
    with deadline(0.2), pytest.raises(ServerError):
        await dixa.get(QUEUES)
    assert clock() <= 0.2
    assert wire.requests


@simulated
async def test_a_retry_after_beyond_the_deadline_is_told_at_once() -> None:
    """Until when is worth more to the caller than a wait in vain."""
    dixa, wire = dixa_on(script(error(429, "Too Many Requests", {"retry-after": "45"})))
    with deadline(30):
        with pytest.raises(TooManyRequests) as caught:
            await dixa.get(QUEUES)
        assert (clock(), caught.value.retry_after) == (0, 45)
        with pytest.raises(TooManyRequests) as caught:
            await dixa.get(QUEUES)
    assert (len(wire.requests), caught.value.retry_after) == (1, 45)
    assert "Try again in 45 s." in explain(caught.value)


@simulated
async def test_a_fan_out_returns_what_it_has_when_the_deadline_comes() -> None:
    """Done is done; the rest says that it wasn't its turn."""
    dixa, wire = dixa_on(lambda request: ok(request.url.path), latency=1)
    with deadline(2.5):
        results = await dixa.all([lambda n=n: dixa.get(at("/tags/{id}", id=n)) for n in range(20)])
    done = [each for each in results if isinstance(each, str)]
    assert done == [f"/v1/tags/{n}" for n in range(8)]
    assert all(isinstance(each, OutOfTime) for each in results[8:])
    assert (len(results), len(wire.requests)) == (20, 12)


@simulated
async def test_a_fan_out_of_writes_never_calls_an_unknown_outcome_out_of_time() -> None:
    """Those in the air when the deadline comes may have happened."""
    dixa, _ = dixa_on(lambda request: ok(None), latency=1)
    with deadline(1.5):
        results = await dixa.all([lambda: dixa.send("PUT", CLOSE, {})] * 10)
    changed = [each.changed if isinstance(each, DixaMcpError) else True for each in results]
    assert changed == [True] * 4 + [None] * 4 + [False] * 2


@simulated
async def test_one_call_has_four_requests_in_the_air_however_it_nests() -> None:
    """So that a long drain leaves the connection and the pace to others (design §7)."""
    dixa, wire = dixa_on(lambda request: ok([]), latency=0.2)

    async def three() -> object:
        return await dixa.all([lambda: dixa.get(QUEUES)] * 3)

    with deadline(30):
        await dixa.all([three] * 6)
    assert (wire.most_flying, len(wire.requests)) == (4, 18)


@simulated
async def test_a_long_drain_does_not_starve_a_short_read() -> None:
    """The pace is first come, first served, and a drain queues four at a time."""
    dixa, _ = dixa_on(lambda request: ok([]), pace=Pace(), latency=0.05)
    took = 0.0

    async def drain() -> None:
        with deadline(60):
            await dixa.all([lambda: dixa.get(QUEUES)] * 100)

    async def short() -> None:
        nonlocal took
        await asyncio.sleep(3)
        with deadline(30):
            await dixa.get(at("/organization"))
        took = clock() - 3

    await asyncio.gather(drain(), short())
    assert took <= 0.6
