"""HTML → text in one pass over the standard library's parser, without a tree.

No tree, because a customer decides how deep the HTML is: a recursive converter can be made to overflow,
and BeautifulSoup needed six seconds for a megabyte that this reads in one. `_tidy` takes out beforehand
what costs `html.parser` quadratic time: comments, declarations and brackets that are never closed.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import islice

from dixa_mcp.text.hidden import Page, Paint, is_hidden, page_of


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DROPPED = _tags("script style template title svg math iframe object embed audio video canvas select datalist map")
_VOID = _tags("area base br col embed hr img input link meta param source track wbr")
_PARAGRAPH = _tags("p h1 h2 h3 h4 h5 h6 blockquote pre table ul ol dl hr")
_BLOCK = _PARAGRAPH | _tags(
    "address article aside body caption center dd details div dt fieldset figcaption figure footer form "
    "header html legend li main nav section summary tbody td tfoot th thead tr"
)
_P = _tags("p")
_AROUND_P = _BLOCK - _P
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~", "del": "~", "strike": "~", "code": "`"}
# A start tag that closes an open element, as far up as the boundary: browsers close these by themselves.
_CLOSES = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "a": (frozenset({"a"}), frozenset({"td", "th", "table"})),
}
_LOOK_BACK = 60  # elements searched for one to close; bounds the work on absurd nesting
_SPACE = re.compile(r"[ \t\r\n\f]+")
_DECLARATION = re.compile(r"<[!?][^>]*+>?")
_STRAY = re.compile(r"<(?!/?[a-zA-Z])")
_ADDRESS = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_LONGEST_ADDRESS = 200  # a tracking link says nothing after its path


@dataclass(slots=True)
class _Element:
    """An open element: how it looks and what to write when it closes."""

    tag: str
    hidden: bool
    paint: Paint
    mark: str = ""
    href: str = ""
    start: int = -1  # where its mark stands in the output; -1 while it has no text
    bullet: str = ""  # of a list: "-" or the next number


def read(html: str) -> str:
    """Return the visible text of HTML. Not cleaned yet: `clean.html_to_text` is the public way in."""
    reader = _Reader(page_of(html))
    reader.feed(_tidy(html))
    reader.close()
    return reader.text()


def _tidy(html: str) -> str:
    """Drop comments and declarations, and escape every bracket that can't begin or end a tag."""
    parts: list[str] = []
    at = 0
    while (start := html.find("<!--", at)) >= 0:
        parts.append(html[at:start])
        end = html.find("-->", start + 2)  # `<!-->` is a whole comment to browsers
        at = len(html) if end < 0 else end + 3
    parts.append(html[at:])
    tidy = _STRAY.sub("&lt;", _DECLARATION.sub("", "".join(parts)))
    last = tidy.rfind(">") + 1
    return tidy[:last] + tidy[last:].replace("<", "&lt;")


