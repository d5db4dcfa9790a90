"""A stream that trickles is read at the pace of a screen, a hidden one more slowly; first bytes, and what flows, never wait."""

import asyncio

from chatforge_tui.endpoints.http_sockets import SocketBackend
from chatforge_tui.endpoints.reading_beat import HIDDEN_S, WATCHED_S
from chatforge_tui.endpoints.socket_stream import _SILENT_BEATS, _TRICKLE, SocketStream
from tests.virtual_clock import virtually


class Transport(asyncio.Transport):
    """Says whether it is read."""

    def __init__(self):
        super().__init__()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    @property
    def is_read(self):
        return self.goes_on.is_set()

    def pause_reading(self):
        self.goes_on.clear()

    def resume_reading(self):
        self.goes_on.set()

    def is_closing(self):
        return False

    def abort(self):
        self.goes_on.clear()


class Polled(Transport):
    """One that can be read without the event loop, as asyncio's over a plain socket."""

    def __init__(self, stream):
        super().__init__()
        self._stream = stream
        self.waiting = []

    def _read_ready(self):
        if self.waiting:
            self._stream.data_received(self.waiting.pop(0))


def an_unwatched_backend():
    backend = SocketBackend()
    backend.attend(is_watched=False)
    return backend


def a_stream(backend: SocketBackend | None = None) -> tuple[SocketStream, Transport]:
    stream, transport = SocketStream(backend or SocketBackend()), Transport()
    stream.connection_made(transport)
    return stream, transport


def a_polled_stream(backend: SocketBackend | None = None) -> tuple[SocketStream, Polled]:
    """Return a stream on the beat, at which "ab" was received."""
    stream = SocketStream(backend or SocketBackend())
    transport = Polled(stream)
    stream.connection_made(transport)
    stream.data_received(b"a")
    stream.data_received(b"b")
    assert not transport.is_read
    return stream, transport


async def beats(count: float = 1, period_s: float = WATCHED_S) -> None:
    """Let so many beats strike."""
    await asyncio.sleep(count * period_s + 0.001)


@virtually
async def test_the_first_bytes_are_read_at_once_and_those_right_behind_them_gather():
    stream, transport = a_stream()
    stream.data_received(b"a")
    assert transport.is_read
    stream.data_received(b"b")
    assert not transport.is_read
    assert await stream.read(10) == b"ab"
    await beats()
    assert transport.is_read


@virtually
async def test_a_stream_that_trickles_is_read_at_each_beat_until_it_is_silent():
    stream, transport = a_polled_stream()
    for number in range(5):
        transport.waiting.append(b"%d" % number)
        await beats()
        assert not transport.is_read
    assert await stream.read(100) == b"ab01234"
    await beats(_SILENT_BEATS)
    assert not transport.is_read
    await beats()
    assert transport.is_read
    stream.connection_lost(None)


@virtually
async def test_a_stream_that_begins_to_flow_leaves_the_beat():
    stream, transport = a_polled_stream()
    transport.waiting.append(b"x" * _TRICKLE)
    await beats()
    assert transport.is_read
    stream.connection_lost(None)


@virtually
async def test_a_stream_that_ends_at_a_beat_is_asked_no_more():
    stream, transport = a_polled_stream()
    stream.eof_received()
    transport.waiting.append(b"late")
    await beats(3)
    assert transport.waiting
    assert await stream.read(10) == b"ab"
    assert await stream.read(10) == b""
    stream.connection_lost(None)


@virtually
async def test_a_stream_that_flows_is_never_held_back():
    stream, transport = a_stream()
    for _ in range(3):
        stream.data_received(b"x" * _TRICKLE)
        await stream.read(_TRICKLE)
        assert transport.is_read


@virtually
async def test_a_reader_that_does_not_read_holds_a_stream_back_beyond_the_beat():
    stream, transport = a_stream()
    stream.data_received(b"a")
    stream.data_received(b"x" * 300_000)
    await beats()
    assert not transport.is_read
    await stream.read(300_001)
    assert transport.is_read


@virtually
async def test_what_nobody_watches_is_read_at_a_third_of_the_beats_all_of_it_at_once():
    backend = an_unwatched_backend()
    stream, transport = a_polled_stream(backend)
    transport.waiting.append(b"cde")
    assert await stream.read(10) == b"ab"
    await beats(2)
    assert transport.waiting
    await beats(1, HIDDEN_S)
    assert await stream.read(10) == b"cde"
    stream.connection_lost(None)


@virtually
async def test_a_stream_too_slow_for_the_screens_beat_is_on_the_hidden_one():
    backend = an_unwatched_backend()
    stream, transport = a_stream(backend)
    stream.data_received(b"a")
    await asyncio.sleep(3 * WATCHED_S)
    stream.data_received(b"b")
    assert not transport.is_read
    stream.connection_lost(None)


@virtually
async def test_what_waits_is_read_at_once_when_somebody_watches_and_then_at_the_screens_beat():
    backend = an_unwatched_backend()
    stream, transport = a_polled_stream(backend)
    transport.waiting += [b"c", b"d"]
    backend.attend(is_watched=True)
    assert await stream.read(10) == b"abc"
    await beats()
    assert await stream.read(10) == b"d"
    backend.attend(is_watched=False)
    transport.waiting.append(b"e")
    await beats()
    assert transport.waiting
    stream.connection_lost(None)


@virtually
async def test_a_stream_that_cannot_be_polled_is_left_to_the_loop_when_somebody_watches():
    backend = an_unwatched_backend()
    stream, transport = a_stream(backend)
    stream.data_received(b"a")
    stream.data_received(b"b")
    assert not transport.is_read
    backend.attend(is_watched=True)
    assert transport.is_read
    stream.connection_lost(None)
