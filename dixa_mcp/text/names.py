"""Names as people type them, found among the names that exist."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

_NEAREST = 8
#: Similarity (0 to 100) below which a name isn't worth proposing.
_LIKENESS = 62
# "B & C", "B+C", but not the plus of a telephone number.
_AND = re.compile(r"[&]|\+(?!\d)")
_APART = re.compile(r"[^\w]+|_+")
# Letters that don't decompose into a plain one and an accent, as people type them without their keyboard.
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What a name fits: `one` thing, `several`, or none, with the `nearest` names that exist."""

    one: T | None = None
    several: Sequence[T] = ()
    nearest: Sequence[T] = field(default=())

    @property
    def found(self) -> bool:
        """Whether exactly one thing fits."""
        return self.one is not None


def fold(text: str) -> str:
    """Return a name without what people leave out: case, accents, width, punctuation, extra spaces.

    `&` and `+` read "and". A name of nothing but signs folds to those signs.
    """
    bare = _AND.sub(" and ", unicodedata.normalize("NFKC", text).casefold())
    if not bare.isascii():
        split = unicodedata.normalize("NFKD", bare.translate(_PLAIN))
        bare = "".join(character for character in split if not unicodedata.combining(character))
    folded = " ".join(_APART.sub(" ", bare).split())
    return folded or " ".join(bare.split())


class Known(Generic[T]):
    """Candidates and their names, folded once for however many are looked for.

    Args:
        candidates: what there is.
        names: the names of one of them, often several (name, e-mail, id).
    """

    def __init__(self, candidates: Sequence[T], names: Callable[[T], Iterable[str]]) -> None:
        self._names = [(candidate, [name for name in names(candidate) if name]) for candidate in candidates]
        #: Each candidate with its folded names.
        self.folded = [(candidate, [fold(name) for name in mine]) for candidate, mine in self._names]

    def pick(self, text: str) -> Match[T]:
        """Find the candidate a name means.

        Exactly equal beats equal when folded, that beats whole words or the beginning of words, that beats a
        part of a word. The first kind that fits anything decides: one fit is the answer, more are `several`.
        Nothing → the `nearest` by likeness, at most 8, best first, none for rubbish.
        """
        wanted = text.strip()
        folded = fold(text)
        if not folded:
            return Match()
        exact = [candidate for candidate, mine in self._names if wanted in mine]
        if exact:
            return _decided(exact)
        for fits in (_same, _same_closed_up, _by_words, _by_part):
            fitting = [candidate for candidate, mine in self.folded if any(fits(folded, name) for name in mine)]
            if fitting:
                return _decided(fitting)
        return Match(nearest=_nearest(folded, self.folded))


def pick(text: str, candidates: Sequence[T], names: Callable[[T], Iterable[str]]) -> Match[T]:
    """Find the candidate a name means, once; see `Known.pick`."""
    return Known(candidates, names).pick(text)


def _decided(fitting: list[T]) -> Match[T]:
    return Match(one=fitting[0]) if len(fitting) == 1 else Match(several=tuple(fitting))


def _same(wanted: str, name: str) -> bool:
    return wanted == name


def _same_closed_up(wanted: str, name: str) -> bool:
    """Fit "follow up", "follow-up" and "followup"."""
    return wanted.replace(" ", "") == name.replace(" ", "")


def _by_words(wanted: str, name: str) -> bool:
    """Fit when each word asked for begins a word of the name, in the same order."""
    at = -1
    for part in wanted.split():
        at = f" {name}".find(f" {part}", at + 1)
        if at < 0:
            return False
    return len(wanted) > 1


def _by_part(wanted: str, name: str) -> bool:
    return len(wanted) >= 3 and wanted in name


def _nearest(wanted: str, plain: Sequence[tuple[T, Sequence[str]]]) -> tuple[T, ...]:
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only a name that fits nothing needs likeness

    owners = [index for index, (_, mine) in enumerate(plain) for _ in mine]
    names = [name for _, mine in plain for name in mine]
    alike = process.extract(wanted, names, scorer=fuzz.WRatio, score_cutoff=_LIKENESS, limit=None)
    best = sorted((-score, owners[place]) for _, score, place in alike)
    nearest = list(dict.fromkeys(owner for _, owner in best))
    return tuple(plain[owner][0] for owner in nearest[:_NEAREST])
