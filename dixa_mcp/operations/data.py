"""Reads `operations.toml`: once, at first use."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import unquote

from dixa_mcp.operations.model import Operation, Parameter
from dixa_mcp.operations.shapes import Field, Language, Scalar, Shape, Union, Word

_VARIABLE = re.compile(r"\{(\w+): (\w+)\}")


@cache
def operations() -> Mapping[str, Operation]:
    """Return the operations of Dixa's contract by name, in the order of the contract (notes §1)."""
    found = {row["name"]: _operation(row) for row in _file()["operation"]}
    return MappingProxyType(found)


@cache
def language() -> Language:
    """Return the reader of shapes, which knows the named ones."""
    return Language({name: _one_line(text) for name, text in _file()["shapes"].items()})


def match(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Find the operation of a request and the values of its path variables, percent-decoded.

    `path` has neither /v1 nor a query; one slash at its end is overlooked, because Dixa's own links to the
    next page carry it (notes §6). None if the contract knows no such method and path.
    """
    parts = [unquote(part) for part in path.removesuffix("/").split("/")]
    for operation, template in _routes().get((method.upper(), len(parts)), ()):
        values = _values(template, parts)
        if values is not None:
            return operation, values
    return None


def _values(template: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for expected, part in zip(template, parts, strict=True):
        if expected.startswith("{") and part:
            values[expected[1:-1]] = part
        elif expected != part:
            return None
    return values


@cache
def _routes() -> Mapping[tuple[str, int], list[tuple[Operation, tuple[str, ...]]]]:
    # The first fit wins: as in the contract, "/agents/presence" stands before "/agents/{agentId}".
    routes: dict[tuple[str, int], list[tuple[Operation, tuple[str, ...]]]] = {}
    for operation in operations().values():
        template = tuple(operation.path.split("/"))
        routes.setdefault((operation.method, len(template)), []).append((operation, template))
    return routes


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("operations.toml").read_text("utf-8"))


def _operation(row: Mapping[str, Any]) -> Operation:
    method, _, call = row["call"].partition(" ")
    parameters = (*_path_parameters(call), *_query_parameters(row.get("query", "")))
    success = row.get("success", 200)
    raised: Mapping[str, list[str]] = row.get("raised", {})
    body = _one_line(row.get("body", ""))
    return Operation(
        name=row["name"],
        tag=row["tag"],
        method=method,
        path=_VARIABLE.sub(r"{\1}", call),
        parameters=parameters,
        body=body,
        body_required=bool(body) and not row.get("body_optional", False),
        media=row.get("media", "json"),
        success=success,
        answer=row.get("answer", "empty" if success == 204 else "data"),
        paged=any(parameter.name == "pageKey" for parameter in parameters),
        effect=row["effect"],
        raised=MappingProxyType({field: effect for effect, fields in raised.items() for field in fields}),
        undo=row.get("undo", ""),
        undo_note=row.get("undo_note", ""),
        summary=row["summary"],
        deprecated=row.get("deprecated", False),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _path_parameters(call: str) -> Iterator[Parameter]:
    for name, kind in _VARIABLE.findall(call):
        yield _parameter(name, "path", Field(language().shape(kind), required=True))


def _query_parameters(query: str) -> Iterator[Parameter]:
    for name, field in language().fields(query).items():
        yield _parameter(name, "query", field)


def _parameter(name: str, where: Literal["path", "query"], field: Field) -> Parameter:
    scalar, values = _scalar_of(field.shape)
    return Parameter(name, where, scalar.kind, field.required, field.default, values, scalar.low, scalar.high)


def _scalar_of(shape: Shape) -> tuple[Scalar, tuple[str, ...]]:
    match shape:
        case Scalar():
            return shape, ()
        case Union(arms):
            return Scalar("string"), tuple(arm.text for arm in arms if isinstance(arm, Word))
        case _:
            raise ValueError(f"A parameter can't be {shape}")
