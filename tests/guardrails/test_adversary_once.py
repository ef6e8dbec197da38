"""What is done is done once, and said as it is: equal calls of one moment, lost answers, a failing memory."""

import re
from typing import Any

import anyio
import pytest
from front_door import MIA, desk

from dixa_mcp.errors import SettingsError, StateUnavailable
from dixa_mcp.sandbox import Sandbox
from dixa_mcp.state import MemoryState

ALL = ("--toolsets", "default,knowledge_write,bulk,admin,privacy,operations,chatgpt")
HOOK = "7ce82f73-27ee-48b4-9303-46be9b2ed9e2"


async def together(d: Any, tool: str, many: list[dict[str, Any]]) -> None:
    async with anyio.create_task_group() as group:
        for arguments in many:

            async def one(arguments: dict[str, Any] = arguments) -> None:
                await d.call(tool, **arguments)

            group.start_soon(one)


def typed(question: str) -> Any:
    found = re.search(r"Type (\S+) to agree", question)
    return {"typed": found[1]} if found else "yes"


class Broken(MemoryState):
    """Loses the lists whose key holds a word."""

    word = "\0"

    async def push(self, key: str, value: str, ttl: float, keep: int) -> None:
        if self.word in key:
            raise StateUnavailable
        await super().push(key, value, ttl, keep)


@pytest.mark.parametrize(
    ("slow", "tool", "many", "sent"),
    [
        (
            "list_end_user_conversations",
            "start_conversation",
            [
                {"channel": "callback", "customer": one, "endpoint": "US line", "queue": "Phone line"}
                for one in ("olivia.hart@example.com", "OLIVIA.hart@example.com", "C-100231")
            ],
            "/conversations",
        ),
        (
            "list_ratings",
            "record_rating",
            [
                {"conversation_id": 10401, "type": "csat", "score": 5, "agent": one}
                for one in ("", "Mia Lindqvist", "mia lindqvist")
            ],
            "/submit",
        ),
        (
            "list_notes",
            "add_note",
            [{"conversation_id": 10401, "text": one} for one in ("hi", "hi ", "hi\n")],
            "/notes",
        ),
        (
            "list_webhooks",
            "save_webhook",
            [
                {"name": "n", "url": "https://hooks.partner.test/x", "events": [one]}
                for one in ("ConversationCreated", "Created")
            ],
            "/webhooks",
        ),
    ],
)
async def test_one_thing_spelt_in_several_ways_at_one_instant_is_made_once(
    slow: str, tool: str, many: list[dict[str, Any]], sent: str, era: str
) -> None:
    """Names, blanks and short forms are resolved before two calls are compared (design §4.5)."""
    sandbox = Sandbox()
    sandbox.faults.add(slow, kind="slow", seconds=0.3, times=30)
    async with desk(*MIA, *ALL, "--egress-hosts", "partner.test", era=era, sandbox=sandbox, answer="yes") as d:
        await together(d, tool, many)
        assert len([w for w in d.writes if w.endswith(sent)]) == 1


async def test_an_undo_spelt_in_two_ways_at_one_instant_runs_once(era: str) -> None:
    """An id of a change is the same id in capitals."""
    sandbox = Sandbox()
    async with desk(*MIA, era=era, sandbox=sandbox) as d:
        made = await d.call("transfer_conversation", conversation_id=10401, queue="VIP")
        change = re.findall(r"c-[0-9a-f]{8}", made.text)[0]
        sandbox.faults.add("get_conversation", kind="slow", seconds=0.3, times=30)
        await together(d, "undo_change", [{"change_id": change}, {"change_id": change.upper()}])
        assert len(d.writes) == 2


async def test_presence_that_was_set_is_reported_as_set(era: str) -> None:
    """A read that fails after a write doesn't undo the write."""
    sandbox = Sandbox()
    sandbox.faults.add("get_agent_presence", status=500, after=1, times=0)
    async with desk(*MIA, *ALL, era=era, sandbox=sandbox) as d:
        said = await d.call("set_presence", agent="Mia Lindqvist", channel="Speak", working=False)
        assert d.writes
        assert "Nothing was changed" not in said.text


async def test_a_tag_whose_answer_was_lost_is_looked_up_and_can_be_undone(era: str) -> None:
    """A lost answer is looked up, part by part."""
    sandbox = Sandbox()
    async with desk(*MIA, era=era, sandbox=sandbox) as d:
        sandbox.faults.add("tag_conversation", kind="timeout_after")
        said = await d.call("update_tags", conversation_id=10401, add=["refund", "warranty"])
        assert "was not changed" not in said.text
        change = re.findall(r"c-[0-9a-f]{8}", said.text)[0]
        assert not (await d.call("undo_change", change_id=change)).failed


async def test_a_reason_whose_answer_was_lost_is_looked_up(era: str) -> None:
    """As above, for a note by the way."""
    sandbox = Sandbox()
    sandbox.faults.add("add_note", kind="timeout_after")
    async with desk(*MIA, era=era, sandbox=sandbox) as d:
        said = await d.call("transfer_conversation", conversation_id=10401, queue="VIP", reason="Because")
        assert "was not kept" not in said.text


