"""A tool, and the inventory of all of them."""

import inspect
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from dixa_mcp.toolbox.changes import Undo
from dixa_mcp.toolbox.facts import Aim, Effect, Raise, Use

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])


@dataclass(slots=True, eq=False)
class Tool:
    """One tool. Everything else (schema, annotations, README row, policy) is derived from this."""

    run: Callable[..., Awaitable[Any]]
    """The function: first `dixa: Dixa` or `call: Call`, then what the model may supply."""
    name: str
    toolset: str
    effect: Effect
    raised: tuple[Raise, ...] = ()
    undo: str = ""
    """The inverse kept in the journal, or empty when a change of this tool can't be undone."""
    once: tuple[str, ...] = ()
    """Parameters that identify what the call creates: the same again is the same thing, not a second one."""
    speaks: tuple[str, ...] = ()
    """Parameters whose text reaches a customer."""
    egress: tuple[str, ...] = ()
    """Parameters that hold URLs or addresses which data would go to; their hosts must be on the allow list."""
    acts_as_agent: bool = False
    """Dixa wants an agent's id for this (notes §11), so an acting agent must be known."""
    touches: str = "conversation_id"
    """The parameter that names the conversation a queue rule looks at, or lists several; empty if there is none."""
    idempotent: bool = False
    always_ask: bool = False
    """A person confirms every write of it, even one that only colleagues would see."""
    up_to: Effect = Effect.READ
    """The worst effect its judge can find, where `raised` doesn't say."""
    uses: tuple[Use, ...] = ()
    """What it does of other tools' work."""
    question: Callable[..., Awaitable[Any]] | None = field(default=None, init=False)
    draft: Callable[..., Awaitable[Any]] | None = field(default=None, init=False)
    existing: Callable[..., Awaitable[Any]] | None = field(default=None, init=False)
    identity: Callable[..., Awaitable[Iterable[object]]] | None = field(default=None, init=False)
    judge: Callable[..., Awaitable[Effect]] | None = field(default=None, init=False)
    leaves: Callable[..., Awaitable[list[str]]] | None = field(default=None, init=False)
    words: Callable[..., Awaitable[list[str]]] | None = field(default=None, init=False)
    proxy: Callable[..., Awaitable["Undo"]] | None = field(default=None, init=False)
    aim: Callable[[Mapping[str, Any]], Aim] | None = field(default=None, init=False)

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """What the model may supply: all parameters but the first, keyword-only."""
        given = list(inspect.signature(self.run).parameters.values())[1:]
        return tuple(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in given)

    @property
    def description(self) -> str:
        """The docstring as the model reads it."""
        return " ".join(inspect.cleandoc(self.run.__doc__ or "").split())

    @property
    def summary(self) -> str:
        """The first sentence of the description, without its full stop."""
        return re.split(r"(?<!e\.g)\. ", self.description, maxsplit=1)[0].rstrip(".")

    @property
    def worst(self) -> Effect:
        """The highest effect that arguments can raise a call to."""
        return max([self.effect, self.up_to, *(r.effect for r in self.raised)], key=lambda effect: effect.rank)

    @property
    def only_reads(self) -> bool:
        """Whether no call of it, with whatever arguments, can do more than read."""
        return self.worst is Effect.READ and self.judge is None and self.proxy is None

    @property
    def two_steps(self) -> bool:
        """Whether the operator's `two-step` can stand in for a person at some call of it."""
        return not self.always_ask and Effect.CUSTOMER in {self.effect, self.up_to, *(r.effect for r in self.raised)}

    def effect_of(self, arguments: Mapping[str, Any], lowered: Iterable[str] = ()) -> Effect:
        """The effect of a call with these arguments."""
        lowered = tuple(lowered)
        raised = [r.effect for r in self.raised if r.applies(arguments, lowered)]
        return max([self.effect, *raised], key=lambda effect: effect.rank)

    def aim_of(self, arguments: Mapping[str, Any]) -> Aim:
        """What a call with these arguments is directed at."""
        if self.aim is not None:
            return self.aim(arguments)
        given = arguments.get(self.touches) or ()
        touched: tuple[int | str, ...] = tuple(given) if isinstance(given, list | tuple) else (given,)  # pyright: ignore[reportUnknownArgumentType] - as validated
        queue = arguments.get("queue")
        return Aim(
            touched,
            (str(queue),) if queue else (),
            tuple(str(arguments[name]) for name in self.speaks if arguments.get(name)),
            max(1, len(touched)),
            str(arguments.get("customer") or "") if self.speaks else "",
        )

    def asks(self, function: Function) -> Function:
        """Attach what builds the question for a person: same parameters as the tool, returns a `Question`."""
        self.question = function
        return function

    def drafts(self, function: Function) -> Function:
        """Attach what is done for colleagues when no person can be asked: same parameters as the tool."""
        self.draft = function
        return function

    def finds(self, function: Function) -> Function:
        """Attach what looks whether the call's result is already in Dixa: same parameters, result or None."""
        self.existing = function
        return function

    def identifies(self, function: Function) -> Function:
        """Attach what says which thing the call creates, where names can be spelt in many ways: same parameters.

        Returns ids and plain texts; two calls for which they are equal are one (see `once`).
        """
        self.identity = function
        return function

    def leaves_to(self, function: Function) -> Function:
        """Attach what lists URLs and addresses data would go to, when parameters alone don't hold them."""
        self.leaves = function
        return function

    def says(self, function: Function) -> Function:
        """Attach what reads the texts that people outside would see, when arguments don't hold them (a draft)."""
        self.words = function
        return function

    def aims(self, function: Callable[[Mapping[str, Any]], Aim]) -> Callable[[Mapping[str, Any]], Aim]:
        """Attach what reads the aim off the arguments, when `touches`, `queue` and `speaks` don't hold it."""
        self.aim = function
        return function

    def judges(self, function: Function) -> Function:
        """Attach what knows a call's effect when arguments alone don't say it (a raw operation)."""
        self.judge = function
        return function

    def stands_for(self, function: Function) -> Function:
        """Attach what names the call that this one really is (an undo): judged by every rule of that tool.

        Same parameters as the tool; the judged call is there as `call.inner` when the tool asks and runs.
        """
        self.proxy = function
        return function


