import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from chatforge_tui.errors import StoreCorrupt, StoreTooNew, StoreUnavailable
from chatforge_tui.store import schema, store_file
from chatforge_tui.store.migrations import NEWEST
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_session
from tests.store.waiting import change, rows


def run(script, path):
    return subprocess.run([sys.executable, "-c", script, path], check=False, capture_output=True, text=True)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_new_store_and_all_beside_it_is_private(common_umask, path):
    store = SqliteStore(path)
    await store.open()
    await store.create_session(a_session())
    made = [path.parent, *path.parent.rglob("*")]
    assert {mode_of(found) & 0o077 for found in made} == {0}
    assert {found.name for found in made} >= {"data", "store.db", "run"}
    await store.close()


async def test_a_write_ahead_log_is_private_too(common_umask, path, monkeypatch):
    monkeypatch.setattr("chatforge_tui.store.opening.choose_journal", lambda **_: "wal")
    store = SqliteStore(path)
    await store.open()
    await store.create_session(a_session())
    assert [mode_of(path.with_name(path.name + ending)) for ending in ("", "-wal", "-shm")] == [0o600] * 3
    await store.close()


async def test_rights_that_others_got_meanwhile_are_taken_back(path):
    store = SqliteStore(path)
    await store.open()
    await store.close()
    path.chmod(0o644)
    await store.open()
    assert mode_of(path) == 0o600
    await store.close()


async def test_nothing_is_left_of_the_making(store, path):
    assert {found.name for found in path.parent.iterdir()} == {"store.db", "run"}


async def test_the_file_says_what_it_is(store, path):
    assert rows(path, "PRAGMA application_id") == [(schema.APPLICATION_ID,)]
    assert rows(path, "PRAGMA user_version") == [(NEWEST,)]


async def test_an_empty_file_is_no_first_start(path):
    path.parent.mkdir()
    path.touch()
    with pytest.raises(StoreCorrupt, match="empty"):
        await SqliteStore(path).open()
    assert path.stat().st_size == 0


async def test_a_file_of_another_program_is_refused_and_untouched(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="no ChatForge store"):
        await SqliteStore(path).open()
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_untouched(path):
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreCorrupt, match="damaged"):
        await SqliteStore(path).open()
    assert path.read_text().startswith("Dear diary")


async def test_a_directory_in_the_files_place_is_refused(path):
    path.mkdir(parents=True)
    with pytest.raises(StoreCorrupt, match="not a file"):
        await SqliteStore(path).open()


async def test_a_store_of_a_newer_program_is_not_written_but_read_as_far_as_it_is_known(path):
    store = SqliteStore(path)
    await store.open()
    session = a_session()
    await store.create_session(session)
    await store.close()
    change(path, f"PRAGMA user_version = {NEWEST + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer"):
        await SqliteStore(path).open()
    reader = SqliteStore(path, read_only=True)
    await reader.open()
    assert reader.is_newer
    assert await reader.load_sessions() == [session]
    await reader.close()
    assert path.read_bytes() == before
    change(path, "DROP TABLE chunk")
    with pytest.raises(StoreTooNew, match="newer"):
        await SqliteStore(path, read_only=True).open()


async def test_a_store_can_be_opened_again_after_it_failed_to_open(path):
    path.parent.mkdir()
    path.touch()
    store = SqliteStore(path)
    with pytest.raises(StoreCorrupt):
        await store.open()
    path.unlink()
    await store.open()
    assert await store.load_sessions() == []
    await store.close()


async def test_two_programs_that_start_at_once_make_one_store(path, monkeypatch):
    other = SqliteStore(path)
    appear = store_file._appear

    def race(building, target):
        monkeypatch.setattr(store_file, "_appear", appear)
        store_file.create(target)
        appear(building, target)

    monkeypatch.setattr(store_file, "_appear", race)
    await other.open()
    await other.create_session(a_session(title="kept"))
    await other.close()
    assert rows(path, "SELECT title FROM session") == [("kept",)]
    assert {found.name for found in path.parent.iterdir()} == {"store.db", "run"}


KILLED_WHILE_MAKING = """
import os, signal, sys
from pathlib import Path
from chatforge_tui.store import store_file
store_file._appear = lambda building, path: os.kill(os.getpid(), signal.SIGKILL)
store_file.create(Path(sys.argv[1]))
"""


async def test_a_program_killed_while_it_makes_the_store_leaves_no_store(path):
    """What it had built so far lies under another name, so the next start is a first start."""
    assert run(KILLED_WHILE_MAKING, path).returncode == -9
    assert not path.exists()
    store = SqliteStore(path)
    await store.open()
    assert await store.load_sessions() == []
    await store.close()


READ_ONLY_ATTEMPT = """
import asyncio, os, sys
from pathlib import Path
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store.sqlite_store import SqliteStore
if os.geteuid() == 0:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
async def attempt():
    try:
        await SqliteStore(Path(sys.argv[1])).open()
    except StoreUnavailable as error:
        print(error)
asyncio.run(attempt())
"""


@pytest.fixture
def home():
    """A directory that another user may enter, unlike those of pytest."""
    home = Path(tempfile.mkdtemp(prefix="chatforge-test-"))
    home.chmod(0o755)
    yield home
    for found in (home, *home.rglob("*")):
        found.chmod(0o755)
    shutil.rmtree(home)


@pytest.mark.parametrize("exists", [False, True])
async def test_a_directory_without_write_permission_is_named(home, exists):
    path = home / "store.db"
    if exists:
        store = SqliteStore(path)
        await store.open()
        await store.close()
        path.chmod(0o444)
    (home / "run").mkdir(exist_ok=True)
    for directory in (home / "run", home):
        directory.chmod(0o555)
    assert f"No rights to read and write the store {path}." in run(READ_ONLY_ATTEMPT, path).stdout


async def test_a_missing_store_is_empty_for_who_only_reads_and_is_not_made(path):
    store = SqliteStore(path, read_only=True)
    await store.open()
    assert await store.load_sessions() == []
    assert await store.load_turns(a_session().session_id) == []
    await store.close()
    assert not path.parent.exists()


async def test_who_only_reads_cannot_write(store, path):
    reader = SqliteStore(path, read_only=True)
    await reader.open()
    with pytest.raises(StoreUnavailable, match="reading only"):
        await reader.create_session(a_session())
    assert await reader.load_sessions() == []
    await reader.close()


async def test_a_log_that_goes_while_it_is_looked_at_is_another_programs(store, path, monkeypatch):
    """Each commit of a program with a rollback journal makes that file and deletes it."""
    journal, is_file = path.with_name(f"{path.name}-journal"), Path.is_file

    def looked_at(self):
        found = is_file(self)
        journal.unlink(missing_ok=True)
        return found

    journal.write_bytes(b"on its way")
    monkeypatch.setattr(Path, "is_file", looked_at)
    assert store_file.stray_log(path) is None
    journal.unlink(missing_ok=True)
