"""A selection that is dragged to the edge of the transcript goes on with what scrolls in, on a real terminal."""

import base64
import re
from pathlib import Path

import pytest

from tests.terminal import Terminal, terminal

COPIED = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")


async def copied(screen: Terminal) -> str:
    begin = len(screen.raw)
    screen.press("ctrl+c")
    await screen.until(lambda: COPIED.search(screen.raw, begin))
    return base64.b64decode(COPIED.search(screen.raw, begin)[1]).decode()


def first_line(screen: Terminal) -> int:
    return int(re.search(r"Line (\d+) of 200", screen.text)[1])


@pytest.mark.parametrize("is_down", [True, False], ids=["down", "up"])
async def test_dragging_to_an_edge_scrolls_and_selects_what_comes(home: Path, is_down: bool):
    async with terminal(home=home, environ={"PATH": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}) as screen:
        await screen.wait_for("Enter send")
        screen.send(b"stream 200 lines at 2000 per second\r")
        await screen.wait_for("complete")
        if is_down:
            screen.press("f6", "g")
            await screen.wait_for("Line 001 of 200")
        await screen.until_quiet(0.3)
        start, end = (15, 32) if is_down else (15, 4)
        screen.send(b"\x1b[<0;6;%dM" % start)
        for row in range(start, end, 1 if is_down else -1):
            begin = len(screen.raw)
            screen.send(b"\x1b[<32;10;%dM" % row)
            await screen.until(lambda begin=begin: len(screen.raw) > begin, "it is drawn")
        if is_down:
            await screen.until(lambda: first_line(screen) > 40)
        else:
            await screen.until(lambda: first_line(screen) < 140)
        screen.send(b"\x1b[<0;10;%dm" % end)
        await screen.until_quiet(0.3)
        numbers = [int(number) for number in re.findall(r"Line (\d+) of 200", await copied(screen))]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert len(numbers) > 30
