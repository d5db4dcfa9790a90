"""On a real pty: what is written, what happens to a terminal that stands still or goes away, how the program leaves."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LIMIT_S = 40.0
ROOT = Path(__file__).parents[2]


class Terminal:
    """The other end of the program's terminal."""

    def __init__(self, home: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.modes = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.pty_program", str(home)],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        self.slave = slave
        self.written = b""

    def read(self, seconds: float) -> bytes:
        """Read what the program writes within some seconds, at once when there is something."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        found = os.read(self.master, 65_536) if ready else b""
        self.written += found
        return found

    def until(self, text: str) -> None:
        end = time.monotonic() + LIMIT_S
        while text.encode() not in self.written:
            assert time.monotonic() < end, self.written[-3_000:].decode(errors="replace")
            self.read(0.1)

    def settle(self) -> None:
        """Read until the program has written nothing for a while."""
        while self.read(0.5):
            pass

    def send(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self) -> int:
        end = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < end, "the program does not end"
            if self.master >= 0:
                self.read(0.02)
        return self.process.returncode

    def hang_up(self) -> None:
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    made = Terminal(home)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    if made.master >= 0:
        made.hang_up()


def test_an_idle_program_writes_nothing_and_uses_no_time(terminal):
    terminal.until("Enter send")
    terminal.settle()
    before = processor_seconds(terminal.process.pid)

    assert terminal.read(2.0) == b""
    assert processor_seconds(terminal.process.pid) - before < 0.2


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_and_leaves_the_terminal_as_it_was(terminal, number):
    terminal.until("Enter send")
    terminal.process.send_signal(number)

    assert terminal.ended() == 128 + number
    terminal.settle()
    for sequence in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[?25h", b"\x1b[23;2t"):
        assert sequence in terminal.written
    assert termios.tcgetattr(terminal.slave) == terminal.modes


def test_a_line_and_enter_that_arrive_together_are_sent(terminal):
    terminal.until("Enter send")
    terminal.send("count to 3\r")
    terminal.until("n2")


def test_a_terminal_that_stands_still_does_not_hold_up_the_answer(terminal):
    terminal.until("Enter send")
    terminal.send("count to 200\r")
    terminal.until("n1")
    time.sleep(5)  # nobody reads: three times as long as the answer takes

    seen = time.monotonic()
    terminal.until("complete")
    assert time.monotonic() - seen < 2.5


@pytest.mark.parametrize("ignores", [False, True])
def test_a_terminal_that_goes_away_ends_the_program_soon(home, ignores):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN) if ignores else None
    try:
        terminal = Terminal(home)
        terminal.until("Enter send")
        terminal.send("wait\r")
        terminal.until("streaming")
        terminal.hang_up()
        seen = time.monotonic()

        assert terminal.ended() == 128 + signal.SIGHUP
        assert time.monotonic() - seen < 10
    finally:
        if before is not None:
            signal.signal(signal.SIGHUP, before)
