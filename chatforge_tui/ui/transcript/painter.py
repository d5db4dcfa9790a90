"""The strips of the rows in view: paints what is new, keeps what is not, hands all of them to the compositor.

The compositor asks for every row of the view in every frame, however few are dirty; so they lie ready, filtered.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import is_

from msgspec import Struct
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip

from chatforge_tui.ui.cell_widths import is_narrow, width_of
from chatforge_tui.ui.steady_cells import MOST_BEYOND, has_emoji
from chatforge_tui.ui.transcript.ink import EMPTY, Line
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.paint import PLAIN, Overlay, Palette, paint
from chatforge_tui.ui.transcript.place import Place, Row


class _Painted(Struct):
    """What one row shows, and the strip that shows it."""

    line: Line
    overlay: Overlay
    strip: Strip


class Painter:
    """Keeps the strips of one view."""

    def __init__(self) -> None:
        self._painted: list[_Painted] = []
        self._rows: Sequence[Row] = ()
        """Those that are painted."""
        self._is_plain = False
        """Nothing lies over them."""
        self._blank: tuple[Palette, int, Strip] | None = None
        self._filters: tuple[LineFilter, ...] = ()
        self._background = Color(0, 0, 0)

    def forget(self) -> None:
        """Paint everything anew: width or colours are others."""
        self._painted = []

    def set_filters(self, filters: tuple[LineFilter, ...], background: Color) -> bool:
        """Take the filters that every strip goes through; return whether all must be painted anew."""
        is_same = _are_alike(filters, self._filters) and background == self._background
        if not is_same:
            self._filters, self._background = filters, background
            self._painted, self._blank = [], None
        return not is_same

    def lines_gone(self, rows: Sequence[Row]) -> int:
        """Return how many of the rows that were painted are above these now; 0 when that is none, all, or unknown."""
        before = self._rows
        if not rows or len(self._painted) != len(before) or len(rows) != len(before) or rows[0] is before[0]:
            return 0
        first = bisect_left(before, rows[0].place, key=_place_of)
        return first if first < len(before) and before[first].place == rows[0].place else 0

    def paint(
        self,
        rows: Sequence[Row],
        overlays: Mapping[int, Overlay],
        width: int,
        palette: Palette,
        moved_up: int = 0,
    ) -> list[Region]:
        """Paint these rows; return where they look different.

        Args:
            rows: what is in view.
            overlays: row to what is laid over it.
            width: of the view, in cells.
            palette: the colours.
            moved_up: rows by which the terminal has moved what was painted.
        """
        before = self._painted[moved_up:]
        is_plain = not overlays
        known: dict[int, _Painted] | None = None  # by the line they show, made when it is needed
        same = self._same(rows, moved_up) if is_plain and self._is_plain else 0
        self._rows, self._is_plain = rows, is_plain
        painted: list[_Painted] = before[:same]
        dirty: list[Region] = []
        for y in range(same, len(rows)):
            line = rows[y].line
            if is_plain and y < len(before) and before[y].line is line and before[y].overlay is PLAIN:
                painted.append(before[y])
                continue
            overlay = overlays.get(y, PLAIN)
            old = before[y] if y < len(before) else None
            if old is not None and old.overlay == overlay and (old.line is line or old.line == line):
                painted.append(old)
                continue
            if known is None:
                known = {id(one.line): one for one in before}
            new = known.get(id(line))
            if new is None or new.overlay != overlay:
                new = _Painted(line, overlay, self.filtered(paint(line, overlay, width, palette)))
            painted.append(new)
            dirty.append(_changed_cells(y, old, new, width))
        dirty += (Region(0, y, width, 1) for y in range(len(rows), len(before) + moved_up))
        self._painted = painted
        return dirty

    def _same(self, rows: Sequence[Row], moved_up: int) -> int:
        """Return how many rows at the beginning are certainly those that were painted: nearly all of nearly all frames."""
        if len(self._painted) != len(self._rows):
            return 0
        before = self._rows[moved_up:]
        are_same = map(is_, rows, before)
        return next((count for count, is_same in enumerate(are_same) if not is_same), min(len(rows), len(before)))

    @property
    def strips(self) -> list[Strip]:
        """The strips of the rows, top to bottom."""
        return [painted.strip for painted in self._painted]

    def blank(self, width: int, palette: Palette) -> Strip:
        """Return the strip of a row below the last one, made once: a short transcript has many in each frame."""
        if self._blank is None or self._blank[0] is not palette or self._blank[1] != width:
            self._blank = (palette, width, self.filtered(paint(EMPTY, PLAIN, width, palette)))
        return self._blank[2]

    def filtered(self, strip: Strip) -> Strip:
        """Return a strip as it may leave."""
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, self._background)
        return strip


def _place_of(row: Row) -> Place:
    return row.place


def _changed_cells(y: int, old: _Painted | None, new: _Painted, width: int) -> Region:
    """Return the cells of a row that changed: of a line that grows, only its end is written to the terminal again."""
    if old is None or old.overlay != new.overlay or new.overlay._replace(mark="") != PLAIN:
        return Region(0, y, width, 1)
    before, now = old.line.text, new.line.text
    first, place = GUTTER_COLUMNS, 0
    for (old_text, old_ink), (text, ink) in zip(old.line.spans, new.line.spans, strict=False):
        if old_ink != ink:
            break
        if old_text == text:
            first, place = first + width_of(text), place + len(text)
            continue
        if is_narrow(old_text) and is_narrow(text):
            differing = (index for index, (one, other) in enumerate(zip(old_text, text, strict=False)) if one != other)
            same = next(differing, min(len(old_text), len(text)))
            first, place = first + same, place + same
        break
    if _is_mark(before[place : place + 1]) or _is_mark(now[place : place + 1]):
        return Region(0, y, width, 1)
    after = GUTTER_COLUMNS + max(old.line.cells, new.line.cells)
    if has_emoji(before) or has_emoji(now):
        after += MOST_BEYOND
    after = min(width, after)
    return Region(first, y, max(1, after - first), 1)


def _is_mark(character: str) -> bool:
    """Tell whether a character is drawn in the cell before it, so that it stays as long as that is not written."""
    return character != "" and not is_narrow(character) and not width_of(character)


def _are_alike(some: tuple[LineFilter, ...], others: tuple[LineFilter, ...]) -> bool:
    """Tell whether filters do the same. An app may make them anew for each frame; they differ by kind."""
    return some == others or [type(one) for one in some] == [type(other) for other in others]
