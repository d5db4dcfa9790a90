"""A network between client and server that breaks where a test wants it to: bytes both ways, then nothing. A test program."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from tests.servers.proxying import listening, pump, until_one_ends


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
            down = pump(far_reader, writer) if limit is None else _pump_some(far_reader, writer, limit)
            _, has_broken = await until_one_ends(far_writer, pump(reader, far_writer), down)
            self.broken += limit is not None and has_broken
        self._writers.discard(writer)
        writer.transport.abort()


async def _pump_some(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int) -> None:
    """Carry bytes until the end, or `limit` of them."""
    with suppress(ConnectionError):
        while data := await reader.read(max(1, min(limit, 65_536))):
            writer.write(data[:limit])
            await writer.drain()
            limit -= len(data)
            if limit <= 0:
                return


@asynccontextmanager
async def cutting_proxy() -> AsyncIterator[CuttingProxy]:
    """Run a proxy; say where it leads before anything connects."""
    proxy = CuttingProxy()
    async with listening(proxy.serve, proxy.cut) as proxy.port:
        yield proxy
