"""The unit of layout: a stretch of text that is laid out as a whole, when it comes near the screen, once per page.

Until then its height is an estimate. A transcript is a list of pieces; only those in view cost more than a number.
"""

from collections.abc import Callable
from typing import NamedTuple

from chatforge_tui.ui.transcript.graphemes import graphemes
from chatforge_tui.ui.transcript.ink import EMPTY, TEXT, Ink, Line, Span
from chatforge_tui.ui.transcript.inline import Environment
from chatforge_tui.ui.transcript.markdown import Extent, beside, lay_out_markdown, outline_markdown
from chatforge_tui.ui.transcript.page import NARROWEST, Page
from chatforge_tui.ui.transcript.place import Row
from chatforge_tui.ui.transcript.wrap import wrap, wrap_text

LONGEST_WRITTEN = 8_000
"""Characters of a piece of a text that is shown as written: of emoji they take 6 ms to lay out."""
LONGEST_GRAPHEME = 64
"""Characters that are looked at on both sides of a place to cut a text without any blank."""


class Margin(NamedTuple):
    """What stands left of the lines of a piece."""

    first: Span
    """Beside the first line."""
    others: Span
    """Beside the others, just as wide."""


Builder = Callable[[Page], list[Line]]


class Piece:
    """Base of all pieces."""

    __slots__ = ("height", "lines", "page", "rows")

    is_gap = False
    """Whether it is only blank lines."""
    is_frame = False
    """Whether it only says what stands around it, so that who goes from block to block passes it by."""
    is_copied = True
    """Whether a selection over it takes it along."""
    height: int
    """Lines on `page`; an estimate while `lines` is None."""
    lines: list[Line] | None
    page: Page | None
    rows: list[Row] | None
    """The lines with their places, as they were last in view."""

    def __init__(self) -> None:
        self.height = 1
        self.lines = None
        self.page = None
        self.rows = None

    def fit(self, page: Page) -> None:
        """Make `height` hold for this page, without laying out."""
        if self.page is not page:
            self.page = page
            self.lines = None
            self.height = self.guess(page)

    def lay_out(self, page: Page) -> list[Line]:
        """Return the lines for this page; kept until the page changes."""
        if self.lines is None or self.page is not page:
            self.page = page
            self.lines = self.build(page)
            self.height = len(self.lines)
        return self.lines

    def forget(self) -> None:
        """Drop the lines, keep their number."""
        self.lines = self.rows = None

    def guess(self, page: Page) -> int:
        """Estimate the height on a page."""
        return len(self.lay_out(page))

    def build(self, page: Page) -> list[Line]:
        """Make the lines."""
        raise NotImplementedError

    def outline(self, page: Page) -> list[Extent]:
        """Return where its blocks are on this page, the first first; one that is not Markdown is one block."""
        lines = self.lay_out(page)
        return [Extent(0, 0, self.source.count("\n") + 1)] if lines else []

    @property
    def source(self) -> str:
        """The text that the piece stands for, "" for one that only decorates."""
        return ""


class Gap(Piece):
    """Blank lines."""

    __slots__ = ()

    is_gap = True

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.height = lines
        self.lines = [EMPTY] * lines

    def fit(self, page: Page) -> None:
        """A gap is the same on every page."""

    def lay_out(self, page: Page) -> list[Line]:
        """Return the blank lines."""
        del page
        return self.lines or []

    def forget(self) -> None:
        """Keep them."""


GAP = Gap(1)
TURN_GAP = Gap(2)


def gap_beside(margin: Margin | None) -> Piece:
    """Return a blank line that keeps the margin."""
    return GAP if margin is None else _MarginAlone((margin.others,))


class Fixed(Piece):
    """Lines made by whoever owns the piece: headers, marks, ends of turns."""

    __slots__ = ("spans",)

    def __init__(self, spans: tuple[Span, ...] = ()) -> None:
        super().__init__()
        self.spans = spans

    def set(self, spans: tuple[Span, ...]) -> bool:
        """Show these spans from now on; return whether anything changed."""
        if spans == self.spans:
            return False
        self.spans = spans
        self.lines = None
        return True

    def guess(self, page: Page) -> int:
        """One line, mostly."""
        del page
        return 1

    def build(self, page: Page) -> list[Line]:
        """Wrap the spans, if they must be."""
        return wrap(self.spans, page.width)


class _MarginAlone(Fixed):
    """A blank line beside which the margin goes on."""

    __slots__ = ()

    is_frame = True


