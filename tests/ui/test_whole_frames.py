"""Synchronized output (mode 2026): a terminal that has it sees whole frames only, one that lacks it sees none of it."""

import re
from pathlib import Path

import pytest

from tests.terminal import Terminal, terminal

QUERY, BEGIN, END = b"\x1b[?2026$p", b"\x1b[?2026h", b"\x1b[?2026l"
MOVES = re.compile(rb"\x1b\[\d+;\d+H")
"""Where a frame begins to write: it goes to a cell."""


async def at_work(screen: Terminal, answer: bytes) -> bytes:
    """Answer the program's question, have it draw, and return what it wrote after that."""
    await screen.wait_for_bytes(QUERY)
    screen.send(answer)
    await screen.wait_for("Enter send")
    await screen.until_quiet(0.3)
    begin = len(screen.raw)
    screen.send(b"stream 30 lines at 60 per second\r")
    await screen.wait_for("complete")
    screen.press("f1")
    await screen.wait_for("Keys and commands")
    screen.press("escape")
    screen.press("ctrl+l")
    await screen.until_quiet(0.3)
    return bytes(screen.raw[begin:])


async def test_a_terminal_that_has_it_is_given_whole_frames(home: Path):
    async with terminal(home=home) as screen:
        raw = await at_work(screen, b"\x1b[?2026;2$y")
    frames = re.findall(re.escape(BEGIN) + rb"(.*?)" + re.escape(END), raw, re.DOTALL)
    assert len(frames) > 5  # 18 were seen on a busy machine, which draws less often
    assert not any(BEGIN in frame for frame in frames)
    outside = re.sub(re.escape(BEGIN) + rb".*?" + re.escape(END), b"", raw, flags=re.DOTALL)
    assert len(MOVES.findall(raw)) > 20
    assert MOVES.findall(outside) == []


@pytest.mark.parametrize("answer", [b"", b"\x1b[?2026;4$y"], ids=["silent", "never"])
async def test_a_terminal_that_lacks_it_sees_nothing_of_it(home: Path, answer: bytes):
    async with terminal(home=home) as screen:
        raw = await at_work(screen, answer)
    assert MOVES.search(raw)
    assert BEGIN not in raw
    assert END not in raw
