"""The tools. A module (or package) here is a toolset; a tool is one plain async function with `@tool` above it.

Nothing is registered by hand: whatever a module defines with `@tool` is in `TOOLS`.
"""

from importlib import import_module
from pkgutil import walk_packages

from dixa_mcp.toolbox import Tool


def _collected() -> tuple[Tool, ...]:
    names = [module.name for module in walk_packages(__path__, f"{__name__}.")]
    modules = [import_module(name) for name in names if "._" not in name]
    found = {thing.name: thing for module in modules for thing in vars(module).values() if isinstance(thing, Tool)}
    return tuple(found[name] for name in sorted(found))


TOOLS = _collected()
