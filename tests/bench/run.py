"""Measure: python tests/bench/run.py [--quick] [--readme] [--peer COMMAND] [context start calls paced …].

Each figure stands beside its reference, taken in the same run. Nothing here fails because a machine is slow;
what is exact (tokens, requests, sizes) is held by the tests.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # front_door, which the tests share

import calls
import context
import growth
import http_load
import load
import paced
import plain
import report
import start
from measured import Row
from peer import Peer

QUICK = argparse.Namespace(starts=5, gets=15, calls=2_000, large=10_000, plain=5, each=10, load=1_000)
WHOLE = argparse.Namespace(starts=15, gets=60, calls=10_000, large=100_000, plain=15, each=20, load=10_000)


def sections(size: argparse.Namespace, peer: Peer | None = None) -> Mapping[str, Callable[[], Awaitable[list[Row]]]]:
    """What can be measured, by name."""
    return {
        "context": lambda: context.rows(peer),
        "start": lambda: start.rows(size.starts, peer),
        "calls": lambda: calls.rows(size.gets, size.calls, peer),
        "paced": lambda: paced.rows(peer),
        "growth": lambda: growth.rows(size.large),
        "plain": lambda: plain.rows(size.plain),
        "http": lambda: http_load.rows(size.each),
        "load": lambda: load.rows(size.load),
    }


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(chosen: list[str], peer: Peer | None, *, quick: bool, readme: bool) -> None:
    """Measure what was chosen, print it, and keep it."""
    known = sections(QUICK if quick else WHOLE, peer)
    about = report.circumstances(peer)
    say(f"{about['date']}  {about['machine']}  load {about['load']}  Python {about['python']}")
    rows = list[Row]()
    for name in chosen or known:
        say(f"\n{name}")
        found = await known[name]()
        say(report.terminal(found))
        rows += found
    if chosen:
        return
    report.write(rows, about, report.ROOT / "bench.json")
    say("\nWritten to bench.json.")
    if readme:
        put = report.put_into_readme(report.block(rows, about))
        say("README's table is new." if put else f"README has no {report.BEGIN} … {report.END}, so it stays as it is.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the server beside its references.")
    parser.add_argument("sections", nargs="*", choices=[[], *sections(WHOLE)], help="only these; all if left out")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--readme", action="store_true", help="put the table into README")
    Peer.add_flags(parser)
    given = parser.parse_args()
    asyncio.run(main(given.sections, Peer.of(given), quick=given.quick, readme=given.readme))
