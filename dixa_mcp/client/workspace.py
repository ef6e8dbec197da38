"""What we read of people, and of the organisation's own lists: queues, teams, tags, attributes, hours."""

from typing import Any

from pydantic import Field

from dixa_mcp.client.models import AttributeValue
from dixa_mcp.client.records import Kind, Record, Table, Time, Word


class Organization(Record):
    """The organisation a token belongs to."""

    id: str = ""
    name: str = ""
    subdomain: str = ""
    status: str = ""


class _Person(Record):
    id: str
    created_at: Time = None
    display_name: str = ""
    email: str = ""
    phone_number: str = ""
    additional_emails: tuple[str, ...] = ()
    additional_phone_numbers: tuple[str, ...] = ()
    first_name: str = ""
    last_name: str = ""
    middle_names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What to call them: the display name, else first and last name, else address or number."""
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return self.display_name or full or self.email or self.phone_number


class EndUser(_Person):
    """A customer. Lists come without custom attributes (notes §15)."""

    external_id: str = ""
    custom_attributes: tuple[AttributeValue, ...] = ()
    anonymized_at: Time = None


class Agent(_Person):
    """A colleague who answers customers, or administers."""

    roles: tuple[str, ...] = ()


class Presence(Record):
    """What an agent takes right now (notes §15)."""

    user_id: str = ""
    request_time: Time = None
    last_seen: Time = None
    presence_status: Word = ""
    connection_status: Word = ""
    active_channels: tuple[str, ...] = ()

    @property
    def is_working(self) -> bool:
        """Whether conversations can be offered: online and working."""
        return self.connection_status == "Online" and self.presence_status == "Working"


class Team(Record):
    """A set of agents. An agent's teams come as ids only."""

    id: str
    name: str = ""


class TeamMember(Record):
    """An agent as a team lists it."""

    id: str
    name: str = ""
    email: str = ""
    phone_number: str = ""


class Usages(Record):
    """What feeds a queue: channel → addresses, numbers or widget ids."""

    usages: Table[list[str]] = Field(default_factory=dict)


class Queue(Record):
    """A waiting line."""

    id: str
    name: str = ""
    is_default: bool = False
    is_restricted: bool = False
    queue_thresholds: Table[int] = Field(default_factory=dict)
    sla_calculation_method: str = ""
    offer_timeout: int | None = None
    offering_algorithm: str = ""
    member_list_type: str = ""
    usages: Usages | None = None
    wrapup_timeout: int | None = None
    priority: int | None = None
    offer_abandoned_conversations: bool = False
    is_do_not_offer_enabled: bool = False
    is_preferred_agent_enabled: bool = False


class QueueMember(Record):
    """An agent of a queue."""

    agent_id: str = ""
    priority: int | None = None


class ChannelAvailability(Record):
    """Whether a bot channel of a queue takes conversations."""

    kind: Kind = ""
    generic_channel_name: str = ""
    availability: Word = ""
    queue_size: int | None = None


class AvailabilityError(Record):
    """Why that isn't known."""

    kind: Kind = ""
    channel: str = ""
    message: str = ""


class QueueAvailability(Record):
    """One channel's outcome: `Success` with the one, `Failure` with the other (notes §17)."""

    kind: Kind = ""
    channel_availability: ChannelAvailability | None = None
    error: AvailabilityError | None = None


class Tag(Record):
    """A label of conversations. Only active ones can be put on (notes §16)."""

    id: str
    name: str = ""
    color: str = ""
    state: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it can be put on."""
        return self.state != "Inactive"


class AttributeOption(Record):
    """One choice of a select attribute, with the choices below it."""

    id: str = ""
    label: str = ""
    value: str = ""
    nested_options: tuple["AttributeOption", ...] = ()
    is_deactivated: bool = False
    order_index: int | None = None


class InputDefinition(Record):
    """How an attribute is filled: `Text` or `Select`."""

    kind: Kind = ""
    placeholder: str = ""
    options: tuple[AttributeOption, ...] = ()


class AttributeDefinition(Record):
    """A custom attribute of conversations or contacts (notes §14)."""

    id: str
    entity_type: Word = ""
    identifier: str = ""
    label: str = ""
    description: str = ""
    input_definition: InputDefinition = InputDefinition()
    is_required: bool = False
    is_archived: bool = False
    is_deactivated: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether it can be set."""
        return not (self.is_archived or self.is_deactivated)


class ContactEndpoint(Record):
    """An address or number of the organisation's own."""

    kind: Kind = ""
    name: str = ""
    address: str = ""
    sender_override: str = ""
    number: str = ""
    functionality: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What paths and bodies call it: the address or the number itself (notes §7)."""
        return self.address or self.number


#: The channels that have flows; Dixa lists one at a time (notes §17).
FLOW_CHANNELS = (
    "Email",
    "ContactForm",
    "WidgetChat",
    "Messenger",
    "WhatsApp",
    "FacebookMessenger",
    "PstnPhone",
    "Callback",
    "Voicemail",
)


class Flow(Record):
    """The routing of one contact endpoint."""

    id: str
    name: str = ""
    channel: str = ""
    contact_endpoint_id: str = ""


class TemplateTranslation(Record):
    """A template in one more language."""

    locale: str = ""
    content: str = ""
    subject: str = ""
    is_deactivated: bool = False


class Template(Record):
    """A prepared text, its placeholders unfilled (notes §17); `kind` is QuickResponse or EmailAutoReply."""

    kind: Kind = ""
    id: str
    name: str = ""
    subject: str = ""
    content: str = ""
    created_at: Time = None
    last_edited_at: Time = None
    translations: tuple[TemplateTranslation, ...] = ()


class Interval(Record):
    """From `HH:mm` to `HH:mm`, in the schedule's zone."""

    start_time: str = ""
    end_time: str = ""


class Hours(Record):
    """The hours of one weekday (1 is Monday) or of one exception; `recurring` names day and month."""

    name: str = ""
    day_of_week: int | None = None
    type: Word = Field(default="", alias="businessHourType")
    status: Word = ""
    intervals: tuple[Interval, ...] = ()
    recurring: Table[Any] = Field(default_factory=dict)
    start_date: str = ""
    end_date: str = ""
    next_date: str = ""


class Schedule(Record):
    """Business hours. The list has id and name only; definition and upcoming bring the rest."""

    id: str
    name: str = ""
    timezone: str = ""
    business_hours: tuple[Hours, ...] = ()
    exceptions: tuple[Hours, ...] = ()


class OpenStatus(Record):
    """Whether a schedule is open at `timestamp`."""

    is_open: bool = False
    timestamp: Time = None
    opens_at: Time = None
    closes_at: Time = None
