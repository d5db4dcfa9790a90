"""Signals that end the program: each becomes an orderly end, so that everything is saved and the terminal is as it was."""

import asyncio
import signal
import threading
from collections.abc import Callable

_NUMBERS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class EndSignals:
    """Catches them while a program runs in an event loop of the main thread; Ctrl+C is a key there, and no signal."""

    def __init__(self, on_signal: Callable[[int], None]) -> None:
        """Call this function, in the loop, with the number of the signal."""
        self._on_signal = on_signal
        self._loop: asyncio.AbstractEventLoop | None = None

    def catch(self) -> None:
        """Begin; outside the main thread, where signals cannot be caught, do nothing."""
        if threading.current_thread() is threading.main_thread():
            self._loop = asyncio.get_running_loop()
            for number in _NUMBERS:
                self._loop.add_signal_handler(number, self._on_signal, number)

    def release(self) -> None:
        """Let the signals do what they did before."""
        if self._loop is not None:
            for number in _NUMBERS:
                self._loop.remove_signal_handler(number)
            self._loop = None
