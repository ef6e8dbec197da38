"""The sandbox's own routes: what a curious person looks at and moves on loopback."""

import json
from typing import Any

import pytest

from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.admin import ROUTES, administer
from dixa_mcp.sandbox.wire import Incoming


def admin(sandbox: Sandbox, method: str, route: str, body: Any = None) -> tuple[int, Any]:
    content = b"" if body is None else json.dumps(body).encode()
    answer = administer(sandbox, Incoming(method, f"/_sandbox/{route}", {}, content))
    return answer.status, answer.body


def dixa(sandbox: Sandbox, method: str, path: str, body: Any = None) -> int:
    content = b"" if body is None else json.dumps(body).encode()
    token = {"Authorization": "sandbox-admin-token"}
    return sandbox.answer(Incoming(method, f"/v1{path}", token, content)).status


def test_requests_are_counted_with_who_asked_and_what_came_of_it(sandbox: Sandbox) -> None:
    """Every request to the API, the refused ones too; the sandbox's own routes aren't counted."""
    dixa(sandbox, "GET", "/organization")
    dixa(sandbox, "GET", "/conversations/1")
    admin(sandbox, "GET", "state")
    status, requests = admin(sandbox, "GET", "requests")
    assert status == 200
    assert [(item["operation"], item["status"], item["token"]) for item in requests] == [
        ("get_organization", 200, "sandbox-admin-token"),
        ("get_conversation", 404, "sandbox-admin-token"),
    ]


def test_what_the_clock_brings_is_seen_without_another_request(sandbox: Sandbox) -> None:
    """Moving the clock and looking is enough: a follow-up has ended, a webhook has fired."""
    hook = {
        "name": "x",
        "url": "https://hooks.example.com/x",
        "authorization": {"_type": "NoAuth"},
        "customHeaders": {},
    }
    assert dixa(sandbox, "POST", "/webhooks", hook | {"events": ["ConversationPendingExpired"]}) == 201
    assert admin(sandbox, "GET", "clock") == (200, {"now": "2026-02-13T12:00:00+00:00"})
    assert admin(sandbox, "POST", "clock", {"advance": {"days": 30}})[0] == 200
    [delivery] = admin(sandbox, "GET", "outbox")[1]
    assert (delivery["event"], delivery["conversation"]) == ("ConversationPendingExpired", 10404)
    assert admin(sandbox, "GET", "state")[1]["fernway"]["conversations"][10404]["state"] == "Open"
    assert admin(sandbox, "POST", "clock", {"set": "2026-02-13T12:00:00Z"})[1] == {"now": "2026-02-13T12:00:00+00:00"}


def test_a_reset_brings_back_the_seed_and_forgets_the_rest(sandbox: Sandbox) -> None:
    """Organisations, clock, outbox, faults and the log of requests."""
    before = admin(sandbox, "GET", "state")[1]
    dixa(sandbox, "PUT", "/conversations/10401/close", {})
    admin(sandbox, "POST", "clock", {"advance": {"hours": 1}})
    admin(sandbox, "POST", "faults", {"status": 503, "operation": "add_note"})
    assert admin(sandbox, "POST", "reset") == (200, {"reset": True})
    assert admin(sandbox, "GET", "state")[1] == before
    assert [admin(sandbox, "GET", route)[1] for route in ("outbox", "requests", "faults")] == [[], [], []]
    assert admin(sandbox, "GET", "clock")[1] == {"now": "2026-02-13T12:00:00+00:00"}


def test_faults_are_asked_for_listed_and_cleared(sandbox: Sandbox) -> None:
    """One that has happened is gone from the list."""
    status, waiting = admin(sandbox, "POST", "faults", {"status": 429, "times": 2, "retry_after": 3})
    assert (status, [(fault["status"], fault["times"]) for fault in waiting]) == (200, [(429, 2)])
    assert dixa(sandbox, "GET", "/organization") == 429
    assert admin(sandbox, "GET", "faults")[1][0]["times"] == 1
    assert admin(sandbox, "POST", "faults", {"clear": True})[1] == []
    assert dixa(sandbox, "GET", "/organization") == 200


@pytest.mark.parametrize(
    ("method", "route", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "reset", None, 404),
        ("DELETE", "outbox", None, 404),
        ("POST", "clock", {"advance": {"fortnights": 1}}, 400),
        ("POST", "clock", {"set": "soon"}, 400),
        ("POST", "clock", [], 400),
        ("POST", "faults", {"kind": "explode"}, 400),
        ("POST", "faults", {"status": 503, "colour": "red"}, 400),
    ],
)
def test_a_wrong_request_is_told_what_is_right(
    sandbox: Sandbox, method: str, route: str, body: Any, status: int
) -> None:
    """404 names the routes there are, 400 the problem; neither changes anything."""
    answer = admin(sandbox, method, route, body)
    assert (answer[0], bool(answer[1]["message"])) == (status, True)
    assert (sandbox.faults.waiting, admin(sandbox, "GET", "clock")[1]) == ([], {"now": "2026-02-13T12:00:00+00:00"})


def test_the_routes_are_named_where_one_is_missed(sandbox: Sandbox) -> None:
    """A person finds all of them by asking for any other."""
    text = admin(sandbox, "GET", "help")[1]["message"]
    assert all(f"{method} /_sandbox/{name}" in text for method, name in ROUTES)
