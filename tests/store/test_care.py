import asyncio
import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreCorrupt, StoreUnavailable
from chatforge_tui.store import backups, care
from chatforge_tui.store.backups import list_backups
from chatforge_tui.store.salvage import repair
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_session, a_turn, counted, ended
from tests.store.waiting import change, rows, until

ANSWER = "A sentence that fills a page of the file sooner or later. " * 20


async def a_store_with(path, sessions, turns, **settings):
    store = SqliteStore(path, **settings)
    await store.open()
    heads = []
    writing = []
    for position in range(sessions):
        session = a_session(position=position, title=f"session {position}")
        writing.append(store.create_session(session))
        for ordinal in range(turns):
            turn = ended(a_turn(session, ordinal), f"{position}/{ordinal} {ANSWER}")
            writing.append(store.end_turn(turn, counted(session, turns, TurnState.COMPLETE)))
        heads.append(session)
    await asyncio.gather(*writing)
    return store, heads


async def answers(path):
    store = SqliteStore(path)
    await store.open()
    heads = await store.load_sessions()
    found = {head.title: [turn.answer for turn in await store.load_turns(head.session_id)] for head in heads}
    await store.close()
    return found


def expected(sessions, turns):
    return {
        f"session {position}": [f"{position}/{ordinal} {ANSWER}" for ordinal in range(turns)]
        for position in range(sessions)
    }


