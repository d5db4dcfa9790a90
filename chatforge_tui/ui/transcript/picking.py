"""What a double or triple click, or the keyboard, selects: words, lines of the source, lines of the screen."""

import re

from textual.geometry import Offset
from textual.selection import Selection

from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.line_cells import cell_of
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.place import Place

_WORD = re.compile(r"[\w./:@~%+#?=&-]+|\S")
"""A word, a path, an address; or one sign."""


def word_at(place: Place, line: Line, cell: int) -> Selection | None:
    """Return the selection of the word at a cell of a line; None between words."""
    for found in _WORD.finditer(line.text):
        first, after = cell_of(line, found.start()), cell_of(line, found.end())
        if first <= cell < after:
            return _between(place, first, place, after)
    return None


def source_line_at(model: TranscriptModel, place: Place) -> Selection:
    """Return the selection of the whole line of the source that a line of the screen is part of."""
    lines = model.prepared(place.turn).lay_out(place.piece, model.page)
    first = last = place.line
    while first > 0 and lines[first - 1].joint != "\n":
        first -= 1
    while last < len(lines) - 1 and lines[last].joint != "\n":
        last += 1
    return _between(place._replace(line=first), 0, place._replace(line=last), lines[last].cells)


def lines_from(model: TranscriptModel, one: Place, other: Place) -> Selection:
    """Return the selection of all lines of the screen from one place to the other, in whichever order."""
    first, last = min(one, other), max(one, other)
    lines = model.prepared(last.turn).lay_out(last.piece, model.page)
    return _between(first, 0, last, lines[last.line].cells)


def _between(start: Place, first: int, end: Place, after: int) -> Selection:
    return Selection(Offset(first + GUTTER_COLUMNS, start.key), Offset(after + GUTTER_COLUMNS, end.key))
