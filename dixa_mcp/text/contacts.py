"""E-mail addresses, telephone, card and account numbers, found in free text.

Each finder takes visible text (`clean.visible`) and yields where it found what, in one canonical spelling.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LONGEST_ADDRESS = 320
"""Characters an e-mail address may have; a person who judges one sees it to its end."""
_LOCAL = r"\w.+'~-"
_DOT = ".．。｡"
_LABEL = r"(?:[^\W_]|-)++"
# The look-behind makes this linear: it begins only where a run of such characters does.
# A string, since it takes long to compile and a server that starts needs it not: `re` does so once, when asked.
_EMAIL = rf"(?<![{_LOCAL}])[{_LOCAL}．]++[@＠﹫](\[[\d.]+\]|{_LABEL}(?:[{_DOT}]{_LABEL})++)"
_PORT = re.compile(r":\d*$")
_NUMBER = re.compile(r"(?<![\w+＋.:/-])(?!\d{4}-\d\d-\d\d)[+＋]?[ (]{0,2}\d(?:[ ().\-/–]{0,3}\d){5,17}(?!-?\w)")
_CARD = re.compile(r"(?<![\d])\d(?:[ .-]?\d){12,18}(?!\d)")
_IBAN = re.compile(r"(?<![^\W_])[a-z]{2}\d\d(?:[ -]?[a-z0-9]){11,30}(?![^\W_])", re.IGNORECASE)
_MISSES = 2000  # of number-like runs, after which a text of nothing else is read in bigger steps
_IBAN_START = re.compile(r"(?<![^\W_])[a-z]{2}\d\d[ -]?[a-z0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Contact:
    """What was found and where: `start` to `end` of the text, and its canonical spelling."""

    start: int
    end: int
    value: str


def emails(text: str) -> Iterator[Contact]:
    """Find e-mail addresses, wide characters and any alphabet included; canonical is lower case."""
    for found in re.finditer(_EMAIL, text):
        # Quotes, stars and the like around an address are Markdown or punctuation, not part of it.
        start = found.start() + len(found[0]) - len(found[0].lstrip("'~_.-"))
        if text[start] in "@＠﹫":
            continue
        yield Contact(start, found.end(), address(text[start : found.end()]))


def address(text: str) -> str:
    """Return an e-mail address in one spelling: plain width, lower case, its domain as `host` has it."""
    local, _, domain = unicodedata.normalize("NFKC", text.strip()).rpartition("@")
    return f"{local.lower()}@{host(domain)}"


def host(text: str) -> str:
    """Return a host in one spelling: lower case, ASCII (`xn--…`), without a port or final dot."""
    plain = unicodedata.normalize("NFKC", text.strip()).lower().replace("。", ".").replace("｡", ".")
    plain = _PORT.sub("", plain).strip(".-")
    if plain.isascii():
        return plain
    import idna  # noqa: PLC0415 - few hosts need its tables

    try:
        return idna.encode(plain, uts46=True).decode("ascii")
    except idna.IDNAError:  # no such domain can exist, but it is shown all the same
        return plain


def phones(text: str, regions: Sequence[str] = ()) -> Iterator[Contact]:
    """Find telephone numbers; canonical is E.164.

    International ones (`+45…`, `0045…`) are known without more; national ones only if they are valid in one
    of the regions (`DK`, `SE`), since any number could be one somewhere.
    """
    at = misses = 0
    while found := _NUMBER.search(text, at):
        if number := phone(found[0], regions):
            start = found.start() + len(found[0]) - len(found[0].lstrip(" "))
            yield Contact(start, found.end(), number)
            at = found.end()
        else:  # "5 12 34 56 78": the number may begin with the next group
            misses += 1
            at = found.start() + 1 if misses < _MISSES else found.end()


def phone(text: str, regions: Sequence[str] = ()) -> str | None:
    """Return a telephone number as E.164; None if it isn't one."""
    import phonenumbers  # noqa: PLC0415 - its tables are large and few calls need them

    written = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\D", "", written)
    abroad = "+" in written[:3] or (digits.startswith("00") and not digits.startswith("000"))
    for region in (None,) if abroad else regions:
        try:
            number = phonenumbers.parse("+" + digits.removeprefix("00") if abroad else digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) if abroad else phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def regions(numbers: Iterable[str]) -> tuple[str, ...]:
    """Return the countries (`DK`, `SE`) of international numbers, each once; what is no number has none."""
    import phonenumbers  # noqa: PLC0415 - as above

    found: list[str] = []
    for number in numbers:
        try:
            region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        except phonenumbers.NumberParseException:
            continue
        found += [region] if region else []
    return tuple(dict.fromkeys(found))


def cards(text: str) -> Iterator[Contact]:
    """Find payment card numbers: 13 to 19 digits with a right check digit."""
    from stdnum import luhn  # noqa: PLC0415 - needed only where there are long numbers

    at = misses = 0
    while start := _CARD.search(text, at):
        misses += 1
        at = start.start() + 1 if misses < _MISSES else start.end()
        found: re.Match[str] | None = start
        while found:  # more digits may stand before or after the number's own
            digits = _digits(found[0])
            if digits[0] in "23456" and luhn.is_valid(digits):
                yield Contact(found.start(), found.end(), digits)
                at = found.end()
                break
            found = _CARD.match(text, found.start(), _last_gap(text, found))


def ibans(text: str) -> Iterator[Contact]:
    """Find bank account numbers (IBAN) with right check digits; canonical is without spaces."""
    from stdnum import iban  # noqa: PLC0415 - needed only where something looks like one

    at = 0
    while start := _IBAN_START.search(text, at):
        at = start.start() + 1
        # What follows may be words; the longest beginning that checks out is the number.
        rest = _IBAN.match(text, start.start())
        while rest:
            if iban.is_valid(_compact(rest[0])):
                yield Contact(rest.start(), rest.end(), _compact(rest[0]))
                at = rest.end()
                break
            rest = _IBAN.match(text, rest.start(), rest.end() - 1)


def _last_gap(text: str, found: re.Match[str]) -> int:
    """Return where the last group of digits is parted from the ones before; the start if there is one group."""
    end = found.end()
    while end > found.start() and text[end - 1].isdigit():
        end -= 1
    return max(end - 1, found.start())


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in text if character.isdigit())


def _compact(text: str) -> str:
    return re.sub(r"[ -]", "", text).upper()
