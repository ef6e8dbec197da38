"""An MCP server for Dixa."""

__version__ = "0.1.0"
