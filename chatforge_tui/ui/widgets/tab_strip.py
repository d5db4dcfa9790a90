"""The one strip of tabs, drawn by line: any number of sessions, one widget.

Owns which tabs are visible and what a click on a cell means. It knows no pane and no engine: the main screen hands it
what to draw and acts on its messages. It asks for the tabs it draws and for no other: a thousand cost as much as ten.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.ui.line_drawing import cells, shorten, spread
from chatforge_tui.ui.marks import MarkSet

TITLE_WIDTHS = (24, 18, 14)
"""Widest title in cells: the first with which every tab can be seen, else the last."""
BRAND = "chatforge "
BRAND_WIDTH = 60
"""The program's name is shown from this width on."""

TabKind = Literal["running", "waiting", "failed", "interrupted", "idle"]


class Tab(Struct, frozen=True):
    """What one tab shows; every text already cleaned."""

    session_id: SessionId
    mark: str
    kind: TabKind
    title: str
    unread: int = 0
    """Number of news; shown behind a bold title when it is not 0."""
    is_unverified: bool = False
    """The certificate of its endpoint is not checked: marked, as long as that is so."""
    is_held: bool = False
    """Another program writes in it: it can only be read here, which its mark says beside the one of its state."""

    def width(self, most: int) -> int:
        """Return its width in cells, margin on both sides included, with a title of at most `most` cells."""
        marks = 6 + 2 * self.is_unverified + 2 * self.is_held
        return marks + min(cell_len(self.title), most) + (len(self.count) if self.unread else 0)

    @property
    def count(self) -> str:
        """The number of news as it is shown."""
        return f" {min(self.unread, 99)}"


class _Target(Struct, frozen=True):
    """Some cells that can be clicked."""

    start: int
    end: int
    kind: Literal["tab", "close", "new", "left", "right"]
    session_id: SessionId | None = None
    is_current: bool = False


def _no_tab(index: int) -> Tab:
    raise IndexError(index)


