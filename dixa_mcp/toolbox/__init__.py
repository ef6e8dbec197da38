"""What a tool is, as a value: a function, its effect, and the facts guardrails judge by.

Danger is data here. Nothing in this package decides; `guardrails` does.
"""

from dixa_mcp.toolbox.changes import Change, Preview, Undo
from dixa_mcp.toolbox.facts import Aim, Effect, Raise, Use
from dixa_mcp.toolbox.tool import Inventory, Tool, tool

__all__ = ["Aim", "Change", "Effect", "Inventory", "Preview", "Raise", "Tool", "Undo", "Use", "tool"]
