"""Places that are held while the lines around them change: both ends of a selection.

While text arrives a place keeps its part, and its number among the part's pieces, whatever comes, grows or folds above it.
Over another width it keeps the characters before it, like an anchor.
"""

from collections.abc import Sequence

from msgspec import Struct

from chatforge_tui.ui.transcript.place import Anchor, Place


class Pin(Struct):
    """A cell of a line."""

    place: Place
    cell: int
    """From the beginning of the line's text."""
    anchor: Anchor | None = None
    """What holds it until the lines are as they will be; its characters go up to the cell."""


class Seat(Struct, frozen=True):
    """Where a place is within its part."""

    key: int
    """The part's."""
    nth: int
    """Number among its pieces."""


def seat_of(place: Place, keys: Sequence[int]) -> Seat | None:
    """Return where a place is, by the keys of its turn's pieces; None when its piece is not there."""
    if place.piece >= len(keys):
        return None
    key = keys[place.piece]
    return Seat(key, place.piece - keys.index(key))


def place_at_seat(seat: Seat | None, place: Place, keys: Sequence[int]) -> Place:
    """Return where a place is now; as it was when its part is gone."""
    if seat is None or seat.key not in keys:
        return place
    return place._replace(piece=min(keys.index(seat.key) + seat.nth, len(keys) - 1))
