"""What a text that leaves mentions, and how it is put into a channel's form (design §4.8, §5)."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dixa_mcp.text.outgoing import (
    Allowed,
    escape_html,
    fill,
    foreign,
    found,
    placeholders,
    to_html,
    to_plain,
)

OURS = Allowed(
    addresses=["Olivia@customer.example", "@fernway.example"],
    hosts=["fernway.example", "bücher.example"],
    phones=["+45 70 12 34 56"],
    regions=("DK",),
)


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("see evil.com", ["host evil.com"]),
        ("https://evil.com/a?b=c#d", ["host evil.com"]),
        ("HTTP://EVIL.com:8443", ["host evil.com"]),
        ("[help](https://evil.com/x)", ["host evil.com"]),
        ("<a href='//evil.com'>help</a>", ["host evil.com"]),
        ('<a href="https&#58;&#47;&#47;evil&period;com">x</a>', ["host evil.com"]),
        ("ev<b>il</b>.com", ["host evil.com"]),
        ("evil**.**com", ["host evil.com"]),
        ("*evil.com*", ["host evil.com"]),
        ("look ...evil.com", ["host evil.com"]),
        ("evil.com.Please call", ["host evil.com"]),
        ("a." * 60 + "evil.com", ["host " + "a." * 60 + "evil.com"]),
        ("ｅｖｉｌ．ｃｏｍ", ["host evil.com"]),
        ("evil。com", ["host evil.com"]),
        ("e\u200bvil.c\u00adom", ["host evil.com"]),
        ("bücher.de", ["host xn--bcher-kva.de"]),
        ("fußball.de", ["host xn--fuball-cta.de"]),
        ("https://xn--bcher-kva.de", ["host xn--bcher-kva.de"]),
        ("https://аpple.com", ["host xn--pple-43d.com"]),
        ("https://fernway.example@evil.com/", ["host evil.com"]),
        ("https:\\\\evil.com", ["host evil.com"]),
        ("http://intranet/x", ["host intranet"]),
        ("http://192.0.2.1/x", ["host 192.0.2.1"]),
        ("192.0.2.1:8080", ["host 192.0.2.1"]),
        ("http://[2001:db8::1]:80/", ["host [2001:db8::1]"]),
        ("https://fernway.example/?next=evil.com", ["host fernway.example", "host evil.com"]),
        ("www.evil.Shop", ["host www.evil.shop"]),
        ("t.co/abc", ["host t.co"]),
        ("%65vil.com%2Fx", ["host evil.com"]),
        ("a@b.example", ["address a@b.example"]),
        ("(_A.b+c@B.example_).", ["address a.b+c@b.example"]),
        ("mailto:a@b.example?cc=c@d.example", ["address a@b.example", "address c@d.example"]),
        ("mailto:a%40b.example", ["address a@b.example"]),
        ("ａ＠ｂ．example", ["address a@b.example"]),
        ("a@exämple.com", ["address a@xn--exmple-cua.com"]),
        ("+45 70 12 34 56", ["phone +4570123456"]),
        ("0045-70123456", ["phone +4570123456"]),
        ("call 70123456 now", ["phone +4570123456"]),
        ("＋４５ ７０１２３４５６", ["phone +4570123456"]),
        ("[call](tel:70123456)", ["phone +4570123456"]),
    ],
)
def test_every_mention_is_found_however_it_is_dressed(text: str, mentions: list[str]) -> None:
    """Outgoing text may carry only what is allowed, so nothing may hide (design §4.8)."""
    assert [f"{mention.kind} {mention.value}" for mention in found(text, ("DK",))] == mentions


@pytest.mark.parametrize(
    "text",
    [
        "Thanks.Please wait",
        "invoice.pdf",
        "e.g. this, z.B. that",
        "1.000,50 kr",
        "v2.0",
        "and/or",
        "and//or",
        "10.30",
        "2026-02-13 10:00",
        "order F-20417",
        "a:b",
        "C.V.",
        "...",
        "@mia",
        "1/2",
    ],
)
def test_ordinary_words_are_no_mentions(text: str) -> None:
    """A person is asked for each; asking for nothing teaches people to say yes."""
    assert found(text, ("DK",)) == []


def test_what_is_the_recipients_or_ours_may_go() -> None:
    """Exact addresses or a whole domain's, hosts with their subdomains, numbers in any spelling."""
    text = (
        "Write to olivia@CUSTOMER.example or help@fernway.example, call 70 12 34 56 or +4570123456, "
        "see https://shop.fernway.example/a, fernway.example and BÜCHER.example."
    )
    assert foreign(text, OURS) == []


