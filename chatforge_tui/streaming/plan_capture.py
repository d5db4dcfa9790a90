"""Finds plans that an agent writes into its answer between U+27E6 and U+27E7 (⟦ and ⟧), while the answer streams.

Sans-I/O: text goes in, in chunks of any size, and pieces come out that hold the same text, every character once and
in order. Which pieces are a plan does not depend on where the chunks were cut. It keeps no more than `MAX_CAPTURE`.
"""

from collections.abc import Generator, Iterator

from msgspec import Struct

from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.plan_text import parse_plan_text
from chatforge_tui.streaming.output_buffer import OutputBuffer

OPENING, CLOSING = "⟦", "⟧"
MAX_CAPTURE = 64 * 1024
"""Characters, markers included. What does not close within it is ordinary text."""


class Plain(Struct, frozen=True, gc=False):
    """Ordinary text of the answer. Never empty."""

    text: str


class Captured(Struct, frozen=True, gc=False):
    """Text that may turn out to be a plan; the next `PlanFound` or `NoPlan` decides over all since the last."""

    text: str


class PlanFound(Struct, frozen=True, gc=False):
    """What was captured is a plan."""

    plan: Plan


class NoPlan(Struct, frozen=True, gc=False):
    """What was captured is ordinary text after all."""

    text: str
    """All of it, markers included."""


Piece = Plain | Captured | PlanFound | NoPlan


class PlanCapture:
    """Reads one answer's text from its beginning to its end."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        """Start outside of any markers."""
        self._buffer: OutputBuffer | None = None

    @property
    def is_capturing(self) -> bool:
        """Whether an opening marker waits for its closing one."""
        return self._buffer is not None

    @property
    def buffer(self) -> OutputBuffer | None:
        """What was captured since the opening marker; None outside."""
        return self._buffer

    def feed(self, text: str) -> Iterator[Piece]:
        """Read more text. The iterator must be consumed to its end before the next call."""
        position = 0
        while position < len(text):
            if self._buffer is None:
                opening = text.find(OPENING, position)
                end = len(text) if opening < 0 else opening
                if end > position:
                    yield Plain(text[position:end])
                if opening >= 0:
                    self._buffer = OutputBuffer(MAX_CAPTURE)
                    self._buffer.append(OPENING)
                    yield Captured(OPENING)
                    end += 1
                position = end
            else:
                position = yield from self._inside(self._buffer, text, position)

    def close(self) -> Iterator[Piece]:
        """End the text: what is captured and not closed is ordinary."""
        if self._buffer is not None:
            text, self._buffer = self._buffer.text, None
            yield NoPlan(text)

    def _inside(self, buffer: OutputBuffer, text: str, start: int) -> Generator[Piece, None, int]:
        """Read on within the markers, and return where reading stopped.

        A second opening marker gives up the first: otherwise a stray one would swallow the answer up to the next plan.
        """
        stop = min(start + buffer.room, len(text))
        closing = text.find(CLOSING, start, stop)
        opening = text.find(OPENING, start, stop if closing < 0 else closing)
        end = opening if opening >= 0 else closing + 1 if closing >= 0 else stop
        if end > start:
            buffer.append(text[start:end])
            yield Captured(text[start:end])
        if opening >= 0 or (closing < 0 and not buffer.room):
            yield from self.close()
        elif closing >= 0:
            self._buffer = None
            plan = parse_plan_text(buffer.text)
            yield PlanFound(plan) if plan else NoPlan(buffer.text)
        return end
