"""Several conversations at once: the tools of triage, one after the other, behind one consent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from dixa_mcp.client.deadline import renew
from dixa_mcp.client.landed import listening
from dixa_mcp.client.models import Conversation
from dixa_mcp.errors import DixaMcpError, InvalidArgument, NotFound, Refused
from dixa_mcp.guardrails import journal, once
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Question, quoted
from dixa_mcp.guardrails.rules import not_stopped
from dixa_mcp.render.bulk import Bulk, Outcome
from dixa_mcp.text.clean import clean
from dixa_mcp.toolbox import Change, Effect, Raise, Tool, tool
from dixa_mcp.tools import _acts, _people
from dixa_mcp.tools._params import ConversationId
from dixa_mcp.tools._titles import titles
from dixa_mcp.tools.triage.assigning import assign_conversation
from dixa_mcp.tools.triage.sorting import add_note, transfer_conversation, update_tags
from dixa_mcp.tools.triage.status import change_status

MOST = 25
MEMORY = 600.0
"""Seconds in which the same bulk, made again, goes on instead of beginning anew."""

Text = Annotated[str, Field(max_length=20_000)]
Status = Literal["", "close", "follow_up"]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of work, the same for every conversation: a tool of triage and what it is given."""

    name: str
    tool: Tool
    arguments: dict[str, Any]
    asked: str
    """What a person is asked."""
    there: Callable[[Conversation], bool] = lambda _: False
    """Whether a conversation shows it as done, so that an interrupted bulk can be taken up again."""


@tool(
    Effect.INTERNAL,
    raised=(Raise("status", Effect.CUSTOMER, "close", unless="close_is_internal"),),
    touches="conversation_ids",
    always_ask=True,
    idempotent=True,
)
async def bulk_update(
    call: Call,
    conversation_ids: list[ConversationId],
    add_tags: list[str] | None = None,
    remove_tags: list[str] | None = None,
    note: Text = "",
    queue: str = "",
    agent: str = "",
    status: Status = "",
    until: str = "",
) -> Bulk:
    """Do the same to up to 25 conversations; a person confirms once. The same call again goes on where it stopped."""
    numbers = _numbers(conversation_ids)
    parts = await _parts(call, add_tags, remove_tags, note, queue, agent, status, until)
    thunks = [partial(_one, call, number, parts) for number in numbers]
    results = await call.dixa.all(thunks, progress=partial(_told, call))
    outcomes: list[Outcome] = []
    warned: dict[str, list[str]] = {}
    for number, result in zip(numbers, results, strict=True):
        if isinstance(result, DixaMcpError):
            outcomes.append(Outcome(number, failed=result.what))
            continue
        outcomes.append(result[0])
        for warning in result[1]:
            warned.setdefault(warning, []).append(str(number))
    warnings = [f"{text} ({', '.join(which)})" for text, which in warned.items()]
    return _summed(outcomes, warnings, closes=status == "close")


@bulk_update.asks
async def _(
    call: Call,
    conversation_ids: list[int],
    add_tags: list[str] | None = None,
    remove_tags: list[str] | None = None,
    note: str = "",
    queue: str = "",
    agent: str = "",
    status: str = "",
    until: str = "",
) -> Question:
    numbers = _numbers(conversation_ids)
    parts = await _parts(call, add_tags, remove_tags, note, queue, agent, status, until)
    conversations = await _conversations(call, numbers)
    count = f"{len(conversations)} conversation{'s' * (len(conversations) > 1)}"
    lines = [f"Do this to {count}?", *(f"- {part.asked}" for part in parts), ""]
    return Question("\n".join([*lines, *(await titles(call.dixa, conversations))]))


def _numbers(given: list[int]) -> list[int]:
    """Each conversation once.

    Raises:
        InvalidArgument: None, or more than a person can look through.
    """
    numbers = list(dict.fromkeys(given))
    if not 0 < len(numbers) <= MOST:
        raise InvalidArgument(f"Give 1 to {MOST} conversation_ids, not {len(numbers)}.")
    return numbers


