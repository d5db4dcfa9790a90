"""A table that streams looks at every step like the same table laid out at once, and costs what its new rows cost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript import open_table
from chatforge_tui.ui.transcript.markdown import lay_out_markdown, parse_blocks
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.open_table import OpenTable
from chatforge_tui.ui.transcript.page import Page
from tests.ui.transcript.test_growing_markdown import looks, widths

HEADS = ("| a | b |\n|--|--:|\n", "a|b\n:-:|-\n", "|x|\n|-|\n", "| long head | [l](http://x.y) | c |\n|---|:--|--|\n")
ROWS = (
    "| 1 | 2 |\n", "| 1 |\n", "| 1 | 2 | 3 | 4 |\n", "||\n", "only words\n", "| **b** | `c` |\n", "| \\| | a\\|b |\n", "| 中文 | 👩‍👩‍👧 |\n",
    "| a much longer cell than before | x |\n", "|\t|\n", "    | code? |\n", "| e\u0301 | &amp; |\n", "| [l](http://x.y) | x |\n",
)  # fmt: skip
ENDS = (
    "",
    "\n",
    "# head\n",
    "- item\n",
    "> quote\n",
    "---\n",
    "```\ncode\n",
    "\npara\n",
    "\n| new | table |\n|--|--|\n| 1 | 2 |\n",
)

tables = st.tuples(st.sampled_from(HEADS), st.lists(st.sampled_from(ROWS), max_size=12), st.sampled_from(ENDS))


@settings(max_examples=200, deadline=None)
@given(tables, st.integers(1, 30), widths)
def test_it_looks_at_every_step_like_the_whole(table, size, width):
    page, text = Page(width), "".join((table[0], *table[1], table[2]))
    growing = MarkdownText()
    for begin in range(0, len(text), size):
        growing.feed(text[begin : begin + size])
        for piece in growing.open_pieces():
            if isinstance(piece, OpenTable):
                lines = piece.lay_out(page)
                assert looks(lines) == looks(lay_out_markdown(piece.source, {}, page))
                assert piece.height == len(lines)
    growing.end()
    lines = [line for piece in growing.closed for line in piece.lay_out(page)]
    assert looks(lines) == looks(lay_out_markdown(clean(text), {}, page))


def test_of_a_table_that_grows_only_the_new_row_is_parsed(monkeypatch: pytest.MonkeyPatch):
    page, growing = Page(60), MarkdownText()
    growing.feed("| a | b |\n|--|--|\n" + "| 1 | 2 |\n" * 100)
    growing.open_pieces()[0].lay_out(page)
    parsed: list[int] = []
    monkeypatch.setattr(
        open_table, "parse_blocks", lambda source, known: parsed.append(len(source)) or parse_blocks(source, known)
    )
    monkeypatch.setattr("chatforge_tui.ui.transcript.markdown_text.parse_blocks", None)
    monkeypatch.setattr("chatforge_tui.ui.transcript.open_end.parse_blocks", None)
    for piece in ("| 3", " | 4", " |\n", "| 5 | 6 |\n| 7"):
        growing.feed(piece)
        lines = growing.open_pieces()[0].lay_out(page)
    assert [line.text for line in lines[-3:]] == ["3 │ 4", "5 │ 6", "7 │  "]
    assert max(parsed) < 50


def test_a_long_table_stays_one_until_it_is_longer_than_any_frame_bears():
    page, growing = Page(60), MarkdownText()
    head = "| a | b |\n|--|--|\n"
    growing.feed(head)
    for _ in range(open_table.MOST_ROWS - 1):
        growing.feed("| 1 | 2 |\n")
        (piece,) = growing.open_pieces()
        assert isinstance(piece, OpenTable)
    assert looks(piece.lay_out(page)) == looks(lay_out_markdown(piece.source, {}, page))
    growing.feed("| 1 | 2 |\n")
    (piece,) = growing.open_pieces()
    assert not isinstance(piece, OpenTable)


def test_the_head_of_a_table_is_there_before_its_rows_at_every_width():
    for width in (8, 60):
        lines = lay_out_markdown("| Name of it | Number |\n|--|--|\n", {}, Page(width))
        assert "Number" in "".join(line.text for line in lines)
