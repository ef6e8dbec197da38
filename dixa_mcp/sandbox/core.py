"""The sandbox: one answer for one request, without I/O."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from dixa_mcp import operations
from dixa_mcp.operations import Operation, Problem
from dixa_mcp.sandbox import seeding, wire
from dixa_mcp.sandbox.clock import Clock, NotATimeError
from dixa_mcp.sandbox.faults import TEXTS, Fault, Faults
from dixa_mcp.sandbox.later import settle
from dixa_mcp.sandbox.limits import Limits
from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.registry import handlers
from dixa_mcp.sandbox.scale import grow
from dixa_mcp.sandbox.wire import Answer, Incoming, Json, Refusal, Request

VERSIONS = ("/v1", "/beta")


@dataclass(frozen=True, slots=True)
class Logged:
    """One request the sandbox has seen; `status` is 0 when no answer came back."""

    method: str
    path: str
    status: int
    token: str
    operation: str


class Sandbox:
    """An imitation of Dixa with memory: organisations, a clock, an outbox, faults.

    Args:
        rate: requests a second a token may make; None doesn't limit, except for `sandbox-throttled-token`.
        scale: how many generated conversations the first organisation has besides the seeded ones.
        seed: the same seed and the same calls give the same organisations, byte for byte.
        clock: where the sandbox's time starts; 2026-02-13T12:00:00Z if left out.
        burst: requests a token may make at once.
        monotonic: the real time the rate is measured with.
    """

    def __init__(
        self,
        *,
        rate: float | None = None,
        scale: int = 0,
        seed: int = 1,
        clock: datetime | None = None,
        burst: float = 4,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scale = scale
        self.seed = seed
        self.clock = Clock(clock)
        self.limits = Limits(rate, burst, monotonic)
        self.faults = Faults()
        #: Everything that would have left, oldest first: {kind, organisation, at, to, text, conversation?, …}.
        self.outbox: list[Json] = []
        self.requests: list[Logged] = []
        self.organisations: dict[str, Organisation] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to the seed: organisations, clock, outbox, faults, log and buckets."""
        self.clock.reset()
        self.limits.reset()
        self.faults.clear()
        self.outbox.clear()
        self.requests.clear()
        self.organisations = {
            name: seeding.load(name, self.clock, self.outbox, self.seed + number)
            for number, name in enumerate(seeding.ORGANISATIONS)
        }
        if self.scale:
            grow(self.organisation, self.scale, self.seed)

    @property
    def reached_customers(self) -> list[Json]:
        """What of the outbox goes to people outside: everything but webhooks and invitations of agents."""
        return [item for item in self.outbox if item["kind"] not in ("webhook", "invitation")]

    @property
    def organisation(self) -> Organisation:
        """The first organisation, Fernway Outfitters."""
        return self.organisations["fernway"]

    def settle(self) -> None:
        """Do what has become due since the clock was moved; otherwise it waits for the next request."""
        for org in self.organisations.values():
            settle(org)

    def answer(self, incoming: Incoming) -> Answer:
        """Answer one request, and note it in the log."""
        found = self._find(incoming)
        operation = found[0] if found else None
        name = operation.name if operation else ""
        if fault := self.faults.take(name, connecting=True):
            return Answer(broken=fault.kind)
        token = _token(incoming)
        answer = _or_refusal(lambda: self._answer(incoming, token, found))
        answer.headers.setdefault("Date", self.clock.date_header)
        status = 0 if answer.broken.startswith(("timeout", "reset")) else answer.status
        self.requests.append(Logged(incoming.method, incoming.target, status, token, name))
        return answer

    def _answer(self, incoming: Incoming, token: str, found: tuple[Operation, dict[str, str]] | None) -> Answer:
        org = next((org for org in self.organisations.values() if token in org.tokens), None)
        if org is None:
            raise Refusal(401, wire.UNAUTHORIZED)
        rights = org.tokens[token]
        if not self.limits.take(token, rights.get("burst")):
            raise Refusal(429, wire.TOO_MANY)
        fault = self.faults.take(found[0].name if found else "", connecting=False)
        if fault and fault.kind == "vanish":
            self.faults.vanished.update(found[1].values() if found else ())
        elif fault and fault.nothing_done:
            return _spoil(fault, Answer())
        answer = _or_refusal(lambda: self._carry_out(org, rights, incoming, found))
        return _spoil(fault, answer) if fault else answer

    def _carry_out(
        self, org: Organisation, rights: Json, incoming: Incoming, found: tuple[Operation, dict[str, str]] | None
    ) -> Answer:
        if found is None:
            raise wire.missing()
        operation, path = found
        if self.faults.vanished.intersection(path.values()):
            raise wire.missing()
        if rights.get("limited") and needs_more_rights(operation):
            raise Refusal(401, wire.NO_RIGHT)
        settle(org)
        request = _request(incoming, operation, path, rights["owner"])
        return handlers()[operation.name](org, request)

    def _find(self, incoming: Incoming) -> tuple[Operation, dict[str, str]] | None:
        path = incoming.path
        version = next((version for version in VERSIONS if path.startswith(f"{version}/")), None)
        if version is None:
            return None
        # The document's page links have a slash before the question mark.
        found = operations.match(incoming.method, path.removeprefix(version).rstrip("/"))
        return found and (found[0], _canonical(*found))


