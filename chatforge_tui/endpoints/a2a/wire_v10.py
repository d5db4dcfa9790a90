"""Protocol version 1.0 on the wire: parts and events are told apart by which member is present (protobuf's JSON).

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
from chatforge_tui.endpoints.a2a.wire_json import ArtifactUpdate, Message, OneOf, StatusUpdate, ids_of

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
    metadata: Any = None
    filename: str | None = None
    media_type: str | None = None

    @property
    def is_inline_file(self) -> bool:
        return self.raw is not None and not self.text

    def read(self) -> Piece:
        """Return what the part is. Some servers write all members: an empty one is not what the part is about."""
        name, media_type = self.filename or "", self.media_type or ""
        if self.text:
            return TextPiece(self.text)
        if self.raw:
            return inline_file(self.raw, name=name, media_type=media_type)
        if self.url:
            return FilePiece(name, media_type, url=self.url)
        if self.data is not msgspec.UNSET and (self.data is not None or self.text is None):
            return DataPiece(self.data)
        if self.text is not None:
            return TextPiece("")
        return UnknownPiece("") if self.raw is None else inline_file("", name=name, media_type=media_type)


_Message = Message[_Part]


class Result(OneOf[_Message, _Part], rename="camel"):
    """Any result: one of four members, or the members of a bare task (what GetTask and CancelTask answer)."""

    message: _Message | None = None
    task_status_update: StatusUpdate[_Message] | None = None
    """What one page of the protocol's documentation calls `statusUpdate`."""
    task_artifact_update: ArtifactUpdate[_Part] | None = None
    """What one page of the protocol's documentation calls `artifactUpdate`."""


def read_result(result: Result) -> WireEvent:
    """Return what the result says; UnknownSeen when it holds nothing that this version describes."""
    if (event := result.read()) is not None:
        return event
    if result.message is not None:
        return MessageSeen(result.message.read())
    for update in (result.task_status_update, result.task_artifact_update):
        if update is not None and (event := update.read()) is not None:
            return event
    return UnknownSeen("")


def send_params(outgoing: Outgoing, *, tenant: str, is_stream: bool) -> dict[str, Any]:
    """Return the parameters that send a message; a request that is no stream waits for the end of the task."""
    parts: list[dict[str, Any]] = [{"text": outgoing.text}] if outgoing.has_text else []
    if outgoing.values is not None:
        parts.append({"data": dict(outgoing.values)})
    parts += [{"raw": file.base64, "filename": file.name, "mediaType": file.media_type} for file in outgoing.files]
    params: dict[str, Any] = {"message": {**ids_of(outgoing), "role": "ROLE_USER", "parts": parts}}
    if not is_stream:
        params["configuration"] = {"returnImmediately": False}
    elif outgoing.files:  # else the first event brings them back: a2a-sdk 1.3.0 heeds this, 0.3.26 does not
        params["configuration"] = {"historyLength": 0}
    return params | ({"tenant": tenant} if tenant else {})
