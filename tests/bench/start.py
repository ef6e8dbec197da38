"""From nothing to the list of tools, on stdio."""

import compileall
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from measured import Pairs, Row, cpu, each_in_turn, peak, spread
from peer import Peer
from stdio import OURS, REFERENCE, serving
from test_start import START


def _imported(*code: str) -> dict[str, float]:
    """Milliseconds of each module that a process imports, without those that it imports in turn."""
    told = subprocess.run([sys.executable, "-X", "importtime", *code], capture_output=True, text=True, check=True)
    found = re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", told.stderr, re.MULTILINE)
    return {name: int(taken) / 1000 for taken, name in found}


def profile() -> Row:
    """What our start imports beyond the one-tool server's, as Python itself times it."""
    one = _imported("-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import reference")
    ours = _imported("-c", f"import gc; gc.disable()\n{START}", "--sandbox")
    beyond = {name: taken for name, taken in ours.items() if name not in one}
    longest = ", ".join(f"{name} {beyond[name]:.0f}" for name in sorted(beyond, key=lambda name: -beyond[name])[:5])
    title = f"Start: {len(beyond)} imports beyond the one-tool server's; the longest: {longest}"
    return Row(title, sum(beyond.values()), "ms", reference=sum(one.values()), against="all of its imports")


async def rows(rounds: int, peer: Peer | None) -> list[Row]:
    """Start our server, the one-tool server and the peer in turn."""
    # As pip does for what it installs; a working copy is compiled when it is first run, or never.
    compileall.compile_dir(Path(__file__).parents[2] / "dixa_mcp", quiet=1)
    commands = (OURS, REFERENCE, *([tuple(peer.command)] if peer else []))
    seconds: dict[Sequence[str], list[tuple[float, float]]] = {command: [] for command in commands}

    async def start(command: Sequence[str], *flags: str) -> float:
        began = time.perf_counter()
        async with serving(command, "", *flags) as served:
            await served.open()
            await served.tools()
            took = time.perf_counter() - began
            seconds[command].append((cpu(served.pid), peak(served.pid)))
        return took * 1000

    flags: dict[Sequence[str], tuple[str, ...]] = {OURS: ("--sandbox",)}
    walls = await each_in_turn([partial(start, command, *flags.get(command, ())) for command in commands], rounds)
    spent, memory = (Pairs(*([each[part] for each in seconds[of][1:]] for of in (OURS, REFERENCE))) for part in (0, 1))
    wall = Pairs(*walls[:2])
    theirs = ["", "", ""]
    if peer:
        used = seconds[tuple(peer.command)][1:]
        least, most = min(cpu for cpu, _ in used), statistics.median(peak for _, peak in used)
        theirs = [f"{statistics.median(walls[2]):,.0f} ms", f"{least * 1000:,.0f} ms", f"{most:.1f} MiB"]
    one = "a one-tool server"
    return [
        Row(
            "Start: spawn to tools/list",
            statistics.median(wall.ours),
            "ms",
            "≤ 1.15 ×",
            wall.ratio <= 1.15,
            statistics.median(wall.reference),
            one,
            wall.ratio,
            spread(wall.ours, 0),
            theirs[0],
        ),
        Row(
            "Start: processor time, quickest of each",
            min(spent.ours) * 1000,
            "ms",
            "≤ 1.15 ×",
            spent.least <= 1.15,
            min(spent.reference) * 1000,
            one,
            spent.least,
            spread([each * 1000 for each in spent.ours], 0),
            theirs[1],
        ),
        Row(
            "Start: peak memory",
            statistics.median(memory.ours),
            "MiB",
            "≤ 1.2 ×",
            memory.ratio <= 1.2,
            statistics.median(memory.reference),
            one,
            memory.ratio,
            spread(memory.ours),
            theirs[2],
        ),
        profile(),
    ]
