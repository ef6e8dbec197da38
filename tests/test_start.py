"""What a start loads. Seconds differ from machine to machine; what is imported doesn't."""

import subprocess
import sys

import pytest

START = """
import gc
import sys
gc.disable()
from dixa_mcp.server.assembly import assemble
from dixa_mcp.settings import Settings
from dixa_mcp.startup import connect
settings = Settings.load(sys.argv[1:], {})
assemble(settings, connect(settings, {"DIXA_API_KEY": "abc"}))
print(*sys.modules)
"""
LATE = {
    *("httpx", "redis", "phonenumbers", "stdnum", "rapidfuzz", "tomllib", "rich"),
    *("dixa_mcp.sandbox", "dixa_mcp.operations", "dixa_mcp.http", "dixa_mcp.client.link", "dixa_mcp.demo"),
}
EXTRA = ("admin.people", "bulk.updating", "chatgpt", "knowledge_write.drafting", "operations.calling", "privacy")


def loaded(*flags: str) -> set[str]:
    """The modules of a process that is about to serve on stdio."""
    done = subprocess.run([sys.executable, "-c", START, *flags], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("flags", [(), ("--sandbox",)], ids=["dixa", "sandbox"])
def test_a_start_loads_only_what_the_list_of_tools_needs(flags: tuple[str, ...]) -> None:
    """Design §10 and §11: the rest comes with the first call that needs it, the sandbox too."""
    modules = loaded(*flags)
    assert not modules & LATE
    assert not modules & {f"dixa_mcp.tools.{name}" for name in EXTRA}


def test_a_toolset_that_is_offered_is_loaded() -> None:
    """The counterpart: what the test above looks for is there when it is wanted."""
    modules = loaded("--toolsets", "default,admin,privacy,bulk,operations,chatgpt,knowledge_write")
    assert {f"dixa_mcp.tools.{name}" for name in EXTRA} <= modules
