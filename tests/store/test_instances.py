import asyncio
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import SessionBusy, StoreUnavailable, UnknownSession
from chatforge_tui.store.instances import Instance
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_session, a_turn, counted, ended
from tests.store.waiting import rows, until

DYING = """
import asyncio, os, signal, sys
from msgspec.structs import replace
from pathlib import Path
from chatforge_tui.domain.changes import HeadChanged, PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_session, a_turn
async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    session = a_session()
    await store.create_session(session)
    head = a_turn(session)
    await store.begin_turn(head, session)
    store.record(head.turn_id, [HeadChanged(replace(head, state=TurnState.STREAMING))])
    store.record(head.turn_id, [PartAdded(TextPart(0, "half ")), TextAppended(0, "an answer")])
    await store.flush()
    print(session.session_id, flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
asyncio.run(main())
"""


@pytest.fixture
async def two(path):
    """Two programs on one store."""
    one, other = SqliteStore(path), SqliteStore(path)
    await one.open()
    await other.open()
    yield one, other
    await one.close()
    await other.close()


async def test_a_program_is_seen_that_was_looked_for_while_it_opened_the_store(path, monkeypatch):
    one, other = SqliteStore(path), SqliteStore(path)
    await one.open()
    session, _ = await begin(one)
    loop, register = asyncio.get_running_loop(), Instance.register

    def look_first(self, db, now):
        asyncio.run_coroutine_threadsafe(one.look_around(), loop).result()
        register(self, db, now)

    monkeypatch.setattr(Instance, "register", look_first)
    await other.open()
    await other.ask_for_session(session.session_id)
    assert (await one.look_around()).asked == {session.session_id}
    await one.close()
    await other.close()


async def test_what_a_program_did_that_came_and_went_between_two_looks_is_seen(path):
    one, other = SqliteStore(path), SqliteStore(path)
    await one.open()
    assert await one.look_around() is None
    await other.open()
    session = a_session()
    await other.create_session(session)
    await other.close()
    assert [head.session_id for head in (await one.look_around()).changed] == [session.session_id]
    await one.close()


def start(path, then):
    return subprocess.Popen(
        [sys.executable, "-c", DYING, path, then], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def begin(store, session=None):
    if session is None:
        session = a_session()
        await store.create_session(session)
    head = a_turn(session)
    await store.begin_turn(head, counted(session, 1, TurnState.QUEUED))
    return session, head


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_turn_of_a_killed_program_reads_interrupted_with_its_text(path, read_only):
    program = start(path, "die")
    session_id = program.communicate()[0].strip()
    assert program.returncode == -9
    store = SqliteStore(path, read_only=read_only)
    await store.open()
    [turn] = await store.load_turns(session_id)
    [head] = await store.load_sessions()
    assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "half an answer")
    assert turn.head.ended is not None
    assert head.last_state is TurnState.INTERRUPTED
    await store.close()
    state = "streaming" if read_only else "interrupted"
    assert rows(path, "SELECT state FROM turn") == [(state,)]


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_turn_of_a_living_program_is_left_alone(path, read_only):
    program = start(path, "live")
    session_id = program.stdout.readline().strip()
    store = SqliteStore(path, read_only=read_only)
    await store.open()
    [turn] = await store.load_turns(session_id)
    assert (turn.head.state, turn.answer) == (TurnState.STREAMING, "half an answer")
    program.kill()
    program.communicate()
    [turn] = await store.load_turns(session_id)
    assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "half an answer")
    await store.close()


async def test_a_session_answering_in_another_program_is_busy(two):
    one, other = two
    session, head = await begin(one)
    with pytest.raises(SessionBusy, match=f"pid {os.getpid()} "):
        await begin(other, session)
    assert [turn.head for turn in await other.load_turns(session.session_id)] == [head]


