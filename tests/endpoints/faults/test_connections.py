"""The fault matrix: every way in which a connection goes wrong, for every protocol adapter.

The ids are those of table.py: F1 a refused connection, F2 a name that does not exist ... Each fault asserts what the person is told, what is kept of the answer, whether another try is allowed, and that no socket
stays open. The network between is played by `raw_server`, byte by byte.
"""

import asyncio
import gzip
import re
import resource
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache

import pytest

from chatforge_tui.domain.events import Accepted, Failed, Finished, Noticed, StillAlive
from chatforge_tui.errors import (
    ConfigError,
    EndpointError,
    HttpRejected,
    LimitExceeded,
    ProtocolMismatch,
    RateLimited,
    StreamLost,
    StreamStalled,
    TlsFailed,
    Unauthorized,
    Unreachable,
)
from chatforge_tui.safety.redact import register
from chatforge_tui.safety.secret import Secret
from tests.contracts.endpoint_dialects import A2aDialect
from tests.contracts.endpoint_run import run
from tests.endpoints.faults.conftest import CERTIFICATES
from tests.endpoints.faults.judging import a_sentence, fails
from tests.servers.raw_server import (
    LAST_CHUNK,
    Close,
    Drip,
    RawServer,
    Repeat,
    Reset,
    Stall,
    answer,
    chunked,
    head,
    sse_head,
    stream,
)

SIDE_BY_SIDE = 16
"""Connections over which the same is tried again and again: each answer waits for its frame of 33 ms."""

# F1-F4: no connection


async def test_f1_refused(dialect, server, open_endpoint):
    port = server.port
    await server.stop()
    error = await fails(open_endpoint(), Unreachable, retryable=True)
    assert str(error) == f"127.0.0.1:{port} refused the connection."
    assert "endpoints.e.url" in error.hint
    await server.start()


async def test_f2_no_such_host(dialect, server, open_endpoint):
    error = await fails(open_endpoint("http://no-such-host.invalid:1234"), Unreachable, retryable=True)
    assert str(error) == "No host named no-such-host.invalid was found."


