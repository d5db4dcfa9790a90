"""Each test is a race that other programs lose, driven step by step."""

import asyncio
import logging

import pytest

from chatforge_tui.domain.changes import SessionRemoved, TurnBegan, TurnChanged, TurnEnded
from chatforge_tui.domain.events import Accepted, Finished, TaskBound, TextDelta
from chatforge_tui.domain.ids import ContextId, SessionId, TaskId
from chatforge_tui.domain.part import NoticePart
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import UnknownSession, Unreachable
from chatforge_tui.sessions import EngineSettings
from tests.virtual_clock import settle

BOUND = TaskBound(TaskId("task"), ContextId("context"))


def test_a_send_in_one_session_leaves_the_stream_of_another_running(run):
    async def body(engine):
        a, b = await engine.new(), await engine.new()
        wire_a = await engine.send(a)
        wire_a.say(Accepted("f"), TextDelta("one "))
        await engine.send(b)
        wire_a.say(TextDelta("two"), Finished())
        turn = await engine.manager.finished(a)
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "one two")

    run(body)


def test_two_sends_at_the_same_moment_leave_one_request_and_both_prompts(run, endpoints):
    async def body(engine):
        a = await engine.new()
        await asyncio.gather(*(engine.manager.send(a, Prompt(text)) for text in "xyz"))
        await settle()
        turns = await engine.manager.turns(a)
        assert [turn.head.prompt.text for turn in turns] == ["x", "y", "z"]
        assert [turn.head.state for turn in turns[:2]] == [TurnState.ABORTED] * 2
        assert [wire.request.prompt.text for wire in endpoints.open_wires] == ["z"]

    run(body)


def test_late_bytes_of_an_aborted_request_change_nothing(run, endpoints):
    async def body(engine):
        endpoints.stubborn = True
        a = await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), TextDelta("kept"))
        await settle()
        assert await engine.manager.abort(a)
        frozen = await engine.last(a)
        assert (frozen.head.state, frozen.answer) == (TurnState.ABORTED, "kept")
        engine.drain()
        wire.say(TextDelta(" late"), Finished())
        await asyncio.sleep(1)
        assert await engine.last(a) == frozen
        assert engine.drain() == []

    run(body)


def test_a_delete_during_a_send_brings_no_session_back(run, store):
    async def body(engine):
        a = await engine.new()
        sending = asyncio.ensure_future(engine.manager.send(a, Prompt("x")))  # noqa: TID251 - a second caller
        deleting = asyncio.ensure_future(engine.manager.delete_session(a))  # noqa: TID251 - a second caller
        await asyncio.wait({sending, deleting})
        assert deleting.exception() is None
        assert sending.exception() is None or isinstance(sending.exception(), UnknownSession)
        await asyncio.sleep(100)
        assert engine.manager.sessions() == ()
        assert await store.load_sessions() == []
        assert engine.drain()[-1] == SessionRemoved(a)

    run(body)


def test_delete_waits_for_the_worker_and_leaves_nothing(run, endpoints, store):
    async def body(engine):
        a, b = await engine.new(), await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), BOUND, TextDelta("x"))
        await settle()
        await engine.manager.delete_session(a)
        assert wire.closed
        assert endpoints.made[0].is_closed
        assert endpoints.canceled == [TaskRef(TaskId("task"), ContextId("context"))]
        assert [head.session_id for head in engine.manager.sessions()] == [b]
        for call in (engine.manager.turns(a), engine.manager.send(a, Prompt("y")), engine.manager.abort(a)):
            with pytest.raises(UnknownSession):
                await call
        stored = await store.load_turns(a)
        assert [turn.head.state for turn in stored] == [TurnState.ABORTED]
        head = await engine.manager.restore_session(a)
        assert head.turns == 1
        assert [turn.answer for turn in await engine.manager.turns(a)] == ["x"]

    run(body)


def test_stop_freezes_the_text_at_once_and_waits_for_nothing(run, endpoints):
    async def body(engine):
        a = await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), TextDelta("x"))
        await settle()
        engine.manager.stop(a)
        wire.say(TextDelta("y"))
        turn = await engine.manager.finished(a)
        assert (turn.head.state, turn.answer, wire.closed) == (TurnState.ABORTED, "x", True)
        engine.manager.stop(a)
        with pytest.raises(UnknownSession):
            engine.manager.stop(SessionId("nobody"))

    run(body)


def test_an_abort_that_meets_a_finish_gives_one_end(run):
    async def body(engine):
        a = await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), TextDelta("x"), Finished())
        assert await engine.manager.abort(a)
        assert not await engine.manager.abort(a)
        await asyncio.sleep(1)
        ended = engine.events(TurnEnded)
        assert [event.turn.head.state for event in ended] == [TurnState.ABORTED]

    run(body)


@pytest.mark.parametrize("moment", ["connecting", "headers", "body", "pause"])
def test_an_abort_reaches_aborted_at_once_from_every_state(run, endpoints, moment):
    async def body(engine):
        a = await engine.new()
        wire = await engine.send(a)
        if moment in {"headers", "body"}:
            wire.say(Accepted("f"))
        if moment == "body":
            wire.say(TextDelta("x"))
        if moment == "pause":
            wire.say(Unreachable("refused", retryable=True))
        await settle()
        began = engine.time()
        assert await engine.manager.abort(a)
        assert engine.time() - began <= 0.2
        assert (await engine.last(a)).head.state is TurnState.ABORTED
        assert not endpoints.open_wires

    run(body)


