"""What an endpoint says while it answers one request: the protocol-neutral stream events.

An endpoint yields these in the order in which the server sent them. Exactly one terminal event ends a stream
(`Finished`, `WaitingForUser`, `Canceled`, `Failed`), and nothing follows it. A stream that ends without one was
interrupted; a transport error is raised as an `errors.EndpointError`, never yielded.
"""

from dataclasses import dataclass

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.part import NoticeLevel, QuestionKind
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.turn import TurnProblem, Usage


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server accepted the request: a stream, or an answer, follows. From here on nothing is retried unasked."""

    protocol: str
    """For people: "a2a 1.0", "openai-chat"."""
    agent: str = ""
    """The agent's name or the model's."""


@dataclass(frozen=True, slots=True)
class TaskBound:
    """The agent named the task or context. Saved to disk at once."""

    task_id: TaskId | None
    context_id: ContextId | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer, to be appended verbatim. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class TextReplaced:
    """The whole answer is exactly this: what was streamed so far is superseded."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More reasoning. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call began."""

    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolInputDelta:
    """More of a call's arguments. A call id not seen before is a call whose start was lost: it is begun."""

    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolOutputDelta:
    """More of a call's output. Unknown call ids as in ToolInputDelta."""

    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A call is over."""

    call_id: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PlanUpdated:
    """The plan is now this, whole."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class FileOffered:
    """The agent hands over a file, inline or by URL."""

    name: str
    media_type: str = ""
    url: str = ""
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """A line beside the answer. Consecutive STATUS lines replace nothing: each is kept."""

    level: NoticeLevel
    text: str


@dataclass(frozen=True, slots=True)
class UsageReported:
    """What the turn cost so far; a later report replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class StillAlive:
    """Bytes without content (an SSE comment, a ping): the connection lives, the agent may not."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Terminal: the protocol's own marker of a complete answer."""

    reason: str = ""
    """The endpoint's word: "stop", "length", "completed"."""


@dataclass(frozen=True, slots=True)
class WaitingForUser:
    """Terminal: the agent needs the user before it goes on."""

    kind: QuestionKind
    text: str
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Canceled:
    """Terminal: the agent says that the task was canceled."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: the agent says that it failed."""

    problem: TurnProblem


TerminalEvent = Finished | WaitingForUser | Canceled | Failed
TERMINAL_EVENTS = (Finished, WaitingForUser, Canceled, Failed)
"""The same for `isinstance`, which is asked for each event of a stream and takes a third of the time with a tuple."""
StreamEvent = (
    Accepted
    | TaskBound
    | TextDelta
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
