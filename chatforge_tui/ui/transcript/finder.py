"""Finds words in a transcript, laid out or not: shows every match that is in view, and goes from one to the next."""

from collections.abc import Sequence

from chatforge_tui.domain.search import SearchHit
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.paint import PLAIN, Overlay
from chatforge_tui.ui.transcript.place import START, Place, Shift
from chatforge_tui.ui.transcript.reader import TranscriptReader
from chatforge_tui.ui.transcript.search import Match, Query, Search
from chatforge_tui.ui.transcript.viewport import Row


class TranscriptFinder(TranscriptReader, can_focus=True):
    """A TranscriptReader that is searched."""

    _search: Search | None = None
    """What is looked for; None = nothing."""
    _wants_top = False
    """The reader went to the beginning of what there is."""

    def model_swapped(self) -> None:
        """Forget what was searched for."""
        self._search, self._wants_top = None, False
        super().model_swapped()

    def overlays_of(self, rows: Sequence[Row]) -> dict[int, Overlay]:
        """Lay what was found over its rows."""
        overlays = super().overlays_of(rows)
        if self._search is not None:
            for y, found in self._search.query.cells([row.line for row in rows]).items():
                is_current = rows[y].place == self._search.place
                matches = tuple((begin + GUTTER_COLUMNS, end + GUTTER_COLUMNS, is_current) for begin, end in found)
                overlay = overlays.get(y, PLAIN)
                overlays[y] = overlay._replace(matches=(*matches, *overlay.matches))
        return overlays

    def find(self, query: str) -> list[Match]:
        """Search the whole session, laid out or not; highlight, and go to the match nearest below the first row.

        Args:
            query: Words; "" ends the search.
        """
        model = self._model
        wanted = Query(query)
        if model is None or wanted.is_empty:
            self._search = None
            self._repaint()
            return []
        self._search = Search(wanted, model)
        if self._search.matches:
            self.go_to_match(self._search.first_from(model.top.turn))
        else:
            self._repaint()
        return self._search.matches

    def go_to_hit(self, hit: SearchHit) -> None:
        """Show where a search over all sessions found its first word; the turn's beginning when that is hidden."""
        model = self._model
        if model is None:
            return
        self.find(hit.excerpt[hit.start : hit.end])
        turn = next((at for at in range(model.turns) if model.turn(at).head.turn_id == hit.turn_id), None)
        if turn is None:
            return
        number = self._search.number_of(hit, turn, model) if self._search is not None else None
        if number is None:
            self.go_to(Place(turn))
        else:
            self.go_to_match(number)

    def take_earlier(self, shift: Shift) -> None:
        """Search what came, too; at the top, go on to the top."""
        if self._search is not None and self._model is not None:
            self._search.take_earlier(shift, self._model)
        super().take_earlier(shift)
        if self._wants_top and self._model is not None and self._model.top == shift.of(START):
            self.action_top()

    def action_top(self) -> None:
        """Go to the beginning, and, while turns still come above it, to theirs."""
        self._wants_top = True
        super().action_top()

    @property
    def match_number(self) -> tuple[int, int]:
        """Number of the current match, from 1, and how many there are; zeros without a search."""
        return (self._search.current + 1, len(self._search.matches)) if self._search is not None else (0, 0)

    def go_to_match(self, number: int) -> None:
        """Show a match, unfolding what hides it. Numbers go round."""
        if self._search is None or self._model is None:
            return
        place = self._search.go_to(number, self._model)
        if place is not None:
            self.go_to(place)

    def action_next_match(self) -> None:
        """Go to the next match, among those that have come meanwhile, too."""
        self._go_by(1)

    def action_previous_match(self) -> None:
        """Go to the match before."""
        self._go_by(-1)

    def _go_by(self, step: int) -> None:
        if self._search is not None and self._model is not None:
            self._search.refresh(self._model)
            self.go_to_match(self._search.current + step)

    def lines_settled(self, model: TranscriptModel) -> None:
        """Know where the match is that is looked at."""
        super().lines_settled(model)
        if self._search is not None:
            self._search.relocate(model)
