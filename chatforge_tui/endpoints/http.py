"""One session's HTTP: requests, streamed and fetched answers, their limits and their end.

Owns when a connection is opened, kept and closed. Knows no protocol above HTTP. Everything that touches httpx lives behind
`http_wire`, loaded at the first request; every failure leaves here as an `errors.EndpointError`.

A channel serves one session, one request at a time. Its connection is kept from turn to turn; when a stream is cancelled,
fails, or is left before its end, the connection is closed at once and the client with it (httpcore loses the pool slot of
a connection whose task is cancelled twice; here the pool goes too).
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from chatforge_tui.endpoints.http_response import FetchedResponse, StreamResponse, too_large
from chatforge_tui.endpoints.http_settings import MEBIBYTE, HttpSettings
from chatforge_tui.endpoints.http_status import reject_redirect, reject_status
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.endpoints.http_watchdog import Watchdog
from chatforge_tui.errors import ConfigError, EndpointError, StreamLost, StreamStalled
from chatforge_tui.safety.secret import Secret
from chatforge_tui.safety.urls import same_origin

if TYPE_CHECKING:
    from chatforge_tui.endpoints.http_wire import Wire

__all__ = ["FetchedResponse", "HttpChannel", "HttpSettings", "StreamResponse", "reject_status"]

_DRAIN_S: Final = 0.05
"""How long the end of a finished answer is waited for, so that its connection can serve the next turn."""


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
                    raise too_large(url, limit)
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
