"""What we read of messages: twelve kinds of attributes become the six arms we treat differently (notes §9)."""

from typing import Annotated, Any, cast

from pydantic import Discriminator, Field
from pydantic import Tag as Arm

from dixa_mcp.client.records import Kind, Record, Table, Time


class FileLink(Record):
    """A file of a message."""

    url: str = ""
    pretty_name: str = ""


class Content(Record):
    """Text, Html or Markdown."""

    kind: Kind = "Text"
    value: str = ""


class Mailbox(Record):
    """An e-mail address with the name that was given with it."""

    email: str = ""
    name: str = ""


class Said(Record):
    """What a message is, whatever its channel: the properties every arm has."""

    kind: Kind = ""
    direction: str = ""
    content: Content | None = None
    attachments: tuple[FileLink, ...] = ()

    @property
    def body(self) -> Content | None:
        """The text with its type."""
        return self.content

    @property
    def text(self) -> str:
        """The text as it came, HTML included; empty when there is none."""
        return self.body.value if self.body else ""

    @property
    def is_html(self) -> bool:
        """Whether `text` is HTML."""
        return self.body is not None and self.body.kind == "Html"

    @property
    def sender(self) -> Mailbox | None:
        """Who it says it is from; None where only the author's id tells."""
        return None

    @property
    def copies(self) -> tuple[Mailbox, ...]:
        """Who got a copy."""
        return ()

    @property
    def is_auto(self) -> bool:
        """Whether a machine wrote it."""
        return False

    @property
    def too_large(self) -> str:
        """Where the text is when it was too large to be in the answer; empty otherwise."""
        return ""


class Written(Said):
    """Chat, SMS, WhatsApp, Facebook, Twitter, API messaging."""

    is_automated: bool = False

    @property
    def is_auto(self) -> bool:
        return self.is_automated


class EmailContent(Record):
    """The text of an e-mail, or the file that holds it."""

    kind: Kind = ""
    content: Content | None = None
    file: FileLink | None = None


class Mailed(Said):
    """E-mail and contact form."""

    email_content: EmailContent | None = None
    from_: Mailbox | None = Field(default=None, alias="from")
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    is_auto_reply: bool = False
    inline_images: tuple[FileLink, ...] = ()
    delivery_failure_reason: str = ""
    original_content_url: FileLink | None = None

    @property
    def body(self) -> Content | None:
        return self.email_content.content if self.email_content else self.content

    @property
    def sender(self) -> Mailbox | None:
        return self.from_

    @property
    def copies(self) -> tuple[Mailbox, ...]:
        return self.cc

    @property
    def is_auto(self) -> bool:
        return self.is_auto_reply

    @property
    def too_large(self) -> str:
        return self.email_content.file.url if self.email_content and self.email_content.file else ""


class Spoken(Said):
    """A call, or a piece of its transcript."""

    from_: str = Field(default="", alias="from")
    to: str = ""
    duration: int | None = None
    start_ms: int | None = Field(default=None, alias="utterance_start_ms")
    end_ms: int | None = Field(default=None, alias="utterance_end_ms")


class Recorded(Said):
    """The recording of a call."""

    recording: str = ""
    duration: int | None = None


class FormSubmission(Record):
    """A filled form: label → raw string, list of strings, or an object (notes §20)."""

    values: Table[Any] = Field(default_factory=dict)


class Form(Said):
    """A form filled in the messenger; its text is the same as HTML."""

    form_submission: FormSubmission = Field(default_factory=FormSubmission)


class Other(Said):
    """A kind Dixa invented later; it still shows its text if that is where it usually is."""


_ARMS = {
    "EmailAttributes": "Mailed",
    "ContactFormAttributes": "Mailed",
    "ChatAttributes": "Written",
    "SmsAttributes": "Written",
    "WhatsAppAttributes": "Written",
    "FacebookMessengerAttributes": "Written",
    "TwitterAttributes": "Written",
    "GenericAttributes": "Written",
    "PhoneAttributes": "Spoken",
    "TranscriptAttributes": "Spoken",
    "CallRecordingAttributes": "Recorded",
    "MessengerFormAttributes": "Form",
}


def _arm(value: Any) -> str:
    if isinstance(value, Said):
        return type(value).__name__
    kind = cast("dict[str, Any]", value).get("_type") if isinstance(value, dict) else None
    return _ARMS.get(str(kind), "Other")


class Message(Record):
    """One message of a conversation; what it says is in `attributes`, by channel."""

    id: str = ""
    author_id: str = ""
    external_id: str = ""
    created_at: Time = None
    attributes: Annotated[
        Annotated[Written, Arm("Written")]
        | Annotated[Mailed, Arm("Mailed")]
        | Annotated[Spoken, Arm("Spoken")]
        | Annotated[Recorded, Arm("Recorded")]
        | Annotated[Form, Arm("Form")]
        | Annotated[Other, Arm("Other")],
        Discriminator(_arm),
    ] = Field(default_factory=Other)

    @property
    def direction(self) -> str:
        """Inbound, Outbound, Internal, or empty."""
        return self.attributes.direction

    @property
    def text(self) -> str:
        """The text as it came, HTML included."""
        return self.attributes.text

    @property
    def attachments(self) -> tuple[FileLink, ...]:
        """Its files."""
        return self.attributes.attachments
