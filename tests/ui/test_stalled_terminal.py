"""The real program with its store on a terminal that stands still, or is gone: what arrives is received and stored."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.servers.openai_server import OpenAiServer
from tests.terminal import PROGRAM, Terminal, terminal

STALL_S = 3.0
BACKLOG_S = 1.0
"""Seconds of text that may be on its way to the disk: a group commit, and a busy machine."""
LINE = re.compile(r"line (\d{6})")


class Fountain(OpenAiServer):
    """Says a line every few milliseconds until the client closes: each frame scrolls the whole screen."""

    lines = 0

    async def _play(self, prompt: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            text = f"line {self.lines:06} **of** an `answer` that [scrolls](https://example.com/{self.lines})\n\n"
            await self._say(writer, {"content": text})
            self.sent[prompt] += text
            self.lines += 1
            await self._rest(reader, 0.005)


@asynccontextmanager
async def fountain(home: Path) -> AsyncIterator[Fountain]:
    """Serve, and configure the program for it."""
    made = Fountain()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = Locations.find(home, {}).config_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'default_endpoint = "model"\n[endpoints.model]\nprotocol = "openai-chat"\n'
        f'url = "http://127.0.0.1:{port}/v1"\nmodel = "mock"\n'
    )
    try:
        yield made
    finally:
        server.close()


async def stored(home: Path) -> Turn:
    """Return the one turn, as the disk has it now."""
    store = SqliteStore(Locations.find(home, {}).data_dir / "sessions.db", read_only=True)
    await store.open()
    try:
        (head,) = await store.load_sessions()
        (turn,) = await store.load_turns(head.session_id)
        return turn
    finally:
        await store.close()


async def ask(screen: Terminal, made: Fountain) -> None:
    await screen.wait_for("Enter send")
    screen.send(b"go on\r")
    await screen.until(lambda: made.lines > 100)
    await screen.wait_for("line 0000")


def newest(screen: Terminal) -> int:
    return max((int(number) for number in LINE.findall(screen.text)), default=-1)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_a_terminal_that_does_not_read_holds_up_neither_network_nor_store_and_sees_the_newest_at_once(tmp_path):
    async with fountain(tmp_path) as made, terminal(home=tmp_path) as screen:
        await ask(screen, made)
        screen.stand_still()
        began, used, lengths = time.monotonic(), processor_seconds(screen.pid), []
        while time.monotonic() - began < STALL_S:
            await asyncio.sleep(BACKLOG_S)
            lengths.append(len((await stored(tmp_path)).answer))
        behind = len(made.sent["go on"]) - lengths[-1]
        assert lengths == sorted(set(lengths)), lengths
        assert behind < len(made.sent["go on"]) / 2, (behind, lengths)
        print(
            f"\nstalled: {made.lines} lines sent, {lengths} stored, {behind} characters behind,"
            f" {processor_seconds(screen.pid) - used:.2f} CPU s in {time.monotonic() - began:.1f} s"
        )

        sent, resumed = made.lines, time.monotonic()
        screen.read_on()
        await screen.until(lambda: newest(screen) >= sent - 10)
        print(f"the newest line was seen {(time.monotonic() - resumed) * 1000:.0f} ms after reading again")
        assert time.monotonic() - resumed < 3.0  # 60 ms on a machine at rest; others may be at work here

        screen.press("escape", "escape")
        await screen.wait_for("Stopped.")
        await screen.until_quiet(0.6)  # the scrollbar comes later than the text
        seen = screen.text
        screen.press("ctrl+l")
        await screen.until_quiet(0.6)  # the scrollbar comes later than the text
        assert screen.text == seen
        text = made.sent["go on"]
        assert text.startswith((await stored(tmp_path)).answer)


@pytest.mark.parametrize("ignores", [False, True], ids=["with SIGHUP", "SIGHUP ignored"])
@pytest.mark.parametrize("is_stalled", [False, True], ids=["reading", "standing still"])
async def test_a_terminal_that_is_gone_ends_the_program_with_everything_stored(tmp_path, ignores, is_stalled):
    program = ("/bin/sh", "-c", 'trap "" HUP; exec "$0" "$@"', *PROGRAM) if ignores else PROGRAM
    async with fountain(tmp_path) as made, terminal(program, home=tmp_path) as screen:
        await ask(screen, made)
        if is_stalled:
            screen.stand_still()
            await asyncio.sleep(1.5)
        used, said, gone = processor_seconds(screen.pid), len(made.sent["go on"]), time.monotonic()
        screen.hang_up()
        last = used
        while screen._poll() is None:
            assert time.monotonic() - gone < 10, "the program does not end"
            last = processor_seconds(screen.pid)
            await asyncio.sleep(0.02)
        spent = time.monotonic() - gone
        print(f"\nended {spent * 1000:.0f} ms after the terminal went, {last - used:.2f} CPU s, code {screen.code}")
        assert spent < 6  # three times the promise leaves room for a busy machine
        assert last - used < 1.0
        assert screen.code == 128 + signal.SIGHUP
    turn = await stored(tmp_path)
    assert turn.head.state is TurnState.INTERRUPTED
    assert made.sent["go on"].startswith(turn.answer)
    assert len(turn.answer) >= said - 2_000
