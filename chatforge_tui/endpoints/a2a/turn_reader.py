"""Turns what an agent says during one turn into stream events: the rules of a turn's course and of its end.

Owns which task a stream is about, what counts as the answer when no artifact carries it, and which event is the last one.
Pure: no I/O, no clock. The end of a turn is the first of: a message outside any task, a terminal or waiting state, version
0.3's `final`. What follows it, and what belongs to another task, changes nothing.

The answer, in this order: the texts of artifacts and messages (answer_text.py); else the text of the last status message;
else the status texts joined (status_texts.py), or those in the task's history; else structured data as JSON. Status texts
are notices while the turn runs, unless they come as the pieces of one text: then they are shown as the answer until a
better one comes, and become reasoning when it does.
"""

from collections.abc import Mapping
from typing import Final

from chatforge_tui.domain.events import (
    Canceled,
    Failed,
    Finished,
    Noticed,
    ReasoningDelta,
    StreamEvent,
    TaskBound,
    TerminalEvent,
    WaitingForUser,
)
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.part import NoticeLevel, QuestionKind
from chatforge_tui.domain.turn import TurnProblem
from chatforge_tui.endpoints.a2a.answer_text import AnswerText
from chatforge_tui.endpoints.a2a.artifacts import ArtifactReader
from chatforge_tui.endpoints.a2a.forms import form_as_text, split_form_text
from chatforge_tui.endpoints.a2a.model_parts import asked_by
from chatforge_tui.endpoints.a2a.status_texts import Reading, StatusTexts, join_texts
from chatforge_tui.endpoints.a2a.wire import (
    ArtifactSeen,
    MessageSeen,
    StatusSeen,
    TaskSeen,
    TaskState,
    UnknownSeen,
    WireEvent,
    WireMessage,
)

_MAX_STRANGE: Final = 10
"""Unknown events that one turn tells of."""
_MAX_STRANGE_SIZE: Final = 1_000
"""Characters of each that are kept."""


