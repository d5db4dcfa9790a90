"""A stream that trickles is read at the pace of a screen; its first bytes, and streams that flow, never wait."""

import asyncio

from chatforge_tui.endpoints.http_sockets import _PACE_S, _TRICKLE, SocketBackend, SocketStream


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
    for stream, _ in streams:
        stream.data_received(b"a")
        stream.data_received(b"b")
    beats = {round(stream._rest.when() / _PACE_S, 6) for stream, _ in streams}
    assert len(beats) <= 2  # the loop's clock may pass a beat meanwhile
    assert all(beat == int(beat) for beat in beats)
    for stream, _ in streams:
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
    stream._resume()
    assert not transport.is_read
    await stream.read(300_001)
    assert transport.is_read
