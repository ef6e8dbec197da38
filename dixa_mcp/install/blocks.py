"""Change one table of a TOML file, or one block of a YAML file; every other line stays as it is.

For the same reason as in `jsonc`: these files are their owners' own, with comments. What isn't written in the
usual block form isn't touched.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, cast

from dixa_mcp.install.jsonc import Unsafe


def put_toml(text: str, key: str, name: str, entry: Mapping[str, Any]) -> str:
    """Set the table `[key.name]`; a new one goes to the end.

    Raises:
        Unsafe: It isn't TOML, or holds the table in another form.
    """
    before = _toml(text, key)
    kept = remove_toml(text, key, name)
    gap = "" if not kept.strip() else "\n" if kept.endswith("\n") else "\n\n"
    lines = [f"[{key}.{name}]", *(f"{field} = {_value(value)}" for field, value in entry.items())]
    after = f"{kept}{gap}" + "\n".join(lines) + "\n"
    meant = {**before, key: {**before.get(key, {}), name: dict(entry)}}
    if _toml(after, key) != meant:
        raise Unsafe("it is written in a way that can't be changed safely")
    return after


def remove_toml(text: str, key: str, name: str) -> str:
    """Cut out the table `[key.name]` and those below it, if they are there."""
    before = _toml(text, key)
    if name not in before.get(key, {}):
        return text
    header = re.compile(rf'\s*\[+\s*{re.escape(key)}\s*\.\s*"?{re.escape(name)}"?\s*[.\]]')
    kept: list[str] = []
    ours = False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            ours = bool(header.match(line))
        if not ours:
            kept.append(line)
    if kept and not kept[-1].strip():
        kept.pop()
    after = "".join(kept)
    servers = {other: value for other, value in before[key].items() if other != name}
    meant = {**before, key: servers}
    if not servers and key not in _toml(after, key):
        meant.pop(key)
    if _toml(after, key) != meant:
        raise Unsafe("it is written in a way that can't be changed safely")
    return after


def _toml(text: str, key: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unsafe(f"it isn't valid TOML ({error})") from error
    if not isinstance(data.get(key, {}), dict):
        raise Unsafe(f"{key} isn't a table")
    return data


def put_yaml(text: str, key: str, name: str, entry: Mapping[str, Any]) -> str:
    """Set the block `name:` below the top-level key; the key is made at the end if it isn't there.

    Raises:
        Unsafe: The key isn't a plain block of lines.
    """
    kept = remove_yaml(text, key, name)
    lines = kept.splitlines(keepends=True)
    spot = _key(lines, key)
    if spot is None:
        gap = "" if not kept or kept.endswith("\n") else "\n"
        return f"{kept}{gap}{key}:\n" + _block(name, entry, "  ")
    indent = _indent(lines, spot) or "  "
    lines[spot] = re.sub(r":\s*\{\s*\}", ":", lines[spot].rstrip("\n")) + "\n"
    return "".join([*lines[: spot + 1], _block(name, entry, indent), *lines[spot + 1 :]])


def remove_yaml(text: str, key: str, name: str) -> str:
    """Cut out the block `name:` below the top-level key, if it is there."""
    lines = text.splitlines(keepends=True)
    spot = _key(lines, key)
    indent = _indent(lines, spot) if spot is not None else ""
    if spot is None or not indent:
        return text
    start = next((n for n in _children(lines, spot) if _named(lines[n], indent, name)), None)
    if start is None:
        return text
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(indent + " ")):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return "".join(lines[:start] + lines[end:])


def document(entry: Mapping[str, Any]) -> str:
    """Write a whole YAML file: fields, and lists of blocks."""
    lines: list[str] = []
    for field, value in entry.items():
        if isinstance(value, list):
            lines.append(f"{field}:")
            for block in cast("list[dict[str, Any]]", value):
                rows = [f"{inner}: {_value(each)}" for inner, each in block.items()]
                lines += [f"  - {rows[0]}", *(f"    {row}" for row in rows[1:])]
        else:
            lines.append(f"{field}: {_value(value)}")
    return "\n".join(lines) + "\n"


def _block(name: str, entry: Mapping[str, Any], indent: str) -> str:
    rows = [f"{indent}{name}:", *(f"{indent}  {field}: {_value(value)}" for field, value in entry.items())]
    return "\n".join(rows) + "\n"


def _value(value: Any) -> str:
    """Write a scalar, list or small map: JSON is both TOML's and YAML's form of strings and lists."""
    return json.dumps(value, ensure_ascii=False)


def _key(lines: list[str], key: str) -> int | None:
    """Find the line of a top-level key whose value is a block."""
    several = any(line.startswith(("---", "...")) for line in lines[1:])
    if several or any("\t" in line[: len(line) - len(line.lstrip())] for line in lines):
        raise Unsafe("it holds several documents, or tabs")
    found = [number for number, line in enumerate(lines) if re.match(rf"[\"']?{re.escape(key)}[\"']?\s*:", line)]
    if not found:
        return None
    if len(found) > 1 or not re.fullmatch(rf"{re.escape(key)}:\s*(\{{\s*\}}\s*)?(#.*)?", lines[found[0]].strip()):
        raise Unsafe(f"{key} isn't a plain block of lines")
    return found[0]


def _children(lines: list[str], spot: int) -> list[int]:
    """The lines below a key, up to the next one at the top."""
    inside: list[int] = []
    for number in range(spot + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.startswith((" ", "#", "- ")):
            break
        inside.append(number)
    return inside


def _indent(lines: list[str], spot: int) -> str:
    """How far the first block below a key is set in; empty when there is none."""
    for number in _children(lines, spot):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            if line.lstrip().startswith("- "):
                raise Unsafe("what should hold servers is a list")
            return line[: len(line) - len(line.lstrip())]
    return ""


def _named(line: str, indent: str, name: str) -> bool:
    return bool(re.match(rf"{indent}[\"']?{re.escape(name)}[\"']?\s*:", line))
