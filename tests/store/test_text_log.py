"""The log of live text: what all turns of a program get stands in rows that they share, and each is read as if alone."""

import sqlite3
from contextlib import closing, contextmanager

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartDropped, PartReplaced, TextAppended
from chatforge_tui.domain.ids import TaskId, new_request_id
from chatforge_tui.domain.part import NoticePart, TextPart, ToolPart, ToolState
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store import care, migrations, opening, schema, text_log, text_log_reader, writer
from chatforge_tui.store.connection import immediate
from chatforge_tui.store.pragmas import guard
from chatforge_tui.store.salvage import repair
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import WriterSettings
from tests.store.values import a_session, a_turn, ended
from tests.store.waiting import change, restart, rows

LAZY = WriterSettings(flush_s=3600.0, chore_s=3600.0)
"""Only what someone waits for is written, so that a test says what one commit is."""


@pytest.fixture
async def store(path):
    store = SqliteStore(path, settings=LAZY)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def other(store, path):
    """Another program on the same store."""
    other = SqliteStore(path, settings=LAZY)
    await other.open()
    yield other
    await other.close()


@pytest.fixture
def short(monkeypatch):
    """A log that is moved as soon as it has a few lines."""
    monkeypatch.setattr(text_log, "LIMIT", 3_000)


async def live_turn(store, **changes):
    session = a_session()
    await store.create_session(session)
    head = a_turn(session, state=TurnState.STREAMING, **changes)
    await store.begin_turn(head, session)
    store.record(head.turn_id, [PartAdded(TextPart(0, ""))])
    return session, head


async def answer_of(store, session):
    [turn] = await store.load_turns(session.session_id)
    return turn.answer


async def moves(store, monkeypatch, live, more, answer):
    """Have the log moved with one more change of a live turn; the answer is whole before and after a restart."""
    session, head = live
    monkeypatch.setattr(text_log, "LIMIT", 0)
    store.record(head.turn_id, [more])
    await store.flush()
    assert await answer_of(store, session) == answer
    await restart(store)
    assert await answer_of(store, session) == answer


def log_size(path):
    return rows(path, "SELECT coalesce(sum(length(body)), 0) FROM text_log")[0][0]


def in_files(path, word):
    """How often a word stands in the files of a store."""
    return sum(found.read_bytes().count(word.encode()) for found in path.parent.rglob("*") if found.is_file())


async def test_what_all_turns_get_until_a_commit_is_one_row(store, path):
    turns = [await live_turn(store) for _ in range(20)]
    await store.flush()
    before = rows(path, "SELECT count(*) FROM text_log")[0][0]
    for number in range(5):
        for _, head in turns:
            store.grow(head.turn_id, TextAppended(0, f"{number}{head.turn_id}"))
    await store.flush()
    assert rows(path, "SELECT count(*) FROM text_log") == [(before + 1,)]
    for session, head in turns:
        assert await answer_of(store, session) == "".join(f"{number}{head.turn_id}" for number in range(5))


async def test_text_that_is_moved_takes_the_place_that_it_had(store, path, monkeypatch):
    """Written beside it, each move would make the file longer by a whole log, only for that to be wiped."""
    live = await live_turn(store)
    for _ in range(10):
        store.grow(live[1].turn_id, TextAppended(0, "x" * 100_000))
        await store.flush()
    pages = rows(path, "PRAGMA page_count")[0][0]
    await moves(store, monkeypatch, live, TextAppended(0, "!"), "x" * 1_000_000 + "!")
    assert log_size(path) == 0
    assert rows(path, "PRAGMA page_count")[0][0] < pages * 1.1


async def test_text_of_any_kind_and_length_comes_back(store, path):
    session, head = await live_turn(store)
    texts = ("NUL \0 中文 👩‍👩‍👧 \U0010ffff", "half \ud83d", "\ude00 and a pair \ud83d", "\ude00", "x" * 1_000_000, "")
    for text in texts[:2]:
        store.grow(head.turn_id, TextAppended(0, text))
    await store.flush()
    for text in texts[2:]:
        store.grow(head.turn_id, TextAppended(0, text))
    whole = "NUL \0 中文 👩‍👩‍👧 \U0010ffffhalf \ufffd\ufffd and a pair 😀" + "x" * 1_000_000
    assert await answer_of(store, session) == whole
    await restart(store)
    assert await answer_of(store, session) == whole


