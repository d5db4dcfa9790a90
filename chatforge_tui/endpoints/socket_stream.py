"""One TCP or TLS connection as httpcore reads it, which can be closed at once, by anyone, without waiting.

A read that finds data waiting neither yields to the event loop nor sets a timer, and a stream that trickles is read at
the pace of a screen, or more slowly while nobody watches it (reading_beat.py).
"""

import asyncio
import math
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import httpcore

from chatforge_tui.endpoints.reading_beat import ReadingBeat, beat_of

_HIGH_WATER: Final = 256 * 1024
"""Unread bytes at which the server is slowed down (the kernel's window closes)."""
_LOW_WATER: Final = 64 * 1024
"""Unread bytes at which it may go on."""
_PIECE: Final = 128 * 1024
"""Bytes that are handed over at once: a prompt with files is large."""
_TRICKLE: Final = 16 * 1024
"""Bytes: a stream that brings this much at once is read as fast as it comes."""
_SILENT_BEATS: Final = 2
"""After so many beats without a byte a stream is read as it comes again."""


class StreamOwner(Protocol):
    """Whose connections these are: a backend of httpcore's."""

    is_watched: bool
    """Somebody watches what comes."""

    @property
    def streams(self) -> "set[SocketStream]":
        """Open connections."""
        ...


class SocketStream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection: what asyncio delivers, as httpcore reads it. One reader at a time."""

    def __init__(self, owner: StreamOwner) -> None:
        """Belong to an owner, who can abort it."""
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._has_ended = False
        self._error: Exception | None = None
        self._is_paused = False
        self._heard = -math.inf
        """When bytes came last, by the loop's clock."""
        self._is_trickling = True
        self._beat: ReadingBeat | None = None
        """At which it is read while it trickles; None while it is read as it comes."""
        self._poll: Callable[[], None] | None = None
        """Reads the socket once, without the event loop's watch list; None where asyncio's inside looks different."""
        self._silent_beats = 0
        """At which nothing had come, since something had."""
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection stands."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream protocol is given nothing else
        self._transport = transport
        self._poll = getattr(transport, "_read_ready", None)  # asyncio's own, of a plain socket only
        self._owner.streams.add(self)

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes came. Slow the server down when nobody takes them."""
        self._received += data
        if len(self._received) > _HIGH_WATER and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._pace(len(data))
        _wake(self._reader)

    def _pace(self, size: int) -> None:
        """Let a stream that brings little, often, gather until the next beat. The first bytes after a pause never wait."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        since, self._heard = now - self._heard, now
        was_trickling, self._is_trickling = self._is_trickling, size < _TRICKLE
        if self._beat is None and was_trickling and self._is_trickling and not self._is_paused:
            beat = beat_of(loop, is_watched=self._owner.is_watched)
            if since < 1.5 * beat.period_s:
                self._join(beat)

    def _join(self, beat: ReadingBeat) -> None:
        """Be read at the beat from here on, and not by the event loop."""
        if self._transport is not None:
            self._transport.pause_reading()
            self._beat = beat
            beat.add(self)

    def change_beat(self) -> None:
        """Go over to the other beat, if on one: somebody watches now, or nobody. What waits is read at once."""
        if self._beat is None:
            return
        self._beat.discard(self)
        self._beat = beat_of(asyncio.get_running_loop(), is_watched=self._owner.is_watched)
        if self.read_at_beat():
            self._beat.add(self)

    def read_at_beat(self) -> bool:
        """The beat: read, and stay as long as little comes, often. Without a way to read by itself the loop is let to."""
        if self._poll is not None and not self._has_ended:
            heard = self._heard
            self._poll()
            self._silent_beats = 0 if self._heard != heard else self._silent_beats + 1
            if self._is_trickling and not self._is_paused and self._silent_beats <= _SILENT_BEATS:
                return not self._has_ended
        self._leave()
        return False

    def _leave(self) -> None:
        """Be read by the event loop again, as bytes come."""
        if self._beat is None:
            return
        self._beat.discard(self)
        self._beat, self._silent_beats = None, 0
        if self._transport is not None and not self._is_paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        """Asyncio: the server sends no more. False: close our side too."""
        self._has_ended = True
        _wake(self._reader)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the socket is closed; `exc` says why, None for a clean end."""
        self._has_ended = True
        self._error = self._error or exc
        self._owner.streams.discard(self)
        self._leave()
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """Asyncio: the kernel takes no more for now."""
        self._writer = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Asyncio: the kernel takes more."""
        _wake(self._writer)
        self._writer = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109, ARG002 - httpcore's signature
        """Return what is there, at most `max_bytes`; b"" at the end. `timeout` is the watchdog's business."""
        while not self._received:
            if self._error is not None:
                raise httpcore.ReadError(str(self._error)) from self._error
            if self._has_ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            except asyncio.CancelledError:
                self.abort()  # here, where the cancelled task wakes: httpcore waits for a lock before it closes anything
                raise
            finally:
                self._reader = None
        if len(self._received) <= max_bytes:
            data = bytes(self._received)
            self._received.clear()
        else:
            data = bytes(self._received[:max_bytes])
            del self._received[:max_bytes]
        if self._is_paused and len(self._received) < _LOW_WATER and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002 - as above
        """Hand bytes to the kernel, at its pace: what asyncio cannot hand over at once it would copy again and again."""
        for start in range(0, len(buffer), _PIECE):
            if self._transport is None or self._error is not None or self._transport.is_closing():
                raise httpcore.WriteError("the connection is closed") from self._error
            self._transport.write(buffer[start : start + _PIECE] if len(buffer) > _PIECE else buffer)
            if self._writer is not None:
                await self._writer

    async def aclose(self) -> None:
        """Close at once; there is nothing to wait for."""
        self.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Go on encrypted. `timeout`: seconds, None = no limit."""
        assert self._transport is not None  # noqa: S101 - httpcore asks for TLS on a connected stream only
        loop = asyncio.get_running_loop()
        self._leave()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            self.abort()
            raise httpcore.ConnectTimeout("TLS handshake") from error
        except OSError as error:
            self.abort()
            raise httpcore.ConnectError("TLS handshake") from error
        except BaseException:
            self.abort()
            raise
        if transport is None:
            raise httpcore.ConnectError("TLS handshake") from ConnectionResetError("closed during the TLS handshake")
        self._transport, self._poll = transport, None
        return self

    def get_extra_info(self, info: str) -> object:
        """Return what httpcore asks about the connection; None for what is not known."""
        if self._transport is None:
            return None
        if info == "is_readable":  # asked of an idle connection before it is used again: did the server close it?
            return bool(self._has_ended or self._error or self._received or self._transport.is_closing())
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))

    def abort(self) -> None:
        """Close the socket: the kernel tells the server at once, asyncio lets go of it on the next turn of its loop."""
        self._error = self._error or ConnectionAbortedError("closed by this program")
        self._owner.streams.discard(self)
        if self._transport is not None:
            is_open = not self._transport.is_closing()
            self._transport.abort()
            if is_open:
                _hang_up(self._transport.get_extra_info("socket"))
        _wake(self._reader)
        _wake(self._writer)


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _hang_up(sock: socket.socket | None) -> None:
    """End both directions of a connection."""
    if sock is not None:
        with suppress(OSError):  # the server has hung up already
            sock.shutdown(socket.SHUT_RDWR)
