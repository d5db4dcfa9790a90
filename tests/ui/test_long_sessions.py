"""A long session is shown from its end: the last turns at once, the others behind them."""

import asyncio

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreError
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.ui.bridge import EngineThread
from chatforge_tui.ui.engine_messages import EarlierTurnsLoaded, TurnsLoaded
from tests.fakes.scripted_endpoint import ScriptedEndpoints
from tests.store.values import a_session, a_turn, counted, ended
from tests.ui.program import running

TURNS = 23


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr("chatforge_tui.ui.bridge.FIRST_TURNS", 5)
    monkeypatch.setattr("chatforge_tui.ui.bridge.STEP_TURNS", 4)


async def fill(store, turns: int, *, anchor: str = "", position: int = 0):
    """Put a session of so many turns into a store."""
    session = a_session(
        title=f"of {turns}", position=position, endpoint=EndpointRef("x"), anchor=anchor, is_active=position == 0
    )
    await store.create_session(session)
    for ordinal in range(turns):
        head = a_turn(session, ordinal, f"question {ordinal}", started=100.0 + ordinal)
        await store.end_turn(ended(head, f"answer {ordinal}"), counted(session, ordinal + 1, TurnState.COMPLETE))
    return session


async def loaded(store, session, *, in_steps: bool = True):
    """Return what the bridge delivers of a session."""
    said = []
    engine = EngineThread(
        lambda: SessionManager(store=store, endpoints=ScriptedEndpoints()), deliver=said.append, may_paint=lambda: True
    )
    engine.start()
    engine.show(session.session_id, is_loaded=False, in_steps=in_steps)
    for _ in range(500):
        got = [one for one in list(said) if isinstance(one, TurnsLoaded | EarlierTurnsLoaded)]
        if got and got[-1].is_whole:
            break
        await asyncio.sleep(0.01)
    assert await engine.stop(5)
    return [[turn.head.ordinal for turn in one.turns] for one in got]


async def test_the_last_turns_come_first_and_all_others_in_steps():
    store = MemoryStore()
    session = await fill(store, TURNS)
    steps = await loaded(store, session)
    assert steps[0] == list(range(18, TURNS))
    assert [ordinal for step in reversed(steps) for ordinal in step] == list(range(TURNS))
    assert max(map(len, steps[1:])) == 4


async def test_a_short_session_comes_at_once():
    store = MemoryStore()
    session = await fill(store, 9)
    assert await loaded(store, session) == [list(range(9))]


class OnlyTheEnd(MemoryStore):
    """Of which the earlier turns cannot be read."""

    async def load_turns(self, session_id, *, since=0, before=None, but=None):
        if before is not None:
            message = "The disk does not answer."
            raise StoreError(message)
        return await super().load_turns(session_id, since=since, but=but)


async def test_where_the_earlier_turns_cannot_be_read_the_end_stays_and_that_is_said(home):
    store = OnlyTheEnd()
    await fill(store, 3)
    session = await fill(store, TURNS, position=1)
    async with running(home, store=store) as program:
        program.app.bring_to_front(session.session_id)
        await program.sees("The earlier turns of this session cannot be read.")
        assert "answer 22" in program.text


async def test_so_does_one_of_which_something_is_shown_already():
    store = MemoryStore()
    session = await fill(store, TURNS)
    assert await loaded(store, session, in_steps=False) == [list(range(TURNS))]


async def test_so_does_one_whose_reader_was_far_above():
    store = MemoryStore()
    session = await fill(store, TURNS)
    turns = await store.load_turns(session.session_id)
    await store.close()
    for at, steps in ((2, 1), (20, 6)):
        store = MemoryStore()
        session = a_session(endpoint=EndpointRef("x"), anchor=f"{turns[at].head.turn_id}/0/0/0")
        await store.create_session(session)
        for turn in turns:
            mine = ended(a_turn(session, turn.head.ordinal, turn_id=turn.head.turn_id), turn.answer)
            await store.end_turn(mine, counted(session, turn.head.ordinal + 1, TurnState.COMPLETE))
        assert len(await loaded(store, session)) == steps


class Miscounting(MemoryStore):
    count = 0

    async def load_sessions(self, *, trashed: bool = False):
        return [replace(head, turns=self.count) for head in await super().load_sessions(trashed=trashed)]


@pytest.mark.parametrize("count", [TURNS + 4, TURNS + 40, 2**60])
async def test_so_does_one_that_has_fewer_turns_than_its_head_says(count):
    store = Miscounting()
    store.count = count
    session = await fill(store, TURNS)
    assert await loaded(store, session) == [list(range(TURNS))]


async def test_in_the_program_the_whole_session_can_be_read_searched_and_gone_through(home):
    store = MemoryStore()
    await store.open()
    await fill(store, TURNS)
    async with running(home, store=store) as program:
        await program.sees(f"answer {TURNS - 1}")
        pane = program.app._book.current
        await program.until(lambda: pane.is_loaded)
        assert pane.prompts == [f"question {ordinal}" for ordinal in range(TURNS)]
        assert pane.transcript.turns == TURNS
        assert len(program.app._main.transcript.find("question")) == TURNS
        program.app._main.transcript.action_top()
        await program.sees("question 0")
