"""Collects streamed text: append in constant time, join only when somebody reads. Knows nothing of parts."""

from msgspec import Struct

_PIECE = 256
"""Characters up to which a text is made longer by copying it: a list of tokens, with 49 bytes for each, takes more than that."""


class OutputBuffer(Struct, gc=False, eq=False):
    """Text that grows at its end, never beyond its bound. `OutputBuffer(limit)` is empty."""

    _limit: int
    """Characters, > 0, that the buffer holds at most."""
    _length: int = 0
    _tail: str = ""
    """What came last."""
    _pieces: list[str] | None = None
    """What came before it, in order."""

    def __len__(self) -> int:
        """Return the number of characters."""
        return self._length

    @property
    def room(self) -> int:
        """Characters that still fit."""
        return self._limit - self._length

    @property
    def text(self) -> str:
        """Everything appended so far. Joined on the first look, kept joined for the next."""
        if self._pieces is None:
            return self._tail
        if self._tail or len(self._pieces) > 1:
            self._pieces = ["".join((*self._pieces, self._tail))]
            self._tail = ""
        return self._pieces[0]

    def append(self, text: str) -> bool:
        """Add text at the end.

        Returns:
            Whether it fitted. What does not fit is not added, not even in part.
        """
        length = self._length + len(text)
        if length > self._limit:
            return False
        self._length = length
        self._tail = tail = self._tail + text
        if len(tail) >= _PIECE:
            self._end_piece(tail)
        return True

    def clear(self) -> str:
        """Return the text and start again, empty."""
        text = self.text
        self._tail, self._pieces, self._length = "", None, 0
        return text

    def _end_piece(self, piece: str) -> None:
        """Make a piece of the tail, and of the pieces before it that are no longer than what follows them.

        So there are about log2(length) pieces, and each character is copied as often at most.
        """
        pieces = self._pieces = self._pieces or []
        while pieces and len(pieces[-1]) <= len(piece):
            piece = pieces.pop() + piece
        pieces.append(piece)
        self._tail = ""
