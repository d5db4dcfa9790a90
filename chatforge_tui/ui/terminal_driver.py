"""What the program needs of Textual's driver beyond its public face, in one place.

Everything here degrades to doing nothing with a driver that has no such thing (headless tests, the web).
"""

import base64
import os
import signal
import threading
from queue import Queue
from types import FrameType
from typing import Any, Protocol, cast

from textual.driver import Driver

from chatforge_tui.ui.terminal_title import RESTORE_TITLE, SAVE_TITLE, has_titles, title_sequence
from chatforge_tui.ui.terminal_watch import has_hung_up


class _Writer(Protocol):
    """Textual's thread that writes to the terminal."""

    _queue: Queue[str | None]


class _NoWriter:
    """Takes the place of that thread when there is nobody left to write to."""

    def write(self, text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class TerminalDriver:
    """Title, mouse and back-pressure of the terminal behind a driver."""

    def __init__(self, driver: Driver | None) -> None:
        """Work on this driver; None = there is no terminal."""
        self._driver = driver if driver is not None and not driver.is_headless else None
        self._name = os.environ.get("TERM", "")
        self._title = ""
        self._has_mouse = True

    @property
    def is_there(self) -> bool:
        """Whether there is a terminal at all."""
        return self._driver is not None

    def copy(self, text: str) -> bool:
        """Ask the terminal to take a cleaned text into its clipboard; whether it does is never known. False = no terminal.

        The sequence goes out raw, inside tmux, too, which drops the wrapped form unless it is told otherwise.
        """
        if self._driver is None:
            return False
        self._driver.write(f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode('ascii')}\a")
        return True

    @property
    def takes_output(self) -> bool:
        """Whether everything written so far has reached the terminal. May be asked from any thread."""
        writer = cast("_Writer | None", getattr(self._driver, "_writer_thread", None))
        return writer is None or writer._queue.empty()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its queue has no public face

    @property
    def input_descriptor(self) -> int | None:
        """The file descriptor the driver reads keys from; None when there is none."""
        descriptor = cast("int | None", getattr(self._driver, "fileno", None))
        return descriptor if self._driver is not None else None

    @property
    def is_gone(self) -> bool:
        """Whether the terminal has hung up."""
        descriptor = self.input_descriptor
        return descriptor is not None and has_hung_up(descriptor)

    def give_back(self, modes: list[Any] | None) -> None:
        """Have the driver leave the terminal in these modes of termios, not in those that it found; None = as found."""
        if modes is not None and self._driver is not None:
            self._driver.attrs_before = modes  # pyright: ignore[reportAttributeAccessIssue] - the Unix driver's own

    def guard_resume(self) -> None:
        """Do not let SIGCONT, which the system sends together with SIGHUP, start the driver anew on a dead terminal."""
        if self._driver is None or threading.current_thread() is not threading.main_thread():
            return
        resume = signal.getsignal(signal.SIGCONT)

        def guarded(number: int, frame: FrameType | None) -> None:
            if callable(resume) and not self.is_gone:
                resume(number, frame)

        signal.signal(signal.SIGCONT, guarded)

    def abandon(self) -> None:
        """Write nothing more: a write to a dead terminal ends Textual's writer, and the next ones wait for it for ever."""
        if self._driver is not None:
            setattr(self._driver, "_writer_thread", _NoWriter())  # noqa: B010 - it has no public face
            self._driver = None

    def show_title(self, title: str) -> None:
        """Name the window after a title (as received); the name it had comes back with `restore_title`."""
        sequence = title_sequence(title, self._name)
        if self._driver is not None and sequence and sequence != self._title:
            self._driver.write(sequence if self._title else SAVE_TITLE + sequence)
            self._title = sequence

    def restore_title(self) -> None:
        """Give the window its name back."""
        if self._driver is not None and self._title and has_titles(self._name):
            self._driver.write(RESTORE_TITLE)
            self._title = ""

    def toggle_mouse(self) -> bool:
        """Give the mouse to the terminal, so that it selects text itself, or take it back; return who has it now."""
        self._has_mouse = not self._has_mouse
        name = "_enable_mouse_support" if self._has_mouse else "_disable_mouse_support"
        switch = getattr(self._driver, name, None)
        if callable(switch):
            switch()
        return self._has_mouse
