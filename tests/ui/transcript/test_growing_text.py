"""Text that grows as it is: wherever it is cut, its lines hold all of it, in lines that fit, its tabs where they belong."""

import random
import re

import pytest

from chatforge_tui.ui.transcript.growing import GrowingText
from chatforge_tui.ui.transcript.ink import TEXT
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.wrap import wrap_text

PARTS = (
    "\t",
    "\t\t",
    "a",
    "word ",
    "longer words here ",
    "東京",
    " ",
    "     ",
    "\n",
    "naïve",
    "x" * 25,
    "👩‍👧",
    " " * 12,
    "\n  - ",
    "\u3000",
    "e\u0301",
)


def copied(lines):
    """Return what lines give when they are copied."""
    return without_last_blanks(
        "".join(
            "".join(text if ink.copy is None else ink.copy for text, ink in line.spans) + line.joint for line in lines
        )
    )


def without_last_blanks(text: str) -> str:
    """Return a text without the blanks at the ends of its rows: those for which a line has no room are not kept."""
    return re.sub(r"[ \t]+$", "", text.rstrip(), flags=re.MULTILINE)


def growing(seed: int, page: Page):
    """Yield a text that grows by random chunks, and its lines on the page."""
    chance = random.Random(seed)
    piece = GrowingText(TEXT)
    piece.lay_out(page)
    text = ""
    for _ in range(40):
        chunk = "".join(chance.choice(PARTS) for _ in range(chance.randrange(1, 5)))
        text += chunk
        piece.feed(chunk)
        yield text, piece.lay_out(page)


@pytest.mark.parametrize("seed", range(60))
def test_its_lines_give_the_whole_text_back(seed: int):
    page = Page((7, 17, 40)[seed % 3])
    for text, lines in growing(seed, page):
        assert copied(lines) == without_last_blanks(text)
        assert all(line.cells <= page.width for line in lines)


@pytest.mark.parametrize("width", [2, 5, 8, 9, 10, 12, 15, 20])
@pytest.mark.parametrize("seed", range(30))
def test_its_lines_are_those_of_the_whole_text(seed: int, width: int):
    page = Page(width)
    for text, lines in growing(seed, page):
        whole = GrowingText(TEXT)
        whole.feed(text)
        assert [(line.text, line.copied, line.joint) for line in lines] == [
            (line.text, line.copied, line.joint) for line in whole.lay_out(page)
        ]


@pytest.mark.parametrize("end", ["word", "東京"])
def test_an_indent_wider_than_the_line_goes_on_in_the_next_whatever_comes_behind_it(end: str):
    assert [line.text for line in wrap_text(" " * 12 + end, TEXT, 8)] == [" " * 8, " " * 4 + end]


@pytest.mark.parametrize("seed", range(20))
def test_its_tabs_stand_where_those_of_the_whole_text_stand(seed: int):
    page = Page(1000)
    for text, lines in growing(seed, page):
        assert [line.text for line in lines] == [line.text for line in wrap_text(text, TEXT, page.width)]


def test_of_a_row_of_any_length_only_the_last_line_is_wrapped_again():
    piece = GrowingText(TEXT)
    page = Page(100)
    piece.lay_out(page)
    piece.feed("a\t" * 20_000)
    before = list(piece.lay_out(page))
    piece.feed("b\t")
    after = piece.lay_out(page)
    assert all(one is other for one, other in zip(before[:-1], after, strict=False))
    assert len(after) - len(before) in {0, 1}


def test_thousands_of_tabs_behind_a_word_are_wrapped_once():
    piece = GrowingText(TEXT)
    page = Page(40)
    piece.lay_out(page)
    piece.feed("word")
    for _ in range(30):
        piece.feed("\t" * 100)
        piece.lay_out(page)
    assert len(piece._open) < 110, "those of the last chunk, and one span for all before"
    piece.feed("end")
    assert copied(piece.lay_out(page)) == "word" + "\t" * 3_000 + "end"
