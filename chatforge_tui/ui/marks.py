"""The marks that stand for states, each one cell wide: one set for every common font, one for ASCII alone.

Owns which sign means what. Colour is added by the widgets and never the only difference.
"""

from msgspec import Struct

from chatforge_tui.domain.plan import StepStatus
from chatforge_tui.domain.turn import TurnState


class MarkSet(Struct, frozen=True):
    """One way to draw everything."""

    running: str
    waiting: str
    failed: str
    interrupted: str
    unsent: str
    idle: str
    done: str
    held: str
    """Beside the state: another program writes in this session."""
    prompt: str
    """Before the composer."""
    folded: str
    unfolded: str
    close: str
    more_left: str
    more_right: str
    ellipsis: str
    """Where a text was cut, one cell."""
    trailing: str
    """Where a sentence stays open."""
    dot: str
    """Between facts on one line."""
    line: str
    heavy: str
    upright: str
    joint_down: str
    joint_up: str
    spinner: str
    """Frames of the one spinner, one cell each."""

    def of_turn(self, state: TurnState | None) -> str:
        """Return the mark of a session whose last turn is in this state (None: it has no turn yet)."""
        if state is None or state in {TurnState.COMPLETE, TurnState.ABORTED}:
            return self.idle
        if state.is_live:
            return self.running
        special = {TurnState.WAITING: self.waiting, TurnState.FAILED: self.failed, TurnState.UNSENT: self.unsent}
        return special.get(state, self.interrupted)

    def of_step(self, status: StepStatus) -> str:
        """Return the mark of a step of a plan."""
        return {
            StepStatus.PENDING: self.idle,
            StepStatus.IN_PROGRESS: self.running,
            StepStatus.COMPLETED: self.done,
            StepStatus.FAILED: self.failed,
        }[status]


UNICODE_MARKS = MarkSet(
    running="●",
    waiting="◆",
    failed="✕",
    interrupted="↯",
    unsent="↑",
    idle="○",
    done="✓",
    held="⊘",
    prompt="❯",
    folded="▸",
    unfolded="▾",
    close="×",
    more_left="‹",
    more_right="›",
    ellipsis="…",
    trailing="…",
    dot="·",
    line="─",
    heavy="━",
    upright="│",
    joint_down="┬",
    joint_up="┴",
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
)

ASCII_MARKS = MarkSet(
    running="*",
    waiting="?",
    failed="x",
    interrupted="!",
    unsent="^",
    idle="o",
    done="+",
    held="#",
    prompt=">",
    folded=">",
    unfolded="v",
    close="x",
    more_left="<",
    more_right=">",
    ellipsis="~",
    trailing="...",
    dot="-",
    line="-",
    heavy="=",
    upright="|",
    joint_down="+",
    joint_up="+",
    spinner="|/-\\",
)
