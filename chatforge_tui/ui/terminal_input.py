"""Reads what is typed on a Unix terminal, and knows Esc, and Alt with a letter, within milliseconds.

The byte of Esc also begins the sequence of nearly every other special key. Textual waits for the rest of a sequence for
100 ms and looks at its clock ten times a second, so the key that stops an answer takes up to 200 ms. A terminal sends
the sequence of a key in one piece: an Esc at the end of a few bytes, behind which nothing comes for some milliseconds,
is the key. Behind more bytes than anyone types (a paste that was cut in two) Textual's own patience holds.
"""

import os
import re
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

ESCAPE_S = 0.025
"""Seconds without a byte after which what could be the beginning of a longer sequence is a key. A line that cuts a
sequence behind its Esc must not stop an answer: editors wait 30 to 50 ms for the same reason."""
TYPED = 16
"""Characters that one key, or a few of them, can send at once."""
_LOOK_S = 0.1
"""Seconds between two looks at whether the program ends."""
_NEVER_IN_FRAMES = "\x1b[?2026;4$y"
"""A terminal says that it knows synchronized output and never does it; Textual takes any answer but 0 for yes."""
_READ = 4096
_SHORT = re.compile("\x1b[^\x1b\\[\\]OPX^_]?\\Z")
"""Esc, or Alt with a key that begins no longer sequence."""


class KeyReader:
    """Turns what is typed into Textual's events."""

    def __init__(self, *, debug: bool = False) -> None:
        self._parser = XTermParser(debug)
        self._decode = getincrementaldecoder("utf-8")().decode
        self._is_short = False
        """What came last can be a key as it is."""

    @property
    def patience_s(self) -> float:
        """Seconds to wait for the next byte."""
        return ESCAPE_S if self._is_short else _LOOK_S

    def take(self, data: bytes) -> list[Message]:
        """Return the events of these bytes."""
        text = self._decode(data)
        self._is_short = len(text) <= TYPED and _SHORT.search(text) is not None
        events = _without_text(self._parser.feed(text)) if text else []
        if _NEVER_IN_FRAMES in text:
            return [event for event in events if not isinstance(event, TerminalSupportsSynchronizedOutput)]
        return events

    def silence(self) -> list[Message]:
        """Return the events of nothing coming for as long as `patience_s`."""
        if self._is_short and self._parser._timeout_time is not None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the only way to say that its time is over
            self._parser._timeout_time = 0.0  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
        self._is_short = False
        return _without_text(self._parser.tick())


def _without_text(events: Iterable[Message]) -> list[Message]:
    """Take the letter from what was pressed with Alt: a text field would insert it before an action is looked for."""
    found = list(events)
    for event in found:
        if isinstance(event, Key) and event.key.startswith("alt+"):
            event.character = None
    return found


class UnixDriver(LinuxDriver):
    """Textual's driver, with keys read as described above."""

    def run_input_thread(self) -> None:
        """Read until the program ends."""
        reader = KeyReader(debug=self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                is_there = selector.select(reader.patience_s)
                for event in reader.take(os.read(self.fileno, _READ)) if is_there else reader.silence():
                    self.process_message(event)
