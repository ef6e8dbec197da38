"""JSON that no model reads: its objects and lists, typed as far as can be."""

from typing import Any, cast


def fields(value: Any) -> dict[str, Any]:
    """Return an object; what is none has no fields."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list; what is none has no items."""
    return cast("list[Any]", value) if isinstance(value, list) else []
