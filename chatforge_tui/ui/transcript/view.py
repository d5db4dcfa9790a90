"""The one widget for all transcripts: what a user can point at, choose, fold, copy and find in it.

It shows the model of the current session and swaps models on a switch. It never opens a link and never touches the
clipboard: it says what was chosen (messages.py). Its keys hold while it has the focus.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset

from chatforge_tui.domain.search import SearchHit
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.canvas import TranscriptCanvas
from chatforge_tui.ui.transcript.links import FoundLink, links_of
from chatforge_tui.ui.transcript.messages import CopyRequested, LinkChosen
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.paint import PLAIN, Overlay
from chatforge_tui.ui.transcript.picking import lines_from, source_line_at, word_at
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.search import Match, Query, Search
from chatforge_tui.ui.transcript.stops import Stop, stops_below, stops_of
from chatforge_tui.ui.transcript.viewport import Row, move


class TranscriptView(TranscriptCanvas, can_focus=True):
    """Shows a TranscriptModel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "lines(1)", "Line down", show=False),
        Binding("up,k", "lines(-1)", "Line up", show=False),
        Binding("pagedown", "pages(1)", "Page down", show=False),
        Binding("pageup", "pages(-1)", "Page up", show=False),
        Binding("ctrl+d", "pages(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "pages(-0.5)", "Half a page up", show=False),
        Binding("home,g", "top", "Beginning", show=False),
        Binding("end,G", "follow", "End", show=False),
        Binding("right,l", "next_stop", "Next part, code block or link", show=False),
        Binding("left,h", "previous_stop", "Part, code block or link before", show=False),
        Binding("right_curly_bracket", "next_turn", "Next turn", show=False),
        Binding("left_curly_bracket", "previous_turn", "Turn before", show=False),
        Binding("shift+down,J", "select_lines(1)", "Select lines downward", show=False),
        Binding("shift+up,K", "select_lines(-1)", "Select lines upward", show=False),
        Binding("space", "fold_one", "Fold one", show=False),
        Binding("enter", "choose", "Follow, fold or copy", show=False),
        Binding("c", "copy_block", "Copy code block", show=False),
        Binding("y,Y", "copy_answer", "Copy answer", show=False),
        Binding("x", "copy_selection", "Copy what is selected", show=False),
        Binding("n", "next_match", "Next match", show=False),
        Binding("N", "previous_match", "Match before", show=False),
    ]

    def __init__(
        self,
        *,
        marks: MarkSet = UNICODE_MARKS,
        empty_hint: Content | None = None,
        reduced_motion: bool = False,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make a view without a model.

        Args:
            marks: The signs to draw.
            empty_hint: Shown while there is no turn.
            reduced_motion: Spinners stand still; seconds are counted all the same.
            name: As for any widget.
            id: As for any widget.
            classes: As for any widget.
        """
        super().__init__(
            marks=marks, empty_hint=empty_hint, reduced_motion=reduced_motion, name=name, id=id, classes=classes
        )
        self._search: Search | None = None
        self._stop: Stop | None = None
        self._lines_picked: tuple[Place, Place] | None = None  # first and last line selected with the keyboard

    def model_swapped(self) -> None:
        """Forget what was searched for and stood under the cursor."""
        self._stop = self._search = self._lines_picked = None

    def overlays_of(self, rows: Sequence[Row]) -> dict[int, Overlay]:
        """Return what is laid over which row: what is selected, found, and under the cursor."""
        overlays = super().overlays_of(rows)
        if self._search is not None:
            for y, found in self._search.query.cells([row.line for row in rows]).items():
                is_current = rows[y].place == self._search.place
                matches = tuple((begin + GUTTER_COLUMNS, end + GUTTER_COLUMNS, is_current) for begin, end in found)
                overlays[y] = overlays.get(y, PLAIN)._replace(matches=matches)
        if self._stop is not None:
            for y, row in enumerate(rows):
                if row.place == self._stop.place:
                    overlays[y] = overlays.get(y, PLAIN)._replace(mark=self.marks.prompt)
        return overlays

    # The mouse

    def on_click(self, event: events.Click) -> None:
        """Follow a link, fold a part, copy a block."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if event.chain > 1:
            event.prevent_default()  # Textual would select the whole transcript
            self._pick(offset, event.chain)
            return
        if self.selected_text:
            return
        stop = self._stop_at(offset)
        if stop is not None:
            event.stop()
            self._stop = stop
            self._choose(stop)

    def _pick(self, offset: Offset, clicks: int) -> None:
        """Select the word under a double click, the line of the source under a triple click."""
        model, rows = self._model, self._window.rows
        if model is None or not 0 <= offset.y < len(rows):
            return
        place, line = rows[offset.y]
        picked = word_at(place, line, offset.x - GUTTER_COLUMNS) if clicks % 2 == 0 else source_line_at(model, place)
        if picked is not None:
            self.screen.selections = {self: picked}

    def action_select_lines(self, step: int) -> None:
        """Begin to select whole lines with the keyboard, or go on, downward or upward."""
        model, rows = self._model, self._window.rows
        if model is None or not rows:
            return
        if self._lines_picked is None or self.text_selection is None:
            start = self._stop.place if self._stop is not None else rows[0 if step > 0 else -1].place
            self._lines_picked = (start, start)
        else:
            start, end = self._lines_picked
            self._lines_picked = (start, move(model, end, step))
        self.screen.selections = {self: lines_from(model, *self._lines_picked)}
        self._bring_into_view(self._lines_picked[1])

    def _stop_at(self, offset: Offset) -> Stop | None:
        if not 0 <= offset.y < len(self._window.rows):
            return None
        row = self._window.rows[offset.y]
        cell = offset.x - GUTTER_COLUMNS
        return next((stop for stop in stops_of(row.place, row.line) if stop.first <= cell < stop.after), None)

    # The keyboard's cursor

    def action_next_stop(self) -> None:
        """Go to the next part that folds, code block or link."""
        self._go_to_stop(self._stops(1))

    def action_previous_stop(self) -> None:
        """Go to the part that folds, code block or link before."""
        self._go_to_stop(self._stops(-1))

    def _stops(self, step: int) -> Iterator[Stop]:
        model = self._model
        if model is None or model.is_empty or not self._window.rows:
            return iter(())
        edge = self._window.rows[0 if step > 0 else -1].place
        return stops_below(model, self._stop or edge, step)

    def _go_to_stop(self, stops: Iterator[Stop]) -> None:
        stop = next(stops, None)
        if stop is None:
            return
        self._stop = stop
        self._bring_into_view(stop.place)

    def _bring_into_view(self, place: Place) -> None:
        rows = self._window.rows
        model = self._model
        if model is None:
            return
        if any(row.place == place for row in rows):
            self._repaint()
            return
        self._go(move(model, place, -(self.size.height // 3)))
        self._repaint()

    def action_choose(self) -> None:
        """Do what the part under the cursor is for."""
        if self._stop is not None:
            self._choose(self._stop)

    def action_fold_one(self) -> None:
        """Fold or unfold the part under the cursor, or the last one in view."""
        stop = self._stop
        if stop is None or stop.ink.act != "fold":
            in_view = [stop for row in self._window.rows for stop in stops_of(row.place, row.line)]
            stop = next((stop for stop in reversed(in_view) if stop.ink.act == "fold"), None)
        if stop is not None:
            self._choose(stop)

    def action_fold_all(self) -> None:
        """Fold everything, or unfold everything."""
        model = self._model
        if model is None:
            return
        if not model.follows:
            model.anchor = model.anchor  # the place by what it says: the lines around it change
        model.fold_all()
        self._stop = None
        self._sync_after_folding(model)

    def _sync_after_folding(self, model: TranscriptModel) -> None:
        """Lines that a fold adds or takes are not news."""
        new_lines = model.new_lines
        self._sync(at_once=True)
        if not model.follows:
            self._below.keep(model, new_lines)

    def _choose(self, stop: Stop) -> None:
        model = self._model
        if model is None:
            return
        if stop.ink.link:
            self.post_message(LinkChosen(stop.ink.link))
        elif stop.ink.act == "copy":
            self.post_message(CopyRequested(stop.code or "", "code block"))
        elif stop.ink.act == "fold":
            key = model.prepared(stop.place.turn).keys[stop.place.piece]
            model.toggle_fold(stop.place.turn, key)
            self._keep_row(model, stop.place)

    def _keep_row(self, model: TranscriptModel, place: Place) -> None:
        """Keep a line at its height in the view while what is below it folds or unfolds."""
        y = next((y for y, row in enumerate(self._window.rows) if row.place == place), None)
        if y is not None and not (model.follows and model.is_live):
            if model.follows:
                self._mark_end()
            model.follows = False
            model.top = move(model, place, -y)
        self._sync_after_folding(model)
        if self._window.at_end:
            model.follows = True
            self._tell_following(at_once=True)

    # Copying

    def action_copy_block(self) -> None:
        """Copy the code block under the cursor, or the last one in view."""
        rows = self._window.rows
        if self._stop is not None and self._stop.code is not None:
            self.post_message(CopyRequested(self._stop.code, "code block"))
            return
        code = next((row.line.code for row in reversed(rows) if row.line.code is not None), None)
        if code is not None:
            self.post_message(CopyRequested(code, "code block"))

    def action_copy_answer(self) -> None:
        """Copy the answer of the turn under the cursor, or of the last one in view."""
        model = self._model
        if model is None or model.is_empty:
            return
        turn = self._stop.place.turn if self._stop is not None else self._last_turn_in_view()
        text = clean(model.answer(turn))
        if text:
            self.post_message(CopyRequested(text, "answer"))

    def action_copy_selection(self) -> None:
        """Copy what is selected."""
        if text := self.selected_text:
            self.post_message(CopyRequested(text, "selection"))

    def _last_turn_in_view(self) -> int:
        rows = self._window.rows
        return rows[-1].place.turn if rows else 0

    def links_in_view(self) -> list[FoundLink]:
        """Return the links of the turn under the cursor, or of all turns in view, in the order of the text."""
        model, rows = self._model, self._window.rows
        if model is None or not rows:
            return []
        if self._stop is not None:
            return links_of(model, range(self._stop.place.turn, self._stop.place.turn + 1))
        return links_of(model, range(rows[0].place.turn, rows[-1].place.turn + 1))

    # Search

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
            self._bring_into_view(Place(turn))
        else:
            self.go_to_match(number)

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
            self._bring_into_view(place)

    def action_next_match(self) -> None:
        """Go to the next match."""
        if self._search is not None:
            self.go_to_match(self._search.current + 1)

    def action_previous_match(self) -> None:
        """Go to the match before."""
        if self._search is not None:
            self.go_to_match(self._search.current - 1)
