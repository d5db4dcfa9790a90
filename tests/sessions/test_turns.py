"""What becomes of a prompt: retries, ends, tasks, context, history, and a store that fails."""

import asyncio

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, StoreTrouble, TurnChanged, TurnEnded
from chatforge_tui.domain.events import (
    Accepted,
    Canceled,
    Failed,
    Finished,
    StillAlive,
    TaskBound,
    TextDelta,
    WaitingForUser,
)
from chatforge_tui.domain.form import Form, FormField
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.domain.turn import Prompt, TurnProblem, TurnState
from chatforge_tui.errors import (
    HttpRejected,
    RateLimited,
    StoreUnavailable,
    StreamLost,
    StreamStalled,
    TlsFailed,
    Unreachable,
)
from chatforge_tui.sessions import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import Pause, echo
from tests.virtual_clock import settle

FORM = Form((FormField("cluster"),))
BOUND = TaskBound(TaskId("task"), ContextId("context"))


def test_a_prompt_is_answered(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        turn_id = await engine.manager.send(a, Prompt("to be or"))
        turn = await engine.manager.finished(a)
        assert (turn.head.turn_id, turn.head.state, turn.answer) == (turn_id, TurnState.COMPLETE, "to be or ")
        assert turn == await engine.last(a)
        assert engine.manager.session(a).last_state is TurnState.COMPLETE

    run(body)


@pytest.mark.parametrize(
    ("steps", "state", "kind"),
    [
        ([Accepted("f"), TextDelta("x")], TurnState.INTERRUPTED, "lost"),
        ([Accepted("f"), TextDelta("x"), StreamStalled("silent")], TurnState.INTERRUPTED, "stalled"),
        ([Accepted("f"), TextDelta("x"), StreamLost("reset", retryable=True)], TurnState.INTERRUPTED, "lost"),
        ([TlsFailed("expired")], TurnState.FAILED, "tls"),
        ([Accepted("f"), TextDelta("x"), Failed(TurnProblem("agent", "no"))], TurnState.FAILED, "agent"),
        ([Accepted("f"), TextDelta("x"), Canceled("stopped")], TurnState.ABORTED, "canceled"),
        ([Accepted("f"), TextDelta("x"), ZeroDivisionError("oops")], TurnState.FAILED, "internal"),
    ],
)
def test_each_end_has_its_state_and_keeps_the_text(run, endpoints, steps, state, kind):
    async def body(engine):
        endpoints.script = lambda request: steps
        a = await engine.new()
        await engine.manager.send(a, Prompt("x"))
        turn = await engine.manager.finished(a)
        assert (turn.head.state, turn.head.problem.kind) == (state, kind)
        assert turn.answer == "".join(step.text for step in steps if isinstance(step, TextDelta))
        assert len(endpoints.wires) == 1, "nothing is sent twice"

    run(body)


def test_what_could_not_be_sent_is_tried_again_with_growing_pauses_that_can_be_seen(run, endpoints):
    async def body(engine):
        endpoints.script = lambda request: [Unreachable("refused", retryable=True)]
        a = await engine.new()
        await engine.manager.send(a, Prompt("x"))
        turn = await engine.manager.finished(a)
        assert (turn.head.state, turn.head.problem.kind) == (TurnState.FAILED, "unreachable")
        requests = [wire.request for wire in endpoints.wires]
        assert len({request.request_id for request in requests}) == 3
        assert len({request.turn_id for request in requests}) == 1

    run(body)


def test_while_it_waits_for_the_next_try_the_head_says_until_when(run, endpoints):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Unreachable("refused", retryable=True, retry_after=100.0))
        await settle()
        heads = [
            change.head
            for event in engine.events(TurnChanged)
            for change in event.changes
            if isinstance(change, HeadChanged)
        ]
        assert heads[-1].retry_at == 1_700_000_000 + engine.time() + 100.0
        assert heads[-1].state is TurnState.CONNECTING
        assert heads[-1].problem == TurnProblem("unreachable", "refused")
        await asyncio.sleep(101)
        assert len(endpoints.wires) == 2
        head = (await engine.last(a)).head
        assert (head.retry_at, head.problem) == (None, None)

    run(body)


@pytest.mark.parametrize(
    ("first", "tries"),
    [
        ([Unreachable("refused", retryable=True)], 2),
        ([HttpRejected("busy", status=503, retryable=True)], 2),
        ([RateLimited("slow down", status=429, retryable=True, retry_after=120.0)], 2),
        ([RateLimited("slow down", status=429, retryable=True, retry_after=121.0)], 1),
        ([Accepted("f"), Unreachable("refused", retryable=True)], 1),
        ([StillAlive(), Unreachable("refused", retryable=True)], 1),
        ([HttpRejected("bad", status=400)], 1),
    ],
)
def test_only_what_was_not_answered_at_all_is_tried_again(run, endpoints, first, tries):
    async def body(engine):
        endpoints.script = lambda request: first if len(endpoints.wires) == 1 else [Accepted("f"), Finished()]
        a = await engine.new()
        await engine.manager.send(a, Prompt("x"))
        turn = await engine.manager.finished(a)
        assert len(endpoints.wires) == tries
        assert (turn.head.state is TurnState.COMPLETE) is (tries == 2)

    run(body)


