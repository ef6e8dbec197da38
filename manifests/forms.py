"""What the manifests share: who we are, what a target is, how files are written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

OWNER = "example-org"
"""A placeholder: who publishes puts their own name here, and in README's `mcp-name`."""
REPOSITORY = f"https://github.com/{OWNER}/dixa-mcp"
REGISTRY_NAME = f"io.github.{OWNER}/dixa-mcp"
HOST = "dixa-mcp.example.com"
"""A placeholder: where a server of yours listens over HTTP."""
ABOUT = "Read, triage and answer Dixa conversations; nothing reaches a customer without a person."
TOKEN_HELP = "Settings > Integrations > API tokens, in Dixa"  # noqa: S105 - where to find it
AUTHOR = "dixa_mcp contributors"


@dataclass(frozen=True, slots=True)
class Target:
    """One client or catalogue."""

    title: str
    files: Mapping[str, str]
    """Path below `manifests/` → text."""
    where: str
    """Where they go."""


def as_json(data: Any) -> str:
    """Write JSON as people indent it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


class _Dumper(yaml.SafeDumper):
    """Lists set in, as the formatters of the catalogues want them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def as_yaml(data: Any) -> str:
    """Write YAML in the order given."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
