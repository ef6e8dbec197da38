"""Generated conversations in short form: who wrote when about what, and in which words.

A story is drawn once (`scale`); its messages, notes and log are written out when somebody looks (`telling`).
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import NamedTuple

from dixa_mcp.sandbox.wire import Json

#: Channels on which texts are letters: with a subject, a greeting and a name below.
LETTERS = ("Email", "ContactForm")
CALL = "PstnPhone"
#: Seconds between two utterances of a call.
UTTERANCE = 8

#: A small generator of our own: the one of the library takes longer to start than a thread has words.
_MIX, _ADD, _MASK = 1_103_515_245, 12_345, (1 << 31) - 1
_DAY = 86_400


class Phrase(NamedTuple):
    """A text that may hold {number}; `at` is its place in `Book.phrases`."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Speech:
    """One language: names as (shown, as in an address), and what is said in it."""

    language: str
    share: int
    first: list[tuple[str, str]]
    last: list[tuple[str, str]]
    family_first: bool
    greeting: Phrase
    sign: Phrase
    wrote: Phrase
    more: list[Phrase]
    answer: list[Phrase]
    thanks: list[Phrase]
    asks: dict[str, list[Phrase]]
    subjects: dict[str, Phrase]


class Book:
    """All phrases, in all languages (`phrases.toml`)."""

    def __init__(self) -> None:
        text = files("dixa_mcp.sandbox").joinpath("phrases.toml").read_text(encoding="utf-8")
        raw: Json = tomllib.loads(text)
        self.phrases: list[Phrase] = []
        self.matters: dict[str, Json] = raw["matters"]
        self.notes: list[str] = raw["notes"]
        self.praise: list[str] = raw["praise"]
        self.blame: list[str] = raw["blame"]
        self.speeches = [self._speech(language, table) for language, table in raw["speech"].items()]

    def _speech(self, language: str, table: Json) -> Speech:
        def many(texts: list[str]) -> list[Phrase]:
            return [self._phrase(text) for text in texts]

        return Speech(
            language,
            table["share"],
            first=[_spelt(name) for name in table["first"]],
            last=[_spelt(name) for name in table["last"]],
            family_first=bool(table.get("family_first")),
            greeting=self._phrase(table["greeting"]),
            sign=self._phrase(table["sign"]),
            wrote=self._phrase(table["wrote"]),
            more=many(table["more"]),
            answer=many(table["answer"]),
            thanks=many(table["thanks"]),
            asks={matter: many(texts) for matter, texts in table["asks"].items()},
            subjects={matter: self._phrase(text) for matter, text in table["subjects"].items()},
        )

    def _phrase(self, text: str) -> Phrase:
        self.phrases.append(Phrase(len(self.phrases), text))
        return self.phrases[-1]

    @cached_property
    def words(self) -> dict[str, list[int]]:
        """Word → the phrases it stands in."""
        found: dict[str, list[int]] = {}
        for phrase in self.phrases:
            for word in words_of(phrase.text.replace("{number}", " ")):
                found.setdefault(word, []).append(phrase.at)
        return found


@cache
def book() -> Book:
    """Return the phrases, read once."""
    return Book()


def words_of(text: str) -> set[str]:
    """Return the words of a text in lower case."""
    return set(re.findall(r"\w+", text.lower()))


def _spelt(name: str) -> tuple[str, str]:
    shown, _, plain = name.partition("/")
    folded = unicodedata.normalize("NFKD", plain or shown).encode("ascii", "ignore").decode()
    return shown, re.sub(r"[^a-z]", "", folded.lower())


