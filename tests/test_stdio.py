"""The real process on stdio: both eras, clean stdout, one clear line when it can't start."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from dixa_mcp import __version__
from dixa_mcp.sandbox import Sandbox, serving

SERVER = [sys.executable, "-m", "dixa_mcp"]


@asynccontextmanager
async def child(era: str, *flags: str, env: dict[str, str] | None = None) -> AsyncGenerator[Client]:
    """A client of the server as a host starts it."""
    parameters = StdioServerParameters(command=SERVER[0], args=[*SERVER[1:], "--no-audit", *flags], env=env or {})
    async with Client(parameters, mode=era) as client:
        yield client


def text(result: Any) -> str:
    """The text of a tool's answer."""
    return "\n".join(block.text for block in result.content)


async def test_the_sandbox_is_enough_to_work(era: str) -> None:
    """Without a Dixa account, `--sandbox` runs everything (design §1)."""
    async with child(era, "--sandbox") as client:
        assert len((await client.list_tools()).tools) == 30
        found = await client.call_tool("dixa_find_customers", {"email": "olivia.hart@example.com"})
        assert "Olivia Hart" in text(found)
        assert client.server_info
        assert client.server_info.version == __version__


async def test_one_hanging_request_holds_up_nobody(era: str) -> None:
    """The process serves others while one call waits for Dixa (issue: bad input)."""
    sandbox = Sandbox()
    async with serving(sandbox) as base_url:
        flags = ("--base-url", base_url, "--deadline", "20")
        async with child(era, *flags, env={"DIXA_API_KEY": "sandbox-admin-token"}) as client:
            await client.call_tool("dixa_status")
            sandbox.faults.add("list_tags", kind="slow", seconds=60)
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "dixa_lookup", {"kind": "tags"})
                with anyio.fail_after(10):
                    said = await client.call_tool("dixa_find_customers", {"email": "olivia.hart@example.com"})
                assert "Olivia Hart" in text(said)
                group.cancel_scope.cancel()


def start(*flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Start the command with a bare environment and an empty stdin."""
    bare = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    return subprocess.run(
        [*SERVER, *flags], env={**bare, **env}, input="", capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("flags", "env", "words"),
    [
        ((), {}, "No Dixa token. Set DIXA_API_KEY (or --api-key-file), or try --sandbox."),
        ((), {"DIXA_API_KEY": "${DIXA_API_KEY}"}, "placeholder"),
        (("--read-only",), {"DIXA_API_KEY": "x"}, "Unknown argument --read-only"),
        (("--sandbox", "--exclude-tools", "dixa_send_replies"), {}, "Did you mean dixa_send_reply?"),
        (("--sandbox",), {"DIXA_MCP_MOD": "confirm"}, "Did you mean DIXA_MCP_MODE?"),
        (("--base-url", "http://dev.dixa.io/v1"), {"DIXA_API_KEY": "x"}, "https"),
        (("serv",), {}, "There is no command 'serv'"),
    ],
)
def test_what_it_cannot_start_with_is_one_line_on_stderr(
    flags: tuple[str, ...], env: dict[str, str], words: str
) -> None:
    """Neither token nor sandbox, a mistyped guard, an unfilled placeholder → one line, exit 2."""
    result = start(*flags, **env)
    assert result.returncode == 2
    assert result.stdout == ""
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_stdout_carries_the_protocol_only() -> None:
    """With nothing on stdin, nothing is on stdout."""
    result = start("--sandbox", "--no-audit")
    assert (result.returncode, result.stdout) == (0, "")


def test_help_is_for_people() -> None:
    """`--help` and the help of a command."""
    said = start("--help").stdout
    assert "--mode" in said
    assert "demo" in said
    assert "--mode" in start("tools", "--help").stdout
