"""One frame of the main screen: asks only for the rows that changed, and writes only the cells that changed.

Textual's own compositor has every widget under the smallest rectangle around all changes draw itself whole, containers
that nobody sees included, and writes a changed row from the widget's left edge on, with its colours set and reset for
each piece of text. Here a widget draws the rows that are wanted and that nothing in front of it covers, and a colour is
set where it differs from the one before. Whole frames (a new size, another screen) are Textual's business.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Cells = tuple[int, int]
"""The first cell of a row, and the one behind the last."""


class Scroll(NamedTuple):
    """Whole rows that the terminal moves up by itself, before anything is written into them."""

    top: int
    """The first row."""
    bottom: int
    """The row behind the last."""
    lines: int
    """How far; as many rows at the end are blank then."""

    @property
    def sequence(self) -> str:
        """What has a terminal do it: a region to scroll in, and line feeds at its end (DECSTBM, as old as the VT100)."""
        return f"\x1b[0m\x1b[{self.top + 1};{self.bottom}r\x1b[{self.bottom};1H" + "\n" * self.lines + "\x1b[r"


class _Row:
    """A row of the screen with something to be written in it."""

    __slots__ = ("gaps", "pieces", "y")

    def __init__(self, y: int) -> None:
        self.y = y
        self.gaps: list[Cells] = []
        """What changed and is not drawn yet."""
        self.pieces: list[tuple[int, int, Strip, int]] = []
        """First cell, end, the strip that shows them, and the cell at which that begins."""

    def is_wanted(self, shown: Region) -> bool:
        """Whether a region holds cells that are still to be drawn."""
        x, y, width, height = shown
        return y <= self.y < y + height and any(first < x + width and x < after for first, after in self.gaps)

    def take(self, strip: Strip, left: int, right: int) -> None:
        """Use a strip for the gaps between two cells."""
        rest: list[Cells] = []
        for first, after in self.gaps:
            begin, end = max(first, left), min(after, right)
            if begin >= end:
                rest.append((first, after))
                continue
            self.pieces.append((begin, end, strip, left))
            rest += [gap for gap in ((first, begin), (end, after)) if gap[0] < gap[1]]
        self.gaps = rest


class FrameCompositor(Compositor):
    """Draws what changed between two frames."""

    scroll: Scroll | None = None
    """What the terminal is to move before the next frame is written. Who asks for it has the rest painted at once."""

    beside: tuple[Widget, Sequence[Region]] | None = None
    """Where the scrollbar of the widget to be scrolled is wrong then: regions of one row each."""
    _alone: tuple[dict[Widget, tuple[Region, Region]], Widget, Region | None] | None = None
    """For a layout and one widget in it: where that is, if nothing can cover it."""

    def owns_rows(self, widget: Widget) -> Scroll | None:
        """Return the rows of a widget as ones to scroll (by nothing), if all their cells are its own or its scrollbar's.

        None also while something that changed is still to be written.
        """
        region = None if self._dirty_regions else self._place_of(widget)
        if region is None or region.width != self.size.width:
            return None
        return Scroll(region.y, region.bottom, 0)

    def update_of(self, widget: Widget, regions: Sequence[Region]) -> "FrameUpdate | None":
        """Return what is to be written when these regions of a widget, and what is `beside`, are all that changed.

        None when something else is to be written as well, or can cover the widget: then it is not all that counts.

        Args:
            widget: that draws them.
            regions: one row each, within the widget, from top to bottom.
        """
        place = None if self._dirty_regions else self._place_of(widget)
        if place is None:
            return None
        bar = self.visible_widgets.get(widget.vertical_scrollbar)
        rows = _rows_of(widget, place, regions, place.right if bar is None else bar[0].x)
        if self.beside is not None and bar is not None:
            rows += _rows_of(self.beside[0], bar[0], self.beside[1], bar[0].right)
        scroll, self.scroll, self.beside = self.scroll, None, None
        return FrameUpdate(rows, scroll)

    def _place_of(self, widget: Widget) -> Region | None:
        """Return where a widget is, if all of it is in view and the only other that draws there is its scrollbar."""
        visible = self.visible_widgets
        if self._alone is None or self._alone[0] is not visible or self._alone[1] is not widget:
            self._alone = visible, widget, self._look_for(widget)
        return self._alone[2]

    def _look_for(self, widget: Widget) -> Region | None:
        visible = self.visible_widgets
        if widget not in visible:
            return None
        region, clip = visible[widget]
        if clip.intersection(region) != region or widget.content_offset != (0, 0):
            return None
        own = {widget, widget.vertical_scrollbar, *widget.ancestors}
        for other, (place, shown) in visible.items():
            if other not in own and place.intersection(shown).overlaps(region):
                return None
        return region

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what is to be written; None when nothing is."""
        scroll, self.scroll, self.beside = self.scroll, None, None
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        if not regions:
            return None
        rows: dict[int, _Row] = {}
        for y, first, after in self._regions_to_spans(regions):
            row = rows.get(y) or rows.setdefault(y, _Row(y))
            row.gaps.append((first, after))
        self._draw(list(rows.values()))
        return FrameUpdate(list(rows.values()), scroll)

    def _draw(self, rows: Sequence[_Row]) -> None:
        """Have the gaps of these rows drawn, from the front to the back, until nothing shines through."""
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            wanted = [row for row in rows if row.is_wanted(shown)]
            if not wanted:
                continue
            top, bottom = wanted[0].y, wanted[-1].y + 1
            crop = Region(shown.x - region.x, top - region.y, shown.width, bottom - top)
            strips = widget.render_lines(crop)
            for row in wanted:
                if row.y - top < len(strips):
                    row.take(strips[row.y - top], shown.x, shown.right)
            rows = [row for row in rows if row.gaps]
            if not rows:
                break


