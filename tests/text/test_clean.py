"""Cleaning: what a person would not see is gone, what they wrote is still there (design §4.8)."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dixa_mcp.text.clean import HTML_LIMIT, clean, html_to_text, line, said, unquoted

# Characters that carry hidden text or change how text reads; each is a way seen in prompt injections.
HIDDEN = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad"  # zero width
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"  # bidirectional
    "\U000e0041\U000e0049\U000e007f\U000e0001"  # tags
    "\ufe00\ufe0f\U000e0100\U000e01ef"  # variation selectors
    "\u034f\u115f\u1160\u3164\uffa0\u17b4\u180e"  # fillers
    "\x00\x07\x08\x1b\x7f\x9b\ufff9\ufffc\ue000\ud800"  # control, annotation, private use, surrogate
)
anything = st.text(st.characters(exclude_categories=()) | st.sampled_from(HIDDEN), max_size=200)


def assert_visible(text: str) -> None:
    for character in text:
        assert character not in HIDDEN, f"U+{ord(character):04X}"
        drawn = character in "\n\t" or unicodedata.category(character) not in {"Cc", "Co", "Cs"}
        assert drawn, f"U+{ord(character):04X}"


@given(anything)
@example("ab".join(HIDDEN))
def test_nothing_invisible_survives_cleaning(text: str) -> None:
    """Control, zero-width, bidirectional and tag characters never reach a model (design §4.8)."""
    assert_visible(clean(text))
    assert_visible(line(text))


@given(anything)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """Text passes several layers; each may clean it."""
    assert clean(clean(text)) == clean(text)


@given(
    st.text(
        st.characters(
            min_codepoint=0x20, max_codepoint=0x17E, exclude_characters="\x7f\u00a0\u00ad", exclude_categories=("Cc",)
        )
    )
)
def test_western_text_on_one_line_is_kept_as_written(text: str) -> None:
    """Cleaning must not eat what customers write."""
    assert clean(text) == text.strip()


def test_blank_lines_spaces_and_newlines_are_made_regular() -> None:
    """Every kind of newline is one kind; a gap is one blank line; trailing spaces go."""
    assert clean("a  \r\n\r\n\n\n\rb\u2028c\u00a0d\te") == "a\n\nb\nc d\te"


def test_piled_up_accents_are_cut_to_four() -> None:
    """Piles of accents cost tokens without end; real words have at most a few marks."""
    assert clean("e" + "\u0301" * 50) == "e" + "\u0301" * 4
    assert clean("é e\u0301") == "é e\u0301"


@given(anything, st.integers(5, 200))
def test_a_short_field_is_one_line_within_its_limit(text: str, limit: int) -> None:
    """Names and subjects can't grow lines of their own (design §4.8)."""
    short = line(text, limit)
    assert len(short) <= limit
    assert "\n" not in short
    assert "\t" not in short


def test_a_field_that_is_cut_says_so() -> None:
    """A reader must know that there was more."""
    assert line("word " * 100, 20) == "word word word word…"


def test_dixas_error_text_is_one_short_line_even_when_it_is_a_page() -> None:
    """Dixa's own error text: cleaned, one line, at most 300 characters (design §4.8)."""
    assert (
        said("<html><head><title>x</title></head><h1>502 Bad Gateway</h1>\n<p>nginx</p>") == "# 502 Bad Gateway nginx"
    )
    assert len(said("no\n" * 400)) <= 300


# --- HTML ---


@given(anything)
def test_nothing_invisible_survives_html(text: str) -> None:
    """Also when characters are split over entities: `&#x200b;`, `&zwnj;`, `&#xE0041;`."""
    entities = "".join(f"&#x{ord(character):x};" for character in text)
    assert_visible(html_to_text(f"<p>{text}</p><b>{entities}</b>&zwnj;&rlm;&shy;"))


