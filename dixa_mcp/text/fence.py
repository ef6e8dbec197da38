"""The fence around what customers wrote, so that no reader takes it for instructions (design §4.8).

One `Fence` a call. Its nonce is new each time, so a text written earlier cannot hold the right closing
marker; and look-alikes of any marker are broken all the same, because a model doesn't compare nonces.
"""

import re
import secrets
import unicodedata
from itertools import islice

from dixa_mcp.text.clean import clean

# What may pass for "<": wide, small, quoting and mathematical forms, letters of that shape, entities.
_ANGLE = r"(?:[<＜﹤«‹≪⋘〈〉《⟨⟪〈❮❰⧼⦑⪡≺˂ᐸᚲ⟩⋞⪦⪻𝈶]|&(?:lt|laquo|lsaquo|lang|\#0*60|\#x0*3c);?|\\u003c|%3c)"
_OPENER = re.compile(rf"{_ANGLE}(?:[ \t\\*_`~'\"]*{_ANGLE})*+", re.IGNORECASE)
_LOOK_AHEAD = 80
_PASSES = 4
_MANY = 3000
# Letters of other scripts that look like those of our two markers.
_TWINS = str.maketrans(
    dict(zip("сеоѕтԁпмухгі", "ceostdnmyxri", strict=True))
    | dict(zip("ᴄᴜꜱᴛᴏᴍᴇʀɴᴅ", "customernd", strict=True))
    | dict(zip("τοερυμηѕ", "toepumns", strict=True))
)
_WORDS = re.compile(r"[^\W_]+")
_TAG = re.compile(r"<[^<>]{0,40}>")


class Fence:
    """A pair of markers with one nonce, for one call.

    `open` and `close` are lines of their own; render puts all of a thread or list between one pair.
    """

    def __init__(self, nonce: str | None = None) -> None:
        """Begin with a random nonce; a given one (letters and digits) makes tests repeatable."""
        self.nonce = secrets.token_hex(3) if nonce is None else nonce
        if not (self.nonce.isascii() and self.nonce.isalnum()):
            raise ValueError("a nonce is made of letters and digits")

    @property
    def open(self) -> str:
        """The marker before customers' words."""
        return f"<<customer-text {self.nonce}>>"

    @property
    def close(self) -> str:
        """The marker after customers' words."""
        return f"<<end {self.nonce}>>"

    def wrap(self, text: str) -> str:
        """Return the text, cleaned and defused, between the markers: exactly one of each."""
        return f"{self.open}\n{defuse(clean(text))}\n{self.close}"

    def guard(self, text: str) -> str:
        """Return a whole answer in which only this fence's own markers are markers, and each is closed.

        Short fields (names, tags, subjects) stand outside the fence, so what is there is defused, too.
        """
        opened = (part.split(self.close) for part in text.split(self.open))
        guarded = self.open.join(self.close.join(map(defuse, parts)) for parts in opened)
        unclosed = text.count(self.open) - text.count(self.close)
        return guarded + f"\n{self.close}" * unclosed


def defuse(text: str) -> str:
    """Break everything that could pass for a fence marker, whatever its nonce; other text stays.

    An opener before a word of ours becomes a round bracket; two angle brackets in a row are set apart.
    Defusing twice changes nothing.
    """
    if sum(1 for _ in islice(_OPENER.finditer(text), _MANY)) == _MANY:
        return _OPENER.sub("(", text)  # nobody writes that many; judging each would cost seconds
    # Breaking one may bring another within sight of its word; a chain longer than this imitates nothing.
    for _ in range(_PASSES):
        broken = _OPENER.sub(_broken, text)
        if broken == text:
            break
        text = broken
    return text


def _broken(found: re.Match[str]) -> str:
    if _names_a_marker(found.string[found.end() : found.end() + _LOOK_AHEAD]):
        return "("
    brackets = found[0]
    if len(brackets) == 1:
        return brackets
    # A run of brackets, however they are written; one entity alone is only an entity.
    return brackets if len(re.findall(_ANGLE, brackets, re.IGNORECASE)) == 1 else "< <"


def _names_a_marker(tail: str) -> bool:
    """Tell whether what follows an opener reads like `customer-text …` or `end …`."""
    bare = _OPENER.sub(" ", _TAG.sub("", tail))
    if bare.isascii():
        folded = bare.lower()
    else:
        split = unicodedata.normalize("NFKD", clean(bare)).casefold().translate(_TWINS)
        folded = "".join(character for character in split if not unicodedata.combining(character))
    words = _WORDS.findall(folded)
    if not words:
        return False
    spelt = "".join(words)  # "c u s t o m e r", "e.n.d 7f3a9c"
    return words[0] == "end" or spelt.startswith("customertext") or bool(re.match(r"end[0-9a-f]{6}", spelt))
