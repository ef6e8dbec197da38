"""Judges a request against its operation, and explains the body it wants."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dixa_mcp.operations import scalars
from dixa_mcp.operations.check import check
from dixa_mcp.operations.data import language
from dixa_mcp.operations.model import Operation, Parameter, Problem
from dixa_mcp.operations.shapes import Scalar, Union, Word

_TAGGED = re.compile(r"\w\{")
#: What a model can't guess, said only below a shape that has it.
_LEGEND = (
    (_TAGGED, 'X{…} is an object with "_type": "X"; ? marks what may be left out.'),
    (re.compile(r"\bcsid\b"), "csid is the number of a conversation."),
    (re.compile(r"\bdigits\b"), "digits is the number of a conversation, as a string."),
    (re.compile(r"\bms\b"), "ms is a number of milliseconds."),
)


def problems(
    operation: Operation, path: Mapping[str, str], query: Mapping[str, Sequence[str]], body: Any
) -> list[Problem]:
    """Return everything wrong with a request, [] if it may be sent.

    `path` has the decoded values of the path, `query` those of each parameter, `body` is JSON as Python
    (None: no body). Parameters and fields nobody knows are no problem, since Dixa ignores them (notes §26).
    """
    found = [*_of_parameters(operation, path, query)]
    if operation.body and body is not None:
        found += check(language().shape(operation.body), body, "body")
    elif operation.body_required:
        found.append(Problem("body", "is required"))
    return found


def shape_of(operation: Operation) -> str:
    """Return the shape of the body with the named shapes it uses, a line each; "" if there is no body."""
    named = language().named
    if not operation.body:
        return ""
    lines = [operation.body, *(f"{name} = {named[name]}" for name in language().uses(operation.body))]
    shown = "\n".join(lines)
    return "\n".join([shown, *(said for sign, said in _LEGEND if sign.search(shown))])


def effects_of(operation: Operation, body: Any) -> frozenset[str]:
    """Return the effects of a call with this body: the operation's own and those its fields raise it to.

    A field raises by being there, since an empty value or null changes a customer, too. Only "egress" takes
    more: nothing leaves with an empty list of copies (design §3).
    """
    raised = {
        effect
        for field, effect in operation.raised.items()
        if any(effect != "egress" or value for value in _at(body, field.split(".")))
    }
    return frozenset({operation.effect, *raised})


def _of_parameters(
    operation: Operation, path: Mapping[str, str], query: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    for parameter in operation.parameters:
        where = f"{parameter.where} {parameter.name}"
        if parameter.where == "path":
            given: Sequence[str] = [path[parameter.name]] if parameter.name in path else []
        else:
            given = query.get(parameter.name, ())
        if len(given) > 1:
            yield Problem(where, "must be given once")
        elif given:
            yield from check(_shape(parameter), scalars.from_text(parameter.type, given[0]), where)
        elif parameter.required:
            yield Problem(where, "is required")


def _shape(parameter: Parameter) -> Scalar | Union:
    if parameter.values:
        return Union(tuple(map(Word, parameter.values)))
    # An empty part of a path would be another path.
    low = 1 if parameter.where == "path" and parameter.type == "string" else parameter.minimum
    return Scalar(parameter.type, low, parameter.maximum)


def _at(body: Any, fields: Sequence[str]) -> Iterator[Any]:
    """Yield what stands at a dotted path, in every item of the lists on the way."""
    if isinstance(body, list) and fields:
        for item in cast("list[Any]", body):
            yield from _at(item, fields)
    elif not fields:
        yield body
    elif isinstance(body, dict) and fields[0] in body:
        yield from _at(cast("dict[str, Any]", body)[fields[0]], fields[1:])
