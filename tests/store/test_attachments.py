"""The bytes of attachments on the disk: what a crash leaves, what damage does, what deleting leaves, older stores."""

import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.digest import attachment
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import ContentLost
from chatforge_tui.store import care, migrations, salvage, schema
from chatforge_tui.store.backups import list_backups
from chatforge_tui.store.pragmas import guard
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import CONTENTS, a_session, a_turn, counted, ended, files
from tests.store.waiting import change, rows

SECRET = b"-----BEGIN OPENSSH PRIVATE KEY-----"
BIG = SECRET + bytes(range(256)) * 4000
KEY = attachment("id_ed25519", "text/plain", BIG)


async def with_key(store):
    session = a_session()
    await store.create_session(session)
    await store.set_attachments(session.session_id, (KEY,), {KEY.sha256: BIG})
    return session


def count(path):
    """How often the secret stands in the files of a store."""
    return sum(found.read_bytes().count(SECRET) for found in path.parent.rglob("*") if found.is_file())


@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_a_file_that_is_taken_back_leaves_no_byte(path, monkeypatch, journal):
    monkeypatch.setattr("chatforge_tui.store.opening.choose_journal", lambda **_: journal)
    store = SqliteStore(path)
    await store.open()
    session = await with_key(store)
    assert count(path) > 0
    await store.set_attachments(session.session_id, (), {})
    assert count(path) == 0
    await store.close()


@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_a_purged_session_leaves_no_byte_of_its_files_not_even_in_a_copy(path, monkeypatch, journal):
    monkeypatch.setattr("chatforge_tui.store.opening.choose_journal", lambda **_: journal)
    store = SqliteStore(path)
    await store.open()
    session = await with_key(store)
    head = a_turn(session, prompt=Prompt("", attachments=(KEY,)))
    await store.begin_turn(head, counted(session, 1, TurnState.QUEUED))
    await store.end_turn(ended(head), counted(session, 1, TurnState.COMPLETE))
    care.back_up(path)
    assert count(path) > 1
    await store.trash_session(session.session_id, 1.0)
    await store.purge_session(session.session_id)
    assert count(path) == 0
    await store.close()


async def test_a_damaged_content_is_lost_and_found_by_a_check_and_attached_again_is_whole(path):
    store = SqliteStore(path)
    await store.open()
    session = await with_key(store)
    await store.close()
    assert care.check(path).is_sound
    change(path, "UPDATE attached SET content = x'00'")
    assert care.check(path).altered == (session.session_id,)
    await store.open()
    with pytest.raises(ContentLost, match="id_ed25519"):
        await store.load_content(session.session_id, KEY)
    await store.set_attachments(session.session_id, (KEY,), {KEY.sha256: BIG})
    assert await store.load_content(session.session_id, KEY) == BIG
    await store.close()


async def test_a_repair_brings_files_back_and_takes_a_damaged_one_from_the_backup(path):
    store = SqliteStore(path)
    await store.open()
    session = a_session()
    await store.create_session(session)
    await store.set_attachments(session.session_id, files(), CONTENTS)
    await store.close()
    care.back_up(path)
    change(path, "UPDATE attached SET content = x'00' WHERE length(content) > 1000")
    salvage.repair(path)
    await store.open()
    assert [head.attachments for head in await store.load_sessions()] == [files()]
    for file in files():
        assert await store.load_content(session.session_id, file) == CONTENTS[file.sha256]
    await store.close()


def a_first_store(path):
    """Make a store as the first release did, with a session and a turn; return their ids."""
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        guard(db)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        migrations.m001_first_tables(db)
        db.execute("PRAGMA user_version = 1")
        db.execute(
            "INSERT INTO session VALUES ('s', 'Old', 1, 'platform', '', '', '', 0, 1, 1, NULL, NULL, 'half', '', 0, 0, 1, 2, NULL)"
        )
        db.execute(
            "INSERT INTO turn (id, session, ordinal, state, prompt, request_id, started, agent, protocol, finish_reason) "
            "VALUES ('t', 's', 0, 'complete', 'from before', 'r', 1, '', '', '')"
        )


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_store_of_the_first_release_is_copied_then_brought_up_to_date_with_everything_in_it(path, read_only):
    a_first_store(path)
    store = SqliteStore(path, read_only=read_only)
    await store.open()
    [session] = await store.load_sessions()
    [turn] = await store.load_turns(session.session_id)
    assert (session.title, session.draft, session.turns, session.attachments) == ("Old", "half", 1, ())
    assert turn.head.prompt == Prompt("from before")
    await store.close()
    assert rows(path, "PRAGMA user_version") == [(len(schema.VERSIONS),)]
    [copy] = list_backups(path)
    assert rows(copy, "PRAGMA user_version") == [(1,)]
    again = SqliteStore(path)
    await again.open()
    await again.set_attachments(session.session_id, (KEY,), {KEY.sha256: BIG})
    assert await again.load_content(session.session_id, KEY) == BIG
    await again.purge_session(session.session_id)
    assert rows(copy, "SELECT count(*) FROM session") == [(0,)]
    await again.close()


@pytest.mark.parametrize("fails", ["migrate", "back_up", "prepare_writing"])
async def test_an_older_store_that_cannot_be_written_is_read_as_it_is(path, monkeypatch, fails):
    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    a_first_store(path)
    monkeypatch.setattr(f"chatforge_tui.store.opening.{fails}", full)
    for options in ({"read_only": True}, {"goes_on": True}):
        store = SqliteStore(path, **options)
        await store.open()
        [session] = await store.load_sessions()
        [turn] = await store.load_turns(session.session_id)
        assert (session.title, turn.head.prompt) == ("Old", Prompt("from before"))
        await store.close()
    assert rows(path, "PRAGMA user_version") == [(1,)]


async def test_a_repair_of_a_store_of_the_first_release_makes_one_of_the_newest(path):
    a_first_store(path)
    salvage.repair(path)
    store = SqliteStore(path)
    await store.open()
    assert [replace(head, updated=0.0).title for head in await store.load_sessions()] == ["Old"]
    assert [turn.head.prompt.text for turn in await store.load_turns("s")] == ["from before"]
    await store.close()
