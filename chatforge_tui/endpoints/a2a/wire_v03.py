"""Protocol version 0.3 on the wire: parts, messages and events are told apart by their `kind`.

Owns the dialect's parts, its kinds of reply and its method names. What they mean for an answer is the turn reader's
business.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chatforge_tui.endpoints.a2a.inline_file import inline_file
from chatforge_tui.endpoints.a2a.wire import (
    DataPiece,
    FilePiece,
    MessageSeen,
    Operation,
    Outgoing,
    Piece,
    TextPiece,
    UnknownPiece,
    UnknownSeen,
    WireEvent,
)
from chatforge_tui.endpoints.a2a.wire_json import (
    Artifact,
    ArtifactUpdate,
    Message,
    Status,
    StatusUpdate,
    Task,
    ids_of,
)

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

    def read(self) -> FilePiece:
        name, media_type = self.name or "", self.mime_type or ""
        if self.bytes or (self.bytes is not None and not self.uri):
            return inline_file(self.bytes, name=name, media_type=media_type)
        return FilePiece(name, media_type, url=self.uri or "")


class _Part(msgspec.Struct, rename="camel"):
    kind: str | None = None
    type: str | None = None
    """What `kind` was called before version 0.2."""
    text: str | None = None
    file: _File | None = None
    data: Any = None
    metadata: Any = None

    @property
    def is_inline_file(self) -> bool:
        return self.file is not None and self.file.bytes is not None

    def read(self) -> Piece:
        """Return what the part is. Some servers write all members: an empty one is not what the part is about."""
        kind = self.kind or self.type or ""
        if self.text:
            return TextPiece(self.text)
        if self.file is not None:
            return self.file.read()
        if self.data is not None or kind == "data":
            return DataPiece(self.data)
        return UnknownPiece(kind) if self.text is None else TextPiece("")


_Message = Message[_Part]


class Result(msgspec.Struct, rename="camel"):
    """Any result: a task, a message, a status update or an artifact update, by `kind`."""

    kind: str | None = None
    id: str | None = None
    context_id: str | None = None
    task_id: str | None = None
    status: Status[_Message] | None = None
    artifacts: list[Artifact[_Part]] | None = None
    history: list[_Message] | None = None
    artifact: Artifact[_Part] | None = None
    append: bool | None = None
    last_chunk: bool | None = None
    final: bool | None = None
    message_id: str | None = None
    role: str | None = None
    parts: list[_Part] | None = None


def read_result(result: Result) -> WireEvent:
    """Return what the result says; UnknownSeen when its kind is not of this version."""
    context, task = result.context_id, result.task_id
    event: WireEvent | None = None
    match result.kind:
        case "task":
            event = Task(result.id, context, result.status, result.artifacts, result.history).read()
        case "message":
            event = MessageSeen(Message(result.message_id, result.role, result.parts, context, task).read())
        case "status-update":
            event = StatusUpdate(task, context, result.status, result.final).read()
        case "artifact-update":
            event = ArtifactUpdate(task, context, result.artifact, result.append, result.last_chunk).read()
        case _:
            pass
    return event or UnknownSeen(result.kind or "")


def send_params(outgoing: Outgoing, *, tenant: str, is_stream: bool) -> dict[str, Any]:
    """Return the parameters that send a message; a request that is no stream waits for the end of the task."""
    parts: list[dict[str, Any]] = [{"kind": "text", "text": outgoing.text}] if outgoing.has_text else []
    if outgoing.values is not None:
        parts.append({"kind": "data", "data": dict(outgoing.values)})
    for file in outgoing.files:
        content = {"bytes": file.base64, "mimeType": file.media_type, "name": file.name}
        parts.append({"kind": "file", "file": content})
    params: dict[str, Any] = {"message": {"kind": "message", **ids_of(outgoing), "role": "user", "parts": parts}}
    if not is_stream:
        params["configuration"] = {"blocking": True, "acceptedOutputModes": []}
    return params | ({"tenant": tenant} if tenant else {})
