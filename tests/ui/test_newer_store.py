"""A store that a newer ChatForge made, in the real program: everything can be read, nothing changed."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.withheld import NEWER
from tests.cli.material import FIRST, HEAD, SECOND
from tests.terminal import terminal

pytestmark = pytest.mark.timeout(120)


async def filled(home):
    """Make a store with one session, and have a newer program change its schema; return the file."""
    file = home / "data" / "sessions.db"
    store = SqliteStore(file)
    await store.open()
    await store.merge((replace(HEAD, title="Kept title"), FIRST, SECOND))
    await store.close()
    await asyncio.to_thread(make_newer, file)
    return file


def make_newer(file):
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("ALTER TABLE turn ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'")
        db.execute("PRAGMA user_version = 9999")


@pytest.mark.parametrize("has_tab", [True, False])
async def test_it_is_shown_and_searched_and_every_change_is_refused_with_one_sentence(tmp_path, has_tab):
    file = await filled(tmp_path)
    if not has_tab:
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE session SET is_open = 0")
    before = file.read_bytes()
    async with terminal(home=tmp_path) as screen:
        await screen.wait_for("This store was made by a newer ChatForge; it is read only here.")
        await screen.wait_for(FIRST.head.prompt.text[:20])

        screen.send(b"not to be sent\r")
        await screen.until(lambda: screen.text.count("Update ChatForge to go on.") > 1, "the prompt is refused")
        await screen.wait_for("❯ not to be sent")
        screen.press("ctrl+c")
        screen.send(b"/rename another\r")
        await screen.until(lambda: "❯ /rename" not in screen.text)
        screen.press("alt+d", "ctrl+n")
        await screen.until_quiet()
        screen.press("alt+s")
        screen.send(b"answer with")
        await screen.wait_for("answer   An answer")
        screen.press("escape")
        await screen.until(lambda: "Search all sessions" not in screen.text)
        await screen.until(lambda: "Kept title" in screen.lines[0] and "another" not in screen.lines[0])
        screen.send(f"/export all {tmp_path}/all.jsonl\r".encode())
        await screen.wait_for("1 session with 2 turns exported")
        screen.send(f"/import {tmp_path}/all.jsonl\r".encode())
        await screen.until(lambda: screen.text.count("made by a newer") > 1, "the import is refused")
        await screen.wait_for(NEWER[:60])
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    assert file.read_bytes() == before
