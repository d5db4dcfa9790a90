"""Everything about one session's live request: its turn, its token, its growing parts, its plans.

Takes stream events with the time at which they came and returns what changed; looks at no clock, knows no network and
no disk. One per live request, never shared: what belongs to a session cannot reach another through here.
"""

from collections.abc import Iterable, Iterator
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PlanRecorded, TextAppended, TextField, TurnChange
from chatforge_tui.domain.events import (
    Accepted,
    Canceled,
    Failed,
    FileOffered,
    Finished,
    Noticed,
    PlanUpdated,
    ReasoningDelta,
    StillAlive,
    StreamEvent,
    TaskBound,
    TextBegun,
    TextDelta,
    TextInserted,
    TextReplaced,
    ToolEnded,
    ToolInputDelta,
    ToolOutputDelta,
    ToolStarted,
    UsageReported,
    WaitingForUser,
)
from chatforge_tui.domain.ids import RequestId, TaskId
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    PlanPart,
    QuestionPart,
    ReasoningPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.turn import Turn, TurnHead, TurnProblem, TurnState
from chatforge_tui.streaming.answer_text import AnswerText
from chatforge_tui.streaming.cancellation import CancellationToken
from chatforge_tui.streaming.execution_plan_state import ExecutionPlanState
from chatforge_tui.streaming.live_parts import LiveParts
from chatforge_tui.streaming.outcome import Outcome
from chatforge_tui.streaming.retelling import Retelling

MAX_TURN = 64 * 1024 * 1024
"""Characters of text and bytes of files that one turn may bring."""


