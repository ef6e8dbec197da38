"""A figure beside its reference, and how both are taken: in turn, so that a machine's moods meet both."""

import os
import statistics
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    title: str
    ours: float
    unit: str
    target: str = ""
    met: bool | None = None
    """None where there is no target, or where the reference is missing."""
    reference: float | None = None
    against: str = ""
    """What the reference is."""
    ratio: float | None = None
    spread: str = ""
    """From the tenth to the ninetieth percentile of ours."""
    dixa: str = ""
    """The figure of Dixa's own server: of this run where it was a peer in it, else measured once (design §11)."""

    def plain(self) -> dict[str, Any]:
        """The row as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two things measured in turn, A B A B."""

    ours: list[float]
    reference: list[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios, pair by pair."""
        return statistics.median(a / b for a, b in zip(self.ours, self.reference, strict=True))

    @property
    def least(self) -> float:
        """The ratio of the two quickest: what a quiet machine would say."""
        return min(self.ours) / min(self.reference)


async def each_in_turn(what: Iterable[Callable[[], Awaitable[float]]], rounds: int, warm: int = 1) -> list[list[float]]:
    """Take all of them `rounds` times, one after the other; the first `warm` rounds don't count."""
    measures = list(what)
    taken: list[list[float]] = [[] for _ in measures]
    for number in range(rounds + warm):
        for values, take in zip(taken, measures, strict=True):
            value = await take()
            if number >= warm:
                values.append(value)
    return taken


async def in_turn(
    ours: Callable[[], Awaitable[float]], reference: Callable[[], Awaitable[float]], rounds: int
) -> Pairs:
    """Take both `rounds` times, one after the other, after a round that doesn't count."""
    return Pairs(*await each_in_turn((ours, reference), rounds))


def spread(values: Sequence[float], digits: int = 1) -> str:
    """From the tenth to the ninetieth percentile."""
    if len(values) < 3:
        return ""
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return f"{tenths[0]:.{digits}f}-{tenths[-1]:.{digits}f}"


def cpu(pid: int) -> float:
    """Seconds a process has run on a processor, all its threads together."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def peak(pid: int) -> float:
    """The most memory a process has had, in MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def resident(pid: int | None = None) -> float:
    """Memory a process has now, in MiB."""
    pages = int(Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
