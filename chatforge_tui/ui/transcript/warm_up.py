"""Makes, in a thread beside the first answer's beginning, what its first link and its first code block need.

The patterns that find links take 16 ms to compile, the highlighter and a lexer 24 ms to load, each in the frame that meets
the first: no key was answered meanwhile. In a thread they give way to the screen every millisecond. A program that only
shows what is stored never comes here.
"""

from threading import Thread

from chatforge_tui.ui.transcript.highlight import coloured_lines
from chatforge_tui.ui.transcript.ink import Ink
from chatforge_tui.ui.transcript.inline import inline_rows

_WORDS = "See **this** `code`, https://example.com/a, //example.com, example.org or me@example.org."
_LANGUAGE = "python"


def warm_up() -> Thread:
    """Start; return the thread, which nobody has to wait for: who comes first makes it all the same."""
    thread = Thread(target=_make, name="chatforge-warm-up", daemon=True)
    thread.start()
    return thread


def _make() -> None:
    inline_rows(_WORDS, {}, Ink())
    coloured_lines("x = 1", _LANGUAGE)
