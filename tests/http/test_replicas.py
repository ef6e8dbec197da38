"""Replicas on one Redis are one server; without it they still read (design §9)."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from mcp import MCPError
from mcp.server.subscriptions import ResourceUpdated
from running_redis import RunningRedis
from web import Gate, Replica, asked, modern, on_redis, post, replica

from dixa_mcp.sandbox import Sandbox

MIA = ("--acting-agent", "Mia Lindqvist")
NOTE = {"conversation_id": 10401, "text": "Only once"}


@asynccontextmanager
async def replicas(
    redis: RunningRedis, many: int, *flags: str, sandbox: Sandbox | None = None, **options: Any
) -> AsyncGenerator[list[Replica]]:
    """Serve several replicas on one Redis and one Dixa."""
    sandbox = sandbox or Sandbox()
    async with AsyncExitStack() as stack:
        made = [replica(*on_redis(redis.url), *flags, sandbox=sandbox, **options) for _ in range(many)]
        yield [await stack.enter_async_context(each) for each in made]


def notes(sandbox: Sandbox) -> list[str]:
    return [note["message"] for note in sandbox.organisation.notes[10401] if note["message"] == NOTE["text"]]


async def call(site: Replica, tool: str, **arguments: Any) -> str:
    """Call a tool by hand; returns the answer as it came."""
    body, headers = modern("tools/call", tool, arguments=arguments)
    async with site.http() as http:
        return (await http.post("/mcp", json=body, headers=headers)).text


async def test_a_consent_begun_on_one_replica_ends_on_another_and_is_spent_on_both(redis_server: RunningRedis) -> None:
    """Any replica can serve any request; the sealed state can be replayed, the consent can't (mcp-sdk §3)."""
    async with replicas(redis_server, 2, *MIA) as (one, two):
        question, yes = await asked(one, "")
        assert "Hello Olivia" in question
        status, text = await post(two, "", yes)
        assert status == 200
        assert "isError" not in text or '"isError":false' in text
        await asyncio.gather(post(one, "", yes), post(two, "", yes))
        assert len(one.sandbox.reached_customers) == 1


async def test_a_replica_with_another_key_cannot_read_the_question(redis_server: RunningRedis) -> None:
    """Nothing is done where the seal isn't ours."""
    sandbox = Sandbox()
    async with (
        replica(*on_redis(redis_server.url), *MIA, sandbox=sandbox) as one,
        replica(*on_redis(redis_server.url, "z" * 40), *MIA, sandbox=sandbox) as two,
        replica(*on_redis(redis_server.url, f"{'z' * 40},{'k' * 40}"), *MIA, sandbox=sandbox) as changed,
    ):
        _, yes = await asked(one, "")
        assert (await post(two, "", yes))[0] == 400
        assert sandbox.outbox == []
        assert (await post(changed, "", yes))[0] == 200
        assert len(sandbox.reached_customers) == 1


async def test_a_two_step_token_is_spent_once_on_all_replicas(redis_server: RunningRedis) -> None:
    """Both try at the same moment; one acts."""
    async with replicas(redis_server, 2, *MIA, "--no-elicitation", "two-step") as (one, two):
        reply = {"conversation_id": 10401, "text": "Hello Olivia", "after_message": "29c4c258"}
        preview = await call(one, "dixa_send_reply", **reply)
        token = re.findall(r"confirmation_token[^A-Za-z0-9_-]+([\w-]{16})", preview)[0]
        both = await asyncio.gather(
            *[call(site, "dixa_send_reply", **reply, confirmation_token=token) for site in (one, two)]
        )
        assert len(one.sandbox.reached_customers) == 1
        assert sum("Reply sent" in text and "DUPLICATE" not in text.upper() for text in both) == 1, both


async def test_the_same_note_on_all_replicas_at_once_exists_once(redis_server: RunningRedis) -> None:
    """Design §4.5: the same call is recognised on another replica."""
    async with replicas(redis_server, 4) as sites:
        said = await asyncio.gather(*[call(site, "dixa_add_note", **NOTE) for site in sites])
        assert notes(sites[0].sandbox) == [NOTE["text"]], said
        assert sum('"isError":false' in text and "DUPLICATE" not in text.upper() for text in said) == 1


