"""The policy table: effect × mode × era × what the client can do and the person answers → what happens.

Every cell is a call through a real client. The expectation is written here once more, as a rule of its own,
so that a change of the guardrails can't agree with itself.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from front_door import MIA, Desk, desk

EFFECTS = ("read", "internal", "customer", "egress", "irreversible")
MODES = ("read-only", "confirm", "unattended", "unattended and named")
ANSWERS = ("yes", "no", "decline", "cancel", "cannot ask")
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "read": ("get_thread", {"conversation_id": 10401}),
    "internal": ("add_note", {"conversation_id": 10401, "text": "hello"}),
    "customer": ("send_reply", {"conversation_id": 10401, "text": "hello", "after_message": "29c4c258"}),
    "egress": (
        "send_reply",
        {"conversation_id": 10401, "text": "hello", "after_message": "29c4c258", "cc": ["grace.hill@example.com"]},
    ),
    "irreversible": ("delete_webhook", {"webhook": "06b1bcde-afc0-444f-9a32-7ad07880c447"}),
}
TYPED = "06b1bcde-afc0-444f-9a32-7ad07880c447"
FLAGS = (
    *MIA,
    "--toolsets",
    "default,admin",
    "--allow-irreversible",
    "--egress-hosts",
    "example.com",
)


@dataclass(frozen=True)
class Expected:
    """What a cell must come to."""

    outcome: str
    """ran, drafted, refused, declined."""
    asked: bool = False


def expected(effect: str, mode: str, answer: str) -> Expected:
    """The table of design §3, in words of its own."""
    if effect == "read":
        return Expected("ran")
    if mode == "read-only":
        return Expected("refused")
    if effect == "internal":
        return Expected("ran")
    if mode.startswith("unattended"):
        named = mode.endswith("named") and effect != "irreversible"
        return Expected("ran") if named else Expected("refused")
    if answer == "cannot ask":
        return Expected("drafted") if effect in {"customer", "egress"} else Expected("refused")
    return Expected({"yes": "ran"}.get(answer, "declined"), asked=True)


def flags(mode: str) -> tuple[str, ...]:
    """Command-line flags of a mode."""
    if mode == "unattended and named":
        return (*FLAGS, "--mode", "unattended", "--unattended", "dixa_send_reply,dixa_delete_webhook")
    return (*FLAGS, "--mode", mode)


def outcome(d: Desk, failed: bool, text: str) -> str:
    """What happened, read off the organisation, not off our own words where possible."""
    if "DRAFT" in text:
        assert not d.sandbox.reached_customers
        return "drafted"
    if failed:
        assert not d.writes, d.writes
        return "refused"
    if "nothing was done" in text.lower():
        assert not d.writes, d.writes
        return "declined"
    return "ran"


@pytest.mark.parametrize(("effect", "mode", "answer"), list(itertools.product(EFFECTS, MODES, ANSWERS)))
async def test_cell(effect: str, mode: str, answer: str, era: str) -> None:
    """One cell of the table (design §3, §4.3)."""
    tool, arguments = CALLS[effect]
    reply: Any = None if answer == "cannot ask" else answer
    if effect == "irreversible" and answer in {"yes", "no"}:
        reply = {"typed": TYPED if answer == "yes" else "something else"}
    want = expected(effect, mode, answer)
    async with desk(*flags(mode), era=era, answer=reply) as d:
        said = await d.call(tool, **arguments)
        assert outcome(d, said.failed, said.text) == want.outcome, said.text
        assert bool(d.questions) == want.asked
        if want.outcome in {"refused", "declined"}:
            assert not d.sandbox.outbox


@pytest.mark.parametrize("effect", EFFECTS)
async def test_the_list_and_the_call_agree(effect: str, era: str) -> None:
    """One cap rules both (design §3): what is listed isn't refused by policy, what isn't listed is refused."""
    tool, arguments = CALLS[effect]
    for mode in MODES:
        async with desk(*flags(mode), era=era, answer="decline") as d:
            listed = f"dixa_{tool}" in {each.name for each in (await d.client.list_tools()).tools}
            said = await d.call(tool, **arguments)
            refused_by_policy = said.failed and ("--mode" in said.text or "unattended" in said.text)
            assert listed != refused_by_policy, (mode, said.text)
