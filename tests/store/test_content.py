"""What is stored is what comes back, damaged or not; what is deleted is gone."""

import hashlib
import sqlite3

import pytest

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import NoticePart, TextPart, ToolPart
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.domain.turn import Prompt, Turn, TurnState
from chatforge_tui.store import codec, migrations
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import WriterSettings
from tests.store.values import a_full_turn, a_plan, a_session, a_turn, counted, ended
from tests.store.waiting import change, rows, until

LONE = "half a pair: \ud83d"
MENDED = "half a pair: \ufffd"


async def a_stored_turn(store, *texts):
    session = a_session()
    await store.create_session(session)
    head = a_turn(session)
    await store.begin_turn(head, counted(session, 1, TurnState.QUEUED))
    await store.end_turn(ended(head, *texts), counted(session, 1, TurnState.COMPLETE))
    return session, head


def test_a_pair_that_came_in_two_halves_becomes_its_character():
    assert codec.storable("\ud83d" + "\ude00!") == "😀!"
    assert codec.storable(LONE) == MENDED
    assert codec.storable("\ude00\ud83d") == "\ufffd\ufffd"
    assert codec.storable("plain 😀 \x00") == "plain 😀 \x00"


async def test_half_a_surrogate_pair_anywhere_stops_nothing(store):
    session = a_session(title=LONE, draft=LONE)
    await store.create_session(session)
    store.update_session(session.session_id, SessionPatch(anchor=LONE), 1.0)
    head = a_turn(session, prompt=Prompt(LONE, form={LONE: LONE}))
    await store.begin_turn(head, session)
    store.record(head.turn_id, [PartAdded(TextPart(0, LONE)), PartAdded(ToolPart(1, "c", LONE))])
    store.record(head.turn_id, [TextAppended(0, LONE), TextAppended(1, LONE, "input")])
    [turn] = await store.load_turns(session.session_id)
    assert turn.head.prompt == Prompt(MENDED, form={MENDED: MENDED})
    assert turn.parts == (TextPart(0, MENDED * 2), ToolPart(1, "c", MENDED, input=MENDED))
    await store.end_turn(ended(head, LONE), session)
    [turn] = await store.load_turns(session.session_id)
    assert turn.parts == (TextPart(0, MENDED),)
    [loaded] = await store.load_sessions()
    assert (loaded.title, loaded.draft) == (MENDED, MENDED)


async def test_a_damaged_answer_is_shown_with_a_warning(path):
    store = SqliteStore(path)
    await store.open()
    session, _ = await a_stored_turn(store, "The limit is 100.", "Nothing else.")
    await store.close()
    change(path, "UPDATE part SET text = 'The limit is 900.' WHERE idx = 0")
    await store.open()
    [turn] = await store.load_turns(session.session_id)
    assert turn.answer == "The limit is 900.Nothing else."
    warning = turn.parts[-1]
    assert isinstance(warning, NoticePart)
    assert "checksum" in warning.text
    await store.close()


async def test_an_intact_answer_has_no_warning_and_its_checksum_is_the_one_of_its_text(store, path):
    session, _ = await a_stored_turn(store, "one ", "zwei \x00 三")
    [turn] = await store.load_turns(session.session_id)
    assert turn.parts == (TextPart(0, "one "), TextPart(1, "zwei \x00 三"))
    expected = hashlib.sha256("one zwei \x00 三".encode()).hexdigest()
    assert rows(path, "SELECT sha256 FROM turn") == [(expected,)]


async def test_one_flipped_bit_in_the_file_is_noticed(path):
    store = SqliteStore(path)
    await store.open()
    session, _ = await a_stored_turn(store, "MARKED ANSWER")
    await store.close()
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"MARKED ANSWER")] ^= 0x80  # no longer UTF-8 either
    path.write_bytes(raw)
    assert rows(path, "PRAGMA quick_check") == [("ok",)]
    await store.open()
    [turn] = await store.load_turns(session.session_id)
    assert turn.answer == "\ufffdARKED ANSWER"
    assert isinstance(turn.parts[-1], NoticePart)
    await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE part SET body = '{' WHERE idx = 2",
        "UPDATE part SET body = '[]' WHERE idx = 2",
        "UPDATE part SET kind = 'hologram' WHERE idx = 2",
        "UPDATE turn SET usage = 'x', problem = '3', form = '\"'",
        "UPDATE turn SET state = 'compl\x01te'",
        "UPDATE plan SET body = 'null' WHERE sequence = 1",
    ],
)
async def test_a_damaged_cell_does_not_hide_the_rest(path, damage):
    store = SqliteStore(path)
    await store.open()
    session = a_session()
    await store.create_session(session)
    turn = a_full_turn(session)
    await store.end_turn(turn, counted(session, 1, TurnState.FAILED))
    await store.close()
    change(path, damage)
    await store.open()
    [loaded] = await store.load_turns(session.session_id)
    assert loaded.answer == turn.answer
    assert len(loaded.parts) - len(turn.parts) == int(damage.startswith(("UPDATE turn SET usage", "UPDATE plan")))
    assert loaded.plans[-1] == a_plan(2)
    await store.close()


