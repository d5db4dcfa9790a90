"""From a selection on the screen back to text: frames and gutters stay out, wrapped lines become whole again."""

from collections.abc import Iterator

from rich.cells import split_graphemes

from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.wrap import is_narrow, width_of


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


def copied(line: Line, first: int = 0, after: int | None = None) -> str:
    """Return what the cells first..after of a line give when copied; a character half inside is inside."""
    out: list[str] = []
    column = 0
    for text, ink in line.spans:
        cells = width_of(text)
        begin, end = column, column + cells
        column = end
        if end <= first or (after is not None and begin >= after):
            continue
        if ink.copy is not None:
            out.append(ink.copy)
        else:
            out.append(_cut(text, first - begin, None if after is None else after - begin))
    return "".join(out)


def _cut(text: str, first: int, after: int | None) -> str:
    if first <= 0 and after is None:
        return text
    if is_narrow(text):
        return text[max(0, first) : after]
    out: list[str] = []
    column = 0
    for start, end, cells in split_graphemes(text)[0]:
        if column + cells > first and (after is None or column < after):
            out.append(text[start:end])
        column += cells
    return "".join(out)


def cell_of(line: Line, character: int) -> int:
    """Return the cell at which a character of a line's text begins."""
    return width_of(line.text[:character])
