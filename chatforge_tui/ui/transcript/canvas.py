"""Draws the lines of a transcript's model: layout on demand, painting, following.

It keeps clear of the parts of Textual that cost most (a reflow of the screen for each new line, the styles cache,
offsets in painted segments); each such place says so. Nothing ticks while nothing runs. What a user
can do with it is in the classes above, one after the other: selecting, scrolling, reading with the keyboard, finding, choosing.
"""

import time
from collections.abc import Sequence
from typing import ClassVar, cast

from msgspec import Struct
from rich.style import Style
from textual.content import Content
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.visual import Visual

from chatforge_tui.ui.frame_screen import FrameScreen
from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.follow import Below
from chatforge_tui.ui.transcript.highlight import Colours
from chatforge_tui.ui.transcript.ink import ROLES
from chatforge_tui.ui.transcript.messages import FollowChanged
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS, Page
from chatforge_tui.ui.transcript.paint import Overlay, Palette
from chatforge_tui.ui.transcript.painter import Painter
from chatforge_tui.ui.transcript.place import Shift
from chatforge_tui.ui.transcript.scroll_bar import TranscriptScrollBar
from chatforge_tui.ui.transcript.viewport import Row, Window, settle

SCROLLBAR_SECONDS = 0.4
"""Shortest time between two updates of the scrollbar while text streams: it costs more than painting a frame. What ticks
while a turn runs brings the last one; a timer of its own would be a task and two wakeups for each."""
TICK_SECONDS = 0.25
"""Time between two steps of a spinner; there is a timer only while something runs."""
COLOUR_SECONDS = 0.006
"""Time for colouring code between two looks at the keys, """
COLOUR_PAUSE_SECONDS = 0.02
"""and the pause before the next."""
BUSY_RETRY_SECONDS = 0.033
"""When to look again at a terminal that has not taken the last frame yet."""


_VIRTUAL_SIZE = cast("Reactive[Size]", ScrollView.virtual_size)
_SCROLL_Y = ScrollView.scroll_y
_SCROLL_TARGET_Y = cast("Reactive[float]", ScrollView.scroll_target_y)


class _Clocks(Struct):
    """The timers that exist only while they are needed."""

    tick: Timer | None = None
    scrollbar: Timer | None = None
    busy: Timer | None = None
    colour: Timer | None = None


