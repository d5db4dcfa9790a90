"""The rows at the end of a turn, as the view that follows it asks for them in every frame.

While text only grows at the end, the rows above it are those of the frame before: to collect them again was a third of
a frame.
"""

from collections.abc import Callable

from msgspec import Struct

from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import Row

KEPT_ROWS = 4
"""Heights of the view of which the rows are kept while text grows below them."""

RowsOf = Callable[[int, int, Page], list[Row]]
"""Lays out a piece of a turn: takes the turn's index, the piece's and the page."""


class _Kept(Struct):
    """The last rows of the pieces that come before the text that grows, or of all pieces: they stay as they are."""

    turn: int
    page: Page
    end: int
    """Index of the piece behind them."""
    is_all: bool
    """Whether they begin with the turn."""
    rows: list[Row]


class LastRows:
    """The last rows of one turn."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def forget(self) -> None:
        """Keep nothing: pieces, or their lines, have changed."""
        self._kept = None

    def take(self, rows_of: RowsOf, turn: int, page: Page, count: int, pieces: tuple[int, int]) -> list[Row]:
        """Return the last rows, `count` at most.

        Args:
            rows_of: lays a piece out.
            turn: index of the turn.
            page: what it is laid out on.
            count: rows, > 0.
            pieces: index of the first piece that grows, and number of all.
        """
        fixed, number = pieces
        growing: list[Row] = []
        for index in range(fixed, number):
            growing += rows_of(turn, index, page)
        missing = count - len(growing)
        if missing <= 0:
            return growing[-count:]
        kept = self._kept
        # Of many pieces that have come at once only the last are laid out.
        if kept is None or kept.turn != turn or kept.page is not page or not fixed - count <= kept.end <= fixed:
            kept = self._kept = _collect(rows_of, turn, fixed, missing, page)
        for index in range(kept.end, fixed):
            kept.rows += rows_of(turn, index, page)
        kept.end = fixed
        if len(kept.rows) > KEPT_ROWS * count:
            kept.rows, kept.is_all = kept.rows[-count:], False
        if missing > len(kept.rows) and not kept.is_all:
            kept = self._kept = _collect(rows_of, turn, fixed, missing, page)
        return kept.rows[-missing:] + growing


def _collect(rows_of: RowsOf, turn: int, end: int, count: int, page: Page) -> _Kept:
    """Collect the rows of whole pieces before one of the turn, at least as many as asked for where there are."""
    upward: list[list[Row]] = []
    index = end
    while index and count > 0:
        index -= 1
        upward.append(rows_of(turn, index, page))
        count -= len(upward[-1])
    return _Kept(turn, page, end, not index, [row for rows in reversed(upward) for row in rows])
