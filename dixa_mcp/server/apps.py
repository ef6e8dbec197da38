"""MCP Apps: pages that hosts which can (and say so) show beside a tool's answer.

A page is one file without network access. It gets what the tool answered as structured content; a host that
shows no pages loses nothing, for the text says the same.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mcp.server.apps import Apps

METRIC_PAGE = "ui://dixa/metric.html"
PAGES = {"dixa_query_metric": METRIC_PAGE}
"""Tool → the page that shows its answers."""


def app_of(tool: str) -> dict[str, Any] | None:
    """The `_meta` that binds a tool to its page; None when it has none."""
    uri = PAGES.get(tool)
    return {"ui": {"resourceUri": uri}} if uri else None


def pages_for(tools: Iterable[str]) -> list[Apps]:
    """The extension with the pages of these tools; nothing when none of them has one."""
    if "dixa_query_metric" not in set(tools):
        return []
    apps = Apps()
    page = Path(__file__).with_name("metric.html").read_text(encoding="utf-8")
    apps.add_html_resource(METRIC_PAGE, page, name="metric-chart", title="Metric chart", prefers_border=True)
    return [apps]


def is_page(uri: str) -> bool:
    """Whether a resource is a page: it holds no data, so it isn't the call of a tool."""
    return uri in PAGES.values()
