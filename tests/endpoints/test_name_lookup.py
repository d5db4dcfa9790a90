"""Names are looked up side by side: one that nobody answers for holds up no other, nor the end of the program."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from chatforge_tui.endpoints import name_lookup
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.name_lookup import AddressInfo, look_up
from chatforge_tui.errors import Unreachable
from tests.servers.raw_server import answer, raw_server

STALLED = 80
"""More than any pool of threads has that asyncio makes by itself."""


class Names:
    """A name server that does not answer for some names until it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked: list[str] = []
        self._changed = threading.Condition()

    def get(self, host: str, port: int | None, **_: object) -> list[tuple[object, ...]]:
        with self._changed:
            self.asked.append(host)
            self._changed.notify_all()
        if host.startswith("stalled"):
            self.answers.wait(60)
        if host.endswith("nowhere"):
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def started(self, *hosts: str, asks: int) -> list[asyncio.Task[list[AddressInfo]]]:
        """Begin to look names up; return when so many were asked for in all."""
        tasks = [asyncio.create_task(look_up(host, 80)) for host in hosts]  # noqa: TID251 - the part of the worker

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(lambda: len(self.asked) >= asks, 10)

        assert await asyncio.to_thread(wait)
        return tasks


@pytest.fixture
def names(monkeypatch) -> Iterator[Names]:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made.get)
    yield made
    made.answers.set()


async def test_names_that_nobody_answers_for_hold_up_no_other(names):
    stalled = await names.started(*(f"stalled-{number}" for number in range(STALLED)), asks=STALLED)
    async with raw_server() as server, asyncio.timeout(10):
        server.plays = [answer(b"here")]
        channel = HttpChannel(HttpSettings())
        assert (await channel.fetch("GET", f"http://healthy:{server.port}/")).body == b"here"
        await channel.aclose()
    assert len(names.asked) == STALLED + 1
    assert not any(task.done() for task in stalled)
    names.answers.set()
    assert all(found[0][4][0] == "127.0.0.1" for found in await asyncio.gather(*stalled))


def test_the_program_can_end_while_a_look_up_is_under_way(names):
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await look_up("stalled", 80)

    began = time.monotonic()
    asyncio.run(give_up())
    assert time.monotonic() - began < 5
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "name look-up")


async def test_who_asks_for_the_same_name_shares_one_look_up_and_can_leave(names):
    first, second = await names.started("stalled", "stalled", asks=1)
    first.cancel()
    names.answers.set()
    assert (await second)[0][4] == ("127.0.0.1", 80)
    assert first.cancelled()
    assert names.asked == ["stalled"]


async def test_one_that_runs_for_long_is_not_waited_for_by_those_who_come_later(names, monkeypatch):
    [old] = await names.started("stalled", asks=1)
    monkeypatch.setattr(name_lookup, "_SHARED_S", -1.0)
    [new] = await names.started("stalled", asks=2)
    names.answers.set()
    assert await old == await new
    assert not name_lookup._running


async def test_each_who_asked_is_told_of_a_failure_by_an_error_of_their_own(names):
    tasks = await names.started("stalled.nowhere", "stalled.nowhere", asks=1)
    names.answers.set()
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, socket.gaierror)
    assert isinstance(second, socket.gaierror)
    assert first is not second
    assert first.errno == socket.EAI_NONAME


async def test_a_name_that_there_is_not_is_told_in_words(names):
    channel = HttpChannel(HttpSettings())
    with pytest.raises(Unreachable, match="No host named nowhere was found"):
        await channel.fetch("GET", "http://nowhere/")
    await channel.aclose()
