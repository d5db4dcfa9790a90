"""When the main screen paints: what a key changed at once, everything else at Textual's pace of 60 frames a second.

With that pace alone a key that comes right behind a frame of a stream waits up to 17 ms for the next one, and for that
frame's work. Here the widget with the cursor is painted by itself, only its own cells; so is, at once, a frame of a stream.
"""

import time
from collections.abc import Sequence

from textual import events
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget

from chatforge_tui.ui.frame import FrameCompositor

KEY_PAINT_S = 1 / 120
"""Shortest time in seconds between two such pictures: a burst of keys, as of a paste, keeps the usual pace."""


class FrameScreen(Screen[None]):
    """A screen that draws only what changed, first where the cursor is."""

    def __init__(self) -> None:
        """Start with nothing painted."""
        super().__init__()
        self._compositor = FrameCompositor()  # in the place of Textual's, which draws and writes far more than changed
        self._key_painted_at = 0.0

    async def _on_idle(self, event: events.Idle) -> None:
        """Paint the widget with the cursor if only its looks changed, then leave the rest to Textual."""
        widget, now = self.focused, time.monotonic()
        if widget in self._dirty_widgets and now - self._key_painted_at >= KEY_PAINT_S and self._may_paint():
            self._key_painted_at = now
            self._paint_alone(widget)
        await super()._on_idle(event)

    def paint_now(self, widget: Widget, regions: Sequence[Region]) -> bool:
        """Paint these regions of one widget here and now; return False, having done nothing, when that cannot be.

        For a frame of a stream, which comes at its own pace: by way of `refresh` it goes through four tasks and a timer,
        which costs as much as drawing it. Where nothing else is to be written and nothing can cover the widget, its rows
        go to the driver as they are.
        """
        if not self._may_paint() or widget not in self._compositor.visible_widgets:
            return False
        update = None if widget._repaint_regions else self._compositor.update_of(widget, regions)  # noqa: SLF001
        if update is not None:
            self.app._display(self, update)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType] - what Textual's own refresh ends in
            return True
        if self._compositor.beside is not None:
            bar, in_bar = self._compositor.beside
            bar._set_dirty(*in_bar)  # noqa: SLF001
            self._compositor.update_widgets({bar})
        widget._set_dirty(*regions)  # noqa: SLF001 - what `refresh` does of use here
        self._paint_alone(widget)
        return True

    def scroll_now(self, widget: Widget, lines: int, in_bar: Sequence[Region]) -> bool:
        """Have the terminal move a widget's rows up, with the next `paint_now`; False when that cannot be.

        A page that goes one line further is then that line, not forty: what it takes to draw and to write it falls to a
        third. It needs rows that are all the widget's own, and all of which the terminal shows as they were painted.

        Args:
            widget: what is shown in the rows, its scrollbar at their end.
            lines: how far.
            in_bar: the regions of the scrollbar that are wrong then, one row each.
        """
        bar = widget.vertical_scrollbar
        if not self._may_paint() or self.app.is_inline:  # pyright: ignore[reportUnknownMemberType]
            return False
        if widget._repaint_regions or bar._repaint_regions:  # noqa: SLF001
            return False
        rows = self._compositor.owns_rows(widget)
        if rows is None or not 0 < lines < rows.bottom - rows.top:
            return False
        self._compositor.scroll, self._compositor.beside = rows._replace(lines=lines), (bar, in_bar)
        return True

    def _may_paint(self) -> bool:
        """Whether a widget can be painted by itself: nothing changes places, and this screen is shown."""
        if self._layout_required or self._repaint_required or self._recompose_required:
            return False
        return self is self.app.screen and not self.app._batch_count  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType] - as Textual asks

    def _paint_alone(self, widget: Widget) -> None:
        others = self._dirty_widgets - {widget}
        self._compositor.update_widgets({widget})
        self._compositor_refresh()
        self._dirty_widgets |= others  # they count as painted by now, and are not

    def _update_select(self) -> None:
        """End a selection that is dragged over an edge where the pointer is after the scroll, not what it was over before."""
        state = self._select_state
        if state is None or state.end is None or state.end.content_widget is None:
            super()._update_select()
            return
        widget, offset = self.get_widget_and_offset_at(*state.screen_offset)
        if widget is state.end.content_widget and offset is not None:
            self._select_state = state.update_end(state.screen_offset, state.end._replace(content_offset=offset))
