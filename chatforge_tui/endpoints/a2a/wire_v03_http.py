"""Version 0.3 over HTTP+JSON: protobuf's JSON as in version 1.0, but with names of its own for messages, parts and errors.

Owns these names. What they mean for an answer is the turn reader's business. Read in the servers of a2a-sdk 0.3.26 and
a2a-js (its router for version 0.3), which differ:

- a2a-sdk 0.3.26 names the members in camel case, a2a-js in snake case; protobuf's JSON allows both.
- a2a-sdk 0.3.26 encodes the content of a file twice in base64, and reads it so; a2a-js once. Both are read. Nothing tells
  them apart before the first answer, so files are sent as a2a-sdk reads them.
- An error is a sentence; a2a-js says its code as well.
"""

import base64
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from chatforge_tui.endpoints.a2a.inline_file import inline_file
from chatforge_tui.endpoints.a2a.wire import (
    INTERNAL_ERROR,
    TASK_NOT_CANCELABLE,
    TASK_NOT_FOUND,
    UNSUPPORTED_OPERATION,
    DataPiece,
    FilePiece,
    MessageSeen,
    Outgoing,
    Piece,
    RpcFailure,
    TextPiece,
    UnknownPiece,
    UnknownSeen,
    WireEvent,
)
from chatforge_tui.endpoints.a2a.wire_json import Message, OneOf, ids_of
from chatforge_tui.endpoints.loose_json import MalformedJson, as_mapping, decode

_ERRORS: Final = {
    "Task not found": TASK_NOT_FOUND,
    "Task cannot be canceled": TASK_NOT_CANCELABLE,
    "This operation is not supported": UNSUPPORTED_OPERATION,
}
"""How a sentence of a2a-sdk begins -> the error's code, which that leaves out."""
_SNAKE_CASE: Final = '_id"'
"""How an id's name ends in snake case; every event names one."""
_FREE: Final = frozenset({"data", "metadata"})
"""Members whose own members the agent names."""
_BYTES_ONCE: Final = "file_with_bytes"
"""The content of a file in snake case: of a server that encodes it once."""


class _File(msgspec.Struct, rename="camel"):
    file_with_bytes: str | None = None
    """Encoded once or twice."""
    bytes_once: str | None = msgspec.field(default=None, name=_BYTES_ONCE)
    file_with_uri: str | None = None
    mime_type: str | None = None
    name: str | None = None

    @property
    def is_inline(self) -> bool:
        return self.file_with_bytes is not None or self.bytes_once is not None

    def read(self) -> FilePiece:
        name, media_type = self.name or "", self.mime_type or ""
        if self.bytes_once or (self.bytes_once is not None and not self.file_with_uri):
            return inline_file(self.bytes_once, name=name, media_type=media_type)
        if not self.file_with_bytes and (self.file_with_uri or self.file_with_bytes is None):
            return FilePiece(name, media_type, url=self.file_with_uri or "")
        once = inline_file(self.file_with_bytes, name=name, media_type=media_type)
        return _encoded_again(once) or once


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    file: _File | None = None
    data: Any = msgspec.UNSET
    metadata: Any = None

    @property
    def is_inline_file(self) -> bool:
        return self.file is not None and self.file.is_inline

    def read(self) -> Piece:
        """Return what the part is. Some servers write all members: an empty one is not what the part is about."""
        if self.text:
            return TextPiece(self.text)
        if self.file is not None:
            return self.file.read()
        if self.data is not msgspec.UNSET and (self.data is not None or self.text is None):
            return DataPiece(as_mapping(self.data).get("data", self.data))
        return UnknownPiece("") if self.text is None else TextPiece("")


class _Message(Message[_Part], rename="camel"):
    content: list[_Part] | None = None
    """What JSON-RPC calls `parts`."""

    @property
    def said(self) -> Sequence[_Part]:
        return self.content or self.parts or ()


class _Reply(OneOf[_Message, _Part], rename="camel"):
    message: _Message | str | None = None
    """A message, or what an error says."""
    msg: _Message | None = None
    """A message's name in the protocol's definition."""
    code: Any = None
    """Of an error."""


def read_reply(text: str | bytes) -> WireEvent | RpcFailure:
    """Return what a reply says; UnknownSeen when it holds nothing that this version describes.

    Raises:
        MalformedJson: it cannot be read.
    """
    reply = _decoded(text)
    if isinstance(reply.message, str):
        return _failure(reply.code, reply.message)
    message = reply.message or reply.msg
    if message is not None:
        return MessageSeen(message.read())
    return reply.read() or UnknownSeen("")


def send_params(outgoing: Outgoing, *, is_stream: bool) -> dict[str, Any]:
    """Return the body that sends a message; a request that is no stream waits for the end of the task."""
    content: list[dict[str, Any]] = [{"text": outgoing.text}] if outgoing.has_text else []
    if outgoing.values is not None:
        content.append({"data": {"data": dict(outgoing.values)}})
    for file in outgoing.files:
        twice = base64.b64encode(file.base64.encode()).decode()
        content.append({"file": {"fileWithBytes": twice, "mimeType": file.media_type, "name": file.name}})
    message = {**ids_of(outgoing), "role": "ROLE_USER", "content": content}
    return {"request": message} | ({} if is_stream else {"configuration": {"blocking": True}})


def _decoded(text: str | bytes) -> _Reply:
    is_snake_case = _SNAKE_CASE in text if isinstance(text, str) else _SNAKE_CASE.encode() in text
    if not is_snake_case:
        return decode(text, _Reply)
    try:
        return msgspec.convert(_in_camel_case(decode(text, dict[str, Any])), _Reply)
    except (msgspec.ValidationError, RecursionError) as error:
        raise MalformedJson(str(error)) from error


def _in_camel_case(value: object) -> object:
    """Return the JSON value with its members named in camel case, but for those that the agent names."""
    if isinstance(value, list):
        return [_in_camel_case(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    return {
        name if name == _BYTES_ONCE else _camel(name): member if name in _FREE else _in_camel_case(member)
        for name, member in as_mapping(cast("object", value)).items()
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _failure(code: object, said: str) -> RpcFailure:
    """Return an error by its code, else by its sentence."""
    if isinstance(code, int) and code < 0:
        return RpcFailure(code, said)
    known = next((code for begin, code in _ERRORS.items() if said.startswith(begin)), None)
    return RpcFailure(known or INTERNAL_ERROR, said, is_of_protocol=known is not None)


def _encoded_again(file: FilePiece) -> FilePiece | None:
    """Return the file whose content is base64 exactly as an encoder writes it; None for any other.

    A text that happens to be base64, as `test` is, is no such file: what it would stand for is no text.
    """
    try:
        twice = base64.b64decode(file.data or b"", validate=True)
        if file.media_type.startswith("text/"):
            twice.decode()
    except ValueError:
        return None
    is_same = bool(twice) and base64.b64encode(twice) == file.data
    return FilePiece(file.name, file.media_type, data=twice) if is_same else None