def test_an_endpoint_that_is_not_configured_fails_the_turn(run, endpoints):
    async def body(engine):
        endpoints.unknown.add("gone")
        a = await engine.new("gone")
        await engine.manager.send(a, Prompt("x"))
        turn = await engine.manager.finished(a)
        assert (turn.head.state, turn.head.problem.kind) == (TurnState.FAILED, "config")

    run(body)


def test_the_next_prompt_answers_the_task_that_waits_in_its_context(run, endpoints):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND, WaitingForUser(QuestionKind.INPUT, "Which?", FORM))
        turn = await engine.manager.finished(a)
        assert turn.head.state is TurnState.WAITING
        assert turn.question.form == FORM
        assert engine.manager.session(a).waiting_task == "task"
        wire = await engine.send(a, "prod")
        assert (wire.request.answers_task, wire.request.context_id) == ("task", "context")
        wire.say(Accepted("f"), TaskBound(TaskId("task"), None), Finished())
        await engine.manager.finished(a)
        assert engine.manager.session(a).waiting_task is None
        assert (await engine.send(a, "more")).request.answers_task is None

    run(body)


def test_a_task_still_waits_when_its_answer_could_not_be_sent(run, endpoints):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND, WaitingForUser(QuestionKind.INPUT, "Which?"))
        await engine.manager.finished(a)
        (await engine.send(a, "prod")).say(TlsFailed("expired"))
        await engine.manager.finished(a)
        assert (await engine.send(a, "prod")).request.answers_task == "task"

    run(body)


def test_a_task_whose_agent_refuses_the_answer_with_its_first_word_waits_no_longer(run, endpoints):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND, WaitingForUser(QuestionKind.INPUT, "Which?"))
        await engine.manager.finished(a)
        (await engine.send(a, "prod")).say(Failed(TurnProblem("agent-error", "Task not found")))
        assert (await engine.manager.finished(a)).head.state is TurnState.FAILED
        wire = await engine.send(a, "prod")
        assert (wire.request.answers_task, wire.request.context_id) == (None, "context")

    run(body)


def test_task_and_context_are_on_disk_while_the_turn_is_live(run, store):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND)
        await settle()
        head = (await store.load_sessions())[0]
        assert head.context_id == "context"
        assert (await store.load_turns(a))[0].head.task_id == "task"

    run(body)


def test_another_endpoint_knows_nothing_of_the_context_before(run, endpoints):
    async def body(engine):
        a = await engine.new()
        (await engine.send(a)).say(Accepted("f"), BOUND, Finished())
        await engine.manager.finished(a)
        engine.manager.update_session(a, SessionPatch(endpoint=EndpointRef("other")))
        wire = await engine.send(a, "again")
        assert wire.request.context_id is None
        assert [endpoint.is_closed for endpoint in endpoints.made] == [True, False]

    run(body)


