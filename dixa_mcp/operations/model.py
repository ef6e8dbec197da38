"""What an operation is, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable of the path or a parameter of the query.

    `type` is one of csid, uuid, string, int, bool, datetime. `values` lists the only words a string may be;
    `minimum` and `maximum` bound an int, and the length of a string.
    """

    name: str
    where: Literal["path", "query"]
    type: str
    required: bool
    default: str | int | bool | None
    values: tuple[str, ...]
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of Dixa's contract: how to call it, what it answers, and how dangerous it is."""

    #: Ours, unique: get_conversation, add_message, anonymize_end_user …
    name: str
    #: Dixa's section: Conversations, End Users …
    tag: str
    method: str
    #: With the variables in braces and without /v1: "/conversations/{conversationId}/notes".
    path: str
    parameters: tuple[Parameter, ...]
    #: The compact shape of the body, "" if there is none (grammar: `shapes`); `shape_of` explains its names.
    body: str
    body_required: bool
    media: Literal["json", "multipart"]
    #: The status of success.
    success: int
    #: `{"data": …}`, nothing, or a bare array (notes §5).
    answer: Literal["data", "empty", "array"]
    paged: bool
    #: "read", "internal", "customer", "egress" or "irreversible" (design §3).
    effect: str
    #: Body field → the effect it adds when it is there; a dot enters a field, items of a list add no segment.
    raised: Mapping[str, str] = field(hash=False)
    #: The name of the operation that takes it back, or "".
    undo: str
    #: What `undo` doesn't restore, or how to call it.
    undo_note: str
    #: What it does, in our words, at most 90 characters.
    summary: str
    deprecated: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request: where, and what would be right. Carries no value of the request."""

    #: "path conversationId", "query pageLimit", "body", "body.message._type", "body.data[0].id".
    where: str
    #: Reads on after `where`: "must be a uuid", "is required".
    what: str
