"""Collects streamed text: append in constant time, join only when somebody reads. Knows nothing of parts."""

_CHUNKS = 32
"""So many chunks are joined into one piece: a text of its own costs 49 bytes, a token is but five."""


class OutputBuffer:
    """Text that grows at its end, never beyond its bound."""

    __slots__ = ("_chunks", "_length", "_limit", "_pieces")

    def __init__(self, limit: int) -> None:
        """Start empty.

        Args:
            limit: characters, > 0, that the buffer holds at most.
        """
        self._limit = limit
        self._length = 0
        self._chunks: list[str] = []
        self._pieces: list[str] | None = None

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
        if self._pieces or len(self._chunks) > 1:
            self._chunks = ["".join([*(self._pieces or ()), *self._chunks])]
            self._pieces = None
        return self._chunks[0] if self._chunks else ""

    def append(self, text: str) -> bool:
        """Add text at the end.

        Returns:
            Whether it fitted. What does not fit is not added, not even in part.
        """
        length = self._length + len(text)
        if length > self._limit:
            return False
        self._length = length
        self._chunks.append(text)
        if len(self._chunks) >= _CHUNKS:
            self._join()
        return True

    def clear(self) -> str:
        """Return the text and start again, empty."""
        text = self.text
        self._chunks, self._pieces, self._length = [], None, 0
        return text

    def _join(self) -> None:
        """Make one piece of the chunks, and of the pieces before it that are no longer than what follows them.

        So there are about log2(length) pieces, and each character is copied as often at most.
        """
        piece = "".join(self._chunks)
        pieces = self._pieces = self._pieces or []
        while pieces and len(pieces[-1]) <= len(piece):
            piece = pieces.pop() + piece
        pieces.append(piece)
        self._chunks.clear()
