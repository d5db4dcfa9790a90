"""Pieces whose text grows at the end and whose lines grow with it: each piece of text is looked at once.

A growing piece shows what is not settled yet: an open code block, the raw tail of a very long block, streaming output.
"""

from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.transcript.code import bottom_of_frame, code_rows, top_of_frame
from chatforge_tui.ui.transcript.highlight import PLAIN
from chatforge_tui.ui.transcript.ink import TEXT, Ink, Line, Span
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import Margin, Piece, guess_height, with_margin
from chatforge_tui.ui.transcript.wrap import expand_tabs, wrap


class GrowingText(Piece):
    """Plain text that grows. Only its last line is wrapped again."""

    __slots__ = ("_chunks", "_column", "_done", "_margin", "_open", "ink")

    def __init__(self, ink: Ink = TEXT, margin: Margin | None = None) -> None:
        super().__init__()
        self.ink = ink
        self._margin = margin
        self._chunks: list[str] = []
        self._open: list[Span] = []  # the last, unfinished line of the screen
        self._column = 0  # the cell of its row at which it begins
        self._done = 0  # lines before it

    def feed(self, text: str) -> None:
        """Add cleaned text."""
        self._chunks.append(text)
        if self.lines is not None and self.page is not None:
            self._extend(self.lines, text, self.page)
            self.height = len(self.lines)

    @property
    def source(self) -> str:
        """The text so far."""
        return "".join(self._chunks)

    def guess(self, page: Page) -> int:
        """Count newlines and full lines."""
        return guess_height(self.source, page.width)

    def build(self, page: Page) -> list[Line]:
        """Wrap everything once; `feed` goes on from there."""
        lines: list[Line] = []
        self._open, self._column, self._done = [], 0, 0
        self._extend(lines, self.source, page)
        return lines

    def _extend(self, lines: list[Line], text: str, page: Page) -> None:
        """Wrap the last line of the screen again, with what comes behind it: tabs count from where the row began."""
        del lines[self._done :]
        for number, row in enumerate(text.split("\n")):
            if number:
                self._open, self._column = [], 0
            spans = self._open_with(row)
            end = self._column + _width(spans)
            lines += with_margin(self._margin, page, lambda inner, spans=spans: self._wrapped(spans, inner.width))
            self._column = end - _width(self._open)
        self._done = len(lines) - 1

    def _open_with(self, row: str) -> list[Span]:
        """Return the spans of the last line of the screen and of what comes behind them in the same row."""
        if "\t" not in row:
            added = [(row, self.ink)] if row else []
        else:
            added = expand_tabs(((row, self.ink),), begin=self._column + _width(self._open))
        if self._open and added and self._open[-1][1] == added[0][1] == self.ink:
            return [*self._open[:-1], (self._open[-1][0] + added[0][0], self.ink), *added[1:]]
        return [*self._open, *added]

    def _wrapped(self, spans: list[Span], width: int) -> list[Line]:
        lines = wrap(spans, width)
        self._open = list(lines[-1].spans)
        text = "".join(text for text, _ in spans)
        if not text.endswith(lines[-1].text):  # blanks that no line has room for part it from what comes
            self._open.append(_blanks_of(spans, len(text) - len(text.rstrip(" "))))
        return lines


def _blanks_of(spans: list[Span], count: int) -> Span:
    """Return the last so many characters of some spans, all blank, as one that is copied as they are: there may be thousands."""
    copied: list[str] = []
    missing = count
    for text, ink in reversed(spans):
        if missing <= 0:
            break
        copied.append(text[-missing:] if ink.copy is None else ink.copy)
        missing -= len(text)
    return " " * count, spans[-1][1]._replace(copy="".join(reversed(copied)))


def _width(spans: list[Span]) -> int:
    return sum(width_of(text) for text, _ in spans)


class GrowingCode(Piece):
    """A code block that is still open: plain, line by line, framed. Colour comes when it closes."""

    __slots__ = ("_info", "_margin", "_partial", "_rows")

    def __init__(self, info: str, margin: Margin | None = None) -> None:
        super().__init__()
        self._info = info
        self._margin = margin
        self._rows: list[str] = []
        self._partial = ""

    def add(self, row: str) -> None:
        """Add a whole line of code."""
        if self.lines is not None and self.page is not None:
            self._take_end()
            self.lines += self._framed(row, self.page)
            self._partial = ""
            self._put_end(self.lines, self.page)
        self._rows.append(row)

    def set_partial(self, row: str) -> None:
        """Show the beginning of a line that has not ended."""
        if self.lines is not None and self.page is not None:
            self._take_end()
            self._partial = row
            self._put_end(self.lines, self.page)
        self._partial = row

    @property
    def source(self) -> str:
        """The code so far."""
        return "\n".join([*self._rows, self._partial] if self._partial else self._rows)

    def guess(self, page: Page) -> int:
        """Count lines."""
        del page
        return len(self._rows) + 3

    def build(self, page: Page) -> list[Line]:
        """Lay out all lines once; `add` goes on from there."""
        lines = with_margin(self._margin, page, lambda inner: [top_of_frame(self._info, inner.width, inner, None)])
        for row in self._rows:
            lines += self._framed(row, page)
        self._put_end(lines, page)
        return lines

    def _framed(self, row: str, page: Page) -> list[Line]:
        spans = [(row, PLAIN)] if row else []
        return with_margin(self._margin, page, lambda inner: code_rows(spans, inner.width, inner, None))

    def _end(self, page: Page) -> list[Line]:
        bottom = with_margin(self._margin, page, lambda inner: [bottom_of_frame(inner.width, inner, None)])
        return [*self._framed(self._partial, page), *bottom] if self._partial else bottom

    def _take_end(self) -> None:
        if self.lines is not None and self.page is not None:
            del self.lines[len(self.lines) - len(self._end(self.page)) :]

    def _put_end(self, lines: list[Line], page: Page) -> None:
        lines += self._end(page)
        self.height = len(lines)
