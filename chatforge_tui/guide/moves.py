"""What the agent does while it answers, free of any protocol: one value per thing that can happen.

`a2a_run` turns moves into tasks and artifacts, `openai_routes` into chat chunks. An answer is a sequence of moves that
ends by itself (all was said), with `Ask` (the user's turn) or with `Fail`; nothing follows either of these.
"""

from dataclasses import dataclass

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.plan import Plan


@dataclass(frozen=True, slots=True)
class Say:
    """More text of the answer, to be appended verbatim."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """More reasoning, to be appended verbatim."""

    text: str


@dataclass(frozen=True, slots=True)
class ShowPlan:
    """The plan is now this, whole."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class ToolBegan:
    """A tool call began."""

    call_id: str
    name: str
    arguments: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A tool call is over."""

    call_id: str
    name: str
    result: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SendFile:
    """A file for the user."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Hush:
    """From here on the connection carries nothing, or keepalives only: what a stalled agent looks like."""

    keepalives: bool


@dataclass(frozen=True, slots=True)
class CutLine:
    """The connections that carry this answer break off without a word; the agent goes on working."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Last move: the user must answer before the agent goes on."""

    text: str
    form: Form


@dataclass(frozen=True, slots=True)
class Fail:
    """Last move: the agent says that it failed."""

    message: str


Move = Say | Think | ShowPlan | ToolBegan | ToolEnded | SendFile | Hush | CutLine | Ask | Fail
