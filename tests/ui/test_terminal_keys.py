"""Textual's table of key sequences is private: these tests say when a new version reads bytes otherwise."""

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from chatforge_tui.config.keymap import ACTIONS
from chatforge_tui.ui.terminal_keys import patch_terminal_keys

LEGACY = {
    "enter": "\r",
    "escape": "\x1b",
    "space": " ",
    "question_mark": "?",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "alt+enter": "\x1b\r",
    "ctrl+delete": "\x1b[3;5~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+pageup": "\x1b[5;5~",
    "ctrl+pagedown": "\x1b[6;5~",
    "ctrl+end": "\x1b[1;5F",
    "ctrl+up": "\x1b[1;5A",
    "ctrl+down": "\x1b[1;5B",
    "alt+up": "\x1b[1;3A",
    "alt+down": "\x1b[1;3B",
    "alt+right": "\x1b[1;3C",
    "alt+left": "\x1b[1;3D",
    "shift+f8": "\x1b[19;2~",
    **{f"f{number}": f"\x1bO{letter}" for number, letter in enumerate("PQRS", 1)},
    **{f"f{number}": f"\x1b[{code}~" for number, code in ((5, 15), (6, 17), (7, 18), (8, 19), (9, 20), (12, 24))},
}
"""What a terminal without the kitty protocol sends."""
NEW_TERMINALS_ONLY = {"shift+enter", "shift+\r"}


def legacy_bytes(key: str) -> str:
    """Return what a terminal without the kitty protocol sends for a key."""
    modifier, _, letter = key.rpartition("+")
    if key in LEGACY:
        return LEGACY[key]
    assert len(letter) == 1, f"how does {key} arrive?"
    return {"ctrl": chr(ord(letter.upper()) & 0x1F), "alt": f"\x1b{letter}", "": letter}[modifier]


def keys_of(data: str) -> list[str]:
    parser = XTermParser()
    found = [*parser.feed(data), *parser.feed("")]
    return [event.key for event in found if isinstance(event, events.Key)]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ("\x1b\r", "alt+enter"),
        ("\x1b\n", "alt+enter"),
        ("\x1b1", "alt+1"),
        ("\x1b9", "alt+9"),
        ("\r", "enter"),
        ("\n", "ctrl+j"),
        ("1", "1"),
        ("\x1bn", "alt+n"),
        ("\x1b[27;2;13~", "shift+\r"),
        ("\x1b[13;2u", "shift+enter"),
        ("\x1b[5;5~", "ctrl+pageup"),
        ("\x1b[3;5~", "ctrl+delete"),
    ],
)
def test_what_a_terminal_sends_arrives_under_the_name_that_is_bound(data, key):
    patch_terminal_keys()

    assert keys_of(data) == [key]


def test_the_patch_can_be_applied_twice():
    patch_terminal_keys()
    patch_terminal_keys()

    assert keys_of("\x1b\r") == ["alt+enter"]


@pytest.mark.parametrize(
    "key", sorted({key for action in ACTIONS for key in action.keys} - NEW_TERMINALS_ONLY), ids=repr
)
def test_every_key_of_the_key_table_arrives_from_a_terminal_of_the_old_kind(key):
    patch_terminal_keys()

    assert keys_of(legacy_bytes(key)) == [key]
