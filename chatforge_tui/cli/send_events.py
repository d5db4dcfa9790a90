"""What `send --json` writes: one event a line, each a JSON object.

Pure: changes in, lines out. Names and keys of the events stand in event_table.
"""

from collections.abc import Iterable, Iterator

from chatforge_tui.cli.answer_text import AnswerText
from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartReplaced, PlanRecorded, TextAppended, TurnChange
from chatforge_tui.domain.part import FilePart, NoticePart, Part, QuestionPart, ReasoningPart, ToolPart
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnProblem, TurnState
from chatforge_tui.exchange import json_shapes
from chatforge_tui.exchange.json_shapes import Json

_WITH_LINE = (ToolPart, FilePart, NoticePart, QuestionPart)


def session_event(head: SessionHead) -> Json:
    """Return the first line."""
    return {"event": "session", "session_id": head.session_id, "title": head.title, "endpoint": head.endpoint.name}


def turn_event(turn: Turn) -> Json:
    """Return the line that says that the prompt is on disk."""
    return {"event": "turn", "turn_id": turn.head.turn_id, "request_id": turn.head.request_id}


def end_event(turn: Turn) -> Json:
    """Return the last line."""
    return {"event": "end", **json_shapes.turn_shape(turn)}


def error_event(problem: TurnProblem) -> Json:
    """Return the only line of a command that came to no turn."""
    return {"event": "error", **json_shapes.problem_shape(problem)}


class EventLines:
    """Turns one turn's changes into lines."""

    def __init__(self) -> None:
        self._answer = AnswerText()
        self._reasoning: dict[int, int] = {}
        """Of each reasoning part how many characters were written."""
        self._told: dict[int, Part] = {}
        """Of each part that has a line of its own what the last one said."""
        self._state: TurnState | None = None

    def of(self, changes: Iterable[TurnChange]) -> Iterator[Json]:
        """Yield the lines for some changes of the turn."""
        for change in changes:
            yield from self._answer_lines(change)
            match change:
                case HeadChanged(head) if head.state is not self._state:
                    self._state = head.state
                    yield {"event": "state", "state": head.state.value}
                case PlanRecorded(_, plan):
                    yield {"event": "plan", **json_shapes.plan_shape(plan)}
                case PartAdded(part) | PartReplaced(part):
                    yield from self._part_lines(part)
                case TextAppended(index, text, field):
                    yield from self._growth_lines(index, text, field)
                case _:
                    pass

    def rest(self, turn: Turn) -> Iterator[Json]:
        """Yield the lines for what only the turn's end brought: its question, a warning, calls that ended with it."""
        for part in turn.parts:
            if isinstance(part, _WITH_LINE) and self._told.get(part.index) != part:
                yield from self._part_lines(part)

    def _answer_lines(self, change: TurnChange) -> Iterator[Json]:
        text = self._answer.apply([change])
        if self._answer.is_replaced:
            yield {"event": "answer", "text": self._answer.start_over()}
        elif text:
            yield {"event": "text", "text": text}

    def _part_lines(self, part: Part) -> Iterator[Json]:
        self._told[part.index] = part
        match part:
            case ReasoningPart():
                yield from self._reasoning_lines(part.index, part.text[self._reasoning.get(part.index, 0) :])
            case ToolPart():
                yield {"event": "tool", "call_id": part.call_id, **json_shapes.tool_shape(part)}
            case FilePart():
                yield _file_event(part)
            case NoticePart():
                yield {"event": "notice", "level": part.level.value, "text": part.text}
            case QuestionPart():
                yield _question_event(part)
            case _:
                pass

    def _growth_lines(self, index: int, text: str, field: str) -> Iterator[Json]:
        if index in self._reasoning and field == "text":
            yield from self._reasoning_lines(index, text)

    def _reasoning_lines(self, index: int, text: str) -> Iterator[Json]:
        self._reasoning[index] = self._reasoning.get(index, 0) + len(text)
        if text:
            yield {"event": "reasoning", "text": text}


def _file_event(part: FilePart) -> Json:
    size = len(part.data) if part.data is not None else None
    return {"event": "file", "name": part.name, "media_type": part.media_type, "url": part.url, "bytes": size}


def _question_event(part: QuestionPart) -> Json:
    return {"event": "question", **json_shapes.question_shape(part)}
