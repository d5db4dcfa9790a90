"""Protocol version 1.0 on the wire: parts and events are told apart by which member is present (protobuf's JSON).

Owns the dialect's JSON shapes and method names. What they mean for an answer is the turn reader's business. Fields that
this program has no use for are not declared, so that a server may get them wrong.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.endpoints.a2a.inline_file import inline_file
from chatforge_tui.endpoints.a2a.wire import (
    ArtifactSeen,
    DataPiece,
    FilePiece,
    MessageSeen,
    Operation,
    Outgoing,
    Piece,
    StatusSeen,
    TaskSeen,
    TextPiece,
    UnknownPiece,
    UnknownSeen,
    WireArtifact,
    WireEvent,
    WireMessage,
    read_state,
)
from chatforge_tui.endpoints.loose_json import as_mapping

VERSION: Final = "1.0"
HEADERS: Final[Mapping[str, str]] = {"A2A-Version": "1.0"}
METHODS: Final[Mapping[Operation, str]] = {
    Operation.SEND: "SendMessage",
    Operation.STREAM: "SendStreamingMessage",
    Operation.GET: "GetTask",
    Operation.CANCEL: "CancelTask",
    Operation.SUBSCRIBE: "SubscribeToTask",
}


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    raw: str | None = None
    url: str | None = None
    data: Any = msgspec.UNSET
    filename: str | None = None
    media_type: str | None = None


class _Message(msgspec.Struct, rename="camel"):
    message_id: str | None = None
    role: str | None = None
    parts: list[_Part] | None = None
    context_id: str | None = None
    task_id: str | None = None


class _Status(msgspec.Struct, rename="camel"):
    state: str | None = None
    message: _Message | None = None


class _Artifact(msgspec.Struct, rename="camel"):
    artifact_id: str | None = None
    name: str | None = None
    description: str | None = None
    parts: list[_Part] | None = None
    metadata: Any = None


class _Task(msgspec.Struct, rename="camel"):
    id: str | None = None
    context_id: str | None = None
    status: _Status | None = None
    artifacts: list[_Artifact] | None = None
    history: list[_Message] | None = None


class _StatusUpdate(msgspec.Struct, rename="camel"):
    task_id: str | None = None
    context_id: str | None = None
    status: _Status | None = None


class _ArtifactUpdate(msgspec.Struct, rename="camel"):
    task_id: str | None = None
    context_id: str | None = None
    artifact: _Artifact | None = None
    append: bool | None = None
    last_chunk: bool | None = None


class Result(msgspec.Struct, rename="camel"):
    """Any result: one of four members, or the members of a bare task (what GetTask and CancelTask answer)."""

    task: _Task | None = None
    message: _Message | None = None
    status_update: _StatusUpdate | None = None
    artifact_update: _ArtifactUpdate | None = None
    task_status_update: _StatusUpdate | None = None
    """What one page of the protocol's documentation calls `statusUpdate`."""
    task_artifact_update: _ArtifactUpdate | None = None
    """What one page of the protocol's documentation calls `artifactUpdate`."""
    id: str | None = None
    context_id: str | None = None
    status: _Status | None = None
    artifacts: list[_Artifact] | None = None
    history: list[_Message] | None = None


def read_result(result: Result) -> WireEvent:
    """Return what the result says; UnknownSeen when it holds nothing that this version describes."""
    if result.task is not None and result.task.id:
        return _read_task(result.task.id, result.task)
    if result.message is not None:
        return MessageSeen(_read_message(result.message))
    status = result.status_update or result.task_status_update
    if status is not None and status.status is not None:
        state, message = read_state(status.status.state), _message(status.status.message)
        return StatusSeen(_task(status.task_id), _context(status.context_id), state, message)
    update = result.artifact_update or result.task_artifact_update
    if update is not None and update.artifact is not None:
        return ArtifactSeen(
            _task(update.task_id),
            _context(update.context_id),
            _artifact(update.artifact),
            is_append=bool(update.append),
            is_last=bool(update.last_chunk),
        )
    if result.id and result.status is not None:
        bare = _Task(result.id, result.context_id, result.status, result.artifacts, result.history)
        return _read_task(result.id, bare)
    return UnknownSeen("")


def send_params(outgoing: Outgoing, *, tenant: str, is_stream: bool) -> dict[str, Any]:
    """Return the parameters that send a message; a request that is no stream waits for the end of the task."""
    parts: list[dict[str, Any]] = [{"text": outgoing.text}] if outgoing.has_text else []
    if outgoing.values is not None:
        parts.append({"data": dict(outgoing.values)})
    parts += [{"raw": file.base64, "filename": file.name, "mediaType": file.media_type} for file in outgoing.files]
    message: dict[str, Any] = {"messageId": outgoing.message_id, "role": "ROLE_USER", "parts": parts}
    if outgoing.context_id:
        message["contextId"] = outgoing.context_id
    if outgoing.task_id:
        message["taskId"] = outgoing.task_id
    params: dict[str, Any] = {"message": message}
    if not is_stream:
        params["configuration"] = {"returnImmediately": False}
    elif outgoing.files:  # else the first event brings them back: a2a-sdk 1.3.0 heeds this, 0.3.26 does not
        params["configuration"] = {"historyLength": 0}
    return params | ({"tenant": tenant} if tenant else {})


def _read_task(task_id: str, task: _Task) -> TaskSeen:
    status = task.status or _Status()
    return TaskSeen(
        TaskId(task_id),
        _context(task.context_id),
        read_state(status.state),
        _message(status.message),
        tuple(_artifact(artifact) for artifact in task.artifacts or ()),
        tuple(_read_message(message) for message in task.history or ()),
    )


def _message(message: _Message | None) -> WireMessage | None:
    return None if message is None else _read_message(message)


def _read_message(message: _Message) -> WireMessage:
    """Return a message; of the user's own, which a task repeats, without the bytes of files."""
    is_agent = (message.role or "").lower() not in ("role_user", "user")
    return WireMessage(
        message.message_id or "",
        is_agent,
        tuple(_piece(part) for part in message.parts or () if is_agent or part.raw is None),
        _context(message.context_id),
        _task(message.task_id),
    )


def _artifact(artifact: _Artifact) -> WireArtifact:
    return WireArtifact(
        artifact.artifact_id or "",
        artifact.name or "",
        artifact.description or "",
        tuple(_piece(part) for part in artifact.parts or ()),
        as_mapping(artifact.metadata),
    )


def _piece(part: _Part) -> Piece:
    name, media_type = part.filename or "", part.media_type or ""
    if part.text is not None:
        return TextPiece(part.text)
    if part.raw is not None:
        return inline_file(part.raw, name=name, media_type=media_type)
    if part.url is not None:
        return FilePiece(name, media_type, url=part.url)
    if part.data is not msgspec.UNSET:
        return DataPiece(part.data)
    return UnknownPiece("")


def _context(text: str | None) -> ContextId | None:
    return ContextId(text) if text else None


def _task(text: str | None) -> TaskId | None:
    return TaskId(text) if text else None
