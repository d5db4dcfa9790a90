"""Asks the terminal what it can do, within a short time, and leaves it as it was. Reading the replies is pure.

The questions end with one that every terminal answers (its device attributes): what has not been answered by then will not be.
"""

import os
import re
import selectors
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

from msgspec import Struct

SECONDS: Final = 1.5
"""How long all the replies together may take: an ssh line round the world needs 0.5 s."""
_SAMPLES: Final = (("é", "e\u0301", 1), ("●", "●", 1), ("中", "中", 2), ("👍", "👍", 2))
"""How it is called, what is written, and the cells that ChatForge takes it to need."""
_WIDTHS: Final = "".join(f"\r{written}\x1b[6n" for _, written, _ in _SAMPLES)
_QUESTIONS: Final = (
    "\x1b7" + _WIDTHS + "\r\x1b[K\x1b8"  # where the cursor is behind each sample
    "\x1b[?2026$p\x1b[?2004$p\x1b[?1004$p"  # synchronized output, bracketed paste, focus
    "\x1b[?u\x1b[?4m"  # the keyboard protocols of kitty and of xterm
    "\x1b[>0q"  # name and version
    "\x1b[c"
)
_CURSOR: Final = re.compile(rb"\x1b\[\d+;(\d+)R")
_MODE: Final = re.compile(rb"\x1b\[\?(\d+);(\d)\$y")
_KITTY: Final = re.compile(rb"\x1b\[\?(\d+)u")
_OTHER_KEYS: Final = re.compile(rb"\x1b\[>4;?(\d*)m")
_NAME: Final = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")
_ATTRIBUTES: Final = re.compile(rb"\x1b\[\?([\d;]*)c")


class Replies(Struct, frozen=True):
    """What a terminal said. None = it did not answer that."""

    name: str = ""
    """Name and version; "" = it did not say."""
    synchronized: bool | None = None
    bracketed_paste: bool | None = None
    focus: bool | None = None
    kitty_keys: bool | None = None
    other_keys: bool | None = None
    """xterm's modifyOtherKeys."""
    wrong_widths: tuple[str, ...] = ()
    """Samples that take another number of cells than they should."""
    has_widths: bool = False
    """It said where the cursor is, so that `wrong_widths` counts."""
    is_whole: bool = False
    """The last question was answered in time."""


def ask_terminal(seconds: float = SECONDS) -> Replies | None:
    """Ask the terminal of this process; None when there is none, or it belongs to another program now.

    Args:
        seconds: how long the replies may take, > 0.
    """
    if sys.platform == "win32":
        return None
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        if not (sys.stdin.isatty() and os.tcgetpgrp(terminal) == os.getpgrp()):
            return None
        with raw(terminal):
            os.write(terminal, _QUESTIONS.encode())
            return read_replies(_received(terminal, seconds))
    except OSError:
        return None
    finally:
        os.close(terminal)


def read_replies(received: bytes) -> Replies:
    """Return what the terminal's bytes say; what else is in them is passed over."""
    modes = {int(match[1]): match[2] for match in _MODE.finditer(received)}
    columns = [int(match[1]) for match in _CURSOR.finditer(received)]
    name, attributes = _NAME.search(received), _ATTRIBUTES.search(received)
    has_widths = len(columns) == len(_SAMPLES)
    wrong = [
        shown
        for (shown, _, cells), column in zip(_SAMPLES, columns, strict=False)
        if has_widths and column != cells + 1
    ]
    return Replies(
        name=name[1].decode("utf-8", "replace") if name else "",
        synchronized=_is_known(modes.get(2026)),
        bracketed_paste=_is_known(modes.get(2004)),
        focus=_is_known(modes.get(1004)),
        kitty_keys=True if _KITTY.search(received) else None,
        other_keys=True if _OTHER_KEYS.search(received) else None,
        wrong_widths=tuple(wrong),
        has_widths=has_widths,
        is_whole=attributes is not None,
    )


@contextmanager
def raw(terminal: int) -> Generator[None]:
    """Take keys and replies byte by byte, unseen; the terminal's modes come back at the end, whatever happens.

    Raises:
        OSError: it has no modes.
    """
    import termios  # noqa: PLC0415 - only Unix has it
    import tty  # noqa: PLC0415 - as above

    try:
        before = termios.tcgetattr(terminal)
        tty.setraw(terminal, termios.TCSANOW)
    except termios.error as error:
        raise OSError(str(error)) from error
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _received(terminal: int, seconds: float) -> bytes:
    """Return what comes until the last question is answered, or the time is over."""
    received, ends = b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(terminal, selectors.EVENT_READ)
        while not _ATTRIBUTES.search(received) and (left := ends - time.monotonic()) > 0:
            if selector.select(left):
                received += os.read(terminal, 4096)
    return received


def _is_known(state: bytes | None) -> bool | None:
    """Return what a mode's report means: 0 = not known to the terminal, 4 = known and never to be had."""
    return None if state is None else state not in (b"0", b"4")
