"""What stands above and below the parts of a turn: prompt and headers; what is waited for, and how the turn ended."""

from chatforge_tui.domain.turn import TurnHead, TurnState
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.ink import MUTED, Ink
from chatforge_tui.ui.transcript.phrases import clock_time, ending, pace, quiet_words, waiting_words
from chatforge_tui.ui.transcript.piece import GAP, TURN_GAP, Fixed, Piece
from chatforge_tui.ui.transcript.turn_pieces import Divider, Header, hanging, prompt_pieces


class TurnEdges:
    """The pieces of one turn that are of no part. Each stays the same piece as long as it says the same."""

    def __init__(self, *, is_first: bool) -> None:
        self.is_first = is_first
        """No turn stands above."""
        self.divider: Divider | None = None
        """Stands above what is unread."""
        self._prompt: list[Piece] = []
        self._you, self._agent = Header(), Header()
        self._waiting, self._quiet = Fixed(), Fixed()
        self._ending: list[Piece] = []
        self._is_passed = False
        self._built_ending: TurnHead | None = None

    def set_passed(self, passed: bool) -> bool:
        """Say no more that the agent waits, or say it again; return whether that is different."""
        if passed is self._is_passed:
            return False
        self._is_passed, self._built_ending = passed, None
        return True

    def take(self, head: TurnHead, marks: MarkSet, now: float, frame: int, *, agent: str, quiet_s: int) -> None:
        """Take what the turn says of itself.

        Args:
            head: the turn's.
            marks: the signs to draw.
            now: Unix seconds.
            frame: the step of spinners.
            agent: who answers, unless the turn says so itself.
            quiet_s: seconds for which nothing has come.
        """
        self._you.set((("You", Ink("speaker", bold=True)),), clock_time(head.started, now))
        name = clean_name(head.agent) or clean_name(agent) or "Agent"
        self._agent.set(((name, Ink("speaker", bold=True)),), pace(head, now, marks.dot))
        if not self._prompt:
            self._prompt = prompt_pieces(head.prompt, marks)
        spinner = marks.spinner[frame % len(marks.spinner)]
        self._waiting.set(((f"{spinner} ", Ink("accent", copy="")), (waiting_words(head, now), MUTED)))
        self._quiet.set(((quiet_words(quiet_s), MUTED),))
        if self._built_ending is not head:
            self._built_ending = head
            said = () if self._is_passed else ending(head, marks)
            self._ending = [hanging(mark, words) for mark, words in said]

    def above(self, head: TurnHead) -> list[Piece]:
        """Return what stands above the parts."""
        pieces: list[Piece] = [] if self.is_first else [TURN_GAP]
        if self.divider is not None:
            pieces = [GAP, self.divider, GAP]
        pieces += [self._you, *self._prompt]
        if head.state is not TurnState.UNSENT:
            pieces += [GAP, self._agent]
        return pieces

    def running(self, head: TurnHead, *, is_empty: bool, is_quiet: bool) -> list[Piece]:
        """Return what stands below what has come while more is waited for.

        Args:
            head: the turn's.
            is_empty: nothing has come that is seen.
            is_quiet: nothing has come for long.
        """
        if head.is_reconnecting or (head.state.is_live and is_empty):
            return [self._waiting] if is_empty else [GAP, self._waiting]
        return [GAP, self._quiet] if is_quiet else []

    def ending(self, *, is_empty: bool) -> list[Piece]:
        """Return what says how the turn ended. `is_empty`: nothing has come that is seen."""
        return self._ending if is_empty or not self._ending else [GAP, *self._ending]
