"""The repair of a damaged store when something comes in between: its own end, another program, the next start."""

import asyncio
import errno
import shutil
import threading

import pytest

from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreCorrupt, StoreUnavailable
from chatforge_tui.store import care, repair_gate, salvage, salvaged_rows
from chatforge_tui.store.salvage import repair
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_full_turn, a_session, counted


@pytest.fixture
async def damaged(path):
    """A store whose header is gone, with side files and a backup of one session."""
    store = SqliteStore(path)
    await store.open()
    await store.create_session(a_session(title="kept"))
    await store.close()
    await asyncio.to_thread(care.back_up, path)
    with path.open("r+b") as file:
        file.write(b"\0" * 100)
    path.with_name("store.db-wal").write_bytes(b"log")
    return path


async def titles(store):
    return [head.title for head in await store.load_sessions()]


def aside(path):
    [directory] = path.parent.glob("corrupt-*")
    return directory


async def test_a_program_with_a_screen_repairs_it_once_and_goes_on(damaged):
    before = damaged.read_bytes()
    for is_first in (True, False):
        store = SqliteStore(damaged, goes_on=True)
        await store.open(takes_tabs=True)
        assert (await titles(store), store.refusal) == (["kept"], "")
        await store.flush()
        assert (store.repair is not None) is is_first
        await store.close()
    assert (aside(damaged) / "store.db").read_bytes() == before
    assert (aside(damaged) / "store.db-wal").read_bytes() == b"log"
    assert not damaged.with_name("store.db-wal").exists()


def test_where_a_file_can_have_one_name_only_its_copy_is_known_but_not_by_being_empty(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for content, is_same in ((b"words", True), (b"", False)):
        one.write_bytes(content)
        other.write_bytes(content)
        assert salvage._is_same(one, other) is is_same
        assert salvage._is_same(one, one)


async def test_a_list_of_sessions_that_cannot_be_read_is_damage_though_the_file_opens(path):
    store = SqliteStore(path)
    await store.open()
    for position in range(200):
        await store.create_session(a_session(position=position, title="t" * 200))
    await store.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096 * 4)
    store = SqliteStore(path, goes_on=True)
    await store.open()
    heads = await store.load_sessions()
    assert store.repair is not None
    assert len(heads) == store.repair.sessions >= 100
    await store.close()
    shutil.copy(aside(path) / "store.db", path)
    reader = SqliteStore(path, read_only=True)
    await reader.open()
    with pytest.raises(StoreCorrupt):
        await reader.load_sessions()
    await reader.close()


async def test_two_programs_that_start_on_it_repair_it_once(damaged):
    stores = [SqliteStore(damaged, goes_on=True) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    for store in stores:
        if store.refusal:
            assert await store.recover() is True
        assert await titles(store) == ["kept"]
    assert sum(store.repair is not None for store in stores) == 1
    assert aside(damaged)
    for store in stores:
        await store.close()


@pytest.mark.parametrize("step", ["create", "_bring_back_from_copy", "tidy", "_put_in_place", "sync_directory"])
async def test_one_that_is_cut_off_is_made_up_for_by_the_next(damaged, monkeypatch, step):
    whole = getattr(salvage, step)

    def cut(*_, **__):
        if step == "_put_in_place":  # the side files are gone from beside the file already
            damaged.with_name("store.db-wal").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(salvage, step, cut)
    with pytest.raises(KeyboardInterrupt):
        repair(damaged)
    monkeypatch.setattr(salvage, step, whole)
    store = SqliteStore(damaged, goes_on=True)
    await store.open()
    assert await titles(store) == ["kept"]
    await store.close()
    assert (aside(damaged) / "store.db-wal").read_bytes() == b"log"
    assert [file.name for file in damaged.parent.glob("store.db*")] == ["store.db"]


async def test_what_a_killed_repair_was_building_does_not_stay(damaged):
    half = damaged.with_name("store.db.repaired-0")
    half.write_bytes(b"half")
    assert repair(damaged) is not None
    assert not half.exists()


async def test_nothing_is_done_where_another_program_was_quicker(damaged):
    before = damaged.read_bytes()
    assert repair(damaged, unless=lambda: True) is None
    assert damaged.read_bytes() == before
    assert not list(damaged.parent.glob("corrupt-*"))


async def test_where_no_file_can_have_two_names_a_copy_is_set_aside(damaged, monkeypatch):
    def refuse(*_):
        message = "no links here"
        raise OSError(message)

    before = damaged.read_bytes()
    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    assert repair(damaged).sessions == 1
    assert (aside(damaged) / "store.db").read_bytes() == before


async def test_nobody_opens_it_while_it_is_repaired_nor_the_reverse(path, monkeypatch):
    store = SqliteStore(path)
    with repair_gate.repairing(path):
        opening = asyncio.ensure_future(store.open())  # noqa: TID251 - a test of one task
        await asyncio.sleep(0.1)
        assert not opening.done()
    await opening
    await store.close()

    monkeypatch.setattr(repair_gate, "WAIT_S", 0.05)
    with repair_gate.opening(path), repair_gate.opening(path), pytest.raises(StoreUnavailable, match="repairing"):
        repair(path)
    with repair_gate.repairing(path), pytest.raises(StoreUnavailable, match="repairing"):
        await SqliteStore(path).open()
    assert threading.active_count() < 10


async def test_a_damaged_store_that_another_program_has_open_is_repaired_when_that_one_ends(path):
    other, store = SqliteStore(path), SqliteStore(path, goes_on=True)
    await other.open()
    await other.create_session(a_session(title="kept"))
    await asyncio.to_thread(care.back_up, path)
    with path.open("r+b") as file:
        file.write(b"\0" * 100)
    await store.open()
    assert store.refusal.startswith("Not saved: Another ChatForge has the store open.")
    assert await store.load_sessions() == []
    await other.close()
    assert await store.recover() is True
    assert await titles(store) == ["kept"]
    assert store.repair is not None
    await store.close()


async def test_a_list_that_cannot_be_read_nor_repaired_is_told_and_repaired_later(path):
    other, store = SqliteStore(path), SqliteStore(path, goes_on=True)
    await other.open()
    for position in range(200):
        await other.create_session(a_session(position=position, title="t" * 200))
    await other.flush()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096 * 4)
    await store.open()
    assert await store.load_sessions() == []
    assert store.refusal.startswith("Not saved: The store")
    await other.close()
    assert await store.recover() is True
    assert len(await store.load_sessions()) >= 100
    assert store.repair is not None
    await store.close()


