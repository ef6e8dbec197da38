"""The rows as a table in the terminal, as bench.json, and as the block of README between its marks."""

import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measured import Row
from peer import Peer

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
PACKAGES = ("dixa-mcp", "mcp", "httpx", "pydantic", "anyio", "uvicorn")


def circumstances(peer: Peer | None) -> dict[str, Any]:
    """When, where and with what it was measured."""
    return {
        "dixa": "measured in this run" if peer else "measured once, on another day",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, {_processor()}",
        "load": [round(each, 1) for each in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return found[1] if found else platform.processor() or "unknown processor"


def number(value: float | None, unit: str = "") -> str:
    """A figure for a reader: three digits that count."""
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def cells(row: Row) -> list[str]:
    """The cells of a row."""
    against = f"{number(row.reference, row.unit)} ({row.against})" if row.reference is not None else row.against
    met = {True: "yes", False: "NO", None: ""}[row.met]
    ratio = f"{row.ratio:.2f} ×" if row.ratio is not None else ""
    return [row.title, number(row.ours, row.unit), row.spread, against, ratio, row.target, met, row.dixa]


HEAD = ["What", "Ours", "10-90 %", "Reference", "Ratio", "Target", "Met", "Dixa's own"]


def terminal(rows: Sequence[Row]) -> str:
    """A table that a terminal shows."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def write(rows: Sequence[Row], about: dict[str, Any], file: Path) -> None:
    """Keep all of it as JSON."""
    told = about | {"rows": [row.plain() for row in rows]}
    file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def block(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """README's table: what has a target; requests are counted by the tests."""
    packages = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    taken = (
        f"Measured on {about['date']} with `make bench`, each figure beside its reference in the same run: "
        f"{about['machine']}; Python {about['python']}, {packages}. Other machines give other figures; the ratios "
        f"travel better. The last column was {about['dixa']}."
    )
    # What a neighbour did to the machine is no news for a reader; what was asked for and came out is.
    columns = ("What", "Ours", "Reference", "Ratio", "Target", "Dixa's own")
    chosen = [HEAD.index(column) for column in columns]
    listed = [cells(row) for row in rows if row.met is not None and row.unit != "requests"]
    lines = [columns, *[[line[column] for column in chosen] for line in listed]]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    table.insert(1, "|---|---:|---|---:|---|---|")
    folded = ["<details>", "<summary>All figures</summary>", "", *table, "", "</details>"]
    return "\n".join([BEGIN, "", taken, "", *folded, "", END])


def put_into_readme(text: str, file: Path = ROOT / "README.md") -> bool:
    """Replace the block between the marks; False when README has none."""
    readme = file.read_text(encoding="utf-8")
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    file.write_text(before + text + after, encoding="utf-8")
    return True
