"""A store that cannot be written when it is opened, and can be later."""

import asyncio

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreError, StoreUnavailable
from chatforge_tui.store import door
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_full_turn, a_session, a_turn, counted


@pytest.fixture
async def kept(path):
    """A closed store with one session; its head."""
    store = SqliteStore(path)
    await store.open()
    session = a_session()
    await store.create_session(session)
    await store.end_turn(a_full_turn(session), counted(session, 1, TurnState.FAILED))
    await store.close()
    return session


class Obstacles:
    """What keeps stores from being opened, for writing and for reading."""

    def __init__(self, monkeypatch):
        self.writing = self.reading = False
        for name in ("open_for_writing", "open_for_reading"):
            monkeypatch.setattr(door, name, self._guarded(getattr(door, name), name.split("_")[-1]))

    def _guarded(self, opening, what):
        def guarded(*args, **settings):
            if getattr(self, what):
                message = "The disk is away."
                raise StoreUnavailable(message, hint="Bring it back.")
            return opening(*args, **settings)

        return guarded


@pytest.fixture
def obstacles(monkeypatch):
    return Obstacles(monkeypatch)


async def test_what_cannot_be_written_is_read_and_changed_later(path, kept, obstacles):
    obstacles.writing = True
    store = SqliteStore(path, goes_on=True)
    await store.open()
    assert store.refusal == "Not saved: The disk is away. Bring it back. ChatForge goes on by itself then."
    assert [head.session_id for head in await store.load_sessions()] == [kept.session_id]
    with pytest.raises(StoreUnavailable, match="disk is away"):
        await store.begin_turn(a_turn(kept, 1), kept)
    store.update_session(kept.session_id, SessionPatch(draft="first"), 5.0)
    store.update_session(kept.session_id, SessionPatch(draft="last", unread=True), 6.0)
    assert await store.recover() is False
    assert len(await store.load_turns(kept.session_id)) == 1

    obstacles.writing = False
    assert await store.recover() is True
    assert store.refusal == ""
    [head] = await store.load_sessions()
    assert (head.draft, head.unread, head.updated) == ("last", True, 6.0)
    await store.begin_turn(a_turn(kept, 1), replace(head, turns=2))
    assert await store.recover() is False
    await store.close()


async def test_what_cannot_be_read_either_is_empty_until_it_can(path, kept, obstacles):
    obstacles.writing = obstacles.reading = True
    store = SqliteStore(path, goes_on=True)
    await store.open()
    assert store.refusal.startswith("Not saved: The disk is away.")
    assert await store.load_sessions() == []
    assert await store.search("anything") == []
    with pytest.raises(StoreUnavailable):
        await store.create_session(a_session())
    assert await store.recover() is False
    obstacles.reading = False
    assert await store.recover() is False
    assert len(await store.load_sessions()) == 1
    obstacles.writing = False
    assert await store.recover() is True
    await store.create_session(a_session())
    assert len(await store.load_sessions()) == 2
    await store.close()


async def test_nobody_is_refused_while_it_is_opened_once_more(path, kept, obstacles):
    obstacles.writing = True
    store = SqliteStore(path, goes_on=True)
    await store.open()
    obstacles.writing = False
    recovered, heads, created = await asyncio.gather(
        store.recover(), store.load_sessions(), store.create_session(a_session())
    )
    assert (recovered, len(heads), created) == (True, 1, None)
    await store.close()


async def test_a_command_does_not_go_on(path, kept, obstacles):
    obstacles.writing = True
    with pytest.raises(StoreError, match="disk is away"):
        await SqliteStore(path).open()


async def test_a_store_that_cannot_be_opened_can_be_closed(path, obstacles):
    obstacles.writing = obstacles.reading = True
    store = SqliteStore(path, goes_on=True)
    await store.open()
    await store.flush()
    await store.close()
