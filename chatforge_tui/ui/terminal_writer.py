"""Writes to the terminal: at once where it takes the text, by a thread where it does not.

Textual hands every write to a thread, so that a terminal that stands still does not hold up the program. A terminal that
reads takes a frame in 10 us; to wake a thread for it costs more than that, and the frame waits for the hand-over. Here
the terminal is opened once more, without blocking, and the thread has work only while the terminal is behind. What is
open already must go on blocking: the shell has it, too.
"""

import os
from queue import Queue
from threading import RLock, Thread
from typing import TextIO

from chatforge_tui.ui.steady_cells import steady

MOST_WAITING = 30
"""Writes that can wait for a terminal that stands still, as many as with Textual; one more waits for one of them."""


class TerminalWriter:
    """In the place of Textual's writing thread. Texts are written in the order of the calls of `write`, of any thread."""

    def __init__(self, file: TextIO) -> None:
        """Write to what this file writes to."""
        file.flush()
        self._file = file
        self._encoding, self._errors = file.encoding, file.errors or "strict"
        self._order = RLock()  # a signal may come in the midst of a write, and write itself
        self._queue: Queue[bytes | None] = Queue(MOST_WAITING)
        self._thread = Thread(target=self._run, name="chatforge-output", daemon=True)
        self._direct = _opened_again(file.fileno())
        """The same terminal, without blocking; None where it cannot be had."""

    def start(self) -> None:
        """Begin; what is written before waits."""
        self._thread.start()

    def write(self, text: str) -> None:
        """Write a text: now, or as soon as the terminal takes it."""
        data = steady(text).encode(self._encoding, self._errors)
        with self._order:
            if not self._queue.unfinished_tasks:
                data = self._write_now(data)
            if data:
                self._queue.put(data)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""

    def isatty(self) -> bool:
        """Say yes, as Textual's does."""
        return True

    def fileno(self) -> int:
        """Return the file's descriptor, which blocks."""
        return self._file.fileno()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._order:
            self._queue.put(None)
            self._thread.join()
            if self._direct is not None:
                os.close(self._direct)
                self._direct = None

    def _write_now(self, data: bytes) -> bytes:
        """Write as much as the terminal takes at once; return the rest."""
        if self._direct is None:
            return data
        try:
            return data[os.write(self._direct, data) :]
        except OSError:  # it takes nothing at the moment, or is gone: the thread finds that out
            return data

    def _run(self) -> None:
        """Be the thread. What is for a terminal that is gone is dropped."""
        while (data := self._queue.get()) is not None:
            try:
                while data:
                    data = data[os.write(self._file.fileno(), data) :]
            except OSError:
                pass
            finally:
                self._queue.task_done()


def _opened_again(descriptor: int) -> int | None:
    """Return another descriptor of a terminal, which does not block; None for what is none, or may not be opened."""
    try:
        again = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None
    if os.fstat(again).st_rdev == os.fstat(descriptor).st_rdev:
        return again
    os.close(again)
    return None
