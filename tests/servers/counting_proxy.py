"""A way to a server that counts its bytes, and does something after exactly so many. A test program."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress


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
            ways = [self._up(reader, far_writer), self._down(far_reader, writer)]
            tasks = [asyncio.ensure_future(way) for way in ways]  # noqa: TID251 - a server of its own
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            far_writer.transport.abort()
        self._writers.discard(writer)
        writer.transport.abort()

    def close(self) -> None:
        """Tear every connection down."""
        for writer in self._writers:
            writer.transport.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()

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
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.close()
        server.close()
        await asyncio.sleep(0.02)
