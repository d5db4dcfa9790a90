"""A task whose stream was lost is read on with: while the program runs, and after it died."""

import asyncio
from unittest.mock import ANY

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import TurnBegan, TurnChanged, TurnEnded
from chatforge_tui.domain.events import (
    Accepted,
    Canceled,
    FileOffered,
    Finished,
    TaskBound,
    TextDelta,
    TextReplaced,
    WaitingForUser,
)
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import (
    HttpRejected,
    ProtocolMismatch,
    StreamLost,
    StreamStalled,
    TaskForgotten,
    Unreachable,
)
from chatforge_tui.sessions import EngineSettings
from tests.sessions.conftest import Engine, engine_on
from tests.virtual_clock import run_virtually, settle

BOUND = TaskBound(TaskId("task-1"), ContextId("context-1"))
TASK = TaskRef(TaskId("task-1"), ContextId("context-1"))
TAKES_UP = EngineSettings(takes_up=True)


@pytest.fixture(autouse=True)
def agent_with_tasks(endpoints):
    endpoints.can_resume = True


async def pass_s(seconds: float) -> None:
    await asyncio.sleep(seconds)
    await settle()


async def streaming(engine: Engine, *more) -> tuple:
    session = await engine.new()
    wire = await engine.send(session)
    wire.say(Accepted("fake"), BOUND, TextDelta("one "), *more)
    await settle()
    return session, wire


LOSSES = [None, StreamLost("reset"), StreamStalled("silence")]


@pytest.mark.parametrize("loss", LOSSES, ids=["eof", "lost", "stalled"])
def test_a_lost_stream_is_read_on_with_and_nothing_is_sent_again(run, endpoints, loss):
    async def body(engine):
        session, wire = await streaming(engine)
        wire.say(loss) if loss else wire.cut()
        await settle()
        turn = await engine.last(session)
        assert turn.head.state is TurnState.CONNECTING
        assert turn.head.retry_at == pytest.approx(engine.manager._clock.now() + 1.0)
        assert turn.answer == "one "
        endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two "), TextDelta("three"), Finished()]
        await engine.manager.finished(session)
        turn = await engine.last(session)
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "one two three")
        assert [each.task for each in endpoints.rejoined] == [TASK]
        assert len(endpoints.wires) == 1

    run(body)


def test_the_pauses_grow_and_then_the_turn_is_interrupted_with_its_text(run, endpoints):
    endpoints.retell = lambda task: [Unreachable("refused", retryable=True)]

    async def body(engine):
        session, wire = await streaming(engine)
        began = engine.time()
        wire.cut()
        turn = await engine.manager.finished(session)
        assert engine.time() - began == pytest.approx(31.0)
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        assert turn.head.problem.kind == "unreachable"
        assert "/continue" in turn.head.problem.hint
        assert len(endpoints.rejoined) == 5

    run(body)


def test_news_make_the_pauses_begin_anew(run, endpoints):
    told = ["one ", "two ", "three ", "four ", "five ", "six ", "seven "]

    def retell(task):
        text = "".join(told[: len(endpoints.rejoined) + 1])
        end = [Finished()] if len(endpoints.rejoined) == 6 else []
        return [Accepted("fake"), TextDelta(text), *end]

    endpoints.retell = retell

    async def body(engine):
        session, wire = await streaming(engine)
        began = engine.time()
        wire.cut()
        turn = await engine.manager.finished(session)
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "".join(told))
        assert engine.time() - began == pytest.approx(6.0)

    run(body)


def test_a_task_that_stays_silent_is_asked_for_once_more_and_then_interrupted(run, endpoints):
    endpoints.retell = lambda task: [Accepted("fake"), TextDelta("one "), StreamStalled("silence")]

    async def body(engine):
        session, wire = await streaming(engine)
        wire.say(StreamStalled("silence"))
        turn = await engine.manager.finished(session)
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        assert len(endpoints.rejoined) == 1

    run(body)


def test_a_forgotten_task_is_not_asked_for_again(run, endpoints):
    endpoints.retell = lambda task: [TaskForgotten("The agent no longer knows this task.", hint="Ask it again.")]

    async def body(engine):
        session, wire = await streaming(engine)
        wire.cut()
        turn = await engine.manager.finished(session)
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        assert turn.head.problem.message == "The agent no longer knows this task."
        assert len(endpoints.rejoined) == 1
        assert not await engine.manager.reattach(session)

    run(body)


