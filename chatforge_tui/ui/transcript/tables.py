"""Drawing a table: columns as wide as they need while they fit, else narrowed fairly and wrapped, else one record a row."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.transcript.ink import FRAME, Line, Span
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.wrap import wrap

_NARROWEST_COLUMN = 5
_MOST_CELLS = 20_000
"""Cells that are measured to find the widths; the rows after them are wrapped to what was found."""


Cells = list[list[Span]]
"""The cells of a row."""


class Table(Struct, frozen=True):
    """A table's cells."""

    rows: list[Cells]
    """Rows of cells of spans; the first row is the head. A row may be short of cells."""
    sides: list[str]
    """"left", "right", "center" or "" for each column."""


def table_lines(table: Table, width: int, page: Page) -> list[Line]:
    """Lay out a table within `width` cells."""
    if not table.rows or not table.rows[0]:
        return []
    layout = TableLayout.of(table, width)
    if layout is None:
        return _records(table, width)
    lines: list[Line] = []
    for index, row in enumerate(table.rows):
        lines += layout.row(row, table.sides, page, is_head=index == 0)
    return lines


class TableLayout(NamedTuple):
    """How wide the columns of a table are."""

    widths: tuple[int, ...]

    @classmethod
    def of(cls, table: Table, width: int) -> "TableLayout | None":
        """Return the columns that fit; None where none do, and each row is a record."""
        columns = len(table.rows[0])
        widths = _fitted(_natural_widths(table, columns), width - 3 * (columns - 1))
        return None if widths is None else cls(tuple(widths))

    def row(self, row: Cells, sides: list[str], page: Page, *, is_head: bool) -> list[Line]:
        """Lay out one row, the head with the rule below it."""
        lines = _row(row, self.widths, sides, page, is_head=is_head)
        return [*lines, _rule(self.widths, page)] if is_head else lines


def _natural_widths(table: Table, columns: int) -> list[int]:
    widths = [1] * columns
    for row in table.rows[: _MOST_CELLS // columns]:
        for column, cell in enumerate(row[:columns]):
            widths[column] = max(widths[column], sum(width_of(text) for text, _ in cell))
    return widths


def _fitted(widths: list[int], room: int) -> list[int] | None:
    """Narrow the widest columns until all fit; None when even narrow ones do not."""
    if sum(widths) <= room:
        return widths
    floor = [min(width, _NARROWEST_COLUMN) for width in widths]
    if sum(floor) > room:
        return None
    low, high = _NARROWEST_COLUMN, max(widths)
    while low < high:
        limit = (low + high + 1) // 2
        if sum(min(width, limit) for width in widths) <= room:
            low = limit
        else:
            high = limit - 1
    fitted = [min(width, low) for width in widths]
    spare = room - sum(fitted)
    for column, width in enumerate(widths):
        if spare > 0 and width > fitted[column]:
            fitted[column] += 1
            spare -= 1
    return fitted


def _row(row: Cells, widths: Sequence[int], sides: list[str], page: Page, *, is_head: bool) -> list[Line]:
    bar = " | " if page.is_ascii else " │ "
    separator = (bar, FRAME._replace(copy=" | "))
    cells: list[list[Line]] = []
    for column, width in enumerate(widths):
        cell = row[column] if column < len(row) else []
        if is_head:
            cell = [(text, ink._replace(bold=True)) for text, ink in cell]
        cells.append(wrap(cell, width) if cell else [Line()])
    lines: list[Line] = []
    for level in range(max(len(cell) for cell in cells)):
        spans: list[Span] = []
        for column, cell in enumerate(cells):
            if column:
                spans.append(separator)
            spans += _padded(cell[level] if level < len(cell) else Line(), widths[column], sides[column : column + 1])
        lines.append(Line(spans))
    return lines


def _padded(line: Line, width: int, side: list[str]) -> list[Span]:
    gap = width - sum(width_of(text) for text, _ in line.spans)
    left = {"right": gap, "center": gap // 2}.get(side[0] if side else "", 0)
    spans = list(line.spans)
    if left > 0:
        spans.insert(0, (" " * left, FRAME))
    if gap - left > 0:
        spans.append((" " * (gap - left), FRAME))
    return spans


def _rule(widths: Sequence[int], page: Page) -> Line:
    line, cross = ("-", "-+-") if page.is_ascii else ("─", "─┼─")
    spans: list[Span] = []
    for column, width in enumerate(widths):
        if column:
            spans.append((cross, FRAME._replace(copy=" | ")))
        spans.append((line * width, FRAME._replace(copy="---")))
    return Line(spans)


def _records(table: Table, width: int) -> list[Line]:
    """Show each row as lines of "head: cell", for a table that no columns can show here."""
    head, *rows = table.rows
    if not rows:
        return [
            line for title in head for line in wrap([(text, ink._replace(bold=True)) for text, ink in title], width)
        ]
    lines: list[Line] = []
    for row in rows:
        if lines:
            lines.append(Line())
        for column, cell in enumerate(row):
            title = head[column] if column < len(head) else []
            label = [(text, ink._replace(bold=True)) for text, ink in title]
            lines += wrap([*label, (": ", FRAME._replace(copy=None)), *cell], width)
    return lines
