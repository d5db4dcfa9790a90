"""The answer of a turn as text that can only be written forward.

Pure. A pipe cannot take back what was written; an agent can replace what it streamed. This says what may be written
as it comes, and whether what was written is still the beginning of the answer.
"""

from collections.abc import Iterable

from chatforge_tui.domain.changes import PartAdded, PartDropped, PartReplaced, TextAppended, TurnChange
from chatforge_tui.domain.part import TextPart, readable


class AnswerText:
    """Follows one turn's changes."""

    def __init__(self, *, for_people: bool = False) -> None:
        """Begin empty.

        Args:
            for_people: as `Turn.readable_answer`, not as `Turn.answer`.
        """
        self._for_people = for_people
        self._parts: dict[int, list[str]] = {}
        """Text parts in order of index; each the pieces it came in."""
        self._written: list[str] = []
        self.is_replaced = False
        """What was handed out is no beginning of the answer any more."""

    def apply(self, changes: Iterable[TurnChange]) -> str:
        """Take changes in; return what may be written now, "" while the answer contradicts what was written."""
        new: list[str] = []
        for change in changes:
            match change:
                case TextAppended(index, text, "text") if index in self._parts:
                    self._parts[index].append(text)
                    new.append(self._next(index, text))
                case PartAdded(TextPart(index) as part):
                    self._parts[index] = [text := self._text_of(part)]
                    new.append(self._next(index, text))
                case PartReplaced(TextPart(index) as part):
                    self._parts[index] = [self._text_of(part)]
                    new.append(self._caught_up())
                case PartReplaced(part):
                    new.append(self._without(part.index))
                case PartDropped(index):
                    new.append(self._without(index))
                case _:
                    pass
        return "".join(new)

    @property
    def answer(self) -> str:
        """The whole answer so far."""
        return "".join("".join(self._parts[index]) for index in sorted(self._parts))

    def missing_from(self, answer: str) -> str:
        """Return what is still to be written of the final answer; the whole of it when it contradicts what was."""
        written = "".join(self._written)
        self.is_replaced = not answer.startswith(written)
        return answer if self.is_replaced else answer[len(written) :]

    def start_over(self) -> str:
        """Return the whole answer and take it for written: the reader was told that it replaces everything."""
        answer = self.answer
        self._written = [answer]
        self.is_replaced = False
        return answer

    def _text_of(self, part: TextPart) -> str:
        return readable([part]) if self._for_people else part.text

    def _without(self, index: int) -> str:
        """Forget a part; return what may be written."""
        return self._caught_up() if self._parts.pop(index, None) else ""

    def _next(self, index: int, text: str) -> str:
        """Return text that was added to a part: as it is when the part is the last, the usual case."""
        if self.is_replaced or index != max(self._parts):
            return self._caught_up()
        self._written.append(text)
        return text

    def _caught_up(self) -> str:
        """Compare answer and written text whole; return what is missing."""
        answer, written = self.answer, "".join(self._written)
        self.is_replaced = not answer.startswith(written)
        if self.is_replaced:
            return ""
        self._written = [answer]
        return answer[len(written) :]
