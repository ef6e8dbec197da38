"""Redis fails over, loses what it held, refuses to write, or answers over a broken network (design §9)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from fault_proxy import FaultProxy, Kind, proxied
from running_redis import RunningRedis

from dixa_mcp.errors import StateUnavailable
from dixa_mcp.state.redis import RedisState

CONNECTIONS = 16
"""What the pool of `state.redis` holds at most."""


@asynccontextmanager
async def behind_an_address(server: RunningRedis) -> AsyncGenerator[tuple[RedisState, FaultProxy]]:
    """A state that knows an address only; the proxy decides which server that is."""
    async with proxied(server.url) as (proxy, url):
        state = RedisState(url)
        try:
            yield state, proxy
        finally:
            await state.aclose()


def at_once(state: RedisState) -> Any:
    """Use every connection of the pool."""
    return asyncio.gather(*(state.put(f"key {at}", "value", 60) for at in range(40)), return_exceptions=True)


async def test_a_primary_that_was_killed_is_followed_by_its_replica(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """What had been copied is there; while nobody is primary nothing is written."""
    second_redis.follow(redis_server)
    async with behind_an_address(redis_server) as (state, proxy):
        await at_once(state)
        assert await state.add("spent", "1", 60)
        assert (await state.reserve("budget", 2, 5, 60)).granted
        second_redis.follow(redis_server)
        redis_server.stop()
        assert {type(each) for each in await at_once(state)} == {StateUnavailable}
        assert not await state.server.writable()
        second_redis.promote()
        proxy.target = ("127.0.0.1", second_redis.port)
        assert await state.server.writable()
        assert not await state.add("spent", "1", 60)
        assert (await state.reserve("budget", 1, 5, 60)).used == 3


async def test_a_primary_that_became_a_replica_is_left_for_the_new_one(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """It still answers, so only its refusal to write tells; every connection to it is given up then."""
    second_redis.follow(redis_server)
    async with behind_an_address(redis_server) as (state, proxy):
        await at_once(state)
        second_redis.promote()
        redis_server.follow(second_redis)
        proxy.target = ("127.0.0.1", second_redis.port)
        with pytest.raises(StateUnavailable):
            await state.put("key", "old", 60)
        assert set(await at_once(state)) == {None}
        assert second_redis.ask("GET", "dixa-mcp:value:key 39") == "value"


async def test_a_read_only_server_is_no_place_to_write_however_often_it_is_asked(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """Where the address still leads to it, all fails closed and nothing piles up."""
    redis_server.follow(second_redis)
    async with behind_an_address(redis_server) as (state, proxy):
        for _ in range(3):
            assert {type(each) for each in await at_once(state)} == {StateUnavailable}
            assert not await state.server.writable()
        assert proxy.open <= CONNECTIONS
        redis_server.promote()
        assert await state.server.writable()


async def test_what_a_failover_lost_of_a_budget_is_counted_on_by_who_saw_it(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """An empty new primary doesn't start every hour anew (design §4.6): use and end of the window are kept."""
    async with behind_an_address(redis_server) as (state, proxy):
        await state.reserve("budget", 4, 5, 600)
        await state.release("budget", 1)
        redis_server.age(300)
        await state.reserve("budget", 1, 5, 600)
        redis_server.stop()
        proxy.target = ("127.0.0.1", second_redis.port)
        await at_once(state)
        said = await state.reserve("budget", 2, 5, 600)
        assert (said.granted, said.used, round(said.resets_in, -1)) == (False, 4, 300)
        assert (await state.reserve("budget", 1, 5, 600)).used == 5
        assert (await state.reserve("another", 1, 5, 600)).used == 1


