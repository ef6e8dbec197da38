"""What a refusal says in `WWW-Authenticate`, so that a client knows where to get which token (RFC 6750, RFC 9728)."""

from dataclasses import dataclass, replace

from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.http.callers import NotAdmittedError
from dixa_mcp.http.oauth import SCOPES
from dixa_mcp.toolbox import Effect


@dataclass(frozen=True, slots=True)
class Challenge:
    """Refusals of one site; without `policy` its credentials know no scopes."""

    metadata: str = ""
    """URL of the metadata of this resource."""
    policy: Policy | None = None

    def header(self, refusal: NotAdmittedError) -> str:
        """Write the challenge of a refusal; where it names no scope, those that this server has a use for."""
        parts = {
            "error": refusal.error,
            "error_description": refusal.description if refusal.error else "",
            "scope": refusal.scope or self._useful(),
            "resource_metadata": self.metadata,
        }
        said = ", ".join(f'{name}="{value}"' for name, value in parts.items() if value)
        return f"Bearer {said}".strip()

    def wider(self, caller: Caller, scopes: list[str], tool: str) -> NotAdmittedError | None:
        """Refuse a call for which a token with one more scope would do (the MCP specification calls it step-up).

        What no token would open, and what only its arguments make worse, is left to the call itself, which says why.
        """
        known = self.policy.tools.get(tool) if self.policy and tool else None
        if self.policy is None or known is None or known.effect <= caller.cap:
            return None
        if self.policy.why_not(known, known.effect, replace(caller, cap=Effect.IRREVERSIBLE)):
            return None
        wanted = _scope(known.effect)
        had = [scope for scope in scopes if scope in SCOPES]
        return NotAdmittedError(
            403, "insufficient_scope", f"{tool} needs the scope {wanted}. Nothing was done.", " ".join([*had, wanted])
        )

    def _useful(self) -> str:
        if self.policy is None:
            return ""
        highest = max((tool.effect for tool in self.policy.offered()), default=Effect.READ)
        return " ".join(scope for scope, effect in SCOPES.items() if effect <= highest or scope == _scope(highest))


def _scope(effect: Effect) -> str:
    """The smallest scope that allows an effect."""
    return next(scope for scope, allowed in SCOPES.items() if allowed >= effect)
