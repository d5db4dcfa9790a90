"""How many cells of the terminal a text takes."""

import re

from rich.cells import cell_len

_NARROW = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2017\u2018-\u2027\u2030-\u205e\u2190-\u22ff\u2500-\u25fc]*"
)
"""Text of characters that are all one cell wide: no need to look at graphemes."""


def is_narrow(text: str) -> bool:
    """Tell whether every character of `text` is one cell wide; False when it takes a closer look."""
    return text.isascii() or _NARROW.fullmatch(text) is not None


def width_of(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if is_narrow(text) else cell_len(text)
