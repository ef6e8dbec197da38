"""How a person is asked through a client, on both protocol eras."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from hashlib import sha256
from secrets import token_bytes
from typing import Any

from mcp.server.mcpserver import AcceptedElicitation, AESGCMRequestStateCodec, Context, DeclinedElicitation
from mcp.server.mcpserver import RequestStateSecurity as SealPolicy
from pydantic import BaseModel, Field

from dixa_mcp.guardrails.consent import Answer

MODERN = "2026-07-28"

_seal: ContextVar[str] = ContextVar("seal", default="")


class Yes(BaseModel):
    """The form a person fills in: one box."""

    agree: bool = Field(title="Agree", description="Tick to allow exactly this, once.")


class TypedYes(BaseModel):
    """The form for what can't be taken back."""

    typed: str = Field(title="Type the id to agree", description="This can't be undone.")


class NotAsked(BaseModel):
    """What the resolver hands on when there was nothing to ask, or nobody to ask.

    The SDK wraps every plain value as accepted, so an answer counts only by the type of its data.
    """


def can_ask(context: Context[Any]) -> bool:
    """Say whether this client can show a form to a person."""
    capabilities = context.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return (context.protocol_version or "") >= MODERN or context.session.can_send_request


def answer_of(outcome: Any) -> Answer:
    """Translate the SDK's outcome; whatever isn't clearly a yes is not one."""
    seal = _seal.get()
    match outcome:
        case AcceptedElicitation(data=Yes(agree=True)):
            return Answer("yes", seal=seal)
        case AcceptedElicitation(data=TypedYes(typed=typed)):
            return Answer("yes", typed=typed, seal=seal)
        case AcceptedElicitation(data=NotAsked()):
            return Answer("cannot_ask")
        case AcceptedElicitation() | DeclinedElicitation():
            return Answer("no")
        case _:
            return Answer("cancelled")


class _Codec(AESGCMRequestStateCodec):
    """The SDK's own sealing, which also remembers which seal this request opened.

    The sealed state can be replayed within its life; its fingerprint lets a consent be spent once.
    """

    def unseal(self, token: str) -> bytes:
        payload = super().unseal(token)
        _seal.set(sha256(token.encode()).hexdigest())
        return payload


def sealing(seconds: float, keys: Sequence[str], whose: Callable[[], str]) -> SealPolicy:
    """Sealed questions that live as long as a person may take; own keys let replicas share them.

    `whose` names the caller of this request: what was asked of one, another can't answer.
    """
    codec = _Codec(list(keys) or [token_bytes(32).hex()])
    return SealPolicy(codec=codec, ttl=seconds, bind_principal=lambda _context: whose())
