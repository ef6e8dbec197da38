"""What may happen: every call passes here, and nowhere else is that decided.

`admit` judges, `question` says what a person must be asked, `enforce` judges again with the answer and takes
what a call draws on, `settle` keeps what came of it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dixa_mcp.client.landed import listening
from dixa_mcp.errors import DixaMcpError, Refused, Sent
from dixa_mcp.guardrails import budget, consent, journal, once, outgoing
from dixa_mcp.guardrails.audit import Audit
from dixa_mcp.guardrails.call import Call
from dixa_mcp.guardrails.consent import Answer, Question
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.guardrails.rules import RULES
from dixa_mcp.toolbox import Change, Effect, Preview

HARMLESS = (
    *("conversation_id", "conversation_ids", "queue", "team", "agent", "add", "remove", "action", "status", "customer"),
    *("operation", "path", "webhook", "limit", "format", "kind", "change_id"),
)
"""Arguments the audit file may show; everything else appears only in the digest."""


class Guardrails:
    """The rules of one server, in front of all its tools."""

    def __init__(self, policy: Policy, audit: Audit) -> None:
        self.policy = policy
        self.audit = audit

    async def admit(self, call: Call) -> None:
        """Judge a call's effect and put it to every rule.

        Raises:
            Refused: By the first rule that objects.
        """
        if call.tool.proxy is not None:
            await self._admit_inner(call)
            return
        if not call.drafting:
            call.effect = call.tool.effect_of(call.arguments, call.lowered)
            if call.tool.judge is not None:
                call.effect = await call.tool.judge(call.given(), **call.arguments)
        for rule in RULES:
            await rule(call, self.policy)

    async def _admit_inner(self, call: Call) -> None:
        """Judge a call that stands for another one: by the other's rules, its effect, and this tool's own cap."""
        assert call.tool.proxy is not None  # noqa: S101 - asked for by `admit` only then
        meant = await call.tool.proxy(call.given(), **call.arguments)
        tool = self.policy.tools.get(meant.tool)
        if tool is None:
            raise Refused("policy", f"This server has no tool {meant.tool}, which that would need.")
        call.inner = replace(call, tool=tool, arguments=dict(meant.arguments), inner=None, read={})
        await self.admit(call.inner)
        call.effect = call.inner.effect
        self.policy.check(call.tool, call.effect, call.caller)

    async def needs_person(self, call: Call) -> bool:
        """Whether somebody must agree: by the effect, or because the text leads somewhere strange."""
        actual = call.inner or call
        if call.effect > Effect.INTERNAL:
            call.strange = await outgoing.strangers(actual)
        return bool(call.strange) or self.policy.needs_person(actual.tool, call.effect)

    async def earlier(self, call: Call) -> Change | None:
        """Find the result of the same call made before, so that nobody is asked about it again."""
        return await once.earlier(call)

    async def question(self, call: Call) -> Question:
        """Say what a person must be asked before this call.

        Raises:
            Refused: The budget is used up, so there is no use in asking.
        """
        await budget.check(call)
        if call.tool.question is not None:
            question: Question = await call.tool.question(call.given(), **call.arguments)
            if call.strange:
                return replace(question, text=f"{question.text}\n{outgoing.warning(call.strange)}")
            return question
        lines = [f"{name}: {value}" for name, value in call.arguments.items() if value not in (None, "", [], ())]
        return Question("\n".join([f"Allow {call.tool.name} ({call.effect})?", *lines]))

    async def run(self, call: Call, question: Question | None, answer: Answer) -> Any:
        """Judge again, take consent, budget and the right to do it once, then run the tool and keep the outcome.

        Returns:
            What the tool returned, a `Preview`, or the earlier `Change` of a repeated call.

        Raises:
            Refused, Declined: Nothing was done.
            DixaMcpError: The tool failed; says whether anything changed.
        """
        if question is not None:
            preview = await self._consent(call, question, answer)
            if preview is not None:
                return preview
        await self.admit(call)
        if call.effect is Effect.READ:
            return await _run(call)
        return await self._write(call)

    async def _consent(self, call: Call, question: Question, answer: Answer) -> Preview | None:
        try:
            preview = await consent.agree(call, question, answer)
            # A sealed answer is pinned to its question; one that was pushed may have grown old meanwhile.
            if call.approved and not answer.seal and await once.earlier(call) is None:
                consent.still_asked(question, await self.question(call))
        except DixaMcpError as error:
            self._note(call, "refused", rule=getattr(error, "rule", answer.kind))
            raise
        return preview

    async def _write(self, call: Call) -> Any:
        earlier = await once.claim(call)
        if earlier is not None:
            self._note(call, "duplicate")
            return earlier
        held: list[budget.Counter] = []
        try:
            held = await budget.reserve(call)
            self._note(call, "intent")
        except DixaMcpError:
            with suppress(DixaMcpError):
                await budget.release(call, held)
            with suppress(DixaMcpError):
                await once.give_up(call)
            raise
        call.began = True
        with listening() as landed:
            try:
                result = await _run(call)
            except DixaMcpError as error:
                result = await self._failed(call, error, held, landed)
            except BaseException:
                await self._tidy(call, [], "crashed")
                raise
        if not _did_something(result):
            await budget.release(call, held)
        await self._keep(call, result)
        return result

    async def _keep(self, call: Call, result: Any) -> None:
        """Journal, remember and audit what was done. It is done: a failure here is a warning, not an error."""
        try:
            if isinstance(result, Change):
                if not result.id and _did_something(result):
                    await journal.record(call, result)
                await once.finish(call, result)
            self._note(call, "done", change=getattr(result, "id", ""))
        except DixaMcpError as error:
            if isinstance(result, Change):
                result.warnings.append(f"It was done, but not recorded: {error.what}")

    async def _failed(self, call: Call, error: DixaMcpError, held: list[budget.Counter], landed: list[Sent]) -> Change:
        """Find out what a failed write did; returns the change when it was made after all.

        Where Dixa accepted a write (`landed`), no later failure can claim that nothing was changed.
        """
        if error.changed is None or landed:
            error.changed = None
            try:
                found = await once.after_doubt(call, error)
            except DixaMcpError:
                await self._tidy(call, [], "unknown", error=type(error).__name__)
                raise
            if found is not None:
                return found
            if landed:
                await self._tidy(call, [], "unknown", error=type(error).__name__)
                raise error
            error.changed = False
        await self._tidy(call, held, "failed", error=type(error).__name__)
        raise error

    async def _tidy(self, call: Call, held: list[budget.Counter], decision: str, **facts: str) -> None:
        """Clean up after a failure, as far as that can be done: what the model must read is the failure itself."""
        with suppress(DixaMcpError):
            await budget.release(call, held)
        with suppress(DixaMcpError):
            await once.give_up(call)
        with suppress(DixaMcpError):
            self._note(call, decision, **facts)

    def _note(self, call: Call, decision: str, **facts: str) -> None:
        shown = {name: call.arguments[name] for name in HARMLESS if call.arguments.get(name) not in (None, "", [])}
        self.audit.write(
            {
                "decision": decision,
                "tool": call.tool.name,
                "effect": str(call.effect),
                "approved": call.approved,
                "draft": call.drafting,
                "tenant": call.caller.tenant,
                "caller": call.caller.name,
                "client": call.caller.client,
                "digest": call.digest(),
                "arguments": shown,
                **facts,
            }
        )


def _did_something(result: Any) -> bool:
    """Whether there is anything to count and to list; not where it was so already."""
    return not isinstance(result, Change) or (result.visible_to != "nobody" and not result.duplicate)


async def _run(call: Call) -> Any:
    function: Callable[..., Awaitable[Any]] | None = call.tool.draft if call.drafting else call.tool.run
    assert function is not None  # noqa: S101 - `drafting` is set only where there is a draft
    return await function(call.given(), **call.arguments)
