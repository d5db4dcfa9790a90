import asyncio
import time

import pytest
from msgspec.structs import replace

from chatforge_tui.cli.trash import empty_trash
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.cli.material import FIRST, HEAD

DAY = 86_400


@pytest.fixture
def store(program):
    program.fill((HEAD, (FIRST,)), (replace(HEAD, session_id="01b00000-0000-7000-8000-000000000001", position=1), ()))
    return program.home / "data" / "sessions.db"


def deleted_days_ago(program, days):
    async def trash():
        store = SqliteStore(program.home / "data" / "sessions.db")
        await store.open()
        await store.trash_session(HEAD.session_id, time.time() - days * DAY)
        await store.close()

    asyncio.run(trash())


def test_what_was_deleted_long_ago_goes_for_good_and_nothing_else(program, store):
    deleted_days_ago(program, 8)
    assert empty_trash(store, 7) == 1
    assert program.run("sessions", "--trash", "--json").json == []
    assert len(program.run("sessions", "--json").json) == 1


@pytest.mark.parametrize(("deleted", "days"), [(6, 7), (400, 0)])
def test_what_was_deleted_lately_or_is_never_to_go_stays(program, store, deleted, days):
    deleted_days_ago(program, deleted)
    assert empty_trash(store, days) == 0
    assert len(program.run("sessions", "--trash", "--json").json) == 1


def test_without_a_store_there_is_nothing_to_do(tmp_path):
    assert empty_trash(tmp_path / "sessions.db", 7) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_used_is_no_reason_to_fail(tmp_path):
    (tmp_path / "sessions.db").write_bytes(b"no database" * 100)
    assert empty_trash(tmp_path / "sessions.db", 7) == 0