async def test_a_session_is_free_again_once_the_other_program_is_done(two):
    one, other = two
    session, head = await begin(one)
    await one.end_turn(ended(head, "done"), counted(session, 1, TurnState.COMPLETE))
    with pytest.raises(SessionBusy, match=rf"open in another ChatForge: pid {os.getpid()} "):
        await begin(other, session)
    await one.give_up_sessions([session.session_id])
    await begin(other, session)
    assert len(await one.load_turns(session.session_id)) == 2


async def test_a_session_whose_program_died_is_free_and_its_turn_interrupted(path):
    store = SqliteStore(path)
    await store.open()
    program = start(path, "live")
    session_id = program.stdout.readline().strip()
    session = a_session(session_id=session_id)
    with pytest.raises(SessionBusy):
        await begin(store, session)
    program.kill()
    program.communicate()
    await begin(store, session)
    states = [turn.head.state for turn in await store.load_turns(session_id)]
    assert sorted(states) == [TurnState.INTERRUPTED, TurnState.QUEUED]
    await store.close()


async def test_one_program_cannot_write_into_the_turn_of_another(two):
    one, other = two
    session, head = await begin(one)
    one.record(head.turn_id, [PartAdded(TextPart(0, "mine"))])
    await one.flush()
    other.record(head.turn_id, [TextAppended(0, " theirs"), HeadChanged(replace(head, agent="theirs"))])
    await other.flush()
    [turn] = await other.load_turns(session.session_id)
    assert (turn.answer, turn.head.agent) == ("mine", "")


async def test_of_a_session_that_another_program_holds_only_the_title_can_be_written(two):
    one, other = two
    session = a_session(draft="mine")
    await one.create_session(session)
    other.update_session(session.session_id, SessionPatch(draft="theirs", is_open=False), 2.0)
    other.update_session(session.session_id, SessionPatch(unread=True), 3.0)
    await other.flush()
    [kept] = await one.load_sessions()
    assert kept == session
    other.update_session(session.session_id, SessionPatch(title="Theirs", title_is_manual=True, draft="theirs"), 4.0)
    await other.flush()
    [named] = await one.load_sessions()
    assert (named.title, named.draft, named.updated) == ("Theirs", "mine", 4.0)


async def test_a_name_given_in_one_program_survives_what_the_other_writes(two):
    one, other = two
    session, head = await begin(one)
    [seen] = await other.load_sessions()
    other.update_session(session.session_id, SessionPatch(title="Named elsewhere"), 2.0)
    await other.flush()
    await one.end_turn(ended(head, "done"), replace(seen, waiting_task="task"))
    [loaded] = await one.load_sessions()
    assert (loaded.title, loaded.waiting_task) == ("Named elsewhere", "task")
    await begin(one, seen)
    one.update_session(session.session_id, SessionPatch(title="Named here"), 3.0)
    assert [head.title for head in await one.load_sessions()] == ["Named here"]


async def test_a_session_deleted_in_one_program_is_not_brought_back_by_the_other(two):
    one, other = two
    session, head = await begin(one)
    await one.end_turn(ended(head, "early"), session)
    await other.trash_session(session.session_id, 5.0)
    await other.purge_session(session.session_id)
    one.record(head.turn_id, [PartAdded(TextPart(0, "late"))])
    await one.end_turn(ended(head, "late"), session)
    with pytest.raises(UnknownSession):
        await one.begin_turn(a_turn(session), session)
    for store in two:
        assert await store.load_sessions() == await store.load_sessions(trashed=True) == []


async def test_the_program_that_ends_leaves_nothing_behind(path):
    store = SqliteStore(path)
    await store.open()
    assert len(list((path.parent / "run").glob("*.lock"))) == len(rows(path, "SELECT * FROM instance")) == 1
    await store.close()
    assert list((path.parent / "run").glob("*.lock")) == rows(path, "SELECT * FROM instance") == []


