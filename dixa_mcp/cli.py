"""The command line: `dixa-mcp` serves over stdio; its other words help people to try, look and check.

The server's stdout belongs to the protocol, so serving prints nothing there. Each command imports what it
needs when it runs: an agent's start must not pay for a person's table.
"""

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dixa_mcp import __version__
from dixa_mcp.errors import DixaMcpError, SettingsError, explain
from dixa_mcp.settings import Settings, add_flags
from dixa_mcp.startup import COMMANDS, connect, connector, key_of

if TYPE_CHECKING:
    from dixa_mcp.server import DixaServer


def main() -> None:
    """Run the command and leave with its status: 0 done, 1 failed, 2 couldn't start."""
    # Collecting garbage while a thousand classes are made costs a tenth of the start.
    gc.disable()
    try:
        status = run(sys.argv[1:], os.environ)
    except SettingsError as error:
        print(f"dixa-mcp: {error.what} {error.next}".rstrip(), file=sys.stderr)
        status = 2
    except DixaMcpError as error:
        print(f"dixa-mcp: {explain(error)}", file=sys.stderr)
        status = 1
    except (KeyboardInterrupt, BrokenPipeError):
        status = 130
    sys.exit(status)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command line."""
    words = list(arguments)
    if words and words[0] in {"-h", "--help", "help"}:
        _parser().print_help()
        return 0
    if words and words[0] in {"-V", "--version"}:
        print(f"dixa-mcp {__version__}")
        return 0
    command = words.pop(0) if words and not words[0].startswith("-") else "serve"
    if command not in COMMANDS:
        raise SettingsError(f"There is no command {command!r}.", f"There are: {', '.join(COMMANDS)}.")
    if "-h" in words or "--help" in words:
        _parser(command).print_help()
        return 0
    if command == "serve":
        return _serve(words, environment)
    from dixa_mcp import commands  # noqa: PLC0415 - see the module's docstring

    return commands.run(command, words, environment)


def _serve(words: list[str], environment: Mapping[str, str]) -> int:
    settings = Settings.load(words, environment)
    if settings.http:
        return _serve_http(settings, environment)
    if settings.auth != "none" or settings.metrics or settings.metrics_token.get_secret_value():
        raise SettingsError("--auth and --metrics only work with --http.")
    import logging  # noqa: PLC0415 - as above

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    server = _shared(settings, environment) if settings.redis_url.get_secret_value() else _alone(settings, environment)
    gc.freeze()
    gc.enable()
    server.run()
    return 0


def _alone(settings: Settings, environment: Mapping[str, str]) -> "DixaServer":
    dixa = connect(settings, environment)
    from dixa_mcp.server.assembly import assemble  # noqa: PLC0415 - as above

    return assemble(settings, dixa)


def _shared(settings: Settings, environment: Mapping[str, str]) -> "DixaServer":
    """Build a server on stdio that shares pace, budgets and journal with others on the same Redis."""
    from dixa_mcp.client.pace_redis import RedisPace  # noqa: PLC0415 - as above
    from dixa_mcp.http.callers import fingerprint  # noqa: PLC0415 - as above
    from dixa_mcp.server.assembly import assemble  # noqa: PLC0415 - as above
    from dixa_mcp.state.redis import RedisState  # noqa: PLC0415 - as above

    key = key_of(settings, environment)
    state = RedisState(settings.redis_url.get_secret_value(), settings.redis_prefix)
    organisation = fingerprint(key)
    dixa = connector(settings)(key, RedisPace(state.server, organisation, settings.rate))
    return assemble(settings, dixa, state, organisation)


def _serve_http(settings: Settings, environment: Mapping[str, str]) -> int:
    import asyncio  # noqa: PLC0415 - as above

    from dixa_mcp.http import logs  # noqa: PLC0415 - as above
    from dixa_mcp.http.serve import serve  # noqa: PLC0415 - as above
    from dixa_mcp.http.site import Site  # noqa: PLC0415 - as above

    logs.configure()
    key = None if settings.auth == "dixa-token" else key_of(settings, environment)
    site = Site(settings, connector(settings), key)
    gc.freeze()
    gc.enable()
    asyncio.run(serve(site))
    return 0


def _parser(command: str = "") -> argparse.ArgumentParser:
    about = f"dixa-mcp {command}: {COMMANDS[command]}" if command else "An MCP server for Dixa."
    own: list[argparse.ArgumentParser] = []
    if command == "install":
        from dixa_mcp.install import command as install  # noqa: PLC0415 - as above

        own = [install.parser()]
    parser = argparse.ArgumentParser(
        prog=f"dixa-mcp {command}".strip(),
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=own,
        epilog="" if command else "commands:\n" + "\n".join(f"  {name:12}{text}" for name, text in COMMANDS.items()),
    )
    add_flags(parser)
    return parser
