"""The answer's text as it arrives: which part it goes to, and which of it is the source of a plan.

The text of all text parts together is at any moment exactly what was received: a captured plan stays in the answer,
in a part of its own that is marked `is_plan_source`.
"""

from collections.abc import Iterator

from chatforge_tui.domain.changes import TurnChange
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.plan import Plan
from chatforge_tui.streaming.execution_plan_state import ExecutionPlanState
from chatforge_tui.streaming.live_parts import LiveParts
from chatforge_tui.streaming.plan_capture import Captured, NoPlan, Piece, Plain, PlanFound


class AnswerText:
    """Turns text into changes of text parts. Found plans are handed on, not recorded."""

    __slots__ = ("_captured", "_joins", "_open", "_parts", "_plans")

    def __init__(self, parts: LiveParts, plans: ExecutionPlanState) -> None:
        """Write into these parts, capture with this plan state."""
        self._parts = parts
        self._plans = plans
        self._open: int | None = None
        """The text part that further text extends; None: it begins a new one."""
        self._captured: int | None = None
        """The part that holds what is being captured."""
        self._joins: int | None = None
        """The text part that what is being captured goes back to, if it is no plan."""

    def extend(self, text: str) -> Iterator[TurnChange | Plan]:
        """Read more of the answer."""
        for piece in self._plans.read(text):
            yield from self._take(piece)

    def replace(self, text: str) -> Iterator[TurnChange | Plan]:
        """Make the whole answer exactly this text, with as little change as possible."""
        texts = self._parts.texts()
        received = "".join(part.text for part in texts)
        if text.startswith(received):
            yield from self.extend(text[len(received) :])
            return
        for _ in self._plans.end_of_text():
            pass
        self._open = self._captured = self._joins = None
        for part in texts:
            yield self._parts.drop(part.index)
        yield from self.extend(text)

    def close(self) -> Iterator[TurnChange | Plan]:
        """End the answer."""
        for piece in self._plans.end_of_text():
            yield from self._take(piece)

    def break_off(self) -> None:
        """Something else came between: text that follows begins a new part."""
        self._open = self._joins = None

    def _take(self, piece: Piece) -> Iterator[TurnChange | Plan]:
        match piece:
            case Plain(text):
                if self._open is not None:
                    yield self._parts.append(self._open, text)
                else:
                    self._open = self._parts.next_index
                    yield self._parts.add(TextPart(self._open, text))
            case Captured(text):
                if self._captured is not None:
                    yield self._parts.append(self._captured, text)
                else:
                    self._joins = self._open
                    self._captured = self._open = self._parts.next_index
                    yield self._parts.add(TextPart(self._captured, text, is_plan_source=True))
            case PlanFound(plan):
                self._open = self._captured = self._joins = None
                yield plan
            case NoPlan(text):
                yield from self._give_back(text)

    def _give_back(self, text: str) -> Iterator[TurnChange]:
        """Make what was captured ordinary text, in the part that it would have been in without its markers."""
        if self._captured is None:
            return
        captured, self._captured = self._captured, None
        if self._joins is None:
            yield self._parts.replace(TextPart(captured, text))
            return
        yield self._parts.drop(captured)
        yield self._parts.append(self._joins, text)
        self._open, self._joins = self._joins, None