async def test_a_long_log_is_moved_and_every_turn_is_read_as_before(store, path, short):
    turns = [await live_turn(store) for _ in range(5)]
    quiet, quiet_head = await live_turn(store)
    for number in range(40):
        for _, head in turns:
            store.grow(head.turn_id, TextAppended(0, f"{number} of {head.turn_id} "))
        await store.flush()
        assert log_size(path) < 4_000
        for session, head in turns[number % 5 :][:1]:
            assert await answer_of(store, session) == "".join(f"{n} of {head.turn_id} " for n in range(number + 1))
    assert 0 < rows(path, "SELECT count(*) FROM chunk")[0][0] < 40 * 5 / 2
    store.grow(quiet_head.turn_id, TextAppended(0, "late, and not before its first row"))
    assert await answer_of(store, quiet) == "late, and not before its first row"
    await restart(store)
    for session, head in turns:
        [turn] = await store.load_turns(session.session_id)
        assert turn.head.state is TurnState.INTERRUPTED
        assert turn.answer == "".join(f"{number} of {head.turn_id} " for number in range(40))
    assert rows(path, "SELECT (SELECT count(*) FROM text_log) + (SELECT count(*) FROM chunk)") == [(0,)]


async def test_beside_a_stream_that_never_ends_what_has_ended_is_not_kept_for_ever(store, path, short):
    session, endless = await live_turn(store)
    for number in range(60):
        passing, head = await live_turn(store)
        store.grow(head.turn_id, TextAppended(0, "x" * 500))
        store.grow(endless.turn_id, TextAppended(0, f"{number} "))
        await store.flush()
        await store.end_turn(ended(head, "x" * 500), passing)
        assert log_size(path) < 4_000
    assert await answer_of(store, session) == "".join(f"{number} " for number in range(60))


async def test_the_log_is_empty_when_no_turn_is_live(store, path):
    turns = [await live_turn(store) for _ in range(3)]
    for _, head in turns:
        store.grow(head.turn_id, TextAppended(0, "text"))
        await store.flush()
    for session, head in turns:
        assert log_size(path) > 0
        await store.end_turn(ended(head, "text"), session)
    assert log_size(path) == 0


async def test_nothing_late_comes_back_though_its_rows_are_shared(store, monkeypatch):
    await live_turn(store)
    session, head = await live_turn(store, task_id=TaskId("task"))
    store.grow(head.turn_id, TextAppended(0, "first life "))
    await store.flush()
    over = ended(head, "first life ", state=TurnState.INTERRUPTED)
    await store.end_turn(over, session)
    store.grow(head.turn_id, TextAppended(0, "too late"))
    assert await answer_of(store, session) == "first life "
    again = replace(over.head, state=TurnState.STREAMING, request_id=new_request_id(), ended=None)
    assert (await store.adopt_turn(again, was=TurnState.INTERRUPTED)).answer == "first life "
    store.grow(head.turn_id, TextAppended(0, "second life"))
    assert await answer_of(store, session) == "first life second life"
    more = TextAppended(0, ", moved")
    await moves(store, monkeypatch, (session, head), more, "first life second life, moved")


async def test_a_turn_that_is_begun_again_has_nothing_of_before(store):
    await live_turn(store)
    session, head = await live_turn(store)
    store.grow(head.turn_id, TextAppended(0, "before"))
    await store.flush()
    await store.begin_turn(head, session)
    store.record(head.turn_id, [PartAdded(TextPart(0, "")), TextAppended(0, "after")])
    assert await answer_of(store, session) == "after"


