"""The tools. A package here is a toolset; a tool is one plain async function with `@tool` above it.

Nothing is registered by hand: whatever a toolset's modules define with `@tool` is in `TOOLS`. Only those with
an underscore before their names hold none.
"""

from importlib import import_module
from pkgutil import iter_modules

from dixa_mcp.toolbox import Inventory, Tool


def _tools_of(toolset: str) -> list[Tool]:
    package = import_module(f"{__name__}.{toolset}")
    names = [each.name for each in iter_modules(package.__path__) if not each.name.startswith("_")]
    modules = [import_module(f"{package.__name__}.{name}") for name in names]
    return [thing for module in modules for thing in vars(module).values() if isinstance(thing, Tool)]


TOOLS = Inventory((each.name for each in iter_modules(__path__) if each.ispkg), _tools_of)
