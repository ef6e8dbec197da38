"""The input schema as the model reads it, written from a tool's parameters: plain types, nothing paid for twice.

pydantic, which validates the arguments, writes schemas too. But clients choke on its references, unions and
null arms, the model pays for its titles and empty defaults, and it would take a tenth of the time a start
takes. A test holds ours to its.
"""

from collections.abc import Iterable
from inspect import Parameter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import WithJsonSchema
from pydantic.fields import FieldInfo

PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
LIMITS = {"ge": "minimum", "le": "maximum"}
LENGTHS = {"min_length": ("minLength", "minItems"), "max_length": ("maxLength", "maxItems")}


def schema_of(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Write the schema of an object with these parameters as properties.

    Raises:
        TypeError: One is of a type that has no plain word in JSON Schema.
    """
    listed = list(parameters)
    required = [each.name for each in listed if each.default is Parameter.empty]
    return {
        "properties": {each.name: _property(each) for each in listed},
        **({"required": required} if required else {}),
        "type": "object",
    }


def _property(parameter: Parameter) -> dict[str, Any]:
    schema = _schema(parameter.annotation)
    if parameter.default is not Parameter.empty and parameter.default not in ("", None, False, ()):
        schema["default"] = parameter.default
    return dict(sorted(schema.items()))


def _schema(annotation: Any) -> dict[str, Any]:
    given = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _noted(given[0], given[1:])
    if origin in {Union, UnionType}:  # null is how nothing is said, and so is leaving it out
        (only,) = [arm for arm in given if arm is not NoneType]
        return _schema(only)
    if origin is Literal:
        return {"enum": [choice for choice in given if choice != ""], "type": PLAIN[type(given[0])]}
    if origin is list:
        return {"items": _schema(given[0]), "type": "array"}
    if annotation not in PLAIN:
        raise TypeError(f"there is no plain word for {annotation} in a schema")
    return {"type": PLAIN[annotation]}


def _noted(annotation: Any, notes: Iterable[Any]) -> dict[str, Any]:
    """What `Annotated` adds: a description, limits, or another schema altogether."""
    for note in notes:
        if isinstance(note, WithJsonSchema):
            return dict(note.json_schema or {})
    schema = _schema(annotation)
    for note in notes:
        if isinstance(note, FieldInfo):
            schema |= {"description": note.description} if note.description else {}
            for limit in note.metadata:
                schema |= _limit(limit, is_list=schema["type"] == "array")
    return schema


def _limit(limit: Any, *, is_list: bool) -> dict[str, Any]:
    words = LIMITS | {name: pair[is_list] for name, pair in LENGTHS.items()}
    return {word: getattr(limit, name) for name, word in words.items() if hasattr(limit, name)}
