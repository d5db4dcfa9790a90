"""Reads what is typed on a Unix terminal, and knows Esc, and Alt with a letter, within milliseconds.

The byte of Esc also begins the sequence of nearly every other special key. Textual waits for the rest of a sequence for
100 ms and looks at its clock ten times a second, so the key that stops an answer takes up to 200 ms. A terminal sends
the sequence of a key in one piece: an Esc at the end of a few bytes, behind which nothing comes for some milliseconds,
is the key. Behind more bytes than anyone types (a paste that was cut in two) Textual's own patience holds. Where the
rest of a sequence comes later still it is that key all the same, and types nothing; from then on Esc is waited for longer.

It also reads Alt with a letter only when nothing follows: of two of them in one read, the first is typed as text. Here
each is handed over by itself.
"""

import math
import os
import re
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterable, Mapping
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual._xterm_parser import XTermParser
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from chatforge_tui.ui.terminal_paste import is_pasted
from chatforge_tui.ui.terminal_writer import TerminalWriter

if TYPE_CHECKING:
    from textual.app import App

ESCAPE_S = 0.025
"""Seconds without a byte after which what could be the beginning of a longer sequence is a key. A line that cuts a
sequence behind its Esc must not stop an answer: editors wait 30 to 50 ms for the same reason."""
ESCAPE_NEAR_S = 0.002
"""The same where no line is in between: a program on this machine writes a key into the pseudo terminal at once."""
ESCAPE_TORN_S = 0.1
"""The same on a line that has torn a sequence once, and the longest that its rest may be late."""
TYPED = 16
"""Characters that one key, or a few of them, can send at once."""
_LOOK_S = 0.1
"""Seconds between two looks at whether the rest of a sequence has not come."""
_NEVER_IN_FRAMES = "\x1b[?2026;4$y"
"""A terminal says that it knows synchronized output and never does it; Textual takes any answer but 0 for yes."""
_READ = 4096
_SHORT = re.compile("\x1b[^\x1b\\[\\]OPX^_]?\\Z")
"""Esc, or Alt with a key that begins no longer sequence."""
_ALT_BEFORE_MORE = re.compile("(\x1b[^\x1b\\[\\]OPX^_][^\x1b]*)(?=\x1b)")
"""Alt with such a key, and what was typed behind it, when another sequence follows at once."""
_REST = re.compile("(?:\\[[0-9;:<=>?]*[ -/]*[@-Z^-~]|O[A-DFHPQRS])(?:\x1b.*)?", re.DOTALL)
"""What a terminal sends behind the Esc of a special key or of the mouse, maybe with more keys behind it."""
_PSEUDO = re.compile(r"/dev/(?:pts/|ttys)\d+")
"""Names of pseudo terminals on Linux, the BSDs and macOS."""


