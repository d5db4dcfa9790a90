"""Where something is in a transcript: places that hold while the text around them is laid out or grows.

A Place names a line for this program run; its key orders places as one number, for selections. An Anchor names the
same line by the turn, the part and the number of characters before it, so it survives another width and a restart.
"""

from typing import NamedTuple

from msgspec import Struct

from chatforge_tui.domain.ids import TurnId
from chatforge_tui.ui.transcript.ink import Line

_LINE_BITS = 24
_PIECE_BITS = 24


class Place(NamedTuple):
    """One line: turn, piece of the turn's flow, line of the piece."""

    turn: int = 0
    piece: int = 0
    line: int = 0

    @property
    def key(self) -> int:
        """One number that orders like the place."""
        return (self.turn << _PIECE_BITS | self.piece) << _LINE_BITS | self.line

    @staticmethod
    def of_key(key: int) -> "Place":
        """Return the place of a key."""
        rest, line = divmod(key, 1 << _LINE_BITS)
        turn, piece = divmod(rest, 1 << _PIECE_BITS)
        return Place(turn, piece, line)


class Shift(NamedTuple):
    """How places move when turns come before all that were there."""

    turns: int
    """How many."""
    pieces: int
    """Pieces that begin the turn that was the first, and were not there: the gap above it."""

    def of(self, place: Place) -> Place:
        """Return where a place is now."""
        return Place(place.turn + self.turns, place.piece + (0 if place.turn else self.pieces), place.line)


class Row(NamedTuple):
    """One line in view."""

    place: Place
    line: Line


START = Place()
END_KEY = Place(1 << 32).key
"""Comes after every place."""


class Anchor(Struct, frozen=True):
    """A line by what it says."""

    turn_id: TurnId
    key: int
    """Index of the part, or what else turn_layout calls the piece."""
    offset: int
    """Of text, the characters of its source before the block; it is the same whether the text came in pieces or was
    loaded. Of any other part, the number of the piece."""
    characters: int
    """Characters of the block, or piece, before the line."""

    def __str__(self) -> str:
        """Return the short text that is stored."""
        return f"{self.turn_id}/{self.key}/{self.offset}/{self.characters}"

    @staticmethod
    def parse(text: str) -> "Anchor | None":
        """Read what was stored; None for anything else."""
        turn_id, *numbers = text.rsplit("/", 3)
        if not turn_id or len(numbers) != 3:
            return None
        try:
            key, offset, characters = (int(number) for number in numbers)
        except ValueError:
            return None
        return Anchor(TurnId(turn_id), key, offset, characters)
