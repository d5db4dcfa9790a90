"""Deleted for good is gone: no byte of what was said is left in any file of the program."""

import asyncio
import time
from pathlib import Path

import pytest

from chatforge_tui.store import care
from tests.cli.program import Program
from tests.store.waiting import rows
from tests.terminal import terminal

pytestmark = pytest.mark.timeout(120)

PROMPT, ANSWER, TITLE, DRAFT = "qzvaprompt", "qzvbanswer", "qzvctitle", "qzvddraft"
TRACES = [word[2:].encode() for word in (PROMPT, ANSWER, TITLE, DRAFT)]
"""What is looked for: the index keeps of a word only where it differs from the one before it."""


def traces(home: Path) -> dict[str, list[bytes]]:
    """Return which words are in which files."""
    found = {file.relative_to(home).as_posix(): file.read_bytes() for file in home.rglob("*") if file.is_file()}
    return {name: hits for name, data in found.items() if (hits := [word for word in TRACES if word in data])}


def until_indexed(file: Path) -> None:
    end = time.monotonic() + 10
    while rows(file, "SELECT 1 FROM turn WHERE is_indexed = 0"):
        assert time.monotonic() < end, "the answer is never taken into the index"
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["command", "screen"])
async def test_of_a_session_deleted_for_good_no_byte_is_left_in_store_index_backups_or_log(tmp_path, way):
    program = Program(tmp_path / "home")
    file = program.home / "data" / "sessions.db"
    async with terminal(home=program.home) as screen:
        await screen.wait_for("Enter send")
        screen.send(f"echo {PROMPT} {ANSWER}\r".encode())
        await screen.until(lambda: screen.text.count(ANSWER) > 1 and "complete" in screen.lines[-2])
        screen.send(f"/rename {TITLE}\r".encode())
        await screen.until(lambda: TITLE in screen.lines[0])
        screen.send(DRAFT.encode())
        await screen.wait_for(f"❯ {DRAFT}")
        await asyncio.to_thread(until_indexed, file)
        await asyncio.to_thread(care.back_up, file)
        kept = traces(program.home)
        assert {"data/sessions.db"} < set(kept)
        if way == "screen":
            screen.press("ctrl+c", "alt+d")
            await screen.until(lambda: TITLE not in screen.lines[0])
            screen.press("ctrl+s")
            await screen.wait_for("Sessions")
            screen.send(b"t")
            await screen.wait_for("Trash")
            screen.send(b"D")
            await screen.wait_for("Delete for good?")
            screen.send(b"y")
            await screen.wait_for("for good.")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    if way == "command":
        [session] = (await program.run_beside("sessions", "--json")).json
        assert (await program.run_beside("delete", "--purge", session["id"])).code == 0
    assert traces(program.home) == {}
