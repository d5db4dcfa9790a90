"""From a line of a turn to the anchor that holds it over another layout, and back.

In text a line is found by the block that it is in, counted in characters of the source: an answer that streamed is laid
out in other pieces than the same answer loaded from the store.
"""

from collections.abc import Sequence
from itertools import accumulate

from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import Piece
from chatforge_tui.ui.transcript.place import Anchor, Place
from chatforge_tui.ui.transcript.text_section import TextSection
from chatforge_tui.ui.transcript.turn_layout import TurnLayout


def anchor_at(layout: TurnLayout, place: Place, page: Page) -> Anchor | None:
    """Return what holds a place of a turn (its flow up to date); None for a piece that there is not."""
    if place.piece >= len(layout.flow):
        return None
    lines = layout.lay_out(place.piece, page)
    key = layout.keys[place.piece]
    first, offset = 0, layout.keys[: place.piece].count(key)
    if isinstance(layout.section(key), TextSection):
        begun = [start for start in _blocks(layout.flow[place.piece], page) if start[1] <= place.line]
        offset, first = begun[-1] if begun else (0, 0)
        offset += sum(len(piece.source) for piece in layout.pieces_of(key, place.piece))
    before = sum(map(_length, lines[first : place.line]))
    return Anchor(layout.head.turn_id, key, offset, before)


def place_of(anchor: Anchor, layout: TurnLayout, turn: int, page: Page) -> Place:
    """Return the line that an anchor names in its turn, of this number; the nearest there is."""
    pieces = [piece for piece, key in enumerate(layout.keys) if key == anchor.key]
    if not pieces:
        return Place(turn)
    piece, first = pieces[min(max(anchor.offset, 0), len(pieces) - 1)], 0
    if isinstance(layout.section(anchor.key), TextSection):
        piece, first = _block_at(layout, pieces, anchor.offset, page)
    before = 0
    lines = layout.lay_out(piece, page)
    for number in range(first, len(lines)):
        before += _length(lines[number])
        if before > anchor.characters:
            return Place(turn, piece, number)
    return Place(turn, piece, max(0, len(lines) - 1))


def _blocks(piece: Piece, page: Page) -> list[tuple[int, int]]:
    """Return for each block of a piece the character of the source, and the line, where it begins."""
    begins = [0, *accumulate(len(row) + 1 for row in piece.source.split("\n"))]
    return [(begins[extent.row], extent.line) for extent in piece.outline(page)]


def _block_at(layout: TurnLayout, pieces: Sequence[int], offset: int, page: Page) -> tuple[int, int]:
    """Return the piece, and the line in it, where the block at a character of the source of these pieces begins."""
    for number in pieces:
        source = layout.flow[number].source
        if offset < len(source):
            layout.lay_out(number, page)
            starts = [start for start in _blocks(layout.flow[number], page) if start[0] <= offset]
            return number, starts[-1][1] if starts else 0
        offset -= len(source)
    return pieces[-1], 0


def _length(line: Line) -> int:
    """Return how many characters of the text a line stands for: the same sum at every width."""
    return 0 if line.is_decoration else len(line.copied) + len(line.joint)
