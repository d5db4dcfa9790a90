"""A stream that trickles is read at the pace of a screen; its first bytes, and streams that flow, never wait."""

import asyncio

import pytest

from chatforge_tui.endpoints.http_sockets import _SILENT_BEATS, _TRICKLE, SocketBackend, SocketStream
from chatforge_tui.endpoints.reading_beat import BEAT_S, ReadingBeat, beat_of


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


def a_stream() -> tuple[SocketStream, Transport]:
    stream, transport = SocketStream(SocketBackend()), Transport()
    stream.connection_made(transport)
    return stream, transport


async def test_the_first_bytes_are_read_at_once_and_those_right_behind_them_gather():
    stream, transport = a_stream()
    stream.data_received(b"a")
    assert transport.is_read
    stream.data_received(b"b")
    assert not transport.is_read
    assert await stream.read(10) == b"ab"
    async with asyncio.timeout(5):
        await transport.goes_on.wait()


async def test_all_streams_of_a_loop_go_on_at_the_same_beat():
    streams = [a_stream() for _ in range(5)]
    for stream, transport in streams:
        stream.data_received(b"a")
        stream.data_received(b"b")
        assert not transport.is_read
    beat = beat_of(asyncio.get_running_loop())
    assert round(beat._timer.when() / BEAT_S, 6).is_integer()
    beat.strike()
    assert all(transport.is_read for _, transport in streams)
    for stream, _ in streams:
        stream.connection_lost(None)


class Polled(Transport):
    """One that can be read without the event loop, as asyncio's over a plain socket."""

    def __init__(self, stream):
        super().__init__()
        self._stream = stream
        self.waiting = []

    def _read_ready(self):
        if self.waiting:
            self._stream.data_received(self.waiting.pop(0))


def a_polled_stream(beat):
    stream = SocketStream(SocketBackend())
    transport = Polled(stream)
    stream.connection_made(transport)
    stream.data_received(b"a")
    stream.data_received(b"b")
    assert not transport.is_read
    beat.discard(stream)  # of this loop's clock; the test strikes itself
    stream._beat = beat
    beat.add(stream)
    return stream, transport


async def test_a_stream_that_trickles_is_read_at_each_beat_until_it_is_silent():
    beat = beat_of(asyncio.get_running_loop())
    stream, transport = a_polled_stream(beat)
    for number in range(5):
        transport.waiting.append(b"%d" % number)
        beat.strike()
        assert not transport.is_read
    assert await stream.read(100) == b"ab01234"
    for _ in range(_SILENT_BEATS):
        beat.strike()
        assert not transport.is_read
    beat.strike()
    assert transport.is_read
    assert not beat._streams
    stream.connection_lost(None)


async def test_a_stream_that_begins_to_flow_leaves_the_beat():
    beat = beat_of(asyncio.get_running_loop())
    stream, transport = a_polled_stream(beat)
    transport.waiting.append(b"x" * _TRICKLE)
    beat.strike()
    assert transport.is_read
    stream.connection_lost(None)


async def test_a_stream_that_ends_at_a_beat_is_asked_no_more():
    beat = beat_of(asyncio.get_running_loop())
    stream, _ = a_polled_stream(beat)
    stream.eof_received()
    beat.strike()
    assert not beat._streams
    assert await stream.read(10) == b"ab"
    assert await stream.read(10) == b""
    stream.connection_lost(None)


async def test_what_one_stream_does_at_the_beat_is_not_felt_by_the_others():
    beat = ReadingBeat(asyncio.get_running_loop())
    (first, _), (second, _), (third, reading) = (a_polled_stream(beat) for _ in range(3))
    first._poll = second.abort  # the first one's bytes end the second
    reading.waiting.append(b"c")
    beat.strike()
    assert await third.read(10) == b"abc"
    first._poll = lambda: 1 // 0
    reading.waiting.append(b"d")
    with pytest.raises(ZeroDivisionError):
        beat.strike()
    beat.strike()
    assert await third.read(10) == b"d"
    for stream in (first, second, third):
        stream.connection_lost(None)


async def test_a_stream_that_flows_is_never_held_back():
    stream, transport = a_stream()
    for _ in range(3):
        stream.data_received(b"x" * _TRICKLE)
        await stream.read(_TRICKLE)
        assert transport.is_read


async def test_a_reader_that_does_not_read_holds_a_stream_back_beyond_the_beat():
    stream, transport = a_stream()
    stream.data_received(b"a")
    stream.data_received(b"x" * 300_000)
    beat_of(asyncio.get_running_loop()).strike()
    assert not transport.is_read
    await stream.read(300_001)
    assert transport.is_read
