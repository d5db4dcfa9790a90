"""A task of the built-in agent: its state, its artifacts, what it says while it runs. Free of any protocol version.

One loop, no locks: every change of a task and every look at it happens without an await between.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from chatforge_tui.domain.form import Form
from chatforge_tui.guide.given_files import GivenFile

MAX_HISTORY = 50
"""Messages that a task remembers; the oldest go first."""


class TaskState(StrEnum):
    """Where a task stands, as protocol 0.3 spells it."""

    SUBMITTED = "submitted"
    WORKING = "working"
    INPUT_REQUIRED = "input-required"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"


ENDED = frozenset({TaskState.COMPLETED, TaskState.CANCELED, TaskState.FAILED})


class TextPiece(Struct, frozen=True):
    """Text."""

    text: str
    is_thought: bool = False


class DataPiece(Struct, frozen=True):
    """Any JSON value."""

    value: object


class FilePiece(Struct, frozen=True):
    """A file, inline or by its address."""

    name: str
    media_type: str
    data: bytes
    url: str = ""
    """Where it is, when it did not come inline."""


Piece = TextPiece | DataPiece | FilePiece


class TaskMessage(Struct, frozen=True):
    """Something that the user or the agent said to the other."""

    pieces: tuple[Piece, ...]
    is_user: bool = False
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def text(self) -> str:
        """The text of the message."""
        return "\n".join(piece.text for piece in self.pieces if isinstance(piece, TextPiece))

    @property
    def files(self) -> tuple[GivenFile, ...]:
        """The files of the message."""
        files = (piece for piece in self.pieces if isinstance(piece, FilePiece))
        return tuple(GivenFile(file.name, file.media_type, None if file.url else file.data) for file in files)

    def without_bytes(self) -> "TaskMessage":
        """Return the message as a task remembers it: that there was a file, not what was in it."""
        pieces = (replace(piece, data=b"") if isinstance(piece, FilePiece) else piece for piece in self.pieces)
        return replace(self, pieces=tuple(pieces))

    @property
    def data(self) -> tuple[object, ...]:
        """The structured parts of the message."""
        return tuple(piece.value for piece in self.pieces if isinstance(piece, DataPiece))


class TaskStatus(Struct, frozen=True):
    """A task's state at one moment."""

    state: TaskState
    message: TaskMessage | None = None
    at: float = field(default_factory=time.time)
    """Unix seconds."""


class Artifact(Struct, frozen=True):
    """Something that a task produced, or a piece of it."""

    artifact_id: str
    name: str
    pieces: tuple[Piece, ...]
    description: str = ""
    metadata: dict[str, object] = field(default_factory=dict[str, object])


class StatusEvent(Struct, frozen=True):
    """The task's status changed."""

    status: TaskStatus
    is_final: bool
    """No event follows: the task is over, or waits for its user."""
    metadata: dict[str, object] = field(default_factory=dict[str, object])


class ArtifactEvent(Struct, frozen=True):
    """An artifact is there, or grew."""

    artifact: Artifact
    append: bool = False
    is_last: bool = False


class SilenceEvent(Struct, frozen=True):
    """Never on the wire: the connections fall silent from here on."""


class CutEvent(Struct, frozen=True):
    """Never on the wire: the connections that are open now break off."""


TaskEvent = StatusEvent | ArtifactEvent | SilenceEvent | CutEvent


class Broadcast:
    """What a task says from one message of its user to its next rest; any number may follow, each at its own speed.

    Followers share one list: a slow one costs no copy, and the list goes when the last of them is done.
    """

    def __init__(self) -> None:
        self._events: list[TaskEvent] = []
        self._news = asyncio.Event()
        self.is_over = False

    def add(self, event: TaskEvent, *, is_last: bool) -> None:
        """Tell every follower."""
        self._events.append(event)
        self.is_over = is_last
        self._news.set()
        self._news = asyncio.Event()

    def follow(self) -> AsyncGenerator[TaskEvent, None]:
        """Yield what is said from this call on, until the task rests."""
        return self._follow(len(self._events))

    async def _follow(self, position: int) -> AsyncGenerator[TaskEvent, None]:
        while True:
            while position < len(self._events):
                yield self._events[position]
                position += 1
            if self.is_over:
                return
            await self._news.wait()


class GuideTask:
    """One task."""

    def __init__(self, context_id: str, task_id: str) -> None:
        self.task_id = task_id
        self.context_id = context_id
        self.status = TaskStatus(TaskState.SUBMITTED)
        self.history: list[TaskMessage] = []
        self._produced: dict[str, list[Artifact]] = {}
        """Artifact id to its pieces, as they came: joined only when somebody looks."""
        self.metadata: dict[str, object] = {}
        self.form: Form | None = None
        """What it waits for an answer to."""
        self.broadcast = Broadcast()
        self.runner: asyncio.Task[None] | None = None
        """What works on it."""

    @property
    def has_ended(self) -> bool:
        """It is over and never changes again."""
        return self.status.state in ENDED

    @property
    def artifacts(self) -> list[Artifact]:
        """What it has produced so far, whole, in the order in which it began."""
        return [_joined(pieces) for pieces in self._produced.values()]

    @property
    def rests(self) -> bool:
        """It is over, or waits for its user."""
        return self.has_ended or self.status.state is TaskState.INPUT_REQUIRED

    def hear(self, message: TaskMessage) -> None:
        """Take a message of the user; the agent's words after it are a broadcast of their own."""
        if self.rests:
            self.broadcast = Broadcast()
            self.enter(TaskState.WORKING)
        self._remember(message)

    def enter(self, state: TaskState, message: TaskMessage | None = None, **metadata: object) -> None:
        """Change the status and tell; what has ended stays as it is."""
        if self.has_ended:
            return
        if self.status.message:
            self._remember(self.status.message)
        self.status = TaskStatus(state, message)
        self.metadata |= metadata
        self.broadcast.add(StatusEvent(self.status, self.rests, dict(metadata)), is_last=self.rests)

    def produce(self, artifact: Artifact, *, append: bool = False, is_last: bool = False) -> None:
        """Add an artifact, or a piece to one, and tell; what has ended produces nothing."""
        if self.has_ended:
            return
        pieces = self._produced.setdefault(artifact.artifact_id, [])
        if not append:
            pieces.clear()
        pieces.append(artifact)
        self.broadcast.add(ArtifactEvent(artifact, append, is_last), is_last=False)

    def tell_connections(self, event: SilenceEvent | CutEvent) -> None:
        """Have the connections behave."""
        if not self.has_ended:
            self.broadcast.add(event, is_last=False)

    def cancel(self) -> None:
        """Stop the work and end as canceled."""
        self.enter(TaskState.CANCELED)
        if self.runner is not None:
            self.runner.cancel()

    def _remember(self, message: TaskMessage) -> None:
        self.history.append(message)
        del self.history[:-MAX_HISTORY]


def _joined(chunks: list[Artifact]) -> Artifact:
    """Return an artifact of its chunks. Neighbouring texts join: a thousand words are not a thousand parts."""
    pieces: list[Piece] = []
    texts: list[str] = []
    metadata: dict[str, object] = {}
    for chunk in chunks:
        metadata |= chunk.metadata
        for piece in chunk.pieces:
            if isinstance(piece, TextPiece):
                texts.append(piece.text)
                continue
            pieces += [TextPiece("".join(texts)), piece] if texts else [piece]
            texts.clear()
    pieces += [TextPiece("".join(texts))] if texts else []
    return replace(chunks[0], pieces=tuple(pieces), metadata=metadata)
