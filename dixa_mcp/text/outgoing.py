"""What a text that leaves the organisation mentions, and whether it may (design §4.8).

A model may have been talked into handing a customer somebody else's address, a phishing link, or a number
to call. So every address, host and telephone number is found, however it is dressed up, and compared with
what this reply may carry. Too much found costs a question to a person; too little costs a customer.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from dixa_mcp.text.clean import visible
from dixa_mcp.text.contacts import address, emails, host, phone, phones
from dixa_mcp.text.markdown import escape_html, fill, placeholders, to_html, to_plain

__all__ = [
    "Allowed",
    "Mention",
    "escape_html",
    "fill",
    "foreign",
    "found",
    "host",
    "placeholders",
    "to_html",
    "to_plain",
]

_TAG = re.compile(r"<[^<>]*>")
_MARKS = re.compile(r"[*~`\\]+")
# Browsers take backslashes, one slash and several for two; `//host` has the scheme of the page.
_URL = re.compile(
    r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}+:[/\\]{1,10}|[/\\]{2,10})([^\s/\\?#<>\"'`()]++)([^\s?#<>\"']*+)"
)
_BARE = re.compile(r"(?<![\w%-])(?<!\w\.)(?:[\w-]{1,63}\.){1,126}[^\W\d_][\w-]{1,62}(?![\w-])(?!\.\w)(?P<path>/)?")
_FOUR_NUMBERS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)(?P<path>[:/])?")
_TELEPHONE = re.compile(r"\b(?:tel|sms|callto|whatsapp):/*([+\d][\d\s().-]{2,25})", re.IGNORECASE)
# After a word that says so, digits are a number to call, in whatever country it can be called.
_CALL = (
    "call|ring|phone|telephone|dial|text|tel|telefon|tlf|sms|whatsapp|hotline|anrufen|ruf|rufen|bel|appelez|appeler|"
    "llame|llama"
)
_BETWEEN = (
    "us|me|him|her|them|now|today|back|on|at|to|the|our|my|your|this|number|support|line|free|is|under|an|auf|uns|"
    "på|os|mig"
)
_CALLED = re.compile(
    rf"\b(?:{_CALL})\b\W{{0,3}}(?:(?:{_BETWEEN})\b\W{{0,3}}){{0,5}}"
    r"((?<![\w+])(?!\d{4}-\d\d-\d\d)[+(]{0,2}\d(?:[ ().\-/–]{0,3}\d){6,17})(?!-?\w)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])[./ -]{1,2}(?:0?[1-9]|1[0-2])[./ -]{1,2}(?:19|20)\d\d|(?:19|20)\d{2}(?:[./-]\d\d){2}"
)
_REFERENCE = re.compile(
    r"(?:#|\b(?:orders?|ordre|ordrenummer|invoice|faktura|parcel|tracking|shipment|reference|ref|case|ticket|item|sku|"
    r"bestellung|rechnung)\b)[\s.:#]{0,3}(?:(?:number|no|nr|nummer|id|code)\b[\s.:#]{0,3})?$",
    re.IGNORECASE,
)
# Ends of words with a dot inside that are files or abbreviations, not hosts, unless a path follows.
_FILES = frozenset(
    ["pdf", "jpg", "jpeg", "png", "gif", "webp", "svg", "heic", "doc", "docx", "xls", "xlsx", "ppt", "pptx"]
).union(["csv", "txt", "html", "htm", "php", "aspx", "jsp", "json", "xml", "log"])
_ABBREVIATIONS = frozenset(
    ["e.g", "i.e", "a.m", "p.m", "u.s", "u.k", "z.b", "d.h", "u.a", "o.ä", "m.m", "bl.a", "f.eks", "p.g.a", "t.ex"]
)
_COMMON_ENDS = frozenset(["com", "net", "org", "info", "biz", "app", "dev", "shop", "online", "site", "xyz", "top"])


@dataclass(frozen=True, slots=True)
class Mention:
    """Something in a text that leads elsewhere: `value` in one spelling, `text` as it was written."""

    kind: Literal["address", "host", "phone"]
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a text may mention, in any spelling.

    `addresses` are whole ones, or `@example.com` for everybody there; `hosts` include their subdomains;
    `phones` are compared as E.164. `regions` (`DK`, `SE`) tell how to read national numbers.
    """

    addresses: Collection[str] = ()
    hosts: Collection[str] = ()
    phones: Collection[str] = ()
    regions: tuple[str, ...] = ()


