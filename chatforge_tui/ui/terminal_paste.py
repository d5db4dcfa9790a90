"""What is pasted stays a paste, whatever it holds.

Textual 8.2 looks for keys in a paste: an escape sequence in it that it does not know is typed, Enter included, and one
that looks like the end of the paste is the end, so that what follows is typed, too. Here every ESC of a paste is taken
out before Textual's parser sees it, and put back into the event. The parser is private; this is the one place that
touches it, and tests/ui/test_terminal_paste.py feeds bytes to it.
"""

from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

START = "\x1b[200~"
END = "\x1b[201~"
_STAND_INS = str.maketrans({"\x1b": "\udc1b", "\x00": "\udc00"})
"""Lone surrogates cannot come from a terminal. NUL is among them because the parser drops it."""
_STOOD_FOR = str.maketrans({0xDC1B: "\x1b", 0xDC00: "\x00"})

_Feed = Callable[[XTermParser, str], Iterable[Message]]


class PasteReader:
    """Follows a terminal's input and disarms what is pasted."""

    def __init__(self) -> None:
        self._is_inside = False
        self._before = ""
        """The last characters outside a paste: the beginning of START may have come with them."""
        self._held = ""
        """The end of what was read of a paste, as far as it may be the beginning of END."""

    def is_paste(self, data: str) -> bool:
        """Whether some of the next piece of input is pasted."""
        return self._is_inside or START in self._before + data

    def read(self, data: str) -> str:
        """Return the next piece of input, every ESC and NUL inside a paste replaced by its stand-in.

        What is read at once up to the last END is one paste: nobody types between two ends that quickly.
        """
        read: list[str] = []
        data, self._held = self._held + data, ""
        while data:
            outside, data = ("", data) if self._is_inside else self._until_paste(data)
            inside, data = self._until_end(data) if self._is_inside else ("", data)
            read += (outside, inside)
        return "".join(read)

    def _until_paste(self, data: str) -> tuple[str, str]:
        """Split after the next START."""
        place = (self._before + data).find(START)
        if place < 0:
            self._before = (self._before + data)[1 - len(START) :]
            return data, ""
        split = place + len(START) - len(self._before)
        self._is_inside, self._before = True, ""
        return data[:split], data[split:]

    def _until_end(self, data: str) -> tuple[str, str]:
        """Split after the last END; without one, hold what may be its beginning."""
        place = data.rfind(END)
        if place >= 0:
            self._is_inside = False
            return _disarmed(data[:place]) + END, data[place + len(END) :]
        held = next((size for size in range(len(END) - 1, 0, -1) if data.endswith(END[:size])), 0)
        self._held = data[len(data) - held :]
        return _disarmed(data[: len(data) - held]), ""


def _disarmed(pasted: str) -> str:
    """Return pasted text without ESC; two pastes that came at once are one."""
    return pasted.replace(END + START, "").translate(_STAND_INS)


_readers: WeakKeyDictionary[XTermParser, PasteReader] = WeakKeyDictionary()


def is_pasted(parser: XTermParser, data: str) -> bool:
    """Return whether some of what this parser is to read next is pasted."""
    return _readers.get(parser, PasteReader()).is_paste(data)


def patch_terminal_paste() -> None:
    """Let every parser made from now on, and before, read pastes so. Repeating it changes nothing more."""
    feed: _Feed = XTermParser.feed
    if feed is not _original_feed:
        return

    def feed_disarmed(self: XTermParser, data: str) -> Iterable[Message]:
        reader = _readers.setdefault(self, PasteReader())
        disarmed = reader.read(data)
        if data and not disarmed:  # "" is the end of the input
            return
        for token in _original_feed(self, disarmed):
            if isinstance(token, events.Paste):
                token.text = token.text.translate(_STOOD_FOR)
            yield token

    XTermParser.feed = feed_disarmed


_original_feed: _Feed = XTermParser.feed
