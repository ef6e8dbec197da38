import csv
import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_document import Contract

SHARED = Path(__file__).parents[3] / "shared" / "dixa-api"


def _text(name: str) -> str:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"needs Dixa's own document, ../shared/dixa-api/{name}, which isn't part of this repository")
    return file.read_text("utf-8")


@functools.cache
def _contract() -> Contract:
    return Contract(yaml.load(_text("openapi.yaml"), Loader=yaml.CSafeLoader))


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Dixa's own document, the oracle."""
    return _contract()


@pytest.fixture(scope="session")
def judged() -> dict[tuple[str, str], dict[str, str]]:
    """The rows of operations.csv, our judgement of kind, reach and undo, by method and path."""
    rows = csv.DictReader(_text("operations.csv").splitlines())
    return {(row["method"], row["path"].removeprefix("/v1")): row for row in rows}


@pytest.fixture(scope="session")
def noted() -> list[tuple[str, str, Any]]:
    """The example bodies of the notes: schema, label and text of the JSON."""
    line = re.compile(r"^- \*\*(\w+(?:\[\])?)\*\* — (.*?): `([\[{].*)`$", re.MULTILINE)
    return [(found[1], found[2], found[3]) for found in line.finditer(_text("notes.md"))]
