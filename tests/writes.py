"""One write of every kind that somebody notices, for tests that break something in the middle of one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dixa_mcp.sandbox import Sandbox


@dataclass
class Write:
    """A write that somebody notices: the call, the request that does it, and how often it was done."""

    tool: str
    arguments: dict[str, Any]
    request: bytes
    done: Callable[[Sandbox], int]


def reached(text: str) -> Callable[[Sandbox], int]:
    return lambda sandbox: sum(text in str(each) for each in sandbox.reached_customers)


def noted(text: str) -> Callable[[Sandbox], int]:
    return lambda sandbox: sum(note["message"] == text for note in sandbox.organisation.notes[10401])


def writes(name: str) -> list[Write]:
    """One write of every kind, told from others by this name."""
    reply = {"conversation_id": 10401, "text": f"Reply {name}", "after_message": "29c4c258"}
    mail = {
        "channel": "email",
        "customer": "olivia.hart@example.com",
        "subject": "Your replacement",
        "text": f"Mail {name}",
        "endpoint": "Support inbox",
    }
    person = {"name": "Zoe New", "email": f"{name}@example.org"}
    note = {"conversation_id": 10401, "text": f"Note {name}"}
    return [
        Write("dixa_add_note", note, b"POST /v1/conversations/10401/notes", noted(f"Note {name}")),
        Write("dixa_send_reply", reply, b"POST /v1/conversations/10401/messages", reached(f"Reply {name}")),
        Write("dixa_start_conversation", mail, b"POST /v1/conversations HTTP", reached(f"Mail {name}")),
        Write(
            "dixa_create_customer",
            person,
            b"POST /v1/endusers HTTP",
            lambda sandbox: sum(
                each.get("email") == person["email"] for each in sandbox.organisation.end_users.values()
            ),
        ),
        Write(
            "dixa_update_tags",
            {"conversation_id": 10403, "add": ["vip"]},
            b"PUT /v1/conversations/10403/tags",
            lambda sandbox: len(sandbox.organisation.tagged.get(10403, [])),
        ),
    ]
