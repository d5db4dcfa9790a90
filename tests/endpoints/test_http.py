"""The HTTP channel of one session: sockets, clocks, limits, credentials. What each protocol shares."""

import asyncio
import gc
import gzip
import logging
import socket
import subprocess
import sys
import time
import zlib
from contextlib import aclosing, suppress
from pathlib import Path
from statistics import median

import pytest

from chatforge_tui.endpoints import http_watchdog
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.http_sockets import SocketBackend
from chatforge_tui.errors import ConfigError, LimitExceeded, ProtocolMismatch, StreamLost, StreamStalled, Unreachable
from chatforge_tui.safety.secret import Secret
from tests.servers.raw_server import (
    LAST_CHUNK,
    Close,
    Drip,
    Repeat,
    Stall,
    Wait,
    answer,
    chunked,
    head,
    raw_server,
    sse_head,
    stream,
)


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


@pytest.fixture
async def open_channel(server):
    made = []

    def make(**settings):
        made.append(HttpChannel(HttpSettings(**settings)))
        return made[-1]

    yield make
    for channel in made:
        await channel.aclose()
    await server.until_closed(seconds=1)


async def read(channel, url, **headers):
    async with channel.open_stream("POST", url, b"{}", headers) as response, aclosing(response.chunks()) as chunks:
        return b"".join([chunk async for chunk in chunks])


def started(channel, url):
    """Begin to read in a task; the event is set at the first bytes."""
    first = asyncio.Event()

    async def follow():
        async with channel.open_stream("POST", url, b"{}") as response, aclosing(response.chunks()) as chunks:
            async for _ in chunks:
                first.set()

    return asyncio.create_task(follow()), first  # noqa: TID251 - the part of the worker


# Closing


async def test_an_abort_closes_the_socket_within_milliseconds(server, open_channel):
    channel, took = open_channel(), []
    for _ in range(40):
        server.plays = [[sse_head(), chunked(b"x", last=False), Stall()]]
        task, first = started(channel, server.url)
        await first.wait()
        before = time.perf_counter()
        task.cancel()
        await server.until_closed()
        took.append(server.connections[-1].closed_at - before)
        with suppress(asyncio.CancelledError):
            await task
    assert median(took) <= 0.006, f"median {median(took) * 1000:.2f} ms"


async def test_a_stream_of_which_the_reader_is_behind_is_closed_as_fast(server, open_channel):
    server.plays = [[sse_head(), Repeat(chunked(b"x" * 65_536, last=False))]]
    async with open_channel().open_stream("POST", server.url, b"{}") as response, aclosing(response.chunks()) as chunks:
        await anext(chunks)
        before = time.perf_counter()
    await server.until_closed(seconds=1)
    assert time.perf_counter() - before < 0.2


async def test_cancelling_in_the_middle_of_connecting_leaves_no_socket(open_channel):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        blockers = []
        for _ in range(4):  # fill the queue of the listener: the next connection hangs
            blocker = socket.socket()
            blocker.setblocking(False)
            with suppress(BlockingIOError):
                blocker.connect(full.getsockname())
            blockers.append(blocker)
        channel = open_channel()
        task, _ = started(channel, f"http://127.0.0.1:{full.getsockname()[1]}")
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        before = time.perf_counter()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - before < 0.1
        for blocker in blockers:
            blocker.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_cancelling_in_any_step_of_connecting_leaves_no_socket_to_the_garbage_collector(server):
    backend, before = SocketBackend(), descriptors()
    gc.disable()
    try:
        for steps in range(12):
            task = asyncio.get_running_loop().create_task(backend.connect_tcp("127.0.0.1", server.port, timeout=5))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await (await task).aclose()
        await server.until_closed()
        await asyncio.sleep(0)
        assert descriptors() <= before
    finally:
        gc.enable()