@pytest.mark.parametrize("lost", [16, 100, 4096])
@pytest.mark.parametrize("has_backup", [True, False])
async def test_a_lost_first_page_costs_nothing(path, lost, has_backup):
    store = SqliteStore(path)
    await store.open()
    if has_backup:
        await asyncio.to_thread(care.back_up, path)
    for position in range(30):
        session = a_session(position=position, title=f"session {position}")
        await store.create_session(session)
        await store.end_turn(a_full_turn(session), counted(session, 1, TurnState.FAILED))
    before = await store.load_sessions()
    turns = [await store.load_turns(head.session_id) for head in before]
    await store.close()
    with path.open("r+b") as file:
        file.write(b"\0" * lost)
    store = SqliteStore(path, goes_on=True)
    await store.open()
    assert await store.load_sessions() == before
    assert [await store.load_turns(head.session_id) for head in before] == turns
    assert store.repair.turns_from_backup == 0
    await store.close()


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("has_backup", [True, False])
@pytest.mark.parametrize("is_cut_off", [True, False])
async def test_what_the_log_of_a_lost_file_has_comes_back(path, monkeypatch, is_there, has_backup, is_cut_off):
    monkeypatch.setattr("chatforge_tui.store.opening.choose_journal", lambda *, local: "wal")
    store = SqliteStore(path)
    await store.open()
    if has_backup:
        await asyncio.to_thread(care.back_up, path)
    for position in range(30):
        await store.create_session(a_session(position=position, title=f"session {position}"))
    before = await store.load_sessions()
    log = path.with_name("store.db-wal").read_bytes()
    await store.close()
    path.unlink()
    if is_there:
        path.touch()
    path.with_name("store.db-wal").write_bytes(log)
    with pytest.raises(StoreCorrupt, match="its content was lost"):
        await SqliteStore(path).open()
    if is_cut_off:

        def cut(*_):
            raise OSError(errno.EIO, "the power is gone")

        with monkeypatch.context() as patched:
            patched.setattr("pathlib.Path.replace", cut)
            with pytest.raises(StoreUnavailable):
                await asyncio.to_thread(salvage.repair, path)
    store = SqliteStore(path, goes_on=True)
    await store.open()
    assert await store.load_sessions() == before
    assert store.repair.sessions_from_backup == 0
    await store.close()
    assert (aside(path) / "store.db-wal").read_bytes() == log
    assert {file.name for file in aside(path).iterdir()} <= {"store.db", "store.db-wal"}


async def test_how_far_it_is_can_be_seen_meanwhile(damaged, monkeypatch):
    seen, whole = [], salvaged_rows._adopt

    def adopt(*row):
        seen.append(store.salvaged)
        whole(*row)

    monkeypatch.setattr(salvaged_rows, "_adopt", adopt)
    store = SqliteStore(damaged, goes_on=True)
    assert store.salvaged is None
    await store.open()
    assert seen == list(range(len(seen)))
    assert seen
    assert store.salvaged is None
    await store.close()
