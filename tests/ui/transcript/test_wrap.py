"""Breaking lines: widths in cells, nothing lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, split_graphemes

from chatforge_tui.ui.cell_widths import _NARROW, is_narrow, width_of
from chatforge_tui.ui.transcript.graphemes import graphemes
from chatforge_tui.ui.transcript.ink import TEXT, Line
from chatforge_tui.ui.transcript.line_cells import copied
from chatforge_tui.ui.transcript.wrap import expand_tabs, wrap, wrap_text

TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab c  -中文字、👩🏽❤️\u200d\ufe0fe\u0301שָׁ…→"),
        st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]),
    ),
    max_size=120,
)


def whole(lines):
    return "".join(line.text + (line.joint if line.joint != "\n" else "") for line in lines)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(2, 40), st.booleans())
def test_lines_fit_and_give_the_text_back(text, width, words):
    lines = wrap(((text, TEXT),) if text else (), width, words=words)
    assert all(cell_len(line.text) <= width for line in lines)
    assert whole(lines).rstrip(" ") == text.rstrip(" ")


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(2, 12))
def test_no_grapheme_is_torn(text, width):
    ends = set()
    position = 0
    for line in wrap(((text, TEXT),) if text else (), width)[:-1]:
        position += len(line.text) + len(line.joint)
        ends.add(position)
    assert ends <= {start for start, _, _ in split_graphemes(text)[0]} | {len(text)}


def test_characters_that_count_as_narrow_are_one_cell_wide():
    narrow = [chr(code) for code in range(0x20, 0x3000) if _NARROW.fullmatch(chr(code))]
    assert len(narrow) > 1000
    assert all(cell_len(character) == 1 for character in narrow)


def test_words_stay_whole_where_they_fit():
    assert [line.text for line in wrap((("one two three", TEXT),), 7)] == ["one two", "three"]


def test_wide_characters_may_break_anywhere():
    assert [line.text for line in wrap((("中文字符中文", TEXT),), 5)] == ["中文", "字符", "中文"]


def test_an_indented_line_keeps_its_indent():
    assert [line.text for line in wrap((("    abc defgh", TEXT),), 8)] == ["    abc", "defgh"]


def test_tabs_go_to_the_next_stop():
    (line,) = wrap((("a\tb", TEXT),), 20)
    assert line.text == "a   b"
    assert line.copied == "a\tb"


@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦", "❤️", "🇩🇪", "中"])
def test_emoji_sequences_measure_as_the_terminal_library_says(text):
    assert not is_narrow(text)
    assert width_of(text) == cell_len(text)


def test_newlines_of_plain_text_are_kept():
    assert [line.text for line in wrap_text("a\n\nb", TEXT, 10)] == ["a", "", "b"]


def test_a_line_of_many_tabs_takes_time_by_its_length():
    class Counted(list):
        looked_at = 0

        def __getitem__(self, index):
            Counted.looked_at += 1
            return super().__getitem__(index)

    spans = Counted(expand_tabs((("word\t" * 5_000, TEXT),)))
    lines = wrap(spans, 20)
    assert "".join(line.copied + line.joint for line in lines).rstrip("\n") == "word\t" * 5_000
    assert Counted.looked_at < 10 * len(spans)


@pytest.mark.parametrize("begin", ["  ", "\t"])
def test_a_wide_character_further_on_changes_no_line_before_it(begin: str):
    word = begin + "y" * 70
    plain, wide = ([line.text for line in wrap(expand_tabs(((text, TEXT),)), 40)] for text in (word, f"{word} 日本"))
    assert wide[: len(plain) - 1] == plain[:-1]
    assert "".join(wide).split() == ["y" * 70, "日本"]


@pytest.mark.parametrize("width", range(2, 9))
def test_a_flag_is_never_cut_in_two(width: int):
    text = "🇩🇪🇫🇷🇯🇵 x 🇬🇧🇮🇹"
    for words in (True, False):
        for line in wrap(((text, TEXT),), width, words=words):
            letters = [character for character in line.text if "\U0001f1e6" <= character <= "\U0001f1ff"]
            assert len(letters) % 2 == 0


def test_a_half_of_a_flag_is_a_grapheme_of_its_own():
    assert graphemes("🇩🇪🇫a🇷🇯🇵") == [(0, 2, 2), (2, 3, 1), (3, 4, 1), (4, 6, 2), (6, 7, 1)]


def test_of_a_flag_both_cells_are_copied():
    assert copied(Line((("a🇩🇪b", TEXT),)), 2, 3) == "🇩🇪"
