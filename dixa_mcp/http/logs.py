"""Logs as JSON lines on stderr: what happened, never what was said. No bodies, tokens or queries."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

#: Made once: `json.dumps` with options makes an encoder for each line.
_line = json.JSONEncoder(ensure_ascii=False, default=str).encode


class JsonLines(logging.Formatter):
    """One JSON object a line; line breaks in a message can't fake another."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record down."""
        facts: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            facts["error"] = self.formatException(record.exc_info)
        return _line(facts)


def configure() -> None:
    """Log this way: our own records from INFO, those of libraries from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("dixa_mcp").setLevel(logging.INFO)