class StreamingState(Struct, gc=False, eq=False):
    """A live turn. `StreamingState.begin` makes one, `apply` while it streams, `end` once."""

    head: TurnHead
    token: CancellationToken
    plans: ExecutionPlanState
    _parts: LiveParts
    _text: AnswerText
    _plan_index: int | None = None
    _reasoning: int | None = None
    _tools: dict[str, int] | None = None
    _began: dict[int, float] | None = None
    """When each reasoning and tool part that is still running began."""
    _retold: Retelling | None = None
    """What was there before the connection was lost, once it is told again."""

    @classmethod
    def begin(cls, head: TurnHead, *, limit: int = MAX_TURN) -> Self:
        """Return a turn without an answer.

        Args:
            head: the turn, with the id of the request that is to answer it.
            limit: characters of text and bytes of files, > 0, that it may bring.
        """
        parts, plans = LiveParts(limit), ExecutionPlanState()
        return cls(head, CancellationToken(), plans, parts, AnswerText(parts, plans))

    def snapshot(self) -> Turn:
        """Return the turn as it is now. Linear in what was appended since the last time."""
        return Turn(self.head, self._parts.snapshot(), self.plans.history)

    def place(self, ordinal: int, answers_task: TaskId | None) -> None:
        """Give the turn its place in the session, and the waiting task that its prompt answers."""
        self.head = replace(self.head, ordinal=ordinal, answers_task=answers_task)

    def take_over(self, turn: Turn) -> tuple[TurnChange, ...]:
        """Go on with a turn that was stored, in a state without parts. The head here is the newer one."""
        self._parts.take_over(turn.parts)
        self.plans.take_over(turn.plans)
        for part in turn.parts:
            match part:
                case ToolPart():
                    self._tools = self._tools or {}
                    self._tools[part.call_id] = part.index
                case PlanPart():
                    self._plan_index = part.index
                case _:
                    pass
        if turn.parts and isinstance(last := turn.parts[-1], ReasoningPart) and last.seconds is None:
            self._reasoning = last.index
        return tuple(self._with_plans(self._text.take_over()))

    def retell(self) -> None:
        """Expect the turn to be told once more from its beginning: what is there already is not doubled."""
        self._retold = Retelling(self._parts.snapshot(), self.plans.history)
        self._text.retell()

    def connecting(self) -> HeadChanged:
        """Note that the request leaves."""
        return self._set(replace(self.head, state=TurnState.CONNECTING, retry_at=None, problem=None))

    def pausing(self, retry_at: float, why: TurnProblem) -> HeadChanged:
        """Note that the next try begins at `retry_at` (Unix seconds), and why there is one."""
        return self._set(replace(self.head, state=TurnState.CONNECTING, retry_at=retry_at, problem=why))

    def retrying(self, request_id: RequestId) -> HeadChanged:
        """Begin the next try: from now on only this request's events count."""
        return self._set(replace(self.head, request_id=request_id, retry_at=None, problem=None))

    def apply(self, event: StreamEvent, now: float) -> tuple[TurnChange, ...]:
        """Take one event of the stream that came at `now` (Unix seconds). A terminal one is for `end`: no change here.

        Raises:
            LimitExceeded: the turn is larger than its limit.
        """
        if type(event) is TextDelta and (growth := self.grow(event.text)) is not None:
            return (growth,)
        return tuple(self._changes(event, now))

    def grow(self, text: str) -> TextAppended | None:
        """Take text that makes the open part longer and does nothing else, as nearly all does.

        Returns:
            What changed; None when the text is more than that: then nothing was done, and it is for `apply`.

        Raises:
            LimitExceeded: the turn is larger than its limit.
        """
        if not text or self._reasoning is not None or self._retold is not None or self.head.first_output is None:
            return None
        return self._text.grow(text)

    def end(self, outcome: Outcome, now: float) -> Turn:
        """Close whatever is open and return the turn as it ended. The head here stays live until that is durable."""
        done = outcome.state in {TurnState.COMPLETE, TurnState.WAITING}
        if done:
            self._conclude(self._settle())
        self._conclude(self._text.close())
        self._conclude(self._end_reasoning(now))
        for call_id in list(self._tools or ()):
            self._conclude(self._end_tool(ToolEnded(call_id, failed=not done), now, overtaken=True))
        if outcome.warning:
            self._parts.add(NoticePart(self._parts.next_index, NoticeLevel.WARNING, outcome.warning))
        if (asked := outcome.question) is not None:
            self._ask(QuestionPart(self._parts.next_index, asked.kind, asked.text, asked.form))
        head = replace(
            self.head,
            state=outcome.state,
            ended=now,
            retry_at=None,
            finish_reason=outcome.finish_reason,
            problem=outcome.problem,
        )
        return Turn(head, self._parts.snapshot(), self.plans.history)

    def _ask(self, question: QuestionPart) -> None:
        """Add what the agent asks, unless it is what the turn ends with already: its task was only looked at again."""
        last = next(reversed(self._parts.snapshot()), None)
        if last is None or replace(question, index=last.index) != last:
            self._parts.add(question)

    def _changes(self, event: StreamEvent, now: float) -> Iterator[TurnChange]:
        # By keyword: a pattern by position makes a text of 63 bytes each time, of which Python 3.11 keeps some thousands.
        match event:
            case TextDelta() | TextInserted() | TextReplaced():
                yield from self._answer(event, now)
            case TextBegun():
                self._text.begin_another()
            case ReasoningDelta(text=text) if text:
                yield from self._output(now)
                yield from self._reason(text, now)
            case ToolStarted() | ToolInputDelta() | ToolOutputDelta() | ToolEnded():
                yield from self._after_reasoning(self._tool(event, now), now)
            case PlanUpdated(plan=plan):
                yield from self._output(now)
                yield from self._plan(plan)
            case FileOffered():
                file = FilePart(self._parts.next_index, event.name, event.media_type, event.url, event.data)
                yield from self._after_reasoning(self._beside(file), now)
            case Noticed(level=level, text=text):
                yield from self._beside(NoticePart(self._parts.next_index, level, text))
            case Accepted() | TaskBound() | UsageReported():
                yield from self._about(event, now)
            case (
                TextDelta()
                | TextInserted()
                | ReasoningDelta()
                | StillAlive()
                | Finished()
                | WaitingForUser()
                | Canceled()
                | Failed()
            ):
                pass

    def _answer(self, event: TextDelta | TextInserted | TextReplaced, now: float) -> Iterator[TurnChange]:
        """Take text of the answer."""
        match event:
            case TextDelta(text=text):
                told = self._text.extend(text) if text else None
            case TextInserted(offset=offset, text=text):
                told = self._text.insert(offset, text) if text else None
            case TextReplaced(text=text):
                told = self._text.replace(text)
        if told is not None:
            yield from self._after_reasoning(self._with_plans(told), now)

    def _about(self, event: Accepted | TaskBound | UsageReported, now: float) -> Iterator[TurnChange]:
        """Take what changes nothing but the head."""
        match event:
            case Accepted(protocol=protocol, agent=agent):
                accepted = now if self.head.accepted is None else self.head.accepted
                agent = agent or self.head.agent
                state = TurnState.STREAMING
                head = replace(self.head, state=state, accepted=accepted, protocol=protocol, agent=agent)
            case TaskBound(task_id=task_id):
                head = replace(self.head, task_id=task_id or self.head.task_id)
            case UsageReported(usage=usage):
                head = replace(self.head, usage=usage)
        if head != self.head:
            yield self._set(head)

    def _output(self, now: float) -> Iterator[TurnChange]:
        """Note the first sign of an answer."""
        if self.head.first_output is None:
            yield self._set(replace(self.head, first_output=now))

    def _beside(self, part: FilePart | NoticePart) -> Iterator[TurnChange]:
        """Add what is no text, unless it was there already."""
        if self._retold is not None and self._retold.knows(part):
            return
        if isinstance(part, FilePart):
            self._text.break_off()
        yield self._parts.add(part)

    def _after_reasoning(self, changes: Iterable[TurnChange], now: float) -> Iterator[TurnChange]:
        """Tell what is no reasoning: it ends the reasoning before it, unless it changes nothing or is told again."""
        found = tuple(changes)
        yield from self._output(now)
        if found and not (self._retold is not None and self._retold.awaits_reasoning):
            yield from self._end_reasoning(now)
        yield from found

    def _reason(self, text: str, now: float) -> Iterator[TurnChange]:
        if self._retold is not None:
            text = self._retold.new_reasoning(text)
            if not text:
                return
        if self._reasoning is not None:
            yield self._parts.append(self._reasoning, text)
            return
        self._text.break_off()
        self._reasoning = self._parts.next_index
        self._note_began(self._reasoning, now)
        yield self._parts.add(ReasoningPart(self._reasoning, text))

    def _end_reasoning(self, now: float) -> Iterator[TurnChange]:
        if self._reasoning is not None:
            part = self._parts.get(self._reasoning)
            seconds = self._seconds(self._reasoning, now)
            self._reasoning = None
            if isinstance(part, ReasoningPart):
                yield self._parts.replace(replace(part, seconds=seconds))

    def _tool(
        self, event: ToolStarted | ToolInputDelta | ToolOutputDelta | ToolEnded, now: float
    ) -> Iterator[TurnChange]:
        name = event.name if isinstance(event, ToolStarted) else ""
        known = (self._tools or {}).get(event.call_id)
        if known is None:
            yield self._begin_tool(event.call_id, name, now)
        elif isinstance(part := self._parts.get(known), ToolPart):
            yield from self._begin_tool_again(part, name)
        match event:
            case ToolInputDelta(text=text) if text:
                yield from self._grow_tool(event.call_id, text, "input")
            case ToolOutputDelta(text=text) if text:
                yield from self._grow_tool(event.call_id, text, "output")
            case ToolEnded():
                yield from self._end_tool(event, now)
            case _:
                pass

    def _begin_tool(self, call_id: str, name: str, now: float) -> TurnChange:
        self._text.break_off()
        index = self._parts.next_index
        self._tools = self._tools or {}
        self._tools[call_id] = index
        self._note_began(index, now)
        return self._parts.add(ToolPart(index, call_id, name))

    def _begin_tool_again(self, part: ToolPart, name: str) -> Iterator[TurnChange]:
        """Take another start of a known call: its name, and that an end which only the lost connection made is none."""
        begun = replace(part, name=name or part.name)
        if self._retold is not None and self._retold.takes_up(part):
            begun = replace(begun, state=ToolState.RUNNING)
        if begun != part:
            yield self._parts.replace(begun)

    def _grow_tool(self, call_id: str, text: str, field: TextField) -> Iterator[TurnChange]:
        index = (self._tools or {})[call_id]
        echo = self._retold.tool(call_id, field) if self._retold is not None else None
        fresh = echo.hear(text) if echo is not None else text
        if fresh:
            yield self._parts.append(index, fresh, field)
        elif fresh is None and echo is not None and self._retold is not None:
            self._retold.forget_tool(call_id, field)
            part, told = self._parts.get(index), echo.told + text
            if isinstance(part, ToolPart):
                yield self._parts.replace(replace(part, input=told) if field == "input" else replace(part, output=told))

    def _end_tool(self, event: ToolEnded, now: float, *, overtaken: bool = False) -> Iterator[TurnChange]:
        """End a call. One that the turn's end overtook was done if the turn was; one that has ended is left alone."""
        part = self._parts.get((self._tools or {})[event.call_id])
        state = ToolState.FAILED if event.failed else ToolState.DONE
        if isinstance(part, ToolPart) and (
            part.state is ToolState.RUNNING or (part.state is not state and not overtaken)
        ):
            seconds = part.seconds if part.seconds is not None else self._seconds(part.index, now)
            yield self._parts.replace(replace(part, state=state, seconds=seconds))

    def _with_plans(self, found: Iterable[TurnChange | Plan]) -> Iterator[TurnChange]:
        """Record the plans among what the answer's text brought."""
        for item in found:
            if isinstance(item, Plan):
                yield from self._plan(item, may_be_known=self._text.is_reread)
            else:
                yield item

    def _settle(self) -> Iterator[TurnChange]:
        """Let what was told again stand for what was there before, now that the agent has said its last word."""
        yield from self._with_plans(self._text.settle())
        self._retold = None

    def _plan(self, plan: Plan, *, may_be_known: bool = True) -> Iterator[TurnChange]:
        """Record a plan. One in text that goes beyond the known text is not one that is told again."""
        if self._retold is not None and self._retold.knows_plan(plan) and may_be_known:
            return
        sequence = self.plans.record(plan)
        if sequence is None:
            return
        if self._plan_index is None:
            self._plan_index = self._parts.next_index
            yield self._parts.add(PlanPart(self._plan_index, plan))
        else:
            yield self._parts.replace(PlanPart(self._plan_index, plan))
        yield PlanRecorded(sequence, plan)

    def _set(self, head: TurnHead) -> HeadChanged:
        self.head = head
        return HeadChanged(head)

    def _note_began(self, index: int, now: float) -> None:
        self._began = self._began or {}
        self._began[index] = now

    def _seconds(self, index: int, now: float) -> float | None:
        began = (self._began or {}).pop(index, None)
        return None if began is None else max(0.0, now - began)

    def _conclude(self, changes: Iterable[object]) -> None:
        """Carry out changes that nobody is told of singly: they reach everyone with the turn's end."""
        for _ in changes:
            pass