@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "</",
                "<!--",
                "-->",
                "<p",
                " x='",
                '"',
                "<td>",
                "</td>",
                "<li>",
                "<b>",
                "</b>",
                "<![CDATA[",
                "<?",
                "&",
                "&#",
                "word",
                "<a href=",
                "<style>",
                "<svg/>",
                "</table>",
                "<pre>",
                "\n",
            ]
        )
    )
)
def test_no_html_is_too_broken_to_read(parts: list[str]) -> None:
    """Customers' mail programs write anything; a message that can't be read would be lost."""
    assert_visible(html_to_text("".join(parts)))


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>SECRET</script>",
        "<style>SECRET</style>",
        "<template>SECRET</template>",
        "<!-- SECRET -->",
        "<!-- SECRET > -->",
        "<p hidden>SECRET</p>",
        "<div style='display: none'>SECRET<b>SECRET</b></div>",
        "<div style='DISPLAY:NONE !important'>SECRET</div>",
        "<span style='visibility:hidden'>SECRET</span>",
        "<span style='font-size:0'>SECRET</span>",
        "<span style='font-size: 1px; color: red'>SECRET</span>",
        "<span style='opacity:0.0'>SECRET</span>",
        "<span style='color:#fff'>SECRET</span>",
        "<font color=white>SECRET</font>",
        "<div style='background:#123456;color:rgb(18, 52, 86)'>SECRET</div>",
        "<div style='max-height:0;overflow:hidden'>SECRET</div>",
        "<div style='position:absolute; left:-9999px'>SECRET</div>",
        "<style>.pre { display: none }</style><p class='pre x'>SECRET</p>",
        "<img src=x alt='SECRET' style='display:none'>",
        "<title>SECRET</title>",
        "<p hidden>SECRET<div hidden>SECRET</div>",
    ],
)
def test_what_a_reader_would_not_see_is_dropped(hidden: str) -> None:
    """Hidden HTML is where instructions to models are put (design §4.8)."""
    assert html_to_text(f"<p>before</p>{hidden}<p>after</p>") == "before\n\nafter"


@pytest.mark.parametrize(
    "shown",
    [
        "<p aria-hidden='true'>SEEN</p>",
        "<td bgcolor='#000000'><span style='color:white'>SEEN</span></td>",
        "<style>@media print {.m {display:none}}</style><p class=m>SEEN</p>",
        "<style>.btn {background: navy}</style><a class=btn style='color:#fff'>SEEN</a>",
        "<div style='max-height:0'>SEEN</div>",
        "<p hidden>no<p>SEEN</p>",
        "<div style='display:none'>no</div>SEEN",
    ],
)
def test_what_a_reader_would_see_stays(shown: str) -> None:
    """`aria-hidden` hides from ears only; white words on a dark ground are a button."""
    assert html_to_text(shown) == "SEEN"


def test_a_mail_reads_like_one() -> None:
    """Links, lists, tables, quotes, headings and images stay readable."""
    html = """<html><body><h2>Order <i>42</i></h2>
      <p>Hello&nbsp;<b>Mia</b>,<br>see <a href="https://shop.example/a?b=1">the page</a>
      or <a href="https://shop.example/">shop.example</a>.</p>
      <table><tr><th>Item</th><th>Qty</th></tr><tr><td><p>Boots</p></td><td><p>2</p></td></tr></table>
      <ol><li>one<li>two<ul><li>inner</ul></ol>
      <img src="cid:1" alt="broken zip"><img src="https://t.example/p.gif" width="1" height="1" alt="x">
      <blockquote>old<br>words</blockquote><a href="javascript:x()">click</a></body></html>"""
    assert html_to_text(html) == (
        "## Order *42*\n\nHello **Mia**,\nsee [the page](https://shop.example/a?b=1) or shop.example.\n\n"
        "Item | Qty\nBoots | 2\n\n1. one\n2. two\n  - inner\n\n[image: broken zip]\n\n> old\n> words\n\nclick"
    )


def test_a_link_shows_where_it_leads_whatever_its_words_say() -> None:
    """A phishing link is recognised only when both are there."""
    assert html_to_text('<a href="https://evil.example">https://bank.example</a>') == (
        "[https://bank.example](https://evil.example)"
    )


