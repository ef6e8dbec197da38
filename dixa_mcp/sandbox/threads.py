"""What hangs on conversations, by number, and the generated ones nobody has looked at yet."""

import copy
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from dixa_mcp.sandbox.stories import LETTERS, Story, book, words_of
from dixa_mcp.sandbox.wire import Json

#: When (seconds since 1970), which conversation, which entry of its log.
Moment = tuple[float, int, int]


class Index:
    """Which stories hold which word. It is made once; who is told meanwhile has to be left out of its answers."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self._phrases: list[list[int]] = [[] for _ in book().phrases]
        self._names: dict[str, list[int]] = {}
        self._numbers = array("q")  # in the order of `_csids`
        self._csids = array("q")
        for story in stories:
            csid = story.csid
            for phrase in (*story.frame(), *story.lines()):
                self._phrases[phrase.at].append(csid)
            self._numbers.append(story.number)
            self._csids.append(csid)
            if story.channel in LETTERS:
                for name in _words(story.name) if story.turns == 1 else _words(story.name) | _words(story.agent_name):
                    self._names.setdefault(name, []).append(csid)

    @lru_cache(maxsize=512)  # noqa: B019 - an index lives as long as its sandbox
    def having(self, word: str) -> frozenset[int]:
        """Return the stories with a word, and those about an order of that number."""
        lists = [self._phrases[at] for at in book().words.get(word, [])]
        lists.append(self._names.get(word, []))
        if word.isdecimal() and len(word) < 12:
            number = int(word)
            lists.append([csid for csid, held in zip(self._csids, self._numbers, strict=True) if held == number])
        return frozenset(chain.from_iterable(lists))


_words = lru_cache(maxsize=100_000)(words_of)


class Untold:
    """Generated conversations whose messages, notes and log aren't written out yet, and an index of their words."""

    def __init__(self, tell: Callable[[Story], None]) -> None:
        self.stories: dict[int, Story] = {}
        self._tell = tell

    def tell(self, csid: int) -> None:
        """Write out what hangs on a conversation, unless it is already."""
        if story := self.stories.pop(csid, None):
            self._tell(story)

    def search(self, words: Sequence[str], match: Callable[[Sequence[str]], bool], *, exact: bool) -> set[int]:
        """Return the conversations in which all words occur; `match` decides where the index can't."""
        found: frozenset[int] | None = None
        unsure = exact and len(words) > 1
        for word in words:
            parts = words_of(word)
            unsure = unsure or parts != {word.lower()} or word.isdigit()
            for part in parts:
                found = self._index.having(part) if found is None else found & self._index.having(part)
        ids = self.stories.keys() if found is None else self.stories.keys() & found
        return {csid for csid in ids if match(self._texts(self.stories[csid]))} if unsure else set(ids)

    @staticmethod
    def _texts(story: Story) -> list[str]:
        subject = [story.spelt(story.speech.subjects[story.matter])] if story.channel in LETTERS else []
        return subject + story.texts()

    @cached_property
    def _index(self) -> Index:
        return Index(self.stories.values())

    def log(self, start: float, end: float) -> list[Moment]:
        """Return the entries of the logs in a span, both ends included, in order."""
        first, last = bisect_left(self._log, (start, 0, 0)), bisect_right(self._log, (end, 1 << 63, 0))
        return [moment for moment in self._log[first:last] if moment[1] in self.stories]

    @cached_property
    def _log(self) -> list[Moment]:
        stories = self.stories.values()
        return sorted((at, story.csid, n) for story in stories for n, (_, at, _) in enumerate(story.log()))


class Threads(MutableMapping[int, list[Json]]):
    """One table of what hangs on conversations: messages, notes or log. To look at an untold one tells it."""

    def __init__(self, told: dict[int, list[Json]] | None = None, untold: Untold | None = None) -> None:
        #: What is written out: all that was changed, seeded or looked at.
        self.told = told or {}
        self._untold = untold

    def _tell(self, csid: int) -> None:
        if self._untold:
            self._untold.tell(csid)

    def __getitem__(self, csid: int) -> list[Json]:
        self._tell(csid)
        return self.told[csid]

    def __setitem__(self, csid: int, things: list[Json]) -> None:
        self._tell(csid)
        self.told[csid] = things

    def __delitem__(self, csid: int) -> None:
        self._tell(csid)
        del self.told[csid]

    def __iter__(self) -> Iterator[int]:
        for csid in list(self._untold.stories) if self._untold else ():
            self._tell(csid)
        return iter(self.told)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[int, list[Json]]:
        """Return all of it as a plain table in the order of the numbers, whoever was looked at first."""
        return {csid: copy.deepcopy(self[csid], memo) for csid in sorted(self)}
