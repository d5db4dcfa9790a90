"""Two groups of keys that Textual reads as something else: Alt+Enter and Alt+digit of legacy terminals.

Textual 8.2 reads ESC CR as plain Enter (which would send a half-written prompt) and ESC 1 as a character of macOS'
Option layer. Its table is private, so this is the one place that touches it; tests/ui/test_terminal_keys.py feeds
bytes and fails when a new Textual reads them otherwise. People who type Option characters on macOS switch the digits off.
"""

import string
from typing import NamedTuple, cast

from textual import _ansi_sequences


class _KeyName(NamedTuple):
    """What the parser reads from an entry: anything with a `value`."""

    value: str


def patch_terminal_keys(*, alt_digits: bool = True) -> None:
    """Teach the parser ESC CR and ESC LF as alt+enter and, unless told not to, ESC 0 to ESC 9 as alt+0 to alt+9.

    Must run before the driver starts. Repeating it changes nothing more.

    Args:
        alt_digits: False keeps the characters that Option+digit types on macOS.
    """
    table = cast("dict[str, tuple[_KeyName, ...]]", _ansi_sequences.ANSI_SEQUENCES_KEYS)
    for sequence in ("\x1b\r", "\x1b\n"):
        table[sequence] = (_KeyName("alt+enter"),)
    if alt_digits:
        for digit in string.digits:
            table[f"\x1b{digit}"] = (_KeyName(f"alt+{digit}"),)
