"""Drives one program from outside: keys in, stamped bytes out, the mock server's log beside them.

One loop reads both, so a stamp is at most a read late. The terminal emulator sees the bytes after a timed stretch, not
during it: emulating costs nothing while the program is timed. Resolution is about 1 ms.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyte

from tests.benchmarks.process_tree import Use, use_of
from tests.terminal import key_bytes

COLUMNS, ROWS = 120, 40
ROOT = Path(__file__).resolve().parents[2]
ONE_WRITE_S = 0.001
"""Reads closer together than this belong to one write of the program."""
CALM_BYTES, CALM_CPU = 3000, 0.25
"""A program is calm when it writes fewer bytes a second than this (a cursor may blink), and uses less of a core."""

_FOREIGN = re.compile(
    rb"\x1b\[[<=>?][0-9;:]*[ -/]*[a-zA-Z]|\x1b\[[0-9;]*[ '$][a-z]|\x1b\[[0-9;:]*:[0-9;:]*m|\x1b\[[0-9;]*t"
    rb"|\x1b[P_^X][^\x1b]*\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
)
"""What the emulator would show as text."""
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;:<=>?]*|[P_^X\]][^\x07\x1b]*\x1b?)?\Z")
_QUESTIONS = re.compile(rb"\x1b\[c|\x1b\[6n|\x1b\[\?(\d+)\$p|\x1b\](1[01]);\?")
"""Device attributes, place of the cursor, a mode, a colour."""


class MockServerProcess:
    """The mock server in a process of its own, and what it has logged."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.mock_server"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        self.descriptor = self._process.stdout.fileno()
        self.events: list[dict[str, Any]] = []
        self._rest = b""
        while not self.events:
            self.read()
        self.port: int = self.events[0]["port"]

    def read(self) -> None:
        """Take what it has logged; waits for a line."""
        *lines, self._rest = (self._rest + os.read(self.descriptor, 65536)).split(b"\n")
        self.events += map(json.loads, lines)

    def at(self, event: str, name: str) -> float | None:
        """Return when something happened to an answer; None if it has not."""
        return next((line["t"] for line in self.events if line["event"] == event and line.get("name") == name), None)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Sight:
    """Something that is to appear on the screen, and when it did."""

    def __init__(self, pattern: str) -> None:
        self.pattern = re.compile(pattern)
        self.at: float | None = None


