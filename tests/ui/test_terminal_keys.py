"""Textual's table of key sequences is private: these tests say when a new version reads bytes otherwise."""

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from chatforge_tui.ui.terminal_keys import patch_terminal_keys


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
