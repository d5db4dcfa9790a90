"""However many sessions stream, the store, the files and the programs of this process find descriptors."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from chatforge_tui.endpoints import descriptors
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import Unreachable
from tests.servers.raw_server import raw_server, stream

LIMIT = 1_000


def lowest_free() -> int:
    probe = os.open(os.devnull, os.O_RDONLY)
    os.close(probe)
    return probe


@pytest.fixture
def take() -> Iterator[Callable[[int], None]]:
    """Take descriptors until so many numbers below `LIMIT`, the most that there are, are left."""
    taken: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def until_left(left: int) -> None:
        while lowest_free() < LIMIT - left:
            taken.append(os.open(os.devnull, os.O_RDONLY))

    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, hard))
    yield until_left
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for descriptor in taken:
        os.close(descriptor)


def test_the_spare_ones_are_for_everything_else(take):
    take(descriptors._SPARE + 2)
    assert not descriptors.are_short()
    take(descriptors._SPARE + 1)
    assert descriptors.are_short()


def test_what_is_being_opened_counts(take):
    take(descriptors._SPARE + 6)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(descriptors.opening())
            assert not descriptors.are_short()
        stack.enter_context(descriptors.opening())
        assert descriptors.are_short()
    assert not descriptors.are_short()


def test_gaps_do_not_count_for_more_than_they_are_while_many_connections_are_being_opened(take):
    take(descriptors._SPARE + 1)
    gap = lowest_free() - 500
    kept = os.dup(gap)
    os.close(gap)
    try:
        assert not descriptors.are_short()  # the gap is one
        with ExitStack() as stack:
            for _ in range(descriptors._MANY + 1):
                stack.enter_context(descriptors.opening())
            assert descriptors.are_short()
    finally:
        os.dup2(kept, gap)
        os.close(kept)


def test_that_there_is_none_left_is_no_error(take):
    take(1)
    last = os.open(os.devnull, os.O_RDONLY)
    try:
        assert descriptors.are_short()
    finally:
        os.close(last)


def test_of_few_a_half_is_spared(take, monkeypatch):
    monkeypatch.setattr(descriptors, "_SPARE", LIMIT)
    take(LIMIT // 2 + 2)
    assert not descriptors.are_short()
    take(LIMIT // 2 + 1)
    assert descriptors.are_short()


def test_without_a_limit_they_are_never_short(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert not descriptors.are_short()


async def get(channel: HttpChannel, url: str) -> bytes:
    return (await channel.fetch("GET", url)).body


async def test_a_connection_too_many_is_refused_in_words_and_those_that_stand_go_on(take):
    async with raw_server() as server:
        server.plays = [stream(b"one", last=False), stream(b"two")]
        first, second = HttpChannel(HttpSettings()), HttpChannel(HttpSettings())
        async with first.open_stream("GET", server.url) as response:
            chunks = response.chunks()
            assert await anext(chunks) == b"one"
            take(descriptors._SPARE)
            with pytest.raises(Unreachable, match=f"system allows this program {LIMIT:,}") as found:
                await get(second, server.url)
            assert found.value.retryable
            assert len(server.connections) == 1
            await chunks.aclose()
        for channel in (first, second):
            await channel.aclose()


async def test_a_connection_that_rests_makes_room_and_is_opened_again_when_it_is_wanted(take):
    async with raw_server() as server:
        server.plays = [stream(word) for word in (b"one", b"two", b"three", b"four")]
        first, second = HttpChannel(HttpSettings()), HttpChannel(HttpSettings())
        assert await get(first, server.url) == b"one"
        assert await get(first, server.url) == b"two"
        assert len(server.connections) == 1  # it was kept
        take(descriptors._SPARE + 1)
        assert await get(second, server.url) == b"three"
        await server.until(lambda: server.connections[0].closed_at is not None)
        await second.aclose()
        assert await get(first, server.url) == b"four"
        await first.aclose()
