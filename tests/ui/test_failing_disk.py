"""The disk fails while the real program runs in a terminal: really full (a tmpfs), or with I/O errors (strace).

The program goes on, says so, keeps the text, refuses what it cannot keep, and stores everything by itself once it can.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest

from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.servers.raw_server import LAST_CHUNK, RawServer, Wait, chunked, raw_server, sse_head
from tests.soak.every_write import can_trace
from tests.store.waiting import rows
from tests.terminal import Terminal, terminal

pytestmark = pytest.mark.timeout(120)

SIZE = 4 * 1024 * 1024
MIDDLE = "middle words " * 400


def delta(text: str, finish: str | None = None) -> bytes:
    return (
        b"data: %b\n\n"
        % json.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}).encode()
    )


@pytest.fixture
def home(tmp_path: Path):
    """A home whose data directory is a small disk of its own, where that may be made."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "chatforge-test", str(data)]
    is_disk = sys.platform == "linux" and subprocess.run(mounting, check=False, capture_output=True).returncode == 0
    yield tmp_path
    if is_disk:
        subprocess.run(["umount", "-l", str(data)], check=True)


@asynccontextmanager
async def full(home: Path, _screen: Terminal) -> AsyncIterator[None]:
    """Fill the disk to the last byte."""
    if shutil.disk_usage(home / "data").total != SIZE:
        pytest.skip("a tmpfs may not be mounted here")
    ballast = home / "data" / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    ballast.unlink()


@asynccontextmanager
async def broken(_home: Path, screen: Terminal) -> AsyncIterator[None]:
    """Let every write of the store, and every sync, report an I/O error."""
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    calls = "pwrite64,fsync,fdatasync"
    argv = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO")
    strace = await asyncio.create_subprocess_exec(*argv, "-p", str(screen.pid), stderr=asyncio.subprocess.PIPE)
    assert strace.stderr is not None
    if b"attached" not in await strace.stderr.readline():
        await strace.wait()
        pytest.skip("strace may not attach to a running program")
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it ends with the program
            strace.terminate()
        await strace.communicate()


Failure = Callable[[Path, Terminal], AbstractAsyncContextManager[None]]


def configure(home: Path, server: RawServer) -> None:
    (home / "config.toml").write_text(
        f'[endpoints.scripted]\nprotocol = "openai-chat"\nurl = "{server.url}/v1"\nmodel = "m"\n', "utf-8"
    )


async def stored(home: Path) -> list[Turn]:
    store = SqliteStore(home / "data" / "sessions.db", read_only=True)
    await store.open()
    try:
        return [turn for head in await store.load_sessions() for turn in await store.load_turns(head.session_id)]
    finally:
        await store.close()


async def until_stored(home: Path, text: str) -> None:
    async with asyncio.timeout(10):
        while not any(text in turn.answer for turn in await stored(home)):  # noqa: ASYNC110 - a file gives no signal
            await asyncio.sleep(0.05)


@asynccontextmanager
async def answering(home: Path) -> AsyncIterator[Terminal]:
    """Run the program with an answer whose first words are shown and stored."""
    async with terminal(home=home) as screen:
        await screen.wait_for("Enter send")
        screen.send(b"tell me\r")
        await screen.wait_for("first words")
        await until_stored(home, "first words")
        yield screen


@pytest.mark.parametrize("fail", [full, broken])
async def test_what_comes_while_the_disk_fails_is_shown_kept_and_stored_by_itself_afterwards(home: Path, fail: Failure):
    more, done = asyncio.Event(), asyncio.Event()
    async with raw_server() as server:
        configure(home, server)
        middle, last = chunked(delta(MIDDLE), last=False), chunked(delta("last words", "stop"), last=False)
        first = chunked(delta("first words "), last=False)
        rest = [Wait(done), last, chunked(b"data: [DONE]\n\n", last=False), LAST_CHUNK]
        server.plays.append([sse_head(), first, Wait(more), middle, *rest])
        async with answering(home) as screen:
            async with fail(home, screen):
                more.set()
                await screen.until(lambda: "Not saved: The disk" in screen.lines[-2], "it is told")
                await screen.wait_for("middle words middle words")
                screen.press("ctrl+n")
                await screen.until(lambda: "Free" in screen.text or "Check" in screen.text, "it is refused")
                assert screen.lines[0].count("×") == 1
                done.set()
                await screen.wait_for("last words")
                assert "complete" not in screen.lines[-2]
                assert [turn.answer for turn in await stored(home)] == ["first words "]
            await screen.until(lambda: "Not saved" not in screen.text, "it is saved")
            await screen.until(lambda: "complete" in screen.lines[-2], "it is complete")
            screen.kill()
            await screen.until_ended()
    [turn] = await stored(home)
    assert (turn.head.prompt.text, turn.head.state) == ("tell me", TurnState.COMPLETE)
    assert turn.answer == f"first words {MIDDLE}last words"
    assert rows(home / "data" / "sessions.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("fail", [full, broken])
async def test_killed_while_the_disk_fails_it_loses_nothing_that_was_acknowledged(home: Path, fail: Failure):
    more = asyncio.Event()
    async with raw_server() as server:
        configure(home, server)
        first, middle = chunked(delta("first words "), last=False), chunked(delta(MIDDLE), last=False)
        server.plays.append([sse_head(), first, Wait(more), middle, Wait(asyncio.Event())])
        async with answering(home) as screen, fail(home, screen):
            more.set()
            await screen.until(lambda: "Not saved: The disk" in screen.lines[-2], "it is told")
            screen.kill()
            await screen.until_ended()
    [turn] = await stored(home)
    assert (turn.head.prompt.text, turn.head.state, turn.answer) == ("tell me", TurnState.INTERRUPTED, "first words ")
    assert rows(home / "data" / "sessions.db", "PRAGMA integrity_check") == [("ok",)]
