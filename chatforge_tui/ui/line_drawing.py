"""Building one screen line of exact width out of styled pieces; cell-aware, for widgets that draw by line."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


def shorten(text: str, width: int, ellipsis: str = "…") -> str:
    """Return `text` in at most `width` cells, its end replaced by the ellipsis when it is longer."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + ellipsis


def wrap(text: str, width: int) -> list[str]:
    """Return `text` on lines of at most `width` cells (>= 1), broken at spaces where that is possible."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = chop(word, width)
        lines.extend(whole)
    return [*lines, line]


def chop(word: str, width: int) -> list[str]:
    """Return a word in pieces of at most `width` cells; at least one piece, the last may be empty."""
    pieces: list[str] = []
    piece, used = "", 0
    for character in word:
        size = cell_len(character)
        if used + size > width and piece:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + character, used + size
    return [*pieces, piece]


def cells(segments: Iterable[Segment]) -> int:
    """Return the width of some segments in cells."""
    return sum(cell_len(segment.text) for segment in segments)


def spread(width: int, left: Sequence[Segment], right: Sequence[Segment], fill: Style) -> Strip:
    """Return one line of exactly `width` cells: `left` at its beginning, `right` at its end, cut where they collide.

    What stands right is kept whole as long as it fits at all; the left gives way.
    """
    right_cells = cells(right)
    room = max(width - right_cells, 0)
    start = Strip(left, cells(left)).adjust_cell_length(room, fill)
    return Strip([*start, *right], room + right_cells).adjust_cell_length(width, fill)