@pytest.mark.parametrize(
    "text",
    [
        "notfernway.example",
        "fernway.example.evil.com",
        "x@customer.example",
        "x@sub.fernway.example",
        "+45 70 12 34 57",
        "customer.example",
        "https://fernway.example@evil.com",
        "https://fernway.example\\@evil.com",
    ],
)
def test_what_only_resembles_ours_may_not(text: str) -> None:
    """A host is ours by its end at a dot; an allowed address doesn't allow its host."""
    assert len(foreign(text, OURS)) == 1


@given(
    st.text(max_size=20),
    st.sampled_from(
        [
            "https://{}/p",
            "{}",
            "<a href='http://{}'>x</a>",
            "[x](https://{})",
            "mailto:a@{}",
            "a@{}",
            "**{}**",
            "`{}`",
            "({})",
            "{}.",
            '"{}"',
            "» {}«",
        ]
    ),
    st.from_regex(r"[a-z]{1,10}\.(com|de|dk|io|info|zip)", fullmatch=True),
    st.text(max_size=20),
)
def test_a_foreign_host_is_never_overlooked_between_other_words(before: str, form: str, name: str, after: str) -> None:
    """Whatever stands before and after it."""
    assert foreign(f"{before} {form.format(name)} {after}", Allowed())


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    """A text that can't be judged couldn't be sent."""
    for mention in found(text, ("DK",)):
        assert mention.value


# --- Markdown subset (notes §9) ---


@pytest.mark.parametrize(
    ("text", "html", "plain"),
    [
        (
            "**b** *i* ***bi*** ~s~ `c`",
            "<p><strong>b</strong> <em>i</em> <strong><em>bi</em></strong> <s>s</s> <code>c</code></p>",
            "b i bi s c",
        ),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>", "a b c"),
        ("one\ntwo\n\nthree", "<p>one<br>two</p>\n<p>three</p>", "one\ntwo\n\nthree"),
        ("* a\n* **b**", "<ul><li>a</li><li><strong>b</strong></li></ul>", "- a\n- b"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b"),
        ("> q\n> r\nanswer", "<blockquote>q<br>r</blockquote>\n<p>answer</p>", "> q\n> r\nanswer"),
        (
            "2*3*4 snake_case ~10 ~ 20 ** x **",
            "<p>2*3*4 snake_case ~10 ~ 20 ** x **</p>",
            "2*3*4 snake_case ~10 ~ 20 ** x **",
        ),
        ("`**not**`", "<p><code>**not**</code></p>", "**not**"),
        ('<b>x</b> & "y"', "<p>&lt;b&gt;x&lt;/b&gt; &amp; &quot;y&quot;</p>", '<b>x</b> & "y"'),
        ("", "", ""),
    ],
)
def test_the_markdown_subset_becomes_html_and_plain_text(text: str, html: str, plain: str) -> None:
    """Escaped HTML to e-mail and forms, plain text elsewhere (design §5)."""
    assert to_html(text) == html
    assert to_plain(text) == plain


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [name for name, _ in attrs]))


@given(
    st.lists(
        st.sampled_from(
            [
                "<script>",
                "<img src=x onerror=y>",
                "**",
                "*",
                "***",
                "~",
                "`",
                "\n",
                "> ",
                "1. ",
                "* ",
                "word",
                "&lt;",
                '"',
                "<",
                "]]>",
            ]
        )
        | st.text(max_size=3)
    ).map("".join)
)
def test_html_in_a_text_is_always_escaped(text: str) -> None:
    """Only our own few tags come out, none with an attribute but a list's first number."""
    tags = _Tags()
    tags.feed(to_html(text))
    tags.close()
    assert {tag for tag, _ in tags.seen} <= {"p", "br", "strong", "em", "s", "code", "ul", "ol", "li", "blockquote"}
    assert all(names in ([], ["start"]) for _, names in tags.seen)


def test_quotes_are_escaped_for_attributes_too() -> None:
    """One function for text and attributes."""
    assert escape_html("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#x27;y&#x27;&gt;&amp;"


def test_placeholders_are_found_and_filled_once() -> None:
    """A placeholder left unfilled refuses (design §5); a value that looks like one is text."""
    text = "Hi {{ name }}, order {{order}}, {{ name }} {single}"
    assert placeholders(text) == ["name", "order"]
    assert fill(text, {"Name": "{{order}}"}) == "Hi {{order}}, order {{order}}, {{order}} {single}"
    assert placeholders(fill(text, {"name": "Mia", "ORDER": "F-1"})) == []