async def test_giving_back_on_an_empty_new_primary_forgets_no_use(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """The first that a new primary hears may be a write that failed."""
    async with behind_an_address(redis_server) as (state, proxy):
        await state.reserve("budget", 4, 5, 600)
        redis_server.stop()
        proxy.target = ("127.0.0.1", second_redis.port)
        await at_once(state)
        await state.release("budget", 1)
        assert (await state.reserve("budget", 1, 5, 600)).used == 4


async def test_a_window_that_ended_is_not_brought_back(redis_server: RunningRedis) -> None:
    """What was seen counts until its window ends, by the server's clock."""
    async with behind_an_address(redis_server) as (state, _):
        await state.reserve("budget", 5, 5, 0.001)
        while redis_server.expiries():
            pass
        assert (await state.reserve("budget", 1, 5, 60)).used == 1


async def test_memory_of_budgets_does_not_grow_without_end(redis_server: RunningRedis) -> None:
    """Windows that ended are forgotten."""
    async with behind_an_address(redis_server) as (state, _):
        state._kept = 10
        for at in range(100):
            await state.reserve(f"budget {at}", 1, 5, 0.001)
        assert len(state._seen) < 100


@dataclass
class Trouble:
    """Something that makes a server refuse to write, and what ends it."""

    begin: list[tuple[Any, ...]]
    end: list[tuple[Any, ...]]


TROUBLES = {
    "no memory left": Trouble([("CONFIG", "SET", "maxmemory", 1)], [("CONFIG", "SET", "maxmemory", 0)]),
    "another password": Trouble(
        [("CONFIG", "SET", "requirepass", "another"), ("CLIENT", "KILL", "SKIPME", "yes")],
        [("CONFIG", "SET", "requirepass", "")],
    ),
    "no more clients": Trouble(
        [("CONFIG", "SET", "maxclients", 1), ("CLIENT", "KILL", "SKIPME", "yes")],
        [("CONFIG", "SET", "maxclients", 10_000)],
    ),
    "too few replicas": Trouble(
        [("CONFIG", "SET", "min-replicas-to-write", 1)], [("CONFIG", "SET", "min-replicas-to-write", 0)]
    ),
    "cut off from its primary": Trouble(
        [("CONFIG", "SET", "replica-serve-stale-data", "no"), ("REPLICAOF", "127.0.0.1", 1)],
        [("CONFIG", "SET", "replica-serve-stale-data", "yes"), ("REPLICAOF", "NO", "ONE")],
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_server_that_refuses_to_write_stops_writes_and_the_first_call_after_it_works(
    trouble: str, redis_server: RunningRedis
) -> None:
    """Any error is a reason to stop, `/readyz` asks for the same, and nobody has to restart us."""
    admin = redis.Redis.from_url(redis_server.url)
    async with behind_an_address(redis_server) as (state, _):
        await at_once(state)
        await state.reserve("budget", 1, 5, 60)
        for command in TROUBLES[trouble].begin:
            admin.execute_command(*command)
        try:
            assert not await state.server.writable()
            for write in (state.put("key", "x", 9), state.add("new", "x", 9), state.reserve("budget", 1, 5, 60)):
                with pytest.raises(StateUnavailable):
                    await write
        finally:
            for command in TROUBLES[trouble].end:
                admin.execute_command(*command)
        assert (await state.reserve("budget", 1, 5, 60)).used == 2
        assert await state.server.writable()
    admin.close()


async def test_a_wrong_password_is_a_server_that_is_gone(redis_server: RunningRedis) -> None:
    """A rotated password, of a user as well: nothing is written, and nothing of it is in the error."""
    redis_server.ask("CONFIG", "SET", "requirepass", "right")
    try:
        state = RedisState(f"redis://:hidden-word@127.0.0.1:{redis_server.port}/0")
        with pytest.raises(StateUnavailable) as caught:
            await state.put("key", "value", 9)
        assert "hidden-word" not in str(caught.value)
        await state.aclose()
    finally:
        with redis.Redis.from_url(redis_server.url, password="right") as admin:
            admin.config_set("requirepass", "")


async def test_a_server_that_is_loading_is_asked_again_with_the_next_call(redis_server: RunningRedis) -> None:
    """A restarted server that reads its file first says so to every command."""
    async with behind_an_address(redis_server) as (state, proxy):
        loading = proxy.add("say", times=0, words=b"-LOADING Redis is loading the dataset in memory\r\n")
        assert not await state.server.writable()
        proxy.take_back(loading)
        assert await state.server.writable()


async def test_forgotten_scripts_are_sent_again_and_count_once(redis_server: RunningRedis) -> None:
    """SCRIPT FLUSH in the middle costs no call and counts nothing twice."""
    async with behind_an_address(redis_server) as (state, _):
        for used in range(1, 4):
            assert (await state.reserve("budget", 1, 5, 60)).used == used
            redis_server.ask("SCRIPT", "FLUSH")


BROKEN: list[Kind] = ["reset", "black_hole", "cut_request", "lose_answer", "close_instead", "truncate", "stall"]


@pytest.mark.parametrize("kind", BROKEN)
async def test_over_a_broken_network_each_command_is_sent_once_and_fails_closed(
    kind: Kind, redis_server: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More breaks than the pool has places, each command at most once at the server; then all goes on."""
    async with behind_an_address(redis_server) as (state, proxy):
        await state.reserve("budget", 1, 100, 60)
        fault = proxy.add(kind, b"counter:budget", times=0)
        many = 2 * CONNECTIONS
        with monkeypatch.context() as impatient:
            impatient.setattr("dixa_mcp.state.redis._LONGEST", 0.1)
            calls = (state.reserve("budget", 1, 100, 60) for _ in range(many))
            ends = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in ends} == {StateUnavailable}
        proxy.take_back(fault)
        used = int(redis_server.ask("GET", "dixa-mcp:counter:budget"))
        assert used <= 1 + many
        assert (used == 1) == (kind in ("reset", "black_hole", "cut_request"))
        assert (await state.reserve("budget", 1, 100, 60)).used == used + 1
        assert proxy.open <= CONNECTIONS


async def test_an_answer_that_drips_in_is_an_answer(redis_server: RunningRedis) -> None:
    """Slow isn't broken."""
    async with behind_an_address(redis_server) as (state, proxy):
        proxy.add("drip", times=0)
        assert (await state.reserve("budget", 1, 5, 60)).used == 1


KILLS: dict[str, Callable[[RunningRedis, FaultProxy], Any]] = {
    "by the server": lambda server, proxy: server.ask("CLIENT", "KILL", "TYPE", "normal"),
    "on the way": lambda server, proxy: proxy.cut_all(),
}


@pytest.mark.parametrize("who", KILLS)
async def test_connections_killed_in_the_middle_of_a_command_fail_closed_and_are_made_anew(
    who: str, redis_server: RunningRedis
) -> None:
    """CLIENT KILL, or a firewall that forgets: the outcome is unknown, so nobody acts on it."""
    async with behind_an_address(redis_server) as (state, proxy):
        held = proxy.add("hold")
        taking = asyncio.ensure_future(state.add("claim", "1", 60))
        await held.met.wait()
        KILLS[who](redis_server, proxy)
        with pytest.raises(StateUnavailable):
            await taking
        assert await state.add("another", "1", 60)
