"""Answers: one that is still being received, and a whole one; with their limits.

Owns the reading of a body. When its connection is closed is the channel's business (http.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec import Struct, field

from chatforge_tui.endpoints.http_inflate import Inflater
from chatforge_tui.endpoints.http_settings import MEBIBYTE, HttpSettings
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.endpoints.http_watchdog import Watchdog
from chatforge_tui.errors import EndpointError, LimitExceeded

if TYPE_CHECKING:
    from chatforge_tui.endpoints.http_wire import WireResponse


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
                    raise too_large(self.url, self.settings.max_turn_bytes)
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


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type of an answer: lower case, without parameters, "" when there is none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def too_large(url: str, limit: int) -> LimitExceeded:
    """Return the error for an answer of more than `limit` bytes."""
    return LimitExceeded(
        f"The answer of {host_port(url)} is larger than {limit / MEBIBYTE:.3g} MiB.",
        hint="The limit protects this program's memory; what was received before is kept.",
    )
