"""Dixa's Markdown subset, as HTML and as plain text, and placeholders of templates (notes §9).

Bold, italic, both, strike, inline code, quotes, ordered lists and `*` lists; nothing nests but emphasis.
HTML in the text is text: it is always escaped.
"""

import html
import re
from collections.abc import Callable, Mapping

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|(?<!\w)\*{3}(?=[^\s*])(?P<both>[^\n]{1,2000}?)(?<=[^\s*])\*{3}(?!\w)"
    r"|(?<!\w)\*\*(?=[^\s*])(?P<bold>[^\n]{1,2000}?)(?<=[^\s])\*\*(?![\w*])"
    r"|(?<!\w)\*(?=[^\s*])(?P<italic>[^*\n]{1,2000}?)(?<=[^\s*])\*(?!\w)"
    r"|(?<![\w~])~(?=[^\s~])(?P<strike>[^~\n]{1,2000}?)(?<=[^\s~])~(?![\w~])"
)
_TAGS = {
    "both": ("<strong><em>", "</em></strong>"),
    "bold": ("<strong>", "</strong>"),
    "italic": ("<em>", "</em>"),
    "strike": ("<s>", "</s>"),
}
_LISTS = frozenset({"ul", "ol"})
_DEEPEST = 4
_ITEM = re.compile(r"\s{0,3}(?:(?P<number>\d{1,9})[.)]|[*-])\s+(?P<words>\S.*)")
_QUOTE = re.compile(r"\s{0,3}>\s?(?P<words>.*)")
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def escape_html(text: str) -> str:
    """Return text that HTML shows as it is, also inside an attribute."""
    return html.escape(text, quote=True)


def to_html(text: str) -> str:
    """Return the Markdown subset as HTML for e-mail; everything else in it is escaped."""
    blocks: list[str] = []
    for kind, first, lines in _blocks(text):
        rich = [_rendered(line, escape_html, _TAGS) for line in lines]
        inside = "".join(f"<li>{line}</li>" for line in rich) if kind in _LISTS else "<br>".join(rich)
        start = f' start="{first}"' if first != 1 else ""
        blocks.append(f"<{kind}{start}>{inside}</{kind}>")
    return "\n".join(blocks)


def to_plain(text: str) -> str:
    """Return the Markdown subset as plain text: marks gone, lists and quotes as people type them."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        item = _ITEM.fullmatch(line)
        lead = "" if not item else f"{item['number']}. " if item["number"] else "- "
        lines.append(lead + _rendered(item["words"] if item else line, str, {}))
    return "\n".join(lines)


def placeholders(text: str) -> list[str]:
    """Return the names of the placeholders `{{name}}` in a text, each once; empty = all are filled."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill placeholders whose name is given, case aside; the rest stay. A value is never filled again."""
    known = {name.strip().casefold(): value for name, value in values.items()}
    return _PLACEHOLDER.sub(lambda found: known.get(found[1].casefold(), found[0]), text)


def _rendered(line: str, escape: Callable[[str], str], tags: Mapping[str, tuple[str, str]], depth: int = 0) -> str:
    parts: list[str] = []
    at = 0
    for found in _INLINE.finditer(line) if depth < _DEEPEST else ():
        parts.append(escape(line[at : found.start()]))
        kind, inside = next((name, words) for name, words in found.groupdict().items() if words is not None)
        if kind == "code":
            parts.append(f"<code>{escape(inside)}</code>" if tags else inside)
        else:
            before, after = tags.get(kind, ("", ""))
            parts.append(before + _rendered(inside, escape, tags, depth + 1) + after)
        at = found.end()
    parts.append(escape(line[at:]))
    return "".join(parts)


def _blocks(text: str) -> list[tuple[str, int, list[str]]]:
    """Group lines into paragraphs, lists and quotes: (tag, first number, lines without their signs)."""
    blocks: list[tuple[str, int, list[str]]] = []
    fresh = True
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip():
            fresh = True
            continue
        kind, first, words = "p", 1, line.strip()
        if item := _ITEM.fullmatch(line):
            kind, words = ("ol" if item["number"] else "ul"), item["words"]
            first = int(item["number"] or 1)
        elif quote := _QUOTE.fullmatch(line):
            kind, words = "blockquote", quote["words"]
        # A blank line parts paragraphs and quotes, but a list goes on over it.
        if blocks and blocks[-1][0] == kind and (not fresh or kind in _LISTS):
            blocks[-1][2].append(words)
        else:
            blocks.append((kind, first, [words]))
        fresh = False
    return blocks