@pytest.mark.parametrize("fault", ["stubborn", "slow to close", "agent does not answer"])
def test_an_endpoint_that_does_not_obey_delays_no_abort(run, endpoints, fault):
    async def body(engine):
        endpoints.stubborn = fault == "stubborn"
        endpoints.slow_to_close = 30.0 if fault == "slow to close" else 0.0
        endpoints.cancel_takes = 30.0 if fault == "agent does not answer" else 0.0
        a = await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), BOUND)
        await settle()
        began = engine.time()
        assert await engine.manager.abort(a)
        ended = engine.events(TurnEnded)[0].turn.head.ended
        assert ended - 1_700_000_000 - began <= 0.2
        assert endpoints.canceled == [TaskRef(TaskId("task"), ContextId("context"))]
        endpoints.stubborn, endpoints.slow_to_close = False, 0.0
        again = await engine.send(a, "again")
        again.say(Accepted("f"), Finished())
        turn = await engine.manager.finished(a)
        assert turn.head.state is TurnState.COMPLETE
        wire.say(TextDelta("late"))
        await asyncio.sleep(40)

    run(body)


@pytest.mark.parametrize("what", ["abort", "send"])
def test_the_last_word_of_an_agent_stands_though_its_stream_is_still_being_closed(run, endpoints, what):
    async def body(engine):
        endpoints.slow_to_close = 0.1
        a = await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), BOUND, TextDelta("all"), Finished())
        await settle()
        if what == "abort":
            await engine.manager.abort(a)
        else:
            (await engine.send(a, "again")).say(Accepted("f"), Finished())
            await engine.manager.finished(a)
        first = (await engine.manager.turns(a))[0]
        assert (first.head.state, first.answer) == (TurnState.COMPLETE, "all")
        assert not endpoints.canceled

    run(body)


def test_an_agent_that_cannot_be_told_is_named_in_the_turn(run, endpoints):
    async def body(engine):
        endpoints.cancel_error = Unreachable("no route")
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND)
        await settle()
        await engine.manager.abort(a)
        notices = [part.text for part in (await engine.last(a)).parts if isinstance(part, NoticePart)]
        assert notices == ["The agent could not be told to stop: no route"]

    run(body)


def test_a_new_prompt_tells_the_agent_of_the_old_one_once(run, endpoints):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND)
        await settle()
        await engine.send(a, "again")
        assert endpoints.canceled == [TaskRef(TaskId("task"), ContextId("context"))]

    run(body)


def test_shutdown_interrupts_everything_quickly_and_cancels_no_agents_task(run, endpoints, store):
    sessions = []

    async def body(engine):
        for _ in range(50):
            session = await engine.new()
            sessions.append(session)
            (await engine.send(session)).say(Accepted("f"), BOUND, TextDelta("x"))
        await settle()

    run(body)
    assert endpoints.canceled == []
    assert all(endpoint.is_closed for endpoint in endpoints.made)

    async def look():
        await store.open()
        return [turn for session in sessions for turn in await store.load_turns(session)]

    states = {(turn.head.state, turn.answer) for turn in asyncio.run(look())}
    assert states == {(TurnState.INTERRUPTED, "x")}


def test_closing_a_tab_and_switching_touch_no_stream(run):
    async def body(engine):
        a, b = await engine.new(), await engine.new()
        wire = await engine.send(a)
        wire.say(Accepted("f"), TextDelta("one "))
        await engine.manager.close_session(a)
        engine.manager.activate(b)
        wire.say(TextDelta("two"), Finished())
        assert (await engine.manager.finished(a)).answer == "one two"

    run(body)


def test_a_torrent_in_one_session_lets_the_others_have_their_turn(run):
    async def body(engine):
        a, b = await engine.new(), await engine.new()
        torrent, calm = await engine.send(a), await engine.send(b)
        torrent.say(Accepted("f"), *(TextDelta("x") for _ in range(20_000)))
        calm.say(Accepted("f"), TextDelta("y"), Finished())
        await engine.manager.finished(b)
        assert len((await engine.last(a)).answer) < 2_000
        torrent.say(Finished())
        assert len((await engine.manager.finished(a)).answer) == 20_000

    run(body)


def test_reading_a_session_while_it_streams_continues_exactly_where_it_ends(run):
    async def body(engine):
        a = await engine.new()
        wire = await engine.send(a)
        watcher = engine.manager.subscribe()
        wire.say(Accepted("f"), TextDelta("one "))
        await settle()
        turns = await engine.manager.turns(a, watcher)
        wire.say(TextDelta("two"))
        await settle()
        changed = [event for event in watcher.drain() if isinstance(event, TurnChanged | TurnBegan)]
        assert turns[-1].answer == "one "
        assert [change.text for event in changed for change in event.changes] == ["two"]

    run(body)


def test_a_turn_that_takes_too_long_is_interrupted(run):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), TextDelta("x"))
        turn = await engine.manager.finished(a)
        assert (turn.head.state, turn.head.problem.kind) == (TurnState.INTERRUPTED, "timeout")

    run(body, EngineSettings(turn_most_s=30.0))


def test_log_lines_name_session_and_request(run, caplog):
    async def body(engine):
        a = await engine.new()
        wire = await engine.send(a)
        request = wire.request.request_id
        await engine.manager.abort(a)
        lines = {record.message.split(" session=")[0]: record for record in caplog.records}
        wanted = [
            "starting new stream for session",
            "aborting previous request for session",
            "stream aborted for session",
        ]
        for line in wanted:
            assert (lines[line].session_id, lines[line].request_id) == (a, request)
            assert a in lines[line].message
            assert request in lines[line].message

    with caplog.at_level(logging.INFO, "chatforge.sessions"):
        run(body)
