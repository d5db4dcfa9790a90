"""Keeps emoji in the cells that the program counts for them, whatever the terminal counts.

Terminals disagree about sequences: a thumb with a skin tone is two cells wide in one and four in another, a heart with an
emoji selector two or one. A row in which they disagree shifts what stands behind it, and leaves behind what the next
frame does not know of. Here the place of each such sequence is blanked, the sequence drawn, and the cursor put where the
next cell is: by the terminal's own memory of the place, so that nobody has to know where in the row it is.
"""

import re

from rich.cells import cell_len

_FLAG = "[\U0001f1e6-\U0001f1ff]"
_DOUBTFUL = re.compile(
    r"\x1b\][^\x07\x1b]*"  # a title is no row of cells
    f"|{_FLAG}{_FLAG}?"
    "|[0-9#*]\ufe0f?\u20e3"
    "|[\u00a9-\u3299\U0001f000-\U0001fbff](?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[\u2190-\u3299\U0001f000-\U0001fbff])+"
    "|[\U0001f000-\U0001fbff]"
)
"""An emoji that is made of several code points, or one that an older terminal may not know."""
_ANY = re.compile("[\u200d\ufe0e\ufe0f\u20e3\U0001f000-\U0001fbff]")
MOST_BEYOND = 8
"""Cells that an emoji may take up behind its own: a family of four in a terminal that knows no joiners."""
_SAVE, _RESTORE = "\x1b7", "\x1b8"


def has_emoji(text: str) -> bool:
    """Tell whether a terminal may take a text for wider than it is, or narrower."""
    return _ANY.search(text) is not None


def steady(output: str) -> str:
    """Return what is to be written to a terminal with the cursor put behind each emoji; mostly `output` itself."""
    return _DOUBTFUL.sub(_steadied, output) if has_emoji(output) else output


def _steadied(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("\x1b"):
        return text
    cells = cell_len(text)
    return f"{_SAVE}{' ' * cells}{_RESTORE}{_SAVE}{text}{_RESTORE}\x1b[{cells}C"