async def _conversations(call: Call, numbers: Sequence[int]) -> list[Conversation]:
    """Read them all before anybody is asked.

    Raises:
        InvalidArgument: Some don't exist, or were anonymised.
    """
    read = await call.dixa.all([partial(_people.conversation, call.dixa, number) for number in numbers])
    missing = [number for number, each in zip(numbers, read, strict=True) if isinstance(each, NotFound)]
    if missing:
        raise InvalidArgument(f"Dixa doesn't know {', '.join(map(str, missing))}.", "Leave them out.")
    found: list[Conversation] = []
    for each in read:
        if isinstance(each, DixaMcpError):
            raise each
        found.append(each)
    if gone := [str(each.id) for each in found if each.is_anonymized]:
        raise InvalidArgument(f"These were anonymised: {', '.join(gone)}.", "Leave them out.")
    return found


async def _parts(
    call: Call,
    add_tags: list[str] | None,
    remove_tags: list[str] | None,
    note: str,
    queue: str,
    agent: str,
    status: str,
    until: str,
) -> list[Part]:
    """Say what is to be done, in order; every name is found before anything begins.

    Raises:
        InvalidArgument: Nothing is to be done, or a time is wrong.
        Unresolved: A name fits nothing, or several things.
        Refused: A tool that this needs is switched off.
    """
    find = call.dixa.catalogue.find
    parts: list[Part] = []
    if add_tags or remove_tags:
        put = [(await find("tag", name)).name for name in add_tags or ()]
        off = [(await find("tag", name)).name for name in remove_tags or ()]
        said = [f"{words} {', '.join(names)}" for words, names in (("put on", put), ("take off", off)) if names]
        parts.append(Part("tags", update_tags, {"add": put, "remove": off}, f"Tags: {'; '.join(said)}"))
    if note:
        parts.append(Part("note", add_note, {"text": note}, f"Add this internal note:\n{quoted(clean(note))}"))
    if queue:
        to = await find("queue", queue)
        asked = f"Move to the queue {to.name}"
        parts.append(Part(f"moved to {to.name}", transfer_conversation, {"queue": to.id}, asked, _in(to.id)))
    if agent:
        who = await find("agent", agent)
        asked = f"Give to {who.name}"
        parts.append(Part(f"given to {who.name}", assign_conversation, {"agent": who.id}, asked, _with(who.id)))
    if status == "close":
        asked = "Close; a survey may go to each customer"
        parts.append(Part("closed", change_status, {"action": "close"}, asked))
    if (status == "follow_up") != bool(until.strip()):
        raise InvalidArgument("follow_up needs until; close takes none.")
    if status == "follow_up":
        asked = f"Put off until {await _acts.later_in_words(call, until, 'until')}"
        parts.append(Part("put off", change_status, {"action": "follow_up", "until": until}, asked))
    if not parts:
        raise InvalidArgument("Say what to do: add_tags, remove_tags, note, queue, agent or status.")
    if off_limits := [part.tool.name for part in parts if part.tool.name in call.settings.exclude_tools]:
        raise Refused(
            "policy", f"{', '.join(off_limits)} is switched off here (--exclude-tools), for several as for one."
        )
    return parts


def _in(queue_id: str) -> Callable[[Conversation], bool]:
    return lambda now: now.queue is not None and now.queue.id == queue_id


def _with(agent_id: str) -> Callable[[Conversation], bool]:
    return lambda now: now.assignment is not None and now.assignment.agent_id == agent_id


