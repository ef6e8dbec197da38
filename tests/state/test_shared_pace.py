"""One pace for several replicas: together 10 a second with a burst of 4, ours 3.5 (notes §3, design §7, §9).

How much of the rate they use is counted in `test_shared_rate.py`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from running_redis import RunningRedis

from dixa_mcp.client.deadline import deadline
from dixa_mcp.client.pace import ShutError
from dixa_mcp.client.pace_redis import RedisPace
from dixa_mcp.state.redis import RedisServer, Script

KEY = "dixa-mcp:pace:token"


class NotingServer(RedisServer):
    """Notes when it was last asked: a slot is given after that, and before the answer is here."""

    asked = 0.0

    def script(self, text: str) -> Script:
        run = super().script(text)

        async def noted(key: str, *arguments: str | int) -> Any:
            self.asked = time.monotonic()
            return await run(key, *arguments)

        return noted


class Replica:
    """A process of its own, as far as Redis can tell."""

    def __init__(self, url: str, rate: float | None = 10, **options: float) -> None:
        self.server = NotingServer(url)
        self.pace = RedisPace(self.server, "token", rate, **options)

    async def turn(self) -> tuple[float, float]:
        """Take a turn; returns two times between which it was granted."""
        await self.pace.turn()
        return self.server.asked, time.monotonic()


Replicas = Callable[..., list[Replica]]


@pytest.fixture
async def replicas(redis_server: RunningRedis) -> AsyncGenerator[Replicas]:
    made: list[Replica] = []

    def make(many: int, rate: float | None = 10, **options: float) -> list[Replica]:
        made.extend(Replica(redis_server.url, rate, **options) for _ in range(many))
        return made[-many:]

    yield make
    for replica in made:
        await replica.server.aclose()


def rest(redis_server: RunningRedis, seconds: float) -> None:
    """Let time pass for the pace, without waiting."""
    for field in ("due", "paused", "closed"):
        redis_server.ask("HINCRBY", KEY, field, -round(seconds * 1e6))


def due(redis_server: RunningRedis) -> int:
    return int(redis_server.ask("HGET", KEY, "due"))


async def until(true: Callable[[], bool]) -> None:
    """Let the loop go on until something has happened."""
    for _ in range(4000):
        if true():
            return
        await asyncio.sleep(0.005)
    pytest.fail("It never happened.")


def clock(redis_server: RunningRedis) -> int:
    """Read the server's time in microseconds."""
    seconds, micros = map(int, redis_server.ask("TIME"))
    return seconds * 1_000_000 + micros


def about(seconds: float) -> Any:
    """Allow for the time the test itself takes."""
    return pytest.approx(seconds, abs=20)


def exceeds(turns: list[tuple[float, float]], rate: float, burst: float) -> list[tuple[int, float]]:
    """Find windows that surely hold more than rate and burst allow: how many, in how many seconds."""
    found: list[tuple[int, float]] = []
    for start, _ in turns:
        for _, end in turns:
            inside = sum(start <= after and before <= end for after, before in turns)
            if inside > 1 and inside > burst + rate * (end - start) + 1e-3:
                found.append((inside, end - start))
    return found


def test_the_count_of_these_tests_finds_what_exceeds() -> None:
    """Four at once are too many for a burst of 3.5, three are not, nor four in 50 ms."""
    assert exceeds([(0.0, 0.01)] * 3, 10, 3.5) == []
    assert exceeds([(0.0, 0.01)] * 4, 10, 3.5) != []
    assert exceeds([(0.0, 0.01)] * 3 + [(0.05, 0.06)], 10, 3.5) == []


async def test_many_comers_at_any_time_never_exceed_the_rate(replicas: Replicas) -> None:
    """The same at 200 a second, with rests of all lengths between requests."""
    group = replicas(4, rate=200)
    turns: list[tuple[float, float]] = []

    async def comer(number: int) -> None:
        for at in range(12):
            await asyncio.sleep((number * 7 + at * 13) % 40 / 1000)
            turns.append(await group[number % 4].turn())

    await asyncio.gather(*(comer(number) for number in range(12)))
    assert len(turns) == 144
    assert exceeds(turns, 200, 3.5) == []