class TurnReader:
    """One turn, as its agent tells it."""

    def __init__(self, *, task_id: TaskId | None = None, earlier: Mapping[str, str] | None = None) -> None:
        """Begin a turn.

        Args:
            task_id: the task that is read on with (after a lost connection); None when the agent will name it.
            earlier: artifact id → text that an earlier turn of the same task told (see `remember`).
        """
        self.task_id = task_id
        self.context_id: ContextId | None = None
        self.state = TaskState.UNKNOWN
        self.is_over = False
        """The terminal event was told."""
        self.foreign = 0
        """Events of other tasks or contexts so far."""
        self._strange: set[str] = set()
        """Events of a kind never heard of that were told."""
        self._is_bound = False
        self._answer = AnswerText()
        self._artifacts = ArtifactReader(self._answer, earlier)
        self._status = StatusTexts()
        self._is_status_offered = False
        """The status texts are shown as the answer, for want of a better one."""
        self._last_notice = ""

    @property
    def answer(self) -> str:
        """The answer as it was told so far."""
        return self._answer.text

    def read(self, event: WireEvent) -> list[StreamEvent]:
        """Return what the event says, in order; nothing once the turn is over."""
        if self.is_over:
            return []
        if self._is_foreign(event):
            self.foreign += 1
            return []
        match event:
            case TaskSeen():
                return self._bind(event.task_id, event.context_id) + self._read_task(event)
            case MessageSeen(message=message):
                is_direct = self.task_id is None and message.task_id is None
                events = self._bind(message.task_id, message.context_id)
                return events + self._read_message(message, is_direct=is_direct)
            case StatusSeen():
                return self._bind(event.task_id, event.context_id) + self._read_status(event)
            case ArtifactSeen():
                events = self._bind(event.task_id, event.context_id)
                return events + self._with_answer(self._artifacts.update(event.artifact, is_append=event.is_append))
            case UnknownSeen(kind, said):
                return self._read_unknown(kind, said)

    def fail(self, problem: TurnProblem) -> list[StreamEvent]:
        """Return the end of a turn that the agent answered with an error."""
        return [] if self.is_over else self._end(Failed(problem))

    def flush(self) -> list[StreamEvent]:
        """Return what was held back, for a stream that broke off."""
        return [] if self.is_over else self._artifacts.release_data()

    def remember(self) -> dict[str, str]:
        """Return artifact id → text told so far, for the next turn of the same task."""
        return self._artifacts.remember()

    def _is_foreign(self, event: WireEvent) -> bool:
        """Whether the event belongs to another task or context than the one this turn is about."""
        match event:
            case MessageSeen(message=message):
                task_id, context_id = message.task_id, message.context_id
            case UnknownSeen():
                return False
            case _:
                task_id, context_id = event.task_id, event.context_id
        other_task = task_id is not None and self.task_id is not None and task_id != self.task_id
        other_context = context_id is not None and self.context_id is not None and context_id != self.context_id
        return other_task or other_context

    def _bind(self, task_id: TaskId | None, context_id: ContextId | None) -> list[StreamEvent]:
        """Adopt the ids that the agent names; told once, and again when a missing one is added."""
        adds_task = task_id is not None and not (self._is_bound and self.task_id == task_id)
        adds_context = context_id is not None and self.context_id is None
        if not (adds_task or adds_context):
            return []
        self._is_bound = self._is_bound or adds_task
        self.task_id = self.task_id or task_id
        self.context_id = self.context_id or context_id
        return [TaskBound(self.task_id, self.context_id)]

    def _read_task(self, task: TaskSeen) -> list[StreamEvent]:
        """Take in a snapshot."""
        events: list[StreamEvent] = []
        if task.artifacts:
            events += self._with_answer(self._artifacts.restate(task.artifacts))
        return events + self._enter(task.state, task.message, is_final=False, history=task.history)

    def _read_message(self, message: WireMessage, *, is_direct: bool) -> list[StreamEvent]:
        """Take in a message: the whole answer, or more of it when it comes amid a task."""
        if not message.is_agent:
            return []
        events = self._with_answer(self._artifacts.message(message.message_id or "message", message.pieces))
        return events + self._complete("", ()) if is_direct else events

    def _read_status(self, status: StatusSeen) -> list[StreamEvent]:
        return self._enter(status.state, status.message, is_final=status.is_final, history=())

    def _read_unknown(self, kind: str, said: str) -> list[StreamEvent]:
        """Keep what the agent says and this program does not know: each once, and not without end."""
        quoted = said if len(said) <= _MAX_STRANGE_SIZE else f"{said[:_MAX_STRANGE_SIZE]}…"
        if quoted in self._strange or len(self._strange) >= _MAX_STRANGE:
            return []
        self._strange.add(quoted)
        named = f" of the kind {kind!r}" if kind else ""
        text = f"The agent sent an event{named} that this program does not know"
        return [Noticed(NoticeLevel.INFO, f"{text}: {quoted}" if quoted else f"{text}.")]

    def _enter(
        self, state: TaskState, message: WireMessage | None, *, is_final: bool, history: tuple[WireMessage, ...]
    ) -> list[StreamEvent]:
        """Take in a state and what the agent says about it."""
        self.state = state
        said = message if message is not None and message.is_agent else None
        events = self._artifacts.extras(said.message_id, said.pieces) if said else []
        text = said.text if said else ""
        match state:
            case TaskState.COMPLETED:
                return events + self._complete(text, history)
            case TaskState.FAILED | TaskState.REJECTED:
                return events + self._end(Failed(_problem(state, text)))
            case TaskState.CANCELED:
                return events + self._end(Canceled(text))
            case TaskState.INPUT_REQUIRED | TaskState.AUTH_REQUIRED:
                return events + self._wait(state, text or (asked_by(said.pieces) if said else ""))
            case TaskState.SUBMITTED | TaskState.WORKING | TaskState.UNKNOWN if is_final:
                return events + self._complete(text, history)
            case TaskState.SUBMITTED | TaskState.WORKING | TaskState.UNKNOWN:
                return events + (self._note(text, said.message_id) if said and text else [])

    def _note(self, text: str, message_id: str) -> list[StreamEvent]:
        """Take in a status text of a running task."""
        reading = self._status.reading
        if not self._status.add(text, message_id):
            return []
        if self._status.is_stream and not self._answer.has_blocks:
            goes_on = self._is_status_offered and reading is self._status.reading is Reading.PIECES
            self._is_status_offered = True
            return self._answer.offer_more(text) if goes_on else self._answer.offer(self._status.joined)
        if text == self._last_notice or not text.strip():
            return []
        self._last_notice = text
        return [Noticed(NoticeLevel.STATUS, text)]

    def _with_answer(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """Keep status texts that were shown as the answer, now that the answer has come: as reasoning, if it differs."""
        if not self._is_status_offered or not self._answer.has_blocks:
            return events
        offered, self._is_status_offered = self._status.joined, False
        kept = _beside(offered, self._answer.text)
        return [*([ReasoningDelta(kept)] if kept else []), *events, *self._answer.offer("")]

    def _complete(self, text: str, history: tuple[WireMessage, ...]) -> list[StreamEvent]:
        """End a turn that went well; `text` is what the last status says."""
        text, form = split_form_text(text)
        events = self._settle(text, history)
        form = form or self._artifacts.form
        if form is not None and not self._answer:
            events += self._answer.offer(form_as_text(form))
        events += self._artifacts.release_data(as_answer=not self._answer)
        return events + self._end(Finished(self.state.value if self.state.is_terminal else ""))

    def _settle(self, text: str, history: tuple[WireMessage, ...]) -> list[StreamEvent]:
        """Make the answer final: see the module's first lines."""
        if self._answer.has_blocks:
            return self._add_last_words(text)
        streamed = self._status.joined if self._is_status_offered else ""
        if not text:
            return self._answer.offer(streamed or self._status.joined or _told_in(history))
        if not streamed or text.startswith(streamed):
            return self._answer.offer(text)
        if text.strip() in streamed:
            return []
        if len(text) < len(streamed):
            return [Noticed(NoticeLevel.STATUS, text)]
        return [ReasoningDelta(streamed), *self._answer.offer(text)]

    def _add_last_words(self, text: str) -> list[StreamEvent]:
        """Tell what the last status says beside the answer, unless it repeats it; add what it says beyond it."""
        answer = self._answer.text
        if not text.strip() or text.strip() in answer:
            return []
        if text.startswith(answer):
            return self._answer.go_on(text[len(answer) :])
        return [Noticed(NoticeLevel.STATUS, text)]

    def _wait(self, state: TaskState, text: str) -> list[StreamEvent]:
        """End a turn in which the agent asks its user."""
        text, form = split_form_text(text)
        form = form or self._artifacts.form
        is_auth = state is TaskState.AUTH_REQUIRED
        kind = QuestionKind.AUTH if is_auth else QuestionKind.INPUT
        if not text.strip() and form is not None:
            text = form.description or form.title
        if not text.strip() and not self._answer:
            text = self._status.last
        fallback = "The agent needs you to sign in." if is_auth else "The agent waits for your answer."
        return self._end(WaitingForUser(kind, text if text.strip() else fallback, form))

    def _end(self, terminal: TerminalEvent) -> list[StreamEvent]:
        """Return the last events of the turn."""
        self.is_over = True
        failed = isinstance(terminal, Failed | Canceled)
        return [*self._artifacts.release_data(), *self._artifacts.end_tools(failed=failed), terminal]


def _beside(offered: str, answer: str) -> str:
    """Return what status texts said that the answer does not say again.

    Blanks at an end do not count: Strands adds a line break to its answer. ADK's answer is the last of the texts.
    """
    if offered.startswith(answer.rstrip()) or answer.startswith(offered.rstrip()):
        return ""
    return offered.rstrip().removesuffix(answer.strip())


def _problem(state: TaskState, text: str) -> TurnProblem:
    """Return why a task was not done, in the agent's words."""
    if state is TaskState.REJECTED:
        return TurnProblem("agent-rejected", text.strip() or "The agent rejected the task without saying why.")
    return TurnProblem("agent-failed", text.strip() or "The agent failed without saying why.")


def _told_in(history: tuple[WireMessage, ...]) -> str:
    """Return what the agent said after the user's last message."""
    texts: list[str] = []
    for message in history:
        if not message.is_agent:
            texts.clear()
        elif message.text:
            texts.append(message.text)
    return join_texts(texts)
