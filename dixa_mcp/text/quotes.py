"""Where a mail's own words end and the quoted history begins.

Line by line and linear: `mail-parser-reply`, which does this too, searches with patterns whose time grows
with the square of a line's length, drops indentation, and takes signatures for history.
"""

import re

_LONGEST = 400  # characters of a line (or of three joined) that may be an attribution
_PREFIX = r"[\s>*_]*"

_VERBS = (
    r"wrote|schrieb|skrev|a\s+écrit|escribió|ha\s+scritto|schreef|geschreven|escreveu|napisał\w*|napsal\w*|kirjoitti"
)
# "On … wrote:" in the languages customers write, perhaps over several lines.
_ATTRIBUTION = re.compile(
    _PREFIX + r"(?:on|am|den|le|el|il|op|em|w\s+dniu|dne|\d|(?:mon|tue|wed|thu|fri|sat|sun|man|tir|ons|tor|fre|lør|søn|"
    r"mån|tis|lör|sön|ma|ti|ke|pe|la|su)\w*\.?)[\s,.].*(?:" + _VERBS + r")\b.*:[\s*_]*",
    re.IGNORECASE,
)
# "Bob <bob@…> wrote:", "2026-02-13 10:00 GMT+01:00 Bob <bob@…>:" on one line.
_AUTHOR = re.compile(
    _PREFIX + r"(?:.{1,120}<[^<>@\s]+@[^<>\s]+>\s*(?:" + _VERBS + r")\b.{0,80}"
    r"|\d{4}-\d\d-\d\d\s+\d?\d:\d\d.{0,120}<[^<>@\s]+@[^<>\s]+>\s*):[\s*_]*",
    re.IGNORECASE,
)
# Without a year, a time or an address it is somebody's prose: "On Monday your colleague wrote:".
_DATED = re.compile(r"\b20\d\d\b|\d[:.]\d\d|@")
_SEPARATOR = re.compile(
    _PREFIX + r"-{2,}\s*(?:original\s+message|ursprüngliche\s+(?:nachricht|mail|e-mail)|original-?nachricht|"
    r"oprindelig\s+(?:meddelelse|besked|e-?mail)|original\s+besked|ursprungligt\s+meddelande|"
    r"opprinnelig\s+melding|message\s+d['’]origine|message\s+original|mensaje\s+original|mensagem\s+original|"
    r"messaggio\s+originale|oorspronkelijk\s+bericht|reply\s+message|antwort)\s*-{2,}\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    _PREFIX + r"(?:-{2,}\s*)?(?:begin\s+)?(?:forwarded\s+message|weitergeleitete\s+nachricht|"
    r"anfang\s+der\s+weitergeleiteten\s+(?:nachricht|e-mail)|videresendt\s+(?:meddelelse|besked)|"
    r"start\s+på\s+videresendt\s+besked|vidarebefordrat\s+(?:meddelande|mejl|brev)|"
    r"message\s+(?:transféré|transmis)|début\s+du\s+message\s+transféré|doorgestuurd\s+bericht|"
    r"mensaje\s+reenviado|messaggio\s+inoltrato)\s*:?\s*(?:-{2,})?[\s*]*",
    re.IGNORECASE,
)
_FROM = re.compile(_PREFIX + r"(?:from|von|fra|från|de|van|da|od)[\s*_]*:(?!//)", re.IGNORECASE)
_HEADER = re.compile(
    _PREFIX + r"(?P<label>sent|date|to|subject|gesendet|datum|an|betreff|sendt|dato|til|emne|skickat|till|ämne|"
    r"envoyé|à|objet|verzonden|aan|onderwerp|enviado|fecha|para|asunto|assunto|inviato|data|a|oggetto|cc|kopie)"
    r"[\s*_]*:(?!//)",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(?:[-_*]\s?){3,}\s*")


def own_words(text: str) -> tuple[str, bool]:
    """Return the text without quoted history, and whether there was any. See `clean.unquoted`."""
    lines = text.split("\n")
    own = _before_history(lines)
    if own is None:
        own = _before_last_quote(lines)
    if own is None:
        return text, False
    while own and (not own[-1].strip() or _RULE.fullmatch(own[-1])):
        own.pop()
    words = "\n".join(own).strip("\n")
    return (words, True) if words.strip() else (text, False)


def _before_history(lines: list[str]) -> list[str] | None:
    """Return what stands outside the first quoted mail; None if there is none."""
    for at, content in enumerate(lines):
        if not content.strip():
            continue
        if _FORWARD.fullmatch(content[:_LONGEST]):
            return None
        if _SEPARATOR.fullmatch(content[:_LONGEST]) or _is_header(lines, at):
            return lines[:at]
        if length := _attribution(lines, at):
            return _around_quote(lines, at, at + length)
    return None


def _attribution(lines: list[str], at: int) -> int:
    """Return how many lines from here say who wrote what follows; mail programs wrap them. 0 for none."""
    joined = ""
    for count in (1, 2, 3):
        if at + count > len(lines) or len(lines[at + count - 1]) > _LONGEST:
            return 0
        part = lines[at + count - 1].strip()
        if not part:
            return 0
        joined = f"{joined} {part}".strip()
        if len(joined) > _LONGEST:
            return 0
        if joined.rstrip("*_ ").endswith(":"):
            told = _ATTRIBUTION.fullmatch(joined) or (count == 1 and _AUTHOR.fullmatch(joined))
            return count if told and _DATED.search(joined) else 0
    return 0


def _is_header(lines: list[str], at: int) -> bool:
    """Tell whether a block From/Sent/To/Subject begins here: its first line and two different others."""
    if not _FROM.match(lines[at][:_LONGEST]):
        return False
    labels: set[str] = set()
    for content in lines[at + 1 : at + 9]:
        if found := _HEADER.match(content[:_LONGEST]):
            labels.add(found["label"].lower())
    return len(labels) >= 2


def _around_quote(lines: list[str], start: int, end: int) -> list[str] | None:
    """Return the words around a mail quoted from `start`, its quoted lines beginning at `end`.

    Quoted lines followed by one answer: the answer. Answers in between: None, since they need their quotes.
    """
    runs = _runs(lines[end:])
    if not runs or not runs[0][0]:  # not marked with ">", so history goes on to the end
        return lines[:start]
    answers = [run for quoted, run in runs if not quoted]
    if not answers:
        return lines[:start]
    if len(answers) > 1:
        return None
    return [*lines[:start], *answers[0]]


def _before_last_quote(lines: list[str]) -> list[str] | None:
    """Return what stands before a quote that ends the mail; None if it doesn't end with one."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(">")):
        end -= 1
    quoted = any(content.strip() for content in lines[end:])
    return lines[:end] if quoted and not any(_FORWARD.fullmatch(x[:_LONGEST]) for x in lines[:end]) else None


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Group lines into runs, quoted (True) and not; blank lines belong to the run before them."""
    runs: list[tuple[bool, list[str]]] = []
    for content in lines:
        quoted = content.lstrip().startswith(">")
        if not content.strip():
            if runs:
                runs[-1][1].append(content)
        elif runs and runs[-1][0] == quoted:
            runs[-1][1].append(content)
        else:
            runs.append((quoted, [content]))
    return runs
