"""The engine's thread, without a screen: messages are collected, the terminal is a flag."""

import asyncio
import threading
import time

import pytest

from chatforge_tui.domain.changes import TurnChanged, TurnEnded
from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.errors import EngineStopped, StoreUnavailable, UnknownSession
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.ui.bridge import EngineThread
from chatforge_tui.ui.engine_messages import EngineBatch, EngineEnded, EngineReady, TurnsLoaded
from tests.fakes.scripted_endpoint import ScriptedEndpoints


class Screen:
    """Where the messages of the bridge end up: the UI's side."""

    def __init__(self, *, script=None) -> None:
        self.messages = []
        self.reads = True
        self.endpoints = ScriptedEndpoints(script)
        self.engine = EngineThread(
            lambda: SessionManager(store=MemoryStore(), endpoints=self.endpoints),
            deliver=self.messages.append,
            may_paint=lambda: self.reads,
        )

    def of(self, kind):
        return [message for message in list(self.messages) if isinstance(message, kind)]

    async def until(self, condition) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, self.messages
            await asyncio.sleep(0)

    async def say(self, wire, *events) -> None:
        async def say(_) -> None:
            wire.say(*events)

        await self.engine.call(say)


@pytest.fixture
async def screen():
    made = Screen()
    made.engine.start()
    yield made
    assert await made.engine.stop(5)


async def session(screen: Screen):
    return await screen.engine.call(lambda manager: manager.create_session(EndpointRef("x")))


async def test_a_command_given_before_the_engine_runs_waits_for_it():
    screen = Screen()
    command = asyncio.ensure_future(session(screen))  # noqa: TID251 - a test may start a task
    await asyncio.sleep(0)
    screen.engine.start()

    assert (await command).endpoint.name == "x"
    assert await screen.engine.stop(5)
    assert isinstance(screen.messages[0], EngineReady)


async def test_commands_run_in_a_thread_of_their_own(screen):
    async def where(_) -> int:
        return threading.get_ident()

    assert await screen.engine.call(where) != threading.get_ident()


async def test_a_busy_engine_gives_way_to_a_key_within_a_millisecond(monkeypatch):
    monkeypatch.setattr("sys.setswitchinterval", (seconds := []).append)
    monkeypatch.setattr("sys.getswitchinterval", lambda: 0.005)
    screen = Screen()
    screen.engine.start()
    await screen.engine.stop(5)
    assert seconds == [0.001]


async def test_an_error_of_a_command_reaches_who_gave_it(screen):
    async def fail(_) -> None:
        raise UnknownSession("no such session")

    with pytest.raises(UnknownSession):
        await screen.engine.call(fail)


async def test_an_engine_that_cannot_start_says_why_and_refuses_commands():
    def refuse() -> SessionManager:
        raise StoreUnavailable("the disk is full")

    messages = []
    engine = EngineThread(refuse, deliver=messages.append)
    engine.start()

    with pytest.raises(EngineStopped):
        await session(engine_screen(engine))
    assert await engine.stop(5)
    assert isinstance(messages[0], EngineEnded)
    assert str(messages[0].error) == "the disk is full"


def engine_screen(engine: EngineThread) -> Screen:
    screen = Screen()
    screen.engine = engine
    return screen


async def test_an_engine_that_crashes_later_says_so(screen):
    ready = screen.of(EngineReady)
    await screen.until(lambda: screen.of(EngineReady))

    screen.engine._in_engine(lambda: screen.engine._wants.set() or setattr(screen.engine, "_wanted", 42))
    await screen.until(lambda: screen.of(EngineEnded))

    assert screen.of(EngineEnded)[0].error is not None
    assert ready is not None


async def test_after_the_end_a_command_is_refused():
    screen = Screen()
    screen.engine.start()
    await session(screen)
    await screen.engine.stop(5)

    with pytest.raises(EngineStopped):
        await session(screen)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("chatforge-engine")]


async def test_the_next_batch_waits_until_the_last_one_was_taken(screen):
    head = await session(screen)
    await screen.until(lambda: screen.of(EngineBatch))
    screen.engine.show(head.session_id, is_loaded=False)
    await screen.until(lambda: screen.of(TurnsLoaded))

    await screen.engine.call(lambda manager: manager.send(head.session_id, Prompt("hello")))
    wire = await screen.engine.call(lambda _: screen.endpoints.wire(head.session_id))
    await screen.say(wire, Accepted("fake"), *(TextDelta("x") for _ in range(50)))
    await screen.engine.call(lambda _: screen.endpoints.wire(head.session_id))
    assert len(screen.of(EngineBatch)) == 1

    screen.engine.acknowledge()
    await screen.until(lambda: len(screen.of(EngineBatch)) == 2)


async def test_a_terminal_that_does_not_read_delays_neither_stream_nor_store(screen):
    head = await session(screen)
    screen.reads = False
    seen = len(screen.messages)
    await screen.engine.call(lambda manager: manager.send(head.session_id, Prompt("hello")))
    wire = await screen.engine.call(lambda _: screen.endpoints.wire(head.session_id))
    await screen.say(wire, Accepted("fake"), TextDelta("all of it"), Finished())

    turn = await screen.engine.call(lambda manager: manager.finished(head.session_id))

    assert turn is not None
    assert turn.answer == "all of it"
    assert [
        m
        for m in screen.messages[seen:]
        if isinstance(m, EngineBatch) and any(isinstance(e, TurnEnded) for e in m.events)
    ] == []
    screen.reads = True
    screen.engine.acknowledge()
    await screen.until(lambda: any(isinstance(e, TurnEnded) for m in screen.of(EngineBatch) for e in m.events))


async def test_only_the_session_that_was_asked_for_last_has_its_deltas_delivered(screen):
    first, second = await session(screen), await session(screen)
    screen.engine.show(first.session_id, is_loaded=False)
    screen.engine.show(second.session_id, is_loaded=False)
    await screen.until(lambda: any(m.session_id == second.session_id for m in screen.of(TurnsLoaded)))

    for head in (first, second):
        await screen.engine.call(lambda manager, head=head: manager.send(head.session_id, Prompt("go")))
        wire = await screen.engine.call(lambda _, head=head: screen.endpoints.wire(head.session_id))
        await screen.say(wire, Accepted("fake"), TextDelta(f"text of {head.session_id}"))

    def texts() -> str:
        screen.engine.acknowledge()
        return repr([e for m in screen.of(EngineBatch) for e in m.events if isinstance(e, TurnChanged)])

    await screen.until(lambda: f"text of {second.session_id}" in texts())
    assert f"text of {first.session_id}" not in texts()


async def test_a_session_that_is_gone_is_no_error_for_a_change_that_comes_late(screen):
    head = await session(screen)
    await screen.engine.call(lambda manager: manager.delete_session(head.session_id))

    screen.engine.post(lambda manager: manager.activate(head.session_id))
    screen.engine.show(head.session_id, is_loaded=False)

    assert await session(screen)
    assert not screen.of(EngineEnded)
