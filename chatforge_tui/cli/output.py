"""Writing to stdout and stderr, so that nothing from outside can steer a terminal.

Owns the two streams of a command. To a terminal text goes cleaned; into a pipe or file an answer goes as it is.
"""

import os
import re
import sys
from typing import BinaryIO

from chatforge_tui.errors import ChatForgeError
from chatforge_tui.safety.clean import clean
from chatforge_tui.safety.redact import redact

_SURROGATES = re.compile("[\ud800-\udfff]")
_UNFINISHED = re.compile("[\r\u200c\u200d\ufe0e\ufe0f\u2600-\u27bf\U0001f000-\U0001faff]{1,8}\\Z")
"""An end whose meaning the next piece decides: CR before LF, an emoji before its joiner."""


class ReaderGone(Exception):
    """Whoever read this program's output went away. Not a BrokenPipeError, which click would take for its own."""


class Output:
    """One stream of the program: stdout or stderr."""

    def __init__(self, stream: BinaryIO, *, is_terminal: bool, encoding: str = "utf-8") -> None:
        """Write to `stream`; `encoding` is what the terminal expects, a pipe always gets UTF-8."""
        self._stream = stream
        self.is_terminal = is_terminal
        self._encoding = encoding if is_terminal else "utf-8"
        self._held = ""
        self._at_line_start = True

    def write(self, text: str) -> None:
        """Write a piece of text from outside; cleaned on a terminal, verbatim otherwise.

        Raises:
            ReaderGone: nobody reads any more.
        """
        if not self.is_terminal:
            self._emit(text)
            return
        text = self._held + text
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        self._emit(clean(text[: len(text) - len(self._held)]))

    def finish(self) -> None:
        """Write what was held back; on a terminal end the line."""
        self._emit(clean(self._held))
        self._held = ""
        if self.is_terminal and not self._at_line_start:
            self._emit("\n")

    def line(self, text: str) -> None:
        """Write one or more whole lines for people: cleaned wherever they go."""
        self._emit(f"{clean(text)}\n")

    def raw_line(self, text: str) -> None:
        """Write a line that was made for programs and is ASCII: JSON."""
        self._emit(f"{text}\n")

    def _emit(self, text: str) -> None:
        if not text:
            return
        self._at_line_start = text.endswith("\n")
        try:
            self._stream.write(_SURROGATES.sub("\ufffd", text).encode(self._encoding, "replace"))
            self._stream.flush()
        except BrokenPipeError as error:
            raise ReaderGone from error


def standard_output() -> Output:
    """Return stdout."""
    return Output(sys.stdout.buffer, is_terminal=sys.stdout.isatty(), encoding=sys.stdout.encoding)


def standard_error() -> Output:
    """Return stderr."""
    return Output(sys.stderr.buffer, is_terminal=sys.stderr.isatty(), encoding=sys.stderr.encoding)


def tell_error(error: ChatForgeError) -> None:
    """Write an error as its one or two sentences to stderr, credentials masked."""
    tell(sentences(str(error), error.hint))


def sentences(said: str, hint: str) -> str:
    """Return what happened and what to do about it on one line. Servers end their sentences in every way."""
    said = said.rstrip()
    end = "" if not hint or said.endswith((".", "!", "?", "…", ":")) else "."
    return f"{said}{end} {hint}".rstrip()


def tell(sentence: str) -> None:
    """Write a sentence to stderr, credentials masked."""
    standard_error().line(redact(sentence))


def silence_stdout() -> None:
    """Let whatever is still written to stdout vanish: its reader is gone, and the interpreter flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
