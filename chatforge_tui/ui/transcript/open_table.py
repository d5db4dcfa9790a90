"""A table that is still being written: only what has come is parsed, and laid out while the columns stay as wide.

The rows of a table mean the same behind any other row, so that a new one is read behind the head alone.
"""

from typing import NamedTuple

from markdown_it.token import Token

from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.inline import Environment
from chatforge_tui.ui.transcript.markdown import parse_blocks, table_in
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import Margin, Piece, guess_height, with_margin
from chatforge_tui.ui.transcript.tables import Cells, Table, TableLayout, table_lines

LONGEST = 16_000
"""Characters of a table beyond which it is shown as written until it ends."""
MOST_ROWS = 500
"""The same in rows: where a column gets wider all of them are laid out again."""


class _Laid(NamedTuple):
    """Rows as they were laid out last."""

    page: Page
    layout: TableLayout
    lines: list[Line]
    rows: int


class OpenTable(Piece):
    """A table to which rows are added at the end."""

    __slots__ = ("_environment", "_head", "_laid", "_margin", "_partial", "_partial_text", "_source", "_table")

    @classmethod
    def of(cls, tokens: list[Token], text: str, environment: Environment, margin: Margin | None) -> "OpenTable | None":
        """Return the table that a text of whole lines, of which these are the tokens, is; None when it is anything else."""
        if not _is_all(tokens, text) or len(text) > LONGEST:
            return None
        head = "".join(f"{row}\n" for row in text.split("\n", 2)[:2])
        table = table_in(tokens, environment)
        return None if len(table.rows) > MOST_ROWS else cls(head, text, table, environment, margin)

    def __init__(self, head: str, text: str, table: Table, environment: Environment, margin: Margin | None) -> None:
        super().__init__()
        self._head = head
        self._source = text
        self._table = table
        self._environment = environment
        self._margin = margin
        self._partial: Cells | None = None
        self._partial_text = ""
        self._laid: _Laid | None = None

    def take(self, text: str) -> bool:
        """Add whole lines, if all of them are rows; return whether they are."""
        rows = self._rows_of(text)
        if rows is None or len(self._source) + len(text) > LONGEST or len(self._table.rows) + len(rows) > MOST_ROWS:
            return False
        self._table.rows.extend(rows)
        self._source += text
        self._partial, self._partial_text = None, ""
        self._change()
        return True

    def show_partial(self, text: str) -> bool:
        """Show the row that is being written; return False, showing none, when it is something else."""
        if text == self._partial_text:
            return True
        rows = self._rows_of(text) if text.strip() else []
        self._partial, self._partial_text = (rows[0] if rows else None), (text if rows is not None else "")
        self._change()
        return rows is not None

    def _rows_of(self, text: str) -> list[Cells] | None:
        source = self._head + text
        tokens = parse_blocks(source, {})
        return table_in(tokens, self._environment).rows[1:] if _is_all(tokens, source) else None

    def _change(self) -> None:
        self.lines = None
        if self.page is not None:
            self.height = self.guess(self.page)

    @property
    def source(self) -> str:
        """The table as Markdown."""
        return self._source + self._partial_text

    def guess(self, page: Page) -> int:
        """Count newlines and full lines."""
        return guess_height(self.source, page.width)

    def build(self, page: Page) -> list[Line]:
        """Lay out what is new; everything where the columns are others."""
        return with_margin(self._margin, page, self._lines)

    def _lines(self, page: Page) -> list[Line]:
        table = self._table
        rows = table.rows if self._partial is None else [*table.rows, self._partial]
        layout = TableLayout.of(Table(rows, table.sides), page.width)
        if layout is None:
            return table_lines(Table(rows, table.sides), page.width, page)
        laid = self._laid
        if laid is None or laid.page != page or laid.layout != layout:
            laid = _Laid(page, layout, [], 0)
        lines = laid.lines
        for number in range(laid.rows, len(table.rows)):
            lines += layout.row(table.rows[number], table.sides, page, is_head=number == 0)
        self._laid = _Laid(page, layout, lines, len(table.rows))
        partial = [] if self._partial is None else layout.row(self._partial, table.sides, page, is_head=False)
        return [*lines, *partial]


def _is_all(tokens: list[Token], text: str) -> bool:
    """Tell whether a text is one table and nothing else."""
    if not tokens or tokens[0].type != "table_open" or tokens[-1].type != "table_close" or tokens[0].map is None:
        return False
    is_one = all(token.level for token in tokens[1:-1])
    return is_one and tokens[0].map == [0, text.rstrip("\n").count("\n") + 1] and not text.endswith("\n\n")
