"""Two real programs in two terminals on one store."""

import re

import pytest

from tests.terminal import terminal

pytestmark = pytest.mark.timeout(180)


async def test_a_name_shows_up_a_stream_is_followed_and_taken_over(tmp_path):
    async with terminal(home=tmp_path) as one, terminal(home=tmp_path) as other:
        await one.wait_for("A new session with")
        await other.wait_for("A new session with")
        one.send(b"stream 900 lines at 10 per second\r")
        await one.wait_for("streaming")
        other.press("alt+o")
        await other.wait_for("No other ChatForge has this session open.")
        other.press("f3")
        await other.wait_for("stream 900 lines")
        await other.wait_for("⊘ stream 900 lines")
        other.press("down", "enter")
        await other.wait_for(f"Open in pid {one.pid} ")
        await other.until(lambda: "● ⊘ stream 900" in other.lines[0], "its tab is marked")
        await other.wait_for("streaming")

        one.send(b"/rename Named by the first\r")
        await other.wait_for("Named by the first")

        seen = last_line(other)
        await other.until(lambda: last_line(other) > seen + 5, "more lines are followed")
        other.send(b"mine\r")
        await other.wait_for(f"in another ChatForge: pid {one.pid}")
        await other.wait_for("❯ mine")
        other.press("alt+o")
        await other.wait_for("This session is yours to write in.")
        await other.until(lambda: "read-only here" not in other.text, "it can be written in")
        await other.until(lambda: "⊘" not in other.lines[0], "the mark goes")
        await one.wait_for(f"Open in pid {other.pid} ")
        await one.until(lambda: "⊘" in one.lines[0], "the mark is here now")


def last_line(screen):
    """The highest number of a line of the answer on the screen."""
    return max((int(number) for number in re.findall(r"Line (\d+) of", screen.text)), default=0)
