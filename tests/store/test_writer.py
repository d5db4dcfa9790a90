import asyncio
import sqlite3
import threading
import time
import weakref
from collections import deque
from contextlib import closing, contextmanager

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartReplaced, TextAppended
from chatforge_tui.domain.ids import TaskId, new_request_id
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreError, StoreUnavailable
from chatforge_tui.store import text_log, writer
from chatforge_tui.store.connection import immediate
from chatforge_tui.store.operations import Barrier
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import DEFAULTS, Writer, WriterSettings
from tests.store.values import a_session, a_turn, counted, ended
from tests.store.waiting import rows, until

NEVER_S = 3600.0
"""A delay that no test waits for: what is on disk before it got there by another rule."""


@pytest.fixture
async def lazy(path):
    """A store that writes only what someone waits for, or what is too much to hold."""
    store = SqliteStore(path, settings=WriterSettings(flush_s=NEVER_S, retry_s=NEVER_S, chore_s=NEVER_S))
    await store.open()
    yield store
    await store.close()


async def live_turn(store):
    session = a_session()
    await store.create_session(session)
    head = a_turn(session)
    await store.begin_turn(head, counted(session, 1, TurnState.QUEUED))
    store.record(head.turn_id, [PartAdded(TextPart(0, ""))])
    return session, head


def stored_text(path):
    bodies = rows(path, "SELECT body FROM text_log ORDER BY key")
    return "".join(text or "" for (body,) in bodies for *_, text in text_log.decode(body)[0])


async def count_commits(store):
    """Return a list that grows by one with every transaction."""
    commits = []

    def listen(at):
        at.db.set_trace_callback(lambda statement: commits.append(1) if statement == "COMMIT" else None)

    await store._writer.submit(listen)
    return commits


async def limit_pages(store, pages):
    """Make the disk full after so many pages of 4 KiB, or (0) end that."""
    await store._writer.submit(lambda at: at.db.execute(f"PRAGMA max_page_count = {pages or 1_000_000}").fetchall())


async def fill(store):
    await limit_pages(store, (await store._writer.submit(lambda at: at.db.execute("PRAGMA page_count").fetchone()))[0])


async def test_text_that_nobody_waits_for_is_on_the_disk_within_250_ms(store, path):
    _, head = await live_turn(store)
    await store.flush()
    delays = []
    for number in range(5):
        store.grow(head.turn_id, TextAppended(0, f"{number} "))
        began = time.monotonic()
        await until(lambda wanted=f"{number} ": stored_text(path).endswith(wanted))
        delays.append(time.monotonic() - began)
    assert sorted(delays)[2] < 0.25


async def test_text_in_small_pieces_is_written_at_once_when_enough_has_gathered(lazy, path):
    _, head = await live_turn(lazy)
    await lazy.flush()
    pieces = DEFAULTS.flush_bytes // 8
    for _ in range(pieces - 1):
        lazy.grow(head.turn_id, TextAppended(0, "8 chars "))
    await asyncio.sleep(0.05)
    assert stored_text(path) == ""
    lazy.grow(head.turn_id, TextAppended(0, "8 chars "))
    await until(lambda: stored_text(path) == "8 chars " * pieces)


async def test_a_change_of_a_session_is_on_the_disk_by_itself(store, path):
    session = a_session()
    await store.create_session(session)
    store.update_session(session.session_id, SessionPatch(draft="half a sen"), 1.0)
    await until(lambda: rows(path, "SELECT draft FROM session") == [("half a sen",)])


async def test_the_text_of_many_sessions_is_one_transaction(lazy):
    heads = [(await live_turn(lazy))[1] for _ in range(20)]
    await lazy.flush()
    commits = await count_commits(lazy)
    commits.clear()
    for _ in range(50):
        for head in heads:
            lazy.grow(head.turn_id, TextAppended(0, "word "))
    await lazy.flush()
    assert len(commits) == 1


async def test_much_text_does_not_wait_for_the_clock(lazy, path):
    _, head = await live_turn(lazy)
    lazy.grow(head.turn_id, TextAppended(0, "x" * DEFAULTS.flush_bytes))
    await until(lambda: len(stored_text(path)) == DEFAULTS.flush_bytes)


async def test_a_task_is_on_the_disk_at_once(lazy, path):
    _, head = await live_turn(lazy)
    bound = replace(head, state=TurnState.STREAMING, task_id=TaskId("task-7"))
    lazy.record(head.turn_id, [HeadChanged(bound)])
    await until(lambda: rows(path, "SELECT task_id FROM turn") == [("task-7",)])
    lazy.record(head.turn_id, [HeadChanged(replace(bound, agent="named later"))])
    assert lazy._writer._is_urgent is False


