"""What an endpoint says while it answers one request: the protocol-neutral stream events.

An endpoint yields these in the order in which the server sent them. Exactly one terminal event ends a stream
(`Finished`, `WaitingForUser`, `Canceled`, `Failed`), and nothing follows it. A stream that ends without one was
interrupted; a transport error is raised as an `errors.EndpointError`, never yielded.
"""

from msgspec import Struct

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.part import NoticeLevel, QuestionKind
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.turn import TurnProblem, Usage


class Accepted(Struct, frozen=True, gc=False):
    """The server accepted the request: a stream, or an answer, follows. From here on nothing is retried unasked."""

    protocol: str
    """For people: "a2a 1.0", "openai-chat"."""
    agent: str = ""
    """The agent's name or the model's."""


class TaskBound(Struct, frozen=True, gc=False):
    """The agent named the task or context. Saved to disk at once."""

    task_id: TaskId | None
    context_id: ContextId | None


class TextDelta(Struct, frozen=True, gc=False):
    """More text of the answer, to be appended verbatim. Never empty."""

    text: str


class TextBegun(Struct, frozen=True, gc=False):
    """Another text of the answer begins, as of an artifact of its own: what comes next is not more of the one before."""


class TextInserted(Struct, frozen=True, gc=False):
    """More text of the answer, not at its end: what stands behind `offset` characters of it comes after this. Never empty."""

    offset: int
    text: str


class TextReplaced(Struct, frozen=True, gc=False):
    """The whole answer is exactly this: what was streamed so far is superseded."""

    text: str


class ReasoningDelta(Struct, frozen=True, gc=False):
    """More reasoning. Never empty."""

    text: str


class ToolStarted(Struct, frozen=True, gc=False):
    """A tool call began."""

    call_id: str
    name: str


class ToolInputDelta(Struct, frozen=True, gc=False):
    """More of a call's arguments. A call id not seen before is a call whose start was lost: it is begun."""

    call_id: str
    text: str


class ToolOutputDelta(Struct, frozen=True, gc=False):
    """More of a call's output. Unknown call ids as in ToolInputDelta."""

    call_id: str
    text: str


class ToolEnded(Struct, frozen=True, gc=False):
    """A call is over."""

    call_id: str
    failed: bool = False


class PlanUpdated(Struct, frozen=True, gc=False):
    """The plan is now this, whole."""

    plan: Plan


class FileOffered(Struct, frozen=True, gc=False):
    """The agent hands over a file, inline or by URL."""

    name: str
    media_type: str = ""
    url: str = ""
    data: bytes | None = None


class Noticed(Struct, frozen=True, gc=False):
    """A line beside the answer. Consecutive STATUS lines replace nothing: each is kept."""

    level: NoticeLevel
    text: str


class UsageReported(Struct, frozen=True, gc=False):
    """What the turn cost so far; a later report replaces an earlier one."""

    usage: Usage


class StillAlive(Struct, frozen=True, gc=False):
    """Bytes without content (an SSE comment, a ping): the connection lives, the agent may not."""


class Finished(Struct, frozen=True, gc=False):
    """Terminal: the protocol's own marker of a complete answer."""

    reason: str = ""
    """The endpoint's word: "stop", "length", "completed"."""


class WaitingForUser(Struct, frozen=True, gc=False):
    """Terminal: the agent needs the user before it goes on."""

    kind: QuestionKind
    text: str
    form: Form | None = None


class Canceled(Struct, frozen=True, gc=False):
    """Terminal: the agent says that the task was canceled."""

    message: str = ""


class Failed(Struct, frozen=True, gc=False):
    """Terminal: the agent says that it failed."""

    problem: TurnProblem


TerminalEvent = Finished | WaitingForUser | Canceled | Failed
TERMINAL_EVENTS = (Finished, WaitingForUser, Canceled, Failed)
"""The same for `isinstance`, which is asked for each event of a stream and takes a third of the time with a tuple."""
StreamEvent = (
    Accepted
    | TaskBound
    | TextDelta
    | TextBegun
    | TextInserted
    | TextReplaced
    | ReasoningDelta
    | ToolStarted
    | ToolInputDelta
    | ToolOutputDelta
    | ToolEnded
    | PlanUpdated
    | FileOffered
    | Noticed
    | UsageReported
    | StillAlive
    | TerminalEvent
)
