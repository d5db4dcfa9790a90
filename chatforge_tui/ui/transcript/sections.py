"""What a turn is made of on the screen: one section for each part of the answer, each a list of pieces.

A section takes the changes of its part and hands out pieces; it never looks at a width. Text that arrives is only kept
until someone asks for the pieces, so a transcript that nobody looks at costs nothing but its text.
"""

import json
from abc import ABC, abstractmethod

from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    Part,
    PlanPart,
    QuestionKind,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.safety.clean import clean, clean_line, clean_name
from chatforge_tui.safety.urls import judge_link
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.growing import GrowingText
from chatforge_tui.ui.transcript.ink import MUTED, TEXT, Ink, Span
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.phrases import duration, size_of, tool_name
from chatforge_tui.ui.transcript.piece import Fixed, Margin, Piece, PlainPiece
from chatforge_tui.ui.transcript.plan_lines import plan_progress, step_spans

ROWS_IN_A_PIECE = 200
"""Lines of plain text that are laid out together."""

_REASONING = Ink("reasoning")
_CODE = Ink("code")


class Section(ABC):
    """One part on the screen."""

    is_foldable = False

    def __init__(self, index: int) -> None:
        self.index = index
        """The part's index."""
        self.is_folded = False
        self.is_ended = False

    @property
    def is_one_line(self) -> bool:
        """Whether it stands close to its neighbours of the same kind."""
        return False

    @abstractmethod
    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Return what is shown now."""

    @abstractmethod
    def replace(self, part: Part) -> bool:
        """Take a new state of the part; False when it must be built anew."""

    def append(self, field: str, text: str) -> None:
        """Take more text of the part; most parts never get any."""
        del field, text

    def end(self) -> None:
        """No more changes come."""
        self.is_ended = True

    @property
    def is_running(self) -> bool:
        """Whether it counts seconds."""
        return False

    def tick(self, now: float, frame: int) -> None:
        """Update what counts seconds; called only while it runs."""
        del now, frame

    @property
    @abstractmethod
    def source(self) -> str:
        """The text as received, for copying and searching."""


class GrowingSource:
    """Text as received, in the chunks it came in."""

    def __init__(self, text: str = "") -> None:
        self._chunks = [text] if text else []
        self._taken = 0

    def append(self, text: str) -> None:
        """Add a chunk."""
        self._chunks.append(text)

    def take(self) -> str:
        """Return what was added since the last call."""
        if self._taken == len(self._chunks):
            return ""
        text = "".join(self._chunks[self._taken :])
        self._taken = len(self._chunks)
        return text

    def rewind(self) -> None:
        """Let `take` begin anew."""
        self._taken = 0

    @property
    def text(self) -> str:
        """All of it."""
        if len(self._chunks) > 1:
            whole = "".join(self._chunks)
            if self._taken == len(self._chunks):
                self._chunks, self._taken = [whole], 1
            return whole
        return self._chunks[0] if self._chunks else ""


class TextSection(Section):
    """Text of the answer."""

    def __init__(self, part: TextPart) -> None:
        super().__init__(part.index)
        self._received = GrowingSource(part.text)
        self._is_hidden = part.is_plan_source
        self._text = MarkdownText()
        self._is_fed = False

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Return the closed blocks and the open end."""
        del marks
        if self._is_hidden:
            return []
        open_pieces = self.update()
        return [*self._text.closed, *open_pieces]

    def update(self) -> list[Piece]:
        """Read what has arrived; return the pieces after the closed ones."""
        text = self._received.take()
        if self.is_ended and not self._is_fed:
            self._text.load(text)
        elif text:
            self._text.feed(text)
        self._is_fed = True
        if self.is_ended:
            self._text.end()
            return []
        return self._text.open_pieces()

    @property
    def closed(self) -> list[Piece]:
        """The pieces that will not change any more; it only grows."""
        return self._text.closed

    def append(self, field: str, text: str) -> None:
        """Add text."""
        del field
        self._received.append(text)

    def replace(self, part: Part) -> bool:
        """Stay as it is when only the end is new."""
        if not isinstance(part, TextPart) or part.is_plan_source != self._is_hidden:
            return False
        text = self._received.text
        if not part.text.startswith(text) or (self.is_ended and len(part.text) > len(text)):
            return False
        if rest := part.text[len(text) :]:
            self._received.append(rest)
        return True

    @property
    def source(self) -> str:
        """The Markdown; empty for text that is shown as a plan."""
        return "" if self._is_hidden else self._received.text

    @property
    def is_live(self) -> bool:
        """Whether a cursor stands at its end."""
        return not (self.is_ended or self._is_hidden)


class FoldingSection(Section):
    """A header that opens and closes what is below it."""

    is_foldable = True

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.is_folded = True
        self.header = Fixed()
        self._began: float | None = None
        self._seconds = 0.0

    @property
    def is_one_line(self) -> bool:
        """Folded it is."""
        return self.is_folded

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Return the header and, unfolded, the body."""
        arrow = marks.folded if self.is_folded else marks.unfolded
        self.header.set(
            tuple(
                (text, ink._replace(act="fold", copy=ink.copy if index else ""))
                for index, (text, ink) in enumerate([(f"{arrow} ", MUTED), *self.title(marks)])
            )
        )
        return [self.header] if self.is_folded else [self.header, *self.body(marks)]

    @abstractmethod
    def title(self, marks: MarkSet) -> list[Span]:
        """Return the header's words."""

    @abstractmethod
    def body(self, marks: MarkSet) -> list[Piece]:
        """Return what the header hides."""

    def tick(self, now: float, frame: int) -> None:
        """Count the seconds of something that runs."""
        del frame
        if self._began is None:
            self._began = now
        self._seconds = now - self._began

    @property
    def running_time(self) -> str:
        """How long it has run, in whole seconds: it changes once a second."""
        return f"{int(self._seconds)} s"


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
        if taken := clean(self._texts["input"].text):
            pieces += [_label("takes", margin), *plain_pieces(_readable(taken), _CODE, margin)]
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


