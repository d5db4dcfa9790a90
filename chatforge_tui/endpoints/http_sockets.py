"""Opens TCP and TLS connections for httpcore, and closes all of a channel at once, without waiting.

httpcore's own backend closes a connection in awaited steps. A task that is cancelled a second time skips the rest of
them, and the socket stays open; a stalled connection could only be ended from within its reader. Here `SocketBackend.
abort` closes every socket of a channel in one synchronous call, and the reader sees an error.
"""

import asyncio
import errno
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

import httpcore

from chatforge_tui.endpoints import descriptors
from chatforge_tui.endpoints.name_lookup import AddressInfo, addresses, look_up
from chatforge_tui.endpoints.socket_stream import SocketStream
from chatforge_tui.errors import ProtocolMismatch
from chatforge_tui.safety.urls import is_private_address

_KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
"""A peer that vanished is noticed within about a minute: seconds, seconds, probes, milliseconds. Where the system has them."""
_HAPPY_EYEBALLS_S: Final = 0.25
"""After this long without an answer the next address of a host is tried beside the first."""


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
