"""Noticing that the terminal went away when nobody says so: SIGHUP may be ignored (nohup, some wrappers).

A Textual program whose terminal is gone reads nothing for ever, and spins. One thread sleeps in `poll` until the
terminal hangs up; it costs nothing until then.
"""

import os
import select
import threading
from collections.abc import Callable

_HANGUP = select.POLLHUP | select.POLLERR | select.POLLNVAL


def has_hung_up(descriptor: int) -> bool:
    """Tell whether the terminal behind a file descriptor is gone."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & _HANGUP for _, event in poll.poll(0))


class TerminalWatch:
    """Watches one file descriptor until it hangs up or `stop` is called."""

    def __init__(self, descriptor: int, on_hangup: Callable[[], object]) -> None:
        """Prepare.

        Args:
            descriptor: the terminal's, as the driver reads it.
            on_hangup: called once, in the watching thread.
        """
        self._descriptor = descriptor
        self._on_hangup = on_hangup
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="chatforge-terminal-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Call once, and not from the watching thread."""
        os.write(self._wake_write, b"x")
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, 0)
        poll.register(self._wake_read, select.POLLIN)
        for descriptor, event in poll.poll():
            if descriptor == self._descriptor and event & _HANGUP:
                self._on_hangup()
