"""What of an HTML page a reader can't see: hidden by attribute, by style, or by colour on colour.

Only what mails really do (preheaders, white on white, text of no size) is judged; a whole CSS engine
would not be worth it, because the fence holds whether or not a sentence was visible.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

_LENGTH = re.compile(r"(-?\d*\.?\d*)(px|pt|em|rem|%|ex|vh|vw|)", re.IGNORECASE)
_RULE = re.compile(r"([^{}]{1,300})\{([^{}]{0,1000})\}")
_CLASS = re.compile(r"\.([\w-]+)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INK = re.compile(r"(?<![\w-])color\s*:", re.IGNORECASE)
_NAMED = {"white": "#ffffff", "black": "#000000", "snow": "#fffafa", "red": "#ff0000", "gray": "#808080"}
_BLACK, _WHITE = "#000000", "#ffffff"
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of an element as far as they are known; `?` is a colour nobody can tell."""

    ink: str = _BLACK
    ground: str = _WHITE

    @property
    def invisible(self) -> bool:
        """Whether the text has the colour of what it stands on."""
        return self.ink == "transparent" or (self.ink == self.ground and self.ink != _UNKNOWN)

    def over(self, tag: str, given: Mapping[str, str]) -> "Paint":
        """Return the colours inside an element with these attributes."""
        paint = self
        if "bgcolor" in given:
            paint = replace(paint, ground=_colour(given["bgcolor"]))
        if "background" in given:
            paint = replace(paint, ground=_UNKNOWN)
        if tag == "font" and "color" in given:
            paint = replace(paint, ink=_colour(given["color"]))
        style = _declarations(given["style"]) if "style" in given else {}
        if "color" in style:
            paint = replace(paint, ink=_colour(style["color"]))
        for name in ("background", "background-color", "background-image"):
            if name in style and (ground := _colour(style[name])) != "transparent":
                paint = replace(paint, ground=ground)
        return paint


@dataclass(frozen=True, slots=True)
class Page:
    """What a page's style sheets say: the colours it begins with and the classes that hide."""

    paint: Paint
    hidden_classes: frozenset[str]


def page_of(html: str) -> Page:
    """Read the style sheets of a page, roughly: classes that always hide, and whether grounds are set."""
    sheets: list[str] = []
    at, low = 0, html.lower()
    while (start := low.find("<style", at)) >= 0 and (end := low.find("</style", start)) >= 0:
        sheets.append(html[start:end])
        at = end
    css = _COMMENT.sub("", "".join(sheets)[:30_000])
    # A style sheet that sets grounds may put dark ones under white words, so white alone proves nothing.
    linked = "<link" in low
    paint = Paint(
        ink=_UNKNOWN if linked or _INK.search(css) else _BLACK,
        ground=_UNKNOWN if linked or "background" in css else _WHITE,
    )
    hidden: set[str] = set()
    for selectors, body in _RULE.findall(_without_conditions(css)):
        if "none" in body.lower() and re.search(r"display\s*:\s*none", body, re.IGNORECASE):
            simple = (part.strip() for part in selectors.rpartition(">")[2].split(","))
            hidden.update(part[1:] for part in simple if _CLASS.fullmatch(part))
    return Page(paint, frozenset(hidden))


def is_hidden(given: Mapping[str, str], page: Page) -> bool:
    """Tell whether an element's own attributes hide it.

    `aria-hidden` doesn't count: it hides from screen readers what the eye sees.
    """
    if "hidden" in given:
        return True
    if page.hidden_classes and not page.hidden_classes.isdisjoint(given.get("class", "").split()):
        return True
    return "style" in given and _style_hides(_declarations(given["style"]))


def _style_hides(style: Mapping[str, str]) -> bool:
    if style.get("display") == "none" or style.get("visibility") in {"hidden", "collapse"}:
        return True
    if style.get("mso-hide") == "all" or _at_most(style, "opacity", 0.01):
        return True
    if _at_most(style, "font-size", 1 if _unit(style, "font-size") in {"px", "pt", "%"} else 0.06):
        return True
    # A box of no size shows its text all the same, unless what flows over is cut off.
    boxed = ("max-height", "height", "max-width", "width")
    if "hidden" in style.get("overflow", "") and any(_at_most(style, name, 0) for name in boxed):
        return True
    if any(_at_most(style, name, -900) for name in ("text-indent", "left", "top", "margin-left", "margin-top")):
        return True
    return style.get("clip", "").startswith(("rect(0", "rect(1px")) or "inset(50%" in style.get("clip-path", "")


def _declarations(style: str) -> dict[str, str]:
    """Split an inline style into names and values, lower case, without spaces around or `!important`."""
    pairs = (part.partition(":") for part in style[:2000].lower().split(";"))
    return {name.strip(): value.partition("!")[0].strip() for name, _, value in pairs}


def _unit(style: Mapping[str, str], name: str) -> str:
    found = _LENGTH.fullmatch(style.get(name, ""))
    return found[2] if found else ""


def _at_most(style: Mapping[str, str], name: str, bound: float) -> bool:
    """Tell whether a length or number is there and no larger than the bound."""
    found = _LENGTH.fullmatch(style.get(name, ""))
    if not found:
        return False
    try:
        return float(found[1]) <= bound
    except ValueError:  # "-", "." or nothing before the unit
        return False


def _without_conditions(css: str) -> str:
    """Drop `@media` and other conditional blocks: what they hide is hidden only on some screens."""
    kept: list[str] = []
    depth = 0
    skip = -1
    for part in re.split(r"([{}])", css):
        if part == "{":
            depth += 1
        if skip < 0 and part not in "{}" and "@" in part:
            head, _, _ = part.rpartition("@")
            kept.append(head)
            skip = depth
        elif skip < 0:
            kept.append(part)
        if part == "}":
            depth = max(depth - 1, 0)
            if depth <= skip:
                skip = -1
    return "".join(kept)


def _colour(value: str) -> str:
    """Return a colour in one spelling, `transparent`, or `?` when it can't be told."""
    value = re.sub(r"\s+", "", value.lower())
    if value in {"", "inherit", "initial"}:
        return _UNKNOWN
    if value == "transparent" or re.fullmatch(r"(?:rgba|hsla)\(.*,0?\.?0*\)", value):
        return "transparent"
    if value in _NAMED:
        return _NAMED[value]
    if found := re.fullmatch(r"#?([0-9a-f]{3})", value):
        return "#" + "".join(digit * 2 for digit in found[1])
    if found := re.fullmatch(r"#?([0-9a-f]{6})", value):
        return "#" + found[1]
    if found := re.fullmatch(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,1(?:\.0*)?)?\)", value):
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in found.groups())
    return _UNKNOWN
