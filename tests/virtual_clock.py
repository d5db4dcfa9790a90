"""An event loop whose time jumps to the next timer: a minute of waiting takes no time at all.

Not for tests of the screen, whose timers read the real clock. Uses names that asyncio keeps private; the one test beside
it (tests/test_virtual_clock.py) pins what it relies on.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs until nothing is ready, then lets time pass in one step."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self._virtual = 1_000.0

    def time(self) -> float:
        """Return virtual seconds."""
        return self._virtual

    def _run_once(self) -> None:
        if not self._ready:
            timers = (timer.when() for timer in self._scheduled if not timer.cancelled())
            self._virtual = max(self._virtual, min(timers, default=self._virtual))
        super()._run_once()


class LoopClock:
    """An engine clock that tells the virtual loop's time, as if it had started at a fixed moment."""

    def now(self) -> float:
        return 1_700_000_000.0 + asyncio.get_running_loop().time()


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a virtual loop; everything it started must be over by then."""
    loop = VirtualLoop()
    try:
        result = loop.run_until_complete(work)
        left = asyncio.all_tasks(loop)
        assert not left, f"still running: {left}"
        return result
    finally:
        loop.close()


def virtually(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test that needs nothing but a loop on one whose time jumps."""

    @wraps(test)
    def run() -> None:
        run_virtually(test())

    return run


async def settle(steps: int = 40) -> None:
    """Let everything that is ready run, without letting time pass."""
    for _ in range(steps):
        await asyncio.sleep(0)
