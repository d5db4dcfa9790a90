"""What is recorded of a live turn: its text as it grows, its parts, plans and head. Its end supersedes all of it."""

from chatforge_tui.domain.changes import TextField
from chatforge_tui.domain.ids import TurnId
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.turn import TurnHead
from chatforge_tui.store import codec, rows
from chatforge_tui.store.operations import TurnOperation
from chatforge_tui.store.workplace import Workplace


class AppendText(TurnOperation, gc=False):
    """Text that a part grew by: one record of the log, however many deltas it was.

    There are 10,000 a second where 1,000 sessions stream, so they are kept out of Python's search for garbage, which took as
    long as a third of writing them.
    """

    turn_id: TurnId
    seq: int
    """Order within the turn, and of everything that this program writes; 0 until it has its place. A second try writes the
    same record again."""
    index: int
    text_field: TextField
    text: str
    more: list[str] | None = None
    """What came behind it."""

    @property
    def whole(self) -> str:
        """All of the text."""
        return self.text if self.more is None else "".join((self.text, *self.more))

    def apply(self, at: Workplace) -> None:
        """Log the text; a turn that has ended or is gone takes no more."""
        text = self.text if self.more is None else self.whole
        at.log.add(at.db, self.turn_id, self.seq, self.index, self.text_field, text)

    @property
    def size(self) -> int:
        """The text."""
        return len(self.text) + sum(map(len, self.more or ()))


class PutPart(TurnOperation):
    """A part that is new, or replaced whole."""

    turn_id: TurnId
    seq: int
    """As in AppendText."""
    part: Part

    def apply(self, at: Workplace) -> None:
        """Write the part, and let what had been appended to the one before it no longer count."""
        if _is_mine(at, self.turn_id):
            at.db.execute("DELETE FROM chunk WHERE turn = ? AND idx = ?", (self.turn_id, self.part.index))
            rows.put_parts(at.db, self.turn_id, (self.part,))
            at.log.add(at.db, self.turn_id, self.seq, self.part.index, "text", None)

    @property
    def size(self) -> int:
        """About the part: most are small."""
        return 200 + len(getattr(self.part, "text", ""))


class DropPart(TurnOperation):
    """A part that was superseded. Without it, nothing that was logged of it is anything's."""

    turn_id: TurnId
    index: int

    def apply(self, at: Workplace) -> None:
        """Delete the part and what was appended to it."""
        if _is_mine(at, self.turn_id):
            at.db.execute("DELETE FROM chunk WHERE turn = ? AND idx = ?", (self.turn_id, self.index))
            at.db.execute("DELETE FROM part WHERE turn = ? AND idx = ?", (self.turn_id, self.index))


class PutPlan(TurnOperation):
    """One more version of the plan."""

    turn_id: TurnId
    sequence: int
    plan: Plan

    def apply(self, at: Workplace) -> None:
        """Write the version."""
        if _is_mine(at, self.turn_id):
            rows.put_plans(at.db, self.turn_id, ((self.sequence, self.plan),))

    @property
    def size(self) -> int:
        """About the plan."""
        return 200 + 100 * len(self.plan.steps)


class PutHead(TurnOperation):
    """The turn's head changed."""

    turn_id: TurnId
    head: TurnHead

    def apply(self, at: Workplace) -> None:
        """Update the turn's columns."""
        if _is_mine(at, self.turn_id):
            rows.update(at.db, "turn", codec.encode_turn(self.head))


def _is_mine(at: Workplace, turn_id: TurnId) -> bool:
    """Return whether the turn is live in this program: only then its records are written."""
    return at.log.is_live(at.db, turn_id)