async def test_a_context_is_on_the_disk_at_once(lazy, path):
    session, _ = await live_turn(lazy)
    lazy.update_session(session.session_id, SessionPatch(context_id="context-7"), 1.0)
    await until(lambda: rows(path, "SELECT context_id FROM session") == [("context-7",)])


async def test_what_is_waited_for_takes_along_what_came_before_it(lazy, path):
    _, head = await live_turn(lazy)
    commits = await count_commits(lazy)
    commits.clear()
    lazy.grow(head.turn_id, TextAppended(0, "before"))
    await lazy.create_session(a_session())
    assert stored_text(path) == "before"
    assert len(commits) == 1


async def test_one_refusal_takes_nothing_else_along(lazy, path):
    """All five are one transaction, for they are handed over before the writer thread gets its turn."""
    _, head = await live_turn(lazy)
    lazy.grow(head.turn_id, TextAppended(0, "text"))
    outcomes = await asyncio.gather(
        lazy.create_session(a_session(title="one")),
        lazy.restore_session(a_session().session_id),
        lazy.begin_turn(a_turn(a_session()), a_session()),
        lazy.create_session(a_session(position=2**70)),
        lazy.create_session(a_session(title="two")),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "NoneType",
        "UnknownSession",
        "UnknownSession",
        "StoreError",
        "NoneType",
    ]
    assert stored_text(path) == "text"
    assert {head.title for head in await lazy.load_sessions()} >= {"one", "two"}


async def test_nobody_waits_for_a_closed_store(path):
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="not open"):
        await store.load_sessions()
    await store.open()
    await store.close()
    with pytest.raises(StoreError, match="not open"):
        await store.create_session(a_session())
    store.update_session(a_session().session_id, SessionPatch(title="late"), 1.0)


async def test_who_is_cancelled_while_waiting_disturbs_nobody(lazy):
    waiting = asyncio.ensure_future(lazy.create_session(a_session(title="kept")))  # noqa: TID251 - a caller that gives up
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [head.title for head in await lazy.load_sessions()] == ["kept"]


class Disk:
    """What the store says about its disk."""

    def __init__(self, store):
        self.words = []
        store.on_trouble = self.words.append

    async def fails(self):
        await until(lambda: self.words and self.words[-1])

    async def works(self):
        await until(lambda: self.words and not self.words[-1])


@pytest.fixture
async def hasty(path):
    """A store that tries again every 20 ms."""
    store = SqliteStore(path, settings=WriterSettings(flush_s=0.01, retry_s=0.02, kept_bytes=400_000))
    await store.open()
    yield store
    await store.close()


async def test_on_a_full_disk_streamed_text_waits_and_is_written_once_when_there_is_space(hasty, path):
    disk = Disk(hasty)
    session, head = await live_turn(hasty)
    hasty.grow(head.turn_id, TextAppended(0, "first "))
    await hasty.flush()
    await fill(hasty)
    for number in range(40):
        hasty.grow(head.turn_id, TextAppended(0, f"{number} " + "x" * 1000))
        await asyncio.sleep(0)
    await disk.fails()
    assert "full" in disk.words[-1]
    await limit_pages(hasty, 0)
    await disk.works()
    [turn] = await hasty.load_turns(session.session_id)
    assert turn.answer == "first " + "".join(f"{number} " + "x" * 1000 for number in range(40))
    assert disk.words == [disk.words[0], ""]


async def test_on_a_full_disk_no_prompt_is_acknowledged_and_none_appears_later(hasty):
    disk = Disk(hasty)
    session = a_session()
    await hasty.create_session(session)
    await fill(hasty)
    with pytest.raises(StoreUnavailable, match="full"):
        await hasty.begin_turn(a_turn(session, text="x" * 50_000), session)
    await disk.fails()
    await limit_pages(hasty, 0)
    await disk.works()
    assert await hasty.load_turns(session.session_id) == []


async def test_on_a_full_disk_a_finished_turn_is_read_whole_and_stored_as_soon_as_it_can_be(hasty, path):
    disk = Disk(hasty)
    session, head = await live_turn(hasty)
    await fill(hasty)
    turn = ended(head, "x" * 50_000)
    with pytest.raises(StoreUnavailable, match="full"):
        await hasty.end_turn(turn, counted(session, 1, TurnState.COMPLETE))
    assert await hasty.load_turns(session.session_id) == [turn]
    assert rows(path, "SELECT state FROM turn") == [("queued",)]
    await limit_pages(hasty, 0)
    await disk.works()
    assert rows(path, "SELECT state FROM turn") == [("complete",)]
    assert await hasty.load_turns(session.session_id) == [turn]


