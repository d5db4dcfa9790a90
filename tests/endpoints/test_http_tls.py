"""TLS, directly and through proxies: what the plain-text tests of the channel cannot show."""

import asyncio
import ssl
import time
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import ProtocolMismatch, ProxyRefused, StreamLost, TlsFailed, Unreachable
from tests.servers.raw_server import RawServer, Stall, chunked, sse_head, stream
from tests.servers.tunnel_proxy import tunnel_proxy

CERTIFICATES = Path(__file__).parents[1] / "data" / "tls"
AUTHORITY = str(CERTIFICATES / "authority.pem")
OWN = str(CERTIFICATES / "loopback.pem")


def server_context(certificate="loopback", *, wants_client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(AUTHORITY)
    return context


@pytest.fixture
async def start():
    started = []

    async def make(context=None):
        server = RawServer()
        await server.start(ssl=context or server_context())
        started.append(server)
        return server

    yield make
    for server in started:
        await server.stop()


@pytest.fixture
async def open_channel():
    made = []

    def make(**settings):
        made.append(HttpChannel(HttpSettings(**{"ca_file": AUTHORITY, **settings})))
        return made[-1]

    yield make
    for channel in made:
        await channel.aclose()


def https(server):
    return f"https://127.0.0.1:{server.port}/v1"


async def read(channel, url):
    async with channel.open_stream("POST", url, b"{}") as response, aclosing(response.chunks()) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_an_abort_closes_an_encrypted_connection_as_fast(start, open_channel):
    server = await start()
    server.plays = [[sse_head(), chunked(b"x", last=False), Stall()]]
    first = asyncio.Event()

    async def follow():
        async with open_channel().open_stream("POST", https(server), b"{}") as response:
            async for _ in response.chunks():
                first.set()

    task = asyncio.create_task(follow())  # noqa: TID251 - the part of the worker
    await first.wait()
    before = time.perf_counter()
    task.cancel()
    await server.until_closed(seconds=1)
    assert server.connections[0].closed_at - before < 0.2
    with suppress(asyncio.CancelledError):
        await task


async def test_a_large_answer_arrives_whole_and_encrypted(start, open_channel):
    server = await start()
    body = bytes(range(256)) * 20_000
    server.plays = [stream(*(body[at : at + 50_000] for at in range(0, len(body), 50_000)))]
    assert await read(open_channel(), https(server)) == body


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_that_wants_a_client_certificate_says_so_and_gets_it(start, open_channel, newest):
    context = server_context(wants_client=True)
    context.maximum_version = newest
    server = await start(context)
    server.plays = [stream(b"known")]
    with pytest.raises((TlsFailed, StreamLost, Unreachable)) as caught:
        await read(open_channel(name="e"), https(server))
    assert "client certificate" in f"{caught.value} {caught.value.hint}"
    assert "endpoints.e.client_cert" in caught.value.hint
    assert await read(open_channel(client_cert=OWN), https(server)) == b"known"


async def test_the_client_certificate_is_shown_to_the_configured_origin_only(start, open_channel):
    server = await start(server_context(wants_client=True))
    server.plays = [stream(b"known")]
    with pytest.raises((TlsFailed, StreamLost)):
        await read(open_channel(client_cert=OWN, origin="https://elsewhere.example"), https(server))
    assert server.plays


@pytest.mark.parametrize("is_proxy_encrypted", [False, True])
async def test_a_tunnel_through_a_proxy_is_encrypted_to_the_far_end(start, open_channel, is_proxy_encrypted):
    server = await start()
    server.plays = [stream(b"one"), stream(b"two")]
    async with tunnel_proxy(server_context() if is_proxy_encrypted else None) as proxy:
        scheme = "https" if is_proxy_encrypted else "http"
        channel = open_channel(proxy=f"{scheme}://127.0.0.1:{proxy.port}")
        assert [await read(channel, https(server)), await read(channel, https(server))] == [b"one", b"two"]
        assert proxy.asked == [f"127.0.0.1:{server.port}"]
        await channel.aclose()


async def test_a_proxy_from_the_environment_makes_tunnels_too(start, open_channel, monkeypatch):
    server = await start()
    server.plays = [stream(b"one")]
    async with tunnel_proxy() as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        channel = open_channel()
        assert await read(channel, https(server)) == b"one"
        assert proxy.asked
        await channel.aclose()


async def test_a_tunnel_that_breaks_in_the_middle_is_a_lost_stream(start, open_channel):
    server = await start()
    server.plays = [[sse_head(), chunked(b"so far", last=False), Stall()]]
    async with tunnel_proxy() as proxy:
        got = b""
        with pytest.raises(StreamLost):  # noqa: PT012 - where it breaks does not matter
            async with open_channel(proxy=f"http://127.0.0.1:{proxy.port}").open_stream(
                "POST", https(server)
            ) as response:
                async for chunk in response.chunks():
                    got += chunk
                    proxy.cut.set()
        assert got == b"so far"


async def test_the_wrong_certificate_behind_a_proxy_is_the_servers_fault_not_the_proxys(start, open_channel):
    server = await start(server_context("elsewhere"))
    async with tunnel_proxy() as proxy:
        channel = open_channel(proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(TlsFailed, match=f"127.0.0.1:{server.port} is for another host"):
            await read(channel, https(server))
        await channel.aclose()


async def test_a_proxy_that_wants_a_password_is_not_tried_again(start, open_channel):
    server = await start()
    async with tunnel_proxy() as proxy:
        proxy.password = "me:secret"
        channel = open_channel(proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(ProxyRefused, match="wants a user name and password") as caught:
            await read(channel, https(server))
        await channel.aclose()
    assert not caught.value.retryable


async def test_http_spoken_to_a_tls_port_is_told_apart(start, open_channel):
    server = await start()
    with pytest.raises((ProtocolMismatch, StreamLost)) as caught:
        await read(open_channel(), server.url)
    assert f"127.0.0.1:{server.port}" in str(caught.value)


async def test_key_logging_by_the_environment_is_not_honoured(start, open_channel, monkeypatch, tmp_path):
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    server = await start()
    server.plays = [stream(b"x")]
    await read(open_channel(ca_file=AUTHORITY + ""), https(server))
    assert not log.exists()
