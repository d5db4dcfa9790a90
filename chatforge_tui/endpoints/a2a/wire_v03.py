"""Protocol version 0.3 on the wire: parts, messages and events are told apart by their `kind`.

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

VERSION: Final = "0.3"
HEADERS: Final[Mapping[str, str]] = {}
METHODS: Final[Mapping[Operation, str]] = {
    Operation.SEND: "message/send",
    Operation.STREAM: "message/stream",
    Operation.GET: "tasks/get",
    Operation.CANCEL: "tasks/cancel",
    Operation.SUBSCRIBE: "tasks/resubscribe",
}


class _File(msgspec.Struct, rename="camel"):
    bytes: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    name: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    kind: str | None = None
    type: str | None = None
    """What `kind` was called before version 0.2."""
    text: str | None = None
    file: _File | None = None
    data: Any = None


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


class Result(msgspec.Struct, rename="camel"):
    """Any result: a task, a message, a status update or an artifact update, by `kind`."""

    kind: str | None = None
    id: str | None = None
    context_id: str | None = None
    task_id: str | None = None
    status: _Status | None = None
    artifacts: list[_Artifact] | None = None
    history: list[_Message] | None = None
    artifact: _Artifact | None = None
    append: bool | None = None
    last_chunk: bool | None = None
    final: bool | None = None
    message_id: str | None = None
    role: str | None = None
    parts: list[_Part] | None = None


def read_result(result: Result) -> WireEvent:
    """Return what the result says; UnknownSeen when its kind is not of this version."""
    context, task = _context(result.context_id), _task(result.task_id)
    match result.kind:
        case "task" if result.id:
            status = result.status or _Status()
            return TaskSeen(
                TaskId(result.id),
                context,
                read_state(status.state),
                _message(status.message),
                tuple(_artifact(artifact) for artifact in result.artifacts or ()),
                tuple(message for item in result.history or () if (message := _message(item)) is not None),
            )
        case "message":
            message = _Message(result.message_id, result.role, result.parts, result.context_id, result.task_id)
            return MessageSeen(_read_message(message))
        case "status-update" if result.status:
            state, message = read_state(result.status.state), _message(result.status.message)
            return StatusSeen(task, context, state, message, is_final=bool(result.final))
        case "artifact-update" if result.artifact:
            artifact = _artifact(result.artifact)
            return ArtifactSeen(task, context, artifact, is_append=bool(result.append), is_last=bool(result.last_chunk))
        case _:
            return UnknownSeen(result.kind or "")


def send_params(outgoing: Outgoing, *, tenant: str, is_stream: bool) -> dict[str, Any]:
    """Return the parameters that send a message; a request that is no stream waits for the end of the task."""
    parts: list[dict[str, Any]] = [{"kind": "text", "text": outgoing.text}] if outgoing.has_text else []
    if outgoing.values is not None:
        parts.append({"kind": "data", "data": dict(outgoing.values)})
    for file in outgoing.files:
        content = {"bytes": file.base64, "mimeType": file.media_type, "name": file.name}
        parts.append({"kind": "file", "file": content})
    message: dict[str, Any] = {"kind": "message", "messageId": outgoing.message_id, "role": "user", "parts": parts}
    if outgoing.context_id:
        message["contextId"] = outgoing.context_id
    if outgoing.task_id:
        message["taskId"] = outgoing.task_id
    params: dict[str, Any] = {"message": message}
    if not is_stream:
        params["configuration"] = {"blocking": True, "acceptedOutputModes": []}
    return params | ({"tenant": tenant} if tenant else {})


def _message(message: _Message | None) -> WireMessage | None:
    return None if message is None else _read_message(message)


def _read_message(message: _Message) -> WireMessage:
    """Return a message; of the user's own, which a task repeats, without the bytes of files."""
    is_agent = (message.role or "agent").lower() != "user"
    return WireMessage(
        message.message_id or "",
        is_agent,
        tuple(_piece(part) for part in message.parts or () if is_agent or part.file is None),
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
    kind = part.kind or part.type or ""
    if part.text is not None:
        return TextPiece(part.text)
    if part.file is not None:
        return _file(part.file)
    if part.data is not None or kind == "data":
        return DataPiece(part.data)
    return UnknownPiece(kind)


def _file(file: _File) -> FilePiece:
    name, media_type = file.name or "", file.mime_type or ""
    if file.bytes is not None:
        return inline_file(file.bytes, name=name, media_type=media_type)
    return FilePiece(name, media_type, url=file.uri or "")


def _context(text: str | None) -> ContextId | None:
    return ContextId(text) if text else None


def _task(text: str | None) -> TaskId | None:
    return TaskId(text) if text else None
