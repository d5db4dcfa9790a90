"""What every proxy of the tests does: listen on loopback, and carry bytes both ways until one of them ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, stop: Callable[[], None], ssl: SSLContext | None = None) -> AsyncIterator[int]:
    """Serve connections until the block is left, then stop those that are open; give the port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        stop()
        server.close()
        await asyncio.sleep(0.02)


async def until_one_ends(far: asyncio.StreamWriter, *ways: Coroutine[Any, Any, object]) -> list[bool]:
    """Run the ways until one of them ends, then tear the far connection down; say which had ended."""
    tasks = [asyncio.ensure_future(way) for way in ways]  # noqa: TID251 - a server of its own
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    ended = [task.done() for task in tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    far.transport.abort()
    return ended


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until the end."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
