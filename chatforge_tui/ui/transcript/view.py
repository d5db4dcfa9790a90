"""The one widget for all transcripts: what a user can point at, choose, fold and copy in it.

It shows the model of the current session and swaps models on a switch. It never opens a link and never touches the
clipboard: it says what was chosen (messages.py). Its keys hold while it has the focus.
"""

from collections.abc import Callable
from functools import partial

from textual import events
from textual.content import Content
from textual.geometry import Offset

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.domain.part import FilePart
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.blocks import block_at
from chatforge_tui.ui.transcript.finder import TranscriptFinder
from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.links import FoundLink, links_of
from chatforge_tui.ui.transcript.messages import CopyRequested, FileChosen, LinkChosen
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.picking import source_line_at, word_at
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.stops import Stop, stops_of
from chatforge_tui.ui.transcript.viewport import move


class TranscriptView(TranscriptFinder, can_focus=True):
    """Shows a TranscriptModel."""

    def __init__(
        self,
        *,
        keymap: Keymap | None = None,
        marks: MarkSet = UNICODE_MARKS,
        empty_hint: Content | None = None,
        reduced_motion: bool = False,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make a view without a model.

        Args:
            keymap: The keys in force; None = the default ones.
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
        self._acts = self._table()
        for action in (keymap or Keymap()).actions:
            for key in action.keys if action.id in self._acts else ():
                self._bindings.bind(key, f"do('{action.id}')", action.label, show=False)

    def model_swapped(self) -> None:
        """Forget what was searched for and chosen."""
        self._stop = None
        self._picked_from, self._is_picking = None, False
        super().model_swapped()

    def action_do(self, action_id: str) -> None:
        """Do an action of the key table: what every key here is bound to."""
        self.do(action_id)

    def do(self, action_id: str) -> None:
        """Do an action of the key table that belongs to the transcript."""
        self._acts[action_id]()

    def _table(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of the key table do here."""
        return {
            "view.line_down": partial(self.action_cursor_lines, 1),
            "view.line_up": partial(self.action_cursor_lines, -1),
            "view.block_next": partial(self.action_cursor_block, 1),
            "view.block_prev": partial(self.action_cursor_block, -1),
            "view.stop_next": partial(self.action_stop, 1),
            "view.stop_prev": partial(self.action_stop, -1),
            "view.turn_next": self.action_next_turn,
            "view.turn_prev": self.action_previous_turn,
            "view.page_down": partial(self.action_pages, 1),
            "view.page_up": partial(self.action_pages, -1),
            "view.half_down": partial(self.action_pages, 0.5),
            "view.half_up": partial(self.action_pages, -0.5),
            "view.top": self.action_top,
            "view.bottom": self.action_follow,
            "view.follow": self.action_follow,
            "view.select": self.action_select,
            "view.select_down": partial(self.action_select_lines, 1),
            "view.select_up": partial(self.action_select_lines, -1),
            "view.choose": self.action_choose,
            "view.fold": self.action_fold_all,
            "view.fold_one": self.action_fold_one,
            "view.copy": self.action_copy,
            "view.copy_code": self.action_copy_block,
            "view.copy_answer": self.action_copy_answer,
            "view.match_next": self.action_next_match,
            "view.match_prev": self.action_previous_match,
        }

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
        elif self._model is not None and not self._model.is_live and 0 <= offset.y < len(self._window.rows):
            self._stop, self._model.cursor = None, self._window.rows[offset.y].place
            self._repaint()

    def _pick(self, offset: Offset, clicks: int) -> None:
        """Select the word under a double click, the line of the source under a triple click."""
        model, rows = self._model, self._window.rows
        if model is None or not 0 <= offset.y < len(rows):
            return
        place, line = rows[offset.y]
        picked = word_at(place, line, offset.x - GUTTER_COLUMNS) if clicks % 2 == 0 else source_line_at(model, place)
        if picked is not None:
            self.screen.selections = {self: picked}

    def _stop_at(self, offset: Offset) -> Stop | None:
        if not 0 <= offset.y < len(self._window.rows):
            return None
        row = self._window.rows[offset.y]
        cell = offset.x - GUTTER_COLUMNS
        return next((stop for stop in stops_of(row.place, row.line) if stop.first <= cell < stop.after), None)

    # What is under the cursor

    def action_choose(self) -> None:
        """Follow, fold or copy what is under the cursor, or else on its line; of a code block, the code."""
        stop = self._stop or next(iter(self._stops_here()), None)
        if stop is not None:
            self._choose(stop)
        elif self._line_here is not None and self._line_here.code is not None:
            self.post_message(CopyRequested(self._line_here.code, "code block"))

    def _stops_here(self) -> list[Stop]:
        """Return what can be chosen on the cursor's line."""
        here, line = self.cursor, self._line_here
        return stops_of(here, line) if here is not None and line is not None else []

    @property
    def _line_here(self) -> Line | None:
        """The cursor's line, when it is in view."""
        here = self.cursor
        return next((row.line for row in self._window.rows if row.place == here), None)

    def action_fold_one(self) -> None:
        """Fold or unfold the part under the cursor, or the last one in view."""
        model = self._model
        if model is None or not self._window.rows:
            return
        here = self.cursor
        if model.cursor is not None and here is not None and (header := self._header_of(model, here)) is not None:
            self.go_to(header)
            self._fold(model, header)
            return
        in_view = [stop for row in self._window.rows for stop in stops_of(row.place, row.line)]
        stop = next((stop for stop in reversed(in_view) if stop.ink.act == "fold"), None)
        if stop is not None:
            self._choose(stop)

    @staticmethod
    def _header_of(model: TranscriptModel, place: Place) -> Place | None:
        """Return the header that folds the part of a line; None when nothing does."""
        layout = model.prepared(place.turn)
        key = layout.keys[place.piece]
        section = layout.section(key)
        if section is None or not section.is_foldable:
            return None
        pieces = zip(layout.flow, layout.keys, strict=True)
        return Place(place.turn, next(at for at, (piece, own) in enumerate(pieces) if own == key and not piece.is_gap))

    def action_fold_all(self) -> None:
        """Fold everything, or unfold everything."""
        model = self._model
        if model is None:
            return
        if not model.follows:
            model.anchor = model.anchor  # the place by what it says: the lines around it change
        model.hold_cursor()
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
        elif stop.ink.act == "save":
            keys = model.prepared(stop.place.turn).keys[stop.place.piece :][:1]
            for part in model.turn(stop.place.turn).parts:
                if isinstance(part, FilePart) and part.index in keys:
                    self.post_message(FileChosen(part))
        elif stop.ink.act == "fold":
            self._fold(model, stop.place)

    def _fold(self, model: TranscriptModel, header: Place) -> None:
        """Fold or unfold what a header opens, unless it is gone."""
        keys = model.prepared(header.turn).keys
        if header.piece < len(keys):
            model.toggle_fold(header.turn, keys[header.piece])
            self._keep_row(model, header)

    def _keep_row(self, model: TranscriptModel, place: Place) -> None:
        """Keep a line at its height in the view while what is below it folds or unfolds."""
        y = next((y for y, row in enumerate(self._window.rows) if row.place == place), None)
        if y is not None and not (model.follows and model.is_live):
            if model.follows:
                self._mark_end()
            model.follows = False
            model.top = move(model, place, -y)
        self._sync_after_folding(model)
        if self._window.at_end and model.cursor is None:
            model.follows = True
            self._tell_following(at_once=True)

    # Copying

    def action_copy(self) -> None:
        """Copy what is selected, else the block under the cursor as it was written, else its answer."""
        model, here = self._model, self.cursor
        if text := self.selected_text:
            self.post_message(CopyRequested(text, "selection"))
            self.stop_picking()
            return
        block = block_at(model, here) if model is not None and here is not None else None
        if block is not None and block.code is not None:
            self.post_message(CopyRequested(block.code, "code block"))
        elif block is not None and block.source:
            self.post_message(CopyRequested(block.source, "block"))
        else:
            self.action_copy_answer()

    def action_copy_block(self) -> None:
        """Copy the code block under the cursor, or the last one in view."""
        line = self._line_here
        code = line.code if line is not None else None
        if code is None:
            code = next((row.line.code for row in reversed(self._window.rows) if row.line.code is not None), "")
        self.post_message(CopyRequested(code, "code block"))

    def action_copy_answer(self) -> None:
        """Copy the answer of the turn under the cursor, or of the last one in view."""
        model = self._model
        if model is None or model.is_empty:
            return
        here = self.cursor
        turn = here.turn if model.cursor is not None and here is not None else self._last_turn_in_view()
        self.post_message(CopyRequested(clean(model.answer(turn)), "answer"))

    def _last_turn_in_view(self) -> int:
        rows = self._window.rows
        return rows[-1].place.turn if rows else 0

    def links_in_view(self) -> list[FoundLink]:
        """Return the links of the turn under the cursor, or of all turns in view, in the order of the text."""
        model, rows = self._model, self._window.rows
        if model is None or not rows:
            return []
        here = self.cursor
        if model.cursor is not None and here is not None:
            return links_of(model, range(here.turn, here.turn + 1))
        return links_of(model, range(rows[0].place.turn, rows[-1].place.turn + 1))
