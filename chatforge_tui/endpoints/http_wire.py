"""The httpx client of one channel, over connections that can be closed at once.

The only module that makes an httpx client, so that the library can be changed here. What it raises is translated already.
Importing it costs about 65 ms; `http` does so at the first request.
"""

import logging
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Final, cast

import httpcore
import httpx

from chatforge_tui import __version__
from chatforge_tui.endpoints.http_body import pieces_of
from chatforge_tui.endpoints.http_errors import FAILURES, Where, translate
from chatforge_tui.endpoints.http_settings import DIRECT, HttpSettings
from chatforge_tui.endpoints.http_sockets import SocketBackend
from chatforge_tui.endpoints.http_tls import context_for
from chatforge_tui.endpoints.http_url import host_port, split_url
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import register_userinfo
from chatforge_tui.safety.urls import same_origin

_KEEP_S: Final = 90.0
"""How long an idle connection is kept for the next turn; the engine normally closes it sooner."""

# At INFO they write whole URLs, with userinfo and query.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class WireResponse:
    """The head of an answer, and its body as it comes off the wire."""

    def __init__(self, response: httpx.Response, where: Where) -> None:
        """Keep the library's response and what to say when it breaks off."""
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        """Names in any case."""
        self._response = response
        self._where = where

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as received, still encoded.

        Raises:
            EndpointError: it broke off.
        """
        try:
            # Not aiter_raw: what it adds costs as much as reading an event.
            async for chunk in cast("httpx.AsyncByteStream", self._response.stream):
                yield chunk
        except FAILURES as error:
            raise translate(error, self._where) from error

    async def aclose(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        try:
            await self._response.aclose()
        except FAILURES as error:
            raise translate(error, self._where) from error


class Wire:
    """One client with its connections."""

    def __init__(self, settings: HttpSettings, *, is_watched: bool = True) -> None:
        """Open nothing yet. `is_watched`: see `attend`."""
        self._settings = settings
        self._backend = SocketBackend(public_host=_as_connected(settings.public_host))
        self._backend.attend(is_watched=is_watched)
        self._transport = _PoolTransport(settings, self._backend)
        self._client = httpx.AsyncClient(
            transport=self._transport,
            timeout=None,  # noqa: S113 - the watchdog and the backend keep the time
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": f"chatforge/{__version__}", "Accept-Encoding": "identity"},
        )

    @property
    def has_connection(self) -> bool:
        """Whether a connection stands, so that the next request may find it closed by the server meanwhile."""
        return bool(self._backend.streams)

    @property
    def opened(self) -> int:
        """How many connections were opened so far."""
        return self._backend.opened

    async def send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> WireResponse:
        """Send a request and return when the head of the answer is there.

        Raises:
            EndpointError: it could not be sent, or nothing usable came back.
            ConfigError: URL, proxy or certificate files cannot be used.
        """
        proxy = proxy_for(url, self._settings)
        where = Where(url, self._settings, proxy)
        try:
            content = None
            if body:
                content, headers = _SentOnce(body), {**headers, "Content-Length": str(len(body))}
            request = self._client.build_request(method, url, content=content, headers=headers)
            response = await self._client.send(request, stream=True)
        except httpx.InvalidURL as error:
            raise ConfigError(
                "The endpoint's URL cannot be read.", hint="It looks like https://host:port/path."
            ) from error
        except FAILURES as error:
            raise translate(error, where) from error
        return WireResponse(response, Where(url, self._settings, proxy, has_head=True))

    def work(self) -> None:
        """Begin an exchange."""
        self._backend.work()

    def rest(self) -> None:
        """End an exchange that leaves its connection to the next one; see `SocketBackend.rest`."""
        self._backend.rest()

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches what comes; while nobody does it is read at a slower beat."""
        self._backend.attend(is_watched=is_watched)

    def abort(self) -> None:
        """Close every socket now."""
        self._backend.abort()

    async def aclose(self) -> None:
        """Close every socket, then tidy up the library's own books. The first half needs no waiting."""
        self.abort()
        await self._client.aclose()


def _as_connected(host: str) -> str:
    """Return a host as httpx hands it to the sockets: an international name in ASCII."""
    try:
        return httpx.URL(scheme="http", host=host).raw_host.decode() if host else ""
    except httpx.InvalidURL:  # no request can be made to it
        return host


class _SentOnce:
    """A request's body that is let go once it was sent: the response keeps its request as long as it is read."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body

    def __aiter__(self) -> "_SentOnce":
        return self

    async def __anext__(self) -> bytes:
        body, self._body = self._body, None
        if body is None:
            raise StopAsyncIteration
        return body


class _PoolTransport(httpx.AsyncBaseTransport):
    """httpx's way to httpcore's pools, one pool for each proxy in use (normally one in all)."""

    def __init__(self, settings: HttpSettings, backend: SocketBackend) -> None:
        self._settings = settings
        self._backend = backend
        self._pools: dict[tuple[str, bool, bool], httpcore.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        pool = self._pool(url, proxy_for(url, self._settings))
        answer = await pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": {"connect": self._settings.connect_s}},
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    def _pool(self, url: str, proxy: str) -> httpcore.AsyncConnectionPool:
        """Return the pool for this proxy; a client certificate is bound to the configured origin like any credential."""
        is_own, is_tls = is_own_origin(url, self._settings), url.startswith("https:")
        pool = self._pools.get((proxy, is_own, is_tls))
        if pool is None:
            pool = httpcore.AsyncConnectionPool(
                ssl_context=context_for(self._settings, with_client_cert=is_own) if is_tls else None,
                proxy=_proxy(proxy, self._settings),
                max_connections=None,
                keepalive_expiry=_KEEP_S,
                network_backend=self._backend,
            )
            self._pools[proxy, is_own, is_tls] = pool
        return pool


class _Body(httpx.AsyncByteStream):
    """An answer's body, from httpcore to httpx."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return pieces_of(self._answer)

    async def aclose(self) -> None:
        await self._answer.aclose()


def is_own_origin(url: str, settings: HttpSettings) -> bool:
    """Whether credentials may go to this URL."""
    return not settings.origin or same_origin(url, settings.origin)


def proxy_for(url: str, settings: HttpSettings) -> str:
    """Return the URL of the proxy for a request, "" for none. Only proxies are taken from the environment."""
    if settings.proxy:
        return "" if settings.proxy == DIRECT else settings.proxy
    proxies = urllib.request.getproxies()
    parts = split_url(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(host_port(url)):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _proxy(url: str, settings: HttpSettings) -> httpcore.Proxy | None:
    """Make httpcore's proxy of a URL, whose userinfo becomes the proxy's authentication."""
    if not url:
        return None
    register_userinfo(url)
    try:
        parsed = httpx.Proxy(url)
        raw = parsed.url
    except (httpx.InvalidURL, ValueError) as error:
        name = settings.setting("proxy") if settings.proxy else "the proxy in the environment"
        raise ConfigError(f"{name} cannot be used.", hint="It looks like http://user:password@host:port.") from error
    return httpcore.Proxy(
        url=httpcore.URL(scheme=raw.raw_scheme, host=raw.raw_host, port=raw.port, target=raw.raw_path),
        auth=parsed.raw_auth,
        ssl_context=context_for(settings, with_client_cert=False) if raw.scheme == "https" else None,
    )