async def test_members_whose_answer_was_lost_are_looked_up(era: str) -> None:
    """As above, for a list of agents sent at once."""
    sandbox = Sandbox()
    sandbox.faults.add("add_queue_members", kind="timeout_after")
    async with desk(*MIA, *ALL, era=era, sandbox=sandbox) as d:
        said = await d.call("manage_members", queue="VIP", add=["Tom Okafor"], remove=["Sara Petersen"])
        assert "added: Tom Okafor" in said.text or "not known" in said.text


async def test_an_undo_that_could_not_be_noted_is_reported_as_done(era: str) -> None:
    """What was done is done: a failing memory is a warning."""
    state = Broken()
    async with desk(*MIA, era=era, state=state) as d:
        made = await d.call("transfer_conversation", conversation_id=10401, queue="VIP")
        state.word = ":undone"
        said = await d.call("undo_change", change_id=re.findall(r"c-[0-9a-f]{8}", made.text)[0])
        assert len(d.writes) == 2
        assert "Nothing was changed" not in said.text


async def test_a_bulk_that_could_not_be_noted_is_reported_as_done(era: str) -> None:
    """As above, for each conversation of several."""
    state = Broken()
    state.word = "changes:"
    async with desk(*MIA, *ALL, era=era, state=state, answer="yes") as d:
        said = await d.call("bulk_update", conversation_ids=[10401, 10402], note="Hi")
        assert len(d.writes) == 2
        assert "Nothing was changed" not in said.text


async def test_a_mistyped_id_is_a_no_whatever_its_letters(era: str) -> None:
    """A person may type anything; it is compared as bytes."""
    async with desk(*MIA, *ALL, "--allow-irreversible", era=era, answer={"typed": "10405é"}) as d:
        said = await d.call("anonymize", conversation_id=10405)
        assert "didn't type" in said.text


async def test_a_new_tag_whose_answer_was_lost_is_looked_up(era: str) -> None:
    """A lost answer is looked up before anything is said."""
    sandbox = Sandbox()
    sandbox.faults.add("create_tag", kind="timeout_after")
    async with desk(*MIA, *ALL, era=era, sandbox=sandbox) as d:
        said = await d.call("manage_tag", name="zebra", action="create")
        assert not said.failed, said.text


@pytest.mark.parametrize(
    ("operation", "tool", "arguments"),
    [
        ("delete_webhook", "delete_webhook", {"webhook": HOOK}),
        ("update_webhook", "save_webhook", {"webhook": HOOK, "enabled": False}),
    ],
)
async def test_what_is_final_is_looked_up_when_its_answer_was_lost(
    operation: str, tool: str, arguments: dict[str, Any], era: str
) -> None:
    """As above, for what can't be undone."""
    sandbox = Sandbox()
    sandbox.faults.add(operation, kind="timeout_after")
    flags = (*MIA, *ALL, "--allow-irreversible", "--egress-hosts", "example.com")
    async with desk(*flags, era=era, sandbox=sandbox, answer=typed) as d:
        said = await d.call(tool, **arguments)
        assert not said.failed, said.text


async def test_a_tag_named_twice_is_put_on_once_and_can_be_undone(era: str) -> None:
    """Two spellings of one tag are one tag."""
    async with desk(*MIA, era=era) as d:
        said = await d.call("update_tags", conversation_id=10401, add=["refund", "Refund"])
        assert len(d.writes) == 1
        assert not (await d.call("undo_change", change_id=re.findall(r"c-[0-9a-f]{8}", said.text)[0])).failed


async def test_a_webhook_that_is_so_already_is_no_change(era: str) -> None:
    """Nothing that changed nothing is listed as a change."""
    async with desk(*MIA, *ALL, era=era, answer="yes") as d:
        await d.call("save_webhook", webhook="CRM sync", enabled=False)
        assert "No change of yours" in (await d.call("list_changes")).text


async def test_closing_at_one_instant_is_one_close(era: str) -> None:
    """Equal acts take turns, and whoever comes second looks again."""
    sandbox = Sandbox()
    sandbox.faults.add("get_conversation", kind="slow", seconds=0.3, times=60)
    async with desk(*MIA, era=era, sandbox=sandbox, answer="yes") as d:
        await together(d, "change_status", [{"conversation_id": 10401, "action": "close"}] * 3)
        assert len(d.writes) == 1


async def test_a_tag_can_not_be_put_on_and_taken_off_at_once(era: str) -> None:
    """What contradicts itself is refused before anything is sent."""
    async with desk(*MIA, era=era) as d:
        said = await d.call("update_tags", conversation_id=10401, add=["refund"], remove=["Refund"])
        assert "both" in said.text
        assert not d.writes


async def test_a_failed_read_after_a_write_is_no_proof_that_nothing_was_changed(era: str) -> None:
    """Guardrails know which writes Dixa accepted, whatever a tool makes of a later failure."""
    sandbox = Sandbox()
    sandbox.faults.add("get_agent_presence", status=500, after=1, times=0)
    async with desk(*MIA, *ALL, era=era, sandbox=sandbox) as d:
        said = await d.call("set_presence", agent="Mia Lindqvist", channel="Speak", working=False)
        assert "could not be read again" in said.text


async def test_a_key_for_seals_needs_a_memory_that_is_shared() -> None:
    """A consent must not outlive the memory of its use: after a restart it would count again."""
    with pytest.raises(SettingsError, match="what was used up"):
        async with desk("--state-key", "k" * 40):
            pass