async def _one(call: Call, number: int, parts: Sequence[Part]) -> tuple[Outcome, list[str]]:
    """Do every part that isn't done yet; the first failure ends this conversation."""
    outcome = Outcome(number)
    warnings: list[str] = []
    present: Conversation | None = await _people.conversation(call.dixa, number)
    for part in parts:
        if present is not None and part.there(present):
            continue
        try:
            change = await _do(call, number, part)
        except DixaMcpError as error:
            unknown = " It isn't known whether it was made." if error.changed is None else ""
            outcome.failed = f"{part.name}: {_short(error.what, number)}{unknown}"
            break
        if change is None or change.duplicate or change.visible_to == "nobody":
            continue
        if part.tool is transfer_conversation:
            present = None  # a transfer loses the agent, so what was read before says nothing any more
        outcome.done.append(part.name if part.tool is not update_tags else f"tags {change.after or 'none'}")
        outcome.undo += [change.id] if change.undo and change.id else []
        warnings += [_short(warning, number) for warning in change.warnings]
    return outcome, warnings


def _short(text: str, number: int) -> str:
    """Without the number, which stands before it anyway, so that equal outcomes read the same."""
    return text.replace(f"Conversation {number}", "It").replace(f" {number}", "")


async def _do(call: Call, number: int, part: Part) -> Change | None:
    """Do one part as its own tool would, and journal it; None when this bulk did it before."""
    inner = replace(call, tool=part.tool, arguments={"conversation_id": number, **part.arguments}, read={})
    not_stopped(call)  # somebody may have pulled the switch since the bulk began
    # A follow-up leaves no trace that tells it from another one, so this bulk remembers its own.
    key = f"bulk:{call.caller.tenant}:{call.digest()}:{number}" if part.arguments.get("until") else ""
    if key and await call.state.get(key):
        return None
    if (earlier := await once.claim(inner)) is not None:
        return earlier
    with listening() as landed:
        try:
            change: Change = await part.tool.run(inner.given(), **inner.arguments)
        except DixaMcpError as error:
            if landed:
                error.changed = None
            change = await _settled(inner, error, landed=bool(landed))
    try:
        await once.finish(inner, change)
        if key:
            await call.state.put(key, "1", MEMORY)
        if change.visible_to != "nobody" and not change.duplicate:
            await journal.record(inner, change)
    except DixaMcpError as error:
        change.warnings.append(f"It was done, but not recorded: {error.what}")
    return change


async def _settled(inner: Call, error: DixaMcpError, *, landed: bool) -> Change:
    """Look what became of a part that failed.

    Raises:
        DixaMcpError: It wasn't done, or nobody can tell.
    """
    try:
        found = await once.after_doubt(inner, error) if error.changed is None else None
    except DixaMcpError:
        await once.give_up(inner)
        raise
    if found is None:
        await once.give_up(inner)
        error.changed = None if landed else False
        raise error
    found.duplicate = False  # it was this call that wrote it
    return found


async def _told(call: Call, done: int, of: int) -> None:
    await call.progress(done, of, f"{done} of {of} conversations")
    renew()


def _summed(outcomes: list[Outcome], warnings: list[str], *, closes: bool) -> Bulk:
    failed = [outcome for outcome in outcomes if outcome.failed]
    if len(failed) == len(outcomes) and not any(outcome.done for outcome in outcomes):
        reasons = "; ".join(dict.fromkeys(outcome.failed for outcome in failed))
        raise _Nothing(f"It failed for each of {len(outcomes)}: {reasons}", unknown="isn't known" in reasons)
    worked = len(outcomes) - len(failed)
    undo = [change for outcome in outcomes for change in outcome.undo]
    written = any(outcome.done for outcome in outcomes)
    return Bulk(
        f"Done for {worked} of {len(outcomes)} conversations."
        if written
        else "Nothing was to be done: all were so already.",
        visible_to="nobody" if not written else "customer" if closes else "colleagues",
        warnings=warnings,
        id=undo[0] if undo else "each by itself",
        outcomes=outcomes,
    )


class _Nothing(DixaMcpError):
    """No conversation of a bulk was changed."""

    def __init__(self, what: str, *, unknown: bool) -> None:
        super().__init__(what)
        self.changed = None if unknown else False
