"""All streams on a beat are read once a period, few at a time; what one of them does is not felt by the others."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from chatforge_tui.endpoints.reading_beat import HIDDEN_S, WATCHED_S, ReadingBeat, beat_of
from tests.virtual_clock import run_virtually


class Stream:
    """Writes down when it is read."""

    def __init__(self) -> None:
        self.read_at: list[float] = []
        self.stays = True

    def read_at_beat(self) -> bool:
        self.read_at.append(asyncio.get_running_loop().time())
        return self.stays


class Failing(Stream):
    def read_at_beat(self) -> bool:
        super().read_at_beat()
        raise ZeroDivisionError


def a_beat() -> ReadingBeat:
    return ReadingBeat(asyncio.get_running_loop(), HIDDEN_S)


def test_a_loop_has_one_beat_for_what_is_watched_and_one_for_what_is_not():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        watched, hidden = beat_of(loop, is_watched=True), beat_of(loop, is_watched=False)
        assert (watched.period_s, hidden.period_s) == (WATCHED_S, HIDDEN_S)
        assert beat_of(loop, is_watched=True) is watched
        assert beat_of(loop, is_watched=False) is hidden

    run_virtually(main())


@pytest.mark.parametrize("count", [1, 5, 40, 1000])
def test_each_stream_is_read_once_a_period_and_only_a_twelfth_of_many_at_a_time(count):
    async def main() -> None:
        beat, streams = a_beat(), [Stream() for _ in range(count)]
        for stream in streams:
            beat.add(stream)
        await asyncio.sleep(20 * HIDDEN_S)
        for stream in streams:
            assert 18 <= len(stream.read_at) <= 22
            times = [1000.0, *stream.read_at]
            assert max(after - before for before, after in pairwise(times)) <= 2 * HIDDEN_S
            assert max(after - before for before, after in pairwise(times[3:])) <= 1.1 * HIDDEN_S
        at_once = Counter(when for stream in streams for when in stream.read_at)
        assert max(at_once.values()) == min(count, max(32, -(-count // 12)))
        for stream in streams:
            beat.discard(stream)

    run_virtually(main())


def test_streams_that_come_at_different_times_are_soon_read_together():
    async def main() -> None:
        beat, streams = a_beat(), [Stream() for _ in range(20)]
        for stream in streams:
            beat.add(stream)
            await asyncio.sleep(0.07)
        for stream in streams:
            stream.read_at.clear()
        await asyncio.sleep(5 * HIDDEN_S)
        strokes = {when for stream in streams for when in stream.read_at}
        assert len(strokes) <= 6
        for stream in streams:
            beat.discard(stream)

    run_virtually(main())


def test_a_stream_that_leaves_or_is_taken_off_is_read_no_more_and_the_beat_rests():
    async def main() -> None:
        beat, leaving, discarded = a_beat(), Stream(), Stream()
        beat.add(leaving)
        beat.add(discarded)
        leaving.stays = False
        beat.discard(discarded)
        await asyncio.sleep(10 * HIDDEN_S)
        assert (len(leaving.read_at), len(discarded.read_at)) == (1, 0)
        assert not asyncio.get_running_loop()._scheduled

    run_virtually(main())


def test_a_stream_that_another_one_ends_in_the_same_stroke_is_not_read():
    async def main() -> None:
        beat, ended = a_beat(), Stream()

        class Ending(Stream):
            def read_at_beat(self) -> bool:
                beat.discard(ended)
                return False

        beat.add(Ending())
        beat.add(ended)
        await asyncio.sleep(3 * HIDDEN_S)
        assert not ended.read_at

    run_virtually(main())


def test_a_stream_that_fails_is_off_the_beat_and_those_behind_it_are_read():
    async def main() -> None:
        loop, mistakes = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _, context: mistakes.append(context["exception"]))
        beat, failing, behind = a_beat(), Failing(), Stream()
        beat.add(failing)
        beat.add(behind)
        await asyncio.sleep(5 * HIDDEN_S)
        assert len(failing.read_at) == len(mistakes) == 1
        assert len(behind.read_at) >= 3
        beat.discard(behind)

    run_virtually(main())