class TabStrip(Widget):
    """One line of tabs and the hairline under it, heavy under the current tab."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tab--title", "tab--current", "tab--unread", "tab--dim", "tab--line", "tab--heavy",
        "tab--running", "tab--waiting", "tab--failed", "tab--interrupted", "tab--idle",
    }  # fmt: skip
    DEFAULT_CSS = """
    TabStrip {
        height: 2;
        .tab--title, .tab--dim, .tab--idle { color: $text-muted; }
        .tab--current { color: $text; text-style: bold; }
        .tab--unread { color: $text; text-style: bold; }
        .tab--running, .tab--heavy { color: $primary; }
        .tab--waiting, .tab--interrupted { color: $warning; }
        .tab--failed { color: $error; }
        .tab--line { color: $hairline; }
    }
    """

    joint = reactive[int | None](None)
    """Column of the line that meets the hairline from below; None for none."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, session_id: SessionId) -> None:
            self.session_id = session_id
            super().__init__()

    class CloseAsked(Message):
        """A tab's × was clicked, or the tab with the middle button."""

        def __init__(self, session_id: SessionId) -> None:
            self.session_id = session_id
            super().__init__()

    class NewAsked(Message):
        """The + was clicked."""

    def __init__(self, marks: MarkSet, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.marks = marks
        self._count = 0
        """Number of tabs, visible or not."""
        self._here: int | None = None
        """Index of the current tab."""
        self._make: Callable[[int], Tab] = _no_tab
        self._made: dict[int, Tab] = {}
        """The tabs that have been asked for since they were shown, by index."""
        self._most = TITLE_WIDTHS[0]
        """Widest title at the moment."""
        self._first = 0
        """Index of the leftmost visible tab."""
        self._targets: list[_Target] = []
        self._drawn: list[Segment] = []

    def show(self, count: int, here: int | None, make: Callable[[int], Tab]) -> None:
        """Draw these tabs. The current one is scrolled into view when it changes, and stays in view when titles grow.

        Args:
            count: how many there are.
            here: index of the current one.
            make: returns the tab at an index; asked for those that are near, until the next call.
        """
        seen = self._made
        has_moved = here != self._here or count != self._count
        self._count, self._here, self._make, self._made = count, here, make, {}
        if not has_moved and all(self._tab(index) == tab for index, tab in seen.items()):
            return
        if has_moved or any(target.is_current for target in self._targets):
            self._reveal_current()
        self._draw()

    def _tab(self, index: int) -> Tab:
        if (tab := self._made.get(index)) is None:
            tab = self._made[index] = self._make(index)
        return tab

    def _width(self, index: int) -> int:
        return self._tab(index).width(self._most)

    def visible_tabs(self) -> list[SessionId]:
        """Return the sessions whose tabs can be seen at the moment, left to right."""
        return [target.session_id for target in self._targets if target.kind == "tab" and target.session_id]

    def render_line(self, y: int) -> Strip:
        """Draw the tabs (0) or the hairline (1)."""
        width, fill = self.size.width, self.rich_style
        if y == 1:
            return self._hairline(width)
        brand = [Segment(BRAND, self._style("dim"))] if width >= BRAND_WIDTH else []
        return spread(width, self._drawn, brand, fill)

    def notify_style_update(self) -> None:
        """Draw again in the colours of the new theme."""
        super().notify_style_update()
        if self._targets:
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit to the new size."""
        del event
        self._reveal_current()
        self._draw()

    def _style(self, name: str):  # noqa: ANN202 - rich's Style, as Textual returns it
        return self.get_component_rich_style(f"tab--{name}")

    @property
    def _room(self) -> int:
        """Cells for tabs, between the arrows and the + button."""
        reserved = len(BRAND) if self.size.width >= BRAND_WIDTH else 0
        return max(self.size.width - reserved - 12, 8)

    def _reveal_current(self) -> None:
        """Move the first visible tab as little as possible so that the current one is visible, whole."""
        here, room = self._here or 0, self._room
        self._most = next((most for most in TITLE_WIDTHS if self._fits_all(most)), TITLE_WIDTHS[-1])
        first, used = here, self._width(here) if self._count else 0
        while first > self._first and (used := used + self._width(first - 1)) <= room:
            first -= 1
        while first > 0 and self._fits_from(first - 1):
            first -= 1
        self._first = first

    def _fits_all(self, most: int) -> bool:
        """Whether all tabs can be seen at once with titles of at most `most` cells."""
        if self._count >= self._room:
            return False
        return sum(self._tab(index).width(most) for index in range(self._count)) <= self._room

    def _fits_from(self, first: int) -> bool:
        """Whether everything from a tab to the end fits: then there is no reason to hide what stands left of it."""
        if self._count - first > self._room:
            return False
        return sum(self._width(index) for index in range(first, self._count)) <= self._room

    def _draw(self) -> None:
        """Build the line of tabs and what can be clicked on it."""
        self._targets, self._drawn = [], []
        index, room = self._first, self._room
        if index:
            self._add(f" {self.marks.more_left}{min(index, 999)}", "dim", "left")
        while index < self._count and (index == self._first or self._width(index) <= room):
            room -= self._width(index)
            self._add_tab(self._tab(index), is_current=index == self._here)
            index += 1
        if index < self._count:
            self._add(f"{min(self._count - index, 999)}{self.marks.more_right} ", "dim", "right")
        self._add(" + ", "dim", "new")
        self.refresh()

    def _add_tab(self, tab: Tab, *, is_current: bool) -> None:
        start = cells(self._drawn)
        look = "current" if is_current else "unread" if tab.unread else "title"
        self._drawn += [
            Segment(" ", self.rich_style),
            Segment(tab.mark, self._style(tab.kind)),
            Segment(" ", self.rich_style),
            *([Segment("! ", self._style("failed"))] if tab.is_unverified else []),
            *([Segment(f"{self.marks.held} ", self._style("waiting"))] if tab.is_held else []),
            Segment(shorten(tab.title, self._most, self.marks.ellipsis), self._style(look)),
        ]
        if tab.unread:
            self._drawn.append(Segment(tab.count, self._style("unread")))
        self._targets.append(_Target(start, cells(self._drawn), "tab", tab.session_id, is_current))
        self._add(
            f" {self.marks.close} " if is_current else "   ", "dim", "close", tab.session_id, is_current=is_current
        )

    def _add(
        self,
        text: str,
        look: str,
        kind: Literal["close", "new", "left", "right"],
        session_id: SessionId | None = None,
        *,
        is_current: bool = False,
    ) -> None:
        start = cells(self._drawn)
        self._drawn.append(Segment(text, self._style(look)))
        self._targets.append(_Target(start, start + cell_len(text), kind, session_id, is_current))

    def _hairline(self, width: int) -> Strip:
        plain, heavy = self._style("line"), self._style("heavy")
        line = list(self.marks.line * width)
        if self.joint is not None and 0 <= self.joint < width:
            line[self.joint] = self.marks.joint_down
        mine = next((t for t in self._targets if t.kind == "tab" and t.is_current), None)
        if mine is None:
            return Strip([Segment("".join(line), plain)], width)
        start, end = min(mine.start, width), min(mine.end + 1, width)
        return Strip(
            [
                Segment("".join(line[:start]), plain),
                Segment(self.marks.heavy * (end - start), heavy),
                Segment("".join(line[end:]), plain),
            ],
            width,
        )

    def on_click(self, event: events.Click) -> None:
        """Act on what was clicked."""
        event.stop()
        target = next((target for target in self._targets if target.start <= event.x < target.end), None)
        if target is None or event.y != 0:
            return
        if target.kind == "new":
            self.post_message(self.NewAsked())
        elif target.session_id is None:
            self._scroll(-1 if target.kind == "left" else 1)
        elif event.button == 2 or (target.kind == "close" and target.is_current):
            self.post_message(self.CloseAsked(target.session_id))
        else:
            self.post_message(self.Chosen(target.session_id))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show tabs further right."""
        event.stop()
        self._scroll(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show tabs further left."""
        event.stop()
        self._scroll(-1)

    def _scroll(self, step: int) -> None:
        if step > 0 and self._fits_from(self._first):
            return
        self._first = min(max(self._first + step, 0), max(self._count - 1, 0))
        self._draw()
