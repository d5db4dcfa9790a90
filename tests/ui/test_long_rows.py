"""A prompt of a megabyte is written in like one of a word: each key looks at what it changes."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual._wrap import compute_wrap_offsets
from textual.app import App, ComposeResult
from textual.widgets.text_area import Selection

from chatforge_tui.ui.widgets import long_rows
from chatforge_tui.ui.widgets.composer import Composer
from chatforge_tui.ui.widgets.long_rows import LONG, wrap_offsets

texts = st.text(st.sampled_from("ab  c-é"), max_size=120)


class Writing(App[None]):
    CSS = "Composer { height: 100%; overflow-y: scroll; }"

    def compose(self) -> ComposeResult:
        yield Composer(send_keys=["enter"], newline_keys=["ctrl+j"])

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)


@given(texts, st.integers(1, 30))
def test_no_line_is_wider_than_the_screen_and_no_character_is_lost(text: str, width: int):
    cuts = [0, *wrap_offsets(text, width), len(text)]
    assert cuts == sorted(cuts)
    assert all(after - begin <= width for begin, after in pairwise(cuts))
    assert len(set(cuts[1:-1])) == len(cuts) - 2


@given(st.lists(st.sampled_from(["a", "word", "longer-one", "x" * 25]), max_size=40), st.integers(10, 30))
def test_words_are_wrapped_as_textual_wraps_them(words: list[str], width: int):
    text = " ".join(words)
    assert wrap_offsets(text, width) == compute_wrap_offsets(text, width, 4)


@pytest.mark.parametrize("row", ["word " * 400, "x" * 2_000, "中文 wide " * 200, "{'a': [1, 2]} " * 150])
async def test_a_long_row_is_drawn_as_textual_draws_it(row: str, monkeypatch: pytest.MonkeyPatch):
    chance = random.Random(len(row))
    async with Writing().run_test(size=(50, 12)) as pilot:
        composer = pilot.app.composer
        composer.match_cursor_bracket = False
        for _ in range(6):
            shown: list[list[str]] = []
            begin, end = chance.randrange(len(row)), chance.randrange(len(row))
            for limit in (10, 10_000_000):
                monkeypatch.setattr(long_rows, "LONG", limit)
                composer.load_text(f"first\n{row}\nlast")
                composer.selection = Selection((1, begin), (1, end)) if begin % 2 else Selection.cursor((1, end))
                await pilot.pause()
                lines = [composer.render_line(y) for y in range(composer.size.height)]
                shown.append([str([(text, str(style)) for text, style, _ in strip.simplify()]) for strip in lines])
            assert shown[0] == shown[1]


async def test_a_key_in_a_row_of_a_megabyte_does_not_take_it_apart(monkeypatch: pytest.MonkeyPatch):
    async with Writing().run_test(size=(80, 20)) as pilot:
        composer = pilot.app.composer
        composer.show_draft("word " * 200_000)
        await pilot.pause()
        longest: list[int] = []
        divide = Text.divide
        monkeypatch.setattr(Text, "divide", lambda self, offsets: longest.append(len(self)) or divide(self, offsets))
        await pilot.press("a", "left", "backspace", "up")
        await pilot.pause()
        assert len(composer.text) == 1_000_000
        assert max(longest, default=0) <= LONG


async def test_the_height_is_known_whatever_was_edited():
    chance = random.Random(1)
    async with Writing().run_test(size=(30, 12)) as pilot:
        composer = pilot.app.composer
        composer.show_draft("some words\n" * 20)
        for _ in range(60):
            rows = composer.document.line_count
            start, end = sorted((chance.randrange(rows), 0) for _ in range(2))
            composer.replace(chance.choice(["x", "two\nrows", "", "y" * 100, "a\tb"]), start, end)
            wrapped = composer.wrapped_document
            assert wrapped.height == sum(
                len(wrapped.get_offsets(row)) + 1 for row in range(composer.document.line_count)
            )