async def test_cancelling_between_head_and_body_closes(server, open_channel):
    server.plays = [[sse_head(), Stall()]]
    task, _ = started(open_channel(), server.url)
    await server.until(lambda: server.sent > 0)
    task.cancel()
    await server.until_closed(seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_cancelled_streams_leave_no_descriptor_and_no_task(server, open_channel):
    def descriptors():
        return len(list(Path("/proc/self/fd").iterdir()))

    channel = open_channel()
    counts = []
    for _ in range(30):
        server.plays = [[sse_head(), chunked(b"x", last=False), Stall()]]
        task, first = started(channel, server.url)
        await first.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await server.until_closed()
        counts.append((descriptors(), len(asyncio.all_tasks())))
    assert max(counts[5:]) == min(counts[5:])


async def test_leaving_before_the_end_closes_and_the_next_request_has_a_connection_of_its_own(server, open_channel):
    channel = open_channel()
    server.plays = [[sse_head(), chunked(b"x", last=False), Stall()], stream(b"y")]
    async with channel.open_stream("POST", server.url, b"{}") as response:
        async for _ in response.chunks():
            break
    assert await read(channel, server.url) == b"y"
    assert len(server.connections) == 2


async def test_a_finished_answer_whose_end_comes_at_once_keeps_its_connection(server, open_channel):
    channel = open_channel()
    server.plays = [[sse_head(), chunked(b"x", last=False), LAST_CHUNK], stream(b"y")]
    async with channel.open_stream("POST", server.url, b"{}") as response:
        async for _ in response.chunks():
            response.done()
            break
    assert await read(channel, server.url) == b"y"
    assert len(server.connections) == 1


async def test_a_connection_of_its_own_does_not_touch_the_stream(server, open_channel):
    channel, go_on = open_channel(), asyncio.Event()
    server.plays = [[sse_head(), chunked(b"a", last=False), Wait(go_on), chunked(b"b")], answer(b"told")]
    task, first = started(channel, server.url)
    await first.wait()
    told = await channel.fetch("POST", server.url, b"stop", own_connection=True)
    assert told.body == b"told"
    assert len(server.connections) == 2
    go_on.set()
    await task


# Clocks


async def test_a_slow_head_a_silent_body_and_endless_pings_have_a_limit_each(server, open_channel):
    channel = open_channel(first_byte_s=0.15, idle_s=0.15, progress_s=0.3)
    server.plays = [[Stall()]]
    with pytest.raises(StreamStalled, match="did not begin to answer"):
        await read(channel, server.url)
    server.plays = [[sse_head(), Stall()]]
    with pytest.raises(StreamStalled, match="sent nothing for"):
        await read(channel, server.url)
    server.plays = [[sse_head(), Repeat(chunked(b":\n\n", last=False))]]
    with pytest.raises(StreamStalled, match="signs of life"):
        await read(channel, server.url)


async def test_content_starts_the_progress_clock_anew(server, open_channel):
    channel, began = open_channel(progress_s=0.15), time.perf_counter()
    server.plays = [[sse_head(), Repeat(chunked(b"x", last=False))]]
    async with channel.open_stream("POST", server.url, b"{}") as response:
        async for _ in response.chunks():
            response.content_arrived()
            if time.perf_counter() - began > 0.5:
                break


async def test_time_that_the_reader_takes_is_not_held_against_the_server(server, open_channel):
    channel = open_channel(idle_s=0.1, progress_s=0.1)
    server.plays = [[sse_head(), chunked(b"a"), LAST_CHUNK]]
    async with channel.open_stream("POST", server.url, b"{}") as response:
        async for chunk in response.chunks():
            assert chunk == b"a"
            await asyncio.sleep(0.4)


async def test_after_the_computer_slept_a_silent_connection_gets_a_short_while(server, open_channel, monkeypatch):
    slept = 0.0
    monkeypatch.setattr(http_watchdog, "_sleep_offset", lambda: slept)
    monkeypatch.setattr(http_watchdog, "_TICK_S", 0.02)
    monkeypatch.setattr(http_watchdog, "_AFTER_WAKE_S", 0.1)
    server.plays = [[sse_head(), chunked(b"a", last=False), Stall()]]
    task, first = started(open_channel(idle_s=60), server.url)
    await first.wait()
    slept = 3600.0
    began = time.perf_counter()
    with pytest.raises(StreamStalled):
        await task
    assert 0.05 < time.perf_counter() - began < 2


async def test_the_kernel_is_asked_to_notice_a_vanished_peer(server, open_channel):
    server.plays = [[sse_head(), chunked(b"a", last=False), Stall()]]
    channel = open_channel()
    task, first = started(channel, server.url)
    await first.wait()
    (connection,) = channel.wire()._backend.streams
    sock = connection.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# Limits


async def test_a_reader_that_stands_still_slows_the_server_down(server, open_channel):
    server.plays = [[sse_head(), Repeat(chunked(b"x" * 65_536, last=False), 2000)]]
    async with open_channel(max_turn_bytes=2**30).open_stream("POST", server.url, b"{}") as response:
        chunks = response.chunks()
        await anext(chunks)
        sent = -1
        while sent != server.connections[-1].sent:
            sent = server.connections[-1].sent
            await asyncio.sleep(0.05)
        assert sent < 32 * 2**20  # what the kernel holds on both sides; never the 125 MiB that were offered
        await chunks.aclose()


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress, lambda data: zlib.compress(data)[2:-4]])
async def test_a_compressed_answer_is_decoded_however_it_is_cut(server, open_channel, encode):
    text = b"hello " * 1000
    name = "gzip" if encode is gzip.compress else "deflate"
    body = encode(text)
    server.plays = [[head(content_encoding=name, content_length=str(len(body))), Drip(body, 3)]]
    assert await read(open_channel(), server.url) == text


