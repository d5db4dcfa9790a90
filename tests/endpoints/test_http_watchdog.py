"""The clocks of one exchange, on a clock of the tests' own."""

import asyncio

from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.endpoints.http_watchdog import Watchdog
from tests.virtual_clock import VirtualLoop, settle, virtually

LIMITS = HttpSettings(first_byte_s=120.0, idle_s=120.0, progress_s=300.0)


def guarding() -> tuple[Watchdog, list[float]]:
    """Return a watchdog over an answer that has begun, and when it gave up."""
    gave_up: list[float] = []
    loop = asyncio.get_running_loop()
    watchdog = Watchdog(LIMITS, "agent:80", lambda: gave_up.append(loop.time()))
    watchdog.head_arrived()
    watchdog.wait_begins()
    return watchdog, gave_up


async def gives_up(gave_up: list[float], *, not_within: float, but_within: float) -> None:
    """Wait so many seconds in which nobody gives up, and so many more in which somebody does."""
    await asyncio.sleep(not_within)
    assert not gave_up
    await asyncio.sleep(but_within - not_within)
    assert gave_up


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
    await gives_up(gave_up, not_within=119, but_within=121)
    assert gave_up == [began + 120]


@virtually
async def test_the_time_for_which_the_process_stood_still_does_not_count():
    watchdog, gave_up = guarding()
    await asyncio.sleep(10)
    await stand_still(3_600)
    assert not gave_up
    watchdog.wait_ends()  # its words had been waiting in the socket
    watchdog.wait_begins()
    await gives_up(gave_up, not_within=119, but_within=121)


@virtually
async def test_a_server_that_says_nothing_after_a_standstill_either_is_given_up():
    _, gave_up = guarding()
    await stand_still(3_600)
    await gives_up(gave_up, not_within=104, but_within=134)


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
    await gives_up(gave_up, not_within=119, but_within=121)
