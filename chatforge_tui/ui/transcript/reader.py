"""The keyboard's cursor in a transcript: the line it stands on, the ways it goes, and what is selected on its way.

The model keeps the line for each session; what on the line can be chosen, and what is selected, is the view's, and
there is one view. A cursor that was never moved stands at the end and goes with it.
"""

from collections.abc import Sequence

from textual.selection import Selection

from chatforge_tui.ui.transcript.blocks import next_block
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.paint import PLAIN, Overlay
from chatforge_tui.ui.transcript.picking import lines_from
from chatforge_tui.ui.transcript.place import START, Place, Shift
from chatforge_tui.ui.transcript.scroller import TranscriptScroller
from chatforge_tui.ui.transcript.stops import Stop, stops_below
from chatforge_tui.ui.transcript.viewport import Row, move, nearest


class TranscriptReader(TranscriptScroller, can_focus=True):
    """Draws a model, and the cursor while it has the focus."""

    _stop: Stop | None = None
    """What can be chosen under the cursor: it was gone to by itself."""
    _picked_from: Place | None = None
    """Where a selection by keyboard began."""
    _is_picking = False
    """Whether every move goes on with the selection."""

    @property
    def cursor(self) -> Place | None:
        """The line under the cursor, or the nearest when that is gone; None when there is no line."""
        model, rows = self._model, self._window.rows
        if model is None or model.is_empty or not rows:
            return None
        if model.cursor is not None:
            return nearest(model, model.cursor)
        return rows[-1 if self._window.at_end else 0].place

    def overlays_of(self, rows: Sequence[Row]) -> dict[int, Overlay]:
        """Lay the cursor over its row, while keys go here."""
        overlays = super().overlays_of(rows)
        stop = self._stop
        here = stop.place if stop is not None else self.cursor if self.has_focus else None
        for y in (y for y, row in enumerate(rows) if row.place == here):
            overlay = overlays.get(y, PLAIN)._replace(mark=self.marks.prompt)
            if stop is not None:
                cells = (stop.first + GUTTER_COLUMNS, stop.after + GUTTER_COLUMNS, True)
                overlay = overlay._replace(matches=(*overlay.matches, cells))
            overlays[y] = overlay
        return overlays

    def take_earlier(self, shift: Shift) -> None:
        """Keep what the cursor stands on, and where a selection began."""
        if self._stop is not None:
            self._stop = self._stop._replace(place=shift.of(self._stop.place))
        if self._picked_from is not None:
            self._picked_from = shift.of(self._picked_from)
        super().take_earlier(shift)

    def selection_moved(self, before: Selection, now: Selection) -> None:
        """Go on from where the selection began, too."""
        began = self._picked_from
        for old, new in zip(before, now, strict=True):
            if began is not None and old is not None and new is not None and old.y == began.key:
                self._picked_from = Place.of_key(new.y)
        super().selection_moved(before, now)

    def on_focus(self) -> None:
        """Show the cursor: where it stood if that is in view, else in what is."""
        self._clamp_cursor()
        self._repaint()

    def on_blur(self) -> None:
        """Hide it. Who leaves with the end in view follows it again."""
        model = self._model
        if model is not None and self._window.at_end and not model.follows:
            model.follows = True
            self._tell_following(at_once=True)
        self._repaint()

    # Going

    def go_to(self, place: Place, *, stop: Stop | None = None, is_near: bool = False) -> None:
        """Put the cursor on a line and show it.

        Args:
            place: The line.
            stop: What on it is under the cursor.
            is_near: Scroll no further than needed; else a line out of view comes to the upper third.
        """
        model = self._model
        if model is None or model.is_empty:
            return
        self._stop = stop
        self._let_go_of_lines()
        is_last = not self._is_picking and move(model, place, 1) == place
        model.cursor = None if is_last and stop is None else place
        if model.follows:
            self._mark_end()
        if not any(row.place == place for row in self._window.rows):
            model.top = self._top_for(place, is_near=is_near)
        model.follows = is_last
        self._sync(at_once=True)
        self._tell_following(at_once=True)
        self._pick_lines()

    def _top_for(self, place: Place, *, is_near: bool) -> Place:
        """Return the first line of a view that shows a line that is out of view."""
        model, rows, height = self._model, self._window.rows, self.size.height
        if model is None or not rows:
            return place
        if is_near:
            return place if place < rows[0].place else move(model, place, 1 - height)
        return move(model, place, -(height // 3))

    def _clamp_cursor(self) -> None:
        """Put a cursor that is out of view on the nearest line in view."""
        model, rows = self._model, self._window.rows
        if model is None or not rows or model.cursor is None:
            return
        if not rows[0].place <= model.cursor <= rows[-1].place:
            model.cursor = rows[0 if model.cursor < rows[0].place else -1].place
            self._stop = None
            self._pick_lines()

    def _go(self, place: Place) -> None:
        """Scroll, the cursor staying in view; at the end it goes with the end."""
        super()._go(place)
        model = self._model
        if model is None or not self.has_focus:
            return
        if model.follows and not self._is_picking:
            model.cursor = self._stop = None
        self._clamp_cursor()
        self._repaint()

    def action_cursor_lines(self, lines: int) -> None:
        """Move by lines."""
        if self._model is not None and (here := self.cursor) is not None:
            self.go_to(move(self._model, here, lines), is_near=True)

    def action_cursor_block(self, step: int) -> None:
        """Move to the block below or above."""
        if self._model is None or (here := self.cursor) is None:
            return
        found = next_block(self._model, here, step)
        if found is not None:
            self.go_to(found)
        elif step > 0:
            self.action_follow()

    def action_stop(self, step: int) -> None:
        """Move to the next, or last, part that folds, code block or link."""
        model, here = self._model, self.cursor
        if model is None or model.is_empty or here is None:
            return
        start: Stop | Place = here if model.cursor is not None else self._window.rows[0 if step > 0 else -1].place
        if self._stop is not None and self._stop.place == here:
            start = self._stop
        found = next(stops_below(model, start, step), None)
        if found is not None:
            self.go_to(found.place, stop=found)

    def action_pages(self, pages: float) -> None:
        """Scroll by heights of the view; with the beginning in view the cursor goes there."""
        top = self._model.top if self._model is not None else START
        super().action_pages(pages)
        if self.has_focus and self._model is not None and pages < 0 and self._model.top == top:
            self.action_top()

    def action_top(self) -> None:
        """Go to the beginning."""
        if self.has_focus:
            self.go_to(START)
        else:
            super().action_top()

    def action_follow(self) -> None:
        """Go to the end and follow what arrives."""
        if self._model is not None and not self._is_picking:
            self._model.cursor = self._stop = None
            self._let_go_of_lines()
        super().action_follow()
        if self._is_picking and self._window.rows:
            self.go_to(self._window.rows[-1].place)

    def _go_to_turn(self, turn: int) -> None:
        model = self._model
        super()._go_to_turn(turn)
        if model is not None and self.has_focus and turn < model.turns:
            self.go_to(self._head_of(max(0, turn)))

    def _turn_here(self) -> Place:
        """Return the line that the next turn and the one before are counted from."""
        here = self.cursor if self.has_focus else None
        return super()._turn_here() if here is None else here

    # Selecting

    def action_select_lines(self, step: int) -> None:
        """Begin to select whole lines with the cursor's, or go on, downward or upward."""
        model, here = self._model, self.cursor
        if model is None or here is None:
            return
        if self._picked_from is None or self.text_selection is None:
            self._picked_from = here
            self._pick_lines()
            return
        was_picking, self._is_picking = self._is_picking, True
        self.go_to(move(model, here, step), is_near=True)
        self._is_picking = was_picking

    def action_select(self) -> None:
        """Have every move select from here on, or end that."""
        if self.stop_picking():
            return
        if (here := self.cursor) is not None and self._model is not None:
            self._model.cursor = here
            self._picked_from, self._is_picking = here, True
            self._pick_lines()

    def stop_picking(self) -> bool:
        """Select nothing any more; return whether something was, or was until Textual's own Esc a moment ago."""
        had = self._picked_from is not None or (self.is_attached and self.text_selection is not None)
        self._picked_from, self._is_picking = None, False
        if had:
            self.screen.clear_selection()
        return had

    def on_mouse_down(self) -> None:
        """What the mouse selects has nothing to do with the cursor."""
        self._picked_from, self._is_picking = None, False

    def _pick_lines(self) -> None:
        """Select from where the selection began to the cursor."""
        model, here = self._model, self.cursor
        if model is not None and here is not None and self._picked_from is not None:
            self.screen.selections = {self: lines_from(model, nearest(model, self._picked_from), here)}

    def _let_go_of_lines(self) -> None:
        """End a selection by Shift and arrows: the cursor goes on without them."""
        if self._picked_from is not None and not self._is_picking:
            self.stop_picking()
