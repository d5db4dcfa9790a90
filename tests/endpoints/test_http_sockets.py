"""A connection is closed by whoever wants it closed, there and then."""

import asyncio
import select
import socket

import pytest

from chatforge_tui.endpoints.http_sockets import SocketBackend


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_the_server_knows_of_a_cancelled_read_before_the_loop_goes_on(listener):
    """Httpcore waits for a lock before it closes what a cancelled task read from."""
    ends = []

    async def body() -> None:
        stream = await SocketBackend().connect_tcp("127.0.0.1", listener.getsockname()[1])
        server, _ = listener.accept()

        async def read() -> None:
            try:
                await stream.read(10)
            finally:  # the loop stands still as long as this looks
                ends.append(server.recv(1) if select.select([server], [], [], 1)[0] else None)

        with server:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(read())
                await asyncio.sleep(0)
                task.cancel()

    asyncio.run(body())
    assert ends == [b""]
