"""From laid out lines to what Textual paints: looks up the theme's colours and lays marks over the text.

The two columns of the gutter belong to this module: the mark of the part under the keyboard's cursor stands there.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from chatforge_tui.ui.cell_widths import is_narrow, width_of
from chatforge_tui.ui.transcript.graphemes import graphemes
from chatforge_tui.ui.transcript.ink import Ink, Line
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS

Span = tuple[int, int]
"""First cell and the cell after the last."""


class Overlay(NamedTuple):
    """What is laid over one line."""

    selected: Span | None = None
    matches: tuple[tuple[int, int, bool], ...] = ()
    """Cells of search results, and whether it is the current one."""
    mark: str = ""
    """Sign in the gutter."""


PLAIN = Overlay()


class Palette:
    """The theme's styles for inks; valid until the theme changes."""

    def __init__(self, base: Style, style_of: Callable[[str], Style]) -> None:
        """Take the view's own style, and what finds the style of a component class."""
        self.base = base
        self._style_of = style_of
        self._styles: dict[Ink, Style] = {}
        self.selection = style_of("selection")
        self.match = style_of("match")
        self.current_match = style_of("current-match")
        self.mark = style_of("mark")

    def style(self, ink: Ink) -> Style:
        """Return the style of an ink."""
        style = self._styles.get(ink)
        if style is None:
            style = self.base + self._style_of(ink.role)
            emphasis = Style(
                bold=ink.bold or None,
                italic=ink.italic or None,
                underline=ink.underline or None,
                strike=ink.strike or None,
                link=ink.link or None,
            )
            style = self._styles[ink] = style + emphasis
        return style


def paint(line: Line, overlay: Overlay, width: int, palette: Palette) -> Strip:
    """Return the strip of one line, as wide as the view."""
    segments = list(_segments(line, overlay, width, palette))
    if overlay.selected is None and not overlay.matches:
        return Strip(segments, width)
    strip = Strip(segments, width)
    for begin, end, is_current in overlay.matches:
        strip = _styled(strip, (begin, end), palette.current_match if is_current else palette.match)
    if overlay.selected is not None:
        strip = _styled(strip, overlay.selected, palette.selection)
    return strip


def hit_strip(line: Line, key: int, width: int, palette: Palette) -> Strip:
    """Return the strip that tells Textual which cell of which line lies under the mouse.

    The offset of a segment counts cells; a grapheme of more than one code point or cell has a segment of its own, so
    that both of its cells are told apart and no offset falls inside it.
    """
    segments: list[Segment] = []
    column = 0
    for segment in _segments(line, PLAIN, width, palette):
        for text in _hit_pieces(segment.text):
            offset = Style.from_meta({"offset": (column, key)})
            segments.append(Segment(text, segment.style + offset if segment.style else offset))
            column += width_of(text)
    return Strip(segments, width)


def _hit_pieces(text: str) -> Iterator[str]:
    if is_narrow(text):
        yield text
        return
    for start, end, _ in graphemes(text):
        yield text[start:end]


def _segments(line: Line, overlay: Overlay, width: int, palette: Palette) -> Iterator[Segment]:
    mark = overlay.mark[:GUTTER_COLUMNS].ljust(GUTTER_COLUMNS)
    yield Segment(mark, palette.base + palette.mark if overlay.mark else palette.base)
    used = GUTTER_COLUMNS
    for text, ink in line.spans:
        yield Segment(text, palette.style(ink))
        used += width_of(text)
    if used < width:
        yield Segment(" " * (width - used), palette.base)


def _styled(strip: Strip, cells: Span, style: Style) -> Strip:
    begin, end = max(0, cells[0]), min(cells[1], strip.cell_length)
    if begin >= end:
        return strip
    parts = [strip.crop(0, begin), strip.crop(begin, end), strip.crop(end, strip.cell_length)]
    middle = [Segment(text, (old or Style()) + style) for text, old, _ in parts[1]]
    return Strip([*parts[0], *middle, *parts[2]], strip.cell_length)
