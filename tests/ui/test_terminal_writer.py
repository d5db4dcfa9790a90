"""What is written to a terminal arrives whole and in order, read at once, late, or never; blocking stays as it was."""

import os
import pty
import threading
import tty
from collections.abc import Iterator

import pytest

from chatforge_tui.ui.terminal_writer import MOST_WAITING, TerminalWriter


class Line:
    """A writer and the other end of its terminal."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.file = os.fdopen(slave, "w", encoding="utf-8", errors="backslashreplace")
        self.writer = TerminalWriter(self.file)
        self.writer.start()

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            found += os.read(self.master, 65_536)
        return found


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.file.close()
    os.close(made.master)


def test_a_terminal_that_reads_has_it_before_the_call_returns(line: Line):
    line.writer.write("a frame 東\ud800")
    assert not line.writer._queue.unfinished_tasks
    os.set_blocking(line.master, False)
    assert os.read(line.master, 100) == "a frame 東".encode() + rb"\ud800"
    line.writer.stop()


def test_emoji_keep_their_cells(line: Line):
    line.writer.write("👍🏿|")
    expected = "\x1b7  \x1b8\x1b7👍🏿\x1b8\x1b[2C|".encode()
    assert line.read(len(expected)) == expected
    line.writer.stop()


def test_what_a_terminal_does_not_take_waits_and_comes_in_order(line: Line):
    texts = [f"{number:06}|" * 1_000 for number in range(MOST_WAITING)]
    for text in texts:
        line.writer.write(text)
    assert line.writer._queue.unfinished_tasks
    stopping = threading.Thread(target=line.writer.stop)
    stopping.start()
    expected = "".join(texts).encode()
    assert line.read(len(expected)) == expected
    stopping.join()


def test_when_it_has_caught_up_it_writes_at_once_again(line: Line):
    line.writer.write("x" * 500_000)
    assert line.writer._queue.unfinished_tasks
    line.read(500_000)
    line.writer._queue.join()
    line.writer.write("y")
    assert not line.writer._queue.unfinished_tasks
    assert line.read(1) == b"y"
    line.writer.stop()


def test_many_threads_lose_nothing(line: Line):
    def write(letter: str) -> None:
        for _ in range(200):
            line.writer.write(letter * 100)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    found = line.read(60_000)
    for thread in threads:
        thread.join()
    assert {found[at : at + 100] for at in range(0, 60_000, 100)} == {letter * 100 for letter in (b"a", b"b", b"c")}
    line.writer.stop()


def test_the_file_that_others_have_as_well_goes_on_blocking(line: Line):
    assert os.get_blocking(line.file.fileno())
    line.writer.stop()


def test_a_terminal_that_is_gone_holds_up_nobody():
    line = Line()
    line.writer.write("x" * 500_000)
    os.close(line.master)
    for _ in range(3 * MOST_WAITING):
        line.writer.write("more")
    line.writer.stop()
    line.file.close()


def test_what_is_no_terminal_is_written_by_the_thread(tmp_path):
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        writer = TerminalWriter(file)
        writer.start()
        writer.write("one ")
        writer.write("two")
        writer.stop()
    assert (tmp_path / "out").read_text("utf-8") == "one two"