class PlainPiece(Piece):
    """Text as it is: prompts, what tools take and give."""

    __slots__ = ("_goes_on", "_margin", "_source", "ink")

    def __init__(self, source: str, ink: Ink = TEXT, margin: Margin | None = None, *, goes_on: bool = False) -> None:
        """Show a text.

        Args:
            source: cleaned.
            ink: what it is.
            margin: what stands beside it.
            goes_on: its last line goes on with what follows, and is copied so.
        """
        super().__init__()
        self._source = source
        self.ink = ink
        self._margin = margin
        self._goes_on = goes_on

    @property
    def source(self) -> str:
        """The cleaned text."""
        return self._source

    def guess(self, page: Page) -> int:
        """Count newlines and full lines."""
        return guess_height(self._source, page.width)

    def build(self, page: Page) -> list[Line]:
        """Wrap every line of the text."""
        text = self._source.rstrip(" ") if self._goes_on else self._source
        lines = with_margin(self._margin, page, lambda inner: wrap_text(text, self.ink, inner.width))
        if self._goes_on:
            lines[-1] = Line(lines[-1].spans, self._source[len(text) :])
        return lines


class MarkdownPiece(Piece):
    """One closed block of Markdown, or one item of a list."""

    __slots__ = ("_base", "_environment", "_margin", "_ordinal", "_outlined", "_source")

    def __init__(
        self,
        source: str,
        environment: Environment,
        *,
        ordinal: int | None = None,
        base: Ink = TEXT,
        margin: Margin | None = None,
    ) -> None:
        super().__init__()
        self._source = source
        self._environment = environment
        self._ordinal = ordinal
        self._base = base
        self._margin = margin
        self._outlined: tuple[list[Line], list[Extent]] | None = None

    def outline(self, page: Page) -> list[Extent]:
        """Return where its blocks are; found out once for the lines that there are."""
        lines = self.lay_out(page)
        if self._outlined is None or self._outlined[0] is not lines:
            inner = page_beside(self._margin, page)
            found = outline_markdown(self._source, self._environment, inner, ordinal=self._ordinal, base=self._base)
            self._outlined = lines, found
        return self._outlined[1]

    @property
    def source(self) -> str:
        """The cleaned Markdown."""
        return self._source

    def guess(self, page: Page) -> int:
        """Count newlines and full lines."""
        return guess_height(self._source.rstrip("\n"), page.width)

    def build(self, page: Page) -> list[Line]:
        """Parse and lay out."""
        return with_margin(
            self._margin,
            page,
            lambda inner: lay_out_markdown(
                self._source, self._environment, inner, ordinal=self._ordinal, base=self._base
            ),
        )


def written_pieces(text: str, ink: Ink = TEXT, margin: Margin | None = None) -> list[Piece]:
    """Return a text as it is in pieces, however long it or a line of it is: no more is laid out at once than comes into view.

    Args:
        text: cleaned; without a newline at its end what follows goes on with its last line.
        ink: what it is.
        margin: what stands beside it.
    """
    pieces: list[Piece] = []
    begin = 0
    while begin < len(text):
        end = _end_of_piece(text, begin)
        goes_on = text[end - 1] != "\n"
        source = text[begin:end] if goes_on else text[begin : end - 1]
        pieces.append(PlainPiece(source, ink, margin, goes_on=goes_on))
        begin = end
    return pieces


def _end_of_piece(text: str, begin: int) -> int:
    """Return where a piece that begins there ends: behind a newline, else behind a space, else between two graphemes."""
    most = begin + LONGEST_WRITTEN
    if len(text) <= most:
        return len(text)
    for mark in "\n ":
        if (found := text.rfind(mark, begin + LONGEST_WRITTEN // 2, most)) >= 0:
            return found + 1
    before = most - LONGEST_GRAPHEME
    starts = [start for start, _, _ in graphemes(text[before : most + LONGEST_GRAPHEME])]
    return before + max(start for start in starts if start <= LONGEST_GRAPHEME)


def guess_height(text: str, width: int) -> int:
    """Estimate how many lines a text takes."""
    return text.count("\n") + len(text) // width + 1


def with_margin(margin: Margin | None, page: Page, build: Builder) -> list[Line]:
    """Build lines on a page that is narrower by the margin, and put the margin beside them."""
    inner = page_beside(margin, page)
    lines = build(inner)
    return lines if margin is None or inner is page else beside(lines, margin.first, margin.others)


def page_beside(margin: Margin | None, page: Page) -> Page:
    """Return the page that a margin leaves; the same page where there is no room for the margin."""
    if margin is None or page.width - len(margin.first[0]) < NARROWEST:
        return page
    return page.inside(len(margin.first[0]))
