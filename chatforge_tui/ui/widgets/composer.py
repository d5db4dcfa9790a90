"""The one place to write prompts. It draws the draft of the pane in front; the pane keeps it.

Owns what a key means while writing: Enter sends, the newline keys and a trailing backslash begin a new line, Up and
Down at the edges walk through earlier prompts, Tab offers examples in an empty session. A paste is cleaned, and one
that arrives without brackets does not send: an Enter that comes within a moment of typed text waits for what follows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, cast

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import Location
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import TextArea
from textual.widgets.text_area import Selection, TextAreaTheme

from chatforge_tui.safety.clean import clean, count_hidden
from chatforge_tui.ui.widgets.long_rows import hasten_long_rows, is_long, section_text
from chatforge_tui.ui.widgets.own_keys import do_own_binding
from chatforge_tui.ui.widgets.prompt_history import PromptHistory

BURST_S = 0.010
"""Seconds: an Enter so soon after typed text may belong to a paste."""
SETTLE_S = 0.015
"""Seconds that such an Enter waits: when more text follows it was a newline, else it sends."""
_OFFER_KEYS = frozenset({"tab", "enter", "escape", "up", "down"})
"""Keys that may mean something else while paths are offered."""
PASTE_LIMIT = 1_000_000
"""Most characters that one paste inserts."""


MOST_ROWS = 1_000
"""Rows beyond which no bracket is looked for."""


class Composer(TextArea):
    """A text area that grows with what is written, as far as the screen lets it, and sends on Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "history_up", show=False),
        Binding("down", "history_down", show=False),
    ]
    DEFAULT_CSS = """
    Composer {
        height: auto;
        border: none;
        padding: 0 1 0 0;
        scrollbar-size-vertical: 1;
        background: transparent;
        &:focus { border: none; background-tint: transparent; }
        & .text-area--placeholder { color: $text-muted; }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    class Recalled(Message):
        """Another earlier prompt stands here, or again what was being written."""

        def __init__(self, prompt: str) -> None:
            self.prompt = prompt
            """"" = what was being written."""
            super().__init__()

    class Submitted(Message):
        """The user sends what stands here. The composer is not emptied: whoever takes the text does that."""

        def __init__(self, text: str, *, is_queued: bool = False) -> None:
            self.text = text
            self.is_queued = is_queued
            """Whether it is to wait until the running answer is done."""
            super().__init__()

    class Pasted(Message):
        """A paste was changed before it was inserted."""

        def __init__(self, hidden: int, cut: int) -> None:
            self.hidden = hidden
            """Number of control and invisible characters that were made visible."""
            self.cut = cut
            """Number of characters beyond the limit, not inserted."""
            super().__init__()

    class PasteReturned(Message):
        """What `take_paste` had taken stands here as text now."""

    class Tabbed(Message):
        """Tab was pressed: the next example, or the form, or the next widget."""

    def __init__(
        self,
        *,
        send_keys: Sequence[str],
        newline_keys: Sequence[str],
        way_out: Mapping[str, str] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        """Take keys as Textual names them.

        Args:
            send_keys: they send.
            newline_keys: they begin a new line.
            way_out: the actions of others' keys, run here: bubbling up to the app a key goes through three tasks more.
            id: Textual's own.
        """
        super().__init__(
            id=id, soft_wrap=True, tab_behavior="focus", show_line_numbers=False, highlight_cursor_line=False
        )
        for key, action in (way_out or {}).items():
            self._bindings.bind(key, action, show=False)
        hasten_long_rows()
        self.cursor_blink = False
        self.earlier = PromptHistory()
        """The prompts that Up and Down walk through."""
        self.take_paste: Callable[[str], bool] = lambda _: False
        """Takes what was pasted if it is something else than text; else it is inserted."""
        self.take_key: Callable[[str], bool] = lambda _: False
        """Takes a key that means something else while paths are offered; else it is the composer's own."""
        self._taken: tuple[str, str] | None = None
        """What was taken last, and what stood here then: undo right after it makes it text."""
        self._send_keys = frozenset(send_keys)
        self._newline_keys = frozenset(newline_keys)
        self._typed_at = 0.0
        self._held: Timer | None = None
        self._is_paste = False
        """An Enter of the burst at hand turned out to be a newline: so are the others, the last one, too."""

    def show_draft(self, text: str) -> None:
        """Show another draft, cursor at its end; nothing of the one before can be brought back by undo."""
        self._release_held()
        self._taken = None
        cleaned = clean(text)
        if cleaned == self.text:  # mostly one empty prompt for another: it need not be drawn again
            self.history.clear()
        else:
            self.load_text(cleaned)
        if self.selection != Selection.cursor(self.document.end):
            self.move_cursor(self.document.end)

    def write(self, text: str) -> None:
        """Replace what stands here; undo brings it back."""
        self.replace(clean(text), (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def render_line(self, y: int) -> Strip:
        """Fill the line of the placeholder: Textual draws it too short, and loses it where a dialog cuts the screen."""
        return super().render_line(y).extend_cell_length(self.content_size.width, self.rich_style)

    def _render_line(self, y: int) -> Strip:
        """Make a line of a long row of its own characters alone."""
        wrapped = self.wrapped_document
        lines = wrapped._offset_to_line_info  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public form is as dear as the row
        number = y + self.scroll_offset.y
        row, section = lines[number] if number < len(lines) else (0, 0)
        text = self.document.get_line(row)
        theme = cast("TextAreaTheme | None", self._theme)
        if theme is None or number >= len(lines) or not is_long(text):
            return super()._render_line(y)
        styled: list[tuple[int, int, Style]] = []
        (top_row, top), (bottom_row, bottom) = sorted(self.selection)
        if not self.selection.is_empty and top_row <= row <= bottom_row and theme.selection_style:
            after = bottom if row == bottom_row else len(text)
            styled.append((top if row == top_row else 0, after, theme.selection_style))
        cursor_row, cursor = self.selection.end
        if self._draw_cursor and row == cursor_row and theme.cursor_style:
            styled.append((cursor, cursor + 1, theme.cursor_style))
        line = section_text(text, wrapped.get_offsets(row), section, styled)
        base = theme.base_style or self.rich_style
        strip = Strip(line.render(self.app.console), line.cell_len)  # pyright: ignore[reportUnknownMemberType]
        width = self.scrollable_content_region.size.width
        return strip.extend_cell_length(width, theme.base_style).apply_style(base)

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """Find it in what a person may have written: a megabyte is not looked through after each key."""
        is_large = self.document.line_count > MOST_ROWS or is_long(self.document.get_line(search_from[0]))
        return None if is_large else super().find_matching_bracket(bracket, search_from)

    def submit(self) -> None:
        """Send what stands here."""
        self._send()

    def queue(self) -> None:
        """Send what stands here as soon as the running answer is done."""
        self._release_held()
        self.post_message(self.Submitted(self.text, is_queued=True))

    def begin_line(self) -> None:
        """Begin a new line at the cursor."""
        self._begin_line()

    def action_undo(self) -> None:
        """Undo an edit; right after a paste that was taken as something else, make it text."""
        taken, self._taken = self._taken, None
        if taken is None or taken[1] != self.text:
            super().action_undo()
        elif result := self._replace_via_keyboard(clean(taken[0]), *self.selection):
            self.move_cursor(result.end_location)
            self.post_message(self.PasteReturned())

    def action_history_up(self) -> None:
        """Go up a line, on the first one to the prompt before."""
        self._step(self.earlier.earlier(self.text) if self.cursor_at_first_line else None, "cursor_up")

    def action_history_down(self) -> None:
        """Go down a line, on the last one to the prompt after."""
        self._step(self.earlier.later() if self.cursor_at_last_line else None, "cursor_down")

    def _step(self, prompt: str | None, otherwise: str) -> None:
        if prompt is not None:
            self.write(prompt)
            self.post_message(self.Recalled(prompt if self.earlier.is_walked else ""))
        elif otherwise == "cursor_up":
            self.action_cursor_up()
        else:
            self.action_cursor_down()

    async def on_key(self, event: events.Key) -> None:
        """Take the keys that mean something else here; the rest is the text area's.

        Bindings are run here as well: Textual would run them when the key has bubbled up to the app, behind what is
        typed right after it, and Ctrl+U would delete the words that follow.
        """
        if event.key in _OFFER_KEYS and self.take_key(event.key):
            self._take(event)
        elif event.key in self._newline_keys:
            self._take(event)
            self._begin_line()
        elif event.key in self._send_keys:
            self._take(event)
            self._enter(event.time)
        elif event.key == "tab":
            self._take(event)
            self.post_message(self.Tabbed())
        else:
            self._settle_held_as_newline()
            await do_own_binding(self, event)
            if event.is_printable:
                self._is_paste = self._is_paste and event.time - self._typed_at < BURST_S
                self._typed_at = event.time

    @staticmethod
    def _take(event: events.Key) -> None:
        event.stop()
        event.prevent_default()

    def _enter(self, when: float) -> None:
        """Send, begin a line after a backslash, or, in a burst, wait for what follows."""
        is_burst = self._held is not None or when - self._typed_at < BURST_S
        self._settle_held_as_newline()
        if is_burst and self._is_paste:
            self._typed_at = when
            self._begin_line()
        elif self._ends_with_backslash():
            self.action_delete_left()
            self._begin_line()
        elif is_burst:
            self._typed_at = when
            self._held = self.set_timer(SETTLE_S, self._send_held)
        else:
            self._send()

    def _ends_with_backslash(self) -> bool:
        row, column = self.cursor_location
        return self.selection.is_empty and self.document.get_line(row)[:column].endswith("\\")

    def _begin_line(self) -> None:
        self._replace_via_keyboard("\n", *self.selection)

    def _settle_held_as_newline(self) -> None:
        """Text follows an Enter that was held back: it was part of a paste."""
        if self._held is not None:
            self._release_held()
            self._is_paste = True
            self._begin_line()

    def _send_held(self) -> None:
        self._release_held()
        self._send()

    def _release_held(self) -> None:
        if self._held is not None:
            self._held.stop()
            self._held = None

    def _send(self) -> None:
        self.post_message(self.Submitted(self.text))

    def on_paste(self, event: events.Paste) -> None:
        """Insert what was pasted, cleaned. An Enter right behind it may come from the same paste, which ended itself."""
        event.stop()
        event.prevent_default()
        self._settle_held_as_newline()
        self._typed_at = event.time
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if self.take_paste(text):
            self._taken = (text, self.text)
            return
        kept = text[:PASTE_LIMIT]
        if result := self._replace_via_keyboard(clean(kept), *self.selection):
            self.move_cursor(result.end_location)
        hidden, cut = count_hidden(kept), len(text) - len(kept)
        if hidden or cut:
            self.post_message(self.Pasted(hidden, cut))
