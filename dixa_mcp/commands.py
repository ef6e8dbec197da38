"""The commands for people: call, tools, policy, check, audit, sandbox, install, completion, demo."""

import json
import re
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from dixa_mcp.client.dixa import Dixa
from dixa_mcp.client.paths import at
from dixa_mcp.errors import DixaMcpError, SettingsError, explain
from dixa_mcp.guardrails.audit import state_directory, verify
from dixa_mcp.guardrails.call import Caller
from dixa_mcp.guardrails.policy import Policy
from dixa_mcp.install.command import Machine, install
from dixa_mcp.install.completion import script
from dixa_mcp.server.assembly import assemble
from dixa_mcp.settings import Settings
from dixa_mcp.startup import COMMANDS, connect
from dixa_mcp.toolbox import Effect, Tool
from dixa_mcp.tools import TOOLS

CLOCK_TOLERANCE = 60.0
"""Seconds this machine's clock may differ from Dixa's before `check` warns."""


def run(command: str, words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one of the commands.

    Raises:
        SettingsError: Its words can't be understood.
    """
    match command:
        case "call":
            return anyio.run(_call, list(words), environment)
        case "tools":
            return _tools(Settings.load(words, environment))
        case "policy":
            return _policy(Settings.load(words, environment))
        case "check":
            return anyio.run(_check, Settings.load(words, environment), environment)
        case "audit":
            return _audit(list(words), environment)
        case "token":
            return _token(list(words))
        case "sandbox":
            return _sandbox(list(words))
        case "install":
            return install(words, Machine.this(environment))
        case "completion":
            print(script(next(iter(words), ""), COMMANDS, [tool.name for tool in TOOLS]), end="")
            return 0
        case _:
            from dixa_mcp.demo import demo  # noqa: PLC0415 - it starts a server of its own

            return anyio.run(demo)


async def _call(words: list[str], environment: Mapping[str, str]) -> int:
    if not words or words[0].startswith("-"):
        raise SettingsError("Which tool?", "For instance: dixa-mcp call dixa_find_customers email=… --sandbox")
    name = words[0] if words[0].startswith("dixa_") else f"dixa_{words[0]}"
    pairs = [word for word in words[1:] if "=" in word and not word.startswith("-")]
    settings = Settings.load([word for word in words[1:] if word not in pairs], environment)
    dixa = connect(settings, environment)
    server = assemble(settings, dixa)
    ask = _ask_at_terminal if sys.stdin.isatty() and sys.stderr.isatty() else None
    try:
        async with Client(server, elicitation_callback=ask) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            schema = tools[name].input_schema if name in tools else {}
            result = await client.call_tool(name, arguments(pairs, schema))
    finally:
        await dixa.aclose()
    _show(result)
    return 1 if result.is_error else 0


def arguments(pairs: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read `key=value` words by the tool's schema: lists take commas or JSON, everything else what it looks like."""
    known: dict[str, Any] = schema.get("properties", {})
    given: dict[str, Any] = {}
    for pair in pairs:
        key, text = pair.split("=", 1)
        kind = known.get(key, {}).get("type", "string")
        if kind == "string":
            given[key] = text
        elif kind == "array" and not text.startswith("["):
            given[key] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            try:
                given[key] = json.loads(text)
            except json.JSONDecodeError:
                given[key] = text
    return given


async def _ask_at_terminal(context: Any, params: ElicitRequestParams) -> ElicitResult:
    """Put the question on stderr, so that stdout holds the tool's answer only."""
    print(f"\n{params.message}\n", file=sys.stderr)
    properties: dict[str, Any] = getattr(params, "requested_schema", {}).get("properties", {})
    typed = "typed" in properties
    prompt = "Type the id to agree, or nothing to refuse: " if typed else "Agree? [y/N] "
    print(prompt, end="", file=sys.stderr, flush=True)
    words = (await anyio.to_thread.run_sync(sys.stdin.readline)).strip()
    if typed:
        return ElicitResult(action="accept", content={"typed": words}) if words else ElicitResult(action="decline")
    return ElicitResult(action="accept", content={"agree": words.casefold() in {"y", "yes"}})


def _show(result: CallToolResult) -> None:
    for block in result.content:
        if isinstance(block, TextContent):
            print(block.text)
        else:
            print(f"({block.type}, {getattr(block, 'mime_type', '')})")


def tokens(tool: Tool, schema: Mapping[str, Any]) -> int:
    """Tokens of a tool in `tools/list`, estimated at four bytes a token; the tests count exactly."""
    return len(f"{tool.name}{tool.description}{json.dumps(schema, separators=(',', ':'))}".encode()) // 4


def _tools(settings: Settings) -> int:
    from dixa_mcp.server.frame import bind  # noqa: PLC0415 - only this command needs schemas without a server

    def nobody() -> Any:
        raise AssertionError("listing calls nothing")

    rows = [("tool", "effect", "toolset", "tokens")]
    for tool in Policy(settings, TOOLS).offered():
        effect = str(tool.effect) + (f" to {tool.worst}" if tool.worst is not tool.effect else "")
        rows.append((tool.name, effect, tool.toolset, f"≈{tokens(tool, bind(tool, nobody, settings).parameters)}"))
    _table(rows)
    return 0


def _policy(settings: Settings) -> int:
    policy = Policy(settings, TOOLS)
    rows = [("tool", "effect", "what happens")]
    for tool in policy.tools.values():
        effects = sorted(
            {tool.effect, tool.up_to, *(each.effect for each in tool.raised)}, key=lambda effect: effect.rank
        )
        rows += [(tool.name, str(effect), _outcome(policy, tool, effect)) for effect in effects]
    _table(rows)
    return 0


def _outcome(policy: Policy, tool: Tool, effect: Effect) -> str:
    if reason := policy.why_not(tool, effect, Caller()):
        return f"refused: {reason}"
    if effect is Effect.READ:
        return "runs"
    return "runs after a person agreed" if policy.needs_person(tool, effect) else "runs, counted"


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


async def _check(settings: Settings, environment: Mapping[str, str]) -> int:
    dixa = connect(settings, environment)
    try:
        return await _checked(dixa, sandbox=settings.sandbox)
    finally:
        await dixa.aclose()


async def _checked(dixa: Dixa, *, sandbox: bool) -> int:
    try:
        organisation = await dixa.catalogue.organization()
    except DixaMcpError as error:
        print(f"✗ {explain(error)}")
        return 1
    print(f"✓ token accepted; organisation {organisation.name} ({organisation.status or 'status unknown'})")
    started = time.perf_counter()
    await dixa.get(at("/organization"))
    print(f"✓ a request takes {(time.perf_counter() - started) * 1000:.0f} ms")
    now = await dixa.now()
    ahead = now.timestamp() - time.time()
    if sandbox:
        print(f"✓ the sandbox's clock stands at {now:%Y-%m-%d %H:%M} UTC")
    else:
        mark = "✓" if abs(ahead) < CLOCK_TOLERANCE else "!"
        print(f"{mark} Dixa's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's")
    for title, read in (("agents", dixa.catalogue.agents), ("queues", dixa.catalogue.queues)):
        try:
            print(f"✓ {len(await read())} {title} can be read")
        except DixaMcpError as error:
            print(f"! {title} can't be read: {error.what}")
    print("? Dixa doesn't tell which rights a token has; a missing one shows only when it is needed.")
    return 0


def _audit(words: list[str], environment: Mapping[str, str]) -> int:
    if not words or words[0] != "verify":
        raise SettingsError("What about the audit files?", "There is: dixa-mcp audit verify [FILE …]")
    files = [Path(word) for word in words[1:] if not word.startswith("-")]
    if not files:
        settings = Settings.load([word for word in words[1:] if word.startswith("-")], environment)
        files = sorted(((settings.state_dir or state_directory()) / "audit").glob("audit-*.jsonl"))
    if not files:
        print("There is no audit file yet.")
        return 0
    damaged = False
    for file in files:
        try:
            breaks = list(verify(file))
        except OSError as error:
            raise SettingsError(f"{file} can't be read: {error.strerror}.") from error
        for damage in breaks:
            print(f"✗ {file.name} line {damage.line}: {damage.why}")
        damaged = damaged or bool(breaks)
        if not breaks:
            print(f"✓ {file.name}: the chain is whole")
    return 1 if damaged else 0


def _token(words: list[str]) -> int:
    name = words[0] if len(words) == 1 else ""
    if not name:
        raise SettingsError("Whose bearer is it to be?", "For instance: dixa-mcp token slack-bot >> callers.toml")
    if not re.fullmatch(r"[\w.@+-]{1,64}", name):
        raise SettingsError(f"{name!r} can't be a caller's name.", "Use letters, digits and _ . @ + -, 64 at most.")
    bearer = secrets.token_urlsafe(32)
    print(f'[[caller]]\nname = {json.dumps(name)}\nsha256 = "{sha256(bearer.encode()).hexdigest()}"')
    print('# agent = "mia@example.com"   # acts as this agent')
    print(f'# cap = "internal"   # {", ".join(Effect)}')
    print("# until = 2027-01-31   # the last day it is good\n")
    print(f"The bearer of {name}, shown only now: {bearer}", file=sys.stderr)
    return 0


def _sandbox(words: list[str]) -> int:
    import argparse  # noqa: PLC0415 - only this command has flags of its own

    from dixa_mcp.sandbox import Sandbox, serve  # noqa: PLC0415 - it loads its data

    parser = argparse.ArgumentParser(prog="dixa-mcp sandbox", allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8787)
    parser.add_argument("--scale", type=int, default=0, metavar="N", help="seed N more conversations")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-rate-limit", action="store_true")
    given = parser.parse_args(words)
    print(f"Dixa's imitation: http://127.0.0.1:{given.port}/v1 with the token sandbox-admin-token", file=sys.stderr)
    sandbox = Sandbox(rate=None if given.no_rate_limit else 10, scale=given.scale, seed=given.seed)
    anyio.run(serve, sandbox, "127.0.0.1", given.port)
    return 0
