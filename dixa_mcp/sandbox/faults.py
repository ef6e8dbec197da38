"""Faults on demand: what goes wrong between a client and Dixa, to be asked for by a test."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "status",  # an error answer; nothing was done
    "connect",  # no connection: the request never arrived
    "timeout_before",  # no answer, nothing was done
    "timeout_after",  # done, but no answer
    "reset_before",  # the connection broke, nothing was done
    "reset_after",  # done, then the connection broke
    "truncated",  # done; the body stops half way
    "malformed",  # done; the body isn't JSON
    "oversized",  # done; the body is far too large
    "slow",  # done; half of the body comes at once and the rest late
    "vanish",  # the ids of the path are gone from now on: 404
]
KINDS = get_args(Kind)

TEXTS = {
    429: "Too Many Requests",
    500: "There was an internal server error while processing the request",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Endpoint request timed out",
}


@dataclass(slots=True)
class Fault:
    """One thing that will go wrong: `times` times, after `after` matching requests, then with every `every`-th.

    `times` 0 is without end. `Fault("vanish", "get_conversation", after=1)` takes an id away between two calls.
    """

    kind: Kind
    #: Operation it hits; "" is any.
    operation: str = ""
    status: int = 0
    message: str = ""
    times: int = 1
    after: int = 0
    every: int = 1
    retry_after: float | None = None
    #: Seconds that the second half of a "slow" answer waits.
    seconds: float = 1.0
    #: Bytes of an "oversized" answer.
    size: int = 64 * 1024 * 1024
    #: Matching requests so far.
    seen: int = 0

    @property
    def never_arrives(self) -> bool:
        """Whether the request doesn't even reach the sandbox."""
        return self.kind == "connect"

    @property
    def nothing_done(self) -> bool:
        """Whether the operation isn't carried out."""
        return self.kind in ("status", "connect", "timeout_before", "reset_before", "vanish")


@dataclass
class Faults:
    """The faults in waiting, and the ids that have vanished."""

    waiting: list[Fault] = field(default_factory=list[Fault])
    vanished: set[str] = field(default_factory=set[str])

    def add(self, operation: str | None = None, *, status: int = 0, kind: Kind | None = None, **more: Any) -> Fault:
        """Ask for a fault: either a `status` or a `kind`; `more` are the other fields of `Fault`.

        Raises:
            ValueError: neither or both were given, a kind that doesn't exist, or `every` isn't positive.
        """
        if bool(status) == bool(kind) or (kind and kind not in KINDS):
            raise ValueError(f"a fault has either a status or a kind of {', '.join(KINDS[1:])}")
        fault = Fault(kind or "status", operation or "", status, **more)
        if fault.every < 1:
            raise ValueError("every must be 1 or more")
        self.waiting.append(fault)
        return fault

    def take(self, operation: str, *, connecting: bool) -> Fault | None:
        """Return the fault that hits this request now, if any. `connecting`: before it has arrived."""
        for fault in self.waiting:
            if fault.never_arrives != connecting or fault.operation not in ("", operation):
                continue
            fault.seen += 1
            if fault.seen <= fault.after or (fault.seen - fault.after - 1) % fault.every:
                continue
            fault.times -= 1
            if fault.times == 0:
                self.waiting.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        """Forget all faults and bring back what vanished."""
        self.waiting.clear()
        self.vanished.clear()