@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_after_purging_no_word_is_left_in_any_file(path, monkeypatch, journal):
    monkeypatch.setattr("chatforge_tui.store.opening.choose_journal", lambda **_: journal)
    store = SqliteStore(path, settings=WriterSettings(chore_s=0.0))
    await store.open()
    kept, _ = await a_stored_turn(store, "harmless")
    secret = "xylophone"
    session = a_session(title=f"title {secret}", draft=f"draft {secret}")
    await store.create_session(session)
    for ordinal in range(20):
        head = a_turn(session, ordinal, text=f"prompt {secret} {ordinal}")
        await store.begin_turn(head, session)
        store.record(head.turn_id, [PartAdded(TextPart(0, ""))])
        for number in range(50):
            store.grow(head.turn_id, TextAppended(0, f"{secret} {number} " * 10))
        await store.flush()
        await store.end_turn(ended(head, f"{secret} answer " * 400), session)
    store.update_session(session.session_id, SessionPatch(draft=f"another {secret}"), 1.0)
    await until(lambda: rows(path, "SELECT count(*) FROM turn WHERE is_indexed = 0") == [(0,)])
    assert len(await store.search(secret)) > 10
    assert count(path, secret) > 100
    await store.trash_session(session.session_id, 1.0)
    await store.purge_session(session.session_id)
    assert await store.search(secret) == []
    assert count(path, secret) == 0
    assert [hit.session_id for hit in await store.search("harmless")] == [kept.session_id]
    [turn] = await store.load_turns(kept.session_id)
    assert turn.answer == "harmless"
    await store.close()
    assert count(path, secret) == 0


def count(path, word):
    """How often a word stands in the files of a store."""
    return sum(found.read_bytes().count(word.encode()) for found in path.parent.rglob("*") if found.is_file())


async def test_a_turn_leaves_no_chunk_when_it_has_ended(store, path):
    await a_stored_turn(store, "answer")
    assert rows(path, "SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM text_log)") == [(0,)]


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    def halfway(db):
        db.execute("CREATE TABLE half_made (x)")
        db.execute("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, halfway))
    monkeypatch.setattr(migrations, "NEWEST", len(migrations.MIGRATIONS))
    db = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrations.migrate(db)
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert "session" in tables
    assert "half_made" not in tables
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(migrations.MIGRATIONS) - 1
    db.close()


async def test_an_older_store_is_brought_up_to_date_with_everything_in_it(path, monkeypatch):
    store = SqliteStore(path)
    await store.open()
    session, head = await a_stored_turn(store, "kept")
    await store.close()
    steps = (*migrations.MIGRATIONS, lambda db: db.execute("ALTER TABLE session ADD COLUMN colour TEXT"))
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    for module in ("migrations", "opening"):
        monkeypatch.setattr(f"chatforge_tui.store.{module}.NEWEST", len(steps))
    for read_only in (True, False):
        newer = SqliteStore(path, read_only=read_only)
        await newer.open()
        assert await newer.load_turns(session.session_id) == [ended(head, "kept")]
        await newer.close()
        assert rows(path, "PRAGMA user_version") == [(len(steps),)]


async def test_an_imported_turn_needs_no_beginning(store):
    session = a_session()
    await store.create_session(session)
    turn = Turn(ended(a_turn(session), "imported").head, (TextPart(0, "imported"),))
    await store.end_turn(turn, counted(session, 1, TurnState.COMPLETE))
    assert await store.load_turns(session.session_id) == [turn]
