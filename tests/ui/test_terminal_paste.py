"""Bytes of a terminal through Textual's parser: a paste is one event, whatever it holds and however it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from chatforge_tui.ui.terminal_paste import END, START, PasteReader, patch_terminal_paste

HOSTILE = [
    "plain",
    "two\rlines\n",
    "ls\x1b[201~\rrm -rf ~\r",
    "ls\x1b[201~\r\x1b[200~rm -rf ~\r",
    "\x1b]52;c;ZXZpbA==\x07 and more than thirty-two characters behind it\r",
    "\x1b[A\x1bOP\x1b[13u\x1bd\x1b\x1b[3~",
    "\x1b]unterminated, with an Enter in it\r and long enough to be given up",
    "\x1b",
    "\x00\x03\x11",
    "\x1b[20",
    "\x1b[200~",
]


@pytest.fixture(autouse=True)
def patched():
    patch_terminal_paste()
    patch_terminal_paste()


def parsed(*pieces: str) -> list[object]:
    parser = XTermParser()
    return [
        token.text if isinstance(token, events.Paste) else getattr(token, "key", token)
        for piece in pieces
        for token in parser.feed(piece)
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_a_paste_is_one_event_with_its_text(text):
    assert parsed("a", f"{START}{text}{END}", "b") == ["a", text, "b"]


@pytest.mark.parametrize("text", [text for text in HOSTILE if END not in text], ids=repr)
def test_a_paste_may_arrive_letter_by_letter(text):
    assert parsed("a", *f"{START}{text}{END}", "b") == ["a", text, "b"]


def test_two_pastes_at_once_are_one():
    assert parsed(f"{START}one{END}{START}two{END}x") == ["onetwo", "x"]


def test_keys_before_and_after_stay_keys():
    assert parsed(f"a\x1b[A{START}x{END}\x1b[B\r") == ["a", "up", "x", "down", "enter"]
    assert parsed("\x1b[20", "1~b") == ["b"]


def test_nothing_is_held_back_outside_a_paste():
    assert PasteReader().read("\x1b") == "\x1b"
    assert PasteReader().read("\x1b[200") == "\x1b[200"


@given(st.lists(st.text(st.sampled_from("\x1b[20~1a\r\x00"), max_size=9), max_size=12))
def test_what_is_read_loses_nothing_and_any_split_of_what_is_not_pasted_gives_the_same(pieces):
    reader = PasteReader()
    read = "".join(reader.read(piece) for piece in pieces) + reader.read("z")
    restored = read.replace("\udc1b", "\x1b").replace("\udc00", "\x00")
    assert restored.replace(END + START, "") == ("".join(pieces) + "z").replace(END + START, "")
