"""Stable tokens instead of personal data, and back (design §4.9).

A reduction of what a model sees, not a compliance boundary: what the finders don't know stays.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dixa_mcp.text.clean import visible
from dixa_mcp.text.contacts import Contact, cards, emails, ibans, phones
from dixa_mcp.text.names import fold

_TOKEN = re.compile(r"\[(email|phone|name|card|iban|text)_([1-9][0-9]{0,8})\]")
_WORD = re.compile(r"[^\W_]+")
# Names that are everyday words too; they are taken for names only with a capital.
_EVERYDAY = (
    " will mark may grace hope rose art bill rich pat sue jack bob rob nick dawn faith joy iris april june "
    "august summer frank grant chase dean case page read young long short brown white black green king price "
    "best bitter liebe klein lang gross kurz ernst fast wolf stein bach berg holm lund dahl ask dag liv "
    "son van von der den the and for "
)
_LONGEST_NAME = 8  # words


@dataclass(frozen=True, slots=True)
class Given:
    """A token and what it stands for: how it is compared, and how it was first written."""

    token: str
    kind: str
    canonical: str
    written: str


class Pseudonyms:
    """Tokens of one tenant: `[email_1]`, `[phone_2]`, `[name_3]`, `[card_1]`, `[iban_1]`.

    `values` maps each token to what it stands for, in the spelling first seen; it is a plain dict that
    `State` may hold. One value has one token, however it is spelt. Give each text to `hide` once, as it
    came from Dixa: a token that already stands there is somebody's forgery and is itself hidden as
    `[text_1]`, so `show` gives it back as written instead of what it pretends to be.
    """

    def __init__(
        self,
        values: dict[str, str] | None = None,
        regions: Sequence[str] = (),
        number: Callable[[str], int] | None = None,
    ) -> None:
        """Go on with known values.

        `regions` (`DK`, `SE`) make national telephone numbers known too; `number` chooses a new token's number
        by its kind, else they are counted from 1.
        """
        self._number = number or self._next
        self._given: list[Given] = []
        self.values: dict[str, str] = {} if values is None else values
        self._regions = tuple(regions)
        self._tokens: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}
        self._indexed = 0
        self._names: dict[str, list[tuple[str, ...]]] = {}

    def hide(self, text: str, names: Iterable[str] = ()) -> str:
        """Return the text with tokens for everything personal that is known or can be found.

        `names` are people's names that may stand in it; they, and each of their words of three letters or
        more, stay known for later texts. Invisible characters are removed, since they could split a value.
        """
        self._index()
        for name in names:
            self._learn(name)
        # Every second part is a token, so that nothing is found across or inside one.
        parts = self._cut([visible(text)], "text", _look_alikes)
        before = 0
        while len(parts) != before:  # cutting something out can lay bare something new
            before = len(parts)
            for kind, finder in self._finders():
                parts = self._cut(parts, kind, finder)
        return "".join(parts)

    def show(self, text: str) -> str:
        """Return the text with every known token replaced by its value; unknown ones stay."""
        return _TOKEN.sub(lambda found: self.values.get(found[0], found[0]), text)

    def given(self) -> list[Given]:
        """Return the tokens given since this was last asked."""
        given, self._given = self._given, []
        return given

    def take(self, given: Given) -> None:
        """Take over a token that another gave."""
        self.values[given.token] = given.written
        self._tokens.setdefault((given.kind, given.canonical), given.token)
        self._indexed = len(self.values)
        if given.kind == "name":
            self._learn(given.written)

    def replace(self, given: Given, token: str) -> None:
        """Use another token than the one given here, which nobody has seen yet."""
        if token != given.token:
            self.values.pop(given.token, None)
            self._tokens.pop((given.kind, given.canonical), None)
            self.take(replace(given, token=token))

    def _next(self, kind: str) -> int:
        self._count[kind] = self._count.get(kind, 0) + 1
        return self._count[kind]

    def _finders(self) -> tuple[tuple[str, Callable[[str], Iterator[Contact]]], ...]:
        return (
            ("email", emails),
            ("iban", ibans),
            ("card", cards),
            ("phone", lambda text: phones(text, self._regions)),
            ("name", self._people),
        )

    def _cut(self, parts: list[str], kind: str, finder: Callable[[str], Iterator[Contact]]) -> list[str]:
        """Return alternating text and tokens, with what the finder finds in the texts cut out."""
        cut: list[str] = []
        for index, part in enumerate(parts):
            if index % 2:
                cut.append(part)
                continue
            at = 0
            for found in finder(part):
                if found.start >= at:
                    cut += [part[at : found.start], self._token(kind, found.value, part[found.start : found.end])]
                    at = found.end
            cut.append(part[at:])
        return cut

    def _token(self, kind: str, canonical: str, written: str) -> str:
        key = (kind, canonical)
        if key not in self._tokens:
            token = f"[{kind}_{self._number(kind)}]"
            while token in self.values:
                token = f"[{kind}_{self._number(kind)}]"
            self.values[token] = written
            self._tokens[key] = token
            self._given.append(Given(token, kind, canonical, written))
            self._indexed = len(self.values)
        return self._tokens[key]

    def _index(self) -> None:
        """Take in values that came with the dict, or that another holder of it added."""
        if self._indexed == len(self.values):
            return
        for token, written in self.values.items():
            if found := _TOKEN.fullmatch(token):
                kind = found[1]
                self._count[kind] = max(self._count.get(kind, 0), int(found[2]))
                self._tokens.setdefault((kind, self._canonical(kind, written)), token)
                if kind == "name":
                    self._learn(written)
        self._indexed = len(self.values)

    def _canonical(self, kind: str, written: str) -> str:
        if kind == "name":
            return fold(written)
        finder = dict(self._finders()).get(kind)
        found = next(finder(written), None) if finder else None
        return found.value if found else written

    # --- people's names --------------------------------------------------------------------------

    def _learn(self, name: str) -> None:
        words = tuple(fold(word) for word in _WORD.findall(visible(name)))
        if not words or len(words) > _LONGEST_NAME or "@" in name or not any(character.isalpha() for character in name):
            return
        for learnt in (words, *((word,) for word in words if len(word) >= 3)):
            known = self._names.setdefault(learnt[0], [])
            if learnt not in known and len("".join(learnt)) > 1:
                known.append(learnt)
                known.sort(key=len, reverse=True)

    def _people(self, text: str) -> Iterator[Contact]:
        """Find known names, the longest first; "Will" only with a capital, as it is a word too."""
        if not self._names:
            return
        words = list(_WORD.finditer(text))
        at = 0
        while at < len(words):
            length = self._name_at(text, words[at : at + _LONGEST_NAME])
            if length:
                start, end = words[at].start(), words[at + length - 1].end()
                yield Contact(start, end, fold(text[start:end]))
            at += length or 1

    def _name_at(self, text: str, words: list[re.Match[str]]) -> int:
        """Return how many of these words are a known name, 0 for none."""
        for name in self._names.get(fold(words[0][0]), ()):
            here = words[: len(name)]
            if len(name) == 1 and f" {name[0]} " in _EVERYDAY and here[0][0][0].islower():
                continue
            apart = "".join(text[one.end() : two.start()] for one, two in pairwise(here))
            if tuple(fold(word[0]) for word in here) == name and not apart.strip(" \t\n.-'’_"):
                return len(name)
        return 0


def _look_alikes(text: str) -> Iterator[Contact]:
    return (Contact(found.start(), found.end(), found[0]) for found in _TOKEN.finditer(text))
