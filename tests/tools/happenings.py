"""What may happen in Dixa while a call is under way."""

import json
from collections.abc import Callable
from typing import Any

from dixa_mcp.sandbox import Sandbox
from dixa_mcp.sandbox.faults import Fault
from dixa_mcp.sandbox.wire import Incoming

MIA = "039fbf8d-4ab7-46a4-9543-0786d6ebb40f"
TOM = "ad31f76a-5f61-4c6c-afef-c544867c129f"
SARA = "f83d1564-e4ae-4a0c-9d0f-079987b45683"
GENERAL = "5185cbe5-197d-42dc-99e8-663ab4c0bc05"
RETURNS = "19a7a6cc-bb71-40a3-a61f-2df89d69266a"


class Committed(Fault):
    """An error status although the request was carried out: a 500 after the commit."""

    @property
    def nothing_done(self) -> bool:
        return False


class Meanwhile(Fault):
    """Something that somebody else does just before a request is carried out."""

    act: Callable[[], object]

    @property
    def nothing_done(self) -> bool:
        self.act()
        return False


def just_before(sandbox: Sandbox, operation: str, act: Callable[[], object]) -> None:
    """Let something happen between our last look and the next request of this operation."""
    happening = Meanwhile("slow", operation, seconds=0)
    happening.act = act
    sandbox.faults.waiting.append(happening)


def commits_and_fails(sandbox: Sandbox, operation: str, status: int = 500) -> None:
    """Let the next request of this operation be carried out and answered with an error."""
    sandbox.faults.waiting.append(Committed("status", operation, status))


def elsewhere(sandbox: Sandbox, method: str, path: str, body: dict[str, Any]) -> Any:
    """Do something as another program of the same organisation; returns the answer's body."""
    headers = {"Authorization": "sandbox-admin-token", "Content-Type": "application/json"}
    answer = sandbox.answer(Incoming(method, f"/v1{path}", headers, json.dumps(body).encode()))
    assert answer.status < 300, answer.body
    return answer.body


def customer_writes(sandbox: Sandbox, conversation_id: int, text: str) -> str:
    """Let the customer write a minute later; returns the message's short id."""
    sandbox.clock.advance(minutes=1)
    body = {"_type": "Inbound", "content": {"_type": "Text", "value": text}}
    elsewhere(sandbox, "POST", f"/conversations/{conversation_id}/messages", body)
    return newest(sandbox, conversation_id)


def newest(sandbox: Sandbox, conversation_id: int) -> str:
    """The short id of the newest message."""
    return sandbox.organisation.messages[conversation_id][-1]["id"][:8]


def left(sandbox: Sandbox) -> list[Any]:
    """What has left for somebody outside."""
    return sandbox.reached_customers
