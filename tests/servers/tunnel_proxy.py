"""An HTTP proxy that only makes tunnels: CONNECT, then bytes both ways. A test program."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

from tests.servers.proxying import listening, pump, until_one_ends


class TunnelProxy:
    """A running proxy."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """"host:port" of every tunnel that was asked for."""
        self.heads: list[str] = []
        """What was said to ask for them, whole."""
        self.password = ""
        """"user:password" that a tunnel takes; "" = none."""
        self.port = 0
        self.cut = asyncio.Event()
        """Set: every tunnel breaks down."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            target = head.split(" ")[1]
            self.asked.append(target)
            self.heads.append(head)
            if self.password and f"Basic {b64encode(self.password.encode()).decode()}\r\n" not in head:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            host, _, port = target.rpartition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await until_one_ends(far_writer, pump(reader, far_writer), pump(far_reader, writer), self.cut.wait())
        writer.transport.abort()


@asynccontextmanager
async def tunnel_proxy(ssl: SSLContext | None = None) -> AsyncIterator[TunnelProxy]:
    """Run a proxy, itself behind TLS when a context is given."""
    proxy = TunnelProxy()
    async with listening(proxy.serve, proxy.cut.set, ssl) as proxy.port:
        yield proxy
