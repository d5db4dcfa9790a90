"""Two real programs in two terminals on one store."""

import asyncio
import re
import socket
import time
from contextlib import closing
from statistics import median

import pytest

from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.program_reference import program_reference
from chatforge_tui.guide.server import GuideServer
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.terminal import terminal

pytestmark = pytest.mark.timeout(180)

FOLLOW_LAG_S = 1.0
"""What is promised: so much later, at most, a program shows what another one streams."""
FREE_S = 3.0
"""A look every 0.5 s finds that a program is dead; the rest is for a busy machine."""


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


async def test_a_waiting_prompt_is_seen_by_who_took_its_session_over(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "config.toml").write_text(
        f'[endpoints.away]\nprotocol = "openai-chat"\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "m"\n'
    )
    async with terminal(home=tmp_path) as one, terminal(home=tmp_path) as other:
        await one.wait_for("A new session with")
        await other.wait_for("A new session with")
        one.send(b"nobody is there\r")
        await one.wait_for("Not sent:")
        other.press("f3")
        await other.wait_for("⊘ nobody is there")
        other.press("down", "enter")
        await other.wait_for(f"Open in pid {one.pid} ")
        await other.wait_for("1 prompt waits to be sent, shown only in pid")
        other.press("alt+o")
        await other.wait_for("Not sent:")
        other.send(b"/drop\r")
        await other.wait_for("Removed;")
        await other.wait_for("A new session with")
        other.send(b"and now\r")
        await other.wait_for("Not sent:")


def last_line(screen):
    """The highest number of a line of the answer on the screen."""
    return max((int(number) for number in re.findall(r"Line (\d+) of", screen.text)), default=0)


async def test_of_a_killed_program_sessions_come_free_at_once_and_their_answers_are_read_on_with(tmp_path, monkeypatch):
    with GuideServer(program_reference(Launch(home=tmp_path))) as agent:
        monkeypatch.setenv("AGENT_TOKEN", agent.token.reveal())
        (tmp_path / "config.toml").write_text(
            f'[endpoints.agent]\nprotocol = "a2a"\nurl = "{agent.url}"\ntoken_env = "AGENT_TOKEN"\n', "utf-8"
        )
        async with terminal(home=tmp_path) as one, terminal(home=tmp_path) as other:
            await one.wait_for("A new session with")
            await other.wait_for("A new session with")
            one.send(b"stream 60 lines at 15 per second\r")
            await one.wait_for("streaming")
            other.press("f3")
            await other.wait_for("⊘ stream 60 lines")
            other.press("down", "enter")
            await other.wait_for(f"Open in pid {one.pid} ")
            lags = await follow(one, other, 20)
            assert median(lags) <= FOLLOW_LAG_S

            one.kill()
            await one.until_ended()
            killed = time.monotonic()
            await other.until(lambda: "read-only here" not in other.text and "⊘" not in other.lines[0], "it is free")
            assert time.monotonic() - killed < FREE_S
            seen = last_line(other)
            await other.until(lambda: last_line(other) > seen + 5, "its answer is read on with")
            await other.until(lambda: "complete" in other.lines[-2], "it is complete")
            other.press("ctrl+q")
            assert await other.until_ended() == 0
    store = SqliteStore(tmp_path / "data" / "sessions.db", read_only=True)
    await store.open()
    [head] = [head for head in await store.load_sessions() if head.turns]
    [turn] = await store.load_turns(head.session_id)
    await store.close()
    assert list(map(int, re.findall(r"Line (\d+) of", turn.answer))) == list(range(1, 61))


async def follow(one, other, lines):
    """Return for so many lines by how many seconds the other program showed each later than the first."""
    shown, lags = {}, []
    start = last_line(other)
    while len(lags) < lines:
        now = time.monotonic()
        for number in range(max(shown, default=start) + 1, last_line(one) + 1):
            shown[number] = now
        if (seen := last_line(other)) > start:
            lags += [now - shown[number] for number in range(start + 1, seen + 1) if number in shown]
            start = seen
        await asyncio.sleep(0.01)
    return lags
