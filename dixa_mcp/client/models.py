"""What we read of conversations (notes §9).

Their messages are in `messages`, people and the organisation's lists in `workspace`, analytics, knowledge and
webhooks in `reports`. A union becomes one class with a `kind` where its members differ in fields only.
"""

from typing import Any, cast

from pydantic import Field

from dixa_mcp.client.records import Kind, Record, Table, Time, Word


class Assignment(Record):
    """The agent who has a conversation."""

    agent_id: str = ""
    assigned_at: Time = None


class QueueRef(Record):
    """The queue a conversation is in."""

    id: str = ""
    queued_at: Time = None


class Link(Record):
    """A child's tie to its parent; `kind` is SideConversation, FollowUp, EmailForward or new."""

    kind: Kind = ""
    parent_id: int = 0


class AttributeValue(Record):
    """A custom attribute as set: a string, or the path of values of a select (notes §14)."""

    id: str = ""
    name: str = ""
    identifier: str = ""
    value: Any = None

    @property
    def path(self) -> list[str]:
        """The value as a list: the one text, or the options from the parent down; empty when not set."""
        value: Any = self.value
        parts = cast("list[Any]", value) if isinstance(value, list) else [value]
        return [str(part) for part in parts if part is not None]


class BrowserInfo(Record):
    """Where a chat came from; no IP address, for nothing here needs it."""

    name: str = ""
    version: str = ""
    originating_url: str = ""


class Conversation(Record):
    """A conversation of any of the eleven kinds; `kind` tells which, and with it which fields are there.

    Without subject for chats, and always without tags, messages and ratings: each is its own read.
    """

    kind: Kind = ""
    id: int
    requester_id: str = ""
    channel: str = ""
    created_at: Time = None
    direction: str = ""
    state: str = ""
    state_updated_at: Time = None
    assignment: Assignment | None = None
    queue: QueueRef | None = None
    link: Link | None = None
    custom_attributes: tuple[AttributeValue, ...] = ()
    #: End of the time in which a reply is possible (WhatsApp).
    transport_expires_at: Time = None
    subject: str = ""
    language: str = ""
    from_email: str = ""
    to_email: str = ""
    integration_email: str = ""
    from_number: str = ""
    to_number: str = ""
    browser_info: BrowserInfo | None = None
    conversation_type: str = ""
    contact_point_twitter_id: str = ""
    end_user_twitter_id: str = ""
    from_contact_point_id: str = ""
    to_contact_point_id: str = ""
    anonymized_at: Time = None

    @property
    def is_anonymized(self) -> bool:
        """Whether its content is gone for good."""
        return self.kind == "AnonymizedConversation" or self.anonymized_at is not None


class Note(Record):
    """An internal note; agents only."""

    id: str = ""
    author_id: str = ""
    created_at: Time = None
    csid: int = 0
    message: str = ""


class Author(Record):
    """Who did something; a name where there is one."""

    id: str = ""
    name: str = ""
    email: str = ""
    phone_number: str = ""


class ActivityEntry(Record):
    """Something that happened to a conversation; `attributes` differ by kind (notes §11)."""

    kind: Kind = ""
    id: str = ""
    conversation_id: int = 0
    activity_timestamp: Time = None
    author: Author | None = None
    attributes: Table[Any] = Field(default_factory=dict)


class Rating(Record):
    """One question of a survey; score and comment are absent until it is rated (notes §16)."""

    id: str = ""
    rating_score: int | None = None
    rating_type: Word = ""
    rating_comment: str = ""
    rating_status: Word = ""
    agent_id: str = ""
    user_id: str = ""
    conversation_channel: str = ""
    language: str = ""
    timestamps: Table[Time] = Field(default_factory=dict)


class InnerHit(Record):
    """A message that matched; only the deprecated search tells."""

    id: str = ""
    highlight: Table[Any] = Field(default_factory=dict)


class SearchHit(Record):
    """A conversation that matched: its number and why; all else is another read (notes §12)."""

    id: int
    highlights: Table[list[str]] = Field(default_factory=dict)
    inner_hits: tuple[InnerHit, ...] = ()


class QueuePosition(Record):
    """Where a conversation waits, approximately."""

    position: int | None = None
    queued_at: Time = None


class AnonymizationRequest(Record):
    """A request to anonymise; done when `processed_at` is there (notes §20)."""

    kind: Kind = ""
    id: str = ""
    initiated_at: Time = None
    processed_at: Time = None
    target_entity_id: str = ""
    requested_by: str = ""
