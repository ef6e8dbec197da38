"""Many organisations in one process share nothing (design §9)."""

import asyncio
import re
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from mcp.server.subscriptions import ResourceUpdated
from mcp.types import TextContent
from web import ADMIN, HELLO, JSON, SECOND, asked, modern, more_organisations, post, replica, until

from dixa_mcp.sandbox import Sandbox

ALONE = ("--auth", "dixa-token")


async def rounds(http: httpx2.AsyncClient, token: str, era: str, calls: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Make these calls with these credentials, without a client's own requests in between."""
    answers: list[str] = []
    session = {**JSON, "authorization": f"Bearer {token}", "mcp-protocol-version": "2025-11-25"}
    if era == "legacy":
        opened = await http.post("/mcp", json=HELLO, headers=session)
        session["mcp-session-id"] = opened.headers["mcp-session-id"]
    for tool, arguments in calls:
        body, headers = modern("tools/call", tool, arguments=arguments)
        if era == "legacy":
            del body["params"]["_meta"]
            headers = session
        answer = await http.post("/mcp", json=body, headers={**headers, "authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        answers.append(answer.text)
    return answers


@pytest.mark.parametrize(("era", "tenants", "many"), [("auto", 1000, 20), ("legacy", 3, 4)])
async def test_200_callers_in_parallel_each_see_only_their_own_organisation(era: str, tenants: int, many: int) -> None:
    """Every answer is checked; also where far fewer organisations are kept ready than call."""
    sandbox = Sandbox()
    organisations = more_organisations(sandbox, many)
    for number, org in enumerate(organisations):
        owner = next(iter(org.tokens.values()))
        org.tokens = {f"key-{number}-{caller}": owner for caller in range(10)}
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(replica(*ALONE, "--tenants", str(tenants), sandbox=sandbox))
        # One pool of connections for all of them would be busier with itself than with the server.
        clients = [await stack.enter_async_context(site.http()) for _ in range(8)]

        async def caller(number: int, which: int) -> None:
            token = f"key-{number}-{which}"
            csid = next(iter(organisations[number].conversations))
            note = ("dixa_add_note", {"conversation_id": csid, "text": f"note of {token}"})
            http = clients[(number * 10 + which) % len(clients)]
            written, changes = await rounds(http, token, era, [note, ("dixa_list_changes", {})])
            assert f"Organisation {number}" in written
            assert 'isError":true' not in written
            assert changes.count("c-") == 1, changes

        await asyncio.gather(*[caller(number, which) for number in range(many) for which in range(10)])
        # What is too much goes when somebody comes.
        await rounds(clients[0], SECOND, era, [("dixa_status", {})])
        assert len(site.site.pool) <= tenants
    for number, org in enumerate(organisations):
        written = sorted(note["message"] for notes in org.notes.values() for note in notes if "note of" in str(note))
        assert written == [f"note of key-{number}-{which}" for which in range(10)]


async def test_budgets_and_journal_are_each_callers_own(era: str) -> None:
    """What one uses up the other still has; what one changed the other can't undo."""
    async with (
        replica(*ALONE, "--budget-internal", "1") as site,
        site.desk(ADMIN, era=era) as fernway,
        site.desk(SECOND, era=era) as tarnbridge,
    ):
        csid = next(iter(site.sandbox.organisations["tarnbridge"].conversations))
        done = await fernway.call("add_note", conversation_id=10401, text="One")
        assert (await fernway.call("add_note", conversation_id=10403, text="Two")).failed
        change = re.findall(r"c-[0-9a-f]{8}", done.text)[0]
        assert (await tarnbridge.call("undo_change", change_id=change)).failed
        assert not (await tarnbridge.call("add_note", conversation_id=csid, text="Theirs")).failed


async def test_pseudonyms_of_one_organisation_mean_nothing_in_another(era: str) -> None:
    """A token taken over from elsewhere stays the text it is."""
    async with (
        replica(*ALONE, "--pii", "pseudonymise") as site,
        site.desk(ADMIN, era=era) as fernway,
        site.desk(SECOND, era=era) as tarnbridge,
    ):
        people = (await fernway.call("find_customers", external_id="C-100231")).text
        token = re.findall(r"\[email_\d+\]", people)[0]
        csid = next(iter(site.sandbox.organisations["tarnbridge"].conversations))
        await tarnbridge.call("add_note", conversation_id=csid, text=f"About {token}")
        kept = str(list(site.sandbox.organisations["tarnbridge"].notes[csid]))
        assert token in kept
        assert "olivia" not in kept.lower()


async def test_pseudonyms_outlive_the_eviction_of_their_organisation() -> None:
    """The map is in the state, so a model's tokens still work when the organisation comes back."""
    async with replica(*ALONE, "--pii", "pseudonymise", "--tenants", "1") as site:
        async with site.desk(ADMIN) as desk:
            token = re.findall(r"\[email_\d+\]", (await desk.call("find_customers", external_id="C-100231")).text)[0]
        async with site.desk(SECOND) as desk:
            await desk.call("status")
        assert len(site.site.pool) == 1
        async with site.desk(ADMIN) as desk:
            again = (await desk.call("find_customers", email=token)).text
            assert token in again


async def test_a_consent_of_one_caller_cannot_be_used_by_another() -> None:
    """The sealed question is bound to the caller it was asked of (mcp-sdk §3)."""
    async with replica(*ALONE, "--acting-agent", "Mia Lindqvist") as site:
        site.sandbox.organisation.tokens["other-admin-token"] = site.sandbox.organisation.tokens[ADMIN]
        question, answer = await asked(site, ADMIN)
        stolen = await post(site, "other-admin-token", answer)
        assert stolen[0] == 400
        assert "requestState" in stolen[1]
        assert site.sandbox.outbox == []
        done = await post(site, ADMIN, answer)
        assert done[0] == 200
        assert len(site.sandbox.reached_customers) == 1
        twice = await post(site, ADMIN, answer)
        assert "DUPLICATE" in twice[1].upper()
        assert len(site.sandbox.reached_customers) == 1
        assert question


async def test_who_listens_hears_of_their_own_organisation_only() -> None:
    """The SDK's bus is one for the process, and both organisations have a `dixa://changes` (mcp-sdk §13)."""
    async with (
        replica(*ALONE) as site,
        site.desk(ADMIN) as fernway,
        site.desk(SECOND) as tarnbridge,
        fernway.client.listen(resource_subscriptions=["dixa://changes"]) as heard,
        tarnbridge.client.listen(resource_subscriptions=["dixa://changes"]) as overheard,
    ):
        csid = next(iter(site.sandbox.organisations["tarnbridge"].conversations))
        await fernway.call("add_note", conversation_id=10401, text="One")
        assert await anext(aiter(heard)) == ResourceUpdated(uri="dixa://changes")
        await tarnbridge.call("add_note", conversation_id=csid, text="Mark")
        # The first thing Tarnbridge hears is its own; had it heard Fernway's, there would be two.
        assert await anext(aiter(overheard)) == ResourceUpdated(uri="dixa://changes")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(aiter(overheard)), 0.05)


async def test_an_organisation_in_use_is_not_evicted() -> None:
    """A call under way keeps its client, however many others come."""
    async with replica(*ALONE, "--tenants", "1") as site:
        async with site.desk(ADMIN) as desk, desk.client.listen(resource_subscriptions=["dixa://changes"]):
            async with site.desk(SECOND) as other:
                result = await other.client.call_tool("dixa_status", {})
                assert isinstance(result.content[0], TextContent)
                assert "Tarnbridge" in result.content[0].text
            assert "Fernway" in (await desk.call("status")).text
            assert len(site.site.pool) == 2 or len(site.site.pool) == 1
        async with site.desk(SECOND) as other:
            await other.call("status")
            await until(lambda: len(site.site.pool) == 1)