@pytest.mark.parametrize("error", [ProtocolMismatch("html"), HttpRejected("no", status=404)])
def test_what_does_not_pass_by_itself_ends_the_tries_and_keeps_the_text(run, endpoints, error):
    endpoints.retell = lambda task: [error]

    async def body(engine):
        session, wire = await streaming(engine)
        wire.cut()
        turn = await engine.manager.finished(session)
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        assert len(endpoints.rejoined) == 1

    run(body)


def test_what_was_told_of_a_lost_request_comes_too_late(run, endpoints):
    async def body(engine):
        session, wire = await streaming(engine)
        wire.cut()
        await pass_s(1.5)
        wire.say(TextDelta("LATE"))
        endpoints.rejoined[0].say(Accepted("fake"), TextReplaced("one two"), Finished())
        turn = await engine.manager.finished(session)
        assert turn.answer == "one two"

    run(body)


def test_a_question_a_cancellation_and_a_file_come_out_as_they_would_have(run, endpoints):
    file = FileOffered("a.txt", data=b"x")
    last = [WaitingForUser(QuestionKind.INPUT, "Which?"), Canceled("enough")]
    endpoints.retell = lambda task: [Accepted("fake"), TextDelta("one "), file, last[len(endpoints.rejoined) - 1]]

    async def body(engine):
        states = []
        for _ in last:
            session, wire = await streaming(engine, file)
            wire.cut()
            turn = await engine.manager.finished(session)
            assert [type(part).__name__ for part in turn.parts][:2] == ["TextPart", "FilePart"]
            assert sum(type(part).__name__ == "FilePart" for part in turn.parts) == 1
            states.append(turn.head.state)
        assert states == [TurnState.WAITING, TurnState.ABORTED]

    run(body)


@pytest.mark.parametrize("wait_s", [0.5, 1.5], ids=["in the pause", "while it is asked for"])
def test_stopping_stops_the_tries_at_once_and_tells_the_agent_once(run, endpoints, wait_s):
    async def body(engine):
        session, wire = await streaming(engine)
        wire.cut()
        await pass_s(wait_s)
        began = engine.time()
        assert await engine.manager.abort(session)
        assert engine.time() - began < 0.2
        turn = await engine.last(session)
        assert (turn.head.state, turn.answer) == (TurnState.ABORTED, "one ")
        assert endpoints.canceled == [TASK]
        await pass_s(60)
        assert len(endpoints.rejoined) == (0 if wait_s < 1 else 1)

    run(body)


def test_a_new_prompt_takes_the_place_of_a_task_that_is_asked_for(run, endpoints):
    async def body(engine):
        session, wire = await streaming(engine)
        wire.cut()
        await pass_s(1.5)
        second = await engine.send(session, "again")
        assert endpoints.canceled == [TASK]
        second.say(Accepted("fake"), TextDelta("anew"), Finished())
        await engine.manager.finished(session)
        first, last = await engine.manager.turns(session)
        assert (first.head.state, last.head.state, last.answer) == (TurnState.ABORTED, TurnState.COMPLETE, "anew")

    run(body)


def test_without_a_task_or_without_an_adapter_that_can_a_lost_stream_is_interrupted(run, endpoints):
    async def body(engine):
        session = await engine.new()
        wire = await engine.send(session)
        wire.say(Accepted("fake"), TextDelta("one "))
        wire.cut()
        assert (await engine.manager.finished(session)).head.state is TurnState.INTERRUPTED
        endpoints.can_resume = False
        session, wire = await streaming(engine)
        wire.cut()
        assert (await engine.manager.finished(session)).head.state is TurnState.INTERRUPTED
        assert endpoints.rejoined == []

    run(body)


# When the agent waits

ASKED = WaitingForUser(QuestionKind.AUTH, "Sign in.")


async def waiting(engine: Engine):
    session, wire = await streaming(engine, ASKED)
    assert (await engine.last(session)).head.state is TurnState.WAITING
    assert engine.manager.session(session).waiting_task == TASK.task_id
    return session, wire


