"""Answers of raw calls as text: the wire's own field names, without quotes, nulls and secrets.

Lists of alike records become a table, since names of fields cost more than the values; everything stands in
the fence, for customers' words can be anywhere in it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dixa_mcp.client.loose import fields, items
from dixa_mcp.render import View, fit, render
from dixa_mcp.text.clean import clean, html_to_text, line
from dixa_mcp.toolbox import Change

LONG_ALONE, LONG_IN_LIST = 12_000, 1_500
"""Characters of one text, in an answer of one record and in a list."""
TABLE_FROM = 3
"""Records from which a table pays."""
HIDDEN = "(hidden)"

_SECRET = re.compile(r"secret|password|authorization|api.?key|token", re.IGNORECASE)
_SECRET_BELOW = frozenset({"headers", "customHeaders", "authorization"})
"""Fields in which every value is a secret, whatever it is called (notes §19)."""
_PERSONAL = frozenset({"End Users", "Agents", "Conversations", "Search"})
"""Sections whose records are of people."""
_PERSONAL_TOO = frozenset({"list_webhook_deliveries", "query_metric_records"})
"""Operations elsewhere that show such records."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a raw read found."""

    operation: str
    tag: str
    data: Any
    next_key: str | None = None
    offset: int = 0

    @property
    def personal(self) -> int:
        """Personal records shown."""
        if self.tag not in _PERSONAL and self.operation not in _PERSONAL_TOO:
            return 0
        return 1 if fields(self.data) else len(items(self.data))


@dataclass(slots=True)
class RawChange(Change):
    """What a raw write did, with what Dixa answered."""

    data: Any = field(default=None)
    tag: str = ""


@render.register
def _(answer: RawAnswer, view: View) -> str:
    data: Any = _shown(answer.data, answer.tag)
    everything = items(data)
    if not isinstance(answer.data, list):
        return view.fence.wrap(_outlined(data)) if data not in (None, {}) else f"{answer.operation}: nothing there."
    records = everything[answer.offset :]
    if not records:
        return f"{answer.operation}: none" + (f" from {answer.offset} on." if answer.offset else ".")
    head, rows = _rows(records)
    kept = fit(rows)
    first = answer.offset + 1
    lines = [
        f"{len(records)} records"
        if kept == len(rows)
        else f"Records {first} to {answer.offset + kept} of {len(everything)}"
    ]
    lines.append(view.fence.wrap("\n".join([*head, *rows[:kept]])))
    if kept < len(rows):
        lines.append(f"More: the same call with offset={answer.offset + kept}")
    elif answer.next_key:
        lines.append(f"More: query pageKey={answer.next_key}")
    return "\n".join(lines)


@render.register
def _(change: RawChange, view: View) -> str:
    data = _shown(change.data, change.tag)
    said = render.dispatch(Change)(change, view)
    if data in (None, {}, []):
        return said
    return f"{said}\nDixa answered:\n{view.fence.wrap(_outlined(data))}"


