"""From a selection on the screen back to text: frames and gutters stay out, wrapped lines become whole again."""

from collections.abc import Iterator

from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.line_cells import copied
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.place import Place


def text_between(model: TranscriptModel, start: Place, first_cell: int, end: Place, last_cell: int) -> str:
    """Return the text from a cell of one line up to (without) a cell of another; negative `last_cell` = to its end.

    Cells count from the beginning of the line's text.
    """
    chunks: list[str] = []
    for place, line in lines_between(model, start, end):
        low = first_cell if place == start else 0
        high = last_cell if place == end and last_cell >= 0 else None
        chunks.append(copied(line, low, high))
        if place != end:
            chunks.append(line.joint)
    return "".join(chunks)


def lines_between(model: TranscriptModel, start: Place, end: Place) -> Iterator[tuple[Place, Line]]:
    """Yield the lines between two places, both included, laying them out; none that only the screen has."""
    for turn in range(start.turn, min(end.turn + 1, model.turns)):
        layout = model.prepared(turn)
        for piece in range(start.piece if turn == start.turn else 0, len(layout.flow)):
            if (turn, piece) > end[:2]:
                return
            if not layout.flow[piece].is_copied:
                continue
            for number, line in enumerate(layout.lay_out(piece, model.page)):
                place = Place(turn, piece, number)
                if start <= place <= end:
                    yield place, line
