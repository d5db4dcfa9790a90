"""What an agent says in the messages of its status updates: lines about its work, or the answer itself, token by token.

Owns the telling apart. A protocol-abiding agent puts its answer into artifacts; many put it here.
"""

from enum import Enum, auto
from typing import Final

_BLANKS: Final = (" ", "\t")
"""At an edge they show that a text was cut in two; a line break at the end is what lines have, too."""
_LINE_ENDS: Final = tuple(".!?…:;。！？：；")


_LONG: Final = 120
"""Characters from which a text is no line about the work."""


class Reading(Enum):
    """How several texts make one."""

    GROWING = auto()
    """Each begins with the one before: the last one is all of it."""
    LINES = auto()
    """Each is a line (no blank at either end, and a mark such as "." or "…" at the end): one below the other."""
    PIECES = auto()
    """A text cut in pieces: joined with nothing between."""


class StatusTexts:
    """The status texts of one turn, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self.is_stream = False
        """They are the pieces of a text, not lines: of two consecutive ones the first ends or the second begins with a
        blank, or the second begins with all of the first, or both come under one message id. Or the first of all is
        long, or of several lines: an answer in one piece. Or it ends with a blank: the first of several pieces."""
        self.reading = Reading.GROWING
        """How they are joined, as far as they are known."""
        self._texts: list[str] = []
        self._seen: set[tuple[str, str]] = set()
        self._last_id = ""
        self._run: list[str] = []
        """Texts since the last one that said them again in one piece, as ADK does behind the pieces of each step."""
        self._run_size = 0

    def add(self, text: str, message_id: str) -> bool:
        """Take the next one in.

        Returns:
            Whether it is new: a repeat of a message that was told before is not, nor all pieces once more in one.
        """
        if message_id:
            if (message_id, text) in self._seen:
                return False
            self._seen.add((message_id, text))
        if self._is_run_again(text):
            return False
        if self._texts and ((message_id and message_id == self._last_id) or _goes_on(self._texts[-1], text)):
            self.is_stream = True
        if not self._texts and (len(text) >= _LONG or "\n" in text.strip() or text[-1:] in _BLANKS):
            self.is_stream = True
        self.reading = _narrow(self.reading, self._texts, text)
        self._texts.append(text)
        self._last_id = message_id
        return True

    def _is_run_again(self, text: str) -> bool:
        """Whether the text is all pieces of the run once more; it ends the run then, else it belongs to it."""
        if len(self._run) > 1 and len(text) == self._run_size and text == "".join(self._run):
            self._run.clear()
            self._run_size = 0
            return True
        self._run.append(text)
        self._run_size += len(text)
        return False

    @property
    def last(self) -> str:
        """The newest text, "" before the first."""
        return self._texts[-1] if self._texts else ""

    @property
    def joined(self) -> str:
        """The texts as one."""
        match self.reading:
            case Reading.GROWING:
                return self.last
            case Reading.LINES:
                return "\n".join(self._texts)
            case Reading.PIECES:
                return "".join(self._texts)


def join_texts(texts: list[str]) -> str:
    """Return the texts as one, read as StatusTexts reads them."""
    status = StatusTexts()
    for text in texts:
        status.add(text, "")
    return status.joined


def _narrow(reading: Reading, before: list[str], text: str) -> Reading:
    """Return what the texts can still be read as, once this one follows."""
    if reading is Reading.GROWING and before and not text.startswith(before[-1]):
        are_lines = len(before) == 1 and _is_line(before[0])
        reading = Reading.LINES if are_lines else Reading.PIECES
    if reading is Reading.LINES and not _is_line(text):
        reading = Reading.PIECES
    return reading


def _is_line(text: str) -> bool:
    """Whether the text could stand on a line of its own."""
    return text == text.strip() and text.endswith(_LINE_ENDS)


def _goes_on(before: str, text: str) -> bool:
    """Whether the text goes on where the one before left off."""
    grows = len(text) > len(before) and text.startswith(before)
    return grows or before[-1:] in _BLANKS or text[:1] in _BLANKS or text[:1] == "\n"