async def test_a_turn_whose_end_was_written_before_its_failure_was_heard_is_read_from_the_disk(lazy, monkeypatch):
    session, head = await live_turn(lazy)
    turn, again = ended(head, "first", state=TurnState.INTERRUPTED), replace(head, request_id=new_request_id())
    writer, is_done = lazy._writer, threading.Event()
    commit, failures = writer._commit, iter([True])

    def failing_once(workplace, batch):
        if next(failures, False):
            writer._fail(workplace, batch, StoreUnavailable("The disk reports an error."))
            batch = writer._take()
        commit(workplace, batch)
        is_done.set()

    async def hold_the_loop():
        assert is_done.wait(10.0)

    monkeypatch.setattr(writer, "_commit", failing_once)
    refusal, _ = await asyncio.gather(lazy.end_turn(turn, session), hold_the_loop(), return_exceptions=True)
    assert isinstance(refusal, StoreUnavailable)
    await lazy.adopt_turn(again, was=TurnState.INTERRUPTED)
    lazy.grow(head.turn_id, TextAppended(0, ", second"))
    assert [turn.answer for turn in await lazy.load_turns(session.session_id)] == ["first, second"]


async def test_what_waits_for_a_full_disk_is_bounded_and_what_is_stored_stays_a_prefix(hasty):
    disk = Disk(hasty)
    session, head = await live_turn(hasty)
    await hasty.flush()
    await fill(hasty)
    hasty.grow(head.turn_id, TextAppended(0, "a" * 20_000))
    await disk.fails()
    for _ in range(100):
        hasty.grow(head.turn_id, TextAppended(0, "a" * 20_000))
    assert hasty._writer._failed.size + hasty._writer._pending.size < 500_000
    await limit_pages(hasty, 0)
    await disk.works()
    hasty.grow(head.turn_id, TextAppended(0, "later: there would be a gap before it"))
    [turn] = await hasty.load_turns(session.session_id)
    assert set(turn.answer) == {"a"}
    final = ended(head, "the whole answer")
    await hasty.end_turn(final, counted(session, 1, TurnState.COMPLETE))
    assert await hasty.load_turns(session.session_id) == [final]


async def test_closing_on_a_full_disk_says_that_something_is_lost(path):
    store = SqliteStore(path, settings=WriterSettings(flush_s=0.01, retry_s=NEVER_S))
    await store.open()
    _, head = await live_turn(store)
    await store.flush()
    await fill(store)
    store.grow(head.turn_id, TextAppended(0, "x" * 50_000))
    with pytest.raises(StoreUnavailable, match="Not everything could be saved"):
        await store.close()


async def test_a_store_locked_by_another_program_for_long_is_trouble_that_passes(hasty, path):
    disk = Disk(hasty)
    session, head = await live_turn(hasty)
    await hasty.flush()
    await hasty._writer.submit(lambda at: at.db.execute("PRAGMA busy_timeout = 20").fetchall())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        hasty.grow(head.turn_id, TextAppended(0, "patience"))
        await disk.fails()
        assert "locked" in disk.words[-1]
        other.execute("ROLLBACK")
    await disk.works()
    [turn] = await hasty.load_turns(session.session_id)
    assert turn.answer == "patience"


async def test_a_commit_that_reports_failure_although_it_reached_the_disk_doubles_nothing(hasty, monkeypatch):
    """An I/O error after the journal was deleted: the transaction counts, but SQLite says that it does not."""
    session, head = await live_turn(hasty)
    await hasty.flush()
    disk = Disk(hasty)
    failures = iter([True])
    real = hasty._writer._commit

    def lying(workplace, batch):
        real(workplace, batch)
        if any(entry.outlives_failure for entry in batch) and next(failures, False):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            hasty._writer._fail(workplace, batch, StoreUnavailable("The disk reports an error."))

    monkeypatch.setattr(hasty._writer, "_commit", lying)
    hasty.record(head.turn_id, [TextAppended(0, "once "), PartAdded(TextPart(1, "")), TextAppended(1, "only")])
    await disk.works()
    hasty.grow(head.turn_id, TextAppended(1, "."))
    [turn] = await hasty.load_turns(session.session_id)
    assert turn.answer == "once only."


async def test_an_idle_store_does_nothing(path):
    store = SqliteStore(path, settings=WriterSettings(chore_s=0.0))
    await store.open()
    await live_turn(store)
    await store.flush()
    await until(lambda: store._writer._due() is None)
    await store.close()


