"""The end of a process in the middle of its work: what SIGTERM starts (design §9)."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from test_requests import slow_notes
from test_tenants import rounds
from web import Gate, Replica, modern, replica, until

NOTE = {"conversation_id": 10401, "text": "Last"}


@asynccontextmanager
async def in_the_middle_of_a_note(
    audit: Path, era: str, *flags: str
) -> AsyncGenerator[tuple[Replica, Gate, asyncio.Task[list[str]], AsyncExitStack]]:
    """A note that Dixa has and hasn't answered; closing the stack is what SIGTERM does."""
    gate = Gate()
    async with AsyncExitStack() as stack:
        more = {"sandbox": slow_notes(), "sleep": gate.sleep, "audit": ("--state-dir", str(audit))}
        site = await stack.enter_async_context(replica(*flags, **more))
        async with site.http() as http:
            writing = asyncio.ensure_future(rounds(http, "anybody", era, [("dixa_add_note", NOTE)]))
            await gate.reached.wait()
            try:
                yield site, gate, writing, stack
            finally:
                gate.open.set()
                writing.cancel()


def decisions(audit: Path) -> list[str]:
    lines = [line for file in audit.rglob("audit-*.jsonl") for line in file.read_text().splitlines()]
    return [json.loads(line)["decision"] for line in lines]


async def test_a_call_under_way_is_finished_and_answered_before_the_end(era: str, tmp_path: Path) -> None:
    """Within `--grace`, and in full."""
    async with in_the_middle_of_a_note(tmp_path, era) as (site, gate, writing, stack):
        ending = asyncio.ensure_future(stack.aclose())
        await until(lambda: site.site.closing)
        gate.open.set()
        assert '"isError":false' in (await writing)[0]
        await ending
        assert decisions(tmp_path) == ["intent", "done"]


async def test_a_write_that_outlasts_the_grace_is_finished_and_recorded(
    era: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The process ends as soon as Dixa has answered or was given up; what was begun there has its line."""
    async with in_the_middle_of_a_note(tmp_path, era, "--grace", "1") as (site, gate, writing, stack):
        ending = asyncio.ensure_future(stack.aclose())
        await until(lambda: "timeout graceful shutdown exceeded" in caplog.text)
        gate.open.set()
        await ending
        writing.cancel()
        await asyncio.wait([writing])
        assert decisions(tmp_path) == ["intent", "done"]
        assert [note["message"] for note in site.sandbox.organisation.notes[10401]].count("Last") == 1


async def test_listening_streams_of_both_eras_end_with_the_process() -> None:
    """They would stay open for ever; a listener of 2026-07-28 gets its final answer (mcp-sdk §1)."""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(replica())
        async with site.desk() as desk, site.desk(era="legacy"), site.http() as http:
            body, headers = modern("subscriptions/listen", notifications={"resourceSubscriptions": ["dixa://changes"]})
            async with (
                desk.client.listen(resource_subscriptions=["dixa://changes"]) as heard,
                http.stream("POST", "/mcp", json=body, headers=headers) as stream,
            ):
                await until(lambda: len(site.site.door._streams) == 1)
                ending = asyncio.ensure_future(stack.aclose())
                assert [event async for event in heard] == []
                assert '"result"' in (await stream.aread()).decode().splitlines()[-2]
            await ending