class Story(NamedTuple):
    """One generated conversation. Times are seconds since 1970, 0 for what didn't happen."""

    csid: int
    customer: str
    name: str
    agent: str
    agent_name: str
    channel: str
    speech: Speech
    matter: str
    #: of the order
    number: int
    #: decides the words and the ids
    seed: int
    #: messages, or utterances of a call
    turns: int
    created: int
    answered: int
    reopened: int
    closed: int
    #: when the last message is due at the latest
    ended: int
    pending: bool
    noted: bool
    tags: tuple[str, ...]

    def said_at(self, turn: int) -> int:
        """Return when a message was written; the customer has the first word, the agent the second."""
        if turn == 0:
            return self.created
        if self.channel == CALL:
            return self.answered + turn * UTTERANCE
        return self.answered + (turn - 1) * ((self.ended - self.answered) // self.turns)

    @property
    def last_said(self) -> int:
        """When the last message was written; a call ends with its recording."""
        return self.ended if self.channel == CALL else self.said_at(self.turns - 1)

    @property
    def last_happened(self) -> int:
        """When anything last happened."""
        return max(self.last_said, self.closed, self.ended if self.pending else self.answered)

    @property
    def first_reply(self) -> int:
        """When an agent first wrote, 0 if none did."""
        return self.answered if self.turns > 1 and self.channel != CALL else 0

    def lines(self) -> list[Phrase]:
        """Return what is said, turn by turn, without greetings."""
        state, speech = self.seed & _MASK, self.speech
        pools = [speech.asks[self.matter], *([speech.answer, speech.more] * self.turns)[: self.turns - 1]]
        if self.closed and self.turns % 2 and self.turns > 1:
            pools[-1] = speech.thanks
        said: list[Phrase] = []
        for pool in pools:
            state = (state * _MIX + _ADD) & _MASK
            said.append(pool[(state >> 8) % len(pool)])
        return said

    def frame(self) -> list[Phrase]:
        """Return what else stands in subject and messages."""
        if self.channel not in LETTERS:
            return []
        speech = self.speech
        around = [speech.greeting, speech.sign, speech.subjects[self.matter]]
        return [*around, speech.wrote] if self.turns > 1 else around

    def spelt(self, phrase: Phrase) -> str:
        """Return a phrase with the order's number."""
        return phrase.text.replace("{number}", str(self.number))

    def texts(self) -> list[str]:
        """Return what the messages say, without markup."""
        bodies = [self.spelt(line) for line in self.lines()]
        if self.channel not in LETTERS:
            return bodies
        return [self._letter(turn, bodies) for turn in range(self.turns)]

    def _letter(self, turn: int, bodies: list[str]) -> str:
        speech, name = self.speech, self.agent_name if turn % 2 else self.name
        letter = f"{speech.greeting.text}\n\n{bodies[turn]}\n\n{speech.sign.text}\n{name}"
        if turn == 0:
            return letter
        quoted = bodies[turn - 1].replace("\n", "\n> ")
        return f"{letter}\n\n{speech.wrote.text}\n> {quoted}"

    def log(self) -> list[tuple[str, int, str]]:
        """Return the entries of the log, in order: kind, when, who."""
        entries = [("ConversationCreatedByCustomer", self.created, self.customer)]
        if self.answered:
            entries.append(("ConversationAssigned", self.answered, self.agent))
            entries += [("TagAdded", self.answered, self.agent)] * len(self.tags)
        if self.noted:
            entries.append(("NoteAdded", self.answered, self.agent))
        if self.reopened:
            entries.append(("ConversationClosed", (self.answered + self.reopened) // 2, self.agent))
            entries.append(("ConversationReopened", self.reopened, self.customer))
        if self.pending:
            entries.append(("FollowupAdded", self.ended, self.agent))
            entries.append(("ConversationPending", self.ended, self.agent))
        if self.closed:
            entries.append(("ConversationClosed", self.closed, self.agent))
        return entries


def written(second: int) -> str:
    """Write a time in whole seconds, as conversations carry it."""
    day, rest = divmod(second, _DAY)
    return f"{_date(day)}{_MINUTES[rest // 60]}{_SECONDS[rest % 60]}"


def written_ms(second: int) -> str:
    """Write a time in milliseconds, as messages carry it."""
    return f"{written(second)[:-1]}.000Z"


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


# Formatting numbers is what most of the time of `written` would go into.
_MINUTES = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
_SECONDS = [f"{second:02}Z" for second in range(60)]
