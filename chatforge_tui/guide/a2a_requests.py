"""What clients ask for over A2A, decoded and checked. Both versions' spellings; a client's mistake becomes an RpcFault."""

from base64 import b64decode
from typing import Any, TypeVar

import msgspec

from chatforge_tui.guide.a2a_task import DataPiece, FilePiece, Piece, TaskMessage, TextPiece

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
TASK_NOT_FOUND = -32001
NOT_CANCELABLE = -32002
NO_PUSH = -32003
UNSUPPORTED = -32004
NO_EXTENDED_CARD = -32007
VERSION_NOT_SUPPORTED = -32009

REASONS = {
    INVALID_PARAMS: "INVALID_PARAMS",
    TASK_NOT_FOUND: "TASK_NOT_FOUND",
    NOT_CANCELABLE: "TASK_NOT_CANCELABLE",
    NO_PUSH: "PUSH_NOTIFICATION_NOT_SUPPORTED",
    UNSUPPORTED: "UNSUPPORTED_OPERATION",
    NO_EXTENDED_CARD: "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
    VERSION_NOT_SUPPORTED: "VERSION_NOT_SUPPORTED",
}
"""The words that version 1.0 puts beside a code."""


class RpcFault(Exception):
    """A request that gets an error for an answer. Never leaves this package."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the JSON-RPC code and one sentence."""
        super().__init__(message)
        self.code = code
        self.message = message


class RpcCall(msgspec.Struct):
    """A JSON-RPC 2.0 request."""

    method: str
    jsonrpc: str = ""
    id: str | int | float | None = None
    params: Any = None


class _FileIn(msgspec.Struct, rename="camel"):
    bytes: str | None = None
    uri: str | None = None
    name: str = ""
    mime_type: str = ""


class _PartIn(msgspec.Struct, rename="camel"):
    """A part in either version: 0.3 has `file`, 1.0 has `raw` and `url`; both have `text` and `data`."""

    text: str | None = None
    data: Any = msgspec.UNSET
    raw: str | None = None
    url: str | None = None
    file: _FileIn | None = None
    filename: str = ""
    media_type: str = ""


class _MessageIn(msgspec.Struct, rename="camel"):
    message_id: str
    parts: list[_PartIn]
    role: str = "user"
    context_id: str | None = None
    task_id: str | None = None


class _Configuration(msgspec.Struct, rename="camel"):
    history_length: int | None = None
    return_immediately: bool = False
    blocking: bool | None = None
    task_push_notification_config: Any = None
    push_notification_config: Any = None


class SendParams(msgspec.Struct):
    """Parameters of sending a message."""

    message: _MessageIn
    configuration: _Configuration | None = None

    @property
    def waits(self) -> bool:
        """The answer is wanted when the task rests, not at once."""
        wanted = self.configuration or _Configuration()
        return not wanted.return_immediately and wanted.blocking is not False

    @property
    def history(self) -> int | None:
        """How many messages the answer shall carry; None = all."""
        return _checked_history(self.configuration.history_length if self.configuration else None)

    def read(self) -> TaskMessage:
        """Return the user's message.

        Raises:
            RpcFault: it says nothing that the agent can read.
        """
        if self.configuration and (
            self.configuration.task_push_notification_config or self.configuration.push_notification_config
        ):
            raise RpcFault(NO_PUSH, "Push notifications are not supported")
        if self.message.role.upper().removeprefix("ROLE_") != "USER":
            raise RpcFault(INVALID_PARAMS, "message.role: a client speaks as the user")
        if not self.message.message_id:
            raise RpcFault(INVALID_PARAMS, "message.messageId: must not be empty")
        pieces = tuple(_piece(part) for part in self.message.parts)
        if not pieces:
            raise RpcFault(INVALID_PARAMS, "message.parts: must contain at least one part")
        return TaskMessage(pieces, is_user=True, message_id=self.message.message_id)


class TaskParams(msgspec.Struct, rename="camel"):
    """Parameters of every request about one task."""

    id: str
    history_length: int | None = None

    @property
    def history(self) -> int | None:
        """How many messages the answer shall carry; None = all."""
        return _checked_history(self.history_length)


class ListParams(msgspec.Struct, rename="camel"):
    """Parameters of listing tasks."""

    context_id: str = ""
    status: str = ""
    page_size: int = 50
    page_token: str = ""
    history_length: int | None = None
    include_artifacts: bool = False


_Params = TypeVar("_Params", SendParams, TaskParams, ListParams)


def read_call(body: bytes) -> RpcCall:
    """Decode a request.

    Raises:
        RpcFault: it is not JSON, or no JSON-RPC 2.0 request.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RpcFault(PARSE_ERROR, f"Not valid JSON: {error}"[:500]) from error
    try:
        call = msgspec.convert(value, RpcCall)
    except msgspec.ValidationError as error:
        raise RpcFault(INVALID_REQUEST, f"Not a JSON-RPC request: {error}") from error
    if call.jsonrpc != "2.0":
        raise RpcFault(INVALID_REQUEST, 'Not a JSON-RPC request: "jsonrpc" must be "2.0"')
    return call


def read_params(params: object, kind: type[_Params]) -> _Params:
    """Decode a request's parameters.

    Raises:
        RpcFault: they are not what the method needs.
    """
    try:
        return msgspec.convert({} if params is None else params, kind)
    except msgspec.ValidationError as error:
        raise RpcFault(INVALID_PARAMS, f"Validation failed: {error}") from error


def _checked_history(length: int | None) -> int | None:
    if length is not None and length < 0:
        raise RpcFault(INVALID_PARAMS, "historyLength: must not be negative")
    return length


def _piece(part: _PartIn) -> Piece:
    """Return a part by what it holds."""
    if part.text is not None:
        return TextPiece(part.text)
    if part.data is not msgspec.UNSET:
        return DataPiece(part.data)
    file = part.file or _FileIn(part.raw, part.url, part.filename, part.media_type)
    if file.bytes is not None:
        try:
            data = b64decode(file.bytes, validate=True)
        except ValueError as error:
            raise RpcFault(INVALID_PARAMS, "message.parts: a file's bytes must be base64") from error
        return FilePiece(file.name, file.mime_type, data)
    if file.uri is not None:
        return FilePiece(file.name, file.mime_type, b"", file.uri)
    raise RpcFault(INVALID_PARAMS, "message.parts: a part needs text, data or a file")
