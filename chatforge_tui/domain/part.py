"""The pieces an answer is made of, in the order in which they began.

Each part carries its `index`: a number that stays its own while it lives, counted up from 0 within its turn. A part
can be dropped (see `changes.PartDropped`), so indexes may have gaps; they never change and are never used twice.
All text is as received, byte for byte after UTF-8 decoding: cleaning is for screens and logs.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.plan import Plan


class ToolState(StrEnum):
    """Where a tool call stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class QuestionKind(StrEnum):
    """Why an agent waits for its user."""

    INPUT = "input"
    AUTH = "auth"


class NoticeLevel(StrEnum):
    """How loud a notice is. STATUS is what the agent says it is doing; the others are ChatForge's own words."""

    STATUS = "status"
    INFO = "info"
    WARNING = "warning"


class TextPart(Struct, frozen=True, gc=False):
    """Text of the answer (Markdown)."""

    index: int
    text: str
    is_plan_source: bool = False
    """The text is a plan written between U+27E6 and U+27E7 that has been captured as a PlanPart: part of the answer,
    not shown a second time."""
    is_separate: bool = False
    """It is another text than the one before it, as an artifact of its own: see `readable`."""


class ReasoningPart(Struct, frozen=True, gc=False):
    """What the model thought before it answered."""

    index: int
    text: str
    seconds: float | None = None
    """How long it took, once it is over."""


class ToolPart(Struct, frozen=True, gc=False):
    """One call of a tool by the agent."""

    index: int
    call_id: str
    """Unique within the turn; made up by the adapter where the protocol has none."""
    name: str
    state: ToolState = ToolState.RUNNING
    input: str = ""
    """Arguments as the agent wrote them: often JSON, not necessarily valid."""
    output: str = ""
    seconds: float | None = None


class PlanPart(Struct, frozen=True, gc=False):
    """The place of the plan within the answer, with its newest state. One a turn."""

    index: int
    plan: Plan


class FilePart(Struct, frozen=True, gc=False):
    """A file that the agent offers. Nothing is fetched or written by itself."""

    index: int
    name: str
    media_type: str = ""
    url: str = ""
    """Where it is, when it did not come inline."""
    data: bytes | None = None
    """Its content, when it came inline."""


class QuestionPart(Struct, frozen=True, gc=False):
    """The agent asks, and waits."""

    index: int
    kind: QuestionKind
    text: str
    form: Form | None = None


class NoticePart(Struct, frozen=True, gc=False):
    """A line beside the answer: never part of it."""

    index: int
    level: NoticeLevel
    text: str


Part = TextPart | ReasoningPart | ToolPart | PlanPart | FilePart | QuestionPart | NoticePart

SEPARATION = "\n\n"
"""What goes between separate texts where an answer leaves as one text."""


def readable(parts: Iterable[Part]) -> str:
    """Return the text of an answer for people and models: separate texts are paragraphs, all else is as received."""
    texts = (part for part in parts if isinstance(part, TextPart))
    return "".join(SEPARATION + part.text if part.is_separate else part.text for part in texts)
