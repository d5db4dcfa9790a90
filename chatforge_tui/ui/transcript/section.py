"""One part of a turn on the screen: what all kinds of sections have in common.

A section takes the changes of its part and hands out pieces; it never looks at a width. Text that arrives is only kept
until someone asks for the pieces, so a transcript that nobody looks at costs nothing but its text.
"""

from abc import ABC, abstractmethod

from chatforge_tui.domain.part import (
    Part,
)
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.ink import MUTED, Ink, Span
from chatforge_tui.ui.transcript.piece import Fixed, Margin, Piece, written_pieces

ROWS_IN_A_PIECE = 200
"""Lines of plain text that are laid out together."""


class Section(ABC):
    """One part on the screen."""

    is_foldable = False

    def __init__(self, index: int) -> None:
        self.index = index
        """The part's index."""
        self.is_folded = False
        self.is_ended = False

    @property
    def is_one_line(self) -> bool:
        """Whether it stands close to its neighbours of the same kind."""
        return False

    @abstractmethod
    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Return what is shown now."""

    @abstractmethod
    def replace(self, part: Part) -> bool:
        """Take a new state of the part; False when it must be built anew."""

    def append(self, field: str, text: str) -> None:
        """Take more text of the part; most parts never get any."""
        del field, text

    def end(self) -> None:
        """No more changes come."""
        self.is_ended = True

    @property
    def is_running(self) -> bool:
        """Whether it counts seconds."""
        return False

    def tick(self, now: float, frame: int) -> None:
        """Update what counts seconds; called only while it runs."""
        del now, frame

    @property
    @abstractmethod
    def source(self) -> str:
        """The text as received, for copying and searching."""


class GrowingSource:
    """Text as received, in the chunks it came in."""

    def __init__(self, text: str = "") -> None:
        self._chunks = [text] if text else []
        self._taken = 0

    def append(self, text: str) -> None:
        """Add a chunk."""
        self._chunks.append(text)

    def take(self) -> str:
        """Return what was added since the last call."""
        if self._taken == len(self._chunks):
            return ""
        text = "".join(self._chunks[self._taken :])
        self._taken = len(self._chunks)
        return text

    def rewind(self) -> None:
        """Let `take` begin anew."""
        self._taken = 0

    @property
    def text(self) -> str:
        """All of it."""
        if len(self._chunks) > 1:
            whole = "".join(self._chunks)
            if self._taken == len(self._chunks):
                self._chunks, self._taken = [whole], 1
            return whole
        return self._chunks[0] if self._chunks else ""


class FoldingSection(Section):
    """A header that opens and closes what is below it."""

    is_foldable = True

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.is_folded = True
        self.header = Fixed()
        self._began: float | None = None
        self._seconds = 0.0

    @property
    def is_one_line(self) -> bool:
        """Folded it is."""
        return self.is_folded

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Return the header and, unfolded, the body."""
        arrow = marks.folded if self.is_folded else marks.unfolded
        self.header.set(
            tuple(
                (text, ink._replace(act="fold", copy=ink.copy if index else ""))
                for index, (text, ink) in enumerate([(f"{arrow} ", MUTED), *self.title(marks)])
            )
        )
        return [self.header] if self.is_folded else [self.header, *self.body(marks)]

    @abstractmethod
    def title(self, marks: MarkSet) -> list[Span]:
        """Return the header's words."""

    @abstractmethod
    def body(self, marks: MarkSet) -> list[Piece]:
        """Return what the header hides."""

    def tick(self, now: float, frame: int) -> None:
        """Count the seconds of something that runs."""
        del frame
        if self._began is None:
            self._began = now
        self._seconds = now - self._began

    @property
    def running_time(self) -> str:
        """How long it has run, in whole seconds: it changes once a second."""
        return f"{int(self._seconds)} s"


def plain_pieces(text: str, ink: Ink, margin: Margin | None = None) -> list[Piece]:
    """Return cleaned plain text in pieces of so many lines, and characters, that each is laid out at once."""
    rows = text.removesuffix("\n").split("\n")
    together = ("\n".join(rows[begin : begin + ROWS_IN_A_PIECE]) for begin in range(0, len(rows), ROWS_IN_A_PIECE))
    return [piece for some in together for piece in written_pieces(f"{some}\n", ink, margin)]
