"""What the agent does while it answers, free of any protocol: one value per thing that can happen.

`a2a_run` turns moves into tasks and artifacts, `openai_routes` into chat chunks. An answer is a sequence of moves that
ends by itself (all was said), with `Ask` (the user's turn) or with `Fail`; nothing follows either of these.
"""

from msgspec import Struct

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.plan import Plan


class Say(Struct, frozen=True):
    """More text of the answer, to be appended verbatim."""

    text: str


class Think(Struct, frozen=True):
    """More reasoning, to be appended verbatim."""

    text: str


class ShowPlan(Struct, frozen=True):
    """The plan is now this, whole."""

    plan: Plan


class ToolBegan(Struct, frozen=True):
    """A tool call began."""

    call_id: str
    name: str
    arguments: str
    """JSON."""


class ToolEnded(Struct, frozen=True):
    """A tool call is over."""

    call_id: str
    name: str
    result: str
    failed: bool = False


class SendFile(Struct, frozen=True):
    """A file for the user."""

    name: str
    media_type: str
    data: bytes


class Hush(Struct, frozen=True):
    """From here on the connection carries nothing, or keepalives only: what a stalled agent looks like."""

    keepalives: bool


class CutLine(Struct, frozen=True):
    """The connections that carry this answer break off without a word; the agent goes on working."""


class Ask(Struct, frozen=True):
    """Last move: the user must answer before the agent goes on."""

    text: str
    form: Form


class Fail(Struct, frozen=True):
    """Last move: the agent says that it failed."""

    message: str


Move = Say | Think | ShowPlan | ToolBegan | ToolEnded | SendFile | Hush | CutLine | Ask | Fail