class FileSection(Section):
    """A file that the agent offers: named, never fetched."""

    def __init__(self, part: FilePart) -> None:
        super().__init__(part.index)
        self._part = part
        self._piece = Fixed()

    @property
    def is_one_line(self) -> bool:
        """One line a file."""
        return True

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Name, kind and size, and where it leads."""
        part = self._part
        name = clean_name(part.name) or "file"
        link = judge_link(part.url) if part.url else None
        ink = Ink("link", underline=True, link=link.url) if link else Ink(bold=True)
        facts = [clean_name(part.media_type), size_of(part.data), clean_name(link.origin.host if link else part.url)]
        told = f" {marks.dot} ".join(fact for fact in facts if fact)
        spans: list[Span] = [("File ", MUTED), (name, ink)]
        if told:
            spans.append((f"  {told}", MUTED))
        self._piece.set(tuple(spans))
        return [self._piece]

    def replace(self, part: Part) -> bool:
        """Take the new file."""
        if not isinstance(part, FilePart):
            return False
        self._part = part
        return True

    @property
    def source(self) -> str:
        """Name and address."""
        return f"{self._part.name} {self._part.url}".strip()


class QuestionSection(Section):
    """What the agent asks."""

    def __init__(self, part: QuestionPart) -> None:
        super().__init__(part.index)
        self._part = part
        self._pieces: list[Piece] | None = None

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """The question, marked, and the names of the fields to fill in."""
        if self._pieces is None:
            text = MarkdownText()
            text.feed(self._part.text)
            text.end()
            words = "The agent needs you to sign in" if self._part.kind is QuestionKind.AUTH else "The agent asks"
            mark = Fixed(((f"{marks.waiting} ", Ink("warning", copy="")), (words, Ink("warning", bold=True))))
            self._pieces = [mark, *text.closed, *self._fields(marks)]
        return self._pieces

    def _fields(self, marks: MarkSet) -> list[Piece]:
        form = self._part.form
        if form is None:
            return []
        pieces: list[Piece] = []
        for field in form.fields:
            spans: list[Span] = [(f"  {marks.dot} ", MUTED), (clean_line(field.label or field.name), TEXT)]
            if field.required:
                spans.append(("  required", MUTED))
            pieces.append(Fixed(tuple(spans)))
        return pieces

    def replace(self, part: Part) -> bool:
        """Ask anew."""
        if not isinstance(part, QuestionPart):
            return False
        self._part, self._pieces = part, None
        return True

    @property
    def source(self) -> str:
        """The question."""
        return self._part.text


class NoticeSection(Section):
    """A line beside the answer."""

    def __init__(self, part: NoticePart) -> None:
        super().__init__(part.index)
        self._part = part
        self._added: list[str] = []
        self._piece = PlainPiece("", MUTED)
        self._shown: tuple[object, ...] = ()

    @property
    def is_one_line(self) -> bool:
        """Notices stand close."""
        return True

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """The words, with a mark for how loud they are."""
        text = clean(self.source).strip("\n")
        shown = (self._part.level, text, marks)
        if shown != self._shown:
            self._shown = shown
            mark, ink = {
                NoticeLevel.STATUS: (marks.dot, MUTED),
                NoticeLevel.INFO: (marks.dot, TEXT),
                NoticeLevel.WARNING: (marks.interrupted, Ink("warning")),
            }[self._part.level]
            margin = Margin((f"{mark} ", ink._replace(copy="")), ("  ", ink._replace(copy="")))
            self._piece = PlainPiece(text, ink, margin)
        return [self._piece]

    def append(self, field: str, text: str) -> None:
        """Add words."""
        del field
        self._added.append(text)

    def replace(self, part: Part) -> bool:
        """Take the new words."""
        if not isinstance(part, NoticePart):
            return False
        self._part, self._added = part, []
        return True

    @property
    def source(self) -> str:
        """The words."""
        return self._part.text + "".join(self._added)


def section_of(part: Part) -> Section:
    """Return a new section for a part."""
    match part:
        case TextPart():
            return TextSection(part)
        case ReasoningPart():
            return ReasoningSection(part)
        case ToolPart():
            return ToolSection(part)
        case PlanPart():
            return PlanSection(part)
        case FilePart():
            return FileSection(part)
        case QuestionPart():
            return QuestionSection(part)
        case NoticePart():
            return NoticeSection(part)


def plain_pieces(text: str, ink: Ink, margin: Margin | None = None) -> list[Piece]:
    """Return cleaned plain text in pieces of so many lines that each is laid out at once."""
    rows = text.removesuffix("\n").split("\n")
    return [
        PlainPiece("\n".join(rows[begin : begin + ROWS_IN_A_PIECE]), ink, margin)
        for begin in range(0, len(rows), ROWS_IN_A_PIECE)
    ]


def _label(text: str, margin: Margin) -> Fixed:
    return Fixed((margin.first, (text, MUTED._replace(italic=True))))


def _bar(marks: MarkSet) -> Margin:
    """Return the line beside what a header opened."""
    bar = (f"{marks.upright} ", Ink("frame", copy=""))
    return Margin(bar, bar)


def _readable(arguments: str) -> str:
    """Return JSON arguments spread over lines; anything else as it is."""
    if not arguments.lstrip().startswith(("{", "[")) or len(arguments) > 100_000:
        return arguments
    try:
        return json.dumps(json.loads(arguments), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments
