"""The parts of a live turn: growing texts in buffers, whole parts on demand, each step told as a TurnChange."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Final, NoReturn

from msgspec import Struct, field

from chatforge_tui.domain.changes import PartAdded, PartDropped, PartReplaced, TextAppended, TextField
from chatforge_tui.domain.fold import append
from chatforge_tui.domain.part import FilePart, Part, TextPart
from chatforge_tui.errors import LimitExceeded
from chatforge_tui.streaming.output_buffer import OutputBuffer

_FIELDS: Final[tuple[TextField, ...]] = ("text", "input", "output")


class _Grown(Struct, gc=False, eq=False):
    """A part and what was appended to each of its texts since it was last put together."""

    part: Part
    text: OutputBuffer | None = None
    input: OutputBuffer | None = None
    output: OutputBuffer | None = None

    @property
    def index(self) -> int:
        """Of the part."""
        return self.part.index

    def whole(self) -> Part:
        """Return the part with everything appended to it."""
        for name in _FIELDS:
            tail: OutputBuffer | None = getattr(self, name)
            if tail:
                self.part = append(self.part, name, tail.clear())
        return self.part


class LiveParts(Struct, gc=False, eq=False):
    """Parts by index, in the order in which they began. Bounded. `LiveParts(limit)` is empty."""

    _limit: int
    """Characters of text and bytes of files, > 0, that a turn may bring in all, dropped ones included."""
    _size: int = 0
    _next: int = 0
    _grown: list[_Grown] = field(default_factory=list[_Grown])
    """By index. One part is the usual case, and a dictionary of one takes 140 bytes more."""

    def take_over(self, parts: Iterable[Part]) -> None:
        """Begin with the parts of a turn that was stored, in their order."""
        for part in parts:
            self._size += _size(part)
            self._put_last(part)

    @property
    def next_index(self) -> int:
        """The index that the next part must carry."""
        return self._next

    def get(self, index: int) -> Part:
        """Return the part as it is now. Programming mistake (KeyError) if there is none."""
        return self._find(index).whole()

    def snapshot(self) -> tuple[Part, ...]:
        """Return all parts as they are now."""
        return tuple(grown.whole() for grown in self._grown)

    def texts(self) -> list[TextPart]:
        """Return the pieces of the answer as they are now."""
        return [part for part in self.snapshot() if isinstance(part, TextPart)]

    def text_ends(self) -> Iterator[tuple[TextPart, int]]:
        """Yield the pieces of the answer, as they were last put together, with the place in the answer where each ends now."""
        end = 0
        for grown in self._grown:
            if isinstance(part := grown.part, TextPart):
                end += len(part.text) + (len(grown.text) if grown.text is not None else 0)
                yield part, end

    def add(self, part: Part) -> PartAdded:
        """Let a part begin; it carries `next_index`.

        Raises:
            LimitExceeded: the turn is too large.
        """
        self._size += _size(part)
        if self._size > self._limit:
            self._refuse()
        self._put_last(part)
        return PartAdded(part)

    def append(self, index: int, text: str, name: TextField = "text") -> TextAppended:
        """Let a text of a part grow.

        Raises:
            LimitExceeded: the turn is too large.
        """
        self._size += len(text)
        if self._size > self._limit:
            self._refuse()
        grown = self._find(index)
        tail: OutputBuffer | None = grown.text if name == "text" else getattr(grown, name)
        if tail is None:
            tail = OutputBuffer(self._limit)
            setattr(grown, name, tail)
        tail.append(text)
        return TextAppended(index, text, name)

    def replace(self, part: Part) -> PartReplaced:
        """Put another part in the place of the one with its index."""
        self._grown[self._place(part.index)] = _Grown(part)
        return PartReplaced(part)

    def drop(self, index: int) -> PartDropped:
        """Take a part away. Its index is not used again."""
        del self._grown[self._place(index)]
        return PartDropped(index)

    def _put_last(self, part: Part) -> None:
        """Put a part behind the others. What `append` makes of an empty list has room for four: 24 bytes more."""
        if self._grown:
            self._grown.append(_Grown(part))
        else:
            self._grown = [_Grown(part)]
        self._next = part.index + 1

    def _find(self, index: int) -> _Grown:
        """Return a part; nearly always the last one is asked for."""
        grown = self._grown
        return grown[-1] if grown and grown[-1].part.index == index else grown[self._place(index)]

    def _place(self, index: int) -> int:
        """Return where a part stands."""
        place = bisect_left(self._grown, index, key=attrgetter("index"))
        if place == len(self._grown) or self._grown[place].index != index:
            raise KeyError(index)
        return place

    def _refuse(self) -> NoReturn:
        message = f"The answer is larger than {self._limit // 1_000_000} million characters."
        raise LimitExceeded(message, hint="Ask for less at a time.")


def _size(part: Part) -> int:
    """Return the characters of text, or bytes of a file, that a part brings."""
    if isinstance(part, FilePart):
        return len(part.data or b"")
    return sum(len(getattr(part, name, "")) for name in ("text", "input", "output"))