class FrameUpdate(ChopsUpdate):
    """What changed, as the terminal is told it."""

    def __init__(self, rows: Sequence[_Row], scroll: Scroll | None = None) -> None:
        super().__init__([], [], [])
        self._rows = rows
        self._scroll = scroll

    def render_segments(self, console: Console) -> str:
        """Return the sequences that draw the changed cells."""
        system = console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public form is a word
        written = [] if self._scroll is None else [self._scroll.sequence]
        look = ""
        for row in self._rows:
            at = -1
            for first, after, strip, left in sorted(row.pieces, key=_begin):
                if first != at:
                    written.append(f"\x1b[{row.y + 1};{first + 1}H")
                at = after
                for text, style in _between(strip, first - left, after - left):
                    wanted = _look(style, system)
                    if wanted != look:
                        written.append(f"\x1b[0;{wanted}m" if wanted else "\x1b[0m")
                        look = wanted
                    if style is not None and style.link:
                        text = f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\"  # noqa: PLW2901
                    written.append(text)
        if look:
            written.append("\x1b[0m")
        return "".join(written)


def _rows_of(widget: Widget, place: Region, regions: Sequence[Region], right: int) -> list[_Row]:
    """Have a widget draw regions of one row each.

    Args:
        widget: that draws them.
        place: where it is.
        regions: within it, from top to bottom.
        right: the cell of the screen where something else begins.
    """
    top = regions[0].y
    strips = widget.render_lines(Region(0, top, place.width, regions[-1].bottom - top))
    rows: list[_Row] = []
    for x, y, width, _ in regions:
        row = _Row(place.y + y)
        row.pieces.append((place.x + x, min(place.x + x + width, right), strips[y - top], place.x))
        rows.append(row)
    return rows


def _begin(piece: tuple[int, int, Strip, int]) -> int:
    return piece[0]


def _between(strip: Strip, first: int, after: int) -> Iterator[tuple[str, Style | None]]:
    """Yield the texts of some cells of a strip; half of a wide character becomes a blank."""
    at = 0
    for text, style, control in strip:
        if control:
            continue
        begin, at = at, at + (len(text) if text.isascii() else cell_len(text))
        if at <= first:
            continue
        if begin >= after and at > begin:
            return
        if begin < first or at > after:
            if text.isascii():
                text = text[max(0, first - begin) : after - begin]  # noqa: PLW2901 - the part of it that is wanted
            else:
                text = _cells_of(text, max(0, first - begin), after - begin)  # noqa: PLW2901
        yield text, style  # what takes no cell belongs to the one before it


def _cells_of(text: str, first: int, after: int) -> str:
    """Return some cells of a text."""
    text = Segment(text).split_cells(after)[0].text
    return Segment(text).split_cells(first)[1].text if first else text


def _look(style: Style | None, system: ColorSystem) -> str:
    """Return the parameters of SGR that a style stands for; "" for none."""
    if style is None:
        return ""
    known = style._ansi  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - where Textual keeps them as well
    return Strip.render_ansi(style, system) if known is None else known
