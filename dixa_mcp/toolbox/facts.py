"""The facts a tool is judged by: its effect, what raises it, what it aims at and what it does besides."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Effect(StrEnum):
    """What a call does to the world, from harmless to final; `max` of several is the worst."""

    READ = "read"
    """Nothing changes."""
    INTERNAL = "internal"
    """Colleagues only; reversible or harmless."""
    CUSTOMER = "customer"
    """Somebody outside may notice."""
    EGRESS = "egress"
    """Data can leave the organisation."""
    IRREVERSIBLE = "irreversible"
    """Gone for good."""

    @property
    def rank(self) -> int:
        """Position in the order above."""
        return _RANKS[self]

    def __lt__(self, other: str) -> bool:
        return self.rank < Effect(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Effect(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Effect(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Effect(other).rank


_RANKS = {effect: rank for rank, effect in enumerate(Effect)}


@dataclass(frozen=True, slots=True)
class Raise:
    """An argument that makes a call worse than its tool: this parameter, with this value (any, when None)."""

    parameter: str
    effect: Effect
    value: str | None = None
    unless: Literal["", "close_is_internal"] = ""
    """A setting of the operator that takes this raise back."""

    def applies(self, arguments: Mapping[str, Any], lowered: Iterable[str]) -> bool:
        """Say whether these arguments trip it; `lowered` names the settings that are on."""
        if self.unless and self.unless in lowered:
            return False
        given = arguments.get(self.parameter)
        return bool(given) if self.value is None else given == self.value


@dataclass(frozen=True, slots=True)
class Aim:
    """What a call is directed at, read off its arguments alone; rules and budgets judge by it."""

    conversations: tuple[int | str, ...] = ()
    """The conversations it reads or changes; a queue rule looks at each."""
    queues: tuple[str, ...] = ()
    """The queues it moves something to, by name or id."""
    texts: tuple[str, ...] = ()
    """What a customer would read."""
    amount: int = 1
    """How many things it changes; a budget counts each."""
    customer: str = ""
    """The person it speaks to, where no conversation says so: as the model named them."""


@dataclass(frozen=True, slots=True)
class Use:
    """Another tool's work that a call does by the way: where that tool may not run, such a call may not either."""

    tool: str
    """Name of the other tool."""
    parameter: str = ""
    """The argument that asks for it; empty when every call does it."""
    when: Callable[[Any], bool] = bool
    """Which values of the argument ask for it."""
    passes: str = ""
    """The other tool's parameter that gets the argument's value, where its effect depends on it."""
    drafting: bool = False
    """Done only in place of the call itself, when a draft is all that may be left."""

    @property
    def always(self) -> bool:
        """Whether there is no call of the tool without it."""
        return not (self.parameter or self.drafting)

    def applies(self, arguments: Mapping[str, Any], *, drafting: bool) -> bool:
        """Say whether a call with these arguments does it."""
        if self.drafting or drafting:
            return self.drafting and drafting
        return not self.parameter or self.when(arguments.get(self.parameter))
