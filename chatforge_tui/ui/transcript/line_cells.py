"""Between the cells of a laid out line, its characters, and what it gives when it is copied."""

from chatforge_tui.ui.cell_widths import is_narrow, width_of
from chatforge_tui.ui.transcript.graphemes import graphemes
from chatforge_tui.ui.transcript.ink import Line


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
    for start, end, cells in graphemes(text):
        if column + cells > first and (after is None or column < after):
            out.append(text[start:end])
        column += cells
    return "".join(out)


def cell_of(line: Line, character: int) -> int:
    """Return the cell at which a character of a line's text begins."""
    return width_of(line.text[:character])


def characters_before(line: Line, cell: int) -> int:
    """Return how many characters come before a cell of a line when it is copied."""
    return len(copied(line, 0, cell)) if cell > 0 else 0


def cell_behind(line: Line, characters: int) -> int:
    """Return the cell of a line before which so many copied characters stand."""
    cell = 0
    for text, ink in line.spans:
        length = len(text if ink.copy is None else ink.copy)
        if ink.copy is None and length > characters:
            return cell + width_of(text[:characters])
        if characters <= 0 and length:
            return cell
        characters -= length
        cell += width_of(text)
    return cell