class TranscriptCanvas(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws a TranscriptModel."""

    DEFAULT_CSS = """
    TranscriptCanvas {
        overflow-x: hidden;
        overflow-y: scroll; /* always: to show or hide the bar lays the whole screen out again */
        scrollbar-size-vertical: 1;
        background: $background;
        color: $foreground;
        & > .transcript--text { color: $foreground; }
        & > .transcript--muted { color: $text-muted; }
        & > .transcript--accent { color: $primary; }
        & > .transcript--speaker { color: $foreground; }
        & > .transcript--heading { color: $foreground; }
        & > .transcript--inline-code { color: $secondary; background: $surface; }
        & > .transcript--code { color: $foreground; }
        & > .transcript--frame { color: $foreground 35%; }
        & > .transcript--quote { color: $text-muted; }
        & > .transcript--link { color: $primary; }
        & > .transcript--success { color: $success; }
        & > .transcript--warning { color: $warning; }
        & > .transcript--error { color: $error; }
        & > .transcript--reasoning { color: $text-muted; }
        & > .transcript--cursor { color: $primary; }
        & > .transcript--unread { color: $primary; }
        & > .transcript--keyword { color: $primary; }
        & > .transcript--string { color: $success; }
        & > .transcript--number { color: $warning; }
        & > .transcript--comment { color: $text-muted; }
        & > .transcript--name { color: $secondary; }
        & > .transcript--mark { color: $primary; }
        & > .transcript--match { background: $warning 35%; }
        & > .transcript--current-match { background: $warning; color: $background; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"transcript--{role}" for role in ROLES),
        "transcript--mark",
        "transcript--match",
        "transcript--current-match",
    }

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
        super().__init__(name=name, id=id, classes=classes)
        self.marks = marks
        self._empty_hint = empty_hint or Content("")
        self._reduced_motion = reduced_motion
        self._model: TranscriptModel | None = None
        self._window = Window([], 0, at_end=True)
        self._painter = Painter()
        self._colours = Colours()
        self._palette: Palette | None = None
        self._laid_out_for: Size | None = None
        self._filters: tuple[LineFilter, ...] = ()
        self._strips: list[Strip] | None = None  # all rows of the view, ready for the compositor
        self._is_sizing = False
        self._is_current = False  # nothing can have changed since lines and size were looked at: each look costs 15 us
        self._told = (True, 0)  # following and new lines, as last said
        self._below = Below()
        self._clocks = _Clocks()
        self._scrollbar_time = 0.0
        self._synced_at = 0.0

    # The model

    @property
    def model(self) -> TranscriptModel | None:
        """What is shown."""
        return self._model

    @property
    def empty_hint(self) -> Content:
        """What is shown while there is no turn."""
        return self._empty_hint

    @empty_hint.setter
    def empty_hint(self, hint: Content) -> None:
        self._empty_hint = hint
        self._strips = None
        if self._model is None or self._model.is_empty:
            self.refresh()

    def show(self, model: TranscriptModel | None) -> None:
        """Show another session's transcript, where its reader left it."""
        if model is self._model:
            self.refresh_model()
            return
        if self._model is not None:
            self._model.pins = []
            self._model.leave()
        self._model = model
        self.model_swapped()
        if model is not None:
            model.enter()
        self._told = (True, 0)
        self._mark_end()
        self._sync(at_once=True)

    def model_swapped(self) -> None:
        """Hook: what belongs to the model before is over."""

    def refresh_model(self) -> None:
        """Show what the model has become. Call it once a frame, after the frame's changes were applied."""
        if self._is_terminal_behind():
            if self._clocks.busy is None:
                self._clocks.busy = self.set_timer(BUSY_RETRY_SECONDS, self._retry)
            return
        self._sync(paints=True)

    def take_earlier(self, shift: Shift) -> None:
        """Go on where everything is now that turns came above: nothing in view moves."""
        self._below.turn += shift.turns
        self.refresh_model()

    def _retry(self) -> None:
        self._clocks.busy = None
        self.refresh_model()

    def _is_terminal_behind(self) -> bool:
        """Whether the last frame still waits to be written: then another one would only make the loop wait."""
        # Textual tells nobody how much its writer still has to write; without these names there is no skipping.
        driver = getattr(self.app, "_driver", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        writer = getattr(driver, "_writer_thread", None)
        queue = getattr(writer, "_queue", None)
        return queue is not None and queue.qsize() > 0

    # Layout

    def _sync(self, *, at_once: bool = False, paints: bool = False) -> None:
        """Lay out what is in view and mark the rows that look different, or paint them here and now."""
        if not self.is_attached:
            return
        size = self.scrollable_content_region.size
        if not size:
            return
        self._synced_at = time.monotonic()
        model = self._model
        if model is None:
            self._window = Window([], 0, at_end=True)
        else:
            is_other_page = model.fit(Page.for_view(size.width, self.marks, self._colours), self.marks)
            self._window = settle(model, size.height)
            self.lines_settled(model)
            if is_other_page and not model.follows:
                self._below.keep(model, model.new_lines)
        self._laid_out_for = size
        self._take_height(size, at_once=at_once)
        self._is_current = True
        self._repaint(now=paints)
        self._is_current = False
        self._run_tick()
        if self._colours.has_work and self._clocks.colour is None:
            self._clocks.colour = self.set_timer(COLOUR_PAUSE_SECONDS, self._colour)

    def _colour(self) -> None:
        """Colour long code blocks, a slice at a time."""
        self._clocks.colour = None
        finished = self._colours.work(COLOUR_SECONDS)
        if finished and self._model is not None:
            self._model.forget_code(finished)
        self._sync()

    def _take_height(self, size: Size, *, at_once: bool) -> None:
        """Give Textual the height and the place without the reflow of the screen that the reactives would cost."""
        height = self._model.height if self._model is not None else 0
        virtual = Size(size.width, height)
        if virtual != self.virtual_size:
            at_once = at_once or (height > size.height) != (self.virtual_size.height > size.height)
            self.set_reactive(_VIRTUAL_SIZE, virtual)
        first = self._window.first
        if round(self.scroll_y) != first:
            self.set_reactive(_SCROLL_Y, float(first))
            self.set_reactive(_SCROLL_TARGET_Y, float(first))
        is_due = at_once or time.monotonic() - self._scrollbar_time >= SCROLLBAR_SECONDS
        if is_due:
            self._sync_scrollbar()
        elif self._clocks.scrollbar is None and (self._clocks.tick is None or self._reduced_motion):
            self._clocks.scrollbar = self.set_timer(SCROLLBAR_SECONDS, self._sync_scrollbar)
        self._tell_following(at_once=is_due)

    def _sync_scrollbar(self) -> None:
        """Move the scrollbar to where the view is."""
        if self._clocks.scrollbar is not None:
            self._clocks.scrollbar.stop()
            self._clocks.scrollbar = None
        self._scrollbar_time = time.monotonic()
        self._tell_following(at_once=True)
        if not self.show_vertical_scrollbar:
            return
        # Even when that looks the same: Textual draws the bar anew, with all it knows, whenever the screen is laid out.
        self.vertical_scrollbar.show(self.virtual_size.height, self.scrollable_content_region.height, self.scroll_y)

    @property
    def vertical_scrollbar(self) -> TranscriptScrollBar:
        """The scrollbar, made when it is needed first, as Textual does."""
        bar = self._vertical_scrollbar
        if not isinstance(bar, TranscriptScrollBar):
            bar = self._vertical_scrollbar = TranscriptScrollBar(self.scrollbar_size_vertical)
            bar.display = False
            self.app._start_widget(self, bar)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType] - as Textual does
        return bar

    def _repaint(self, *, now: bool = False) -> None:
        """Make the strips of the rows in view, and have those painted that look different."""
        width = self.size.width
        palette = self._get_palette()
        rows, screen = self._window.rows, self.screen
        lines = self._scrolled(screen, rows) if now and isinstance(screen, FrameScreen) else 0
        dirty = self._painter.paint(rows, self.overlays_of(rows), width, palette, lines)
        if dirty:
            self._strips = None
            if not (now and isinstance(screen, FrameScreen) and screen.paint_now(self, dirty)):
                self.refresh(*dirty)

    def _scrolled(self, screen: FrameScreen, rows: Sequence[Row]) -> int:
        """Have the terminal move what it shows already; return by how many lines, 0 when it is all to be written."""
        lines = self._painter.lines_gone(rows)
        if not lines:
            return 0
        bar = self.vertical_scrollbar
        in_bar = bar.wrong_when_moved(lines)
        if not in_bar or not screen.scroll_now(self, lines, in_bar):
            return 0
        bar.is_moved = True
        return lines

    def _get_palette(self) -> Palette:
        if self._palette is None:
            self._palette = Palette(self.rich_style, self._style_of)
            self._painter.set_filters(tuple(self.get_line_filters()), self.background_colors[1])
        return self._palette

    def _style_of(self, name: str) -> Style:
        if name == "selection":
            style = self.screen.get_component_rich_style("screen--selection")
            # A theme that names no colour for selected text gives that of the background: the text keeps its own then.
            return Style(bgcolor=style.bgcolor) if style.color == style.bgcolor else style
        return self.get_component_rich_style(f"transcript--{name}")

    def lines_settled(self, model: TranscriptModel) -> None:
        """Hook: lines may be others, or elsewhere, than in the frame before."""

    def overlays_of(self, rows: Sequence[Row]) -> dict[int, Overlay]:
        """Hook: return what is laid over which row; here nothing."""
        del rows
        return {}

    # What Textual asks

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the visible lines, bypassing Textual's styles cache: that is two thirds of a frame's cost.

        The compositor asks for all lines of the view for every frame, however few are dirty, so they lie ready,
        filtered.
        """
        if not self._is_current and self._laid_out_for != self.scrollable_content_region.size:
            self._sync()
        if self._strips is None or self._strips_have_other_filters():
            strips = self._painter.strips
            size = self.size  # Textual looks it up anew each time
            missing = range(len(strips), size.height)
            if self._model is None or self._model.is_empty:
                strips += (self._painter.filtered(self._strip_below(y)) for y in missing)
            elif missing:
                strips += [self._painter.blank(size.width, self._get_palette())] * len(missing)
            self._strips = strips
        strips, span = self._strips[crop.y : crop.bottom], crop.column_span
        return [strip if span == (0, strip.cell_length) else strip.crop(*span) for strip in strips]

    def _strips_have_other_filters(self) -> bool:
        """Whether the app's filters changed; then everything is painted anew."""
        filters = tuple(self.get_line_filters())
        if filters == self._filters:
            return False
        self._filters = filters
        if not self._painter.set_filters(filters, self.background_colors[1]):
            return False
        self._painter.paint(
            self._window.rows, self.overlays_of(self._window.rows), self.size.width, self._get_palette()
        )
        return True

    def _strip_below(self, y: int) -> Strip:
        """Return a row below the last line: the hint of an empty transcript, or nothing."""
        width = self.size.width
        if self._model is None or self._model.is_empty:
            hint = Visual.to_strips(self, self._empty_hint, width - GUTTER_COLUMNS, None, self.visual_style)
            if y - 1 in range(len(hint)):
                gutter = Strip.blank(GUTTER_COLUMNS, self.rich_style)
                return Strip.join([gutter, hint[y - 1]]).adjust_cell_length(width, self.rich_style)
        return Strip.blank(width, self.rich_style)

    def notify_style_update(self) -> None:
        """Look all colours up again: the theme or the focus changed."""
        super().notify_style_update()
        self._palette = None
        self._painter.forget()
        self._strips = None
        if self.is_attached and self._laid_out_for is not None:
            self.call_later(self._sync)
            self.refresh()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Let Textual clamp the scroll position without taking that for the user's scrolling."""
        self._is_sizing = True
        try:
            return super()._size_updated(size, virtual_size, container_size, layout)
        finally:
            self._is_sizing = False

    def on_resize(self) -> None:
        """Reflow what is in view at once."""
        self._painter.forget()
        self._strips = None
        self._sync(at_once=True)
        self.refresh()

    def on_unmount(self) -> None:
        """Stop what ticks."""
        for timer in (self._clocks.tick, self._clocks.scrollbar, self._clocks.busy, self._clocks.colour):
            if timer is not None:
                timer.stop()
        self._clocks = _Clocks()

    # Following

    def _mark_end(self) -> None:
        if self._model is not None:
            self._below.mark(self._model)

    def _tell_following(self, *, at_once: bool) -> None:
        """Say when following began or ceased, and, as often as the scrollbar moves, how much is new below."""
        model = self._model
        if model is None or model.is_empty:
            return
        model.new_lines = 0 if model.follows else self._below.count(model)
        news = (model.follows, model.new_lines)
        if news[0] != self._told[0] or (news != self._told and at_once):
            self._told = news
            self.post_message(FollowChanged(*news))

    # What runs

    def _run_tick(self) -> None:
        """Have a timer exactly while something counts seconds."""
        is_live = self._model is not None and self._model.is_live
        if is_live and self._clocks.tick is None:
            self._clocks.tick = self.set_interval(1 if self._reduced_motion else TICK_SECONDS, self._tick)
        elif not is_live and self._clocks.tick is not None:
            self._clocks.tick.stop()
            self._clocks.tick = None
            self._sync_scrollbar()  # it was left to the next frame or tick

    def _tick(self) -> None:
        if self._model is not None and not self._is_terminal_behind():
            self._model.frame += not self._reduced_motion
            if time.monotonic() - self._synced_at > TICK_SECONDS / 2:  # else the frames of the stream show it
                self._sync()