def test_html_beyond_the_limit_is_left_out_and_said() -> None:
    """Nobody reads a megabyte, and a customer must not keep the server busy with one."""
    text = html_to_text("<p>start</p>" + "<i> </i>" * (HTML_LIMIT // 8))
    assert text == "start\n\n… [12 more characters of HTML left out]"


@pytest.mark.parametrize(
    "part", ["<div>", "<b>x", "<blockquote>", "<ul><li>", "<p><b>", "</", "<!--", "<a ", "<td>x", '<a x="']
)
def test_nesting_and_repetition_without_end_are_read(part: str) -> None:
    """A tree or a recursion would overflow here; unclosed brackets would cost quadratic time."""
    assert isinstance(html_to_text(part * 20_000), str)


# --- quoted history ---


@pytest.mark.parametrize(
    "history",
    [
        "On Fri, 13 Feb 2026 at 10:00, Bob <b@x.example> wrote:\n> hi",
        "On Fri, 13 Feb 2026 at 10:00, Bob Bobson\n<b@x.example> wrote:\n\nhi",
        "Am 13.02.2026 um 10:00 schrieb Bob <b@x.example>:\n> hallo",
        "Am Fr., 13. Feb. 2026 um 10:00 Uhr schrieb Bob <\nb@x.example>:\n> hallo",
        "Den fre. 13. feb. 2026 kl. 10.00 skrev Bob <b@x.example>:\n> hej",
        "Den fre 13 feb. 2026 kl 10:00 skrev Bob <b@x.example>:\nhej",
        "fredag den 13. februar 2026 skrev Bob <b@x.example>:\nhej",
        "Le ven. 13 févr. 2026 à 10:00, Bob <b@x.example> a écrit :\n> salut",
        "Op vr 13 feb 2026 om 10:00 schreef Bob <b@x.example>:\n> hoi",
        "El vie, 13 feb 2026 a las 10:00, Bob (<b@x.example>) escribió:\n> hola",
        "-----Original Message-----\nFrom: Bob\nSent: Monday\n\nold",
        "-----Ursprüngliche Nachricht-----\nVon: Bob\n\nalt",
        "________________________________\nFrom: Bob <b@x.example>\nSent: Monday 9 Feb\nTo: Al\nSubject: x\n\nold",
        "Fra: Bob\nSendt: 13. februar\nTil: Al\nEmne: x\n\ngammelt",
        "Från: Bob\nSkickat: den 13 februari\nTill: Al\nÄmne: x\n\ngammalt",
        "Von: Bob\nGesendet: Freitag\nAn: Al\nBetreff: x\n\nalt",
        "De : Bob\nEnvoyé : vendredi\nÀ : Al\nObjet : x\n\nvieux",
        "---\n\n**From:** Bob\n**Sent:** Monday\n**To:** Al\n\nold",
        "> only\n> quoted\n\n> lines",
    ],
)
def test_quoted_history_is_cut(history: str) -> None:
    """Concise form shows a mail's own words, in the languages customers write (design §4.8)."""
    assert unquoted(f"Thank you!\nMia\n\n{history}") == ("Thank you!\nMia", True)


def test_history_quoted_by_html_is_cut_as_well() -> None:
    """Mail programs quote with elements; these become lines that are recognised."""
    html = (
        "<div>Thanks!</div><div class=gmail_quote><div class=gmail_attr>On Fri, 13 Feb 2026 at 10:00, Bob &lt;"
        "<a href='mailto:b@x.example'>b@x.example</a>&gt; wrote:<br></div><blockquote>hi<p>there</p></blockquote></div>"
    )
    assert unquoted(html_to_text(html)) == ("Thanks!", True)
    outlook = (
        "<p>Thanks!</p><div id=appendonsend></div><hr><div id=divRplyFwdMsg><b>From:</b> Bob<br><b>Sent:</b> "
        "Monday<br><b>To:</b> Al<br><b>Subject:</b> x</div><p>old</p>"
    )
    assert unquoted(html_to_text(outlook)) == ("Thanks!", True)


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I asked, and your colleague wrote: no refund.\nWhy?",
        "On 1 Feb I\nwrote: hello\nand nobody answered",
        "From: Copenhagen\nI want to travel",
        "Item: > 5 kg\nmore words",
        "> all of it\n> is quoted",
        "On 1 Feb 2026, Bob <b@x.example> wrote:\n> q1\nyes\n> q2\nno",
        "see below\n---------- Forwarded message ---------\nFrom: a\nDate: b\nSubject: c\nTo: d\n\nimportant",
        "",
    ],
)
def test_words_that_only_look_like_history_stay(text: str) -> None:
    """Answers between quotes need them; a forwarded message is what the mail is about."""
    assert unquoted(text) == (text, False)


def test_an_answer_below_the_quote_is_what_remains() -> None:
    """Some people answer below."""
    assert unquoted("On 1 Feb 2026, Bob wrote:\n> question\n> more\n\nmy answer") == ("my answer", True)


@given(
    st.lists(
        st.sampled_from(
            [
                "> q",
                "",
                "own",
                "On 1 Feb 2026, B <b@x.y> wrote:",
                "From: a",
                "Sent: b",
                "To: c",
                "-----Original Message-----",
                "---",
            ]
        )
    )
)
def test_a_mail_is_never_cut_to_nothing(lines: list[str]) -> None:
    """What a person sent is never turned into nothing; every line that stays was theirs."""
    text = "\n".join(lines)
    own, cut = unquoted(text)
    assert bool(own.strip()) == bool(text.strip())
    assert cut or own == text
    assert set(own.split("\n")) <= set(lines) | {""}