def found(text: str, regions: tuple[str, ...] = ()) -> list[Mention]:
    """Find every e-mail address, host and telephone number, in order, each once.

    Looks behind HTML entities, percent signs, tags and Markdown marks, wide and other-alphabet characters.
    The domain of an e-mail address is not a host besides.
    """
    mentions: dict[tuple[str, str], Mention] = {}
    for reading in _readings(text):
        for mention in _in(reading, regions):
            mentions.setdefault((mention.kind, mention.value), mention)
    return list(mentions.values())


def foreign(text: str, allowed: Allowed) -> list[Mention]:
    """Return what a text mentions beyond what is allowed; empty = it may go."""
    addresses = {address(one) for one in allowed.addresses}
    hosts = {host(one) for one in allowed.hosts}
    numbers = {phone(one, allowed.regions) or one for one in allowed.phones}

    def is_allowed(mention: Mention) -> bool:
        if mention.kind == "address":
            return mention.value in addresses or "@" + mention.value.rpartition("@")[2] in addresses
        if mention.kind == "phone":
            return mention.value in numbers
        return any(mention.value == one or mention.value.endswith("." + one) for one in hosts)

    return [mention for mention in found(text, allowed.regions) if not is_allowed(mention)]


def _readings(text: str) -> Iterator[str]:
    """Yield the text as people, browsers and mail programs may read it."""
    seen: set[str] = set()
    base = _plain(visible(text))
    decoded = _plain(visible(html.unescape(base)))
    bare = _TAG.sub("", decoded)
    for reading in (base, decoded, _plain(visible(unquote(decoded))), bare, _MARKS.sub("", bare)):
        if reading not in seen:
            seen.add(reading)
            yield reading


def _plain(text: str) -> str:
    """Fold widths and the full stops that browsers take for dots."""
    return unicodedata.normalize("NFKC", text).replace("。", ".").replace("｡", ".")


def _in(text: str, regions: tuple[str, ...]) -> Iterator[Mention]:
    left = text
    for link in _URL.finditer(text):
        name = host(link[1].rpartition("@")[2].rstrip(".,;:!*_"))
        if name and (link[0][0] not in "/\\" or "." in name or name == "localhost"):
            yield Mention("host", name, link[0])
            left = _blank(left, link.start(), link.end())
    for number in _TELEPHONE.finditer(left):
        yield Mention("phone", phone(number[1], regions) or re.sub(r"[^\d+]", "", number[1]), number[0])
        left = _blank(left, number.start(), number.end())
    for one in list(emails(left)):
        yield Mention("address", one.value, left[one.start : one.end])
        left = _blank(left, one.start, one.end)
    for one in _FOUR_NUMBERS.finditer(left):
        four = one[0].rstrip(":/")
        # 70.12.34.56 can be somebody's number too, and is found as that.
        if max(map(int, four.split("."))) <= 255 and (one["path"] or not phone(four, regions)):
            yield Mention("host", four, four)
    for one in _BARE.finditer(left):
        if name := _bare_host(one[0].rstrip("/"), bool(one["path"])):
            yield Mention("host", host(name), one[0])
    yield from _numbers(left, regions)


def _numbers(text: str, regions: tuple[str, ...]) -> Iterator[Mention]:
    """Find telephone numbers: those one is told to call, international ones, and those of the regions.

    A date, or a national number that is called an order's or the like, is none.
    """
    left = text
    for number in _CALLED.finditer(text):
        if not _DATE.fullmatch(number[1]):
            yield Mention("phone", phone(number[1], regions) or re.sub(r"[^\d+]", "", number[1]), number[1])
            left = _blank(left, number.start(1), number.end(1))
    for one in phones(left, regions):
        written = left[one.start : one.end]
        if written[0] != "+" and _DATE.fullmatch(written):
            continue
        if written[0] in "+0" or not _REFERENCE.search(left[max(0, one.start - 60) : one.start]):
            yield Mention("phone", one.value, written)


def _bare_host(words: str, path: bool) -> str:
    """Return the host in words joined by dots; empty for a file, an abbreviation or a missing space."""
    if words.casefold() in _ABBREVIATIONS:
        return ""
    while "." in words:
        rest, _, end = words.rpartition(".")
        low = end.casefold()
        if path or low in _COMMON_ENDS or low.startswith("xn--"):
            return words
        # "Thanks.Please" is a missing space; "acme-refunds.Support" and "acme.Support" may well be hosts.
        begins_sentence = len(end) > 2 and end[0].isupper() and end[1:].islower()
        missing_space = begins_sentence and ("." in rest or (rest.isalpha() and rest[0].isupper()))
        if low not in _FILES and not missing_space and not end[0].isdigit():
            return words
        words = rest  # "evil.com.Please" still shows a host
    return ""


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]
