"""One client's connection: bytes to requests, answers to bytes. Owns the limits and the end of the connection.

HTTP/1.1 is parsed and written by h11: httpx brings it along, so the server costs no further dependency, and it does no
I/O of its own. (httpx's ASGI transport would need no socket, but it collects an answer before it hands it over: nothing
would stream. And a socket is what every other agent has: what works here works there.)

A client that goes away ends its answer's coroutine and nothing else: a task at the agent goes on.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote

import h11

from chatforge_tui.guide.http_limits import ConnectionLimits
from chatforge_tui.guide.http_messages import Answer, HttpRequest, HttpResponse, Signal, error_response

_log = logging.getLogger("chatforge.guide")

Route = Callable[[HttpRequest], Awaitable[Answer]]
Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a coroutine of the server's own; what it raises is logged, never lost."""

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "chatforge-guide"}
_STREAM_HEADERS = _HEADERS | {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_LINGER_S = 1.0


class Door(Protocol):
    """Who knows all connections."""

    def admit(self, connection: "HttpConnection") -> bool:
        """Take a new connection in; False = it must close."""
        ...

    def leave(self, connection: "HttpConnection") -> None:
        """Forget a connection, whether it was admitted or not."""
        ...


class HttpConnection(asyncio.Protocol):
    """A connection of one client, from its first byte to its last."""

    def __init__(self, route: Route, spawn: Spawn, limits: ConnectionLimits, door: Door) -> None:
        """Prepare for a connection.

        Args:
            route: answers requests.
            spawn: runs the answering, which outlives the call that started it.
            limits: what the client may do.
            door: asked whether the connection may be, and told when it is over.
        """
        self._route, self._spawn, self._limits, self._door = route, spawn, limits, door
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.max_head)
        self._transport: asyncio.Transport
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._is_begun = False
        """A byte of the request has come."""
        self._is_refused = False
        """Nothing more is read: the connection closes."""
        self._answering: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ping: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what asyncio gives a stream protocol
        self._transport = transport
        if self._door.admit(self):
            self._expect(self._limits.request_s)
        else:
            self._is_refused = True
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a request that is whole is answered."""
        if self._is_refused:
            return
        if not self._is_begun:
            self._is_begun = True
            self._expect(self._limits.request_s)
        self._http.receive_data(data)
        if self._answering is None:
            self._read()
        elif len(self._http.trailing_data[0]) > self._limits.max_body:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the transport's signature
        """Stop answering: there is nobody to read it."""
        self._stop_timers()
        self._writable.set()
        if self._answering is not None:
            self._answering.cancel()
        self._door.leave(self)

    def pause_writing(self) -> None:
        """Wait: the client is slower than the answer."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on: the client has caught up."""
        self._writable.set()

    def close(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    # reading a request

    def _read(self) -> None:
        """Take events from h11 until a request is whole, or more bytes are needed."""
        try:
            while not self._is_refused and (event := self._http.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, "The request is not valid HTTP/1.1.")

    def _take(self, event: object) -> None:
        match event:
            case h11.Request():
                self._head = event
                if self._http.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
            case h11.Data():
                self._body += event.data
                if len(self._body) > self._limits.max_body:
                    self._refuse(413, f"The request is longer than {self._limits.max_body} bytes.")
            case h11.EndOfMessage():
                self._expect(None)
                self._answering = self._spawn(self._answer(self._request()))
                self._answering.add_done_callback(self._answered)
            case _:
                self._transport.close()

    def _request(self) -> HttpRequest:
        """Return the request that has just been read."""
        assert self._head is not None  # noqa: S101 - h11 gives no end without a head
        path, _, query = self._head.target.decode("ascii", "replace").partition("?")
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in self._head.headers}
        return HttpRequest(self._head.method.decode("ascii"), unquote(path), query, headers, bytes(self._body))

    def _refuse(self, status: int, message: str) -> None:
        """Answer a request that cannot be, and close; what the client still sends is thrown away for a moment.

        (Closing with unread bytes would reset the connection, and the client might never see the answer.)
        """
        self._is_refused = True
        response = error_response(status, message)
        self._send(self._head_of(response, {"Connection": "close"}))
        self._send(h11.Data(data=response.body))
        self._send(h11.EndOfMessage())
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._expect(_LINGER_S)

    # answering it

    async def _answer(self, request: HttpRequest) -> None:
        """Answer one request, and make ready for the next."""
        answer = await self._route(request)
        if isinstance(answer, HttpResponse):
            self._send(self._head_of(answer, {}))
            if request.method != "HEAD":
                self._send(h11.Data(data=answer.body))
        elif not await self._stream(answer.frames):
            return
        self._send(h11.EndOfMessage())
        await self._caught_up()
        self._next()

    def _answered(self, task: asyncio.Task[None]) -> None:
        """End what a fault of the server's own has broken off."""
        if task.cancelled() or task.exception() is None or self._transport.is_closing():
            return
        if self._http.our_state is h11.SEND_RESPONSE:
            self._refuse(500, "The built-in agent has a fault; the log says which.")
        else:
            self._transport.abort()

    async def _stream(self, frames: AsyncGenerator[bytes | Signal, None]) -> bool:
        """Send frames as they come, with keepalives between; False when the connection was to be cut."""
        self._send(h11.Response(status_code=200, headers=list(_STREAM_HEADERS.items())))
        keepalives = True
        self._ping_later()
        async with aclosing(frames) as source:
            async for frame in source:
                if frame is Signal.CUT:
                    self._transport.abort()
                    return False
                keepalives = keepalives and frame is not Signal.QUIET
                if isinstance(frame, bytes):
                    self._send(h11.Data(data=frame))
                    await self._caught_up()
                self._ping_later(again=keepalives)
        self._ping_later(again=False)
        return True

    def _next(self) -> None:
        """Begin the next request on the same connection, or close it."""
        self._answering = None
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self._transport.close()
            return
        self._http.start_next_cycle()
        self._head = None
        self._is_begun = False
        self._body.clear()
        self._expect(self._limits.keep_alive_s)
        self._read()

    def _head_of(self, response: HttpResponse, extra: dict[str, str]) -> h11.Response:
        headers = _HEADERS | {"Content-Type": response.content_type, "Content-Length": str(len(response.body))}
        headers |= dict(response.headers) | extra
        reason = HTTPStatus(response.status).phrase
        return h11.Response(status_code=response.status, headers=list(headers.items()), reason=reason)

    def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._transport.write(data)

    async def _caught_up(self) -> None:
        """Wait until the client has taken enough; one that takes nothing for too long is cut off."""
        while not self._writable.is_set():
            waiting = self._transport.get_write_buffer_size()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.slow_s):
                    await self._writable.wait()
            if not self._writable.is_set() and self._transport.get_write_buffer_size() == waiting:
                _log.info("a client of the built-in agent takes nothing: connection given up")
                self._transport.abort()
                return

    # time

    def _expect(self, seconds: float | None) -> None:
        """Close the connection unless a request is whole by then; None = no limit."""
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._transport.close) if seconds else None

    def _ping_later(self, *, again: bool = True) -> None:
        """Send a keepalive if nothing else goes out by then; again=False ends them."""
        if self._ping:
            self._ping.cancel()
        loop = asyncio.get_running_loop()
        self._ping = loop.call_later(self._limits.ping_s, self._send_ping) if again else None

    def _send_ping(self) -> None:
        if self._writable.is_set() and self._http.our_state is h11.SEND_BODY:
            self._send(h11.Data(data=b": keepalive\r\n\r\n"))
        self._ping_later()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._ping):
            if timer:
                timer.cancel()
        self._timer = self._ping = None