def test_an_agent_that_went_on_by_itself_is_read_on_with_and_asks_no_more(endpoints, run):
    endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two"), Finished()]

    async def body(engine):
        session, _ = await waiting(engine)
        assert await engine.manager.reattach(session)
        turn = await engine.manager.finished(session)
        assert (turn.head.state, turn.answer, turn.question) == (TurnState.COMPLETE, "one two", None)
        assert engine.manager.session(session).waiting_task is None
        assert [wire.task for wire in endpoints.rejoined] == [TASK]
        assert len(endpoints.wires) == 1
        next_wire = await engine.send(session, "thanks")
        assert next_wire.request.answers_task is None
        next_wire.say(Accepted("fake"), Finished())

    run(body)


def test_an_agent_that_still_waits_asks_once_and_can_be_answered(endpoints, run):
    endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one "), ASKED]

    async def body(engine):
        session, _ = await waiting(engine)
        before = await engine.last(session)
        for _ in range(2):
            assert await engine.manager.reattach(session)
            await pass_s(5)
        assert await engine.last(session) == replace(before, head=replace(before.head, request_id=ANY))
        answer = await engine.send(session, "done")
        assert answer.request.answers_task == TASK.task_id
        answer.say(Accepted("fake"), Finished())

    run(body)


def test_a_waiting_agent_that_cannot_be_asked_can_be_asked_later(endpoints, run):
    endpoints.retell = lambda task: [ProtocolMismatch("not now")]

    async def body(engine):
        session, _ = await waiting(engine)
        assert await engine.manager.reattach(session)
        turn = await engine.manager.finished(session)
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one "), ASKED]
        assert await engine.manager.reattach(session)
        assert (await engine.manager.finished(session)).head.state is TurnState.WAITING
        assert engine.manager.session(session).waiting_task == TASK.task_id

    run(body)


# After the program died


def lives(endpoints, store, *bodies, settings=TAKES_UP):
    """Run one program after another on the same store; the first of them dies, or ends, with its body."""

    async def main():
        for body in bodies:
            async with engine_on(endpoints, store, settings) as engine:
                await body(engine)
            assert not endpoints.open_wires

    run_virtually(main())


def leaves_a_task(*more, close=False):
    kept = {}

    async def body(engine):
        session, _ = await streaming(engine, *more)
        if close:
            await engine.manager.close_session(session)
        kept["session"] = session

    return body, kept


def test_a_task_of_an_open_session_is_taken_up_at_the_next_start(endpoints, store):
    first, kept = leaves_a_task()
    endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two"), Finished()]

    async def second(engine):
        await settle()
        turn = await engine.manager.finished(kept["session"])
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "one two")
        assert turn.head.problem is None
        assert [wire.task for wire in endpoints.rejoined] == [TASK]
        assert len(endpoints.wires) == 1
        began, ended = engine.events(TurnBegan), engine.events(TurnEnded)
        assert not ended
        assert [event.turn.answer for event in began] == ["one "]

    lives(endpoints, store, first, second)


def test_what_a_watcher_makes_of_the_events_is_the_turn(endpoints, store):
    first, kept = leaves_a_task()
    endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two"), Finished()]

    async def second(engine):
        await settle()
        await engine.manager.finished(kept["session"])
        kinds = [type(event) for event in engine.drain() if isinstance(event, TurnBegan | TurnChanged | TurnEnded)]
        assert kinds == [TurnBegan, TurnChanged, TurnEnded]

    lives(endpoints, store, first, second)


def test_a_closed_session_is_taken_up_when_it_gets_a_tab(endpoints, store):
    first, kept = leaves_a_task(close=True)
    endpoints.retell = lambda task: [Accepted("fake"), TextDelta("one two"), Finished()]

    async def second(engine):
        await pass_s(60)
        assert endpoints.rejoined == []
        engine.manager.activate(kept["session"])
        await settle()
        assert (await engine.manager.finished(kept["session"])).answer == "one two"

    lives(endpoints, store, first, second)


def test_a_program_that_is_not_told_to_takes_up_nothing_but_what_it_is_asked_for(endpoints, store):
    first, kept = leaves_a_task()
    endpoints.retell = lambda task: [Accepted("fake"), TextDelta("one two"), Finished()]

    async def second(engine):
        await pass_s(60)
        assert endpoints.rejoined == []
        assert await engine.manager.reattach(kept["session"])
        assert not await engine.manager.reattach(kept["session"])
        assert (await engine.manager.finished(kept["session"])).answer == "one two"
        assert not await engine.manager.reattach(kept["session"])

    lives(endpoints, store, first, second, settings=EngineSettings())


