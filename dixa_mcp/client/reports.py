"""What we read of analytics, knowledge and webhooks."""

from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field

from dixa_mcp.client.records import Kind, Record, Table, Time, Word

# --- analytics (notes §13) ---


class Filter(Record):
    """An attribute a metric or record can be filtered by."""

    filter_attribute: str = ""
    description: str = ""


class Aggregation(Record):
    """A measure a metric can give."""

    measure: Word = ""
    description: str = ""


class FieldInfo(Record):
    """A field of a record's rows."""

    field: str = ""
    description: str = ""
    nullable: bool = True


class Metric(Record):
    """A number that can be asked for."""

    id: str
    description: str = ""
    filters: tuple[Filter, ...] = ()
    aggregations: tuple[Aggregation, ...] = ()
    related_record_ids: tuple[str, ...] = ()


class RecordType(Record):
    """Rows that can be asked for."""

    id: str
    description: str = ""
    filters: tuple[Filter, ...] = ()
    fields_metadata: tuple[FieldInfo, ...] = ()
    related_metric_ids: tuple[str, ...] = ()


class FilterValue(Record):
    """A value of a filter attribute."""

    value: str = ""
    label: str = ""


class Aggregate(Record):
    """A number with its measure; for presence durations a list (notes §13)."""

    kind: Kind = ""
    measure: Word = ""
    value: Any = None


class MetricData(Record):
    """The answer to a metric."""

    id: str = ""
    aggregates: tuple[Aggregate, ...] = ()


class FieldValue(Record):
    """A typed value of a row; `label` is what people call it."""

    kind: Kind = ""
    value: Any = None
    label: str = ""
    #: Of a `TimestampField`, which has no value.
    timestamp: str = ""


class NamedField(Record):
    """A column of a row."""

    name: str = ""
    field: FieldValue = FieldValue()


class Moment(Record):
    """The time a row is counted by, and what it is the time of."""

    name: str = ""
    timestamp: Time = None


class MetricRecord(Record):
    """A row."""

    primary_timestamp_field: Moment = Moment()
    value: FieldValue | None = None
    fields: tuple[NamedField, ...] = ()


# --- knowledge (notes §18) ---


def _titled(value: Any) -> Any:
    """A title is a string, or `{languageId, title}`."""
    return cast("dict[str, Any]", value).get("title", "") if isinstance(value, dict) else value


Title = Annotated[str, BeforeValidator(_titled)]


class Restrictions(Record):
    """Whether a text is for some only."""

    is_restricted: bool = False


class Collection(Record):
    """A knowledge base."""

    id: str
    title: Title = ""
    description: str = ""
    internal_kb_enabled: bool = False
    restrictions: Restrictions = Restrictions()


class CatalogItem(Record):
    """A branch of a collection's tree; the root has neither id nor title, an article nothing below it."""

    id: str = ""
    title: Title = ""
    categories: tuple["CatalogItem", ...] = ()
    articles: tuple["CatalogItem", ...] = ()


class Category(Record):
    """A category by itself."""

    id: str
    title: Title = ""
    is_locked: bool = False
    restrictions: Restrictions = Restrictions()
    parent_category: str = ""
    parent_collections: tuple[str, ...] = ()


class Contents(Record):
    """An article's text, twice."""

    html: str = ""
    plaintext: str = ""


class HelpCenterLink(Record):
    """Where an article is public."""

    id: str = ""
    name: str = ""
    url: str = ""


class Availability(Record):
    """All places where an article is public."""

    help_center_links: tuple[HelpCenterLink, ...] = ()


class Translation(Record):
    """An article in one language, draft or published."""

    language: str = ""
    title: Title = ""
    contents: Contents = Contents()
    available_at: Availability = Availability()
    is_indexed_version: bool = False
    created_at: Time = None
    updated_at: Time = None


class Versions(Record):
    """An article in one language: what is edited, and what is public if anything is."""

    draft: Translation | None = None
    published: Translation | None = None


class Article(Record):
    """A knowledge article in one language."""

    id: str
    translation: Versions = Versions()
    tags: tuple[str, ...] = ()
    restrictions: Restrictions = Restrictions()
    parent_category: str = ""
    parent_collections: tuple[str, ...] = ()
    owned_by: str = ""
    created_at: Time = None
    updated_at: Time = None


class Translations(Record):
    """An article in all its languages."""

    draft: tuple[Translation, ...] = ()
    published: tuple[Translation, ...] = ()


class ArticleTranslations(Record):
    """As `/translations` answers."""

    translations: Translations = Translations()


# --- webhooks (notes §19) ---


class Webhook(Record):
    """A subscription. Its secret key and its headers, which carry credentials in clear, are never read."""

    id: str
    name: str = ""
    subscribed_events: tuple[str, ...] = ()
    url: str = ""
    enabled: bool = False
    created_at: Time = None
    created_by: str = ""
    updated_at: Time = None
    updated_by: str = ""
    filters: Table[Any] = Field(default_factory=dict)


class Delivery(Record):
    """How a delivery went; `kind` is NoRecentDelivery when there was none."""

    kind: Kind = ""
    delivery_timestamp: Time = None
    success: bool | None = None
    response_code: int | None = None
    response_text: str = ""


class EventDelivery(Record):
    """The last delivery of one event (`event`, `delivery_status`), or one of a log (`detail`, `payload`)."""

    event: str = ""
    delivery_status: Delivery = Delivery()
    detail: Delivery | None = Field(default=None, alias="deliveryDetail")
    #: What was sent, as a JSON text; personal data.
    payload: str = ""
