"""TCP and TLS connections for httpcore that can be closed at once, by anyone, without waiting.

httpcore's own backend closes a connection in awaited steps. A task that is cancelled a second time skips the rest of
them, and the socket stays open; a stalled connection could only be ended from within its reader. Here `SocketBackend.
abort` closes every socket of a channel in one synchronous call, and the reader sees an error. It is also the cheaper
backend: a read that finds data waiting neither yields to the event loop nor sets a timer, and a stream that trickles is
read at the pace of a screen, or more slowly while nobody watches it (reading_beat.py).
"""

import asyncio
import errno
import math
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

import httpcore

from chatforge_tui.endpoints import descriptors
from chatforge_tui.endpoints.name_lookup import AddressInfo, addresses, look_up
from chatforge_tui.endpoints.reading_beat import ReadingBeat, beat_of
from chatforge_tui.errors import ProtocolMismatch
from chatforge_tui.safety.urls import is_private_address

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
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
"""A peer that vanished is noticed within about a minute: seconds, seconds, probes, milliseconds. Where the system has them."""
_HAPPY_EYEBALLS_S: Final = 0.25
"""After this long without an answer the next address of a host is tried beside the first."""


class SocketStream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection: what asyncio delivers, as httpcore reads it. One reader at a time."""

    def __init__(self, backend: "SocketBackend") -> None:
        """Belong to a backend, which can abort it."""
        self._backend = backend
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
        self._backend.streams.add(self)

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
            beat = beat_of(loop, is_watched=self._backend.is_watched)
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
        self._beat = beat_of(asyncio.get_running_loop(), is_watched=self._backend.is_watched)
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
        self._backend.streams.discard(self)
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
        self._backend.streams.discard(self)
        if self._transport is not None:
            is_open = not self._transport.is_closing()
            self._transport.abort()
            if is_open:
                _hang_up(self._transport.get_extra_info("socket"))
        _wake(self._reader)
        _wake(self._writer)


class SocketBackend(httpcore.AsyncNetworkBackend):
    """Opens one channel's connections, and knows all that are open."""

    def __init__(self, *, public_host: str = "") -> None:
        """Open nothing yet. `public_host`: a host that is refused when an address of it is not public; "" = none is."""
        self._public_host = public_host
        self.is_watched = True
        """Somebody watches what comes."""
        self.streams: set[SocketStream] = set()
        """Open connections."""
        self.opened = 0
        """How many were opened so far."""
        self._uses = 0

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002 - never set
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - never set
    ) -> httpcore.AsyncNetworkStream:
        """Connect within `timeout` seconds, to whichever address of the host answers first.

        Raises:
            ProtocolMismatch: the host must be public and is not.
        """
        loop = asyncio.get_running_loop()
        stream = SocketStream(self)
        try:
            if descriptors.are_short():
                await _free_some(loop)
            async with asyncio.timeout(timeout):
                with descriptors.opening():
                    transport = await self._connect(stream, host, port)
        except TimeoutError as error:
            stream.abort()
            raise httpcore.ConnectTimeout("connect") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("connect") from error
        except BaseException:
            stream.abort()
            raise
        _keep_alive(transport.get_extra_info("socket"))
        self.opened += 1
        return stream

    async def _connect(self, stream: SocketStream, host: str, port: int) -> asyncio.Transport:
        """Connect to the address that a host is, or to whichever of those that its name has answers first."""
        loop = asyncio.get_running_loop()
        if not _is_address(host):
            found = await look_up(host, port)
            if host == self._public_host:
                _reject_private(host, found)
                found = found[:1]
            if len(addresses(found)) > 1:
                return await self._race(stream, found)
            host = addresses(found)[0]
        return (await loop.create_connection(lambda: stream, host, port))[0]

    async def _race(self, stream: SocketStream, found: list[AddressInfo]) -> asyncio.Transport:
        """Connect to whichever address answers first.

        Not asyncio's own race: cancelled in the step in which it is won, it leaves a socket to the garbage collector.
        """
        # Lazy: 1 ms that most hosts do not need.
        from aiohappyeyeballs import start_connection  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]

        sock = await start_connection(found, happy_eyeballs_delay=_HAPPY_EYEBALLS_S)
        try:
            return (await asyncio.get_running_loop().create_connection(lambda: stream, sock=sock))[0]
        except BaseException:
            sock.close()
            raise

    def work(self) -> None:
        """Begin to use a connection."""
        self._uses += 1
        _resting_of(asyncio.get_running_loop()).discard(self)

    def rest(self) -> None:
        """End a use. Connections that nobody uses are closed for the sake of others' where descriptors are short."""
        self._uses -= 1
        if not self._uses:
            _resting_of(asyncio.get_running_loop()).add(self)

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches what comes; while nobody does it is read at a slower beat."""
        if self.is_watched is not is_watched:
            self.is_watched = is_watched
            for stream in tuple(self.streams):
                stream.change_beat()

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore asks for it between connection attempts."""
        await asyncio.sleep(seconds)

    def abort(self) -> None:
        """Close every connection now."""
        for stream in tuple(self.streams):
            stream.abort()


_resting: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakSet[SocketBackend]] = WeakKeyDictionary()


def _resting_of(loop: asyncio.AbstractEventLoop) -> WeakSet[SocketBackend]:
    """Return whose connections nobody uses: they are kept for the next request, unless descriptors are short."""
    return _resting.setdefault(loop, WeakSet())


async def _free_some(loop: asyncio.AbstractEventLoop) -> None:
    """Close the connections that rest.

    Raises:
        OSError: EMFILE; there are still too few descriptors for one more connection.
    """
    for backend in tuple(_resting_of(loop)):
        backend.abort()
    await asyncio.sleep(0)  # in which asyncio closes what was aborted
    if descriptors.are_short():
        raise OSError(errno.EMFILE, "too few descriptors are left")


def _is_address(host: str) -> bool:
    """Whether a host is an address, maybe with the zone of an IPv6 one behind it, and no name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _reject_private(host: str, found: list[AddressInfo]) -> None:
    """Refuse a host that is not public with all its addresses.

    Raises:
        ProtocolMismatch: one of them is not.
    """
    if inside := next(filter(is_private_address, addresses(found)), None):
        message = f"{host} leads to {inside}, an address inside your own network: nothing was sent there."
        raise ProtocolMismatch(message, hint="Only the endpoint's own host may be such a one.")


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _hang_up(sock: socket.socket | None) -> None:
    """End both directions of a connection."""
    if sock is not None:
        with suppress(OSError):  # the server has hung up already
            sock.shutdown(socket.SHUT_RDWR)


def _keep_alive(sock: socket.socket | None) -> None:
    """Have the kernel notice a peer that vanished without a word (sleep, a lost network, a rebooted router)."""
    if sock is None:
        return
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    options += [
        (socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in _KEEPALIVE if hasattr(socket, name)
    ]
    for option in options:
        try:
            sock.setsockopt(*option)
        except OSError:
            continue  # an option that this system names but does not know: the connection works without it