def address(url: str) -> str:
    """Return a URL without user, password and query, any of which may be a secret."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    return line(f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}", 200) + ("?…" if parts.query else "")


def payload(text: str) -> Any:
    """Read what a webhook delivered, without its secrets; as it is where it is no JSON."""
    try:
        return redacted(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _shown(data: Any, tag: str) -> Any:
    """Return data as it may be shown: webhooks hold secrets in texts, too (notes §19)."""
    return pruned(_webhooks(redacted(data)) if tag == "Webhooks" else redacted(data))


def _webhooks(data: Any) -> Any:
    if isinstance(data, list):
        return [_webhooks(each) for each in items(data)]
    if not isinstance(data, dict):
        return data
    read = {"url": address, "payload": payload}
    return {
        name: read[name](value) if name in read and isinstance(value, str) else _webhooks(value)
        for name, value in fields(data).items()
    }


def redacted(data: Any, below: bool = False) -> Any:
    """Return data without secrets: keys, passwords, tokens and all header values (notes §19)."""
    if isinstance(data, list):
        return [redacted(each, below) for each in items(data)]
    if not isinstance(data, dict):
        return HIDDEN if below and data is not None else data
    found: dict[str, Any] = {}
    for name, value in fields(data).items():
        if name == "_type":
            found[name] = value
        elif name in _SECRET_BELOW or below:
            found[name] = redacted(value, below=True)
        elif _SECRET.search(name) and isinstance(value, str):
            found[name] = HIDDEN
        else:
            found[name] = redacted(value)
    return found


def pruned(data: Any) -> Any:
    """Return data without what is empty, and with hidden HTML of messages dropped."""
    if isinstance(data, list):
        return [pruned(each) for each in items(data)]
    if not isinstance(data, dict):
        return data
    given = fields(data)
    if given.get("_type") == "Html" and isinstance(given.get("value"), str):
        return {"_type": "Html", "value": html_to_text(given["value"])}
    shown = {name: pruned(value) for name, value in given.items()}
    return {name: value for name, value in shown.items() if value not in (None, "", [], {})}


def indented(data: Any, depth: int = 0) -> Iterator[str]:
    """Yield data as lines for a person: a field a line, what is inside further right."""
    space = "  " * depth
    if isinstance(data, dict):
        for name, value in fields(data).items():
            if isinstance(value, (dict, list)) and value:
                yield f"{space}{name}:"
                yield from indented(value, depth + 1)
            else:
                yield f"{space}{name}: {_plainly(value, space)}"
    elif isinstance(data, list):
        for each in items(data):
            lines = list(indented(each, depth + 1))
            yield f"{space}- {lines[0].strip()}" if lines else f"{space}-"
            yield from lines[1:]
    else:
        yield f"{space}{_plainly(data, space)}"


def _plainly(value: Any, space: str) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return clean(text).replace("\n", f"\n{space}  ")


def _rows(records: list[Any]) -> tuple[list[str], list[str]]:
    """Return the head and the rows of a list: a table where the records are alike, else a record a line."""
    if len(records) >= TABLE_FROM and all(isinstance(each, dict) for each in records):
        columns = list(dict.fromkeys(name for each in records for name in each))
        filled = sum(len(each) for each in records)
        if columns and filled >= 0.6 * len(columns) * len(records):
            return [" | ".join(columns)], [" | ".join(_cell(each.get(name)) for name in columns) for each in records]
    return [], [_record(each) for each in records]


def _record(thing: Any) -> str:
    if not isinstance(thing, dict):
        return flow(thing, LONG_IN_LIST)
    return " | ".join(f"{name}: {_cell(value)}" for name, value in fields(thing).items())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _shortened(value, LONG_IN_LIST).replace("\n", "\\n").replace("|", "¦")
    return flow(value, LONG_IN_LIST)


def _outlined(data: Any) -> str:
    """Return one thing, a field a line and what is inside a field on its line."""
    if isinstance(data, list):
        head, rows = _rows(items(data))
        return "\n".join([*head, *rows])
    if not isinstance(data, dict):
        return _shortened(str(data), LONG_ALONE)
    lines = [
        f"{name}: {_shortened(value, LONG_ALONE) if isinstance(value, str) else flow(value, LONG_ALONE)}"
        for name, value in fields(data).items()
    ]
    return "\n".join(lines)


def flow(value: Any, limit: int) -> str:
    """Return a value on one line; each of its texts is cut at `limit` characters."""
    if isinstance(value, dict):
        inside = ", ".join(f"{name}: {flow(each, limit)}" for name, each in fields(value).items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow(each, limit) for each in items(value))}]"
    if isinstance(value, str):
        text = _shortened(value, limit)
        return json.dumps(text, ensure_ascii=False) if re.search(r"[,{}\[\]\n\"]", text) else text
    return json.dumps(value)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"
