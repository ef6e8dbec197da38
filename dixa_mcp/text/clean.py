"""Text of others made fit to read: no invisible characters, no hidden HTML, no quoted history.

What a customer wrote is data (design §4.8). Here it loses what a person would not see; `fence` then
marks where it begins and ends. Everything is linear in the length of its input, whatever the input.
"""

import re
import unicodedata

#: Longest HTML that is read, in characters: about a second of work. Mail programs clip far below it.
HTML_LIMIT = 500_000

# Blank on screen, yet letters, marks or symbols to Unicode, so their category does not give them away:
# grapheme joiner, Hangul and Khmer fillers, Mongolian selectors, variation selectors, note head without ink.
_BLANK = frozenset(
    [
        0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0, 0xFFFC, 0x16FE4, 0x1D159,
        *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000),
    ]
)  # fmt: skip
# Format characters that are drawn: Arabic, Syriac and Kaithi signs that enclose numbers.
_DRAWN = frozenset([*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD])
_NEWLINES = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


class _Visible(dict[int, str]):
    """A table for `str.translate` that decides once about each character it meets."""

    def __missing__(self, code: int) -> str:
        self[code] = seen = _seen(chr(code), code)
        return seen


def _seen(character: str, code: int) -> str:
    """Return what a reader sees of this character: itself, a space, a newline, or nothing."""
    if character in _NEWLINES:
        return "\n"
    if character == "\t" or code in _DRAWN:
        return character
    if code in _BLANK or (code & 0xFFFE) == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return ""
    category = unicodedata.category(character)
    if category == "Zs" or code == 0x2800:  # braille without dots
        return " "
    return "" if category in {"Cc", "Cf", "Co", "Cs"} else character


_VISIBLE = _Visible()
_TRAILING = re.compile(r"[ \t]+(?=\n)")
_BLANK_LINES = re.compile(r"\n{3,}")
_PILED_MARKS = re.compile("([\u0300-\u036f]{4})[\u0300-\u036f]+")
_SPACES = re.compile(r"\s+")


def visible(text: str) -> str:
    """Return a text without invisible characters, its lines and spaces otherwise as they were."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def clean(text: str) -> str:
    r"""Return a multi-line text without what a person could not see.

    Gone are control characters except newline and tab, zero-width, bidirectional, tag and private-use
    characters, variation selectors and lone surrogates. Spaces of all kinds become plain ones, newlines
    of all kinds `\n`, runs of blank lines one, piles of accents four. Cleaning twice changes nothing.
    """
    seen = _TRAILING.sub("", _PILED_MARKS.sub(r"\1", visible(text)))
    return _BLANK_LINES.sub("\n\n", seen).strip()


def line(text: str, limit: int = 120) -> str:
    """Return a short field (a name, a subject) as one clean line of at most `limit` characters."""
    # Not even a megabyte of subject deserves more work than its first characters.
    flat = _SPACES.sub(" ", clean(text[: limit * 8 + 1000]))
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def said(text: str) -> str:
    """Return a vendor's own error text: cleaned, one line, at most 300 characters (design §4.8)."""
    if text.lstrip().startswith("<"):  # a gateway's error page
        text = html_to_text(text[:20_000])
    return line(text, 300)


def html_to_text(html: str) -> str:
    """Return HTML as readable, clean, Markdown-like text.

    Scripts, styles, templates, comments and elements a reader would not see are dropped; links, lists,
    tables, quotes, headings and emphasis stay; an image is its description. Past `HTML_LIMIT` characters
    the rest is left out and the text says so.
    """
    from dixa_mcp.text.markup import read  # noqa: PLC0415 - a parser is needed only where there is HTML

    text = clean(read(html[:HTML_LIMIT]))
    if len(html) > HTML_LIMIT:
        text += f"\n\n… [{len(html) - HTML_LIMIT} more characters of HTML left out]"
    return text


def unquoted(text: str) -> tuple[str, bool]:
    """Return a mail's own words and whether quoted history was cut off.

    An answer between the quoted lines keeps them, a forwarded message stays, and a text that is nothing
    but a quote is returned whole: what a person sent is never turned into nothing.
    """
    from dixa_mcp.text.quotes import own_words  # noqa: PLC0415 - its patterns are compiled only for mail

    return own_words(text)
