"""How requests and replies travel: JSON-RPC envelopes, or plain HTTP paths.

Owns the making of requests (method, URL, headers, body) and the opening of replies. Sends nothing: the endpoint does.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec
from msgspec import Struct

from chatforge_tui.domain.ids import TaskId
from chatforge_tui.endpoints.a2a import wire_v03, wire_v03_http, wire_v10
from chatforge_tui.endpoints.a2a.wire import (
    INTERNAL_ERROR,
    TASK_NOT_CANCELABLE,
    TASK_NOT_FOUND,
    UNSUPPORTED_OPERATION,
    VERSION_UNSUPPORTED,
    Operation,
    Outgoing,
    RpcFailure,
    UnknownSeen,
    WireEvent,
)
from chatforge_tui.endpoints.loose_json import MalformedJson, as_list, as_mapping, as_text, decode

EVENT_STREAM: Final = "text/event-stream"
JSON: Final = "application/json"
CALL_ID: Final = 1
"""The id of every JSON-RPC request. The HTTP exchange already ties a reply to its request; a reply with another id is not
ours all the same."""
STREAMED: Final = frozenset({Operation.STREAM, Operation.SUBSCRIBE})
"""Operations that are answered by an event stream."""


class HttpCall(Struct, frozen=True):
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class ForeignReply(Exception):
    """The reply carries another request's id: it is not ours. Never leaves this package."""


Reply = WireEvent | RpcFailure


class Binding(Protocol):
    """One dialect over one transport, at one URL."""

    @property
    def name(self) -> str:
        """For people: "a2a 1.0"."""
        ...

    @property
    def has_snapshots(self) -> bool:
        """Whether following a task begins with the task as it stands: from version 1.0 on."""
        ...

    def send(self, operation: Operation, outgoing: Outgoing) -> HttpCall:
        """Make the request that sends a message; `operation` is SEND or STREAM."""
        ...

    def about_task(self, operation: Operation, task_id: TaskId) -> HttpCall:
        """Make a request about a task: GET, CANCEL or SUBSCRIBE."""
        ...

    def read(self, text: str | bytes) -> Reply:
        """Open one reply: a whole body, or the data of one event of a stream.

        Raises:
            MalformedJson: it cannot be read.
            ForeignReply: it answers another call.
        """
        ...


class _RpcError(msgspec.Struct):
    code: Any = None
    message: Any = None
    data: Any = None


class _Envelope03(msgspec.Struct):
    id: Any = None
    result: wire_v03.Result | None = None
    error: _RpcError | None = None


class _Envelope10(msgspec.Struct):
    id: Any = None
    result: wire_v10.Result | None = None
    error: _RpcError | None = None


class JsonRpc:
    """JSON-RPC 2.0: every request is a POST to one URL."""

    def __init__(self, url: str, *, is_v1: bool, tenant: str = "") -> None:
        """Speak to the agent at `url`.

        Args:
            url: where every request goes.
            is_v1: version 1.0 of the protocol instead of 0.3.
            tenant: repeated in every request, when the card names one.
        """
        self.url: Final = url
        self.is_v1: Final = is_v1
        self.tenant: Final = tenant
        self._dialect = wire_v10 if is_v1 else wire_v03

    @property
    def name(self) -> str:
        """For people: "a2a 1.0"."""
        return f"a2a {self._dialect.VERSION}"

    @property
    def has_snapshots(self) -> bool:
        """Whether following a task begins with the task as it stands."""
        return self.is_v1

    def other(self) -> "JsonRpc":
        """Return the other dialect at the same URL."""
        return JsonRpc(self.url, is_v1=not self.is_v1, tenant=self.tenant)

    def send(self, operation: Operation, outgoing: Outgoing) -> HttpCall:
        """Make the request that sends a message."""
        params = self._dialect.send_params(outgoing, tenant=self.tenant, is_stream=operation is Operation.STREAM)
        return self._call(operation, params)

    def about_task(self, operation: Operation, task_id: TaskId) -> HttpCall:
        """Make a request about a task."""
        params: dict[str, Any] = {"id": task_id}
        return self._call(operation, params | ({"tenant": self.tenant} if self.tenant else {}))

    def read(self, text: str | bytes) -> Reply:
        """Open one reply. An agent that announces one dialect and answers in the other is understood."""
        event = self._read_as(text, is_v1=self.is_v1)
        if isinstance(event, UnknownSeen):
            other = self._read_as(text, is_v1=not self.is_v1)
            return event if isinstance(other, UnknownSeen) else other
        return event

    def _call(self, operation: Operation, params: dict[str, Any]) -> HttpCall:
        body = {"jsonrpc": "2.0", "id": CALL_ID, "method": self._dialect.METHODS[operation], "params": params}
        accept = f"{EVENT_STREAM}, {JSON}" if operation in STREAMED else JSON
        headers = {"Content-Type": JSON, "Accept": accept, **self._dialect.HEADERS}
        return HttpCall("POST", self.url, headers, msgspec.json.encode(body))

    @staticmethod
    def _read_as(text: str | bytes, *, is_v1: bool) -> Reply:
        envelope = decode(text, _Envelope10 if is_v1 else _Envelope03)
        if envelope.id not in (None, CALL_ID, str(CALL_ID)):
            raise ForeignReply(str(envelope.id))
        if envelope.error is not None:
            return _rpc_failure(envelope.error)
        match envelope:
            case _Envelope10(result=wire_v10.Result() as result):
                return wire_v10.read_result(result)
            case _Envelope03(result=wire_v03.Result() as result):
                return wire_v03.read_result(result)
            case _:
                raise MalformedJson("a JSON-RPC reply without result and error")


