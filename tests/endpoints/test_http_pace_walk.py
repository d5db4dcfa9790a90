"""Connections that trickle, flow, stop, end and break, watched or not: what was sent is read once, in order, and soon."""

import asyncio
import random

import httpcore
import pytest

from chatforge_tui.endpoints.http_sockets import SocketBackend
from chatforge_tui.endpoints.reading_beat import HIDDEN_S, beat_of
from chatforge_tui.endpoints.socket_stream import SocketStream
from tests.virtual_clock import run_virtually, settle

EOF, RESET = "eof", "reset"


class Socket(asyncio.Transport):
    """As asyncio's over a plain socket, with what the kernel holds; or over one that cannot be read by itself, as with TLS."""

    def __init__(self, stream: SocketStream, *, is_plain: bool) -> None:
        super().__init__()
        self.stream, self.waiting, self.last = stream, bytearray(), ""
        self.is_paused = self.is_closed = False
        self._read_ready = self.read if is_plain else None
        stream.connection_made(self)

    def arrive(self, what: bytes | str) -> None:
        """Let bytes come, or the end."""
        if isinstance(what, bytes):
            self.waiting += what
        else:
            self.last = what
        self.look()

    def look(self) -> None:
        """The event loop: read as soon as there is something, unless it is not to be watched."""
        asyncio.get_running_loop().call_soon(lambda: None if self.is_paused else self.read())

    def read(self) -> None:
        if self.is_closed:
            return
        if self.waiting:
            data = bytes(self.waiting[: 256 * 1024])
            del self.waiting[: 256 * 1024]
            self.stream.data_received(data)
            self.look()
        elif self.last == RESET:
            self.end(ConnectionResetError())
        elif self.last:
            self.stream.eof_received()
            self.end(None)

    def end(self, error: Exception | None) -> None:
        if not self.is_closed:
            self.is_closed = True
            asyncio.get_running_loop().call_soon(self.stream.connection_lost, error)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False
        self.look()

    def is_closing(self) -> bool:
        return self.is_closed

    def abort(self) -> None:
        self.end(None)


class Connection:
    """One connection, its server, and its reader."""

    def __init__(self, dice: random.Random, backend: SocketBackend) -> None:
        self.dice = dice
        self.stream = SocketStream(backend)
        self.socket = Socket(self.stream, is_plain=dice.random() < 0.8)
        self.flows = dice.random() < 0.2
        self.last = dice.choice([EOF, EOF, EOF, RESET, "abort"])
        self.sent: list[tuple[float, int]] = []
        self.read: list[tuple[float, int]] = []
        self.bytes_sent, self.bytes_read, self.end = b"", b"", ""

    async def serve(self) -> None:
        sizes = [20, 20_000, 300_000] if self.flows else [1, 20, 200]
        for number in range(self.dice.randrange(40)):
            await asyncio.sleep(self.dice.choice([0, 0.001, 0.02, 0.03, 0.03, 0.05, 0.2, 1.0]))
            data = bytes([number]) * self.dice.choice(sizes)
            self.bytes_sent += data
            self.sent.append((asyncio.get_running_loop().time(), len(self.bytes_sent)))
            self.socket.arrive(data)
        if self.last == "abort":
            self.stream.abort()
        else:
            self.socket.arrive(self.last)

    async def follow(self) -> None:
        """Read to the end; who reads what flows may be slow."""
        try:
            while data := await self.stream.read(self.dice.choice([10, 1_000, 65_536])):
                self.bytes_read += data
                self.read.append((asyncio.get_running_loop().time(), len(self.bytes_read)))
                if self.flows and self.dice.random() < 0.1:
                    await asyncio.sleep(0.5)
        except httpcore.ReadError:
            self.end = "error"
        else:
            self.end = EOF

    def check(self) -> None:
        assert self.bytes_sent.startswith(self.bytes_read)
        if self.last == EOF:
            assert (self.end, self.bytes_read) == (EOF, self.bytes_sent)
        if self.flows:
            return
        for sent_at, size in self.sent:
            read_at = next((when for when, read in self.read if read >= size), None)
            if read_at is not None:
                assert read_at - sent_at <= 1.6 * HIDDEN_S
            else:
                assert self.last != EOF


async def walk(seed: int) -> None:
    dice, mistakes = random.Random(seed), list[object]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: mistakes.append(context))
    backends = [SocketBackend() for _ in range(3)]
    connections: list[Connection] = []

    async def look_here_and_there() -> None:
        for _ in range(30):
            await asyncio.sleep(dice.choice([0, 0.01, 0.05, 0.3]))
            dice.choice(backends).attend(is_watched=dice.random() < 0.5)

    async with asyncio.timeout(1_000), asyncio.TaskGroup() as group:
        group.create_task(look_here_and_there())
        for _ in range(dice.choice([1, 3, 35])):
            connections.append(one := Connection(dice, dice.choice(backends)))
            group.create_task(one.serve())
            group.create_task(one.follow())
            await asyncio.sleep(dice.choice([0, 0, 0.01, 0.07]))
    await settle()
    for one in connections:
        one.check()
    assert not mistakes
    assert not any(backend.streams for backend in backends)
    await asyncio.sleep(2 * HIDDEN_S)
    assert not any(beat_of(loop, is_watched=is_watched)._timer for is_watched in (True, False))


@pytest.mark.parametrize("seed", range(12))
def test_what_was_sent_is_read_once_in_order_and_soon(seed: int):
    run_virtually(walk(seed))
