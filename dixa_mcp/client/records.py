"""How we read: leniently. What Dixa adds is ignored, what it leaves out has a default, what is null is absent.

A field exists because something shows it or decides by it (aesthetics §3.6). Words that Dixa may extend
(states, channels, kinds) are read as they come.
"""

from datetime import datetime
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from dixa_mcp.errors import DixaMcpError
from dixa_mcp.text.times import parse


class Record(BaseModel):
    """A thing Dixa answered with: camelCase on the wire, frozen, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        coerce_numbers_to_str=True,  # the document's own example has a telephone number as a number (notes §20)
        defer_build=True,  # a server that starts needs none of them yet; each is built when it is first read
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # what a customer wrote doesn't belong into an error
        populate_by_name=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return _without_nulls(data)


R = TypeVar("R", bound=Record)


def read(kind: type[R], data: Any) -> R:
    """Read one thing.

    Raises:
        DixaMcpError: it hasn't the shape that Dixa documents.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise DixaMcpError(
            f"Dixa's answer couldn't be read as {kind.__name__}{f' ({where})' if where else ''}"
        ) from None


def read_all(kind: type[R], data: Any) -> list[R]:
    """Read a list of things; nothing is an empty list (notes §1)."""
    return [read(kind, item) for item in (cast("list[Any]", data) if isinstance(data, list) else [])]


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in cast("dict[str, Any]", value).items() if each is not None}


def _time(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    try:
        return parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _word(value: Any) -> Any:
    """Take `{"_type": "Open"}` for `"Open"`: a union of empty members is really a word (notes §26)."""
    return cast("dict[str, Any]", value).get("_type", "") if isinstance(value, dict) else value


V = TypeVar("V")
#: A map with names Dixa chooses; nulls in it are absent, too.
Table = Annotated[dict[str, V], BeforeValidator(_without_nulls)]
#: A time in UTC; None when absent or unreadable. Dixa writes it in three ways (notes §7).
Time = Annotated[datetime | None, BeforeValidator(_time)]
#: A word of a list that Dixa may extend.
Word = Annotated[str, BeforeValidator(_word)]
#: The member of a union, as `_type` names it.
Kind = Annotated[str, Field(alias="_type")]
