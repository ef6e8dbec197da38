"""Answers held against the API document, unions dispatched by `_type` (notes §8, §26)."""

import uuid
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml

from dixa_mcp import operations

DOCUMENT = Path(__file__).parents[2] / ".." / "shared" / "dixa-api" / "openapi.yaml"


@cache
def document() -> Any:
    """Return the API document, None where it isn't."""
    return yaml.load(DOCUMENT.read_text(), yaml.CSafeLoader) if DOCUMENT.exists() else None


def faults_of(schema: Any, value: Any, where: str = "answer") -> list[str]:
    """Return where a value departs from a schema, unions dispatched by `_type` (notes §8, §26)."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == "FormAttributeValue" and isinstance(value, str | list):
            return []  # a bare string or list as well as the object (notes §26)
        return faults_of(document()["components"]["schemas"][name], value, where)
    if schema.get("x-wire-shape") == "string":
        return [] if isinstance(value, str) else [f"{where} isn't a word"]
    if "oneOf" in schema:
        return union_faults(schema["oneOf"], value, where)
    kind = schema.get("type")
    if kind == "array":
        if not isinstance(value, list):
            return [f"{where} isn't a list"]
        return [f for n, item in enumerate(value) for f in faults_of(schema["items"], item, f"{where}[{n}]")]
    if kind == "object" or "properties" in schema:
        return object_faults(schema, value, where)
    return word_faults(schema, value, where)


def word_faults(schema: Any, value: Any, where: str) -> list[str]:
    kind = schema.get("type")
    fits = {"string": str, "integer": int, "number": (int, float), "boolean": bool}.get(str(kind), object)
    if not isinstance(value, fits):
        return [f"{where} isn't a {kind}"]
    words = schema.get("x-values") or schema.get("enum")
    if words and value not in words:
        return [f"{where} is {value}, not one of {words}"]
    try:
        {"uuid": uuid.UUID, "date-time": datetime.fromisoformat}.get(schema.get("format", ""), str)(value)
    except ValueError:
        return [f"{where} is no {schema['format']}"]
    return []


def union_faults(members: list[Any], value: Any, where: str) -> list[str]:
    named = [document()["components"]["schemas"][m["$ref"].rpartition("/")[2]] if "$ref" in m else m for m in members]
    if isinstance(value, dict) and "_type" in value:
        for member in named:
            if member.get("x-wire-type") == value["_type"]:
                return faults_of(member, value, f"{where}<{value['_type']}>")
        return [f"{where} has the unknown _type {value['_type']}"]
    tried = [faults_of(member, value, where) for member in named if "x-wire-type" not in member]
    return [] if [] in tried else [f"{where} fits no member: {tried}"]


def object_faults(schema: Any, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} isn't an object"]
    known = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    found = [f"{where}.{key} is missing" for key in schema.get("required", []) if key not in value]
    for key, item in value.items():
        if key in known:
            found += faults_of(known[key], item, f"{where}.{key}")
        elif isinstance(rest, dict):
            found += faults_of(rest, item, f"{where}.{key}")
        elif key != "_type" and not schema.get("additionalProperties"):
            found.append(f"{where}.{key} isn't in the document")
    return found


async def hold_against_document(response: httpx.Response) -> None:
    """Fail when a good answer isn't what the document says, in status or body."""
    path = response.request.url.raw_path.decode().partition("?")[0].removeprefix("/v1").rstrip("/")
    found = operations.match(response.request.method, path)
    if document() is None or found is None or not response.is_success:
        return
    stated = document()["paths"]["/v1" + found[0].path][found[0].method.lower()]["responses"]
    assert str(response.status_code) in stated, f"{found[0].name} answers {response.status_code}"
    content = stated[str(response.status_code)].get("content")
    body = await response.aread()
    if not content:
        assert body == b"", f"{found[0].name} must answer without a body"
        return
    answer = response.json()
    if found[0].name == "list_collections":
        answer.pop("meta", None)  # it pages, but its schema forgot the links (notes §6)
    departures = faults_of(content["application/json"]["schema"], answer)
    assert departures == [], found[0].name