async def test_budgets_and_journal_are_one(redis_server: RunningRedis) -> None:
    """An hour's budget isn't multiplied by the replicas; what one did another can undo."""
    async with replicas(redis_server, 2, "--budget-internal", "2") as (one, two):
        done = await call(one, "dixa_update_tags", conversation_id=10403, add=["vip"])
        change = re.findall(r"c-[0-9a-f]{8}", done)[0]
        assert change in await call(two, "dixa_list_changes")
        assert 'isError":true' not in await call(two, "dixa_undo_change", change_id=change)
        assert "used up" in await call(one, "dixa_add_note", **NOTE)


@pytest.mark.parametrize("many", [2, 4])
async def test_replicas_on_one_token_never_exceed_its_rate(redis_server: RunningRedis, many: int) -> None:
    """Together 10 a second with a burst of 4, counted at the sandbox: no 429 (notes §3)."""
    sandbox = Sandbox(rate=10)
    async with replicas(redis_server, many, sandbox=sandbox, paced=True) as sites:
        ids = [10401, 10402, 10403, 10404] * 2
        jobs = [call(sites[index % many], "dixa_get_thread", conversation_id=csid) for index, csid in enumerate(ids)]
        answers = await asyncio.gather(*jobs)
        assert not [text for text in answers if '"isError":true' in text]
        assert [request.status for request in sandbox.requests if request.status == 429] == []
        assert len(sandbox.requests) >= len(ids)


@pytest.mark.parametrize("restarted", [False, True])
async def test_who_listens_on_one_replica_hears_of_changes_on_another(
    redis_server: RunningRedis, *, restarted: bool
) -> None:
    """The bus of changes goes over Redis, by organisation; it joins again after Redis was away."""
    async with (
        replicas(redis_server, 2) as (one, two),
        one.desk() as desk,
        desk.client.listen(resource_subscriptions=["dixa://conversation/10401"]) as heard,
    ):
        if restarted:
            redis_server.stop()
            redis_server.start()
        waiting = asyncio.ensure_future(anext(aiter(heard)))
        for number in range(20):  # the first may be said before Redis has heard that somebody listens
            await call(two, "dixa_add_note", conversation_id=10401, text=f"Note {number}")
            if (await asyncio.wait([waiting], timeout=0.2))[0]:
                break
        assert await waiting == ResourceUpdated(uri="dixa://conversation/10401")


async def test_a_pseudonym_of_one_replica_is_known_to_the_other_and_is_the_same_there(
    redis_server: RunningRedis,
) -> None:
    """Also when both see a person for the first time at the same moment."""
    async with replicas(redis_server, 2, "--pii", "pseudonymise") as sites:
        said = await asyncio.gather(*[call(site, "dixa_find_customers", external_id="C-100231") for site in sites])
        first, second = (re.findall(r"\[(?:email|name)_\d+\]", text) for text in said)
        assert first
        assert first == second
        token = next(token for token in first if "email" in token)
    async with replicas(redis_server, 1, "--pii", "pseudonymise") as (fresh,):
        assert token in await call(fresh, "dixa_find_customers", email=token)


async def test_without_redis_reads_go_on_writes_stop_and_it_recovers_by_itself(redis_server: RunningRedis) -> None:
    """Redis stopped, then restarted empty; `/readyz` tells, and nothing was sent twice."""
    async with replicas(redis_server, 1) as (site,), site.http() as http:
        ready = (await http.get("/readyz")).json()
        assert (ready["status"], ready["writes"]) == ("ready", "allowed")
        assert '"isError":true' not in await call(site, "dixa_get_thread", conversation_id=10401)
        redis_server.stop()
        assert "parcel" in await call(site, "dixa_get_thread", conversation_id=10401)
        assert "unknown of" in await call(site, "dixa_status")
        refused = await call(site, "dixa_add_note", **NOTE)
        assert "shared state of this server can't be reached" in refused
        assert notes(site.sandbox) == []
        site.site._asked = float("-inf")
        degraded = await http.get("/readyz")
        assert (degraded.status_code, degraded.json()["writes"]) == (200, "stopped")
        assert (await http.get("/readyz?for=writes")).status_code == 503
        assert (await http.get("/healthz")).status_code == 200
        redis_server.start()
        site.site._asked = float("-inf")
        assert (await http.get("/readyz")).json()["writes"] == "allowed"
        assert '"isError":true' not in await call(site, "dixa_add_note", **NOTE)
        assert "DUPLICATE" in (await call(site, "dixa_add_note", **NOTE)).upper()
        assert notes(site.sandbox) == [NOTE["text"]]