async def test_chores_wait_until_nothing_is_to_be_written(path):
    store = SqliteStore(path, settings=WriterSettings(chore_s=0.02, chore_pause_s=0.0))
    await store.open()
    session, head = await live_turn(store)
    await store.end_turn(ended(head, "answer"), session)
    assert rows(path, "SELECT is_indexed FROM turn") == [(0,)]
    await until(lambda: rows(path, "SELECT is_indexed FROM turn") == [(1,)])
    await store.close()


async def test_what_slow_commits_take_is_waited_less(path, monkeypatch):
    slow = 0.25

    @contextmanager
    def slowly(db):
        with immediate(db):
            yield
            time.sleep(slow)

    monkeypatch.setattr(writer, "immediate", slowly)
    store = SqliteStore(path, settings=WriterSettings(flush_s=0.6, late_s=0.6))
    await store.open()
    session = a_session()
    await store.create_session(session)
    slow = 0.0
    began = time.monotonic()
    store.update_session(session.session_id, SessionPatch(draft="soon"), 1.0)
    await until(lambda: rows(path, "SELECT draft FROM session") == [("soon",)])
    assert 0.15 < time.monotonic() - began < 0.55
    await store.close()


async def test_text_that_cannot_be_stored_takes_no_other_with_it(lazy):
    """What a value of one turn causes must not take the text of the others with it."""
    heads = [(await live_turn(lazy))[1] for _ in range(3)]
    await lazy.flush()
    for head in heads:
        lazy.grow(head.turn_id, TextAppended(0, "text"))
        lazy.grow(head.turn_id, TextAppended(2**70 if head is heads[1] else 0, " of " + head.turn_id))
    await lazy.flush()
    stored = [(await lazy.load_turns(head.session_id))[0].answer for head in heads]
    assert stored == [f"text of {heads[0].turn_id}", "text", f"text of {heads[2].turn_id}"]


async def test_a_turn_that_lost_text_to_a_full_queue_takes_no_more_behind_the_gap(path):
    """Its row may wait still: text put behind it would follow text that is missing."""
    store = SqliteStore(path, settings=WriterSettings(flush_s=NEVER_S, flush_bytes=10_000, kept_bytes=9_000))
    await store.open()
    session, head = await live_turn(store)
    await store.flush()
    store.grow(head.turn_id, TextAppended(0, "a" * 9_500))
    store.grow(head.turn_id, TextAppended(1, "lost"))
    store.grow(head.turn_id, TextAppended(0, "behind the gap"))
    assert set((await store.load_turns(session.session_id))[0].answer) == {"a"}
    await store.close()


class TakenFirst(deque):
    """What waits is taken by the thread in the very moment before a text joins it."""

    def __init__(self, writer):
        super().__init__()
        self.writer = writer

    def append(self, item):
        self.writer._take()
        super().append(item)


def test_text_that_comes_while_the_thread_takes_what_waits_is_not_forgotten():
    waiting = Writer(lambda: None, DEFAULTS, lambda _: False)
    waiting._thread, waiting._enough = threading.current_thread(), DEFAULTS.flush_bytes
    waiting._texts = TakenFirst(waiting)
    head = a_turn(a_session())
    waiting.hand_over(lambda pending: pending.add_patch(head.session_id, {"draft": "half"}))
    assert waiting.grow(head.turn_id, TextAppended(0, "the last of a stream"))
    assert waiting._due() is not None
    [entry] = waiting._take()
    assert entry.work.whole == "the last of a stream"


async def test_text_handed_over_the_short_way_keeps_its_place_among_other_changes(lazy):
    session, head = await live_turn(lazy)
    for word in ("one ", "two "):
        lazy.grow(head.turn_id, TextAppended(0, word))
    lazy.record(head.turn_id, [PartReplaced(TextPart(0, "new "))])
    for word in ("three ", "four"):
        lazy.grow(head.turn_id, TextAppended(0, word))
    [turn] = await lazy.load_turns(session.session_id)
    assert turn.answer == "new three four"


async def test_who_only_reads_takes_no_text(path):
    writing, reading = SqliteStore(path), SqliteStore(path, read_only=True)
    await writing.open()
    session, head = await live_turn(writing)
    await reading.open()
    reading.grow(head.turn_id, TextAppended(0, "text"))
    assert not reading._writer.grow(head.turn_id, TextAppended(0, "text"))
    assert [turn.answer for turn in await reading.load_turns(session.session_id)] == [""]
    await reading.close()
    await writing.close()


class Watched(Barrier, weakref=True):
    """Says when nobody has it any more."""


async def test_what_is_written_is_let_go_at_once(lazy):
    work = Watched()
    there = weakref.ref(work)
    await lazy._writer.submit(work)
    del work
    await until(lambda: there() is None)
