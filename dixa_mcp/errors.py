"""Everything that can go wrong, and what the model reads about it.

* `DixaMcpError`
  - `SettingsError`    the server was started with something it doesn't understand
  - `InvalidArgument`  an argument this tool can't use
  - `Unresolved`       a name that fits nothing, or several things
  - `Refused`          a guardrail said no
  - `OutOfTime`        the call's deadline came
  - `StateUnavailable` the memory that replicas share can't be reached
  * `ApiError`         Dixa answered with an error
    - `BadRequest`     400
    - `Unauthorized`   401 and 403
    - `NotFound`       404
    - `Conflict`       409
    - `TooManyRequests` 429: too fast, or the day's quota is used up
    - `ServerError`    5xx
  * `TransportError`   Dixa didn't answer as it should
    - `Unreachable`    no connection: the request never arrived
    - `NoAnswer`       timeout or reset after sending: it may have been carried out
    - `Unreadable`     the answer was malformed, truncated or too large

An error is raised where it is known, never caught on the way, and explained once, by `explain`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class DixaMcpError(Exception):
    """Base of all expected failures. Each knows what happened, whether anything changed, and what to do."""

    #: What happened, one or two sentences.
    what: str
    #: The next step, one sentence; empty when the first sentence says it all.
    next: str = ""
    #: Whether something may have changed in Dixa: False no, None unknown.
    changed: bool | None = False
    #: Words of others that belong to it, such as the message a reply missed; shown inside a fence of their own.
    heard: str = ""

    def __init__(self, what: str, next: str = "") -> None:  # noqa: A002 - reads best at the raise
        super().__init__(what)
        self.what = what
        self.next = next or self.next


class SettingsError(DixaMcpError):
    """A flag, variable, tool name or token the server can't start with."""


class InvalidArgument(DixaMcpError):
    """An argument that can't be used; the message names it and says what would do."""


class Unresolved(DixaMcpError):
    """A name that fits nothing or several things; carries the choices."""

    def __init__(self, kind: str, text: str, choices: Iterable[str], *, ambiguous: bool = False) -> None:
        self.choices = list(choices)
        if ambiguous:
            what = f"Several {kind}s fit {text!r}: {', '.join(self.choices)}."
            step = "Call again with one of these."
        else:
            what = f"No {kind} is called {text!r}."
            near = f"one of these: {', '.join(self.choices)}" if len(self.choices) > 1 else "".join(self.choices)
            step = f"Did you mean {near}?" if near else ""
        super().__init__(what, step)


class Refused(DixaMcpError):
    """A guardrail said no. `rule` names it, for the audit file and the tests."""

    def __init__(self, rule: str, what: str, next: str = "") -> None:  # noqa: A002 - as above
        super().__init__(what, next)
        self.rule = rule


class OutOfTime(DixaMcpError):
    """The deadline of the whole tool call came before the answer."""

    next = "Ask for less at once, or try again later."


class StateUnavailable(DixaMcpError):
    """The memory that replicas share doesn't answer: budgets and single use can't be kept, so writes stop."""

    next = "Reading still works; try the change again in a minute."

    def __init__(self) -> None:
        super().__init__("The shared state of this server can't be reached, so nothing may be changed.")


@dataclass(frozen=True, slots=True)
class Sent:
    """The request an error belongs to: method and path as sent, without host, query, token or body."""

    method: str
    path: str

    @property
    def writes(self) -> bool:
        """Whether this request could change anything (a POST to search or analytics can't)."""
        return self.method != "GET" and not self.path.startswith(("/search/", "/analytics/"))


class ApiError(DixaMcpError):
    """Dixa answered with an error status. `said` is its own text: cleaned, one line, at most 300 characters."""

    title: str = "Dixa answered with an error"

    def __init__(self, sent: Sent, status: int, said: str = "") -> None:
        self.sent = sent
        self.status = status
        self.said = said
        words = f": {said}" if said else ""
        super().__init__(f"{self.title} ({status}, {sent.method} {sent.path}){words}")


class BadRequest(ApiError):
    """400: Dixa can't use a value. Nothing happened."""

    title = "Dixa refused the request"
    next = "Correct the value that Dixa names; the same request would be refused again."


class Unauthorized(ApiError):
    """401 or 403. A missing right looks the same as a wrong token (notes §2)."""

    title = "Dixa did not accept the token for this"
    next = (
        "Either the token is wrong or revoked, or the person who made it lacks this right. "
        "An administrator can check it under Settings > Integrations > API tokens."
    )


class NotFound(ApiError):
    """404: the id in the path, or one in the body, doesn't exist."""

    title = "Dixa doesn't know this id"
    next = "Check the id; it may have been deleted, or it belongs to another organisation."

    def __init__(self, sent: Sent, status: int, said: str = "") -> None:
        # Dixa's standing words add nothing to ours.
        super().__init__(sent, status, "" if said == "The requested resource could not be found" else said)


class Conflict(ApiError):
    """409: the present state forbids it."""

    title = "The present state in Dixa forbids this"
    next = "Read it again to see its present state."


class TooManyRequests(ApiError):
    """429. `retry_after` is in seconds when known; `quota` means the day's 864,000 requests are used up."""

    title = "Dixa's rate limit was reached"

    def __init__(self, sent: Sent, said: str = "", *, retry_after: float | None = None, quota: bool = False) -> None:
        super().__init__(sent, 429, said)
        self.retry_after = retry_after
        self.quota = quota
        if quota:
            self.next = "The token's requests for today are used up (864,000 a day). Try again tomorrow (UTC)."
        elif retry_after is not None:
            self.next = f"Try again in {max(1, round(retry_after))} s."
        else:
            self.next = "Try again in a minute."


class ServerError(ApiError):
    """5xx. A write may have been carried out all the same."""

    title = "Dixa had an internal error"
    next = "Try again in a minute."

    def __init__(self, sent: Sent, status: int, said: str = "") -> None:
        super().__init__(sent, status, said)
        self.changed = None if sent.writes else False


class TransportError(DixaMcpError):
    """No usable answer came."""

    def __init__(self, sent: Sent, what: str) -> None:
        super().__init__(f"{what} ({sent.method} {sent.path}).")
        self.sent = sent


class Unreachable(TransportError):
    """The connection was never made, so nothing can have happened."""

    next = "Check the network and the base URL, then try again."


class NoAnswer(TransportError):
    """Sent, but the answer never came. A write may have been carried out."""

    next = "Try again."

    def __init__(self, sent: Sent, what: str) -> None:
        super().__init__(sent, what)
        self.changed = None if sent.writes else False


class Unreadable(NoAnswer):
    """An answer came that can't be read: malformed, truncated or larger than the cap."""


def explain(error: DixaMcpError) -> str:
    """Say what happened, whether anything changed, and what to do next.

    An unknown outcome forbids a blind repeat, whatever the error's own advice is.
    """
    if error.changed is None:
        return (
            f"{error.what} It is not known whether the change was made. "
            "Look before you repeat it: read the conversation or record again."
        )
    parts = [error.what] if error.what.endswith((".", "?", "!")) else [f"{error.what}."]
    if "nothing was" not in error.what.lower():
        parts.append("Nothing was changed.")
    if error.next:
        parts.append(error.next)
    return " ".join(parts)
