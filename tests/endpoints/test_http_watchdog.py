"""The clocks of one exchange, on a clock of the tests' own."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.endpoints.http_watchdog import Watchdog
from tests.virtual_clock import VirtualLoop, run_virtually, settle

LIMITS = HttpSettings(first_byte_s=120.0, idle_s=120.0, progress_s=300.0)


def virtually(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test on a loop whose time jumps."""

    @wraps(test)
    def run() -> None:
        run_virtually(test())

    return run


def guarding() -> tuple[Watchdog, list[float]]:
    """Return a watchdog over an answer that has begun, and when it gave up."""
    gave_up: list[float] = []
    loop = asyncio.get_running_loop()
    watchdog = Watchdog(LIMITS, "agent:80", lambda: gave_up.append(loop.time()))
    watchdog.head_arrived()
    watchdog.wait_begins()
    return watchdog, gave_up


async def stand_still(seconds: float) -> None:
    """Let time pass in which nothing of this process runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._virtual += seconds
    await settle()


@virtually
async def test_a_server_that_says_nothing_is_given_up_at_the_limit():
    began = asyncio.get_running_loop().time()
    _, gave_up = guarding()
    await asyncio.sleep(119)
    assert not gave_up
    await asyncio.sleep(2)
    assert gave_up == [began + 120]


@virtually
async def test_the_time_for_which_the_process_stood_still_does_not_count():
    watchdog, gave_up = guarding()
    await asyncio.sleep(10)
    await stand_still(3_600)
    assert not gave_up
    watchdog.wait_ends()  # its words had been waiting in the socket
    watchdog.wait_begins()
    await asyncio.sleep(119)
    assert not gave_up
    await asyncio.sleep(2)
    assert gave_up


@virtually
async def test_a_server_that_says_nothing_after_a_standstill_either_is_given_up():
    _, gave_up = guarding()
    await stand_still(3_600)
    await asyncio.sleep(104)
    assert not gave_up
    await asyncio.sleep(30)
    assert gave_up


@virtually
async def test_before_the_answer_begins_a_standstill_does_not_count_either():
    gave_up: list[float] = []
    watchdog = Watchdog(LIMITS, "agent:80", lambda: gave_up.append(0.0))
    await stand_still(3_600)
    assert not gave_up
    await asyncio.sleep(130)
    assert gave_up
    watchdog.stop()


@virtually
async def test_while_the_reader_is_busy_a_standstill_changes_nothing():
    watchdog, gave_up = guarding()
    watchdog.content_arrived()
    watchdog.wait_ends()
    await stand_still(3_600)
    watchdog.wait_begins()
    await asyncio.sleep(119)
    assert not gave_up
    await asyncio.sleep(2)
    assert gave_up
