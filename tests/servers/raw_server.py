"""An HTTP server that does what it is told, byte by byte: plays, pauses, drips, stalls, truncates, resets.

A test program. A *play* is a list of steps for one request; plays are given out in order, one a request. What the client
did (requests, closed connections, when) is recorded, and can be awaited.
"""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Stall:
    """Say nothing more until the client closes."""


@dataclass(frozen=True)
class Close:
    """Close the connection in an orderly way."""


@dataclass(frozen=True)
class Reset:
    """Tear the connection down with a RST."""


@dataclass(frozen=True)
class Wait:
    """Go on when the test says so."""

    event: asyncio.Event


@dataclass(frozen=True)
class Drip:
    """Send bytes one small piece at a time, each in a packet of its own."""

    data: bytes
    size: int = 1


@dataclass(frozen=True)
class Repeat:
    """Send the same bytes until the client closes, at the client's pace, at most so many times."""

    data: bytes
    times: int = 10**9


Step = bytes | Stall | Close | Reset | Wait | Drip | Repeat


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    proxied_host: str = ""
    """What a client says that takes this server for its proxy; the target is the rest of the URL then."""


@dataclass
class Connection:
    requests: list[Request] = field(default_factory=list)
    closed_at: float | None = None
    """When the server saw the end of it, by time.perf_counter()."""
    sent: int = 0
    """Bytes handed to the kernel."""


def chunked(*pieces: bytes, last: bool = True) -> bytes:
    """Encode each piece as one HTTP chunk."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return body + (LAST_CHUNK if last else b"")


def head(status: str = "200 OK", *, content_type: str = "text/event-stream", **headers: str) -> bytes:
    """Return the head of an answer. Header names are written with underscores."""
    lines = [f"HTTP/1.1 {status}"]
    if content_type:
        lines.append(f"content-type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def sse_head(**headers: str) -> bytes:
    """Return the head of a chunked event stream."""
    return head(transfer_encoding="chunked", **headers)


def stream(*pieces: bytes, last: bool = True) -> list[Step]:
    """Return the play of a chunked event stream, one HTTP chunk a piece."""
    return [sse_head(), *(chunked(piece, last=False) for piece in pieces), *([LAST_CHUNK] if last else [])]


def answer(body: bytes, status: str = "200 OK", content_type: str = "application/json", **headers: str) -> list[Step]:
    """Return the play of a whole answer."""
    return [head(status, content_type=content_type, content_length=str(len(body)), **headers) + body]


class RawServer:
    """One server on a loopback port."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.plays: list[Sequence[Step]] = []
        """What the next requests get, in order. Without any left, a 500."""
        self.beside: Callable[[Request], Sequence[Step] | None] = lambda _: None
        """Answers requests that are not part of the play, such as a GET of an agent card."""
        self.port = 0
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """Those that a play was for, in order."""
        return [each for connection in self.connections for each in connection.requests if self.beside(each) is None]

    @property
    def open_connections(self) -> int:
        return sum(connection.closed_at is None for connection in self.connections)

    @property
    def sent(self) -> int:
        """Bytes handed to the kernel on all connections."""
        return sum(connection.sent for connection in self.connections)

    async def until(self, condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
        """Wait until something the server sees makes the condition true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_closed(self, *, seconds: float = 5.0) -> None:
        """Wait until the client has closed every connection."""
        await self.until(lambda: self.open_connections == 0, seconds=seconds)

    async def start(self, ssl: "object | None" = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=ssl, limit=2**24)  # type: ignore[arg-type]
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        connection = Connection()
        self.connections.append(connection)
        self._changed.set()
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    request = await _read_request(reader)
                    connection.requests.append(request)
                    self._changed.set()
                    if not await self._play(self._next_play(request), reader, writer, connection):
                        break
        finally:
            connection.closed_at = time.perf_counter()
            self._changed.set()
            self._handlers.discard(task)
            writer.transport.abort()

    def _next_play(self, request: Request) -> Sequence[Step]:
        beside = self.beside(request)
        if beside is not None:
            return beside
        return self.plays.pop(0) if self.plays else answer(b'{"error":"no play"}', "500 Internal Server Error")

    async def _play(  # noqa: C901 - one case a step
        self, play: Sequence[Step], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection
    ) -> bool:
        """Play; return whether the connection goes on."""
        for step in play:
            match step:
                case bytes():
                    await self._send(writer, connection, step)
                case Drip(data, size):
                    for at in range(0, len(data), size):
                        await self._send(writer, connection, data[at : at + size])
                        await asyncio.sleep(0)
                case Repeat(data, times):
                    for _ in range(times):
                        await self._send(writer, connection, data)
                        await asyncio.sleep(0)
                case Wait(event):
                    await event.wait()
                case Stall():
                    await reader.read()
                    return False
                case Close():
                    writer.close()
                    return False
                case Reset():
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return False
        return True

    async def _send(self, writer: asyncio.StreamWriter, connection: Connection, data: bytes) -> None:
        if writer.transport.is_closing():
            raise ConnectionResetError
        writer.write(data)
        connection.sent += len(data)
        self._changed.set()
        await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    host = ""
    if target.startswith("http://"):
        host, _, path = target.removeprefix("http://").partition("/")
        target = f"/{path}"
    return Request(method, target, headers, body, host)


@asynccontextmanager
async def raw_server() -> AsyncIterator[RawServer]:
    """Run a server."""
    server = RawServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