async def test_a_damaged_compressed_answer_is_a_lost_one(server, open_channel):
    server.plays = [[head(content_encoding="gzip", content_length="9"), b"not gzip!"]]
    with pytest.raises(StreamLost, match="damaged"):
        await read(open_channel(), server.url)


async def test_a_fetched_answer_has_a_size_limit_and_a_time_limit(server, open_channel):
    channel = open_channel()
    server.plays = [answer(b"x" * 2000), [Stall()], [head(content_length="9"), b"x", Stall()]]
    with pytest.raises(LimitExceeded):
        await channel.fetch("GET", server.url, limit=1999)
    for _ in range(2):
        with pytest.raises(StreamStalled, match=r"within 0\.1 s"):
            await channel.fetch("GET", server.url, timeout_s=0.1)


async def test_a_fetched_answer_of_exactly_the_limit_is_whole(server, open_channel):
    server.plays = [answer(b"x" * 2000, "418 I'm a teapot", "Text/Plain; charset=x")]
    found = await open_channel().fetch("GET", server.url, limit=2000)
    assert (found.status, found.content_type, len(found.body)) == (418, "text/plain", 2000)
    assert found.headers["Content-Length"] == "2000"


# Credentials and redirects


async def test_credentials_go_to_the_configured_origin_only(server, open_channel):
    async with raw_server() as stranger:
        channel = open_channel(
            headers={"Authorization": Secret("Bearer s3cr3t"), "X-Team": "a"}, origin=f"{server.url}/v1"
        )
        server.plays = stranger.plays = [stream(b"x"), stream(b"x")]
        await read(channel, f"{server.url}/other/path")
        await read(channel, f"{stranger.url}/v1")
        assert server.requests[0].headers["authorization"] == "Bearer s3cr3t"
        assert not {"authorization", "x-team"} & stranger.requests[0].headers.keys()
        await channel.aclose()


async def test_a_redirect_is_followed_only_where_asked_and_only_to_the_same_origin(server, open_channel):
    async with raw_server() as stranger:
        channel = open_channel(headers={"Authorization": Secret("Bearer s3cr3t")}, origin=server.url)
        here = head("302 Found", location="/there", content_length="0")
        away = head("302 Found", location=stranger.url, content_length="0")
        server.plays = [[here], [here], answer(b"found"), [away]]
        with pytest.raises(ProtocolMismatch, match="/there"):
            await channel.fetch("GET", server.url)
        assert (await channel.fetch("GET", server.url, redirects=1)).body == b"found"
        with pytest.raises(ProtocolMismatch, match=str(stranger.port)):
            await channel.fetch("GET", server.url, redirects=1)
        assert stranger.connections == []


async def test_a_redirect_in_circles_ends(server, open_channel):
    server.plays = [[head("302 Found", location="/again", content_length="0")]] * 9
    with pytest.raises(ProtocolMismatch):
        await open_channel().fetch("GET", server.url, redirects=5)
    assert len(server.requests) == 6


@pytest.mark.parametrize("value", ["s3\ncr3t", "s3\0cr3t", "s3crét", "s3\r\nX-Evil: 1"])
async def test_a_header_that_http_cannot_carry_is_a_fault_of_the_configuration(server, open_channel, value):
    with pytest.raises(ConfigError) as caught:
        await read(open_channel(headers={"Authorization": Secret(value)}), server.url)
    assert "Authorization" in str(caught.value)
    assert value not in str(caught.value)
    assert value[:3] not in str(caught.value)
    assert server.connections == []


async def test_no_log_line_holds_a_url_or_a_credential(server, open_channel, caplog):
    caplog.set_level(logging.DEBUG)
    channel = open_channel(headers={"X-API-Key": Secret("s3cr3t-key")})
    server.plays = [stream(b"x"), [Close()]]
    await read(channel, f"{server.url}/v1?key=s3cr3t-query")
    with suppress(StreamLost, Unreachable):
        await read(channel, f"{server.url}/v1?key=s3cr3t-query")
    assert "s3cr3t" not in caplog.text


async def test_cookies_of_a_netrc_and_passwords_in_it_are_not_sent(server, open_channel, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cr3t\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.plays = [stream(b"x")]
    await read(open_channel(), server.url)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://h/", "http://[::1", "http://h:99999/"])
async def test_what_is_no_url_is_a_fault_of_the_configuration(open_channel, url):
    with pytest.raises(ConfigError):
        await open_channel().fetch("GET", url)


# Cost


def test_importing_the_endpoints_does_not_load_httpx():
    code = "import sys, chatforge_tui.endpoints.http, chatforge_tui.endpoints.catalog; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


async def test_a_burst_of_small_chunks_is_read_without_loss(server, open_channel):
    pieces = [b"data: %d\n\n" % number for number in range(5000)]
    server.plays = [[sse_head(), b"".join(chunked(piece, last=False) for piece in pieces), LAST_CHUNK]]
    assert await read(open_channel(), server.url) == b"".join(pieces)