def tool(
    effect: Effect,
    *,
    raised: tuple[Raise, ...] = (),
    undo: str = "",
    once: tuple[str, ...] = (),
    speaks: tuple[str, ...] = (),
    egress: tuple[str, ...] = (),
    acts_as_agent: bool = False,
    touches: str = "conversation_id",
    idempotent: bool = False,
    always_ask: bool = False,
    up_to: Effect = Effect.READ,
    uses: tuple[Use, ...] = (),
    name: str = "",
) -> Callable[[Callable[..., Awaitable[Any]]], Tool]:
    """Make a plain async function a tool. The module's name is its toolset; `dixa_` is put before its name.

    `name` is given only where somebody else fixed the whole of it (OpenAI's `search` and `fetch`).
    """

    def make(run: Callable[..., Awaitable[Any]]) -> Tool:
        return Tool(
            run=run,
            name=name or f"dixa_{run.__name__}",
            toolset=run.__module__.removeprefix("dixa_mcp.tools.").split(".")[0],
            effect=effect,
            raised=raised,
            undo=undo,
            once=once,
            speaks=speaks,
            egress=egress,
            acts_as_agent=acts_as_agent,
            touches=touches,
            idempotent=idempotent,
            always_ask=always_ask,
            up_to=up_to,
            uses=uses,
        )

    return make


class Inventory(Collection[Tool]):
    """All tools there are. A toolset is loaded when its tools are first asked for: a start must not pay for more.

    Args:
        toolsets: their names.
        load: gives the tools of one of them.
    """

    def __init__(self, toolsets: Iterable[str], load: Callable[[str], Iterable[Tool]]) -> None:
        self.toolsets = frozenset(toolsets)
        self._load = cache(load)

    def of(self, toolsets: Iterable[str]) -> list[Tool]:
        """The tools of these toolsets, by name."""
        found = {tool.name: tool for toolset in toolsets for tool in self._load(toolset) if tool.toolset == toolset}
        return [found[name] for name in sorted(found)]

    def __iter__(self) -> Iterator[Tool]:
        return iter(self.of(self.toolsets))

    def __len__(self) -> int:
        return len(self.of(self.toolsets))

    def __contains__(self, tool: object) -> bool:
        return tool in self.of(self.toolsets)
