"""What an A2A agent says, in neither dialect: the values that both wire modules decode into.

Owns the vocabulary between the wire and the reader of a turn. Holds no JSON and no rules about answers.
"""

import base64
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from chatforge_tui.domain.ids import ContextId, TaskId


class TaskState(StrEnum):
    """Where a task stands. UNKNOWN is also what a state of a later protocol version reads as."""

    SUBMITTED = "submitted"
    WORKING = "working"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"
    INPUT_REQUIRED = "input-required"
    AUTH_REQUIRED = "auth-required"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen to the task."""
        return self in TERMINAL_STATES


TERMINAL_STATES = frozenset({TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED})


def read_state(word: str | None) -> TaskState:
    """Return the state that either dialect's word means: `input-required`, `TASK_STATE_INPUT_REQUIRED`, `cancelled`."""
    name = (word or "").strip().lower().removeprefix("task_state_").replace("_", "-")
    if name == "cancelled":
        name = "canceled"
    try:
        return TaskState(name)
    except ValueError:
        return TaskState.UNKNOWN


class TextPiece(Struct, frozen=True):
    """A text part."""

    text: str


class FilePiece(Struct, frozen=True):
    """A file part: inline or by URL."""

    name: str
    media_type: str = ""
    url: str = ""
    data: bytes | None = None
    is_damaged: bool = False
    """It came inline, but its base64 cannot be read."""


class DataPiece(Struct, frozen=True):
    """A part of structured data."""

    value: Any
    """Any JSON value. Of version 1.0 all numbers are floats."""


class ThoughtPiece(Struct, frozen=True):
    """What the agent's model thought, or a piece of it."""

    text: str


class CallPiece(Struct, frozen=True):
    """A function that the agent's model calls."""

    call_id: str
    name: str
    arguments: Any
    """Any JSON value."""


class ReturnPiece(Struct, frozen=True):
    """What a called function returned."""

    call_id: str
    name: str
    value: Any
    """Any JSON value."""


class UnknownPiece(Struct, frozen=True):
    """A part that neither version of the protocol describes."""

    kind: str


Piece = TextPiece | FilePiece | DataPiece | ThoughtPiece | CallPiece | ReturnPiece | UnknownPiece


class WireMessage(Struct, frozen=True):
    """A message: of the user or of the agent."""

    message_id: str
    is_agent: bool
    pieces: tuple[Piece, ...]
    context_id: ContextId | None = None
    task_id: TaskId | None = None

    @property
    def text(self) -> str:
        """All its text, verbatim."""
        return join_text(self.pieces)


class WireArtifact(Struct, frozen=True):
    """An artifact, or one chunk of it."""

    artifact_id: str
    name: str
    description: str
    pieces: tuple[Piece, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


class TaskSeen(Struct, frozen=True):
    """The whole task as it stands: a snapshot."""

    task_id: TaskId
    context_id: ContextId | None
    state: TaskState
    message: WireMessage | None = None
    artifacts: tuple[WireArtifact, ...] = ()
    history: tuple[WireMessage, ...] = ()


class MessageSeen(Struct, frozen=True):
    """A message outside any status."""

    message: WireMessage


class StatusSeen(Struct, frozen=True):
    """The task's state changed, or the agent says something about it."""

    task_id: TaskId | None
    context_id: ContextId | None
    state: TaskState
    message: WireMessage | None = None
    is_final: bool = False
    """Version 0.3: the server says that nothing follows."""


class ArtifactSeen(Struct, frozen=True):
    """An artifact, or a chunk of one."""

    task_id: TaskId | None
    context_id: ContextId | None
    artifact: WireArtifact
    is_append: bool = False
    is_last: bool = False


class UnknownSeen(Struct, frozen=True):
    """An event that neither version of the protocol describes."""

    kind: str
    said: str = ""
    """What it is, as it came."""


WireEvent = TaskSeen | MessageSeen | StatusSeen | ArtifactSeen | UnknownSeen


class RpcFailure(Struct, frozen=True):
    """The agent answered with an error instead of a result."""

    code: int
    """JSON-RPC or A2A error code, negative; for HTTP+JSON mapped from its reason."""
    message: str

    is_of_protocol: bool = True
    """It is A2A's or JSON-RPC's own error, not one that any web server could send."""

    @property
    def is_version_trouble(self) -> bool:
        """Whether the other dialect may be understood: nothing was accepted."""
        return self.code in (METHOD_NOT_FOUND, VERSION_UNSUPPORTED)


INTERNAL_ERROR = -32603
METHOD_NOT_FOUND = -32601
TASK_NOT_FOUND = -32001
TASK_NOT_CANCELABLE = -32002
UNSUPPORTED_OPERATION = -32004
VERSION_UNSUPPORTED = -32009


class OutgoingFile(Struct, frozen=True):
    """A file of the user."""

    name: str
    media_type: str
    data: bytes

    @property
    def base64(self) -> str:
        """The content as both dialects carry it."""
        return base64.b64encode(self.data).decode()


class Outgoing(Struct, frozen=True):
    """A message of the user, before it takes the form of a dialect."""

    message_id: str
    text: str
    values: Mapping[str, str | bool | float] | None = None
    """The answers of a form, beside the text that says the same."""
    context_id: ContextId | None = None
    task_id: TaskId | None = None
    files: tuple[OutgoingFile, ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether the text is worth a part: files may go without a word."""
        return bool(self.text.strip()) or not self.files


class Operation(StrEnum):
    """What an agent can be asked for."""

    SEND = "send"
    STREAM = "stream"
    GET = "get"
    CANCEL = "cancel"
    SUBSCRIBE = "subscribe"


def join_text(pieces: tuple[Piece, ...]) -> str:
    """Return the text of all text parts, joined with nothing between."""
    return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))
