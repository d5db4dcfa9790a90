"""Signals that end a headless command: Ctrl+C, SIGTERM, a terminal that goes away.

Owns the translation of a signal into a wish to stop and an exit code. What stopping means is up to the command.
"""

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress

from chatforge_tui.cli import exit_codes

_CODES = {"SIGINT": exit_codes.STOPPED, "SIGTERM": exit_codes.TERMINATED, "SIGHUP": exit_codes.HANGUP}


class StopWish:
    """Whether the command is to stop, and what it then exits with."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self.exit_code: int | None = None
        """None until something wants it to stop."""

    def want(self, exit_code: int) -> None:
        """Have the command stop; the first reason wins."""
        if self.exit_code is None:
            self.exit_code = exit_code
        self._wanted.set()

    async def wait(self) -> None:
        """Return when the command is to stop."""
        await self._wanted.wait()


@contextmanager
def stop_on_signals() -> Generator[StopWish]:
    """Take the signals of this process while inside. The second one ends the process at once."""
    loop = asyncio.get_running_loop()
    wish = StopWish()

    def arrived(exit_code: int) -> None:
        if wish.exit_code is not None:
            os._exit(exit_code)
        wish.want(exit_code)

    numbers = [(getattr(signal, name), code) for name, code in _CODES.items() if hasattr(signal, name)]
    for number, code in numbers:
        with suppress(NotImplementedError):  # Windows: Ctrl+C stays a KeyboardInterrupt
            loop.add_signal_handler(number, arrived, code)
    try:
        yield wish
    finally:
        for number, _ in numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
