"""Where the keyboard's cursor can stand: headers that fold, code blocks, links; in the order of the text."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.transcript.ink import Ink, Line
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.place import Place

FARTHEST = 5_000
"""Lines that are looked through for the next stop."""


class Stop(NamedTuple):
    """Something on a line that can be chosen."""

    place: Place
    first: int
    """First cell of it, counted from the beginning of the line's text."""
    after: int
    """The cell after the last."""
    ink: Ink
    code: str | None = None
    """Source of the code block that it copies."""


def stops_of(place: Place, line: Line) -> list[Stop]:
    """Return the stops on one line; neighbouring spans that do the same are one."""
    stops: list[Stop] = []
    column = 0
    for text, ink in line.spans:
        after = column + width_of(text)
        if ink.link or ink.act:
            last = stops[-1] if stops else None
            if last is not None and last.after == column and (last.ink.link, last.ink.act) == (ink.link, ink.act):
                stops[-1] = last._replace(after=after)
            else:
                stops.append(Stop(place, column, after, ink, line.code))
        column = after
    return stops


def stops_below(model: TranscriptModel, start: Stop | Place, step: int) -> Iterator[Stop]:
    """Yield the stops after (step 1) or before (step -1) a stop, or from a line on, in order."""
    place = start.place if isinstance(start, Stop) else start
    for at, line in islice(_lines(model, place, step), FARTHEST):
        for stop in stops_of(at, line)[::step]:
            if isinstance(start, Stop) and at == place and (stop.first - start.first) * step <= 0:
                continue
            yield stop


def _lines(model: TranscriptModel, place: Place, step: int) -> Iterator[tuple[Place, Line]]:
    """Yield lines from a place on, downward or upward, laying them out."""
    turns = range(place.turn, model.turns) if step > 0 else range(place.turn, -1, -1)
    for turn in turns:
        layout = model.prepared(turn)
        pieces = range(len(layout.flow))[::step]
        for piece in pieces:
            if turn == place.turn and (piece - place.piece) * step < 0:
                continue
            lines = layout.lay_out(piece, model.page)
            for number in range(len(lines))[::step]:
                at = Place(turn, piece, number)
                if (at >= place) if step > 0 else (at <= place):
                    yield at, lines[number]
