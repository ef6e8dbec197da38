"""An article's text as Dixa keeps it: HTML, from Markdown or from plain HTML, and nothing that runs or hides."""

import re
from html.parser import HTMLParser

from dixa_mcp.errors import InvalidArgument
from dixa_mcp.text.outgoing import to_html

_ALLOWED = frozenset(
    [
        *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
        *("a", "img", "strong", "b", "em", "i", "u", "s", "sub", "sup", "div", "span", "figure", "figcaption"),
        *("table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"),
    ]
)
_ATTRIBUTES = frozenset(
    ["href", "src", "alt", "title", "width", "height", "colspan", "rowspan", "start", "target", "rel"]
)
_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:|#|/(?!/))", re.IGNORECASE)
_HEADING = re.compile(r"(#{1,4})\s+(\S.*)")
_LINK = re.compile(r'\[([^\[\]\n]{1,200})\]\((https?://[^\s()<>"]{1,500})\)')


def article_html(text: str) -> str:
    """Return an article's HTML. A text that begins with a tag is HTML, anything else Markdown.

    Raises:
        InvalidArgument: The HTML holds scripts, styles, forms, frames or hidden parts.
    """
    if re.match(r"\s*<[a-z][^>]*>", text, re.IGNORECASE):
        _check(text)
        return text.strip()
    parts: list[str] = []
    block: list[str] = []
    for row in text.replace("\r\n", "\n").split("\n"):
        if heading := _HEADING.fullmatch(row.strip()):
            parts.append(_linked(to_html("\n".join(block))))
            level, block = max(2, len(heading[1])), []
            words = _linked(to_html(heading[2])).removeprefix("<p>").removesuffix("</p>")
            parts.append(f"<h{level}>{words}</h{level}>")
        else:
            block.append(row)
    parts.append(_linked(to_html("\n".join(block))))
    return "\n".join(part for part in parts if part)


def _linked(html: str) -> str:
    """Turn `[words](https://…)` into links; the text is escaped already, so no mark can break out."""
    return _LINK.sub(r'<a href="\2">\1</a>', html)


def _check(html: str) -> None:
    found = _Finder()
    found.feed(html)
    found.close()
    if found.wrong:
        raise InvalidArgument(
            f"An article can't hold {', '.join(dict.fromkeys(found.wrong))}.",
            "Use Markdown, or HTML of paragraphs, headings, lists, tables, links and pictures.",
        )


class _Finder(HTMLParser):
    """Collects what an article must not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element and its attributes."""
        if tag not in _ALLOWED:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name not in _ATTRIBUTES:
                self.wrong.append(f"the attribute {name}")
            elif name in {"href", "src"} and not _ADDRESS.match((value or "").strip()):
                self.wrong.append(f"this {name}: {(value or '')[:40]!r}")

    def handle_comment(self, data: str) -> None:
        """Refuse comments: nobody who approves the article would see them."""
        self.wrong.append("comments")

    def handle_decl(self, decl: str) -> None:
        """Refuse document types."""
        self.wrong.append("declarations")

    def handle_pi(self, data: str) -> None:
        """Refuse processing instructions."""
        self.wrong.append("processing instructions")

    def unknown_decl(self, data: str) -> None:
        """Refuse CDATA and the like."""
        self.wrong.append("declarations")
