"""Cutting long Markdown where a block certainly ends, by looking at the beginnings of lines only.

A stored answer of a megabyte must not be parsed whole before its end can be shown. The cuts are places where every
reading of the text before agrees that all blocks are closed: a blank line, then a line at the margin that cannot belong
to a list, outside every code block. Where that is not certain there is no cut.
"""

import re
from collections.abc import Iterator

CHUNK = 4_000
"""Characters of a chunk, at least; what is laid out at once takes about 3 ms a KB."""

_FENCE = re.compile(r"( *)(`{3,}(?=[^`]*$)|~{3,})")
_MAYBE_FENCE = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(?:`{3,}|~{3,})")
_BLANK_ROW = re.compile(r"\n\s*\n")
_STARTS_BLOCK = re.compile(r"(?![-*+](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|`{3}|~{3}|\[)\S")
DEFINITION = re.compile(r"^[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)*\[[^\]]+\]:", re.MULTILINE)
"""Where a link may be defined."""


def safe_chunks(text: str, size: int = CHUNK) -> Iterator[str]:
    """Yield the text in pieces that can be laid out alone, each but the last at least `size` characters long.

    After something that one cannot be certain of (a code block that may end with the list it is in) all the rest is
    one piece.
    """
    if text and not text[0].isspace() and not _BLANK_ROW.search(text):  # 6 MB: 10 ms, line by line 150
        yield text
        return
    begin = position = 0
    fence: _OpenFence | None = None
    was_blank = False
    for row in text.splitlines(keepends=True):
        line = row.rstrip("\n")
        if fence is not None:
            if fence.is_closed_by(line):
                fence = None
            elif fence.may_end_before(line):
                break
        elif _MAYBE_FENCE.match(line):
            opening = _FENCE.match(line)
            if opening is None:
                break
            fence = _OpenFence(opening)
        elif was_blank and position - begin >= size and _STARTS_BLOCK.match(line):
            yield text[begin:position]
            begin = position
        was_blank = fence is None and not line.strip()
        position += len(row)
    if begin < len(text):
        yield text[begin:]


class _OpenFence:
    """A code block that has begun, perhaps inside a list."""

    def __init__(self, opening: re.Match[str]) -> None:
        self._indent = len(opening[1])
        most = 3 if self._indent == 0 else self._indent + 3
        marker = opening[2]
        self._closing = re.compile(rf" {{{self._indent},{most}}}{re.escape(marker[0])}{{{len(marker)},}}[ \t]*")

    def is_closed_by(self, line: str) -> bool:
        return self._closing.fullmatch(line) is not None

    def may_end_before(self, line: str) -> bool:
        """Tell whether the list around it may end here, and the code block with it."""
        return bool(line.strip()) and len(line) - len(line.lstrip(" ")) < self._indent
