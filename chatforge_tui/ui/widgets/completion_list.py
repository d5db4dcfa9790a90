"""What could complete the path that is being written, one line each, above the prompt. It draws; the keys are the composer's."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.line_drawing import shorten, spread
from chatforge_tui.ui.marks import MarkSet


class CompletionList(Widget):
    """A few lines; nothing at all while there is nothing to offer."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"completion--offer", "completion--chosen", "completion--hint"}
    DEFAULT_CSS = """
    CompletionList {
        height: auto;
        display: none;
        & > .completion--offer { color: $text; }
        & > .completion--chosen { color: $primary; text-style: bold; }
        & > .completion--hint { color: $text-muted; }
    }
    """

    def __init__(self, marks: MarkSet, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self.offers: Sequence[str] = ()
        """Paths."""
        self.chosen: int | None = None
        """Which one the arrows went to; None: none yet."""

    def show(self, offers: Sequence[str]) -> None:
        """Offer these paths, none of them chosen."""
        if offers != self.offers:
            self.offers, self.chosen = offers, None
            self.display = bool(offers)
            self.refresh(layout=True)

    def move(self, step: int) -> bool:
        """Choose the one above or below; return whether there is anything to choose."""
        if not self.offers:
            return False
        before = self.chosen if self.chosen is not None else -1 if step > 0 else 0
        self.chosen = (before + step) % len(self.offers)
        self.refresh()
        return True

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the number of lines."""
        del container, viewport, width
        return len(self.offers)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        if y >= len(self.offers):
            return Strip.blank(self.size.width, self.rich_style)
        is_chosen = y == self.chosen
        style = self.get_component_rich_style("completion--chosen" if is_chosen else "completion--offer")
        mark = f" {self._marks.prompt} " if is_chosen else " @ "
        hint = self.get_component_rich_style("completion--hint")
        right = [Segment("Tab completes, Esc closes ", hint)] if y == 0 and self.size.width > 60 else []
        room = max(self.size.width - 3 - (27 if right else 0), 8)
        left = [Segment(mark, hint), Segment(shorten(clean_name(self.offers[y]), room), style)]
        return spread(self.size.width, left, right, self.rich_style)
