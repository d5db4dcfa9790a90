"""What is shown as a line that opens: reasoning, calls of tools, plans."""

import json

from chatforge_tui.domain.part import (
    Part,
    PlanPart,
    ReasoningPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.growing import GrowingText
from chatforge_tui.ui.transcript.ink import MUTED, TEXT, Ink, Span
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.phrases import duration, tool_name
from chatforge_tui.ui.transcript.piece import Fixed, Margin, Piece
from chatforge_tui.ui.transcript.plan_lines import plan_progress, step_spans
from chatforge_tui.ui.transcript.section import FoldingSection, GrowingSource, plain_pieces

_REASONING = Ink("reasoning")
_CODE = Ink("code")


class ReasoningSection(FoldingSection):
    """What the model thought."""

    def __init__(self, part: ReasoningPart) -> None:
        super().__init__(part.index)
        self._received = GrowingSource(part.text)
        self._part = part
        self._text: MarkdownText | None = None

    @property
    def is_running(self) -> bool:
        """Until the time it took is known."""
        return self._part.seconds is None and not self.is_ended

    def title(self, marks: MarkSet) -> list[Span]:
        """Say how long it took or takes."""
        del marks
        if self._part.seconds is not None:
            return [("Reasoning", MUTED), (f"  {duration(self._part.seconds)}", MUTED)]
        if self.is_ended:
            return [("Reasoning", MUTED)]
        return [("Thinking", Ink("accent")), (f"  {self.running_time}", MUTED)]

    def body(self, marks: MarkSet) -> list[Piece]:
        """Lay the text out, muted, beside a line."""
        if self._text is None:
            self._text = MarkdownText(_REASONING, _bar(marks))
            self._received.rewind()
        if text := self._received.take():
            self._text.feed(text)
        if self.is_ended:
            self._text.end()
            return self._text.closed
        return [*self._text.closed, *self._text.open_pieces()]

    def append(self, field: str, text: str) -> None:
        """Add text."""
        del field
        self._received.append(text)

    def replace(self, part: Part) -> bool:
        """Take the time it took."""
        if not isinstance(part, ReasoningPart) or not part.text.startswith(self._received.text):
            return False
        rest = part.text[len(self._received.text) :]
        if rest and self._text is not None and self._text.is_ended:
            return False
        if rest:
            self._received.append(rest)
        self._part = part
        return True

    @property
    def source(self) -> str:
        """The reasoning."""
        return self._received.text


class ToolSection(FoldingSection):
    """One call of a tool: its name and time; unfolded, what it took and gave."""

    def __init__(self, part: ToolPart) -> None:
        super().__init__(part.index)
        self._part = part
        self._texts = {"input": GrowingSource(part.input), "output": GrowingSource(part.output)}
        self._output: GrowingText | None = None
        self._settled: list[Piece] | None = None
        self._frame = 0

    def title(self, marks: MarkSet) -> list[Span]:
        """Name the tool and its state."""
        name = (tool_name(self._part.name), TEXT)
        took: list[Span] = []
        if self._part.seconds is not None:
            took = [(f"  {duration(self._part.seconds)}", MUTED)]
        match self._part.state:
            case ToolState.FAILED:
                return [name, (f"  {marks.failed} failed", Ink("error")), *took]
            case ToolState.DONE:
                return [name, *took]
            case ToolState.RUNNING if self.is_ended:
                return [name, ("  not finished", Ink("warning"))]
            case ToolState.RUNNING:
                spinner = marks.spinner[self._frame % len(marks.spinner)]
                return [name, (f"  {spinner} ", Ink("accent", copy="")), (self.running_time, MUTED)]

    @property
    def is_running(self) -> bool:
        """Until it is done or failed."""
        return self._part.state is ToolState.RUNNING and not self.is_ended

    def tick(self, now: float, frame: int) -> None:
        """Turn the spinner of a running call."""
        super().tick(now, frame)
        self._frame = frame

    def body(self, marks: MarkSet) -> list[Piece]:
        """Show what it took and gave."""
        if self._settled is not None:
            return self._settled
        margin = _bar(marks)
        pieces: list[Piece] = []
        if taken := _readable(self._texts["input"].text):
            pieces += [_label("takes", margin), *plain_pieces(taken, _CODE, margin)]
        if self.is_running:
            return pieces + self._live_output(margin)
        if given := clean(self._texts["output"].text):
            pieces += [_label("gives", margin), *plain_pieces(given, _CODE, margin)]
        self._settled = pieces or [_label("nothing was said", margin)]
        return self._settled

    def _live_output(self, margin: Margin) -> list[Piece]:
        if self._output is None:
            self._output = GrowingText(_CODE, margin)
            self._texts["output"].rewind()
        if text := self._texts["output"].take():
            self._output.feed(clean(text))
        return [_label("gives", margin), self._output] if self._output.source else []

    def append(self, field: str, text: str) -> None:
        """Add to what it takes or gives."""
        if field in self._texts:
            self._texts[field].append(text)
            self._settled = None

    def replace(self, part: Part) -> bool:
        """Take the new state."""
        if not isinstance(part, ToolPart):
            return False
        if (part.input, part.output) != (self._texts["input"].text, self._texts["output"].text):
            self._texts = {"input": GrowingSource(part.input), "output": GrowingSource(part.output)}
            self._output = None
        self._part, self._settled = part, None
        return True

    def end(self) -> None:
        """A call that still runs will not finish."""
        if not self.is_ended:
            self._settled = None
        super().end()

    @property
    def source(self) -> str:
        """Name, input and output."""
        return "\n".join(
            text for text in (self._part.name, self._texts["input"].text, self._texts["output"].text) if text
        )


class PlanSection(FoldingSection):
    """The plan at its place in the answer."""

    def __init__(self, part: PlanPart) -> None:
        super().__init__(part.index)
        self.is_folded = False
        self._part = part
        self._steps: list[Fixed] = []

    def title(self, marks: MarkSet) -> list[Span]:
        """Say how far it is."""
        del marks
        return [("Plan", Ink(bold=True)), (f"  {plan_progress(self._part.plan)}", MUTED)]

    def body(self, marks: MarkSet) -> list[Piece]:
        """One line a step; only steps that changed are laid out again."""
        steps = self._part.plan.steps
        del self._steps[len(steps) :]
        self._steps += [Fixed() for _ in range(len(steps) - len(self._steps))]
        for piece, step in zip(self._steps, steps, strict=True):
            piece.set((("  ", MUTED), *step_spans(step, marks)))
        return list(self._steps)

    def replace(self, part: Part) -> bool:
        """Take the newer plan."""
        if not isinstance(part, PlanPart):
            return False
        self._part = part
        return True

    @property
    def source(self) -> str:
        """The steps' titles."""
        return "\n".join(step.title for step in self._part.plan.steps)


def _label(text: str, margin: Margin) -> Fixed:
    return Fixed((margin.first, (text, MUTED._replace(italic=True))))


def _bar(marks: MarkSet) -> Margin:
    """Return the line beside what a header opened."""
    bar = (f"{marks.upright} ", Ink("frame", copy=""))
    return Margin(bar, bar)


def _readable(arguments: str) -> str:
    """Return JSON arguments spread over lines, anything else as it is; cleaned, what JSON escapes spell out as well."""
    if not arguments.lstrip().startswith(("{", "[")) or len(arguments) > 100_000:
        return clean(arguments)
    try:
        return clean(json.dumps(json.loads(arguments, object_pairs_hook=_each_name_once), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return clean(arguments)


def _each_name_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object's members. Of two with one name a reader would see the last, and the tool may take the first."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members
