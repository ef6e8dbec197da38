"""Whose request this is: set where a request enters, read wherever its work is done.

The SDK carries context variables with every message, in both protocol eras, so an open session never keeps an
earlier message's visitor.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from dixa_mcp.guardrails.call import Caller


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's caller, and the organisation it is about."""

    caller: Caller
    organisation: str
    """What tells organisations apart: a fingerprint of the Dixa token."""

    @property
    def who(self) -> str:
        """What tells callers apart, whichever organisation they are of."""
        return f"{self.organisation}\n{self.caller.name}"


current: ContextVar[Visit] = ContextVar("visit")
