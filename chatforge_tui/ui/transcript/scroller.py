"""Moves the view of a transcript: by lines, pages and turns, and to where Textual's own scrolling sets it."""

from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.selecting import SelectableTranscript
from chatforge_tui.ui.transcript.viewport import move, place_at


class TranscriptScroller(SelectableTranscript, can_focus=True):
    """A transcript that can be scrolled."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take a scroll position that Textual set: the wheel, the scrollbar, a selection dragged over the edge."""
        lines = round(new_value) - round(old_value)
        if self._is_sizing or not lines or self._model is None:
            return
        if abs(lines) <= 4 * self.size.height:
            self._go(move(self._model, self._model.top, lines))
        else:
            self._go(place_at(self._model, round(new_value)))

    def scroll_to(
        self,
        x: float | None = None,
        y: float | None = None,
        **_options: object,
    ) -> None:
        """Go to a line by its number, never in steps: while heights settle a number is not the same line twice."""
        del x
        if y is not None:
            self.scroll_y = round(y)

    def _go(self, place: Place) -> None:
        """Make this the first line in view; at the end, follow."""
        model = self._model
        if model is None or model.is_empty:
            return
        if model.follows:
            self._mark_end()
        model.follows = False
        model.top = place
        self._sync(at_once=True)
        if self._window.at_end:
            model.follows = True
            self._tell_following(at_once=True)

    def action_lines(self, lines: int) -> None:
        """Scroll by lines."""
        if self._model is not None and not self._model.is_empty:
            self._go(move(self._model, self._model.top, lines))

    def action_pages(self, pages: float) -> None:
        """Scroll by heights of the view, one line less."""
        self.action_lines(round(pages * max(1, self.size.height - 1)))

    def action_top(self) -> None:
        """Go to the beginning."""
        self._go(Place())

    def action_follow(self) -> None:
        """Go to the end and follow what arrives."""
        if self._model is not None:
            self._model.follows = True
            self._sync(at_once=True)

    def action_next_turn(self) -> None:
        """Go to the turn below."""
        if self._model is not None and not self._model.is_empty:
            self._go_to_turn(self._turn_here().turn + 1)

    def action_previous_turn(self) -> None:
        """Go to the beginning of this turn or, when it is at the top, of the one above."""
        if self._model is not None and not self._model.is_empty:
            here = self._turn_here()
            self._go_to_turn(here.turn if here > self._head_of(here.turn) else here.turn - 1)

    def _turn_here(self) -> Place:
        """Return the line that the next turn and the one before are counted from."""
        return self._model.top if self._model is not None else Place()

    def _go_to_turn(self, turn: int) -> None:
        model = self._model
        if model is None:
            return
        if turn >= model.turns:
            self.action_follow()
        else:
            self._go(self._head_of(max(0, turn)))

    def _head_of(self, turn: int) -> Place:
        """Return the line of the turn's header, below the gap."""
        model = self._model
        pieces = model.prepared(turn).flow if model is not None else []
        return Place(turn, next((at for at, piece in enumerate(pieces) if not piece.is_gap), 0))
