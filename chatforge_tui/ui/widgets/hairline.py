"""A horizontal hairline between two regions, with a joint where an upright one meets it from above."""

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.ui.marks import MarkSet


class Hairline(Widget):
    """One line across the screen."""

    DEFAULT_CSS = "Hairline { height: 1; color: $hairline; }"

    joint = reactive[int | None](None)
    """Column of the line that meets this one from above; None for none."""

    def __init__(self, marks: MarkSet, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._marks = marks

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        del y
        width = self.size.width
        line = list(self._marks.line * width)
        if self.joint is not None and 0 <= self.joint < width:
            line[self.joint] = self._marks.joint_up
        return Strip([Segment("".join(line), self.rich_style)], width)
