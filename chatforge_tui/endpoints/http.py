"""One session's HTTP: requests, streamed and fetched answers, their limits and their end.

Owns when a connection is opened, kept and closed. Knows no protocol above HTTP. Everything that touches httpx lives behind
`http_wire`, loaded at the first request; every failure leaves here as an `errors.EndpointError`.

A channel serves one session, one request at a time. Its connection is kept from turn to turn; when a stream is cancelled,
fails, or is left before its end, the connection is closed at once and the client with it (httpcore loses the pool slot of
a connection whose task is cancelled twice; here the pool goes too).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from msgspec import Struct, field

from chatforge_tui.endpoints.http_inflate import Inflater
from chatforge_tui.endpoints.http_settings import MEBIBYTE, HttpSettings
from chatforge_tui.endpoints.http_status import reject_redirect, reject_status
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.endpoints.http_watchdog import Watchdog
from chatforge_tui.errors import ConfigError, EndpointError, LimitExceeded, StreamLost, StreamStalled
from chatforge_tui.safety.secret import Secret
from chatforge_tui.safety.urls import same_origin

if TYPE_CHECKING:
    from chatforge_tui.endpoints.http_wire import Wire, WireResponse

__all__ = ["FetchedResponse", "HttpChannel", "HttpSettings", "StreamResponse", "reject_status"]

_DRAIN_S: Final = 0.05
"""How long the end of a finished answer is waited for, so that its connection can serve the next turn."""


class StreamResponse:
    """An answer that is still being received."""

    def __init__(self, response: "WireResponse", url: str, settings: HttpSettings, watchdog: Watchdog) -> None:
        """Keep what reading it takes; made by `Exchange`."""
        self.status = response.status
        self.headers = response.headers
        """Names in any case."""
        self.content_type = media_type(response.headers)
        """Lower case, without parameters; "" when the server named none."""
        self.url = url
        self.settings = settings
        self.is_read = False
        """The body was read to its end."""
        self.is_done = False
        self._watchdog = watchdog
        self._raw = self._received(response)
        """One iterator for all readers, so that what one of them left can be drained afterwards."""

    @property
    def is_redirect(self) -> bool:
        """Whether the answer is somewhere else."""
        return 300 <= self.status < 400 and self.status != 304

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the decoded body as it comes; never an empty piece.

        Raises:
            StreamLost: the connection broke.
            StreamStalled: no byte, or no content, for too long.
            LimitExceeded: the whole is larger than `max_turn_bytes`.
            ProtocolMismatch: it is encoded in a way nobody asked for.
        """
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        inflater = None if encoding in ("", "identity") else Inflater(encoding)
        size = 0
        watchdog = self._watchdog
        watchdog.wait_begins()
        async for chunk in self._raw:
            watchdog.wait_ends()
            for piece in (chunk,) if inflater is None else inflater.feed(chunk):
                size += len(piece)
                if size > self.settings.max_turn_bytes:
                    raise _too_large(self.url, self.settings.max_turn_bytes)
                if piece:
                    yield piece
            watchdog.wait_begins()

    async def read(self, limit: int) -> bytes:
        """Return the body, or its first `limit` bytes if it is longer."""
        body = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) >= limit:
                    break
        return bytes(body[:limit])

    def content_arrived(self) -> None:
        """Tell that something other than a keepalive was received: the progress limit starts anew."""
        self._watchdog.content_arrived()

    def done(self) -> None:
        """Tell that the protocol's own end was received: what may follow is awaited only briefly, then cut off."""
        self.is_done = True

    async def drain(self, seconds: float) -> None:
        """Read what is left, for at most so long.

        Raises:
            EndpointError: as `chunks`.
        """
        try:
            async with asyncio.timeout(seconds):
                async for _ in self._raw:
                    pass
        except TimeoutError:
            return

    async def aclose(self) -> None:
        """End the reading; the connection goes back if the body was read to its end."""
        await self._raw.aclose()

    async def _received(self, response: "WireResponse") -> AsyncGenerator[bytes, None]:
        """Yield the body as received; a stall that the watchdog saw is why it broke off."""
        try:
            async with aclosing(response.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
            self.is_read = True
        except EndpointError as error:
            if self._watchdog.stalled is not None:
                raise self._watchdog.stalled from error
            raise
        finally:
            await response.aclose()


class FetchedResponse(Struct, frozen=True):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    content_type: str
    """Lower case, without parameters."""
    body: bytes
    url: str = ""
    settings: HttpSettings = field(default_factory=HttpSettings)


class Exchange:
    """One request and its streamed answer, as an asynchronous context manager.

    Leaving it gives the connection back when the answer was read to its end, and closes it in every other case, before
    anything is awaited: a second cancellation has nothing left to spoil.
    """

    def __init__(
        self,
        channel: "HttpChannel",
        request: "tuple[str, str, bytes | None, Mapping[str, str]]",
        *,
        hands_over_redirects: bool = False,
    ) -> None:
        """Send nothing yet.

        Args:
            channel: whose connection to use.
            request: method, URL, body, headers.
            hands_over_redirects: whether an answer may be a redirect, which is an error otherwise.
        """
        self._channel = channel
        self._request = request
        """Without its body once the answer has begun: with the whole of a long session it would stay for minutes."""
        self._hands_over_redirects = hands_over_redirects
        self._wire: Wire | None = None
        self._response: StreamResponse | None = None
        self._watchdog: Watchdog | None = None

    async def __aenter__(self) -> StreamResponse:
        """Send the request and wait for the head of the answer.

        Raises:
            EndpointError: nothing usable came back, or a redirect did.
        """
        try:
            self._response = await self._send()
            if self._response.is_redirect and not self._hands_over_redirects:
                reject_redirect(self._response)
        except BaseException:
            await self._give_up()
            raise
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, or keep the connection for the next turn."""
        response = self._response
        is_orderly = kind in (None, GeneratorExit)
        try:
            if response is not None and response.is_done and is_orderly and not response.is_read:
                with suppress(EndpointError):
                    await response.drain(_DRAIN_S)
        finally:
            if response is not None and response.is_read and is_orderly:
                self._stop_clocks()
                if self._wire is not None:
                    self._wire.rest()
            else:
                await self._give_up()

    async def _send(self) -> StreamResponse:
        """Send, once more if the kept connection turns out to have been closed by the server meanwhile."""
        wire = self._wire = self._channel.wire()
        url = self._request[1]
        watchdog = self._watchdog = Watchdog(self._channel.settings, host_port(url), wire.abort)
        wire.work()
        opened, was_connected = wire.opened, wire.has_connection
        try:
            try:
                wire_response = await wire.send(*self._request)
            except StreamLost:
                # A server may close an idle connection at the very moment it is used again. It read nothing then.
                if not was_connected or wire.opened != opened or watchdog.stalled is not None:
                    raise
                wire_response = await wire.send(*self._request)
        except EndpointError as error:
            if watchdog.stalled is not None:
                raise watchdog.stalled from error
            raise
        watchdog.head_arrived()
        method, _, _, headers = self._request
        self._request = (method, url, None, headers)
        return StreamResponse(wire_response, url, self._channel.settings, watchdog)

    async def _give_up(self) -> None:
        """Close the connection: the socket first, then the library's books."""
        self._stop_clocks()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()
            if self._response is not None:
                with suppress(EndpointError):
                    await self._response.aclose()
            await self._channel.discard(wire)

    def _stop_clocks(self) -> None:
        if self._watchdog is not None:
            self._watchdog.stop()


class HttpChannel:
    """The HTTP connections of one session with one endpoint."""

    def __init__(self, settings: HttpSettings | None = None) -> None:
        """Open nothing yet. `settings`: None = the defaults."""
        self.settings = settings or HttpSettings()
        self._wire: Wire | None = None
        self._is_watched = True

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches what comes, as `ports.Endpoint.attend`."""
        self._is_watched = is_watched
        if self._wire is not None:
            self._wire.attend(is_watched=is_watched)

    def open_stream(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        """Send a request whose answer is read while it comes.

        Returns:
            An asynchronous context manager that gives a `StreamResponse` with any status but a redirect.

        Raises:
            ConfigError: URL or headers cannot be sent.
        """
        return Exchange(self, (method, url, body, self._headers(url, headers)))

    async def fetch(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 10.0,
        limit: int = MEBIBYTE,
        own_connection: bool = False,
        redirects: int = 0,
    ) -> FetchedResponse:
        """Send a request and return its whole answer, whatever its status.

        Args:
            method: GET, POST ...
            url: absolute.
            body: None = no body.
            headers: besides those of the settings.
            timeout_s: seconds for everything.
            limit: most bytes of the answer.
            own_connection: use a connection beside that of the stream, and close it afterwards.
            redirects: how many redirects to the same origin to follow.

        Raises:
            StreamStalled: it took longer.
            LimitExceeded: the answer is larger.
            EndpointError: nothing usable came back, or a redirect did.
        """
        if own_connection:
            beside = HttpChannel(self.settings)
            try:
                return await beside.fetch(
                    method, url, body, headers, timeout_s=timeout_s, limit=limit, redirects=redirects
                )
            finally:
                await beside.aclose()
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._fetch(method, url, body, headers, limit, redirects)
                if 300 <= response.status < 400 and response.status != 304:
                    reject_redirect(response)
                return response
        except TimeoutError as error:
            raise StreamStalled(
                f"{host_port(url)} did not answer within {timeout_s:g} s.", hint="Try again; the server may be busy."
            ) from error

    def wire(self) -> "Wire":
        """Return the client, made at first use."""
        if self._wire is None:
            # Lazy: httpx costs 65 ms to import, a quarter of the way to the first frame.
            from chatforge_tui.endpoints.http_wire import Wire  # noqa: PLC0415 - see above

            self._wire = Wire(self.settings, is_watched=self._is_watched)
        return self._wire

    async def discard(self, wire: "Wire") -> None:
        """Close a client whose stream did not end well; the next request makes a new one."""
        if self._wire is wire:
            self._wire = None
        wire.abort()
        await wire.aclose()

    async def aclose(self) -> None:
        """Close every socket. Idempotent; the channel can be used again."""
        if self._wire is not None:
            await self.discard(self._wire)

    async def download(self, url: str, *, timeout_s: float, limit: int, redirects: int) -> FetchedResponse:
        """Return what is at a URL, whatever its status. A redirect that is not followed is returned as it came.

        Args:
            url: absolute.
            timeout_s: seconds for everything.
            limit: most bytes of the answer.
            redirects: how many redirects to the same origin to follow.

        Raises:
            StreamStalled: it took longer.
            LimitExceeded: the answer is larger.
            EndpointError: nothing usable came back.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._fetch("GET", url, None, {"Accept": "*/*"}, limit, redirects)
        except TimeoutError as error:
            raise StreamStalled(f"{host_port(url)} did not give the file within {timeout_s:g} s.") from error

    async def _fetch(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None, limit: int, redirects: int
    ) -> FetchedResponse:
        """Return the answer; of a redirect that is not followed the head."""
        request = (method, url, body, self._headers(url, headers))
        async with Exchange(self, request, hands_over_redirects=True) as response:
            target = urljoin(url, response.headers.get("location", "")) if response.is_redirect else ""
            if not response.is_redirect or redirects <= 0 or not same_origin(target, url):
                content = b"" if response.is_redirect else await response.read(limit + 1)
                if len(content) > limit:
                    raise _too_large(url, limit)
                return FetchedResponse(
                    response.status, response.headers, response.content_type, content, url, self.settings
                )
        return await self._fetch(method, target, body, headers, limit, redirects - 1)

    def _headers(self, url: str, extra: Mapping[str, str] | None) -> dict[str, str]:
        """Join the request's headers with the endpoint's own, which go to the endpoint's origin only."""
        headers = dict(extra or {})
        bound = self.settings.origin
        if not bound or same_origin(url, bound):
            for name, value in self.settings.headers.items():
                headers[name] = value.reveal() if isinstance(value, Secret) else value
        for name, value in headers.items():
            if not (name.isascii() and value.isascii() and value.isprintable() and name.strip()):
                raise ConfigError(
                    f"The header {name[:40]!r} holds a character that HTTP does not allow.",
                    hint="A line break at the end of a credential is a common cause.",
                )
        return headers


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type of an answer: lower case, without parameters, "" when there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(url: str, limit: int) -> LimitExceeded:
    return LimitExceeded(
        f"The answer of {host_port(url)} is larger than {limit / MEBIBYTE:.3g} MiB.",
        hint="The limit protects this program's memory; what was received before is kept.",
    )
