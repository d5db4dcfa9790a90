"""Version 0.3 over HTTP+JSON: protobuf's JSON as in version 1.0, but with names of its own for messages, parts and errors.

Owns these JSON shapes. What they mean for an answer is the turn reader's business. a2a-sdk 0.3.26 encodes the content of a
file twice in base64, and reads it so; other servers once. Both are read, and files are sent as the SDK reads them.
"""

import base64
from typing import Any, Final

import msgspec

from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.endpoints.a2a.inline_file import inline_file
from chatforge_tui.endpoints.a2a.wire import (
    INTERNAL_ERROR,
    TASK_NOT_CANCELABLE,
    TASK_NOT_FOUND,
    UNSUPPORTED_OPERATION,
    ArtifactSeen,
    DataPiece,
    FilePiece,
    MessageSeen,
    Outgoing,
    Piece,
    RpcFailure,
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

_ERRORS: Final = {
    "Task not found": TASK_NOT_FOUND,
    "Task cannot be canceled": TASK_NOT_CANCELABLE,
    "This operation is not supported": UNSUPPORTED_OPERATION,
}
"""How a server's sentence begins -> the error's code, which this transport leaves out."""


class _File(msgspec.Struct, rename="camel"):
    file_with_bytes: str | None = None
    file_with_uri: str | None = None
    mime_type: str | None = None
    name: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    file: _File | None = None
    data: Any = msgspec.UNSET


class _Message(msgspec.Struct, rename="camel"):
    message_id: str | None = None
    role: str | None = None
    content: list[_Part] | None = None
    parts: list[_Part] | None = None
    """What JSON-RPC calls `content`."""
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
    final: bool | None = None


class _ArtifactUpdate(msgspec.Struct, rename="camel"):
    task_id: str | None = None
    context_id: str | None = None
    artifact: _Artifact | None = None
    append: bool | None = None
    last_chunk: bool | None = None


class Result(msgspec.Struct, rename="camel"):
    """Any reply: one of four members, the members of a bare task, or an error's sentence."""

    task: _Task | None = None
    message: _Message | str | None = None
    """A message, or what an error says."""
    msg: _Message | None = None
    """Its name in the protocol's definition."""
    status_update: _StatusUpdate | None = None
    artifact_update: _ArtifactUpdate | None = None
    id: str | None = None
    context_id: str | None = None
    status: _Status | None = None
    artifacts: list[_Artifact] | None = None
    history: list[_Message] | None = None


def read_result(result: Result) -> WireEvent | RpcFailure:
    """Return what the reply says; UnknownSeen when it holds nothing that this version describes."""
    if isinstance(result.message, str):
        known = (code for begin, code in _ERRORS.items() if result.message.startswith(begin))
        code = next(known, INTERNAL_ERROR)
        return RpcFailure(code, result.message, is_of_protocol=code != INTERNAL_ERROR)
    message = result.message or result.msg
    if message is not None:
        return MessageSeen(_read_message(message))
    if (update := result.status_update) is not None and update.status is not None:
        state, said = read_state(update.status.state), _message(update.status.message)
        return StatusSeen(_task(update.task_id), _context(update.context_id), state, said, is_final=bool(update.final))
    if (change := result.artifact_update) is not None and change.artifact is not None:
        return ArtifactSeen(
            _task(change.task_id),
            _context(change.context_id),
            _artifact(change.artifact),
            is_append=bool(change.append),
            is_last=bool(change.last_chunk),
        )
    task = result.task or _Task(result.id, result.context_id, result.status, result.artifacts, result.history)
    return _read_task(task.id, task) if task.id and task.status is not None else UnknownSeen("")


def send_params(outgoing: Outgoing, *, is_stream: bool) -> dict[str, Any]:
    """Return the body that sends a message; a request that is no stream waits for the end of the task."""
    content: list[dict[str, Any]] = [{"text": outgoing.text}] if outgoing.has_text else []
    if outgoing.values is not None:
        content.append({"data": {"data": dict(outgoing.values)}})
    for file in outgoing.files:
        twice = base64.b64encode(file.base64.encode()).decode()
        content.append({"file": {"fileWithBytes": twice, "mimeType": file.media_type, "name": file.name}})
    message: dict[str, Any] = {"messageId": outgoing.message_id, "role": "ROLE_USER", "content": content}
    if outgoing.context_id:
        message["contextId"] = outgoing.context_id
    if outgoing.task_id:
        message["taskId"] = outgoing.task_id
    return {"request": message} | ({} if is_stream else {"configuration": {"blocking": True}})


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
        tuple(_piece(part) for part in message.content or message.parts or () if is_agent or part.file is None),
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
    if part.text is not None:
        return TextPiece(part.text)
    if part.file is not None:
        return _file(part.file)
    if part.data is not msgspec.UNSET:
        return DataPiece(as_mapping(part.data).get("data", part.data))
    return UnknownPiece("")


def _file(file: _File) -> FilePiece:
    name, media_type = file.name or "", file.mime_type or ""
    if file.file_with_bytes is None:
        return FilePiece(name, media_type, url=file.file_with_uri or "")
    once = inline_file(file.file_with_bytes, name=name, media_type=media_type)
    return _encoded_again(once) or once


def _encoded_again(file: FilePiece) -> FilePiece | None:
    """Return the file whose content is base64 exactly as an encoder writes it; None for any other."""
    try:
        twice = base64.b64decode(file.data or b"", validate=True)
    except ValueError:
        return None
    is_same = bool(twice) and base64.b64encode(twice) == file.data
    return FilePiece(file.name, file.media_type, data=twice) if is_same else None


def _context(text: str | None) -> ContextId | None:
    return ContextId(text) if text else None


def _task(text: str | None) -> TaskId | None:
    return TaskId(text) if text else None
