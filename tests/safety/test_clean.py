import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.safety.clean import clean, clean_line, clean_name, count_hidden

HOSTILE = [
    "\x1b", "\x07", "\x00", "\x9b", "\x9d", "\x7f", "\u202e", "\u2066", "\u200b", "\u200d", "\ufe0f", "\U000e0041",
    "\U000e0100", "\ud83d", "\udc00", "\r", "\n", "\t", "\r\n", "\u2028", "\u00ad", "\ufeff", "\u200e", "\u3164",
    "\u200c", "\ufe0e", "\u20e3", "😀", "👩", "💻", "⚠", "1", "#", "م", "ی", "a", "<U+202E>", "␛",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.characters()), max_size=40).map("".join)

TERMINAL_MUST_NOT_SEE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)


@given(texts)
def test_nothing_that_steers_a_terminal_survives(text):
    for cleaned in (clean(text), clean_line(text), clean_name(text)):
        assert not TERMINAL_MUST_NOT_SEE.search(cleaned)
    for cleaned in (clean_line(text), clean_name(text)):
        assert "\n" not in cleaned
        assert "\t" not in cleaned


@given(texts)
def test_cleaning_twice_is_cleaning_once(text):
    for function in (clean, clean_line, clean_name):
        assert function(function(text)) == function(text)


@given(texts, texts)
def test_cleaned_pieces_joined_are_still_clean_so_a_sequence_split_over_deltas_cannot_pass(one, other):
    assert not TERMINAL_MUST_NOT_SEE.search(clean(one) + clean(other))


@given(texts)
def test_ordinary_characters_are_never_changed(text):
    visible = [c for c in clean(text) if unicodedata.category(c)[0] in "LNS" and c not in "⏎␍␛"]
    for character in text:
        if unicodedata.category(character)[0] in "LNS" and clean(character) == character:
            assert character in visible or character in "⏎␍␛"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "M"]), max_size=200))
def test_text_without_anything_to_hide_comes_back_itself(text):
    if not re.search("[\u115f\u1160\u3164\uffa0]", text):
        assert clean(text) is text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi \x1b]52;c;Y3VybA==\x07 bye", "hi ␛]52;c;Y3VybA==␇ bye"),
        ("\x9b2J", "<U+009B>2J"),
        ("a\x7f", "a<U+007F>"),
        ("\u202egnp.exe", "<U+202E>gnp.exe"),
        ("a\r\nb\rc\n", "a\nb␍c\n"),
        ("a\r\r\nb", "a␍\nb"),
        ("a\tb", "a\tb"),
        ("\ud83d", "<U+D83D>"),
        ("x\u2028y", "x<U+2028>y"),
        ("hi\U000e0069", "hi<U+E0069>"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("👩🏽\u200d💻", "👩🏽\u200d💻"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("⚠\ufe0e", "⚠\ufe0e"),
        ("a\u200db", "a<U+200D>b"),
        ("👩\u200d", "👩<U+200D>"),
        ("\u200d💻", "<U+200D>💻"),
        ("a\ufe0f", "a<U+FE0F>"),
        ("😀\ufe0f\ufe0f", "😀\ufe0f<U+FE0F>"),
        ("😀\U000e0100", "😀<U+E0100>"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("ක්\u200dෂ", "ක්\u200dෂ"),
        ("a\u200cb", "a<U+200C>b"),
        ("م\u200c\u200cم", "م<U+200C><U+200C>م"),
        ("\u200eשלום", "\u200eשלום"),
        ("list[int] [bold]x[/]", "list[int] [bold]x[/]"),
    ],
)
def test_each_kind_of_character_has_its_sign(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\tc", "a⏎b c"),
        ("a\r\nb", "a⏎b"),
    ],
)
def test_a_line_has_no_newline_and_no_tab(text, expected):
    assert clean_line(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rm\u200b\u200c\u2060\ufeff", "rm<U+200B><U+200C><U+2060><U+FEFF>"),
        ("\u200ex\u200f\u061c", "<U+200E>x<U+200F><U+061C>"),
        ("a\nb\tc\r\nd", "a⏎b␉c⏎d"),
        ("می\u200cخواهم", "می<U+200C>خواهم"),
        ("team 👩\u200d💻", "team 👩\u200d💻"),
        ("plain", "plain"),
    ],
)
def test_a_name_cannot_look_like_another(text, expected):
    assert clean_name(text) == expected


def test_hidden_characters_are_counted_for_the_sentence_after_a_paste():
    assert count_hidden("plain text\r\nwith lines\n") == 0
    assert count_hidden("a\x1b[0m\u202e👩\u200d💻") == 2


def test_a_megabyte_is_cleaned_within_a_frame():
    megabyte = ("größere Wörter — hier, “und” Code: x = [1]\n" * 30_000).encode()[: 2**20].decode(errors="ignore")
    clean(megabyte)
    times = []
    for _ in range(5):
        began = time.process_time()
        clean(megabyte)
        times.append(time.process_time() - began)
    assert min(times) < 0.033
