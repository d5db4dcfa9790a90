"""Opens one connection as a session would, step by step, to say how long each step takes and whom TLS met.

For `chatforge doctor`: sends nothing but what a proxy wants to hear. Loads httpx.
"""

import base64
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import httpcore
from msgspec import Struct, field

from chatforge_tui.endpoints.http_errors import FAILURES, Where, translate
from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.endpoints.http_sockets import SocketBackend
from chatforge_tui.endpoints.http_tls import context_for
from chatforge_tui.endpoints.http_url import host_port, split_url
from chatforge_tui.endpoints.http_wire import is_own_origin

_LONGEST_HEAD: Final = 65_536
"""Bytes of a proxy's answer."""


class Hop(Struct, frozen=True):
    """A connection that stood."""

    connect_ms: float
    """Until the first hop (server or proxy) was connected to."""
    address: str
    """The address that answered."""
    tunnel_ms: float | None = None
    """Until the proxy had made the tunnel; None = there is no tunnel."""
    tls_ms: float | None = None
    """Until TLS stood; None = the URL is no https one."""
    tls_version: str = ""
    cipher: str = ""
    certificate: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """As `ssl.SSLSocket.getpeercert` has it; empty = it was not checked."""


async def connect(url: str, settings: HttpSettings, *, proxy: str, timeout_s: float) -> Hop:
    """Connect, directly or through the proxy, close again, and return what was met.

    Args:
        url: of the endpoint.
        settings: whom to trust, and how to identify.
        proxy: URL of the proxy; "" = none.
        timeout_s: seconds for each step.

    Raises:
        EndpointError: it does not work, with the reason.
        ConfigError: a file named in the settings cannot be used.
    """
    backend = SocketBackend()
    try:
        return await _connect(backend, url, settings, proxy, timeout_s)
    except FAILURES as error:
        raise translate(error, Where(url, settings, proxy)) from error
    finally:
        backend.abort()


async def _connect(backend: SocketBackend, url: str, settings: HttpSettings, proxy: str, timeout_s: float) -> Hop:
    host, port = _host_and_port(proxy or url)
    began = time.perf_counter()
    stream = await backend.connect_tcp(host, port, timeout_s)
    connect_ms, peer = _ms(began), cast("tuple[Any, ...]", stream.get_extra_info("server_addr") or ("",))
    is_tls, tunnel_ms = split_url(url).scheme == "https", None
    if proxy.startswith("https:"):
        stream = await stream.start_tls(context_for(settings, with_client_cert=False), host, timeout_s)
    if proxy and is_tls:
        began = time.perf_counter()
        await _make_tunnel(stream, url, proxy)
        tunnel_ms = _ms(began)
    hop = Hop(connect_ms, str(peer[0]), tunnel_ms)
    if not is_tls:
        return hop
    began = time.perf_counter()
    own = is_own_origin(url, settings)
    stream = await stream.start_tls(context_for(settings, with_client_cert=own), _host_and_port(url)[0], timeout_s)
    encrypted = stream.get_extra_info("ssl_object")
    assert isinstance(encrypted, ssl.SSLObject)  # noqa: S101 - what asyncio has after start_tls
    return Hop(
        connect_ms,
        str(peer[0]),
        tunnel_ms,
        _ms(began),
        encrypted.version() or "",
        (encrypted.cipher() or ("",))[0],
        encrypted.getpeercert() or {},
    )


async def _make_tunnel(stream: httpcore.AsyncNetworkStream, url: str, proxy: str) -> None:
    """Ask the proxy for a tunnel, as httpcore does in a session."""
    target = host_port(url)
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nAccept: */*\r\n"
    userinfo = urlsplit(proxy).netloc.rpartition("@")[0]
    if userinfo:
        pair = ":".join(map(unquote, (*userinfo.split(":", 1), "")[:2]))
        head += f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode('ascii')}\r\n"
    await stream.write(f"{head}\r\n".encode("ascii"))
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_HEAD:
        piece = await stream.read(_LONGEST_HEAD)
        if not piece:
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        answer += piece
    _, _, said = answer.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if not said.startswith("2"):
        raise httpcore.ProxyError(said)


def _host_and_port(url: str) -> tuple[str, int]:
    """Return where to connect to, names in punycode."""
    host, _, port = host_port(url).rpartition(":")
    return host.strip("[]"), int(port)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
