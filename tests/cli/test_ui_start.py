"""The whole program in a pseudo terminal: it comes up, says what it is, answers, leaves, and comes back."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from contextlib import contextmanager

import pyte
import pytest

from tests.cli.program import COMMAND

pytestmark = pytest.mark.timeout(120)


class Screen:
    """What a person sees of the running program."""

    def __init__(self, process, primary):
        self.process = process
        self._primary = primary
        self._screen = pyte.Screen(120, 40)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self):
        return "\n".join(self._screen.display)

    def press(self, keys):
        os.write(self._primary, keys)

    def wait_for(self, text, seconds=30.0):
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} on the screen:\n{self.text}"
            self._read(0.1)

    def wait_for_end(self):
        deadline = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running:\n{self.text}"
            self._read(0.1)
        return self.process.returncode

    def _read(self, seconds):
        if select.select([self._primary], [], [], seconds)[0]:
            try:
                self._stream.feed(os.read(self._primary, 65536))
            except OSError:  # the program is gone
                time.sleep(0.01)


@contextmanager
def running(program, *words):
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=program.environ,
        start_new_session=True,
    )
    os.close(secondary)
    try:
        yield Screen(process, primary)
    finally:
        process.kill()
        process.wait()
        os.close(primary)


def test_with_nothing_configured_it_talks_to_the_built_in_agent_says_so_and_comes_back(program):
    with running(program) as screen:
        screen.wait_for("No endpoint is configured")
        screen.wait_for("Ask built-in")
        screen.press(b"echo good morning\r")
        screen.wait_for("complete")
        screen.press(b"\x11")
        assert screen.wait_for_end() == 0
    [session] = program.run("sessions", "--json").json
    assert (session["open"], session["turns"], session["state"]) == (True, 1, "complete")
    with running(program) as screen:
        screen.wait_for("echo good morning")
        screen.press(b"\x11")
        assert screen.wait_for_end() == 0
