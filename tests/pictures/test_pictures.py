"""README's pictures show what the program does today; `make pictures` draws them again."""

import os
import re
from xml.etree import ElementTree as ET

import chart
import draw
import pytest
import terminal


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo tells in an empty home, which it leaves empty; it must succeed."""
    home = tmp_path_factory.mktemp("home")
    said = draw.demo(home)
    assert list(home.iterdir()) == []
    return said


def test_the_demo_tells_its_story_and_ends_well(told: str) -> None:
    """The main job end to end, through a real stdio child (issue: the first end, point 8)."""
    for words in ("finds the customer", "nothing was done", "Reply sent", "read-only", "outbox", "as it should"):
        assert words in told
    assert "✗" not in told


def test_the_terminal_picture_is_what_the_demo_prints_today(told: str) -> None:
    """To the letter and colour; `make surface` rewrites it, as it does the other snapshots."""
    drawn = draw.demo_picture(told)
    if os.environ.get("SURFACE") == "update":
        draw.DEMO.write_text(drawn, encoding="utf-8")
    assert draw.DEMO.read_text(encoding="utf-8") == drawn
    assert "Everything came out as it should." in drawn


def test_a_terminal_picture_holds_the_text_a_reader_sees() -> None:
    """Markup in the output stays text, a long line breaks at the hundredth column, colours change nothing."""
    svg = terminal.picture(f"\x1b[1m1. <b> & co\x1b[0m\n   indented\n{'x' * 120}", "a <title>")
    ET.fromstring(svg)
    assert terminal.text_of(svg) == f"1. <b> &amp; co\n   indented\n{'x' * 100}\n{'x' * 20}"


async def test_the_charts_pictures_were_made_from_this_page_and_these_figures() -> None:
    """Pixels differ from browser to browser, so the file names what it shows: `make pictures` after a change."""
    source = chart.made_from(await chart.answer()).encode()
    for theme in chart.THEMES:
        png = (draw.HERE / f"chart-{theme}.png").read_bytes()
        assert source in png
        assert len(png) < 80_000


def test_readme_shows_each_picture_and_says_what_is_on_it() -> None:
    """With a text for who doesn't see it, and the dark one for dark pages."""
    readme = (draw.HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"tests/pictures/([\w.-]+)", readme)
    assert set(named) == {file.name for file in draw.HERE.iterdir() if file.suffix in {".svg", ".png"}}
    assert all(len(text) > 60 for text in re.findall(r'alt="([^"]*)"', readme))
