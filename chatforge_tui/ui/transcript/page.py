"""What a layout depends on besides the text: how wide the body is and which marks are drawn."""

from dataclasses import dataclass

from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet

BODY_COLUMNS = 100
"""Body text is never wider than this: longer lines are hard to read."""
GUTTER_COLUMNS = 2
"""Columns left of the body, for the marks of search and cursor."""
NARROWEST = 8
"""Below this nothing is indented any further, so that text is never cut off."""


@dataclass(frozen=True, slots=True)
class Page:
    """One way to lay out."""

    width: int = 80
    """Columns of the body, >= NARROWEST."""
    marks: MarkSet = UNICODE_MARKS

    @property
    def is_ascii(self) -> bool:
        """Whether frames and bullets keep to ASCII."""
        return self.marks.line == "-"

    @staticmethod
    def for_view(columns: int, marks: MarkSet = UNICODE_MARKS) -> "Page":
        """Return the page of a view that is `columns` wide."""
        return Page(max(NARROWEST, min(BODY_COLUMNS, columns - GUTTER_COLUMNS - 1)), marks)
