"""The JSON objects that every dialect of the protocol has in common; a dialect adds its parts, and what it names otherwise.

Owns the names of the members that the dialects share, and how an object becomes a wire value. Fields that this program has
no use for are not declared, so that a server may get them wrong.
"""

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.endpoints.a2a.model_parts import as_marked
from chatforge_tui.endpoints.a2a.wire import (
    ArtifactSeen,
    Outgoing,
    Piece,
    StatusSeen,
    TaskSeen,
    WireArtifact,
    WireEvent,
    WireMessage,
    read_state,
)
from chatforge_tui.endpoints.loose_json import as_mapping

_USER = frozenset({"role_user", "user"})
"""What the dialects call the user; any other role, or none, is the agent."""


class Part(Protocol):
    """A part in the form of a dialect."""

    @property
    def is_inline_file(self) -> bool:
        """Whether it carries the bytes of a file."""
        ...

    @property
    def metadata(self) -> Any:  # noqa: ANN401 - any JSON value
        """What else is said of it."""
        ...

    def read(self) -> Piece:
        """Return what the part is."""
        ...


PartT = TypeVar("PartT", bound=Part)
"""A dialect's part."""


class Message(msgspec.Struct, Generic[PartT], rename="camel"):
    """A message of the user or of the agent."""

    message_id: str | None = None
    role: str | None = None
    parts: list[PartT] | None = None
    context_id: str | None = None
    task_id: str | None = None

    @property
    def said(self) -> Sequence[PartT]:
        """Its parts."""
        return self.parts or ()

    def read(self) -> WireMessage:
        """Return the message; of the user's own, which a task repeats, without the bytes of files."""
        is_agent = (self.role or "").lower() not in _USER
        return WireMessage(
            self.message_id or "",
            is_agent,
            tuple(_read(part) for part in self.said if is_agent or not part.is_inline_file),
            read_context(self.context_id),
            read_task_id(self.task_id),
        )


MessageT = TypeVar("MessageT", bound=Message[Any])
"""A dialect's message."""


class Status(msgspec.Struct, Generic[MessageT], rename="camel"):
    """Where a task stands, and what the agent says about it."""

    state: str | None = None
    message: MessageT | None = None

    def said(self) -> WireMessage | None:
        """Return what the agent says."""
        return None if self.message is None else self.message.read()


class Artifact(msgspec.Struct, Generic[PartT], rename="camel"):
    """An artifact, or one chunk of it."""

    artifact_id: str | None = None
    name: str | None = None
    description: str | None = None
    parts: list[PartT] | None = None
    metadata: Any = None

    def read(self) -> WireArtifact:
        """Return the artifact."""
        return WireArtifact(
            self.artifact_id or "",
            self.name or "",
            self.description or "",
            tuple(_read(part) for part in self.parts or ()),
            as_mapping(self.metadata),
        )


class Task(msgspec.Struct, Generic[MessageT, PartT], rename="camel"):
    """The whole task as it stands."""

    id: str | None = None
    context_id: str | None = None
    status: Status[MessageT] | None = None
    artifacts: list[Artifact[PartT]] | None = None
    history: list[MessageT] | None = None

    def read(self) -> TaskSeen | None:
        """Return the task; None when it has no id."""
        if not self.id:
            return None
        return TaskSeen(
            TaskId(self.id),
            read_context(self.context_id),
            read_state(self.status.state if self.status else None),
            self.status.said() if self.status else None,
            tuple(artifact.read() for artifact in self.artifacts or ()),
            tuple(message.read() for message in self.history or ()),
        )


class StatusUpdate(msgspec.Struct, Generic[MessageT], rename="camel"):
    """A change of the task's state."""

    task_id: str | None = None
    context_id: str | None = None
    status: Status[MessageT] | None = None
    final: bool | None = None
    """Version 0.3 only."""

    def read(self) -> StatusSeen | None:
        """Return the change; None when it names no state."""
        if self.status is None:
            return None
        state, message = read_state(self.status.state), self.status.said()
        task, context = read_task_id(self.task_id), read_context(self.context_id)
        return StatusSeen(task, context, state, message, is_final=bool(self.final))


class ArtifactUpdate(msgspec.Struct, Generic[PartT], rename="camel"):
    """An artifact, or a chunk of one; `append` and `last_chunk` are left out when they are false."""

    task_id: str | None = None
    context_id: str | None = None
    artifact: Artifact[PartT] | None = None
    append: bool | None = None
    last_chunk: bool | None = None

    def read(self) -> ArtifactSeen | None:
        """Return the update; None when it holds no artifact."""
        if self.artifact is None:
            return None
        return ArtifactSeen(
            read_task_id(self.task_id),
            read_context(self.context_id),
            self.artifact.read(),
            is_append=bool(self.append),
            is_last=bool(self.last_chunk),
        )


class OneOf(msgspec.Struct, Generic[MessageT, PartT], rename="camel"):
    """A reply in protobuf's JSON, but for its messages: one of three members, or the members of a bare task."""

    task: Task[MessageT, PartT] | None = None
    status_update: StatusUpdate[MessageT] | None = None
    artifact_update: ArtifactUpdate[PartT] | None = None
    id: str | None = None
    context_id: str | None = None
    status: Status[MessageT] | None = None
    artifacts: list[Artifact[PartT]] | None = None
    history: list[MessageT] | None = None

    def read(self) -> WireEvent | None:
        """Return what the member says; None when none of them is there."""
        for member in (self.artifact_update, self.status_update, self.task):
            if member is not None and (event := member.read()) is not None:
                return event
        if self.status is None:
            return None
        bare = Task[MessageT, PartT](self.id, self.context_id, self.status, self.artifacts, self.history)
        return bare.read()


def _read(part: Part) -> Piece:
    return as_marked(part.read(), part.metadata) if part.metadata else part.read()


def read_context(text: str | None) -> ContextId | None:
    """Return a context's id; an empty one is none."""
    return ContextId(text) if text else None


def read_task_id(text: str | None) -> TaskId | None:
    """Return a task's id; an empty one is none."""
    return TaskId(text) if text else None


def ids_of(outgoing: Outgoing) -> dict[str, Any]:
    """Return the members that name a message of the user, its task and its context."""
    ids = {"messageId": outgoing.message_id, "contextId": outgoing.context_id, "taskId": outgoing.task_id}
    return {name: value for name, value in ids.items() if value}