def pages_of(path, table):
    with closing(sqlite3.connect(path)) as db:
        return [page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno", (table,))]


def smash(path, page, size=4096):
    """Overwrite one page of the file."""
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


async def test_a_start_makes_a_backup_and_the_next_start_none_yet(path):
    for _ in range(2):
        store, _ = await a_store_with(path, 1, 1, backup_after_s=0.0)
        await until(lambda: list_backups(path))
        await store.close()
    [backup] = list_backups(path)
    assert backup.stat().st_mode & 0o077 == 0
    assert backup.parent.stat().st_mode & 0o077 == 0
    assert rows(backup, "PRAGMA integrity_check") == [("ok",)]
    assert len(rows(backup, "SELECT * FROM session")) <= 2


async def test_a_short_command_makes_no_backup(path):
    store, _ = await a_store_with(path, 1, 1)
    await store.close()
    assert list_backups(path) == []


async def test_the_newest_three_backups_are_kept(path):
    store, _ = await a_store_with(path, 1, 1)
    made = [care.back_up(path) for _ in range(5)]
    assert list_backups(path) == made[:1:-1]
    await store.close()


async def test_an_old_backup_makes_a_new_one_due(path):
    store, _ = await a_store_with(path, 1, 1)
    made = care.back_up(path)
    assert backups.back_up_when_due(path) is None
    os.utime(made, (1.0, 1.0))
    assert backups.back_up_when_due(path) is not None
    await store.close()


async def test_a_backup_has_what_is_still_in_the_write_ahead_log(path, monkeypatch):
    monkeypatch.setattr("chatforge_tui.store.opening.choose_journal", lambda **_: "wal")
    store, _ = await a_store_with(path, 2, 2)
    backup = care.back_up(path)
    assert path.with_name("store.db-wal").stat().st_size > 0
    alone = path.with_name("alone.db")
    shutil.copy(backup, alone)
    assert rows(alone, "SELECT count(*) FROM turn") == [(4,)]
    await store.close()


async def test_a_damaged_store_is_never_copied_over_good_backups(path):
    store, _ = await a_store_with(path, 3, 3)
    await store.close()
    good = care.back_up(path)
    smash(path, pages_of(path, "part")[0])
    with pytest.raises(StoreCorrupt):
        care.back_up(path)
    assert list_backups(path) == [good]


async def test_a_damaged_store_is_reported_while_the_program_runs(path):
    store, _ = await a_store_with(path, 3, 3)
    await store.close()
    smash(path, pages_of(path, "part")[-1])
    words = []
    store = SqliteStore(path, backup_after_s=0.0)
    store.on_trouble = words.append
    await store.open()
    await until(lambda: words)
    assert "damaged" in words[0]
    await store.close()


async def test_a_purged_session_is_in_no_backup_either(path):
    store, heads = await a_store_with(path, 2, 1)
    backup = care.back_up(path)
    assert b"1/0 A sentence" in backup.read_bytes()
    await store.purge_session(heads[1].session_id)
    assert b"1/0 A sentence" not in backup.read_bytes()
    assert rows(backup, "SELECT title FROM session") == [("session 0",)]
    await store.close()


async def test_a_sound_store_checks_as_sound(path):
    store, _ = await a_store_with(path, 2, 3)
    report = care.check(path)
    assert (report.sessions, report.turns, report.is_sound) == (2, 3 * 2, True)
    await store.close()


async def test_a_check_names_the_session_whose_answer_was_altered(path):
    store, heads = await a_store_with(path, 2, 1)
    await store.close()
    change(path, "UPDATE part SET text = 'altered' WHERE turn = (SELECT id FROM turn WHERE session = ?)",
           heads[1].session_id)  # fmt: skip
    report = care.check(path)
    assert (report.damage, report.altered) == ((), (heads[1].session_id,))


async def test_a_check_finds_a_damaged_page(path):
    store, _ = await a_store_with(path, 2, 10)
    await store.close()
    smash(path, pages_of(path, "part")[-1])
    report = care.check(path)
    assert report.damage
    assert not report.is_sound


async def test_compacting_gives_space_back(path):
    store, heads = await a_store_with(path, 4, 20)
    for head in heads[1:]:
        await store.purge_session(head.session_id)
    before, after = care.compact(path)
    assert after < before * 0.6
    await store.close()
    assert list(await answers(path)) == ["session 0"]


async def test_repairing_a_sound_store_brings_everything_back(path):
    store, heads = await a_store_with(path, 3, 3)
    head = a_turn(heads[0], 9)
    await store.begin_turn(head, heads[0])
    store.record(head.turn_id, [PartAdded(TextPart(0, "")), TextAppended(0, "half")])
    await store.close()
    report = repair(path)
    assert (report.sessions, report.turns, report.sessions_from_backup, report.backup) == (3, 10, 0, None)
    whole = expected(3, 3)
    whole["session 0"].append("half")
    assert await answers(path) == whole


@pytest.mark.parametrize("table", ["session", "turn", "part"])
@pytest.mark.parametrize("which", [0, -1, 1])
async def test_one_lost_page_costs_nothing_when_there_is_a_backup(path, table, which):
    store, _ = await a_store_with(path, 40, 4)
    await store.close()
    care.back_up(path)
    pages = pages_of(path, table)
    smash(path, pages[which % len(pages)])
    report = repair(path)
    assert await answers(path) == expected(40, 4)
    assert (report.sessions, report.turns) == (40, 160)
    assert (report.moved_to / "store.db").exists()


@pytest.mark.parametrize("altered", [("'altered'",), ("substr(text, 2)", "text || char(0xfffd)")])
async def test_an_answer_that_was_altered_is_taken_from_a_backup_that_has_it_whole(path, altered):
    store, heads = await a_store_with(path, 3, 2)
    await store.close()
    care.back_up(path)
    for head, text in zip(heads, altered, strict=False):
        of_session = "kind = 'text' AND turn IN (SELECT id FROM turn WHERE session = ?)"
        change(path, f"UPDATE part SET text = {text} WHERE {of_session}", head.session_id)
    repair(path)
    assert await answers(path) == expected(3, 2)
    assert care.check(path).is_sound


async def test_without_a_backup_all_but_the_lost_page_comes_back(path):
    store, _ = await a_store_with(path, 40, 4)
    await store.close()
    leaf = pages_of(path, "part")[7]
    smash(path, leaf)
    report = repair(path)
    found = await answers(path)
    whole = expected(40, 4)
    intact = sum(answer in whole[title] for title, texts in found.items() for answer in texts)
    assert (report.sessions, report.turns) == (40, 160)
    assert intact >= 150
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("lost", [(1, 7), (7, -1), (1, 7, -1)])
async def test_of_a_table_that_lost_an_end_as_well_the_rest_comes_back(path, lost):
    store, _ = await a_store_with(path, 40, 4)
    await store.close()
    pages = pages_of(path, "part")
    for which in lost:
        smash(path, pages[which])
    repair(path)
    found, whole = await answers(path), expected(40, 4)
    intact = sum(answer in whole.get(title, ()) for title, texts in found.items() for answer in texts)
    assert intact >= 160 - 10 * len(lost)


async def test_without_a_backup_turns_whose_sessions_are_lost_come_back_under_another_name(path):
    store, _ = await a_store_with(path, 2, 3)
    await store.close()
    [page] = pages_of(path, "session")
    smash(path, page)
    report = repair(path)
    assert (report.sessions, report.turns) == (2, 6)
    assert list(await answers(path)) == ["Recovered"]
    assert rows(path, "SELECT count(*) FROM session WHERE title = 'Recovered'") == [(2,)]


@pytest.mark.parametrize("content", [b"", b"Dear diary, " * 1000, b"SQLite format 3\x00" + b"\xff" * 8000])
async def test_a_file_with_nothing_to_salvage_gives_way_to_the_newest_backup(path, content):
    store, _ = await a_store_with(path, 3, 2)
    await store.close()
    backup = care.back_up(path)
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt):
        await SqliteStore(path).open()
    report = repair(path)
    assert (report.sessions, report.sessions_from_backup, report.backup) == (3, 3, backup)
    assert (report.moved_to / "store.db").read_bytes() == content
    assert await answers(path) == expected(3, 2)


async def test_side_files_move_together_with_the_file(path):
    store, _ = await a_store_with(path, 1, 1)
    await store.close()
    wal = path.with_name("store.db-wal")
    wal.write_bytes(b"stale")
    path.write_bytes(b"not a store at all")
    report = repair(path)
    assert not wal.exists()
    assert (report.moved_to / "store.db-wal").read_bytes() == b"stale"


async def test_a_store_in_use_is_not_repaired(path):
    store, _ = await a_store_with(path, 1, 1)
    with pytest.raises(StoreUnavailable, match="Another ChatForge"):
        repair(path)
    await store.close()
