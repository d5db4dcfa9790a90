"""Which lines are in view: walks the model from a place, laying out exactly what it meets and nothing else.

Heights that turn out other than estimated move what is above or below the view, never what is in it: the place of the
first line is what is kept, its number follows.
"""

from typing import NamedTuple

from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.transcript.ink import Ink, Line
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.place import START, Place, Row

_CURSOR = ("▌", Ink("cursor", copy=""))
_ASCII_CURSOR = ("_", Ink("cursor", copy=""))


class Window(NamedTuple):
    """What is in view."""

    rows: list[Row]
    """At most as many as the view is high; fewer only when the whole transcript is shorter."""
    first: int
    """Number of the first row among all lines of the transcript."""
    at_end: bool
    """Whether the last line of the transcript is in view."""


def settle(model: TranscriptModel, height: int) -> Window:
    """Lay out what is in view and return it. Sets `model.top`."""
    model.begin_frame()
    model.resolve()
    if not model.turns or height <= 0:
        return Window([], 0, at_end=True)
    rows: list[Row] = []
    if not model.follows:
        model.prepared(min(model.top.turn, model.turns - 1))  # what has come above it in its turn moves it
        rows = _rows_from(model, nearest(model, model.top), height)
    if len(rows) < height:
        rows = _last_rows(model, height)
    model.top = rows[0].place if rows else START
    return Window(rows, line_number(model, model.top), _is_last(model, rows))


def move(model: TranscriptModel, place: Place, lines: int) -> Place:
    """Return the place so many lines below (negative: above), or the first or last line."""
    turn, piece, line = nearest(model, place)
    if lines < 0:
        return _move_up(model, Place(turn, piece, line), -lines)
    left = lines
    layout = model.prepared(turn)
    while True:
        here = len(layout.lay_out(piece, model.page))
        if line + left < here:
            model.set_height(turn, layout.height)
            return Place(turn, piece, line + left)
        left -= here - line
        line = 0
        piece += 1
        if piece < len(layout.flow):
            continue
        model.set_height(turn, layout.height)
        if turn + 1 >= model.turns:
            last = len(layout.flow) - 1
            return Place(turn, last, max(0, len(layout.lay_out(last, model.page)) - 1))
        turn, piece = turn + 1, 0
        layout = model.prepared(turn)


def _move_up(model: TranscriptModel, place: Place, lines: int) -> Place:
    turn, piece, line = place
    left = lines
    layout = model.prepared(turn)
    while left > line:
        left -= line + 1
        found = 0
        while not found:
            piece -= 1
            if piece < 0:
                model.set_height(turn, layout.height)
                if turn == 0:
                    return START
                turn -= 1
                layout = model.prepared(turn)
                piece = len(layout.flow) - 1
            found = len(layout.lay_out(piece, model.page))
        line = found - 1
    model.set_height(turn, layout.height)
    return Place(turn, piece, line - left)


def place_at(model: TranscriptModel, number: int) -> Place:
    """Return the place of a line by its number, as far as heights are known: for a scrollbar that is dragged."""
    if not model.turns:
        return START
    turn = model.turn_at(max(0, number))
    layout = model.prepared(turn)
    inside = max(0, number - model.top_of(turn))
    piece = layout.piece_at(inside)
    line = inside - layout.top(piece)
    return Place(turn, piece, max(0, min(line, len(layout.lay_out(piece, model.page)) - 1)))


def line_number(model: TranscriptModel, place: Place) -> int:
    """Return the number of a line among all lines."""
    if place.turn >= model.turns:
        return 0
    layout = model.prepared(place.turn)
    piece = min(place.piece, len(layout.flow) - 1)
    return model.top_of(place.turn) + layout.top(piece) + place.line


def nearest(model: TranscriptModel, place: Place) -> Place:
    """Return the place, moved to what is nearest when its piece is gone."""
    turn = min(place.turn, model.turns - 1)
    layout = model.prepared(turn)
    piece = min(place.piece, len(layout.flow) - 1)
    lines = len(layout.lay_out(piece, model.page))
    model.set_height(turn, layout.height)
    return Place(turn, piece, max(0, min(place.line, lines - 1)))


def _last_rows(model: TranscriptModel, height: int) -> list[Row]:
    """Return the last rows of the transcript, as many as fit."""
    found: list[Row] = []
    turn = model.turns
    while turn > 0 and len(found) < height:
        turn -= 1
        layout = model.prepared(turn)
        rows = layout.last_rows(turn, height - len(found), model.page)
        _put_cursor(rows, layout.cursor_piece, model)
        found = rows + found
        model.set_height(turn, layout.height)
    return found


def _put_cursor(rows: list[Row], piece: int | None, model: TranscriptModel) -> None:
    """Show, if it is among the last rows of a turn, the end of the piece that is being written."""
    if piece is None:
        return
    at = len(rows) - 1
    while at >= 0 and rows[at].place.piece > piece:
        at -= 1
    if at >= 0 and rows[at].place.piece == piece:
        place, line = rows[at]
        rows[at] = Row(place, _with_cursor(line, model))


def _rows_from(model: TranscriptModel, top: Place, height: int) -> list[Row]:
    rows: list[Row] = []
    turn, piece, line = top
    while turn < model.turns and len(rows) < height:
        layout = model.prepared(turn)
        cursor = layout.cursor_piece
        while piece < len(layout.flow) and len(rows) < height:
            lines = layout.lay_out(piece, model.page)
            for number in range(line, min(len(lines), line + height - len(rows))):
                shown = lines[number]
                if piece == cursor and number == len(lines) - 1:
                    shown = _with_cursor(shown, model)
                rows.append(Row(Place(turn, piece, number), shown))
            piece, line = piece + 1, 0
        model.set_height(turn, layout.height)
        turn, piece, line = turn + 1, 0, 0
    return rows


def _with_cursor(line: Line, model: TranscriptModel) -> Line:
    if line.is_decoration or sum(width_of(text) for text, _ in line.spans) >= model.page.width:
        return line
    return Line((*line.spans, _ASCII_CURSOR if model.page.is_ascii else _CURSOR), line.joint, line.code)


def _is_last(model: TranscriptModel, rows: list[Row]) -> bool:
    if not rows:
        return True
    turn, piece, line = rows[-1].place
    layout = model.prepared(turn)
    return turn == model.turns - 1 and layout.top(piece) + line + 1 >= layout.height
