"""Between us and Dixa the network breaks in every way a network can; counted at the sandbox (design §4.5, §7, §12)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fault_proxy import FaultProxy, Kind, proxied
from front_door import MIA, Desk, desk
from pydantic import SecretStr
from writes import writes

from dixa_mcp.client import patience
from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.pace import Pace
from dixa_mcp.client.paths import at
from dixa_mcp.sandbox import Sandbox, serving

CONNECTIONS = 64
"""What the pool of `link` holds at most."""
WRITES = writes("broken")
LOST: list[Kind] = ["lose_answer", "close_instead", "truncate", "stall"]
NEVER_ARRIVED: list[Kind] = ["reset", "black_hole", "cut_request"]


@asynccontextmanager
async def over_a_network(*flags: str, within: float = 0.25, **more: Any) -> AsyncGenerator[tuple[Desk, FaultProxy]]:
    """A desk whose server reaches the sandbox through a proxy."""
    sandbox = Sandbox()
    async with serving(sandbox) as address, proxied(address) as (proxy, url):
        dixa = Dixa(SecretStr("sandbox-admin-token"), base_url=url, pace=Pace(None), timeout=within)
        async with desk(*MIA, *flags, answer="yes", sandbox=sandbox, dixa=dixa, **more) as d:
            yield d, proxy


@pytest.mark.parametrize("kind", LOST)
async def test_a_write_whose_answer_is_lost_is_looked_up_and_reported_as_done(kind: Kind) -> None:
    """The ambiguous case, one way for every kind of write: done once, said so, a repeat does nothing (design §4.5)."""
    async with over_a_network() as (d, proxy):
        for write in WRITES if kind == "lose_answer" else WRITES[:2]:
            before = write.done(d.sandbox)
            fault = proxy.add(kind, write.request)
            said = await d.call(write.tool, **write.arguments)
            assert fault.met.is_set()
            assert not said.failed, said.text
            again = await d.call(write.tool, **write.arguments)
            assert not again.failed, again.text
            assert write.done(d.sandbox) == before + 1, write.tool


@pytest.mark.parametrize("kind", NEVER_ARRIVED)
async def test_a_write_that_never_arrived_is_reported_as_not_done_and_can_be_repeated(kind: Kind) -> None:
    """Nothing is sent a second time by us; who asked may (design §4.5)."""
    async with over_a_network() as (d, proxy):
        for write in WRITES if kind == "reset" else WRITES[:2]:
            before = write.done(d.sandbox)
            fault = proxy.add(kind, write.request)
            said = await d.call(write.tool, **write.arguments)
            assert fault.met.is_set()
            assert said.failed, said.text
            assert "Nothing was changed" in said.text, said.text
            assert write.done(d.sandbox) == before, write.tool
            again = await d.call(write.tool, **write.arguments)
            assert not again.failed, again.text
            assert write.done(d.sandbox) == before + 1, write.tool


async def test_a_write_that_cannot_be_looked_up_either_is_unknown_and_never_repeated() -> None:
    """Done, not done, or unknown: here the answer is lost, and Dixa is silent from then on (design §4.5)."""
    async with over_a_network("--deadline", "1", within=0.1) as (d, proxy):
        note = WRITES[0]
        lost = proxy.add("lose_answer", note.request)
        writing = asyncio.ensure_future(d.call(note.tool, **note.arguments))
        await lost.met.wait()
        silence = proxy.add("black_hole", times=0)
        said = await writing
        assert said.failed
        assert "not known whether the change was made" in said.text
        proxy.take_back(silence)
        again = await d.call(note.tool, **note.arguments)
        assert "DUPLICATE" in again.text.upper()
        assert note.done(d.sandbox) == 1


async def test_a_read_outlasts_every_way_of_breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads are asked for again, on a new connection (design §7)."""
    monkeypatch.setattr(patience, "_FIRST_WAIT", 0.001)
    async with over_a_network() as (d, proxy):
        for kind in (*NEVER_ARRIVED, *LOST, "drip"):
            fault = proxy.add(kind, b"GET /v1/conversations/10401/messages")
            said = await d.call("get_thread", conversation_id=10401)
            assert fault.met.is_set(), kind
            assert "parcel" in said.text, (kind, said.text)


async def test_an_answer_that_drips_forever_ends_with_the_calls_time() -> None:
    """Each byte would renew a timeout between bytes; ours is for all of it (design §7)."""
    async with over_a_network("--deadline", "1", within=30) as (d, proxy):
        proxy.add("stall", times=0)
        said = await d.call("get_thread", conversation_id=10401)
        assert said.failed
        assert "time for this call was up" in said.text


async def test_dixa_away_and_back_costs_no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused connections: a write proves not done; when Dixa is back, the next call works."""
    monkeypatch.setattr(patience, "_FIRST_WAIT", 0.001)
    note = WRITES[0]
    async with over_a_network() as (d, proxy):
        assert not (await d.call("get_thread", conversation_id=10401)).failed
        await proxy.refuse()
        assert (await d.call("get_thread", conversation_id=10401)).failed
        said = await d.call(note.tool, **note.arguments)
        assert said.failed
        assert "Nothing was changed" in said.text
        await proxy.listen()
        assert not (await d.call(note.tool, **note.arguments)).failed
        assert note.done(d.sandbox) == 1


async def test_broken_connections_never_use_up_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """More breaks than the pool has places, of every kind, and callers who go away; then all goes on as before."""
    monkeypatch.setattr(patience, "TRIES", 1)
    async with serving(Sandbox()) as address, proxied(address) as (proxy, url):
        dixa = Dixa(SecretStr("sandbox-admin-token"), base_url=url, pace=Pace(None))

        def look() -> list[asyncio.Task[Any]]:
            return [asyncio.ensure_future(dixa.get(at("/organization"))) for _ in range(12)]

        for kind in (*NEVER_ARRIVED, *LOST):
            fault = proxy.add(kind, b"GET", times=0)
            looking = look()
            await fault.met.wait()
            if kind in ("black_hole", "stall"):
                for each in looking:
                    each.cancel()
            ends = await asyncio.gather(*looking, return_exceptions=True)
            assert all(isinstance(each, BaseException) for each in ends), kind
            proxy.take_back(fault)
        assert proxy.accepted > CONNECTIONS
        assert len(await asyncio.gather(*look())) == 12
        await dixa.aclose()
