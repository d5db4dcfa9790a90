"""What is wrong inside a file that opens: rows that cannot be decoded, tables of another shape, a thread that dies."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from chatforge_tui.domain.part import NoticePart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreCorrupt, StoreError, StoreStopped
from chatforge_tui.store import care, writer
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import WriterSettings
from tests.store.values import a_full_turn, a_session, a_turn, counted
from tests.store.waiting import until

DEEP = "[" * 100_000 + "]" * 100_000
"""JSON that no reader follows to its end."""


@pytest.fixture
async def two_sessions(path):
    """A closed store: two sessions, one full turn each."""
    store = SqliteStore(path)
    await store.open()
    sessions = [a_session(position=number) for number in range(2)]
    for session in sessions:
        await store.create_session(session)
        await store.end_turn(a_full_turn(session), counted(session, 1, TurnState.FAILED))
    await store.close()
    return sessions


def damage(path, table, column, value, where):
    """Write a value of any type into any column, as a flipped bit would: STRICT would refuse it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = ?", (table,))
        db.execute("PRAGMA writable_schema = RESET")
        assert db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,)).rowcount
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = ?", (table,))


async def test_a_table_whose_statement_is_no_text_is_told_as_damage(path, two_sessions):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE plan", b"CREATE \xf1\xf1BLE plan"))
    with pytest.raises(StoreCorrupt, match="damaged") as caught:
        await SqliteStore(path).open()
    assert "repair" in caught.value.hint


CELLS = [
    ("session", "title", b"\xffTitle"),
    ("session", "position", b"\x01"),
    ("session", "updated", 1e300),
    ("session", "created", b"soon"),
    ("session", "draft", b"\xff"),
    ("session", "turns", b"\x02"),
    ("turn", "prompt", b"half \xff a prompt"),
    ("turn", "started", -1e300),
    ("turn", "ordinal", b"x"),
    ("turn", "usage", DEEP),
    ("turn", "problem", b"\xff{"),
    ("turn", "form", "[1, 2"),
    ("turn", "sha256", b"no hash"),
    ("part", "body", DEEP),
    ("part", "body", 17),
    ("part", "text", b"\xffbytes"),
    ("part", "kind", 5.5),
    ("plan", "body", b"\x80"),
    ("plan", "body", DEEP),
]


@pytest.mark.parametrize(("table", "column", "value"), CELLS, ids=lambda value: str(value)[:12])
async def test_one_damaged_row_hides_no_other_and_is_told(path, two_sessions, table, column, value):
    [hurt, sound] = [session.session_id for session in two_sessions]
    of_hurt = {
        "session": f"id = '{hurt}'",
        "turn": f"session = '{hurt}'",
        "part": f"turn = (SELECT id FROM turn WHERE session = '{hurt}') AND idx = 4",
        "plan": f"turn = (SELECT id FROM turn WHERE session = '{hurt}') AND sequence = 0",
    }
    damage(path, table, column, value, of_hurt[table])
    store = SqliteStore(path, settings=WriterSettings(chore_s=0.0))
    await store.open()
    assert {head.session_id for head in await store.load_sessions()} == {hurt, sound}
    [turn] = await store.load_turns(hurt)
    assert [other.head.session_id for other in await store.load_turns(sound)] == [sound]
    assert len(turn.parts) >= len(a_full_turn(two_sessions[0]).parts)
    if table != "session":
        assert any(isinstance(part, NoticePart) and "damaged on the disk" in part.text for part in turn.parts)
    assert await store.search("payments")
    await store.flush()
    await store.close()
    assert hurt in care.check(path).altered


@pytest.mark.parametrize("change", ["DROP TABLE plan", "ALTER TABLE session DROP COLUMN anchor", "DROP TABLE fact"])
@pytest.mark.parametrize("read_only", [False, True])
async def test_a_store_of_another_shape_is_told_with_what_to_do(path, two_sessions, change, read_only):
    with closing(sqlite3.connect(path)) as db:
        db.execute(change)
    with pytest.raises(StoreCorrupt, match="not built as it should be") as caught:
        await SqliteStore(path, read_only=read_only).open()
    assert "chatforge store repair" in caught.value.hint


async def test_a_table_that_goes_while_the_store_is_open_is_told_and_the_rest_goes_on(path, two_sessions):
    store = SqliteStore(path)
    await store.open()
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE session DROP COLUMN anchor")
    with pytest.raises(StoreCorrupt, match="cannot be understood"):
        await store.load_sessions()
    assert len(await store.load_turns(two_sessions[0].session_id)) == 1
    await store.close()


class OwnFaultError(Exception):
    """A mistake that nobody foresaw."""


def broken(*_):
    raise OwnFaultError


dies = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@dies
async def test_a_thread_that_dies_while_it_opens_is_told(path, monkeypatch):
    monkeypatch.setattr("chatforge_tui.store.door.open_for_writing", broken)
    store = SqliteStore(path)
    async with asyncio.timeout(10):
        with pytest.raises(StoreStopped):
            await store.open()
        with pytest.raises(StoreStopped):
            await store.load_sessions()
        await store.close()


@dies
async def test_a_thread_that_dies_answers_everyone_who_waits_and_everyone_who_comes(path, monkeypatch):
    store = SqliteStore(path)
    told = []
    store.on_trouble = told.append
    await store.open()
    session = a_session()
    await store.create_session(session)
    monkeypatch.setattr(writer, "do_all", broken)
    async with asyncio.timeout(10):
        waiting = [store.load_sessions(), store.flush(), store.begin_turn(a_turn(session), session)]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreStopped] * 3
        with pytest.raises(StoreStopped, match="nothing more can be saved"):
            await store.load_turns(session.session_id)
        store.record(a_turn(session).turn_id, [])
        await store.close()
        await until(lambda: told)  # the thread's last words come through the loop, after the answers
    assert told == [str(StoreStopped())]
    monkeypatch.undo()
    await store.open()
    assert [head.session_id for head in await store.load_sessions()] == [session.session_id]
    await store.close()


@dies
async def test_closing_a_store_whose_thread_dies_meanwhile_returns(path, monkeypatch):
    store = SqliteStore(path)
    await store.open()
    monkeypatch.setattr(writer.Writer, "_commit", broken)
    async with asyncio.timeout(10):
        with pytest.raises(StoreError):
            await store.close()
        await store.close()