def _or_refusal(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except Refusal as refusal:
        return wire.error(refusal.status, refusal.message)
    except NotATimeError:  # handlers read times before they change anything
        return wire.error(400, wire.NO_DATE)


def _canonical(operation: Operation, path: dict[str, str]) -> dict[str, str]:
    """Return the values of a path with its uuids in lower case: they are the same in capitals."""
    uuids = {parameter.name for parameter in operation.parameters if parameter.type == "uuid"}
    return {name: value.lower() if name in uuids else value for name, value in path.items()}


def needs_more_rights(operation: Operation) -> bool:
    """Whether the contract documents 401 for a token whose owner lacks a right (notes §2)."""
    return operation.path.startswith(("/search/", "/anonymization/request/")) or (
        operation.path.endswith("/custom-attributes") and operation.method == "PATCH"
    )


def _token(incoming: Incoming) -> str:
    """Return the token of the Authorization header, sent raw or as a bearer (notes §2)."""
    value = incoming.header("authorization").strip()
    scheme, _, rest = value.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" and rest else value


def _request(incoming: Incoming, operation: Operation, path: dict[str, str], owner: str) -> Request:
    """Check a request against the operation and return what its handler sees."""
    query = incoming.query
    body: Any = None
    if operation.media == "json" and incoming.content.strip():
        try:
            body = json.loads(incoming.content)
        except ValueError as error:
            raise Refusal(400, wire.UNDECODABLE) from error
    if operation.media == "json" and (problems := operations.problems(operation, path, query, body)):
        raise Refusal(400, _said(problems[0]))
    media = incoming.header("content-type")
    if not operation.name.endswith("_attributes"):  # there null clears
        body = _without_nulls(body)
    return Request(operation, path, query, body, owner, incoming.content, media)


def _without_nulls(value: Any) -> Any:
    """Return a body without its nulls, which count as left out, however deep they are (ours)."""
    if isinstance(value, dict):
        table = cast("Json", value)
        return {key: _without_nulls(item) for key, item in table.items() if item is not None}
    return [_without_nulls(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _said(problem: Problem) -> str:
    """Say a problem in the words of the document: a wrong body names the place in brackets (notes §4)."""
    kind, _, name = problem.where.partition(" ")
    if kind in ("path", "query"):
        return f"Invalid value for: {kind} parameter {name}"
    where = problem.where.removeprefix("body").strip(".")
    return f"Invalid value for: body ({where + ' ' if where else ''}{problem.what})"


def _spoil(fault: Fault, answer: Answer) -> Answer:
    """Turn a good answer into the one the fault asks for."""
    if fault.kind == "status":
        answer = wire.error(fault.status, fault.message or TEXTS.get(fault.status, "Error"))
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = f"{fault.retry_after:g}"
    elif fault.kind == "slow":
        answer.delay = fault.seconds
        answer.body = answer.content or None  # as it is now, not as it will be then
    elif fault.kind == "malformed":
        answer.body = answer.content[: len(answer.content) // 2] + b"<html>"
    elif fault.kind != "vanish":
        answer.broken = fault.kind
        answer.size = fault.size
    return answer
