"""A terminal's output as an SVG picture: real text in a monospaced font, dark, small, the same at every run."""

import re
from html import escape

COLUMNS = 100
ADVANCE, LEADING, MARGIN = 8.43, 19, 20
"""Pixels: a character's width and a line's height at 14 px, and the free space around."""
STYLES = {"1": "b", "2": "d", "32": "g", "33": "y", "36": "c"}
"""What the demo's SGR codes look like; the classes of the style below."""
CODE = re.compile(r"\x1b\[(\d+)m(.*?)\x1b\[0m")
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>{title}</title>
<style>
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }}
text {{ fill: #c9d1d9 }} .b {{ fill: #ffffff; font-weight: 700 }} .d {{ fill: #8b949e }}
.g {{ fill: #7ee787 }} .y {{ fill: #f2cc60 }} .c {{ fill: #79c0ff }}
</style>
<rect width="100%" height="100%" rx="10" fill="#161b22"/>
{lines}
</svg>
"""


def plain(text: str) -> str:
    """The text without colours."""
    return CODE.sub(r"\2", text)


def picture(text: str, title: str) -> str:
    """Draw what a terminal of 100 columns shows."""
    rows = [row for line in text.splitlines() for row in _rows(line)]
    drawn = [
        f'<text x="{MARGIN}" y="{MARGIN + LEADING * number - 5}" xml:space="preserve">{_spans(row)}</text>'
        for number, row in enumerate(rows, 1)
        if row
    ]
    width, height = round(2 * MARGIN + COLUMNS * ADVANCE), 2 * MARGIN + LEADING * len(rows)
    return SVG.format(title=escape(title), width=width, height=height, lines="\n".join(drawn))


def _rows(line: str) -> list[str]:
    """Break a line where a terminal would; only plain ones are so long."""
    if len(plain(line)) <= COLUMNS:
        return [line]
    text = plain(line)
    return [text[start : start + COLUMNS] for start in range(0, len(text), COLUMNS)]


def _spans(row: str) -> str:
    return CODE.sub(lambda found: f'<tspan class="{STYLES[found[1]]}">{found[2]}</tspan>', escape(row, quote=False))


def text_of(svg: str) -> str:
    """The text in a picture, as a reader copies it."""
    rows = re.findall(r"<text [^>]*>(.*?)</text>", svg)
    return "\n".join(re.sub(r"<[^>]+>", "", row) for row in rows).replace("&lt;", "<").replace("&gt;", ">")