async def test_f4_connect_timeout(dialect, server, open_endpoint, monkeypatch):
    async def hang(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", hang)
    error = await fails(open_endpoint(connect_s=0.1), Unreachable, retryable=True)
    assert f"127.0.0.1:{server.port} could not be connected to within 0.1 s" in str(error)


# F5-F7: TLS


def https(server: RawServer) -> str:
    return server.url.replace("http:", "https:")


AUTHORITY = str(CERTIFICATES / "authority.pem")


async def test_f5_unknown_authority(dialect, open_endpoint, tls_server):
    error = await fails(open_endpoint(https(await tls_server("loopback"))), TlsFailed)
    assert "authority that is not known" in str(error)
    assert "endpoints.e.ca_file" in error.hint


async def test_f6_wrong_host(dialect, open_endpoint, tls_server):
    error = await fails(open_endpoint(https(await tls_server("elsewhere")), ca_file=AUTHORITY), TlsFailed)
    assert "another host name" in str(error)


async def test_f7_expired(dialect, open_endpoint, tls_server):
    error = await fails(open_endpoint(https(await tls_server("expired")), ca_file=AUTHORITY), TlsFailed)
    assert "expired" in str(error)


async def test_tls_works_with_a_named_authority(dialect, open_endpoint, tls_server):
    server = await tls_server("loopback")
    server.plays = [stream(dialect.text("safe"), dialect.end())] * 2
    endpoint = open_endpoint(https(server), ca_file=AUTHORITY)
    assert [(await run(endpoint)).text for _ in range(2)] == ["safe", "safe"]


async def test_tls_unverified_only_when_asked_for(dialect, open_endpoint, tls_server):
    server = await tls_server("expired")
    server.plays = [stream(dialect.text("unsafe"), dialect.end())]
    assert (await run(open_endpoint(https(server), verify=False))).text == "unsafe"


async def test_tls_towards_a_server_without_it(dialect, server, open_endpoint):
    server.plays = [answer(b"")]
    # the server waits for a line end that a TLS greeting may not hold, so it is given one by its limit
    error = await fails(open_endpoint(https(server), connect_s=0.5), Unreachable, retryable=True)
    assert "TLS" in str(error)


async def test_no_tls_towards_a_server_with_it(dialect, open_endpoint, tls_server):
    server = await tls_server("loopback")
    found = await run(open_endpoint(server.url))
    assert isinstance(found.error, ProtocolMismatch | StreamLost)
    assert a_sentence(found.error)


async def test_a_certificate_file_that_cannot_be_used_is_a_fault_of_the_configuration(dialect, open_endpoint, tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    for settings, key in (({"ca_file": str(bad)}, "ca_file"), ({"client_cert": str(tmp_path / "none")}, "client_cert")):
        found = await run(open_endpoint("https://127.0.0.1:1", **settings))
        assert isinstance(found.error, ConfigError)
        assert f"endpoints.e.{key}" in str(found.error)


# F8-F16: an error status


@pytest.mark.parametrize(("status", "number"), [("401 Unauthorized", 401), ("403 Forbidden", 403)])
async def test_f8_f9_unauthorized_names_the_source_of_the_credential_not_the_credential(
    dialect, server, open_endpoint, status, number
):
    server.plays = [answer(b'{"error":{"message":"key s3cr3t-t0ken is bad"}}', status)] * 4
    secret = Secret("s3cr3t-t0ken")
    register(secret)
    error = await fails(
        open_endpoint(headers={"Authorization": secret}, credential_source="env PLATFORM_TOKEN"), Unauthorized
    )
    assert error.status == number
    assert "env PLATFORM_TOKEN" in str(error)
    assert "s3cr3t" not in str(error) + error.hint


async def test_f10_not_found_names_the_path(dialect, server, open_endpoint):
    server.plays = [answer(b"404 page not found", "404 Not Found", "text/plain")] * 4
    error = await fails(open_endpoint(), HttpRejected)
    assert "/" in str(error)
    assert "404" in str(error)


def http_date(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("7", 7, 7), ("0", 0, 0), ("1.5", 1.5, 1.5), ("in 90 s", 85, 91), ("90 s ago", 0, 0),
        ("1000000000", 1e9, 1e9), ("soon", None, None), ("-5", None, None), ("NaN", None, None), ("inf", None, None),
        ("", None, None), ("Wed, 99 Xxx 2026 00:00:00 GMT", None, None), ("٣", None, None), ("1e3", None, None),
    ],
)  # fmt: skip
async def test_f11_f12_too_many_requests(dialect, server, open_endpoint, value, low, high):
    value = {"in 90 s": http_date(90), "90 s ago": http_date(-90)}.get(value, value)
    headers = {"retry_after": value.encode().decode("latin-1")}
    server.plays = [answer(b'{"error":{"message":"slow down"}}', "429 Too Many Requests", **headers)] * 4
    error = await fails(open_endpoint(), RateLimited, retryable=True)
    if low is None:
        assert error.retry_after is None
    else:
        assert low <= error.retry_after <= high


@pytest.mark.parametrize("status", ["408 Request Timeout", "500 X", "502 X", "503 X", "504 X", "529 X"])
@pytest.mark.parametrize(
    "body", [b"", b"upstream sad", b'{"error":"upstream sad"}', b"<html><title>upstream sad</title>"]
)
async def test_f13_to_f15_a_failing_server_may_be_asked_again_unless_an_agent_may_have_acted(
    dialect, server, open_endpoint, status, body
):
    server.plays = [answer(body, status)] * 4
    has_acted = isinstance(dialect, A2aDialect) and status in ("500 X", "502 X", "504 X")
    error = await fails(open_endpoint(), HttpRejected, retryable=not has_acted)
    assert ("upstream sad" in str(error)) == (body != b"")
    assert "<" not in str(error)


@pytest.mark.parametrize("status", ["400 Bad Request", "413 Payload Too Large", "422 Unprocessable Entity"])
async def test_f16_a_refused_request_quotes_the_server_shortly(dialect, server, open_endpoint, status):
    server.plays = [answer(b'{"error":{"message":"too ' + b"very " * 4000 + b'long"}}', status)] * 4
    error = await fails(open_endpoint(), HttpRejected)
    assert "too very" in str(error)
    assert len(str(error)) < 2300


# F17-F19: no answer at all


@pytest.mark.parametrize(
    "target", ["https://login.example/start?token=s3cr3t", "http://user:s3cr3t@evil.example/", "/other"]
)
async def test_f17_a_redirect_is_refused_and_its_target_named(dialect, server, open_endpoint, target):
    server.plays = [[head("307 Temporary Redirect", location=target, content_length="0")]] * 4
    error = await fails(open_endpoint(), ProtocolMismatch)
    assert ("login.example" in str(error)) or ("evil.example" in str(error)) or ("/other" in str(error))
    assert "s3cr3t" not in str(error) + error.hint
    assert len(server.connections) <= 2


@pytest.mark.parametrize("kind", ["text/html", "text/plain", ""])
async def test_f18_a_page_instead_of_a_stream(dialect, server, open_endpoint, kind):
    server.plays = [answer(b"<html><body>Please log in</body></html>", content_type=kind)] * 4
    error = await fails(open_endpoint(), ProtocolMismatch)
    assert re.search("not .*event stream", str(error))
    assert "Please log in" in str(error)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\ncontent-ty"])
async def test_f19_a_head_that_never_comes(dialect, server, open_endpoint, begin):
    server.plays = [[begin, Stall()] if begin else [Stall()]]
    error = await fails(open_endpoint(first_byte_s=0.2), StreamStalled)
    assert "within 0.2 s" in str(error)
    assert "first_byte_s" in error.hint


async def test_a_server_that_closes_without_a_word_is_not_asked_again_unasked(dialect, server, open_endpoint):
    server.plays = [[Close()], stream(dialect.text("twice"), dialect.end())]
    found = await run(open_endpoint())
    assert isinstance(found.error, StreamLost | None)
    if not server.connections[0].requests or dialect.beside(server.connections[0].requests[0]) is None:
        assert isinstance(found.error, StreamLost)
        assert not found.error.retryable


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
async def test_something_that_is_no_http(dialect, server, open_endpoint, garbage):
    server.plays = [[garbage, Close()]]
    error = await fails(open_endpoint(), ProtocolMismatch)
    assert "does not speak HTTP" in str(error)


async def test_a_head_without_end_is_cut_off(dialect, server, open_endpoint):
    server.plays = [[b"HTTP/1.1 200 OK\r\n", Repeat(b"x-filler: " + b"y" * 2000 + b"\r\n")]]
    found = await run(open_endpoint())
    assert isinstance(found.error, EndpointError)
    assert server.connections[-1].sent < 8 * 2**20


# F20-F25: the stream breaks off


async def test_f20_a_stall_in_the_middle(dialect, server, open_endpoint):
    server.plays = [[*stream(dialect.text("so far"), last=False), Stall()]]
    error = await fails(open_endpoint(idle_s=0.2), StreamStalled, text="so far")
    assert "sent nothing for 0.2 s" in str(error)
    assert error.state == "interrupted"


async def test_f21_nothing_but_keepalives(dialect, server, open_endpoint):
    server.plays = [[*stream(dialect.text("so far"), last=False), Repeat(chunked(b": ping\n\n", last=False))]]
    found = await run(open_endpoint(idle_s=5, progress_s=0.4))
    assert isinstance(found.error, StreamStalled)
    assert "signs of life" in str(found.error)
    assert found.text == "so far"
    assert found.of(StillAlive)


async def test_f22_a_reset_in_the_middle(dialect, server, open_endpoint):
    server.plays = [[*stream(dialect.text("so far"), last=False), Reset()]]
    found = await run(open_endpoint())
    assert isinstance(found.error, StreamLost)
    assert found.text in ("", "so far")  # a reset may overtake what was sent before it


@pytest.mark.parametrize("how", ["in a chunk", "between chunks", "short of its length"])
async def test_f23_a_truncated_body(dialect, server, open_endpoint, how):
    said = dialect.text("so far")
    plays = {
        "in a chunk": [sse_head(), chunked(said, last=False), b"fff\r\ndata: x", Close()],
        "between chunks": [sse_head(), chunked(said, last=False), Close()],
        "short of its length": [head(content_length="100000"), said, Close()],
    }
    server.plays = [plays[how]]
    error = await fails(open_endpoint(), StreamLost, text="so far")
    assert error.state == "interrupted"
    assert a_sentence(error)


async def test_f24_a_clean_end_without_the_protocols_own_is_never_complete(dialect, server, open_endpoint):
    for play in (
        stream(dialect.text("so far")),
        [head(connection="close"), dialect.text("so far"), Close()],
        [head(connection="close"), dialect.text("so far") + dialect.end()[:-4].partition(b"\n\n")[0], Close()],
    ):
        server.plays = [play]
        found = await run(open_endpoint())
        assert (found.text, found.terminal) == ("so far", None)


# F26-F30: damaged, malformed, too much


async def test_f26_invalid_utf8_becomes_one_replacement_character_a_run(dialect, server, open_endpoint):
    good = dialect.text("aXb")
    server.plays = [stream(good.replace(b"X", b"\xf0\x9f\x99"), good.replace(b"X", b"\xff"), dialect.end())]
    assert (await run(open_endpoint())).text == "a\ufffdba\ufffdb"


async def test_f26_a_character_split_at_every_byte_is_whole(dialect, server, open_endpoint):
    body = dialect.text("a🙂é漢b") + dialect.end()
    server.plays = [stream(body[:at], body[at:]) for at in range(len(body))]
    played = iter(range(len(body)))

    async def some():
        endpoint = open_endpoint()
        return [(await run(endpoint)).text for _ in played]

    texts = await asyncio.gather(*(some() for _ in range(SIDE_BY_SIDE)))
    assert [text for lane in texts for text in lane] == ["a🙂é漢b"] * len(body)


async def test_f27_up_to_three_malformed_events_are_left_out_and_counted(dialect, server, open_endpoint):
    bad = b'data: {"broken":\n\n'
    server.plays = [stream(dialect.text("a"), bad, bad, bad, dialect.text("b"), dialect.end())]
    found = await run(open_endpoint())
    assert found.text == "ab"
    assert isinstance(found.events[-1], Finished)
    assert found.of(Noticed)


async def test_f27_more_malformed_events_end_the_turn_and_keep_its_text(dialect, server, open_endpoint):
    server.plays = [stream(dialect.text("a"), *([b'data: {"broken":\n\n'] * 4), dialect.text("b"), dialect.end())]
    await fails(open_endpoint(), ProtocolMismatch, text="a")


@pytest.mark.parametrize(
    "bomb", [b'{"a":' * 100_000, b"[" * 500_000, b"9" * 5000, b'{"a":' + b"9" * 5000 + b"}", b"NaN"]
)
async def test_f28_json_bombs_are_survived(dialect, server, open_endpoint, bomb):
    server.plays = [stream(dialect.text("a"), b"data: " + bomb + b"\n\n", dialect.text("b"), dialect.end())]
    found = await run(open_endpoint())
    assert found.text == "ab" or isinstance(found.error, ProtocolMismatch)


async def test_f29_an_endless_line_fails_the_turn_within_bounded_memory(dialect, server, open_endpoint):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    endless = [
        sse_head(),
        chunked(dialect.text("so far"), b"data: ", last=False),
        Repeat(chunked(b"x" * 65_536, last=False)),
    ]
    server.plays = [endless]
    await fails(open_endpoint(), LimitExceeded, text="so far")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 8 + 16 + 8, f"{grown:.0f} MiB"  # the cap, what joining it takes, and the server's own buffers


async def test_f30_a_turn_beyond_the_limit_fails(dialect, server, open_endpoint):
    server.plays = [[sse_head(), Repeat(chunked(dialect.text("x" * 20_000), last=False))]]
    found = await run(open_endpoint(max_turn_bytes=2**20))
    assert isinstance(found.error, LimitExceeded)
    assert "1 MiB" in str(found.error)
    assert len(found.text) > 2**18


@cache
def gzip_bomb() -> bytes:
    """Return 128 MiB of one comment, in 128 KiB."""
    return gzip.compress(b": " + b"x" * 2**27 + b"\n", 6)


async def test_f30_a_gzip_bomb_fails_within_bounded_memory(dialect, server, open_endpoint):
    bomb = gzip_bomb()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    server.plays = [[head(content_encoding="gzip", content_length=str(len(bomb))), bomb]]
    found = await run(open_endpoint())
    assert isinstance(found.error, LimitExceeded)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 32


async def test_a_stream_that_is_compressed_all_the_same_is_read(dialect, server, open_endpoint):
    body = gzip.compress(dialect.text("so far") + dialect.end())
    server.plays = [[head(content_encoding="gzip", content_length=str(len(body))), Drip(body, 7)]]
    found = await run(open_endpoint())
    assert (found.text, type(found.events[-1])) == ("so far", Finished)


async def test_an_encoding_that_nobody_knows_is_said(dialect, server, open_endpoint):
    server.plays = [[head(content_encoding="br", content_length="4"), b"abcd"]] * 2
    error = await fails(open_endpoint(), ProtocolMismatch)
    assert "'br'" in str(error)


# F35-F46: the rest


async def test_f35_what_follows_the_end_changes_nothing(dialect, server, open_endpoint):
    endpoint = open_endpoint()
    server.plays = [stream(dialect.text("a"), dialect.end() + dialect.text("late") + dialect.error("late"))]
    found = await run(endpoint)
    assert found.text == "a"
    assert isinstance(found.events[-1], Finished)
    server.plays = [stream(dialect.text("next"), dialect.end())]
    assert (await run(endpoint)).text == "next"


async def test_f37_an_error_inside_a_stream_of_status_200(dialect, server, open_endpoint):
    server.plays = [stream(dialect.error("out of memory"))]
    found = await run(open_endpoint())
    assert isinstance(found.events[-1], Failed)
    assert "out of memory" in found.events[-1].problem.message


async def test_f39_every_oddity_of_the_event_stream_format(dialect, server, open_endpoint):
    text, end = dialect.text("one ")[6:], dialect.end()
    body = (
        b"\xef\xbb\xbf: hello\r\rretry: 99999999999999999999\rid: a\0b\r\ndata:" + text.rstrip(b"\n") + b"\r\n\r\n"
        b"unknown: x\n: \n\n" + dialect.text("two") + end
    )
    server.plays = [stream(body)]
    found = await run(open_endpoint())
    assert (found.text, type(found.events[-1])) == ("one two", Finished)


async def test_f40_a_server_that_never_closes_is_closed_within_a_second(dialect, server, open_endpoint):
    server.plays = [[*stream(dialect.text("a"), dialect.end(), last=False), Stall()]]
    before = time.perf_counter()
    found = await run(open_endpoint())
    await server.until_closed(seconds=1)
    assert isinstance(found.events[-1], Finished)
    assert time.perf_counter() - before < 1.0


async def test_f41_a_proxy_that_refuses_is_named_as_the_proxy(dialect, server, open_endpoint):
    error = await fails(open_endpoint("http://agents.example", proxy="http://127.0.0.1:1"), Unreachable, retryable=True)
    assert str(error) == "The proxy 127.0.0.1:1 refused the connection."
    assert "endpoints.e.proxy" in error.hint


async def test_f41_a_proxy_that_wants_a_password_is_named_and_its_own_is_not_told(dialect, server, open_endpoint):
    server.beside = lambda _: None
    server.plays = [answer(b"", "407 Proxy Authentication Required")] * 4
    proxy = server.url.replace("//", "//user:s3cr3t@")
    for target in ("https://agents.example", "http://agents.example"):
        found = await run(open_endpoint(target, proxy=proxy))
        assert "proxy" in str(found.error).lower()
        assert "password" in str(found.error)
        assert "s3cr3t" not in str(found.error) + found.error.hint
    assert server.requests[0].headers["proxy-authorization"].startswith("Basic ")


async def test_f41_a_proxy_from_the_environment_is_used_and_an_exempt_host_is_not(
    dialect, server, open_endpoint, monkeypatch
):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "exempt.invalid")
    server.plays = [stream(dialect.text("through"), dialect.end())]
    assert (await run(open_endpoint("http://agents.invalid"))).text == "through"
    assert server.requests[0].proxied_host == "agents.invalid"
    await fails(open_endpoint("http://exempt.invalid"), Unreachable, retryable=True)
    await fails(open_endpoint("http://agents.invalid", proxy="direct"), Unreachable, retryable=True)