async def test_redis_that_goes_in_the_middle_of_a_write_makes_no_second_one(redis_server: RunningRedis) -> None:
    """The note is made; that it couldn't be recorded is said, and a repeat finds it in Dixa."""
    sandbox = Sandbox()
    sandbox.faults.add("add_note", kind="slow")
    gate = Gate()
    async with replicas(redis_server, 2, sandbox=sandbox, sleep=gate.sleep) as (one, two):
        writing = asyncio.ensure_future(call(one, "dixa_add_note", **NOTE))
        await gate.reached.wait()
        redis_server.stop()
        gate.open.set()
        said = await writing
        assert '"isError":false' in said
        assert "not recorded" in said
        redis_server.start()
        assert "DUPLICATE" in (await call(two, "dixa_add_note", **NOTE)).upper()
        assert notes(sandbox) == [NOTE["text"]]


async def test_a_redis_that_hangs_stops_writes_and_no_reads(redis_server: RunningRedis) -> None:
    """Two seconds for an answer, then it counts as gone."""
    async with replicas(redis_server, 1) as (site,):
        with redis_server.frozen():
            read, write = await asyncio.gather(
                call(site, "dixa_get_thread", conversation_id=10401), call(site, "dixa_add_note", **NOTE)
            )
        assert "parcel" in read
        assert "can't be reached" in write
        assert notes(site.sandbox) == []


async def test_two_organisations_on_one_redis_share_nothing(redis_server: RunningRedis) -> None:
    """Every key holds its organisation."""
    sandbox = Sandbox()
    csid = next(iter(sandbox.organisations["tarnbridge"].conversations))
    flags = (*on_redis(redis_server.url), "--budget-internal", "1")
    async with (
        replica(*flags, sandbox=sandbox) as fernway,
        replica(*flags, sandbox=sandbox, key="sandbox-second-token") as tarnbridge,
    ):
        assert '"isError":false' in await call(fernway, "dixa_add_note", **NOTE)
        assert '"isError":false' in await call(tarnbridge, "dixa_add_note", conversation_id=csid, text="Only once")
        assert "10401" not in await call(tarnbridge, "dixa_list_changes")


@pytest.mark.parametrize("what", ["bodies", "customers"])
async def test_no_text_of_a_message_is_kept_in_redis(redis_server: RunningRedis, what: str) -> None:
    """Design §9: no message bodies; every key expires (the fixture looks)."""
    async with replicas(redis_server, 1, *MIA) as (site,):
        _, yes = await asked(site, "")
        await post(site, "", yes)
        await call(site, "dixa_add_note", **NOTE)
        await call(site, "dixa_get_customer", customer="C-100231")
    read = {"string": ("GET",), "list": ("LRANGE", 0, -1), "hash": ("HGETALL",)}
    kept = ""
    for key in redis_server.expiries():
        command, *rest = read[redis_server.ask("TYPE", key)]
        kept += key + str(redis_server.ask(command, key, *rest))
    assert "10401" in kept
    words = ("Hello Olivia", NOTE["text"]) if what == "bodies" else ("olivia.hart@example.com",)
    assert not [word for word in words if str(word) in kept]


async def test_an_mcp_client_sees_one_server(redis_server: RunningRedis, era: str) -> None:
    """A whole conversation with consent, in both eras; the older one stays on the replica of its session."""
    async with replicas(redis_server, 2, *MIA) as sites, sites[0].desk(era=era, answer="yes") as desk:
        said = await desk.call("send_reply", conversation_id=10401, text="Hello", after_message="29c4c258")
        assert not said.failed, said.text
        with pytest.raises(MCPError):
            await desk.client.read_resource("dixa://nothing")