async def test_where_nothing_is_known_nothing_bursts(redis_server: RunningRedis, replicas: Replicas) -> None:
    """After a restart of Redis the replicas may have just gone alone."""
    one, other = replicas(2)
    began = clock(redis_server)
    await asyncio.gather(*(replica.turn() for replica in (one, other, one, other)))
    assert clock(redis_server) - began >= 300_000


async def test_each_replica_serves_its_waiters_in_order_and_all_replicas_get_their_share(replicas: Replicas) -> None:
    """First come, first served, by slots reserved in turn."""
    group = replicas(3, rate=30)
    served: list[tuple[int, int]] = []

    async def waiter(replica: int, number: int) -> None:
        await group[replica].turn()
        served.append((replica, number))

    # Those of the first replica all come before those of the second, and so on.
    await asyncio.gather(*(waiter(at // 8, at % 8) for at in range(24)))
    for replica in range(3):
        assert [number for which, number in served if which == replica] == list(range(8))
        assert sum(which == replica for which, _ in served[:12]) >= 2


async def test_who_gives_up_leaves_its_slot_to_the_next(redis_server: RunningRedis, replicas: Replicas) -> None:
    """Twenty who give up must not cost those behind them ten seconds."""
    (replica,) = replicas(1, rate=2)
    await replica.turn()
    before = due(redis_server)
    for _ in range(20):
        quitter = asyncio.create_task(replica.turn())
        await asyncio.sleep(0.005)
        quitter.cancel()
        await asyncio.wait([quitter])
    await replica.turn()
    # Twenty slots lost would be ten seconds; a slow machine may use one or two meanwhile.
    assert due(redis_server) < before + 5_000_000


async def test_a_slot_given_up_long_ago_is_not_saved_for_a_burst(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """Who comes after a rest has the burst, and not one more."""
    (replica,) = replicas(1, rate=5)
    await replica.turn()
    quitter = asyncio.create_task(replica.turn())
    await until(lambda: replica.pace._slot > 0)
    quitter.cancel()
    # The rest is for its slot as well.
    rest(redis_server, 10)
    replica.pace._slot -= 10_000_000
    turns = [await replica.turn() for _ in range(4)]
    assert exceeds(turns, 5, 3.5) == []


async def test_a_pause_stops_every_replica_and_ends_one_at_a_time(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """A 429 stops everybody on that token (design §7); then Dixa's bucket is empty."""
    one, other = replicas(2)
    await one.turn()
    rest(redis_server, 10)
    await one.pace.pause(50)
    for replica in (one, other):
        with deadline(10), pytest.raises(ShutError) as caught:
            await replica.turn()
        assert (caught.value.seconds, caught.value.quota) == (about(50), False)
    rest(redis_server, 49.9)
    for _ in range(4):
        await other.turn()
    assert clock(redis_server) - int(redis_server.ask("HGET", KEY, "paused")) >= 300_000


async def test_a_pause_of_one_replica_stops_who_waits_for_a_slot_at_another(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """One call's 429 is everybody's."""
    one, other = replicas(2, rate=2)
    await other.turn()
    before = due(redis_server)
    with deadline(10):
        waiting = asyncio.create_task(other.turn())
    await until(lambda: due(redis_server) != before)
    await one.pace.pause(50)
    with pytest.raises(ShutError):
        await waiting


async def test_a_slot_from_before_a_pause_is_not_used_after_it(redis_server: RunningRedis, replicas: Replicas) -> None:
    """Dixa's bucket is empty then, whatever had been reserved, even for who slept through the pause."""
    (replica,) = replicas(1, rate=2)
    await replica.turn()
    quitter = asyncio.create_task(replica.turn())
    await until(lambda: replica.pace._slot > 0)
    quitter.cancel()
    await replica.pace.pause(1)
    rest(redis_server, 1.05)
    replica.pace._slot = int(redis_server.ask("HGET", KEY, "paused")) - 1
    before = due(redis_server)
    await replica.turn()
    assert due(redis_server) > before


async def test_a_pause_is_an_hour_at_most(redis_server: RunningRedis, replicas: Replicas) -> None:
    """A larger Retry-After is asked about again then."""
    one, other = replicas(2)
    await one.pace.pause(1e6)
    with deadline(10), pytest.raises(ShutError) as caught:
        await other.turn()
    assert caught.value.seconds <= 3600
    rest(redis_server, 3600)
    await other.turn()


async def test_a_closed_pace_refuses_every_replica_at_once_until_the_day_is_over(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """The day's quota: no request, no waiting (design §7)."""
    one, other = replicas(2, rate=None)
    await one.pace.close(86_400)
    await one.pace.close(60)
    for replica in (one, other):
        with pytest.raises(ShutError) as caught:
            await replica.turn()
        assert (caught.value.seconds, caught.value.quota) == (about(86_400), True)
    rest(redis_server, 86_400)
    await other.turn()


async def test_without_a_rate_nobody_waits_but_pauses_hold(replicas: Replicas) -> None:
    """As `Pace(None)`."""
    one, other = replicas(2, rate=None)
    async with asyncio.timeout(10):
        await asyncio.gather(*(one.turn() for _ in range(100)))
    await one.pace.pause(50)
    with deadline(10), pytest.raises(ShutError):
        await other.turn()


async def test_another_token_has_a_pace_of_its_own(redis_server: RunningRedis, replicas: Replicas) -> None:
    """Tenants share nothing (design §9)."""
    (replica,) = replicas(1)
    stranger = RedisPace(replica.server, "another")
    await replica.pace.close(3600)
    await stranger.turn()
    assert set(redis_server.expiries()) == {KEY, "dixa-mcp:pace:another"}


async def test_without_redis_a_replica_goes_on_alone_at_a_quarter_of_the_rate_and_comes_back(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """Redis gone: reads go on with local pace (design §9)."""
    (replica,) = replicas(1, rate=100, again=0.1)
    await replica.turn()
    assert not replica.pace.alone
    redis_server.stop()
    began = time.monotonic()
    for _ in range(3):
        await replica.turn()
    # It waits before the first as well, for other replicas may have just had a burst.
    assert time.monotonic() - began >= 3 * 0.04 - 0.001
    assert replica.pace.alone
    redis_server.start()
    async with asyncio.timeout(10):
        while replica.pace.alone:
            await replica.turn()
    assert redis_server.expiries()[KEY] > 0


async def test_a_pause_and_a_close_hold_without_redis_and_are_passed_on_when_it_is_back(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """What one replica learned alone, all know afterwards."""
    one, other = replicas(2, again=0.0)
    redis_server.stop()
    await one.pace.pause(50)
    with deadline(10), pytest.raises(ShutError) as caught:
        await one.turn()
    assert not caught.value.quota
    await one.pace.close(3600)
    with pytest.raises(ShutError) as caught:
        await one.turn()
    assert caught.value.quota
    redis_server.start()
    for replica in (one, other):
        with pytest.raises(ShutError) as caught:
            await replica.turn()
        assert (caught.value.seconds, caught.value.quota) == (about(3600), True)


async def test_what_was_learned_from_redis_holds_when_it_goes(redis_server: RunningRedis, replicas: Replicas) -> None:
    """Another replica's 429 is remembered."""
    one, other = replicas(2)
    await one.pace.pause(50)
    with deadline(10), pytest.raises(ShutError):
        await other.turn()
    redis_server.stop()
    with deadline(10), pytest.raises(ShutError):
        await other.turn()
    assert other.pace.alone


async def test_a_server_that_hangs_stops_nobody(redis_server: RunningRedis, replicas: Replicas) -> None:
    """Reads go on, and Redis isn't asked again with every one."""
    (replica,) = replicas(1, rate=100)
    await replica.turn()
    with redis_server.frozen():
        async with asyncio.timeout(20):
            await asyncio.gather(*(replica.turn() for _ in range(5)))
        assert replica.pace.alone


async def test_a_server_whose_clock_was_ahead_makes_nobody_wait_long(
    redis_server: RunningRedis, replicas: Replicas
) -> None:
    """After a failover to a host an hour behind, times of the former one mean nothing."""
    (replica,) = replicas(1, rate=1000)
    await replica.turn()
    rest(redis_server, -3600)
    redis_server.ask("HSET", KEY, "paused", 0)
    async with asyncio.timeout(20):
        await replica.turn()
