"""The plan side of one live turn: what is being captured, every plan so far, and what a pane should do about it.

One belongs to each streaming state, hence to one session: there is no plan state that two sessions could share. Plans
of earlier turns are part of those turns, in the store.
"""

from collections.abc import Iterator

from msgspec import Struct

from chatforge_tui.domain.plan import Plan
from chatforge_tui.streaming.output_buffer import OutputBuffer
from chatforge_tui.streaming.plan_capture import OPENING, Piece, Plain, PlanCapture


class ExecutionPlanState(Struct, gc=False, eq=False):
    """Captures plans out of the answer's text and keeps the versions of the turn's plan."""

    _capture: PlanCapture | None = None
    """Made for the first text that may hold a plan."""
    _history: list[Plan] | None = None

    @property
    def is_capturing(self) -> bool:
        """Whether text that may be a plan is arriving."""
        return self._capture is not None and self._capture.is_capturing

    @property
    def buffer(self) -> OutputBuffer | None:
        """What is being captured; None when nothing is."""
        return self._capture.buffer if self._capture is not None else None

    @property
    def accumulated(self) -> str:
        """The captured text so far, opening marker included; "" when nothing is being captured."""
        return buffer.text if (buffer := self.buffer) is not None else ""

    @property
    def loading(self) -> bool:
        """Whether the turn's first plan is on its way."""
        return self.is_capturing and self._history is None

    @property
    def auto_expand(self) -> bool:
        """Whether there is a plan that a pane opens by itself, once."""
        return self._history is not None

    @property
    def history(self) -> tuple[Plan, ...]:
        """Every version of the turn's plan, oldest first."""
        return tuple(self._history or ())

    @property
    def current(self) -> Plan | None:
        """The newest plan."""
        return self._history[-1] if self._history else None

    def take_over(self, plans: tuple[Plan, ...]) -> None:
        """Begin with the versions of a turn that was stored."""
        self._history = list(plans) or None

    def read(self, text: str) -> Iterator[Piece]:
        """Read more of the answer's text; see PlanCapture.feed."""
        if self._capture is None:
            if OPENING not in text:
                return iter((Plain(text),) if text else ())
            self._capture = PlanCapture()
        return self._capture.feed(text)

    def end_of_text(self) -> Iterator[Piece]:
        """End the answer's text; see PlanCapture.close."""
        return self._capture.close() if self._capture is not None else iter(())

    def record(self, plan: Plan) -> int | None:
        """Add a version of the plan.

        Returns:
            Its sequence, 0 for the first; None when the plan is as it was.
        """
        if plan == self.current:
            return None
        self._history = self._history or []
        self._history.append(plan)
        return len(self._history) - 1