async def test_f45_a_slow_drip_says_the_same(dialect, server, open_endpoint):
    server.plays = [[sse_head(), Drip(chunked(dialect.text("né🙂 "), dialect.text("b"), dialect.end()))]]
    found = await run(open_endpoint())
    assert found.text == "né🙂 b"
    assert isinstance(found.events[0], Accepted)


async def test_f46_a_kept_connection_that_the_server_closed_is_replaced_unseen(dialect, server, open_endpoint):
    endpoint = open_endpoint()
    for text in ("a", "b", "c"):
        server.plays = [[*stream(dialect.text(text), dialect.end())[:-1], LAST_CHUNK, Close()]]
        found = await run(endpoint)
        assert (found.text, found.error) == (text, None)


async def test_f46_a_kept_connection_that_closes_just_as_it_is_used_again_is_replaced_unseen(
    dialect, server, open_endpoint
):
    endpoint = open_endpoint()
    server.plays = [stream(dialect.text("a"), dialect.end())]
    assert (await run(endpoint)).text == "a"
    server.plays = [[Close()], stream(dialect.text("b"), dialect.end())]
    found = await run(endpoint)
    assert (found.text, found.error) == ("b", None)


async def test_f41_a_proxy_of_the_environment_that_is_down_is_said_with_the_way_around_it(
    dialect, server, open_endpoint, monkeypatch
):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    error = await fails(open_endpoint(), Unreachable, retryable=True)
    assert "The proxy 127.0.0.1:1" in str(error)
    assert "NO_PROXY" in error.hint
