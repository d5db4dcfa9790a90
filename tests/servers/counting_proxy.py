"""A way to a server that counts its bytes, and does something after exactly so many. A test program."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.servers.proxying import listening, pump, until_one_ends


class CountingProxy:
    """A running proxy. After an armed number of the server's bytes nothing passes any more, and the alarm goes off."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.passed = 0
        """Bytes of the server that were passed on since the proxy was armed last, over all connections."""
        self._target_port = target_port
        self._left: int | None = None
        """Bytes that may still pass; None: all."""
        self._alarm: Callable[[], None] = lambda: None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def arm(self, after: int | None, alarm: Callable[[], None] = lambda: None) -> None:
        """Let so many bytes pass, > 0, then none, and call `alarm`; None: let everything pass."""
        self.passed, self._left, self._alarm = 0, after, alarm

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            await until_one_ends(far_writer, pump(reader, far_writer), self._down(far_reader, writer))
        self._writers.discard(writer)
        writer.transport.abort()

    def close(self) -> None:
        """Tear every connection down."""
        for writer in self._writers:
            writer.transport.abort()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self._left is not None:
                    data, is_last = data[: self._left], 0 < self._left <= len(data)
                    self._left -= len(data)
                    if is_last:
                        asyncio.get_running_loop().call_soon(self._alarm)
                self.passed += len(data)
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def counting_proxy(target_port: int) -> AsyncIterator[CountingProxy]:
    """Run a proxy to a server of this machine."""
    proxy = CountingProxy(target_port)
    async with listening(proxy.serve, proxy.close) as proxy.port:
        yield proxy
