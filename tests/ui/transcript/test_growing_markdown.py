"""Markdown that arrives in pieces looks, at its end, like the same Markdown laid out at once."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript import markdown_text
from chatforge_tui.ui.transcript import piece as piece_module
from chatforge_tui.ui.transcript.chunks import safe_chunks
from chatforge_tui.ui.transcript.ink import EMPTY, TEXT, Line
from chatforge_tui.ui.transcript.markdown import lay_out_markdown, parse_blocks
from chatforge_tui.ui.transcript.markdown_text import CUT_BEYOND, RAW_BEYOND, MarkdownText
from chatforge_tui.ui.transcript.open_end import OpenEnd
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import Margin

ATOMS = (
    "# head\n", "## two words\n", "para text here\n", "second line\n", "\n", "\n", "- item\n", "- other\n", "* star\n",
    "  - nested\n", "    more indented\n", "1. one\n", "2. two\n", "10) ten\n", "> quote\n", ">> deep\n", ">\n",
    "```python\nx = 1\n```\n", "```\n", "~~~\ncode\n\nmore\n~~~\n", "---\n", "***\n", "- - -\n",
    "| a | b |\n|---|--:|\n| 1 | 2 |\n", "| 3 | 4 |\n", "|--|--|\n", "text\n===\n", "text\n---\n", "[x]: http://a.b\n",
    "[x] and [y] ", "[y]: <http://c.d>\n  'title'\n", "**bold** *em* `code`", "~~s~~ ", "<b>html</b>\n", "- [ ] task\n",
    "- [x] done\n", "   three spaces\n", "\tcode tab\n", "中文 wide ", "👩‍👩‍👧 ", "![i](u) ", "[l](http://x.y) ", "  \n",
    "hard  \nbreak\n", "#", "-", "1.", "|", "=", "`", "*", "a", "<", "[", "1. a\n\n   b\n", "   ```js\n   k\n   ```\n",
    "- a\n\n\n- b\n", "www.x.com ", "\r\n", "+ plus\n", "-\n", "para\n- tight\n", "\x1b[31m", "\u202e",
    "שלום עולם ", "مرحبا\n", "e\u0301 n\u0303 ", "a\tb\tc\n", "| א | 中 |\n|--|--|\n| 👩‍👩‍👧 | e\u0301 |\n", "1. \t中文\n", "> שלום\n",
)  # fmt: skip
"""What Markdown is made of, and the beginnings that may yet become something else."""

documents = st.lists(st.sampled_from(ATOMS), min_size=1, max_size=14).map("".join)
widths = st.sampled_from([8, 9, 10, 12, 15, 20, 24, 60, 100])


def grown(text: str, cuts: Sequence[int], page: Page) -> list[Line]:
    """Feed a text piece by piece, drawing it after each, and return its lines at the end."""
    growing, last = MarkdownText(), 0
    for cut in [*sorted(cuts), len(text)]:
        growing.feed(text[last:cut])
        last = max(last, cut)
        for piece in [*growing.closed, *growing.open_pieces()]:
            piece.lay_out(page)
    growing.end()
    return [line for piece in growing.closed for line in piece.lay_out(page)]


def looks(lines: Sequence[Line]) -> list[object]:
    """Return all there is to a line: text, ink, joints, code."""
    return [(line.spans, line.joint, line.code) for line in lines]


@settings(max_examples=250, deadline=None)
@given(documents, st.data(), widths)
@example("para\n#", [5, 6], 60)
@example("text\na | b\n--|-x\n", [14], 60)
def test_any_chunking_gives_the_same_lines_as_the_whole(document, data, width):
    page = Page(width)
    cuts = data if isinstance(data, list) else data.draw(st.lists(st.integers(0, len(document)), max_size=30))
    assert looks(grown(document, cuts, page)) == looks(lay_out_markdown(clean(document), {}, page))


@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_character_alone_gives_the_same_lines_as_the_whole(document):
    page = Page(40)
    assert looks(grown(document, range(len(document)), page)) == looks(lay_out_markdown(clean(document), {}, page))


WORDS = (
    "word",
    " and more",
    " a, (b)",
    "x.",
    ": so",
    " 12",
    "3. ",
    ")",
    "  ",
    " ",
    ".",
    "longer-words",
    "com",
    "!",
    '"',
    "@",
)
"""What mostly only makes the last line longer."""


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from((*ATOMS, *WORDS * 6)), min_size=2, max_size=24), widths, st.booleans())
@example(["12345", ". ", "x"], 60, False)
@example(["- 12345", ".", " x"], 60, False)
@example(["www", ".", "x.com ", "word"], 60, False)
@example(["a | b\n--|--\n", "cell", " and more"], 60, False)
@example(["    code", "word"], 60, False)
@example(["[x]: y", "word"], 60, False)
@example(['[l](http://x.y "ti', "tle", '")'], 60, False)
@example(["[l](x", " y)"], 60, False)
@example(["see [l](http://x.y) and", " more", " words"], 24, False)
def test_an_open_end_that_grows_looks_at_every_step_like_one_made_of_the_whole(pieces, width, has_margin):
    page = Page(width)
    margin = Margin(("> ", TEXT), ("> ", TEXT)) if has_margin else None
    growing = OpenEnd({}, TEXT, margin)
    text = ""
    for piece in pieces:
        text += clean(piece)
        whole = OpenEnd({}, TEXT, margin)
        whole.set(text, None)
        growing.set(text, None)
        assert looks(growing.lay_out(page)) == looks(whole.lay_out(page))
        assert growing.height == whole.height


def test_words_at_the_end_of_a_paragraph_are_not_parsed_again(monkeypatch):
    page, growing = Page(24), MarkdownText()
    growing.feed("Some **strong** words")
    growing.open_pieces()[0].lay_out(page)
    monkeypatch.setattr("chatforge_tui.ui.transcript.open_end.parse_blocks", None)
    growing.feed(" that go on, and on to the next line")
    assert [line.text for line in growing.open_pieces()[0].lay_out(page)] == [
        "Some strong words that",
        "go on, and on to the",
        "next line",
    ]


@settings(max_examples=300, deadline=None)
@given(documents, widths)
def test_a_stored_text_cut_at_every_safe_place_gives_the_same_lines_as_the_whole(document, width):
    page, cleaned = Page(width), clean(document)
    environment = {}
    chunks = list(safe_chunks(cleaned, size=1))
    assert "".join(chunks) == cleaned
    parse_blocks(cleaned, environment)
    lines = []
    for chunk in chunks:
        laid_out = lay_out_markdown(chunk, environment, page)
        if lines and laid_out:
            lines.append(EMPTY)
        lines += laid_out
    assert looks(lines) == looks(lay_out_markdown(cleaned, {}, page))


@settings(max_examples=250, deadline=None)
@given(documents, st.data(), widths)
def test_text_that_comes_at_once_is_cut_as_if_it_came_slowly(document, data, width):
    page, cuts = Page(width), data.draw(st.lists(st.integers(0, len(document)), max_size=4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown_text, "LARGEST_CHUNK", data.draw(st.integers(1, 40)))
        patch.setattr(markdown_text, "safe_chunks", partial(safe_chunks, size=1))
        lines = grown(document, cuts, page)
        loaded = MarkdownText()
        loaded.load(document)
    whole = looks(lay_out_markdown(clean(document), {}, page))
    assert looks(lines) == whole
    assert looks([line for piece in loaded.closed for line in piece.lay_out(page)]) == whole


@pytest.mark.parametrize(
    "block", ["word " * 5_000, "x = 1\n" * 4_000, "```\n" + "x = 1\n" * 4_000 + "```", "- item\n" * 4_000]
)
def test_what_follows_a_long_block_of_a_stored_text_is_there(block):
    loaded = MarkdownText()
    loaded.load(f"Before.\n\n{block}\n\nBehind it.\n\nThe *end*.\n")
    last = [line.text for piece in loaded.closed[-4:] for line in piece.lay_out(Page(60))]
    assert last[-3:] == ["Behind it.", "", "The end."]
    assert sum(len(piece.source) for piece in loaded.closed) > len(block)


@pytest.mark.parametrize("is_loaded", [True, False], ids=["stored", "at once"])
@pytest.mark.parametrize(
    "block", ["word " * 80_000, "x" * 400_000, "👩‍👩‍👧" * 80_000, "a row of it\n" * 40_000, "- item\n" * 80_000]
)
def test_a_block_without_end_is_laid_out_only_where_it_is_looked_at(block, is_loaded, monkeypatch):
    parsed = []
    monkeypatch.setattr(markdown_text, "parse_blocks", lambda source, _: parsed.append(len(source)) or [])
    page, text = Page(60), MarkdownText()
    if is_loaded:
        text.load(block)
    else:
        text.feed(block)
        assert text.open_pieces() == []
        text.end()
    assert sum(parsed) == 0
    assert max(len(piece.source) for piece in text.closed) <= piece_module.LONGEST_WRITTEN
    lines = [line for piece in text.closed for line in piece.lay_out(page)]
    assert max(line.cells for line in lines) <= 60
    assert "".join(line.copied + line.joint for line in lines).rstrip() == block.rstrip()


@pytest.mark.parametrize("is_loaded", [True, False], ids=["stored", "at once"])
def test_around_a_block_that_stays_as_written_there_is_one_blank_line(is_loaded):
    text, block = MarkdownText(), "- item\n" * 80_000
    whole = f"Before.\n\n{block}\n\nBehind *it*."
    text.load(whole) if is_loaded else text.feed(whole)
    text.end()
    lines = [line.text for piece in text.closed for line in piece.lay_out(Page(60))]
    assert lines[:3] == ["Before.", "", "- item"]
    assert lines[-3:] == ["- item", "", "Behind it."]


def test_a_line_that_never_ends_goes_on_where_it_was_broken(monkeypatch):
    monkeypatch.setattr(markdown_text, "LONGEST_LINE", 100)
    growing = MarkdownText()
    for _ in range(60):
        growing.feed("some words ")
    growing.end()
    lines = [line for piece in growing.closed for line in piece.lay_out(Page(30))]
    assert "".join(line.copied + line.joint for line in lines).rstrip() == ("some words " * 60).rstrip()


def test_long_stored_text_is_cut_and_only_parsed_where_it_is_needed():
    loaded = MarkdownText()
    loaded.load(("A paragraph.\n\n- list\n  ```py\n  x\n  ```\n\n" * 40 + "```\ncode\n\ncode\n```\n\n") * 30)
    assert len(loaded.closed) > 20
    assert all(piece.lines is None for piece in loaded.closed if not piece.is_gap)
    assert max(len(piece.source) for piece in loaded.closed) < 8_000


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_newline_split_over_two_chunks_is_one_newline(newline):
    text = f"one{newline}two{newline}{newline}three"
    page = Page(40)
    assert [line.text for line in grown(text, range(len(text)), page)] == ["one", "two", "", "three"]


def test_closed_blocks_are_kept_and_only_the_open_end_is_laid_out_again():
    page, growing = Page(60), MarkdownText()
    growing.feed("first paragraph\n\n- an item\n- the next")
    before = [piece.lay_out(page) for piece in growing.closed]
    growing.feed(" item\n- third\n\nlast paragraph")
    after = [piece.lay_out(page) for piece in growing.closed]
    assert len(after) > len(before) > 0
    assert all(new is old for new, old in zip(after, before, strict=False))


def test_an_open_code_block_grows_line_by_line_and_is_coloured_when_it_closes():
    page, growing = Page(60), MarkdownText()
    growing.feed("```python\nimport os\n")
    (piece,) = growing.open_pieces()
    lines = piece.lay_out(page)
    first = lines[1]
    growing.feed("x = 'text'\npar")
    assert growing.open_pieces() == [piece]
    assert piece.lay_out(page) is lines
    assert lines[1] is first
    assert [line.text.strip("│ ") for line in lines[1:-1]] == ["import os", "x = 'text'", "par"]
    assert {ink.role for line in lines for _, ink in line.spans} <= {"code", "frame", "muted"}
    growing.feed("t\n```\n")
    assert growing.open_pieces() == []
    roles = {ink.role for line in growing.closed[0].lay_out(page) for _, ink in line.spans}
    assert {"keyword", "string"} <= roles


def test_the_closing_fence_is_not_shown_while_it_is_being_written():
    page, growing = Page(60), MarkdownText()
    growing.feed("```\ncode\n``")
    (piece,) = growing.open_pieces()
    assert [line.text.strip("│ ") for line in piece.lay_out(page)][1:-1] == ["code"]


def test_a_very_long_open_paragraph_is_shown_as_written_until_it_closes():
    page, growing = Page(60), MarkdownText()
    growing.feed("**bold** " * (RAW_BEYOND // 9 + 10))
    (piece,) = growing.open_pieces()
    assert "**bold**" in piece.lay_out(page)[0].text
    growing.feed("\n\nnext")
    growing.end()
    assert "**" not in growing.closed[0].lay_out(page)[0].text


@pytest.mark.parametrize("width", [8, 9, 13, 20, 33])
def test_raw_text_wraps_the_same_however_it_arrives(width):
    page = Page(width)
    text = f"words of several lengths and 中文字符 between them,{' ' * 21}" * 130
    at_once, one_by_one = MarkdownText(), MarkdownText()
    at_once.feed(text)
    for begin in range(0, len(text), 7):
        one_by_one.feed(text[begin : begin + 7])
        for piece in one_by_one.open_pieces():
            piece.lay_out(page)
    whole = [line.text for piece in at_once.open_pieces() for line in piece.lay_out(page)]
    assert [line.text for piece in one_by_one.open_pieces() for line in piece.lay_out(page)] == whole


def test_a_block_beyond_every_measure_is_given_up_and_stays_as_written():
    growing = MarkdownText()
    for _ in range(CUT_BEYOND // 1000 + 40):
        growing.feed("word " * 199 + "\n")
    assert len(growing.closed) > 0
    growing.end()
    text = "".join(piece.source for piece in growing.closed)
    assert text.count("word") == (CUT_BEYOND // 1000 + 40) * 199


def test_a_link_defined_after_its_use_is_a_link_at_the_end():
    page, growing = Page(60), MarkdownText()
    growing.feed("see [the page][p]\n\nmore text\n\n")
    assert all(not ink.link for piece in growing.closed for line in piece.lay_out(page) for _, ink in line.spans)
    growing.feed("[p]: https://example.com/page\n")
    growing.end()
    links = [ink.link for line in growing.closed[0].lay_out(page) for _, ink in line.spans if ink.link]
    assert links == ["https://example.com/page"]


def test_half_a_link_definition_defines_nothing():
    page, growing = Page(60), MarkdownText()
    growing.feed("see [p]\n\n[p]: https://exam")
    for piece in growing.open_pieces():
        piece.lay_out(page)
    growing.feed("ple.com\n")
    growing.end()
    links = [ink.link for line in growing.closed[0].lay_out(page) for _, ink in line.spans if ink.link]
    assert [link.rstrip("/") for link in links] == ["https://example.com"]


@pytest.mark.parametrize("beginning", ["-", "=", "##", "|--", "1.", "`", "> ", "* "])
def test_the_undecided_beginning_of_a_line_changes_nothing_yet(beginning):
    page, growing = Page(40), MarkdownText()
    growing.feed("a paragraph\n")
    before = [line.text for piece in growing.open_pieces() for line in piece.lay_out(page)]
    growing.feed(beginning)
    assert [line.text for piece in growing.open_pieces() for line in piece.lay_out(page)] == before
    growing.end()
    assert "".join(piece.source for piece in growing.closed).endswith(beginning)


@pytest.mark.parametrize("text", ["|a" * 50_000 + "|\n" + "|-" * 50_000 + "|\n", "**bold** " * 12_000, "[" * 100_000])
def test_a_stored_line_beyond_every_measure_is_as_written_and_never_parsed(text, monkeypatch):
    parsed = []
    monkeypatch.setattr(markdown_text, "parse_blocks", lambda source, _: parsed.append(len(source)) or [])
    loaded = MarkdownText()
    loaded.load(f"before\n\n{text}")
    assert sum(parsed) < 1_000
    shown = "".join(line.copied + line.joint for piece in loaded.closed for line in piece.lay_out(Page(80)))
    assert text.rstrip() in shown
    fenced = MarkdownText()
    fenced.load(f"```\n{'x' * 100_000}\n```\n")
    assert parsed
