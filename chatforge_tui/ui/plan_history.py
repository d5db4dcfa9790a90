"""The plans of one session: the current one and the earlier ones, oldest first. Pure values for the plan dock.

Each update of an agent is a complete plan. Updates that only change how far the steps are belong to the same entry;
a plan with other steps, or of another turn, is an entry of its own, and the one before becomes history.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.ids import TurnId
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.turn import Turn, TurnHead


class PlanEntry(Struct, frozen=True):
    """One plan in its last state."""

    turn_id: TurnId
    started: float
    """When its turn started, Unix seconds."""
    title: str
    """First line of the turn's prompt, as received."""
    plan: Plan
    ended: float | None = None
    """When its turn ended; None while it runs."""


class PlanHistory:
    """The plans of one session, newest last."""

    def __init__(self) -> None:
        self._entries: list[PlanEntry] = []

    @property
    def current(self) -> PlanEntry | None:
        """The newest plan."""
        return self._entries[-1] if self._entries else None

    @property
    def earlier(self) -> tuple[PlanEntry, ...]:
        """The plans before the newest, newest first."""
        return tuple(reversed(self._entries[:-1]))

    def load(self, turns: Iterable[Turn]) -> None:
        """Replace everything by the plans of these turns."""
        self._entries.clear()
        for turn in turns:
            for plan in turn.plans:
                self.record(turn.head, plan)

    def prepend(self, turns: Iterable[Turn]) -> None:
        """Take the plans of turns that come before all that are here."""
        here = self._entries
        self._entries = []
        for turn in turns:
            for plan in turn.plans:
                self.record(turn.head, plan)
        self._entries += here

    def put_turn(self, turn: Turn) -> None:
        """Take the plans of a turn, in place of what was known of them."""
        self._entries = [entry for entry in self._entries if entry.turn_id != turn.head.turn_id]
        for plan in turn.plans:
            self.record(turn.head, plan)

    def record(self, head: TurnHead, plan: Plan) -> None:
        """Take one more version of the plan of the session's newest turn."""
        title = head.prompt.text.strip().split("\n", 1)[0]
        entry = PlanEntry(head.turn_id, head.started, title, plan, head.ended)
        last = self.current
        if last is not None and last.turn_id == head.turn_id and _continues(last.plan, plan):
            self._entries[-1] = entry
        else:
            self._entries.append(entry)

    def end_turn(self, head: TurnHead) -> None:
        """Note when the turn ended, so that nothing counts on."""
        last = self.current
        if last is not None and last.turn_id == head.turn_id:
            self._entries[-1] = replace(last, ended=head.ended)


def _continues(before: Plan, after: Plan) -> bool:
    """Whether `after` is `before` with other marks, or with steps added or taken away at its end."""
    return all(old.title == new.title for old, new in zip(before.steps, after.steps, strict=False))
