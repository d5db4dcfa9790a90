"""The title of the terminal's window: which session is in front. Pure; the app writes the sequences.

The title goes around every filter of the screen, so it is cleaned here to printable characters and nothing else.
"""

from chatforge_tui.safety.clean import clean_name

SAVE_TITLE = "\x1b[22;2t"
"""Asks the terminal to remember its title."""
RESTORE_TITLE = "\x1b[23;2t"
"""Asks the terminal to take back what it remembered."""
_LIMIT = 80
_WITHOUT_TITLES = {"linux", "dumb", "vt100", "vt220", ""}


def title_sequence(title: str, terminal: str) -> str:
    """Return the bytes that set the window's title; "" for a terminal (as TERM names it) that has none."""
    if terminal in _WITHOUT_TITLES:
        return ""
    text = "".join(character for character in clean_name(title) if character.isprintable())
    name = f"{text[:_LIMIT]} - ChatForge" if text else "ChatForge"
    return f"\x1b]2;{name}\x07"


def has_titles(terminal: str) -> bool:
    """Whether a terminal (as TERM names it) has a title to set."""
    return terminal not in _WITHOUT_TITLES