class _Reader(HTMLParser):
    """Writes text as tags go by. Whitespace and marks wait until there are words for them."""

    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._out: list[str] = []
        self._stack: list[_Element] = []
        self._open: defaultdict[str, int] = defaultdict(int)
        self._unmarked: list[_Element] = []  # open, with a mark that waits for its first word
        self._newlines = 0
        self._space = False
        self._cell = False  # a cell separator waits
        self._fresh = False  # a cell has begun and has no text yet
        self._row = 0  # where in the output the present row began
        self._tall = False  # that row has a cell of several lines
        self._values = False  # that row has several cells on one line
        self._bullet = ""

    def text(self) -> str:
        """Return what was written, with everything closed that the HTML left open."""
        while self._stack:
            self._pop()
        return "".join(self._out)

    # --- what the parser calls -------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, or write one that has no content."""
        given = {name: value or "" for name, value in attrs}
        unseen = tag in _DROPPED or (bool(given) and is_hidden(given, self._page))
        if tag in _VOID:
            if not unseen and not self._is_hidden():
                self._void(tag, given)
            return
        self._close_implied(tag)
        hidden = self._is_hidden()
        paint = self._stack[-1].paint if self._stack else self._page.paint
        if given:
            paint = paint.over(tag, given)
        element = _Element(tag, hidden=hidden or unseen, paint=paint)
        self._stack.append(element)
        self._open[tag] += 1
        if not element.hidden:
            self._begin(element, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Treat `<div/>` as browsers do, as a start tag; only in drawings and formulas the slash closes."""
        if tag not in {"svg", "math"}:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close up to the nearest such element; a closing tag without an opening one means nothing."""
        if tag in {"p", "br"} and not self._open[tag]:
            self._break(2 if tag == "p" else 1)
        if self._open[tag]:
            while self._pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Write text unless its element is hidden."""
        if self._is_hidden() or (self._stack and self._stack[-1].paint.invisible):
            return
        if self._open["pre"]:
            self._write(data)
            return
        words = _SPACE.sub(" ", data)
        if words.startswith(" "):
            self._space = True
        if words := words.strip(" "):
            self._write(words)
            self._space = data[-1] in " \t\r\n\f"

    def updatepos(self, i: int, j: int) -> int:
        """Count no lines: nobody asks for positions, and it is a tenth of the work."""
        return j

    # --- elements --------------------------------------------------------------------------------

    def _begin(self, element: _Element, given: dict[str, str]) -> None:
        tag = element.tag
        if tag in _BLOCK and not (tag in {"p", "div"} and (self._bullet or self._fresh)):
            self._break(2 if tag in _PARAGRAPH and not self._nested_list(tag) else 1)
        if tag in {"td", "th"}:
            self._begin_cell()
        elif tag == "tr":
            self._row, self._tall, self._values = len(self._out), False, False
        elif tag == "ol":
            start = given.get("start", "")
            element.bullet = start if start.isascii() and start.isdigit() and len(start) < 7 else "1"
        elif tag == "ul":
            element.bullet = "-"
        elif tag == "li":
            self._begin_item()
        self._mark(element, given)
        if element.mark:
            self._unmarked.append(element)

    def _mark(self, element: _Element, given: dict[str, str]) -> None:
        """Decide what to write before the element's first word."""
        tag = element.tag
        if tag == "pre":
            element.mark = "```\n"
        elif tag[0] == "h" and tag[1:].isdigit():
            element.mark = "#" * min(int(tag[1:2]), 6) + " "
        elif tag in _MARKS and not self._open["pre"]:
            element.mark = _MARKS[tag]
        elif tag == "a" and _ADDRESS.match(href := _SPACE.sub("", given.get("href", ""))):
            element.mark, element.href = "[", href

    def _begin_cell(self) -> None:
        self._fresh = True
        if self._tall:  # a layout of paragraphs, not a line of values
            self._break(1)
        elif len(self._out) > self._row:
            self._newlines, self._cell = 0, True

    def _begin_item(self) -> None:
        for parent in islice(reversed(self._stack), _LOOK_BACK):
            if parent.bullet:
                self._bullet = "- " if parent.bullet == "-" else f"{parent.bullet}. "
                if parent.bullet != "-":
                    parent.bullet = str(int(parent.bullet) + 1)
                return
        self._bullet = "- "

    def _nested_list(self, tag: str) -> bool:
        return tag in {"ul", "ol"} and self._open["li"] > 0

    def _void(self, tag: str, given: dict[str, str]) -> None:
        if tag == "br":
            self._newlines += 1
            self._space = False
        elif tag == "hr":
            self._break(2)
            self._write("---")
            self._break(2)
        elif tag == "img":
            inline = given.get("src", "").startswith(("cid:", "data:"))
            tiny = {given.get("width", ""), given.get("height", "")} & {"0", "1", "1px", "0px"}
            alt = _SPACE.sub(" ", given.get("alt", "")).strip()[:120]
            if not tiny and (alt or inline):
                self._write(f"[image: {alt}]" if alt else "[image]")

    def _is_hidden(self) -> bool:
        return bool(self._stack) and self._stack[-1].hidden

    def _close_implied(self, tag: str) -> None:
        if tag in _BLOCK and self._open["p"]:
            self._close_near(_P, _AROUND_P)
        closes = _CLOSES.get(tag)
        if closes and self._stack:
            self._close_near(*closes)

    def _close_near(self, wanted: frozenset[str], boundary: frozenset[str]) -> None:
        for depth, element in enumerate(islice(reversed(self._stack), _LOOK_BACK), 1):
            if element.tag in wanted:
                for _ in range(depth):
                    self._pop()
                return
            if element.tag in boundary:
                return

    def _pop(self) -> str:
        element = self._stack.pop()
        tag = element.tag
        self._open[tag] -= 1
        if element.mark:
            if element.start < 0:
                self._unmarked.pop()  # elements close from the inside, so it is the last
            else:
                self._end_mark(element)
        if tag in _BLOCK and not element.hidden:
            self._break(2 if tag in _PARAGRAPH and not self._nested_list(tag) else 1)
            if tag == "li":
                self._bullet = ""
            elif tag == "tr" and self._values and not self._tall:
                self._newlines = 1  # paragraphs in its cells don't part the rows
        return tag

    def _end_mark(self, element: _Element) -> None:
        if element.href:
            inside = "".join(self._out[element.start + 1 :])
            self._out[element.start :] = [_link(inside, element.href)]
            self._row = min(self._row, element.start)
        elif element.tag == "pre":
            self._out.append("\n```")
        elif element.mark in _MARKS.values():
            self._out.append(element.mark)

    # --- output ----------------------------------------------------------------------------------

    def _break(self, newlines: int) -> None:
        self._newlines = max(self._newlines, newlines)
        self._space = False

    def _write(self, words: str) -> None:
        if self._newlines:
            self._tall = self._tall or len(self._out) > self._row
            if self._out:
                self._out.append("\n" * min(self._newlines, 2))
            self._out.append(self._margin())
        elif self._cell and self._out:
            self._out.append(" | ")
            self._values = True
        elif self._space and self._out:
            self._out.append(" ")
        elif not self._out:
            self._out.append(self._margin())
        self._newlines, self._space, self._cell, self._fresh, self._bullet = 0, False, False, False, ""
        for element in self._unmarked:
            element.start = len(self._out)
            self._out.append(element.mark)
        self._unmarked.clear()
        self._out.append(words)

    def _margin(self) -> str:
        depth = self._open["ul"] + self._open["ol"]
        indent = "  " * min(max(depth - (1 if self._bullet else 0), 0), 8) if self._open["li"] else ""
        return "> " * min(self._open["blockquote"], 5) + indent + self._bullet


def _link(words: str, href: str) -> str:
    """Return a link with its words and its address, or only one of them when they are the same."""
    address = href if len(href) <= _LONGEST_ADDRESS else href.partition("?")[0][:_LONGEST_ADDRESS] + "…"
    address = address.replace("(", "%28").replace(")", "%29")
    plain = words.strip().casefold().rstrip("/")
    if plain in {address.casefold().rstrip("/"), re.sub(r"^\w+:(//)?", "", address.casefold()).rstrip("/")}:
        return words
    return f"{words} ({address})" if "\n" in words else f"[{words}]({address})"
