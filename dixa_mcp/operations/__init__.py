"""The 123 operations of Dixa's API as data: how to call them, what they take, and how dangerous they are.

A leaf: it knows neither HTTP nor MCP. The facts are in `operations.toml`, checked against Dixa's own
document by the tests; names, effects and words are ours (design §3, notes §1).
"""

from dixa_mcp.operations.data import match, operations
from dixa_mcp.operations.model import Operation, Parameter, Problem
from dixa_mcp.operations.requests import effects_of, problems, shape_of

__all__ = ["Operation", "Parameter", "Problem", "effects_of", "match", "operations", "problems", "shape_of"]
