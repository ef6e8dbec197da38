"""Spoils a right body in every way the contract's form knows."""

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

#: Kind → values that aren't one.
_NOT: dict[str, list[Any]] = {
    "string": [17, True, [], {}],
    "uuid": ["not-a-uuid", "", 17, {}],
    "datetime": ["yesterday", "2026-02-13", "2026-13-01T00:00:00Z", "2026-02-13T12:00:00", 1771000000],
    "int32": ["5", 1.5, True, 2**31, []],
    "int64": ["10401", 1.5, True, 2**63, {}],
    "bool": ["true", 0, [], {}],
}


def spoiled(form: dict[str, Any], value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield (where, wrong value): what to put at a place of the body. `DROP` removes the field."""
    if "either" in form:
        yield from _of_union(form["either"], value, path)
    elif "scalar" in form:
        yield from ((path, wrong) for wrong in _NOT.get(form["scalar"], ()))
        yield from ((path, out) for out in ([form["low"] - 1, form["high"] + 1] if "low" in form else ()))
    elif "words" in form:
        yield from ((path, wrong) for wrong in ("Nonsense", form["words"][0] + " ", 17, []))
    elif "list" in form:
        yield from ((path, wrong) for wrong in ("text", {}, 17))
        yield from ([(path, [])] if form["least"] else [])
        yield from ([(path, [value[0]] * (form["most"] + 1))] if form["most"] and value else [])
        for index, item in enumerate(value):
            yield from spoiled(form["list"], item, (*path, index))
    elif "map" in form:
        yield from ((path, wrong) for wrong in ("text", [], 17))
        for name, inside in value.items():
            yield from spoiled(form["of"], inside, (*path, name))
    else:
        yield from _of_object(form, value, path)


def _of_object(form: dict[str, Any], value: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    yield from ((path, wrong) for wrong in ("text", [], 17))
    for name, field in form["object"].items():
        if field["required"]:
            yield from (((*path, name), wrong) for wrong in (DROP, None))
        if value.get(name) is not None:
            yield from spoiled(field["form"], value[name], (*path, name))


def _of_union(arms: list[dict[str, Any]], value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    tagged = {arm["tag"]: arm for arm in arms if arm.get("tag")}
    if tagged:
        yield from (((*path, "_type"), wrong) for wrong in (DROP, None, "Nonsense", 17, *_near(value["_type"])))
        yield from spoiled(tagged[value["_type"]], value, path)
    elif all("object" in arm for arm in arms):  # the two analytics bodies
        (arm,) = [arm for arm in arms if all(n in value for n, f in arm["object"].items() if f["required"])]
        yield from spoiled(arm, value, path)
    else:
        yield from ((path, wrong) for wrong in (17, True, [17], {"x": 1}))


def _near(tag: str) -> list[str]:
    return [tag.lower(), tag + "_1"]


class _Drop:
    """Stands for a field that isn't there."""

    def __repr__(self) -> str:
        return "DROP"


DROP = _Drop()


def with_wrong(body: Any, path: Path, wrong: Any) -> Any:
    """Return the body with one place spoiled."""
    if not path:
        return wrong
    made = copy.deepcopy(body)
    inside = made
    for step in path[:-1]:
        inside = inside[step]
    if wrong is DROP:
        inside.pop(path[-1], None)
    else:
        inside[path[-1]] = wrong
    return made


def where(path: Path) -> str:
    """Return the place as `Problem.where` writes it."""
    return "body" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
