"""Fetching a file by its address: where such a request may go, and what goes along. Every server is on this machine."""

import asyncio
import socket

import pytest

from chatforge_tui.endpoints.file_fetch import fetch_file
from chatforge_tui.endpoints.http import HttpSettings
from chatforge_tui.errors import (
    ChatForgeError,
    FileElsewhere,
    HttpRejected,
    LimitExceeded,
    ProtocolMismatch,
    StreamLost,
)
from chatforge_tui.safety import redact
from chatforge_tui.safety.secret import Secret
from tests.servers.raw_server import Close, answer, head, raw_server

CONTENT = bytes(range(256)) * 100


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


@pytest.fixture
async def other():
    """Another origin on the same host."""
    async with raw_server() as running:
        yield running


def settings(url: str) -> HttpSettings:
    return HttpSettings(name="e", origin=url, headers={"Authorization": Secret("Bearer s3cret")}, proxy="direct")


def file(body: bytes = CONTENT):
    return answer(body, content_type="application/octet-stream")


def redirect(target: str, status: str = "302 Found"):
    return answer(b"", status, location=target)


async def test_a_file_of_the_endpoints_own_server_comes_with_its_credential(server):
    server.plays = [file()]
    assert await fetch_file(f"{server.url}/f/r.pdf?x=1", settings(f"{server.url}/a2a"), limit=10**6) == CONTENT
    [request] = server.requests
    assert (request.method, request.target) == ("GET", "/f/r.pdf?x=1")
    assert request.headers["authorization"] == "Bearer s3cret"


async def test_no_credential_goes_to_another_origin_on_the_same_host(server, other):
    other.plays = [file()]
    assert await fetch_file(f"{other.url}/f", settings(server.url), limit=10**6) == CONTENT
    assert "authorization" not in other.requests[0].headers
    assert server.requests == []


async def test_a_redirect_within_the_origin_is_followed_but_not_for_ever(server):
    server.plays = [redirect("/two"), redirect(f"{server.url}/three"), file()]
    assert await fetch_file(f"{server.url}/one", settings(server.url), limit=10**6) == CONTENT
    assert [request.target for request in server.requests] == ["/one", "/two", "/three"]
    server.plays = [redirect("/again")] * 9
    with pytest.raises(ProtocolMismatch, match="the file is nowhere"):
        await fetch_file(f"{server.url}/one", settings(server.url), limit=10**6)
    assert len(server.requests) == 3 + 4


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_to_another_origin_is_handed_to_the_user_and_nothing_goes_there(server, other, status):
    server.plays = [redirect(f"{other.url}/stolen", status)]
    with pytest.raises(FileElsewhere, match=f"sends on to {other.url}") as caught:
        await fetch_file(f"{server.url}/f", settings(server.url), limit=10**6)
    assert caught.value.target == f"{other.url}/stolen"
    assert other.requests == []
    other.plays = [file()]
    assert await fetch_file(caught.value.target, settings(server.url), limit=10**6) == CONTENT
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://h/x", "javascript:1", "http://", "//[::1", "https://\x01"]
)
async def test_a_redirect_to_what_is_no_web_address_is_refused(server, target):
    server.plays = [[head("302 Found", content_type="", content_length="0", location=target)]]
    with pytest.raises(ChatForgeError):
        await fetch_file(f"{server.url}/f", settings(server.url), limit=10**6)
    assert {request.target for request in server.requests} == {"/f"}


@pytest.mark.parametrize(
    "url",
    ["file:///etc/shadow", "/etc/passwd", "data:text/plain,x", "ftp://example.com/x", "", "http://", "http://a b/"],
)
async def test_only_web_addresses_are_fetched(url):
    with pytest.raises(ProtocolMismatch, match="only http and https"):
        await fetch_file(url, settings("https://agents.example.com"), limit=10**6)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_public_endpoint_does_not_lead_into_this_machine(server, host):
    url = server.url.replace("127.0.0.1", host)
    with pytest.raises(ProtocolMismatch, match="inside your own network"):
        await fetch_file(f"{url}/f", settings("https://agents.example.com"), limit=10**6)
    assert server.requests == []


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "192.168.1.1", "0.0.0.0", "fd00::1", "fe80::1"])
async def test_an_address_of_the_own_network_is_refused_before_anything_is_sent(monkeypatch, address):
    reached = refuse_connections(monkeypatch)
    host = f"[{address}]" if ":" in address else address
    for endpoint in ("https://agents.example.com", "http://127.0.0.1:9/"):
        with pytest.raises(ProtocolMismatch, match="inside your own network"):
            await fetch_file(f"http://{host}/latest/meta-data", settings(endpoint), limit=10**6)
    assert reached == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.1.2.3"], ["::1"], ["169.254.169.254"]])
async def test_a_public_name_that_leads_into_the_own_network_is_refused(monkeypatch, addresses):
    reached = refuse_connections(monkeypatch)

    def getaddrinfo(host, port, **_):
        assert host == "files.example.com"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ProtocolMismatch, match=r"leads to .*, an address inside your own network"):
        await fetch_file("http://files.example.com/f", settings("https://agents.example.com"), limit=10**6)
    assert reached == []


async def test_a_public_name_is_connected_to_at_the_very_address_that_was_judged(monkeypatch):
    reached = refuse_connections(monkeypatch)
    answers = [["93.184.216.34"], ["127.0.0.1"]]  # a server of names that changes its mind

    def getaddrinfo(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(Exception, match=r"files\.example\.com"):
        await fetch_file("http://files.example.com/f", settings("https://agents.example.com"), limit=10**6)
    assert reached == ["93.184.216.34"]


def refuse_connections(monkeypatch) -> list[str]:
    """Let no connection be made, and return where one was tried."""
    reached: list[str] = []

    async def create_connection(self, factory, host, port, **_):
        reached.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", create_connection)
    return reached


async def test_a_file_that_is_too_large_is_given_up_at_the_limit(server):
    server.plays = [file(), file(b"x" * 2_000_000)]
    assert await fetch_file(f"{server.url}/f", settings(server.url), limit=len(CONTENT)) == CONTENT
    with pytest.raises(LimitExceeded):
        await fetch_file(f"{server.url}/f", settings(server.url), limit=1_000_000)


async def test_a_file_that_is_not_there_or_breaks_off_is_no_file(server):
    server.plays = [answer(b"gone", "404 Not Found"), [head("200 OK", content_length="500") + b"x" * 10, Close()]]
    with pytest.raises(HttpRejected):
        await fetch_file(f"{server.url}/f", settings(server.url), limit=10**6)
    with pytest.raises(StreamLost):
        await fetch_file(f"{server.url}/f", settings(server.url), limit=10**6)


async def test_a_user_name_in_the_address_is_not_sent(server):
    server.plays = [file()]
    url = server.url.replace("http://", "http://trusted.example.com@")
    assert await fetch_file(f"{url}/f", HttpSettings(origin=server.url, proxy="direct"), limit=10**6) == CONTENT
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("target", ["ftp://x/?key=canary-0123456789", "http://canary-0123456789.example.com/"])
async def test_a_credential_that_a_redirect_throws_back_is_not_told(server, target):
    redact.register(Secret("canary-0123456789"))
    server.plays = [redirect(target)]
    with pytest.raises(ChatForgeError, match="sends on to") as caught:
        await fetch_file(f"{server.url}/f", settings(server.url), limit=10)
    assert "canary" not in str(caught.value)