async def test_nothing_is_logged_of_a_turn_of_another_program_or_of_none(store, other, path):
    session, head = await live_turn(store)
    await store.flush()
    _, own = await live_turn(other)
    other.record(head.turn_id, [TextAppended(0, "not mine"), PartReplaced(TextPart(0, "not mine"))])
    other.grow(own.turn_id, TextAppended(0, "mine"))
    await other.flush()
    assert await answer_of(store, session) == ""
    assert in_files(path, "not mine") == 0


@pytest.mark.parametrize("limit", [0, 10_000])
async def test_a_part_that_is_replaced_takes_what_came_before_and_nothing_else(store, monkeypatch, limit):
    monkeypatch.setattr(text_log, "LIMIT", limit)
    session, head = await live_turn(store)
    tool = ToolPart(1, "call", "tool", ToolState.RUNNING, "in", "")
    for changes in (
        [TextAppended(0, "old "), PartAdded(tool), TextAppended(1, "put", "input"), TextAppended(1, "out", "output")],
        [PartReplaced(TextPart(0, "new")), TextAppended(0, " text")],
        [PartReplaced(replace(tool, input="whole")), TextAppended(1, "!", "input"), TextAppended(0, "!")],
        [PartAdded(TextPart(2, "")), TextAppended(2, "gone"), PartDropped(2), TextAppended(2, "never there")],
    ):
        store.record(head.turn_id, changes)
        await store.flush()
    [turn] = await store.load_turns(session.session_id)
    assert turn.parts == (TextPart(0, "new text!"), replace(tool, input="whole!"))


@pytest.mark.parametrize("limit", [0, 10_000])
async def test_what_is_tried_again_though_it_reached_the_disk_is_there_once(path, monkeypatch, limit):
    """Also where the log was moved between the two tries, or is after them."""
    store = SqliteStore(path, settings=WriterSettings(flush_s=3600.0, chore_s=3600.0, retry_s=0.0))
    await store.open()
    session, head = await live_turn(store)
    store.grow(head.turn_id, TextAppended(0, "before "))
    await store.flush()
    monkeypatch.setattr(text_log, "LIMIT", limit)
    commit, failures = store._writer._commit, iter([True])

    def lying(workplace, batch):
        commit(workplace, batch)
        if any(entry.outlives_failure for entry in batch) and next(failures, False):
            workplace.doubt()
            store._writer._fail(workplace, batch, StoreUnavailable("The disk reports an error."))

    monkeypatch.setattr(store._writer, "_commit", lying)
    store.record(head.turn_id, [TextAppended(0, "once"), PartAdded(TextPart(1, "")), TextAppended(1, " only")])
    store.record(head.turn_id, [PartAdded(TextPart(2, "a")), TextAppended(2, "b"), PartReplaced(TextPart(2, "."))])
    store.grow(head.turn_id, TextAppended(2, "."))
    await store.flush()
    await store.flush()
    assert next(failures, None) is None
    assert await answer_of(store, session) == "before once only.."
    await moves(store, monkeypatch, (session, head), TextAppended(2, "."), "before once only...")
    await store.close()


async def test_what_was_known_in_a_transaction_that_failed_is_not_known(store, monkeypatch):
    @contextmanager
    def failing(db):
        with immediate(db):
            yield
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error

    session, head = await live_turn(store)
    await store.flush()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(writer, "immediate", failing)
        with pytest.raises(StoreUnavailable):
            await store.end_turn(ended(head, "over"), session)
        assert await store._writer.submit(lambda at: at.log.is_live(at.db, head.turn_id))
    assert not await store._writer.submit(lambda at: at.log.is_live(at.db, head.turn_id))


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("by_other", [False, True])
async def test_of_a_purged_session_no_word_stays_in_the_rows_it_shared(path, monkeypatch, journal, by_other):
    monkeypatch.setattr(opening, "choose_journal", lambda **_: journal)
    store, other = SqliteStore(path, settings=LAZY), SqliteStore(path, settings=LAZY)
    await store.open()
    await other.open()
    kept, kept_head = await live_turn(store)
    session, head = await live_turn(store)
    for number in range(10):
        store.grow(head.turn_id, TextAppended(0, f"xylophone {number} "))
        store.grow(kept_head.turn_id, TextAppended(0, f"harmless {number} "))
        await store.flush()
    copy = care.back_up(path)
    assert in_files(path, "xylophone") >= 20
    await store.end_turn(ended(head, "xylophone"), session)
    await store.give_up_sessions([session.session_id])
    one = other if by_other else store
    await one.trash_session(session.session_id, 1.0)
    await one.purge_session(session.session_id)
    store.grow(head.turn_id, TextAppended(0, "xylophone, late"))
    await store.flush()
    assert in_files(path, "xylophone") == 0
    whole = "".join(f"harmless {number} " for number in range(10))
    assert await answer_of(store, kept) == await answer_of(other, kept) == whole
    store.grow(kept_head.turn_id, TextAppended(0, "more"))
    assert await answer_of(store, kept) == whole + "more"
    await other.close()
    await store.close()
    assert in_files(path, "xylophone") == 0
    repair_source = SqliteStore(copy, read_only=True)
    await repair_source.open()
    assert await answer_of(repair_source, kept) == whole
    await repair_source.close()