class Driver:
    """One program in a pseudo terminal."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], directory: Path, server: MockServerProcess
    ) -> None:
        self.server = server
        self.size = 0
        """Bytes it has written."""
        self.ended = False
        self.reads: list[tuple[float, bytes]] = []
        """What the emulator has not seen yet."""
        self._recent: list[tuple[float, int]] = []
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._rest = b""
        self.began = time.monotonic()
        self.pid, self._descriptor = pty.fork()
        if not self.pid:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
                os.chdir(directory)
                os.execvpe(argv[0], list(argv), dict(environ))
            finally:
                os._exit(127)

    def close(self) -> None:
        """End the program and what it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
            if number == signal.SIGTERM:
                self.run(1.0, lambda: self.ended)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._descriptor)

    # Time passes

    def run(self, seconds: float, until: Callable[[], object] = lambda: False) -> bool:
        """Read for so long, or until something holds; return whether it does."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            watched = [self.server.descriptor, *([] if self.ended else [self._descriptor])]
            ready, _, _ = select.select(watched, [], [], min(left, 0.05))
            if self._descriptor in ready:
                self._read()
            if self.server.descriptor in ready:
                self.server.read()
        return True

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            data = b""
        now = time.monotonic()
        if not data:
            self.ended = True
            return
        self.size += len(data)
        self.reads.append((now, data))
        self._recent.append((now, len(data)))
        if b"\x1b" in data:
            for question in _QUESTIONS.finditer(data):
                self._answer(question)

    def _answer(self, question: re.Match[bytes]) -> None:
        asked = question.group()
        if asked.endswith(b"$p"):
            answer = b"\x1b[?%s;%d$y" % (question[1], 2 if question[1] == b"2026" else 0)
        elif asked.endswith(b"6n"):
            answer = b"\x1b[%d;%dR" % (self._screen.cursor.y + 1, self._screen.cursor.x + 1)
        elif asked.endswith(b"c"):
            answer = b"\x1b[?62;22c"
        else:
            answer = b"\x1b]%s;rgb:%s\x1b\\" % (
                question[2],
                b"1010/1010/1010" if question[2] == b"11" else b"e0e0/e0e0/e0e0",
            )
        with suppress(OSError):
            os.write(self._descriptor, answer)

    def calm(self, seconds: float, most: float) -> bool:
        """Wait until the program writes and computes next to nothing for so long; at most `most` seconds."""
        end = time.monotonic() + most
        while time.monotonic() < end and not self.ended:
            used, now = self.use().cpu_s, time.monotonic()
            self.run(seconds)
            size = sum(size for at, size in self._recent if at >= now)
            self._recent.clear()
            if size <= CALM_BYTES * seconds and self.use().cpu_s - used <= CALM_CPU * seconds:
                return True
        return False

    # Hands

    def write(self, data: bytes) -> float:
        """Type; return when."""
        at = time.monotonic()
        with suppress(OSError):
            os.write(self._descriptor, data)
        return at

    def press(self, keys: Sequence[str], prompt: str = "") -> float:
        """Press keys: names as Textual has them, `{prompt}`, a text, or `wait 0.5`. Returns when the last was pressed."""
        at = time.monotonic()
        for key in keys:
            if key == "{prompt}":
                at = self.write(prompt.encode())
            elif key.startswith("wait "):
                self.run(float(key[5:]))
                continue
            else:
                at = self.write(key_bytes(key))
            self.run(0.03)
        return at

    # Eyes

    def look(self, *sights: Sight) -> None:
        """Show the emulator what was read meanwhile; note when each sight came up. Sights are expected in order."""
        waiting = [sight for sight in sights if sight.at is None]
        reads, self.reads = self.reads, []
        at = 0
        while at < len(reads):
            stamp, data = reads[at]
            while at + 1 < len(reads) and reads[at + 1][0] - stamp < ONE_WRITE_S:
                at += 1
                stamp, data = reads[at][0], data + reads[at][1]
            at += 1
            self._feed(data)
            if self._screen.dirty and waiting:
                text = self.text()
                while waiting and waiting[0].pattern.search(text):
                    waiting.pop(0).at = stamp
            self._screen.dirty.clear()

    def _feed(self, data: bytes) -> None:
        data = self._rest + data
        unfinished = _UNFINISHED.search(data[-4096:])
        cut = len(data) - (len(unfinished.group()) if unfinished else 0)
        self._rest = data[cut:]
        try:
            self._stream.feed(_FOREIGN.sub(b"", data[:cut]))
        except (TypeError, ValueError, IndexError, AttributeError):  # the emulator is strict about rare sequences
            self._stream = pyte.ByteStream(self._screen)

    def text(self) -> str:
        """Return what the emulator shows."""
        rows = self._screen.buffer
        return "\n".join("".join(rows[y][x].data for x in range(COLUMNS)).rstrip() for y in range(ROWS))

    def wait_for(self, pattern: str, seconds: float) -> float | None:
        """Emulate while waiting; return when the pattern came up."""
        sight = Sight(pattern)
        self.look(sight)  # it may have come while a key was being pressed
        if sight.at is None and sight.pattern.search(self.text()):
            return time.monotonic()

        def is_seen() -> bool:
            self.look(sight)
            return sight.at is not None or self.ended

        self.run(seconds, is_seen)
        return sight.at

    def use(self) -> Use:
        """Return what the program and its children use."""
        return use_of(self.pid)
