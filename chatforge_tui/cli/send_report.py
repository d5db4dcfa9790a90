"""What `chatforge send` writes while a turn runs: its text, or one event a line.

Owns the form of the output. It knows one turn's changes and nothing of the engine.
"""

import time
from collections.abc import Sequence
from typing import Protocol

from chatforge_tui.cli import send_events
from chatforge_tui.cli.answer_text import AnswerText
from chatforge_tui.cli.output import sentences, standard_output, tell
from chatforge_tui.domain.changes import HeadChanged, TurnChange
from chatforge_tui.domain.part import FilePart, NoticeLevel, NoticePart, Part
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnProblem
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.exchange.json_shapes import Json, dumps
from chatforge_tui.exchange.markdown_text import question_text
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.urls import without_userinfo

_LONG_PAUSE_S = 5.0
"""A pause between two tries that is longer than this is told."""


class Report(Protocol):
    """Follows one turn from its beginning to its end. Every method may block, and may raise ReaderGone."""

    def open(self, head: SessionHead) -> None:
        """The prompt goes into this session. Called once, first."""
        ...

    def begin(self, turn: Turn) -> None:
        """The prompt is on disk."""
        ...

    def changes(self, changes: Sequence[TurnChange]) -> None:
        """Something happened."""
        ...

    def end(self, turn: Turn) -> None:
        """The turn is over and stored. Called once, last."""
        ...

    def refuse(self, error: ChatForgeError) -> None:
        """It came to no turn. The error's sentence goes to stderr besides."""
        ...


class TextReport:
    """The answer on stdout as it comes; a question of the agent after it; everything else on stderr."""

    def __init__(self) -> None:
        self._output = standard_output()
        self._answer = AnswerText(for_people=True)

    def open(self, head: SessionHead) -> None:
        """Write nothing: the answer alone goes to stdout."""

    def begin(self, turn: Turn) -> None:
        """Write nothing yet."""

    def changes(self, changes: Sequence[TurnChange]) -> None:
        """Write what is new of the answer, and why it is long in coming."""
        self._output.write(self._answer.apply(changes))
        for change in changes:
            if isinstance(change, HeadChanged) and change.head.retry_at is not None and change.head.problem is not None:
                pause = change.head.retry_at - time.time()
                if pause > _LONG_PAUSE_S:
                    tell(sentences(change.head.problem.message, f"It is tried again in {pause:.0f} s."))

    def end(self, turn: Turn) -> None:
        """Write what is missing of the answer, then how the turn ended if that needs words."""
        missing = self._answer.missing_from(turn.readable_answer)
        if self._answer.is_replaced:
            self._output.finish()
            tell("The agent replaced its answer; this is the whole of it:")
        self._output.write(missing)
        if turn.question is not None:
            self._write_question(turn)
        self._output.finish()
        for part in turn.parts:
            if said := _said_beside(part):
                tell(said)
        if turn.head.problem is not None:
            tell(sentences(turn.head.problem.message, turn.head.problem.hint))

    def refuse(self, error: ChatForgeError) -> None:
        """Write nothing: stdout is for answers."""

    def _write_question(self, turn: Turn) -> None:
        if turn.question is None:
            return
        if turn.answer and not turn.answer.endswith("\n"):
            self._output.write("\n")
        self._output.write(question_text(turn.question) + "\n")
        tell(f"The agent waits for your answer: chatforge send --session {turn.head.session_id} TEXT")


def _said_beside(part: Part) -> str:
    """Return what there is to say of a part that is no text: a file, or a notice that is more than what the agent is doing."""
    match part:
        case FilePart():
            where = f" at {clean_name(without_userinfo(part.url))}" if part.data is None else ""
            return f"The agent offers the file {clean_name(part.name) or 'unnamed'}{where}: /save in the UI keeps it."
        case NoticePart() if part.level is not NoticeLevel.STATUS:
            return part.text
        case _:
            return ""


class EventReport:
    """One JSON object a line on stdout, see send_events."""

    def __init__(self) -> None:
        self._output = standard_output()
        self._lines = send_events.EventLines()

    def open(self, head: SessionHead) -> None:
        """Write the session."""
        self._line(send_events.session_event(head))

    def begin(self, turn: Turn) -> None:
        """Write the turn."""
        self._line(send_events.turn_event(turn))

    def changes(self, changes: Sequence[TurnChange]) -> None:
        """Write what happened."""
        for line in self._lines.of(changes):
            self._line(line)

    def end(self, turn: Turn) -> None:
        """Write what only the end brought, then the whole turn."""
        for line in self._lines.rest(turn):
            self._line(line)
        self._line(send_events.end_event(turn))

    def refuse(self, error: ChatForgeError) -> None:
        """Write why."""
        self._line(send_events.error_event(TurnProblem(error.kind, str(error), error.hint)))

    def _line(self, line: Json) -> None:
        self._output.raw_line(dumps(line))
