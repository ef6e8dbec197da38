"""The sandbox's own routes under `/_sandbox`: what a test or a curious person looks at and moves."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

from dixa_mcp.sandbox.clock import parse
from dixa_mcp.sandbox.core import Sandbox
from dixa_mcp.sandbox.wire import Answer, Incoming, error

ROOT = "/_sandbox/"


def administer(sandbox: Sandbox, incoming: Incoming) -> Answer:
    """Answer a request below `/_sandbox`; 404 for an unknown one, 400 for a body that makes no sense."""
    route = ROUTES.get((incoming.method, incoming.path.removeprefix(ROOT).rstrip("/")))
    if route is None:
        known = ", ".join(f"{method} {ROOT}{name}" for method, name in ROUTES)
        return error(404, f"The sandbox's own routes are {known}")
    try:
        return Answer(200, route(sandbox, _body(incoming)))
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        return error(400, str(problem))


def _body(incoming: Incoming) -> Any:
    body = json.loads(incoming.content or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return cast("Any", body)


def _outbox(sandbox: Sandbox, _: Any) -> Any:
    sandbox.settle()
    return sandbox.outbox


def _state(sandbox: Sandbox, _: Any) -> Any:
    sandbox.settle()
    return {name: org.state() for name, org in sandbox.organisations.items()}


def _reset(sandbox: Sandbox, _: Any) -> Any:
    sandbox.reset()
    return {"reset": True}


def _clock(sandbox: Sandbox, body: Any) -> Any:
    """Move the clock: `{"advance": {"hours": 3}}` or `{"set": "2026-02-16T08:00:00Z"}`."""
    if "advance" in body:
        sandbox.clock.advance(**body["advance"])
    if "set" in body:
        sandbox.clock.set(parse(body["set"]))
    return {"now": sandbox.clock.now().isoformat()}


def _faults(sandbox: Sandbox, body: Any) -> Any:
    """Ask for a fault (its fields, see `Faults.add`), or `{"clear": true}`."""
    if body.pop("clear", False):
        sandbox.faults.clear()
    elif body:
        sandbox.faults.add(**body)
    return [asdict(fault) for fault in sandbox.faults.waiting]


ROUTES: dict[tuple[str, str], Callable[[Sandbox, Any], Any]] = {
    ("GET", "outbox"): _outbox,
    ("GET", "requests"): lambda sandbox, _: [asdict(item) for item in sandbox.requests],
    ("GET", "state"): _state,
    ("POST", "reset"): _reset,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _clock,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _faults,
}
