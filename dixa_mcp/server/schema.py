"""The input schema as the model reads it: plain types, nothing it must pay for twice."""

from typing import Any


def slim(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop titles, empty defaults, references and null arms; clients choke on them, or the model pays for them."""
    definitions: dict[str, Any] = schema.get("$defs", {})
    slimmed = _slim({key: value for key, value in schema.items() if key != "$defs"}, definitions)
    slimmed.setdefault("properties", {})
    return slimmed


def _slim(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_slim(item, definitions) for item in node]  # pyright: ignore[reportUnknownVariableType] - JSON
    if not isinstance(node, dict):
        return node
    given: dict[str, Any] = node  # pyright: ignore[reportUnknownVariableType] - JSON
    if name := str(given.get("$ref", "")).removeprefix("#/$defs/"):
        return _slim({**definitions[name], **{k: v for k, v in given.items() if k != "$ref"}}, definitions)
    slimmed = {key: _slim_value(key, value, definitions) for key, value in given.items() if not _wasted(key, value)}
    arms = [arm for arm in slimmed.pop("anyOf", []) if arm != {"type": "null"}]
    if len(arms) == 1:
        slimmed = {**arms[0], **slimmed}
    elif arms:
        slimmed["anyOf"] = arms
    return slimmed


def _wasted(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in ("", None, False, [], ()))


def _slim_value(key: str, value: Any, definitions: dict[str, Any]) -> Any:
    if key == "properties":
        return {name: _slim(property_, definitions) for name, property_ in value.items()}
    if key == "enum":  # leaving an argument out is how nothing is said
        return [choice for choice in value if choice != ""]
    return value if key in {"const", "default"} else _slim(value, definitions)
