"""A person says yes: the question, the answer, and what happens where nobody can be asked.

Nothing here knows how a client asks; the server brings the answer as a plain value. A consent is spent
once: the same accepted form can't carry out a second call.
"""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from dixa_mcp.errors import DixaMcpError, Refused
from dixa_mcp.guardrails.call import Call
from dixa_mcp.toolbox import Effect, Preview

SPENT_LIFE = 2 * 3600.0
"""Seconds a spent consent is remembered: longer than any sealed question can live."""


LONGEST_QUESTION = 30_000
"""Characters a person can be asked to read; what is longer is refused."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: a pure function of the arguments and of what Dixa says.

    No clock, counter or nonce may stand in it: on protocol 2026-07-28 the answer is pinned to the exact
    text, and a text that changes is asked again for ever.
    """

    text: str
    typed: str = ""
    """What the person must type to agree (an id), for what can't be taken back."""


def quoted(text: str) -> str:
    """A text inside a question, each line marked, so that no text can pass for a part of the question."""
    return "\n".join(f"│ {row}" for row in text.split("\n"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from the client."""

    kind: Literal["yes", "no", "cancelled", "cannot_ask"]
    typed: str = ""
    seal: str = ""
    """Fingerprint of the sealed question that the client echoed; empty where a client can't replay it."""


class Declined(DixaMcpError):
    """The person said no, or gave no answer. An ordinary result, not a failure."""

    next = "Don't repeat it unless the user asks for it."


async def agree(call: Call, question: Question, answer: Answer) -> Preview | None:
    """Judge the answer; on return the call may act, or act as a draft (`call.drafting`).

    Returns:
        A preview when the operator allows two steps and this was the first, else None.

    Raises:
        Declined: The person said no, cancelled, or typed something else.
        Refused: Nobody could be asked, or the consent was already spent.
    """
    match answer.kind:
        case "yes":
            if question.typed and not _same(answer.typed.strip(), question.typed):
                raise Declined(f"The person didn't type {question.typed}, so nothing was done.")
            if answer.seal and not await call.state.add(f"spent:{answer.seal}", "1", SPENT_LIFE):
                raise Refused("consent_spent", "This consent was used already; it counts once.", "Ask again.")
            call.approved = True
        case "no":
            raise Declined("The person said no; nothing was done.")
        case "cancelled":
            raise Declined("The person closed the question without an answer; nothing was done.")
        case "cannot_ask":
            return await _nobody_to_ask(call, question)
    return None


def still_asked(question: Question, now: Question) -> None:
    """Refuse an answer whose question would read differently by now.

    Raises:
        Refused: What the person agreed to isn't what would be done.
    """
    if question != now:
        raise Refused(
            "freshness",
            "While the person was reading, what they were asked about changed in Dixa.",
            "Look again, then make the call anew.",
        )


async def _nobody_to_ask(call: Call, question: Question) -> Preview | None:
    way = call.settings.no_elicitation
    if way == "two-step" and call.effect is Effect.CUSTOMER and call.tool.two_steps:
        return await _two_steps(call, question)
    if way != "refuse" and call.tool.draft is not None:
        call.drafting = True
        call.effect = Effect.INTERNAL
        return None
    raise Refused(
        "nobody_to_ask",
        f"{call.tool.name} needs a person's yes, and this client can't ask one. Nothing was done.",
        "Use a client that supports elicitation, or let a colleague do this in Dixa.",
    )


async def _two_steps(call: Call, question: Question) -> Preview | None:
    """Preview first, act second. Proves two steps and unchanged arguments, not a human."""
    bound = sha256(f"{call.digest()}\n{question.text}".encode()).hexdigest()
    if not call.token:
        token = secrets.token_urlsafe(12)
        await call.state.put(_token(call, token), bound, call.settings.answer_within)
        return Preview(question.text, token)
    kept = await call.state.take(_token(call, call.token))
    if kept is None or not _same(kept, bound):
        raise Refused(
            "two_step",
            "This confirmation_token is spent, expired or for another call.",
            "Call again without it, show the preview to the user, then call with the new token.",
        )
    return None


def _same(one: str, other: str) -> bool:
    """Compare in constant time, as bytes: `compare_digest` takes texts of ASCII only."""
    return hmac.compare_digest(one.encode(errors="surrogatepass"), other.encode(errors="surrogatepass"))


def _token(call: Call, token: str) -> str:
    """Where a token is kept: it is its caller's, whoever else learns of it."""
    return f"token:{call.caller.tenant}:{call.caller.name}:{token}"
