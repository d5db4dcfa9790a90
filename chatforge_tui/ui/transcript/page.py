"""What a layout depends on besides the text: how wide the body is and which marks are drawn."""

from msgspec import Struct

from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.highlight import Colours, Rows, coloured_lines

BODY_COLUMNS = 100
"""Body text is never wider than this: longer lines are hard to read."""
GUTTER_COLUMNS = 2
"""Columns left of the body, for the marks of search and cursor."""
NARROWEST = 8
"""Below this nothing is indented any further, so that text is never cut off."""


class Page(Struct, frozen=True):
    """One way to lay out."""

    width: int = 80
    """Columns of the body, >= NARROWEST."""
    marks: MarkSet = UNICODE_MARKS
    colours: Colours | None = None
    """What colours code; None = all of it at once."""

    def inside(self, margin: int) -> "Page":
        """Return the page that is left beside a margin of so many columns."""
        return Page(self.width - margin, self.marks, self.colours)

    def coloured(self, code: str, language: str) -> Rows | None:
        """Return the lines of a code block in colour, None while or when it is plain."""
        return coloured_lines(code, language) if self.colours is None else self.colours.lines(code, language)

    @property
    def is_ascii(self) -> bool:
        """Whether frames and bullets keep to ASCII."""
        return self.marks.line == "-"

    @staticmethod
    def for_view(columns: int, marks: MarkSet = UNICODE_MARKS, colours: Colours | None = None) -> "Page":
        """Return the page of a view that is `columns` wide."""
        return Page(max(NARROWEST, min(BODY_COLUMNS, columns - GUTTER_COLUMNS - 1)), marks, colours)
