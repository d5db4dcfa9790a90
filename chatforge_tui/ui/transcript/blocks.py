"""The blocks of a transcript: paragraphs, items of lists, code blocks, tables, headers; from one to the next, and their text.

A stored answer of some pages is one piece of many blocks, one that streams a piece a block; here both are alike. Only
what is gone through is laid out.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from chatforge_tui.ui.transcript.markdown import Extent
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.place import Place

FARTHEST = 5_000
"""Blocks, and pieces without one, that are looked through for the next."""


class Block(NamedTuple):
    """One block."""

    first: Place
    """Its first line."""
    last: Place
    """Its last one."""
    source: str
    """What it stands for, cleaned, without the newline at its end; "" for a line that only the screen has."""
    code: str | None
    """The source of a finished code block that it is, or begins with."""


def block_at(model: TranscriptModel, place: Place) -> Block | None:
    """Return the block that a line belongs to, None for one between blocks."""
    piece = model.prepared(place.turn).flow[place.piece]
    if piece.is_gap or piece.is_frame:
        return None
    extents = piece.outline(model.page)
    number = next((at for at in range(len(extents) - 1, -1, -1) if extents[at].line <= place.line), None)
    if number is None:
        return None
    lines = piece.lay_out(model.page)
    here = extents[number]
    after = extents[number + 1].line if number + 1 < len(extents) else len(lines)
    while after - 1 > here.line and not lines[after - 1].spans:
        after -= 1
    if place.line >= after:
        return None
    rows = piece.source.split("\n")[here.row : here.after]
    return Block(
        place._replace(line=here.line), place._replace(line=after - 1), "\n".join(rows).rstrip(), lines[here.line].code
    )


def next_block(model: TranscriptModel, place: Place, step: int) -> Place | None:
    """Return the first line of the block after (step 1) or before (step -1) a line; None behind the last one.

    From within a block the way back leads to its own first line.
    """
    for found in islice(_beginnings(model, place, step), FARTHEST):
        if found is not None and ((found > place) if step > 0 else (found < place)):
            return found
    return None


def _beginnings(model: TranscriptModel, place: Place, step: int) -> Iterator[Place | None]:
    """Yield the first lines of blocks, from the piece of a line on; None for a piece without one."""
    turns = range(place.turn, model.turns) if step > 0 else range(place.turn, -1, -1)
    for turn in turns:
        layout = model.prepared(turn)
        first = place.piece if turn == place.turn else (0 if step > 0 else len(layout.flow) - 1)
        pieces = range(first, len(layout.flow)) if step > 0 else range(first, -1, -1)
        for number in pieces:
            piece = layout.flow[number]
            extents: list[Extent] = []
            if not (piece.is_gap or piece.is_frame):
                layout.lay_out(number, model.page)
                extents = piece.outline(model.page)
            if not extents:
                yield None
            for extent in extents[::step]:
                yield Place(turn, number, extent.line)