class KeyReader:
    """Turns what is typed into Textual's events."""

    def __init__(self, *, debug: bool = False, escape_s: float = ESCAPE_S) -> None:
        """Start with nothing read.

        Args:
            debug: Textual's own.
            escape_s: seconds without a byte after which Esc is the key.
        """
        self._parser = XTermParser(debug)
        self._escape_s = escape_s
        self._decode = getincrementaldecoder("utf-8")().decode
        self._is_short = False
        """What came last can be a key as it is."""
        self._escaped_at = -math.inf
        """When Esc was taken for the key, by the monotonic clock, if nothing has come since."""

    @property
    def patience_s(self) -> float | None:
        """Seconds to wait for the next byte; None for any time."""
        if self._is_short:
            return self._escape_s
        return None if self._parser._timeout_time is None else _LOOK_S  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - whether it waits for the rest of something

    def take(self, data: bytes) -> list[Message]:
        """Return the events of these bytes."""
        text = self._decode(data)
        if monotonic() - self._escaped_at < ESCAPE_TORN_S and _REST.fullmatch(text):
            text = f"\x1b{text}"
            self._escape_s = ESCAPE_TORN_S
        self._escaped_at = -math.inf
        self._is_short = len(text) <= TYPED and _SHORT.search(text) is not None
        events = self._read(text) if text else []
        if _NEVER_IN_FRAMES in text:
            return [event for event in events if not isinstance(event, TerminalSupportsSynchronizedOutput)]
        return events

    def silence(self) -> list[Message]:
        """Return the events of nothing coming for as long as `patience_s`."""
        if self._is_short:
            self._end_wait()
        self._is_short = False
        found = _without_text(self._parser.tick())
        if any(isinstance(event, Key) and event.key == "escape" for event in found):
            self._escaped_at = monotonic()
        return found

    def _read(self, text: str) -> list[Message]:
        """Return the events of a text. A paste is left whole: what looks like its end is to be seen with all of it."""
        if is_pasted(self._parser, text):
            return _without_text(self._parser.feed(text))
        events: list[Message] = []
        *before, last = _ALT_BEFORE_MORE.split(text)
        for piece in filter(None, before):
            events += _without_text(self._parser.feed(piece))
            self._end_wait()
            events += _without_text(self._parser.tick())
        return events + (_without_text(self._parser.feed(last)) if last else [])

    def _end_wait(self) -> None:
        """Let the parser take what it has for the whole: no more of it comes."""
        if self._parser._timeout_time is not None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the only way to say that its time is over
            self._parser._timeout_time = 0.0  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above


def escape_patience_s(descriptor: int, environment: Mapping[str, str]) -> float:
    """Return how long to wait behind an Esc that is read from this descriptor.

    tmux reads keys itself and passes them on whole. Everything else that comes over ssh, and every serial line, may be
    cut anywhere.
    """
    try:
        is_pseudo = _PSEUDO.fullmatch(os.ttyname(descriptor)) is not None
    except OSError:
        return ESCAPE_S
    is_far = "TMUX" not in environment and ("SSH_CONNECTION" in environment or "SSH_TTY" in environment)
    return ESCAPE_NEAR_S if is_pseudo and not is_far else ESCAPE_S


def _without_text(events: Iterable[Message]) -> list[Message]:
    """Take the letter from what was pressed with Alt: a text field would insert it before an action is looked for."""
    found = list(events)
    for event in found:
        if isinstance(event, Key) and event.key.startswith("alt+"):
            event.character = None
    return found


class _Ending(Event):
    """Says that no more is to be read, also to who waits for a file descriptor: nothing has to look again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptor, self._wake = os.pipe()

    def set(self) -> None:
        """Say it."""
        if not self.is_set():
            super().set()
            os.write(self._wake, b"x")

    def clear(self) -> None:
        """Take it back, when nobody waits any more."""
        if self.is_set():
            super().clear()
            os.read(self.descriptor, 1)


class UnixDriver(LinuxDriver):
    """Textual's driver, with keys read as described above, and frames written without a thread."""

    def __init__(
        self,
        app: "App[Any]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Make one for an app; Textual gives it these."""
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType]
        self.exit_event = _Ending()

    @property
    def _writer_thread(self) -> "TerminalWriter | None":  # Textual makes its own where none can be given
        return self._writer

    @_writer_thread.setter
    def _writer_thread(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, writer: "WriterThread | TerminalWriter | None"
    ) -> None:
        if isinstance(writer, WriterThread):
            writer = TerminalWriter(cast("TextIO", writer._file))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._writer = writer

    def send_message(self, message: Message) -> None:
        """Hand a message to the app: without the task that Textual makes for each, which is one more turn of the loop."""
        self._loop.call_soon_threadsafe(self._app.post_message, message)

    def run_input_thread(self) -> None:
        """Read until the program ends."""
        reader = KeyReader(debug=self._debug, escape_s=escape_patience_s(self.fileno, os.environ))
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self.exit_event.descriptor, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(reader.patience_s)
                if any(key.fd == self.fileno for key, _ in ready):
                    found = reader.take(os.read(self.fileno, _READ))
                else:
                    found = reader.silence()
                for event in found:
                    self.process_message(event)