async def test_a_purge_leaves_word_of_what_a_damaged_row_lost(store, other, path):
    kept, kept_head = await live_turn(store)
    session, head = await live_turn(store)
    await store.flush()
    for number in range(2):
        store.grow(kept_head.turn_id, TextAppended(0, f"{number} "))
        store.grow(head.turn_id, TextAppended(0, "xylophone"))
        await store.flush()
    damage_row(path, 1, lambda body: body[: len(body) // 2 - 10])
    damage_row(path, 0, lambda body: body.replace(b"xylophone", b"xylo\xff\xfeone"))
    await store.trash_session(session.session_id, 1.0)
    await store.purge_session(session.session_id)
    assert in_files(path, "xylo") == 0
    for one in (store, other):
        [turn] = await one.load_turns(kept.session_id)
        assert turn.answer == "1 "
        assert care.check(path).altered == (kept.session_id,)


async def test_a_program_may_purge_what_it_streams_itself(store, path):
    kept, kept_head = await live_turn(store)
    session, head = await live_turn(store)
    store.grow(head.turn_id, TextAppended(0, "xylophone"))
    store.grow(kept_head.turn_id, TextAppended(0, "harmless"))
    await store.trash_session(session.session_id, 1.0)
    await store.purge_session(session.session_id)
    store.grow(head.turn_id, TextAppended(0, "xylophone, late"))
    store.grow(kept_head.turn_id, TextAppended(0, " and on"))
    assert await answer_of(store, kept) == "harmless and on"
    assert in_files(path, "xylophone") == 0


async def test_who_follows_reads_each_row_once(store, other, path, monkeypatch):
    read = []
    decode = text_log.decode
    session, head = await live_turn(store)
    beside, beside_head = await live_turn(store)
    for number in range(50):
        store.grow(head.turn_id, TextAppended(0, f"{number} "))
        store.grow(beside_head.turn_id, TextAppended(0, f"{number}, "))
        await store.flush()
    assert await answer_of(other, session) == "".join(f"{number} " for number in range(50))
    monkeypatch.setattr(text_log, "decode", lambda body: (read.append(1), decode(body))[1])
    for number in range(50, 60):
        store.grow(head.turn_id, TextAppended(0, f"{number} "))
        await store.flush()
        assert await answer_of(other, session) == "".join(f"{number} " for number in range(number + 1))
        assert await answer_of(other, beside) == "".join(f"{number}, " for number in range(50))
    assert len(read) == 10


async def test_who_follows_sees_the_same_while_the_log_is_moved_and_emptied(store, other, short):
    session, head = await live_turn(store)
    whole = ""
    for number in range(60):
        passing, brief = await live_turn(store)
        store.grow(brief.turn_id, TextAppended(0, "brief"))
        store.grow(head.turn_id, TextAppended(0, f"{number} and so on "))
        whole += f"{number} and so on "
        await store.flush()
        assert await answer_of(other, session) == whole
        assert await answer_of(other, passing) == "brief"
        await store.end_turn(ended(brief, "over"), passing)
        assert await answer_of(other, passing) == "over"
    held = await other._writer.submit(lambda at: [rows.by_turn for rows in at.reader._programs.values()])
    assert sum(map(len, held)) < 40


async def test_what_is_read_is_not_held_when_nobody_asks_any_more(store, other, monkeypatch):
    session, head = await live_turn(store)
    store.grow(head.turn_id, TextAppended(0, "text"))
    await store.flush()
    await answer_of(other, session)
    held = await other._writer.submit(lambda at: len(at.reader._programs))
    monkeypatch.setattr(text_log_reader, "_HELD_S", -1.0)
    await other.load_sessions()
    assert (held, await other._writer.submit(lambda at: len(at.reader._programs))) == (1, 0)


async def test_live_text_is_found_in_the_log_and_where_it_was_moved(store, other, path, short):
    _, head = await live_turn(store)
    store.grow(head.turn_id, TextAppended(0, "needle " + "hay " * 1000))
    await store.flush()
    store.grow(head.turn_id, TextAppended(0, "pin"))
    await store.flush()
    assert rows(path, "SELECT count(*) FROM chunk") == [(1,)]
    for one in (store, other):
        for word in ("needle", "pin", "haystack"):
            assert len(await one.search(word)) == (word != "haystack")


def damage_row(path, count, value):
    """Write over the body of the row so many from the end."""
    [(key, body)] = rows(path, f"SELECT key, body FROM text_log ORDER BY key DESC LIMIT 1 OFFSET {count}")
    change(path, "UPDATE text_log SET body = ? WHERE key = ?", value(body), key)


DAMAGE = {
    "character": (lambda body: body.replace(b"1 of", b"1 \xff\xfe"), "0 of 1 \ufffd\ufffd 2 of 3 of "),
    "frame": (lambda body: b"\xc1" * len(body), "0 of 2 of 3 of "),
    "cut": (lambda body: body[: len(body) // 2], "0 of 2 of 3 of "),
    "empty": (lambda body: b"", "0 of 2 of 3 of "),
}


@pytest.mark.parametrize("limit", [0, 10_000])
@pytest.mark.parametrize("kind", DAMAGE)
async def test_a_damaged_row_costs_its_own_pieces_and_is_told(store, path, monkeypatch, kind, limit):
    value, left = DAMAGE[kind]
    session, head = await live_turn(store)
    for number in range(4):
        store.grow(head.turn_id, TextAppended(0, f"{number} of "))
        await store.flush()
    damage_row(path, 2, value)
    monkeypatch.setattr(text_log, "LIMIT", limit)
    late, late_head = await live_turn(store)
    store.grow(late_head.turn_id, TextAppended(0, "sound"))
    await store.flush()
    for _ in range(2):
        [turn] = await store.load_turns(session.session_id)
        assert turn.answer == left
        assert any(isinstance(part, NoticePart) and "damaged on the disk" in part.text for part in turn.parts)
        assert care.check(path).altered == (session.session_id,)
        assert (await store.load_turns(late.session_id))[0].parts == (TextPart(0, "sound"),)
        await restart(store)


async def test_what_was_moved_out_of_a_damaged_row_is_told_once(store, other, path, monkeypatch):
    """Also when it is replaced, and what says so is moved; and by a repair."""
    replaced, grown, spoilt = [await live_turn(store) for _ in range(3)]
    await store.flush()
    for (_, head), text in ((replaced, "old"), (grown, "one "), (spoilt, "spoilt")):
        store.grow(head.turn_id, TextAppended(0, text))
    await store.flush()
    damage_row(path, 0, lambda body: body.replace(b"spoilt", b"spo\xff\xfet"))
    monkeypatch.setattr(text_log, "LIMIT", 0)
    for (_, head), news in ((grown, TextAppended(0, "two ")), (replaced, PartReplaced(TextPart(0, "new")))):
        store.record(head.turn_id, [news])
        await store.flush()
    store.grow(grown[1].turn_id, TextAppended(0, "three"))
    for one in (store, other):
        assert [await answer_of(one, session) for session, _ in (replaced, grown)] == ["new", "one two three"]
        assert care.check(path).altered
    await other.close()
    await store.close()
    repair(path)
    await store.open()
    assert [await answer_of(store, session) for session, _ in (replaced, grown)] == ["new", "one two three"]


async def test_a_repair_brings_live_text_back_but_for_damaged_rows(store, path, short):
    turns = [await live_turn(store) for _ in range(3)]
    over, over_head = await live_turn(store)
    for number in range(25):
        for _, head in turns:
            store.grow(head.turn_id, TextAppended(0, f"{number} "))
        store.grow(over_head.turn_id, TextAppended(0, "over "))
        await store.flush()
    await store.end_turn(ended(over_head, "over " * 25), over)
    for number in (25, 26):
        for _, head in turns:
            store.record(head.turn_id, [PartReplaced(TextPart(0, "new ")), TextAppended(0, f"{number} ")])
            store.grow(over_head.turn_id, TextAppended(0, "late"))
        await store.flush()
    lost = turns[2][1].turn_id
    await store.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DELETE FROM turn WHERE id IN (?, ?)", (lost, over_head.turn_id))
    report = repair(path)
    assert report.turns == 4
    await store.open()
    assert [await answer_of(store, session) for session, _ in turns[:2]] == ["new 26 "] * 2
    recovered = [head for head in await store.load_sessions() if head.title == "Recovered"]
    assert sorted([await answer_of(store, head) for head in recovered]) == ["new 26 ", "over " * 25]
    assert care.check(path).is_sound


async def test_a_repair_with_a_backup_tells_nothing_twice(store, path):
    session, head = await live_turn(store)
    over, over_head = await live_turn(store)
    for one in (head, over_head):
        store.grow(one.turn_id, TextAppended(0, "begun "))
    await store.flush()
    care.back_up(path)
    store.grow(head.turn_id, TextAppended(0, "and on"))
    await store.flush()
    await store.end_turn(ended(over_head, "begun and ended"), over)
    await store.close()
    repair(path)
    await store.open()
    assert await answer_of(store, session) == "begun and on"
    assert (await store.load_turns(over.session_id))[0] == ended(over_head, "begun and ended")


async def test_a_repair_tells_once_what_a_backup_has_in_its_log_and_the_store_has_moved(store, path, monkeypatch):
    session, head = await live_turn(store)
    for number in range(4):
        store.grow(head.turn_id, TextAppended(0, f"{number} "))
        await store.flush()
    care.back_up(path)
    for limit, text in ((0, "4 "), (10_000, "5")):
        monkeypatch.setattr(text_log, "LIMIT", limit)
        store.grow(head.turn_id, TextAppended(0, text))
        await store.flush()
    await store.close()
    change(path, "DELETE FROM turn")
    repair(path)
    await store.open()
    assert await answer_of(store, session) == "0 1 2 3 4 5"


@pytest.mark.parametrize("value", [lambda body: body[:-1] + b"\xc1", lambda body: body.replace(b"3 of", b"3 \xff\xfe")])
async def test_a_repair_brings_what_was_moved_beside_a_damaged_row_back_once(store, path, monkeypatch, value):
    session, head = await live_turn(store)
    for number in range(6):
        store.grow(head.turn_id, TextAppended(0, f"{number} of "))
        store.grow(head.turn_id, TextAppended(0, f"{number} and "))
        await store.flush()
    damage_row(path, 2, value)
    monkeypatch.setattr(text_log, "LIMIT", 0)
    store.grow(head.turn_id, TextAppended(0, "moved"))
    await store.flush()
    assert rows(path, "SELECT count(*) FROM text_log") == [(1,)]
    answer = await answer_of(store, session)
    await store.close()
    repair(path)
    await store.open()
    assert await answer_of(store, session) == answer


async def test_a_backup_adds_nothing_to_a_turn_that_is_whole_without_it(store, path, monkeypatch):
    monkeypatch.setattr(text_log, "LIMIT", 0)
    turns = [await live_turn(store) for _ in range(2)]
    (session, _), (over, over_head) = turns
    for _, one in turns:
        store.record(one.turn_id, [TextAppended(0, "begun "), PartAdded(TextPart(1, "gone")), TextAppended(1, "!")])
    await store.flush()
    care.back_up(path)
    assert rows(path, "SELECT count(*) > 0 FROM chunk") == [(1,)]
    for _, one in turns:
        store.record(one.turn_id, [PartDropped(1), PartReplaced(TextPart(0, "anew"))])
    await store.flush()
    await store.end_turn(ended(over_head, "over"), over)
    await store.close()
    report = repair(path)
    assert report.turns_from_backup == 0
    await store.open()
    assert await answer_of(store, session) == "anew"
    assert (await store.load_turns(over.session_id))[0] == ended(over_head, "over")


async def test_a_repair_brings_back_nothing_of_an_earlier_request_of_a_turn(store, path):
    await live_turn(store)
    session, head = await live_turn(store, task_id=TaskId("task"))
    store.grow(head.turn_id, TextAppended(0, "first "))
    await store.flush()
    over = ended(head, "first ", state=TurnState.INTERRUPTED)
    await store.end_turn(over, session)
    again = replace(over.head, state=TurnState.STREAMING, request_id=new_request_id(), ended=None)
    await store.adopt_turn(again, was=TurnState.INTERRUPTED)
    store.grow(head.turn_id, TextAppended(0, "second"))
    await store.close()
    repair(path)
    await store.open()
    assert await answer_of(store, session) == "first second"


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_killed_program_of_the_version_before_left_its_text_where_it_is_found(path, read_only):
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        guard(db)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        migrations.m001_first_tables(db)
        migrations.m002_attachments(db)
        db.execute("PRAGMA user_version = 2")
        db.execute(
            "INSERT INTO session VALUES ('s', 'Old', 1, 'platform', '', '', '', 0, 1, 1, NULL, NULL, 'half', '', 0, 0, 1, 2, NULL, NULL)"
        )
        db.execute(
            "INSERT INTO turn (id, session, ordinal, state, instance, prompt, request_id, started, agent, protocol, finish_reason) "
            "VALUES ('t', 's', 0, 'streaming', 'dead', 'from before', 'r', 1, '', '', '')"
        )
        db.execute("INSERT INTO part VALUES ('t', 0, 'text', 'half ', '{}')")
        db.executemany(
            "INSERT INTO chunk VALUES ('t', ?, 0, 'text', ?, ?)", [(0, "an ", 5.0), (1, "answ", 6.0), (2, "er", 7.0)]
        )
    store = SqliteStore(path, read_only=read_only)
    await store.open()
    [turn] = await store.load_turns("s")
    assert (turn.head.state, turn.answer, turn.head.ended) == (TurnState.INTERRUPTED, "half an answer", 7.0)
    assert len(await store.search("answer")) == 1
    await store.close()
    assert rows(path, "PRAGMA user_version") == [(3,)]
    assert rows(path, "SELECT count(*) FROM chunk") == [(3 if read_only else 0,)]


async def test_of_a_program_that_died_nothing_stays_in_the_log(store, other, path):
    session, head = await live_turn(other)
    over, over_head = await live_turn(other)
    for one in (head, over_head):
        other.grow(one.turn_id, TextAppended(0, "text"))
    await other.end_turn(ended(over_head, "text"), over)
    await other.close()  # as good as dead: its turn is still live in its row
    assert log_size(path) > 0
    await store.hold_session(session.session_id)
    assert await answer_of(store, session) == "text"
    store.record(head.turn_id, [HeadChanged(head)])
    await store.begin_turn(a_turn(session, 1), session)
    assert log_size(path) == 0
    assert [turn.answer for turn in await store.load_turns(session.session_id)] == ["text", ""]


async def test_a_change_of_a_session_costs_the_log_nothing(store, path):
    session, _ = await live_turn(store)
    await store.flush()
    before = rows(path, "SELECT count(*) FROM text_log")
    store.update_session(session.session_id, SessionPatch(draft="half"), 1.0)
    await store.flush()
    assert rows(path, "SELECT count(*) FROM text_log") == before