class HttpJson:
    """HTTP+JSON: one path for each operation, results without an envelope."""

    def __init__(self, url: str, *, is_v1: bool = True, tenant: str = "") -> None:
        """Speak to the agent whose paths begin with `url`.

        Args:
            url: what every path begins with; in version 0.3 the paths go on with `/v1`, unless that is its end already.
            is_v1: version 1.0 of the protocol instead of 0.3.
            tenant: part of every path, when the card names one.
        """
        base = url.rstrip("/")
        if not is_v1 and not base.endswith("/v1"):
            base += "/v1"
        self.url: Final = base + (f"/{quote(tenant, safe='')}" if tenant else "")
        self.is_v1: Final = is_v1
        self.tenant: Final = tenant

    @property
    def name(self) -> str:
        """For people."""
        return f"a2a {wire_v10.VERSION if self.is_v1 else wire_v03.VERSION} (HTTP+JSON)"

    @property
    def has_snapshots(self) -> bool:
        """Whether following a task begins with the task as it stands."""
        return self.is_v1

    def send(self, operation: Operation, outgoing: Outgoing) -> HttpCall:
        """Make the request that sends a message."""
        is_stream = operation is Operation.STREAM
        if self.is_v1:
            params = wire_v10.send_params(outgoing, tenant=self.tenant, is_stream=is_stream)
        else:
            params = wire_v03_http.send_params(outgoing, is_stream=is_stream)
        path = "/message:stream" if is_stream else "/message:send"
        return self._call("POST", path, operation, msgspec.json.encode(params))

    def about_task(self, operation: Operation, task_id: TaskId) -> HttpCall:
        """Make a request about a task."""
        path = f"/tasks/{quote(task_id, safe='')}"
        if operation is Operation.GET:
            return self._call("GET", path, operation, None)
        if operation is Operation.CANCEL:
            return self._call("POST", f"{path}:cancel", operation, b"{}")
        method, body = ("POST", b"{}") if self.is_v1 else ("GET", None)
        return self._call(method, f"{path}:subscribe", operation, body)

    def read(self, text: str | bytes) -> Reply:
        """Open one reply."""
        failure = read_http_failure(text)
        if failure is not None:
            return failure
        if self.is_v1:
            return wire_v10.read_result(decode(text, wire_v10.Result))
        return wire_v03_http.read_reply(text)

    def _call(self, method: str, path: str, operation: Operation, body: bytes | None) -> HttpCall:
        accept = EVENT_STREAM if operation in STREAMED else JSON
        headers = {"Accept": accept, **(wire_v10.HEADERS if self.is_v1 else wire_v03.HEADERS)}
        if body is not None:
            headers["Content-Type"] = JSON
        return HttpCall(method, self.url + path, headers, body)


class _HttpFailure(msgspec.Struct):
    error: Any = None
    type: Any = None
    title: Any = None
    detail: Any = None


_PROBLEM: Final = "https://a2a-protocol.org/errors/"
"""How the type of an error begins that is a problem of RFC 9457, as earlier servers of version 1.0 send it."""
_REASONS: Final = {
    "TASK_NOT_FOUND": TASK_NOT_FOUND,
    "TASK_NOT_CANCELABLE": TASK_NOT_CANCELABLE,
    "UNSUPPORTED_OPERATION": UNSUPPORTED_OPERATION,
    "VERSION_NOT_SUPPORTED": VERSION_UNSUPPORTED,
}


def read_http_failure(text: str | bytes) -> RpcFailure | None:
    """Return the error that an HTTP+JSON reply holds, if it holds one.

    Raises:
        MalformedJson: it is no JSON object.
    """
    failure = decode(text, _HttpFailure)
    problem = as_text(failure.type)
    if problem.startswith(_PROBLEM):
        reason = problem.removeprefix(_PROBLEM).replace("-", "_").upper()
        return RpcFailure(_REASONS.get(reason, INTERNAL_ERROR), as_text(failure.detail) or as_text(failure.title))
    error = as_mapping(failure.error)
    if not error:
        return None
    reasons = [as_text(as_mapping(detail).get("reason")) for detail in as_list(error.get("details"))]
    code = next((_REASONS[reason] for reason in reasons if reason in _REASONS), INTERNAL_ERROR)
    message = as_text(error.get("message")) or as_text(error.get("status"))
    return RpcFailure(code, message, is_of_protocol=any(reasons))


def _rpc_failure(error: _RpcError) -> RpcFailure:
    is_numbered = isinstance(error.code, int | float)
    code = int(error.code) if is_numbered else INTERNAL_ERROR
    detail = error.data if isinstance(error.data, str) else ""
    message = as_text(error.message)
    said = f"{message}: {detail}" if message and detail else message or detail
    return RpcFailure(code, said, is_of_protocol=is_numbered and code < 0)
