"""One frame of the main screen: asks only for the rows that changed, and writes only what the terminal does not show yet.

Textual's own compositor has every widget under the smallest rectangle around all changes draw itself whole, containers
that nobody sees included, and writes a changed row from the widget's left edge on, with its colours set and reset for
each piece of text. Here a widget draws the rows that are wanted and that nothing in front of it covers, and a colour is
set where it differs from the one before. Whole frames (a new size, another screen) are Textual's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[int, int, int]
"""A row, its first changed cell, and the one behind the last."""
Chops = list[dict[int, Strip | None]]
"""For each row the pieces it is made of, by their first cell; None where nothing is drawn yet."""

_KEPT_STRIPS = 400
"""Strips whose sequences are kept: text that scrolls is the same strip on another row."""


class FrameCompositor(Compositor):
    """Draws what changed between two frames."""

    def __init__(self) -> None:
        super().__init__()
        self._ink = _Ink()

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what is to be written; None when nothing is."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        if not regions:
            return None
        spans = list(self._regions_to_spans(regions))
        return FrameUpdate(self._changed_chops(spans), spans, [cuts[1:] for cuts in self.cuts], self._ink)

    def _changed_chops(self, spans: Sequence[Span]) -> Chops:
        """Have the rows of these spans drawn, from the front to the back, until nothing shines through."""
        cuts = self.cuts
        chops: Chops = [{} for _ in cuts]
        wanted: dict[int, tuple[int, int]] = {}
        for y, first, after in spans:
            chops[y] = dict.fromkeys(cuts[y][:-1])
            known = wanted.get(y, (first, after))
            wanted[y] = min(first, known[0]), max(after, known[1])
        for widget, (region, clip) in self.visible_widgets.items():
            if not wanted:
                break
            shown = region.intersection(clip)
            left, right = shown.column_span
            rows = [
                y
                for y, (first, after) in wanted.items()
                if shown.y <= y < shown.bottom and first < right and left < after
            ]
            if rows:
                for y, strip in _drawn(widget, region, shown, rows):
                    _fill(chops[y], cuts[y], strip, shown)
                    if _is_covered(chops[y], cuts[y], wanted[y]):
                        del wanted[y]
        return chops


def _drawn(widget: Widget, region: Region, shown: Region, rows: Sequence[int]) -> Iterator[tuple[int, Strip]]:
    """Have a widget draw some of its rows; yield them."""
    top, bottom = min(rows), max(rows) + 1
    strips = widget.render_lines(Region(shown.x - region.x, top - region.y, shown.width, bottom - top))
    for y in rows:
        if y - top < len(strips):
            yield y, strips[y - top]


def _fill(line: dict[int, Strip | None], cuts: Sequence[int], strip: Strip, shown: Region) -> None:
    """Put a strip where nothing in front of it is."""
    left, right = shown.column_span
    mine = [cut for cut in cuts if left <= cut <= right]
    for cut, piece in zip(mine, strip.divide([cut - left for cut in mine[1:]]), strict=False):
        if cut in line and line[cut] is None:
            line[cut] = piece


def _is_covered(line: Mapping[int, Strip | None], cuts: Sequence[int], wanted: tuple[int, int]) -> bool:
    """Whether every cell that is wanted of a row is drawn."""
    first, after = wanted
    return not any(line[cut] is None for cut, end in zip(cuts, cuts[1:], strict=False) if cut < after and first < end)


class FrameUpdate(ChopsUpdate):
    """What changed, as the terminal is told it."""

    def __init__(self, chops: Chops, spans: list[Span], chop_ends: list[list[int]], ink: "_Ink") -> None:
        super().__init__(chops, spans, chop_ends)
        self._ink = ink

    def render_segments(self, console: Console) -> str:
        """Return the sequences that draw the changed cells."""
        ink = self._ink
        written: list[str] = []
        look = ""
        for y, first, after in self.spans:
            at = -1
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= after or end <= first:
                    continue
                begin = max(x, first)
                if begin != x or end > after:
                    strip = strip.crop(begin - x, min(end, after) - x)  # noqa: PLW2901 - the part of it that changed
                if begin != at:
                    written.append(f"\x1b[{y + 1};{begin + 1}H")
                text = ink.rendered(strip, console)
                if text.before != look:
                    written.append(f"\x1b[0;{text.before}m" if text.before else "\x1b[0m")
                written.append(text.sequence)
                look = text.behind
                at = begin + strip.cell_length
        if look:
            written.append("\x1b[0m")
        return "".join(written)


class _Rendered(NamedTuple):
    """A strip as the terminal gets it, without the colours it begins with."""

    before: str
    """Parameters of SGR that its first text wants; "" = none."""
    sequence: str
    behind: str
    """What is in force behind it."""
    strip: Strip
    """Kept, so that no other strip is taken for it."""


class _Ink:
    """Turns strips into sequences and remembers the last of them."""

    def __init__(self) -> None:
        self._known: dict[int, _Rendered] = {}

    def rendered(self, strip: Strip, console: Console) -> _Rendered:
        """Return the sequences of a strip."""
        known = self._known.get(id(strip))
        if known is None:
            if len(self._known) >= _KEPT_STRIPS:
                self._known.clear()
            known = self._known[id(strip)] = _render(strip, console)
        return known


def _render(strip: Strip, console: Console) -> _Rendered:
    system = console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 - its public form is a word
    before: str | None = None
    look = ""
    written: list[str] = []
    for text, style, control in strip:
        if control or not text:
            continue
        wanted = _look(style, system)
        if before is None:
            before = wanted
        elif wanted != look:
            written.append(f"\x1b[0;{wanted}m" if wanted else "\x1b[0m")
        look = wanted
        is_link = style is not None and style.link
        written.append(f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\" if is_link else text)
    return _Rendered(before or "", "".join(written), look, strip)


def _look(style: Style | None, system: ColorSystem) -> str:
    """Return the parameters of SGR that a style stands for."""
    if style is None:
        return ""
    return style._ansi if style._ansi is not None else Strip.render_ansi(style, system)  # noqa: SLF001 - as Textual does