def test_a_dead_agent_costs_nothing_but_the_turns_own_line(endpoints, store):
    first, kept = leaves_a_task()
    endpoints.retell = lambda task: [Unreachable("refused", retryable=True)]

    async def second(engine):
        before = engine.manager.session(kept["session"])
        await settle()
        turn = await engine.manager.finished(kept["session"])
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        after = engine.manager.session(kept["session"])
        assert (after.unread, after.updated, after.last_state) == (
            before.unread,
            before.updated,
            TurnState.INTERRUPTED,
        )

    lives(endpoints, store, first, second)


def test_a_session_whose_endpoint_is_gone_from_the_configuration_keeps_its_text(endpoints, store):
    first, kept = leaves_a_task()

    async def second(engine):
        endpoints.unknown = {"fake"}
        await settle()
        turn = await engine.manager.finished(kept["session"])
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "one ")
        assert "fake" in turn.head.problem.message

    lives(endpoints, store, first, second)


def test_only_so_many_agents_are_asked_at_the_same_time(endpoints, store):
    sessions = []

    async def first(engine):
        sessions.extend([(await streaming(engine))[0] for _ in range(12)])

    async def second(engine):
        await settle()
        assert len([wire for wire in endpoints.rejoined if not wire.closed]) == 8
        for wire in list(endpoints.rejoined):
            wire.say(Accepted("fake"))
        await settle()
        assert len(endpoints.rejoined) == 12
        for wire in endpoints.rejoined:
            wire.say(TextDelta("one two"), Finished())
        for session in sessions:
            assert (await engine.manager.finished(session)).answer == "one two"

    lives(endpoints, store, first, second)


@pytest.mark.parametrize("steps", range(8))
def test_a_prompt_sent_while_a_task_is_taken_up_takes_its_place(endpoints, store, steps):
    first, kept = leaves_a_task()

    async def second(engine):
        await settle(steps)
        await engine.manager.send(kept["session"], Prompt("next"))
        wire = await engine.endpoints.wire(kept["session"])
        wire.say(Accepted("fake"), TextDelta("anew"), Finished())
        assert (await engine.manager.finished(kept["session"])).answer == "anew"
        before, after = await engine.manager.turns(kept["session"])
        assert before.answer == "one "
        assert before.head.state in {TurnState.ABORTED, TurnState.INTERRUPTED}
        assert (before.head.state is TurnState.ABORTED) == (endpoints.canceled == [TASK])
        assert after.head.state is TurnState.COMPLETE

    lives(endpoints, store, first, second)


@pytest.mark.parametrize("steps", range(8))
def test_a_session_deleted_while_its_task_is_taken_up_is_gone(endpoints, store, steps):
    first, kept = leaves_a_task()

    async def second(engine):
        await settle(steps)
        await engine.manager.delete_session(kept["session"])
        await pass_s(60)
        assert engine.manager.sessions() == ()
        assert not endpoints.open_wires

    lives(endpoints, store, first, second)


@pytest.mark.parametrize("steps", range(8))
def test_a_program_that_ends_while_a_task_is_taken_up_loses_nothing(endpoints, store, steps):
    first, kept = leaves_a_task()

    async def second(engine):
        await settle(steps)

    async def third(engine):
        endpoints.retell = lambda task: [Accepted("fake"), TextDelta("one two"), Finished()]
        await settle()
        turn = await engine.manager.finished(kept["session"])
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "one two")
        assert endpoints.canceled == []

    lives(endpoints, store, first, second, third)


def test_a_stopped_turn_is_not_taken_up(endpoints, store):
    async def first(engine):
        session, _ = await streaming(engine)
        await engine.manager.abort(session)

    async def second(engine):
        await pass_s(60)
        assert endpoints.rejoined == []

    lives(endpoints, store, first, second)


def test_the_agent_is_told_what_earlier_turns_of_the_task_had(endpoints, store):
    kept = {}

    async def first(engine):
        session, wire = await streaming(engine, WaitingForUser(QuestionKind.INPUT, "Which?"))
        await engine.manager.finished(session)
        wire = await engine.send(session, "this one")
        wire.say(Accepted("fake"), BOUND, TextDelta("two "))
        await settle()
        kept["session"] = session

    async def second(engine):
        endpoints.retell = lambda task: [Accepted("fake"), TextDelta("two three"), Finished()]
        await settle()
        turn = await engine.manager.finished(kept["session"])
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "two three")
        assert [wire.task.told for wire in endpoints.rejoined] == ["one "]

    lives(endpoints, store, first, second)
