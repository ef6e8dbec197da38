"""Which function answers which operation."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache

from dixa_mcp.sandbox.organisation import Organisation
from dixa_mcp.sandbox.wire import Answer, Request

Handler = Callable[[Organisation, Request], Answer]

_HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a function as the answer to operations, by our names for them."""

    def register(handler: Handler) -> Handler:
        for name in names:
            if name in _HANDLERS:
                raise ValueError(f"{name} has a handler already")
            _HANDLERS[name] = handler
        return handler

    return register


@cache
def handlers() -> Mapping[str, Handler]:
    """Return all handlers: every module of `handlers/` is loaded at first use, none is listed by hand."""
    package = importlib.import_module("dixa_mcp.sandbox.handlers")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return _HANDLERS
