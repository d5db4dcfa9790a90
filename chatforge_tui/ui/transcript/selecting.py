"""What is selected of a transcript: shown in its rows, kept while turns come above, and copied as it is in the source."""

from collections.abc import Sequence

from textual.geometry import Offset
from textual.screen import Screen
from textual.selection import Selection
from textual.strip import Strip

from chatforge_tui.ui.transcript.canvas import TranscriptCanvas
from chatforge_tui.ui.transcript.extract import text_between
from chatforge_tui.ui.transcript.ink import EMPTY
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.paint import Overlay, hit_strip
from chatforge_tui.ui.transcript.pins import Pin
from chatforge_tui.ui.transcript.place import END_KEY, Place, Shift
from chatforge_tui.ui.transcript.viewport import Row


class SelectableTranscript(TranscriptCanvas, can_focus=True):
    """A TranscriptCanvas that can be selected."""

    def model_swapped(self) -> None:
        """Select nothing any more."""
        super().model_swapped()
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def take_earlier(self, shift: Shift) -> None:
        """Keep what is selected."""
        if self.is_attached and (selection := self.text_selection) is not None:
            self.screen.selections = {self: Selection(_moved(selection.start, shift), _moved(selection.end, shift))}
        super().take_earlier(shift)

    def overlays_of(self, rows: Sequence[Row]) -> dict[int, Overlay]:
        """Mark what is selected."""
        overlays = super().overlays_of(rows)
        selection = self.text_selection
        if selection is None:
            return overlays
        for y, (place, line) in enumerate(rows):
            if (span := selection.get_span(place.key)) is not None:
                end = span[1] if span[1] >= 0 else GUTTER_COLUMNS + max(1, line.cells)
                overlays[y] = Overlay(selected=(max(span[0], GUTTER_COLUMNS), end))
        return overlays

    def render_line(self, y: int) -> Strip:
        """Return one line with the offsets that selecting needs: Textual asks for it only under the mouse."""
        rows = self._window.rows
        if y < len(rows):
            return hit_strip(rows[y].line, rows[y].place.key, self.size.width, self._get_palette())
        if rows:
            return hit_strip(EMPTY, END_KEY, self.size.width, self._get_palette())
        return self._strip_below(y)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as it is in the source, as far as a selection of what is seen can be."""
        model = self._model
        if model is None or model.is_empty:
            return None
        start = Place(0) if selection.start is None else Place.of_key(selection.start.y)
        end = Place.of_key(END_KEY) if selection.end is None else Place.of_key(selection.end.y)
        first = 0 if selection.start is None else selection.start.x - GUTTER_COLUMNS
        after = -1 if selection.end is None else max(0, selection.end.x - GUTTER_COLUMNS)
        return text_between(model, start, first, end, after), "\n"

    @property
    def selected_text(self) -> str:
        """The text selected here; "" when nothing is."""
        selection = self.text_selection
        found = self.get_selection(selection) if selection is not None else None
        return found[0] if found is not None else ""

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint the rows whose selection changed, and hold its ends while lines change around them."""
        if self._model is not None:
            ends = () if selection is None else selection
            self._model.pins = [
                Pin(Place.of_key(end.y), end.x - GUTTER_COLUMNS) for end in ends if end is not None and end.y != END_KEY
            ]
        self._repaint()

    def lines_settled(self, model: TranscriptModel) -> None:
        """Go on where the ends of the selection are by now."""
        selection = self.text_selection if model.pins else None
        if selection is None:
            return
        pins = iter(model.pins)
        start, end = (
            end if end is None or end.y == END_KEY else _offset_of(next(pins, None), end) for end in selection
        )
        if (start, end) != selection:
            self.selection_moved(selection, Selection(start, end))

    def selection_moved(self, before: Selection, now: Selection) -> None:
        """Select the same text where it is now; a selection that is being dragged goes on from there."""
        screen = self.screen
        state = screen._select_state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - has no public face
        if state is not None and state.start.content_widget is self:
            begun = state.start.content_offset
            begun = now.start if begun == before.start else now.end if begun == before.end else begun
            screen.set_reactive(Screen._select_state, state._replace(start=state.start._replace(content_offset=begun)))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        screen.selections = {self: now}


def _offset_of(pin: Pin | None, end: Offset) -> Offset:
    """Return where an end of a selection is by now."""
    return end if pin is None else Offset(pin.cell + GUTTER_COLUMNS, pin.place.key)


def _moved(offset: Offset | None, shift: Shift) -> Offset | None:
    """Return an end of a selection where it is now; the end of everything stays that."""
    if offset is None or offset.y == END_KEY:
        return offset
    return Offset(offset.x, shift.of(Place.of_key(offset.y)).key)
