"""Replicas whose Redis fails over, refuses or loses answers: writes stop, nothing is sent twice (design §9)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from fault_proxy import FaultProxy, proxied
from running_redis import RunningRedis
from test_replicas import MIA, NOTE, call, notes
from web import Gate, Replica, asked, on_redis, post, replica

from dixa_mcp.sandbox import Sandbox


@asynccontextmanager
async def behind_an_address(
    server: RunningRedis, many: int = 2, gate: Gate | None = None
) -> AsyncGenerator[tuple[FaultProxy, list[Replica]]]:
    """Replicas that know Redis by an address only; with a gate, answers to new notes wait for it."""
    sandbox = Sandbox()
    if gate:
        sandbox.faults.add("add_note", kind="slow")
    async with proxied(server.url) as (proxy, url), AsyncExitStack() as stack:
        more: dict[str, Any] = {"sleep": gate.sleep} if gate else {}
        made = [replica(*on_redis(url), *MIA, sandbox=sandbox, **more) for _ in range(many)]
        yield proxy, [await stack.enter_async_context(each) for each in made]


async def recovered(site: Replica) -> None:
    """Go on asking, as probes do, until a replica takes writes."""
    for _ in range(100):
        site.site._asked = float("-inf")
        async with site.http() as http:
            if (await http.get("/readyz?for=writes")).status_code == 200:
                return
    pytest.fail("It never took writes again.")


async def test_a_primary_killed_in_the_middle_of_a_write_costs_neither_the_write_nor_its_record(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """Done at Dixa while Redis failed over: recorded on the new primary, and known to the other replica."""
    gate = Gate()
    async with behind_an_address(redis_server, gate=gate) as (proxy, (one, two)):
        second_redis.follow(redis_server)
        writing = asyncio.ensure_future(call(one, "dixa_add_note", **NOTE))
        await gate.reached.wait()
        second_redis.follow(redis_server)
        redis_server.stop()
        second_redis.promote()
        proxy.target = ("127.0.0.1", second_redis.port)
        for site in (one, two):
            await recovered(site)
        gate.open.set()
        said = await writing
        assert '"isError":false' in said
        assert "not recorded" not in said
        assert "10401" in await call(two, "dixa_list_changes")
        assert "DUPLICATE" in (await call(two, "dixa_add_note", **NOTE)).upper()
        assert notes(one.sandbox) == [NOTE["text"]]


async def test_an_empty_new_primary_makes_nothing_twice_and_no_consent_good_again(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """What only Redis knew is lost; Dixa knows the reply and the note (design §4.5)."""
    async with behind_an_address(redis_server) as (proxy, (one, two)):
        _, yes = await asked(one, "")
        assert (await post(one, "", yes))[0] == 200
        await call(one, "dixa_add_note", **NOTE)
        redis_server.stop()
        proxy.target = ("127.0.0.1", second_redis.port)
        for site in (one, two):
            await recovered(site)
            assert "DUPLICATE" in (await post(site, "", yes))[1].upper()
            assert "DUPLICATE" in (await call(site, "dixa_add_note", **NOTE)).upper()
        assert len(one.sandbox.reached_customers) == 1
        assert notes(one.sandbox) == [NOTE["text"]]


async def test_on_a_read_only_redis_writes_stop_and_go_on_where_the_address_leads_next(
    redis_server: RunningRedis, second_redis: RunningRedis
) -> None:
    """The old primary answers as a replica: reads go on, `/readyz` tells, no restart (design §9)."""
    async with behind_an_address(redis_server, 1) as (proxy, (site,)), site.http() as http:
        assert (await http.get("/readyz?for=writes")).status_code == 200
        redis_server.follow(second_redis)
        site.site._asked = float("-inf")
        told = await http.get("/readyz?for=writes")
        assert (told.status_code, told.json()["writes"]) == (503, "stopped")
        assert "parcel" in await call(site, "dixa_get_thread", conversation_id=10401)
        said = await call(site, "dixa_add_note", **NOTE)
        assert "shared state of this server can't be reached" in said
        assert notes(site.sandbox) == []
        proxy.target = ("127.0.0.1", second_redis.port)
        site.site._asked = float("-inf")
        assert (await http.get("/readyz?for=writes")).status_code == 200
        assert '"isError":false' in await call(site, "dixa_add_note", **NOTE)
        assert notes(site.sandbox) == [NOTE["text"]]


@pytest.mark.parametrize("lost", [b"once:", b"counter:budget"])
async def test_a_claim_whose_answer_is_lost_sends_nothing_to_dixa(lost: bytes, redis_server: RunningRedis) -> None:
    """Whether it was taken is unknown, so nobody acts on it; what is said of a repeat is true."""
    async with behind_an_address(redis_server, 1) as (proxy, (site,)):
        fault = proxy.add("lose_answer", lost)
        said = await call(site, "dixa_add_note", **NOTE)
        assert fault.met.is_set()
        assert "Nothing was changed" in said or "nothing may be changed" in said
        assert notes(site.sandbox) == []
        again = await call(site, "dixa_add_note", **NOTE)
        if lost == b"once:":
            assert "or broke off less than ten minutes ago" in again
            assert notes(site.sandbox) == []
        else:
            assert '"isError":false' in again
            assert notes(site.sandbox) == [NOTE["text"]]


async def test_a_consent_whose_spending_is_lost_is_spent(redis_server: RunningRedis) -> None:
    """Fail closed: the same yes never sends, a new one does."""
    async with behind_an_address(redis_server, 1) as (proxy, (site,)):
        _, yes = await asked(site, "")
        proxy.add("lose_answer", b"spent:")
        assert "can't be reached" in (await post(site, "", yes))[1]
        assert "counts once" in (await post(site, "", yes))[1]
        assert site.sandbox.reached_customers == []
        _, another = await asked(site, "")
        assert '"isError":true' not in (await post(site, "", another))[1]
        assert len(site.sandbox.reached_customers) == 1
