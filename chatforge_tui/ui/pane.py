"""What a tab shows of one session, as a plain model.

Owns what the screen knows of a session between two batches of the engine. It draws nothing and starts nothing: the one
transcript view, composer, plan dock and tab strip draw the pane of the current session and swap models when it changes.
A hidden pane costs its head and what was loaded of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.changes import (
    HeadChanged,
    PartAdded,
    PlanRecorded,
    TextAppended,
    TurnBegan,
    TurnChanged,
    TurnEnded,
    TurnRemoved,
)
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.part import QuestionPart, TextPart
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState
from chatforge_tui.ui.plan_history import PlanHistory

if TYPE_CHECKING:
    from chatforge_tui.ui.transcript.model import TranscriptModel
    from chatforge_tui.ui.transcript.place import Shift

CALM = 4
"""The urgency of a pane that needs nobody."""


class Pane:
    """Everything a tab shows of one session."""

    def __init__(self, head: SessionHead) -> None:
        self.head = head
        self.draft = head.draft
        """What stands in the composer; newer than `head.draft` until it is saved."""
        self.transcript: TranscriptModel | None = None
        """None until there is a turn to show, and again when it was long out of sight."""
        self.is_loaded = False
        """Whether what the store has of the session is here: it was shown, not too long ago."""
        self.unreadable = ""
        """One sentence why the store cannot give the session; "" when it can."""
        self.plans = PlanHistory()
        self.turn: TurnHead | None = None
        """Head of the last turn that was sent; None when there is none, or nothing was loaded and nothing happened yet."""
        self.unsent: dict[TurnId, TurnHead] = {}
        """The prompts that wait to be sent, as far as the session was loaded."""
        self._before: tuple[TurnHead | None, QuestionPart | None] = (None, None)
        """`turn` and `question` before the last turn began."""
        self.question: QuestionPart | None = None
        """What the agent waits for."""
        self.form_input: dict[str, str | bool] = {}
        """What has been typed into the form of `question` so far, field name to answer."""
        self._asked: tuple[TurnId | None, QuestionPart | None] = (None, None)
        """The turn and the question that `form_input` belongs to."""
        self.prompts: list[str] = []
        """Texts of the session's prompts, oldest first."""
        self.prompt_files: dict[str, tuple[Attachment, ...]] = {}
        """Text of a prompt -> the files that went along with it last; only prompts with files."""
        self.reading: list[str] = []
        """Names (cleaned) of files that are being read to be attached."""
        self.objection = ""
        """What the agent has against the files that go along with the next prompt; "" for nothing."""
        self.unread = 0
        """Number of turns that ended, or began to wait, out of sight."""
        self.characters = 0
        """Length of the text that the running turn has delivered, as far as this pane was shown."""

    @property
    def session_id(self) -> SessionId:
        """The session that this pane shows."""
        return self.head.session_id

    @property
    def state(self) -> TurnState | None:
        """State of the last turn, or that something waits to be sent where nothing runs; None before the first."""
        state = self.turn.state if self.turn is not None else self.head.last_state
        is_busy = state is not None and (state.is_live or state is TurnState.WAITING)
        return TurnState.UNSENT if self.has_unsent and not is_busy else state

    @property
    def has_unsent(self) -> bool:
        """Whether prompts wait to be sent."""
        return self.head.unsent > 0 or bool(self.unsent)

    @property
    def is_live(self) -> bool:
        """Whether a request runs."""
        return self.state is not None and self.state.is_live

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever sent."""
        return self.head.turns == 0 and self.turn is None and not self.unsent

    @property
    def has_all(self) -> bool:
        """Whether every turn of the session is here: another program may have added some while it was closed."""
        return self.is_loaded and len(self.prompts) >= self.head.turns

    @property
    def unread_count(self) -> int:
        """How many news wait to be read; at least 1 for a session that the store calls unread."""
        return max(self.unread, 1 if self.head.unread else 0)

    def load(self, turns: Sequence[Turn], *, is_whole: bool = True) -> "Shift | None":
        """Take the transcript; folds and place of the reader stay as they were. A session without turns has none.

        Args:
            turns: the turns, in order.
            is_whole: these are all; else they are the last ones, and `prepend` takes those before them.

        Returns:
            How places in the transcript move; None without one.
        """
        self.is_loaded, self.unreadable = is_whole, ""
        shift = self._load_transcript(turns) if turns or self.transcript is not None else None
        self.plans.load(turns)
        self.prompts, self.prompt_files = [], {}
        for turn in turns:
            self._note_prompt(turn.head.prompt)
        self.unsent = {turn.head.turn_id: turn.head for turn in turns if turn.head.state is TurnState.UNSENT}
        last = next((turn for turn in reversed(turns) if turn.head.turn_id not in self.unsent), None)
        self.turn = last.head if last else None
        self._take_question(last.question if last else None)
        self.characters = _text_length(last) if last else 0
        return shift

    def prepend(self, turns: Sequence[Turn], *, is_whole: bool) -> "Shift | None":
        """Take turns that come right before those that are here; return how places in the transcript move.

        Args:
            turns: the turns, in order.
            is_whole: all are here now.
        """
        if self.transcript is None or self.is_loaded:
            return None
        self.is_loaded = is_whole
        self.plans.prepend(turns)
        self.prompts[:0] = [turn.head.prompt.text for turn in turns]
        files = {turn.head.prompt.text: turn.head.prompt.attachments for turn in turns if turn.head.prompt.attachments}
        self.prompt_files = files | self.prompt_files
        return self.transcript.prepend(turns)

    def forget(self) -> None:
        """Drop what the store has, too; it is read again when the pane is shown."""
        self.transcript, self.is_loaded = None, False
        self.plans, self.prompts = PlanHistory(), []

    def _load_transcript(self, turns: Sequence[Turn]) -> "Shift":
        if self.transcript is None:
            # Lazy: Markdown and all that is laid out costs 100 ms, which a start without a turn need not pay.
            from chatforge_tui.ui.transcript.model import TranscriptModel  # noqa: PLC0415

            self.transcript = TranscriptModel()
            self.transcript.agent = self.head.endpoint.model or self.head.endpoint.name
            self.transcript.anchor = self.head.anchor
        return self.transcript.load(turns)

    def apply(self, event: TurnBegan | TurnChanged | TurnEnded | TurnRemoved) -> None:
        """Take what happened to one of the session's turns."""
        match event:
            case TurnBegan(turn):
                self._begin(turn)
            case TurnChanged():
                self._apply_changes(event)
            case TurnEnded(turn) if turn.head.state is TurnState.UNSENT:
                self._wait(turn.head)
            case TurnEnded(turn):
                self.turn = turn.head
                self.plans.put_turn(turn)
                self._take_question(turn.question)
                self.characters = _text_length(turn)
            case TurnRemoved(turn_id=turn_id):
                self._take_back(turn_id)
        if self.transcript is not None:
            self.transcript.apply(event)

    def _begin(self, turn: Turn) -> None:
        """Take a turn that begins, is taken up again, waits to be sent, or waited until now."""
        head, is_last = turn.head, self.turn is not None and self.turn.turn_id == turn.head.turn_id
        is_new = not is_last and head.turn_id not in self.unsent
        if is_new:
            self._note_prompt(head.prompt)
        if head.state is TurnState.UNSENT:
            self._wait(head)
        else:
            if not is_last:
                self._before = self.turn, self.question
            self.unsent.pop(head.turn_id, None)
            self.turn = head
            self._take_question(None)
            self.characters = _text_length(turn)
        if self.transcript is None and self.is_loaded:
            self._load_transcript(())
        if self.transcript is not None and is_new:
            self.transcript.anchor = ""  # who sends a prompt wants to see it answered, wherever they were reading

    def _wait(self, head: TurnHead) -> None:
        """Let a turn wait to be sent; if it is the one that ran, all is as it was before it."""
        self.unsent[head.turn_id] = head
        if self.turn is not None and self.turn.turn_id == head.turn_id:
            self.turn, question = self._before
            self._take_question(question)

    def _take_back(self, turn_id: TurnId) -> None:
        head = self.unsent.pop(turn_id, None)
        if self.turn is not None and self.turn.turn_id == turn_id:  # one that another program could not send
            head = self.turn
            self.turn, question = self._before
            self._take_question(question)
        if head is not None and head.prompt.text in self.prompts:
            self.prompts.remove(head.prompt.text)

    def _note_prompt(self, prompt: Prompt) -> None:
        self.prompts.append(prompt.text)
        if prompt.attachments:
            self.prompt_files[prompt.text] = prompt.attachments

    def _apply_changes(self, event: TurnChanged) -> None:
        for change in event.changes:
            match change:
                case HeadChanged(head):
                    self.turn = head
                case PlanRecorded(plan=plan) if self.turn is not None:
                    self.plans.record(self.turn, plan)
                case TextAppended(text=text, field="text"):
                    self.characters += len(text)
                case PartAdded(TextPart(text=text)):
                    self.characters += len(text)
                case _:
                    pass

    def _take_question(self, question: QuestionPart | None) -> None:
        """Take what the turn asks. What was typed stays while that turn is looked at again and goes on to ask the same."""
        turn_id = self.turn.turn_id if self.turn is not None else None
        if turn_id != self._asked[0] or question not in (None, self._asked[1]):
            self._asked, self.form_input = (turn_id, question), {}
        self.question = question


def urgency(pane: Pane) -> int:
    """Return how soon a pane needs its user: 0 it waits, 1 failed unseen, 2 cut off or unsent unseen, 3 news, 4 calm."""
    if pane.state is TurnState.WAITING:
        return 0
    if not pane.unread_count:
        return CALM
    return {TurnState.FAILED: 1, TurnState.INTERRUPTED: 2, TurnState.UNSENT: 2}.get(pane.state or TurnState.COMPLETE, 3)


def _text_length(turn: Turn) -> int:
    return sum(len(part.text) for part in turn.parts if isinstance(part, TextPart))
