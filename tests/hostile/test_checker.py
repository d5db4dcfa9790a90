"""The checker sees what it is there for, and takes the program's own sequences for what they are."""

import pytest

from tests.hostile.checker import hidden_in, leaks, passed

OWN = (
    b"\x1b[1;1H\x1b[38;2;152;161;178;48;2;20;23;29m + \x1b[0m\r\n\x1b[1;38;2;1;2;3mbold\x1b[0m"
    b"\x1b]8;id=4;https://e.example/a?b=c\x1b\\link\x1b]8;;\x1b\\\x1b]2;a title - ChatForge\x07"
    + "✓ 漢字 👩\u200d💻 1\ufe0f\u20e3 שלום".encode()
)


def test_what_the_program_writes_itself_is_no_leak():
    assert leaks(OWN) == []


@pytest.mark.parametrize(
    "piece",
    [
        b"\x1b]52;c;ZXZpbA==\x07",
        b"\x1b[2J",
        b"\x1b[H",
        b"\x1b[31m",
        b"\x1b[?1049l",
        b"\x1b[?25l",
        b"\x1bc",
        b"\x1b",
        b"\x9b2J",
        b"\xc2\x9b2J",
        b"\x1b]8;;file:///etc/passwd\x1b\\",
        b"\x1b]8;;https://e.example/ b\x1b\\",
        b"\x1b]0;title\x07",
        b"\x1b]2;OWNED\x07",
        b"\x1bPq#0\x1b\\",
        b"\x07",
        b"\x00",
        b"\x7f",
        b"\r",
        "\u202e".encode(),
        "\u200b".encode(),
        "a\u200db".encode(),
        "\U000e0041".encode(),
        "a\ufe0f".encode(),
    ],
    ids=repr,
)
def test_anything_else_is_one(piece: bytes):
    assert leaks(OWN + piece + b" more text " + OWN)


def test_a_sequence_like_our_own_is_known_by_what_follows_it():
    assert passed("\x1b[1;1HFAKE TITLE", OWN + b"\x1b[1;1HFAKE TITLE")
    assert passed("\x1b[1;1HFAKE TITLE", OWN) == []


def test_a_stretch_may_begin_and_end_anywhere():
    for begin in range(40):
        for end in range(len(OWN) - 60, len(OWN)):
            assert [leak for leak in leaks(OWN[begin:end]) if "\\udc" in leak.what] == []


def test_texts_for_people_are_looked_at_too():
    assert hidden_in("a\x1bb")
    assert hidden_in("a\nb ✓") == []
