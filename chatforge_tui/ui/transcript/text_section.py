"""The text of an answer: Markdown that grows, or was stored whole."""

from typing import Final

from chatforge_tui.domain.part import Part, TextPart
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.piece import Piece
from chatforge_tui.ui.transcript.section import GrowingSource, Section


class TextSection(Section):
    """Text of the answer."""

    def __init__(self, part: TextPart) -> None:
        super().__init__(part.index)
        self._received = GrowingSource(part.text)
        self._is_hidden = part.is_plan_source
        self.is_separate: Final = part.is_separate
        """It is another text than the one before it."""
        self._text = MarkdownText()
        self._is_fed = False
        self._goes_on = False
        """It has grown although another part had begun below it, and may do so again."""

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Return the closed blocks and the open end."""
        del marks
        if self._is_hidden:
            return []
        open_pieces = self.update()
        return [*self._text.closed, *open_pieces]

    def update(self) -> list[Piece]:
        """Read what has arrived; return the pieces after the closed ones."""
        text = self._received.take()
        if self.is_ended and not self._is_fed:
            self._text.load(text)
        elif text:
            self._text.feed(text)
        self._is_fed = True
        if self.is_ended:
            self._text.end()
            return []
        return self._text.open_pieces()

    @property
    def closed(self) -> list[Piece]:
        """The pieces that will not change any more; it only grows."""
        return self._text.closed

    @property
    def written(self) -> tuple[int, str]:
        """Number of the closed pieces, and the text after them, as far as it was read."""
        return len(self._text.closed), self._text.open_text

    def first_unread(self, closed: int, text: str) -> int | None:
        """Return the index of the first piece that is not all in what was `written` at some time; None when all are.

        Of the piece that is being written it does not count that it has gone on.
        """
        open_pieces = self.update()
        rest = text.strip("\n")
        for number in range(closed, len(self.closed)):
            if self.closed[number].is_gap:
                continue
            source = self.closed[number].source.strip("\n")
            if not rest.startswith(source):
                return number
            rest = rest[len(source) :].strip("\n")
        news = self._text.open_text.strip("\n")[len(rest) :]
        return len(self.closed) if open_pieces and (not rest or "\n" in news) else None

    def append(self, field: str, text: str) -> None:
        """Add text. One that was taken for ended, for another part had begun, goes on: artifacts may stream at once."""
        del field
        self._received.append(text)
        if self.is_ended:
            self.is_ended, self._goes_on = False, True
            if self._text.is_ended:
                self._text, self._received, self._is_fed = MarkdownText(), GrowingSource(self._received.text), False

    def end_before_next(self) -> None:
        """Another part begins below: as a rule, no more text comes."""
        if not self._goes_on:
            self.end()

    def replace(self, part: Part) -> bool:
        """Stay as it is when only the end is new."""
        if not isinstance(part, TextPart) or (part.is_plan_source, part.is_separate) != (
            self._is_hidden,
            self.is_separate,
        ):
            return False
        text = self._received.text
        if not part.text.startswith(text) or (self.is_ended and len(part.text) > len(text)):
            return False
        if rest := part.text[len(text) :]:
            self._received.append(rest)
        return True

    @property
    def source(self) -> str:
        """The Markdown; empty for text that is shown as a plan."""
        return "" if self._is_hidden else self._received.text

    @property
    def is_live(self) -> bool:
        """Whether a cursor stands at its end."""
        return not (self.is_ended or self._is_hidden)
