"""Cutting text between what is seen as one character, and never inside it."""

import re

from rich.cells import split_graphemes

_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]")

Grapheme = tuple[int, int, int]
"""First code point, the one behind the last, and the cells that it takes."""


def graphemes(text: str) -> list[Grapheme]:
    """Return the graphemes of a text. The two letters of a flag are one: Rich takes them for two."""
    found = split_graphemes(text)[0]
    if not _FLAG_LETTERS.search(text):
        return found
    joined: list[Grapheme] = []
    is_half = False  # the last one is the first letter of a flag
    for start, end, cells in found:
        is_letter = _FLAG_LETTERS.match(text, start) is not None
        if is_letter and is_half:
            joined[-1] = (joined[-1][0], end, joined[-1][2] + cells)
            is_half = False
        else:
            joined.append((start, end, cells))
            is_half = is_letter and end == start + 1
    return joined
