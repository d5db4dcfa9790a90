"""A network between client and server that breaks where a test wants it to: bytes both ways, then nothing. A test program."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress


class CuttingProxy:
    """A running proxy. Each connection gets the next entry of `cuts`: so many bytes of the server, then it breaks."""

    def __init__(self) -> None:
        self.port = 0
        self.target_port = 0
        self.cuts: Iterator[int] = iter(())
        """Bytes, >= 0, after which each next connection is torn down; connections beyond them stay whole."""
        self.broken = 0
        """Connections that were torn down so far."""
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Tear every connection down now."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limit = next(self.cuts, None)
        self._writers.add(writer)
        with suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            ways = [_pump(reader, far_writer, None), _pump(far_reader, writer, limit)]
            tasks = [asyncio.ensure_future(way) for way in ways]  # noqa: TID251 - a server of its own
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.broken += limit is not None and tasks[1].done()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            far_writer.transport.abort()
        self._writers.discard(writer)
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
    """Carry bytes until the end, or `limit` of them."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536 if limit is None else max(1, min(limit, 65_536))):
            writer.write(data if limit is None else data[:limit])
            await writer.drain()
            if limit is not None:
                limit -= len(data)
                if limit <= 0:
                    return


@asynccontextmanager
async def cutting_proxy() -> AsyncIterator[CuttingProxy]:
    """Run a proxy; say where it leads before anything connects."""
    proxy = CuttingProxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.cut()
        server.close()
        await asyncio.sleep(0.02)
