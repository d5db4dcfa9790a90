"""What the server's routes see of HTTP: a request that is whole, and the two kinds of answer. No socket, no h11."""

from collections.abc import AsyncGenerator, Mapping
from enum import Enum

import msgspec
from msgspec import Struct, field


class Signal(Enum):
    """What an event stream may tell its connection between frames."""

    QUIET = "quiet"
    """Send no keepalives from here on."""
    CUT = "cut"
    """Break the connection off."""


class HttpRequest(Struct, frozen=True):
    """One request, read to its end."""

    method: str
    path: str
    """Without the query."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""


class HttpResponse(Struct, frozen=True):
    """An answer that is ready."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class EventStream(Struct, frozen=True):
    """An answer that goes on: Server-Sent Events, each sent as soon as it is there."""

    frames: AsyncGenerator[bytes | Signal, None]
    """Whole SSE frames. Closed by the connection, also when the client is gone."""


Answer = HttpResponse | EventStream

_LINE_ENDS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""Characters that some clients take for line ends; escaped they are the same JSON and harm nobody."""


def json_bytes(value: object) -> bytes:
    """Encode JSON on one line, without a character that any client could take for a line end."""
    encoded = msgspec.json.encode(value)
    for raw, escaped in _LINE_ENDS:
        if raw in encoded:
            encoded = encoded.replace(raw, escaped)
    return encoded


def sse_frame(data: bytes) -> bytes:
    """Return one SSE event; `data` is a single line."""
    return b"data: " + data + b"\r\n\r\n"


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a JSON answer."""
    return HttpResponse(status, json_bytes(value), headers=headers or {})


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return an error in the shape that OpenAI's clients read, and everyone else can."""
    return json_response(
        {"error": {"message": message, "type": "invalid_request_error", "code": status}}, status, headers
    )