def test_history_goes_along_only_where_the_server_keeps_none(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        for needed, count in ((False, 0), (True, 1), (True, 2)):
            endpoints.needs_history = needed
            await engine.manager.send(a, Prompt("x"))
            await engine.manager.finished(a)
            assert len(endpoints.wires[-1].request.history) == count

    run(body)


def test_an_idle_session_gives_its_connection_up(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        for pause in (30.0, 0.0):
            await engine.manager.send(a, Prompt("x"))
            await engine.manager.finished(a)
            await asyncio.sleep(pause)
        assert len(endpoints.made) == 1
        await asyncio.sleep(61)
        assert endpoints.made[0].is_closed
        assert len(engine.manager._workers) == 0
        await engine.manager.send(a, Prompt("x"))
        assert (await engine.manager.finished(a)).head.state is TurnState.COMPLETE
        assert len(endpoints.made) == 2

    run(body)


def test_a_slow_answer_is_timed_by_the_clock(run, endpoints):
    async def body(engine):
        endpoints.script = lambda request: [Pause(1), Accepted("f"), Pause(2), TextDelta("x"), Pause(3), Finished()]
        a = await engine.new()
        await engine.manager.send(a, Prompt("x"))
        head = (await engine.manager.finished(a)).head
        times = [moment - head.started for moment in (head.accepted, head.first_output, head.ended)]
        assert times == [1.0, 3.0, 6.0]

    run(body)


class FailingStore(MemoryStore):
    """A disk that is full for a while."""

    full_at = ""

    async def begin_turn(self, head, session):
        self._check("begin")
        await super().begin_turn(head, session)

    async def end_turn(self, turn, session):
        self._check("end")
        await super().end_turn(turn, session)

    async def create_session(self, head):
        self._check("create")
        await super().create_session(head)

    async def trash_session(self, session_id, when):
        self._check("trash")
        await super().trash_session(session_id, when)

    def _check(self, what):
        if what == self.full_at:
            message = "The disk is full."
            raise StoreUnavailable(message)


class TestAStoreThatFails:
    @pytest.fixture
    def store(self):
        return FailingStore()

    def test_a_prompt_that_cannot_be_kept_is_not_sent(self, run, endpoints, store):
        async def body(engine):
            a = await engine.new()
            before = engine.manager.session(a)
            store.full_at = "begin"
            with pytest.raises(StoreUnavailable):
                await engine.manager.send(a, Prompt("x"))
            assert endpoints.wires == []
            assert replace(engine.manager.session(a), updated=before.updated) == before
            assert await engine.manager.finished(a) is None
            store.full_at = ""
            wire = await engine.send(a, "y")
            wire.say(Accepted("f"), Finished())
            assert (await engine.manager.finished(a)).head.ordinal == 0

        run(body)

    def test_a_turn_is_not_shown_as_complete_before_it_is_saved(self, run, store):
        async def body(engine):
            a = await engine.new()
            store.full_at = "end"
            wire = await engine.send(a)
            wire.say(Accepted("f"), TextDelta("x"), Finished())
            with pytest.raises(StoreUnavailable):
                await engine.manager.finished(a)
            shown = await engine.last(a)
            assert (shown.head.state, shown.answer) == (TurnState.STREAMING, "x")
            events = engine.drain()
            assert not any(isinstance(event, TurnEnded) for event in events)
            assert StoreTrouble("Not saved: The disk is full.") in events
            store.full_at = ""
            await asyncio.sleep(10)
            events = engine.drain()
            assert [event.turn.head.state for event in events if isinstance(event, TurnEnded)] == [TurnState.COMPLETE]
            assert StoreTrouble("") in events
            assert (await engine.last(a)).head.state is TurnState.COMPLETE

        run(body)

    def test_an_unsaved_turn_is_offered_once_more_at_the_end(self, run, store):
        sessions = []

        async def body(engine):
            sessions.append(await engine.new())
            store.full_at = "end"
            wire = await engine.send(sessions[0])
            wire.say(Accepted("f"), TextDelta("x"), Finished())
            await settle()
            store.full_at = ""

        run(body)
        stored = asyncio.run(store.load_turns(sessions[0]))
        assert [turn.head.state for turn in stored] == [TurnState.COMPLETE]

    def test_leaving_with_unsaved_turns_says_so(self, run, store):
        async def body(engine):
            a = await engine.new()
            store.full_at = "end"
            (await engine.send(a)).say(Accepted("f"), Finished())
            await settle()

        with pytest.raises(StoreUnavailable):
            run(body)

    def test_a_session_that_cannot_be_kept_is_not_there(self, run, store):
        async def body(engine):
            store.full_at = "create"
            with pytest.raises(StoreUnavailable):
                await engine.new()
            assert engine.manager.sessions() == ()
            assert engine.drain() == []

        run(body)

    def test_a_session_that_cannot_go_to_the_trash_stays(self, run, store):
        async def body(engine):
            a, b = await engine.new(), await engine.new()
            store.full_at = "trash"
            with pytest.raises(StoreUnavailable):
                await engine.manager.delete_session(a)
            assert [head.session_id for head in engine.manager.sessions()] == [a, b]
            store.full_at = ""
            (await engine.send(a)).say(Accepted("f"), Finished())
            assert (await engine.manager.finished(a)).head.state is TurnState.COMPLETE

        run(body)


def test_settings_say_how_often_is_tried(run, endpoints):
    async def body(engine):
        endpoints.script = lambda request: [Unreachable("refused", retryable=True)]
        a = await engine.new()
        await engine.manager.send(a, Prompt("x"))
        await engine.manager.finished(a)
        assert len(endpoints.wires) == 1

    run(body, EngineSettings(max_retries=0))


class Slow(MemoryStore):
    """Lets others go on while turns are read; notes which turn was not asked for."""

    def __init__(self):
        super().__init__()
        self.meanwhile = lambda: settle(0)
        self.spared = []

    async def load_turns(self, session_id, *, since=0, before=None, but=None):
        self.spared.append(but)
        turns = await super().load_turns(session_id, since=since, before=before, but=but)
        await self.meanwhile()
        return turns


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("store", [pytest.param(Slow, id="slow")], indirect=True)
def test_a_live_turn_is_not_read_from_the_store_but_is_there(run, endpoints, store, ends):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        await engine.manager.send(a, Prompt("first"))
        await settle()
        endpoints.script = None
        wire = await engine.send(a, "second")
        wire.say(Accepted("fake"), TextDelta("half"))
        await settle()

        async def end():
            wire.say(TextDelta(" and whole"), Finished("stop"))
            await settle()

        if ends:
            store.meanwhile = end
        store.spared.clear()
        turns = await engine.manager.turns(a)
        assert [turn.head.prompt.text for turn in turns] == ["first", "second"]
        assert turns[1].answer == ("half and whole" if ends else "half")
        assert turns[1].head.state is (TurnState.COMPLETE if ends else TurnState.STREAMING)
        assert store.spared == [turns[1].head.turn_id]

    run(body)