async def test_what_a_killed_program_left_is_cleared_away(path):
    start(path, "die").communicate()
    assert len(list((path.parent / "run").glob("*.lock"))) == 1
    store = SqliteStore(path)
    await store.open()
    assert len(list((path.parent / "run").glob("*.lock"))) == len(rows(path, "SELECT * FROM instance")) == 1
    await store.close()


async def test_two_programs_that_write_different_sessions_lose_nothing(two):
    async def talk(store, name):
        session, head = await begin(store)
        store.record(head.turn_id, [PartAdded(TextPart(0, ""))])
        for number in range(60):
            store.grow(head.turn_id, TextAppended(0, f"{name}{number} "))
            if number % 5 == 0:
                await store.flush()
        await store.flush()
        return session.session_id

    one, other = two
    first, second = await asyncio.gather(talk(one, "a"), talk(other, "b"))
    for store in two:
        [turn] = await store.load_turns(first)
        assert turn.answer == "".join(f"a{number} " for number in range(60))
        [turn] = await store.load_turns(second)
        assert turn.answer == "".join(f"b{number} " for number in range(60))


async def test_readers_see_a_prefix_that_only_grows_while_another_program_writes(store, path):
    session, head = await begin(store)
    readers = [SqliteStore(path, read_only=True) for _ in range(2)]
    for reader in readers:
        await reader.open()
    written = [0]

    async def write():
        store.record(head.turn_id, [PartAdded(TextPart(0, ""))])
        for number in range(80):
            store.grow(head.turn_id, TextAppended(0, f"{number} "))
            await store.flush()
            written[0] = number + 1

    async def read(reader):
        whole = "".join(f"{number} " for number in range(80))
        seen = ""
        while len(seen) < len(whole):
            acknowledged = "".join(f"{number} " for number in range(written[0]))
            [turn] = await reader.load_turns(session.session_id)
            assert turn.answer.startswith(seen)
            assert turn.answer.startswith(acknowledged)
            assert whole.startswith(turn.answer)
            seen = turn.answer

    await asyncio.gather(write(), *(read(reader) for reader in readers))
    for reader in readers:
        await reader.close()


@pytest.fixture
def shared_disk(monkeypatch):
    """The store lies on a network file system."""
    monkeypatch.setattr("chatforge_tui.store.opening.is_local", lambda _: False)


async def test_on_a_shared_disk_one_program_has_the_store_and_the_others_are_told_who(shared_disk, path):
    one, other = SqliteStore(path), SqliteStore(path)
    await one.open()
    with pytest.raises(StoreUnavailable, match=f"process {os.getpid()} on "):
        await other.open()
    await one.close()
    await other.open()
    await other.close()
    assert {found.name for found in path.parent.iterdir()} == {"store.db", "run"}


async def test_on_a_shared_disk_a_dead_program_of_this_machine_does_not_stand_in_the_way(shared_disk, path):
    program = start(path, "die")
    program.communicate()
    path.with_name("store.db.lock").write_text(f"{socket.gethostname()} {program.pid}\n")
    store = SqliteStore(path)
    await store.open()
    await store.close()


@pytest.mark.parametrize("owner", ["elsewhere 1\n", "", "garbage"])
async def test_on_a_shared_disk_nobody_else_is_taken_for_dead(shared_disk, path, owner):
    path.parent.mkdir()
    path.with_name("store.db.lock").write_text(owner)
    with pytest.raises(StoreUnavailable) as refused:
        await SqliteStore(path).open()
    assert "store.db.lock" in refused.value.hint


def open_files():
    """How many files this process has open; 0 where the system does not say."""
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.is_dir() else 0


async def test_no_thread_and_no_file_stays_open_after_closing(path):
    files, threads = open_files(), threading.active_count()
    for _ in range(3):
        store = SqliteStore(path)
        await store.open()
        await begin(store)
        await store.close()
    await until(lambda: open_files() <= files)
    assert threading.active_count() <= threads
