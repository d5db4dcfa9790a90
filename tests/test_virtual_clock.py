"""Pins what the virtual loop relies on in asyncio."""

import asyncio
import time

from tests.virtual_clock import run_virtually


def test_a_hundred_sleepers_of_a_minute_take_no_time_and_wake_in_order():
    woken: list[int] = []

    async def sleeper(number: int) -> None:
        await asyncio.sleep(60 + number)
        woken.append(number)

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(sleeper(number) for number in reversed(range(100))))
        return asyncio.get_running_loop().time() - began

    began = time.monotonic()
    assert run_virtually(main()) == 159.0
    assert woken == list(range(100))
    assert time.monotonic() - began < 5


def test_a_timer_that_was_cancelled_moves_no_time():
    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.call_later(50, print).cancel()
        await asyncio.sleep(1)
        return loop.time() - began

    assert run_virtually(main()) == 1.0
