"""Prompts that wait because their agent cannot be reached: kept, shown, taken back, sent once."""

import asyncio
from itertools import pairwise

import pytest

from chatforge_tui.domain.changes import TurnBegan, TurnEnded, TurnRemoved
from chatforge_tui.domain.digest import attachment
from chatforge_tui.domain.events import Accepted, Finished, TextDelta, WaitingForUser
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import ContentLost, HttpRejected, UnknownSession, Unreachable
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import ScriptedEndpoints
from tests.sessions.conftest import engine_on
from tests.sessions.network import ASKS, GOES, Network, accepted, prompts, rested
from tests.virtual_clock import run_virtually, settle


def test_a_prompt_that_could_not_leave_waits_and_is_not_sent_unasked(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("hello"))
        assert await rested(engine, a) == [("hello", "unsent")]
        network.is_up = True
        assert await rested(engine, a, 1_000.0) == [("hello", "unsent")]
        head = engine.manager.session(a)
        assert (head.turns, head.unsent, head.last_state, head.title) == (1, 1, None, "hello")
        turn = await engine.last(a)
        assert (turn.head.problem.kind, turn.head.problem.message) == ("unreachable", "refused")
        assert len(endpoints.wires) == 3
        ends = engine.events(TurnEnded)
        assert [event.turn.head.state for event in ends] == [TurnState.UNSENT]

    run(body, ASKS)


def test_without_an_outbox_the_turn_has_failed(run, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("hello"))
        assert await rested(engine, a) == [("hello", "failed")]

    run(body)


def test_a_prompt_of_which_something_may_have_left_does_not_wait(run, endpoints):
    async def body(engine):
        errors = iter([HttpRejected("busy", status=503, retryable=True), *[Unreachable("refused", retryable=True)] * 2])
        endpoints.script = lambda request: [next(errors)]
        a = await engine.new()
        await engine.manager.send(a, Prompt("hello"))
        assert await rested(engine, a) == [("hello", "failed")]

    run(body, ASKS)


def test_what_waits_goes_once_in_order_when_the_user_says_so(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        for text in ("two", "three"):
            await engine.manager.queue(a, Prompt(text))
        assert await rested(engine, a) == [("one", "unsent"), ("two", "unsent"), ("three", "unsent")]
        network.is_up = True
        assert await engine.manager.send_unsent(a)
        expected = [("one", "complete"), ("two", "complete"), ("three", "complete")]
        assert await rested(engine, a) == expected
        assert accepted(endpoints) == ["one", "two", "three"]
        assert [turn.head.ordinal for turn in await engine.manager.turns(a)] == [0, 1, 2]
        head = engine.manager.session(a)
        assert (head.turns, head.unsent, head.last_state) == (3, 0, TurnState.COMPLETE)
        assert not await engine.manager.send_unsent(a)

    run(body, ASKS)


def test_another_prompt_queues_up_and_takes_the_others_along(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        network.is_up = True
        await engine.manager.send(a, Prompt("two"))
        assert await rested(engine, a) == [("one", "complete"), ("two", "complete")]
        assert accepted(endpoints) == ["one", "two"]

    run(body, ASKS)


def test_a_prompt_that_comes_between_two_tries_waits_behind_the_first(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await settle(20)
        assert (await engine.last(a)).head.retry_at is not None
        await engine.manager.send(a, Prompt("two"))
        network.is_up = True
        assert await rested(engine, a) == [("one", "complete"), ("two", "complete")]

    run(body, ASKS)


def test_a_prompt_can_be_queued_behind_a_running_answer(run, endpoints):
    async def body(engine):
        a = await engine.new()
        first = await engine.send(a, "one")
        await engine.manager.queue(a, Prompt("two"))
        await settle(20)
        assert len(endpoints.wires) == 1
        assert engine.manager.session(a).last_state.is_live
        first.say(Accepted("fake"), TextDelta("1"), Finished("stop"))
        second = await engine.endpoints.wire(a, 1)
        assert second.request.prompt.text == "two"
        second.say(Accepted("fake"), TextDelta("2"), Finished("stop"))
        assert await rested(engine, a) == [("one", "complete"), ("two", "complete")]

    run(body, ASKS)


@pytest.mark.parametrize("end", ["abort", "fail"])
def test_a_turn_that_ends_badly_stops_the_queue(run, endpoints, end):
    async def body(engine):
        a = await engine.new()
        first = await engine.send(a, "one")
        await engine.manager.queue(a, Prompt("two"))
        if end == "abort":
            await engine.manager.abort(a)
        else:
            first.say(HttpRejected("no", status=400))
        assert (await rested(engine, a, 1_000.0))[1] == ("two", "unsent")
        assert len(endpoints.wires) == 1
        await engine.manager.send_unsent(a)
        (await engine.endpoints.wire(a, 1)).say(Accepted("fake"), Finished("stop"))
        assert (await rested(engine, a))[1] == ("two", "complete")

    run(body, GOES)


def test_the_answer_to_a_question_goes_before_what_waits(run, endpoints):
    async def body(engine):
        a = await engine.new()
        first = await engine.send(a, "one")
        await engine.manager.queue(a, Prompt("later"))
        first.say(Accepted("fake"), WaitingForUser(QuestionKind.INPUT, "Which?", None))
        await asyncio.sleep(1_000.0)
        assert len(endpoints.wires) == 1
        await engine.manager.send(a, Prompt("this one"))
        answer = await engine.endpoints.wire(a, 1)
        assert answer.request.prompt.text == "this one"
        answer.say(Accepted("fake"), Finished("stop"))
        assert [text for text, _ in await rested(engine, a, 0.1)] == ["one", "this one", "later"]
        await engine.manager.send_unsent(a)
        (await engine.endpoints.wire(a, 2)).say(Accepted("fake"), Finished("stop"))
        assert await rested(engine, a) == [("one", "waiting"), ("this one", "complete"), ("later", "complete")]

    run(body, GOES)


def test_with_leave_it_goes_by_itself_and_takes_other_sessions_along(run, endpoints, network):
    async def body(engine):
        many = [await engine.new() for _ in range(40)]
        for number, session_id in enumerate(many):
            await engine.manager.send(session_id, Prompt(f"p{number}"))
        await asyncio.sleep(600.0)
        tries = len(endpoints.wires)
        assert tries <= 40 * 3 + 600 / 45 + 6, "every session knocks for itself"
        assert not accepted(endpoints)
        network.is_up = True
        await asyncio.sleep(61.0)
        assert sorted(accepted(endpoints)) == sorted(f"p{number}" for number in range(40))
        assert all(engine.manager.session(one).last_state is TurnState.COMPLETE for one in many)

    run(body, GOES)


def test_the_pauses_between_tries_grow_and_begin_anew_after_an_answer(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        times = []
        endpoints.on_open = lambda request: times.append(engine.time())
        await engine.manager.send(a, Prompt("one"))
        await asyncio.sleep(300.0)
        pauses = [later - earlier for earlier, later in pairwise(times[2:])]
        assert 3.75 <= pauses[0] <= 5.0
        assert 7.5 <= pauses[1] <= 10.0
        assert all(45.0 <= pause <= 60.0 for pause in pauses[4:])
        network.is_up = True
        await asyncio.sleep(61.0)
        network.is_up = False
        del times[:]
        await engine.manager.send(a, Prompt("two"))
        await asyncio.sleep(10.0)
        assert 3.75 <= times[3] - times[2] <= 5.0

    run(body, GOES)


def test_what_another_try_cannot_mend_is_not_tried_by_itself(run, endpoints, network):
    async def body(engine):
        network.is_mended_by_user = False
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        assert await rested(engine, a, 1_000.0) == [("one", "unsent")]
        assert len(endpoints.wires) == 1

    run(body, GOES)


def test_the_last_prompt_that_waits_can_be_taken_back(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        await engine.manager.queue(a, Prompt("two"))
        await rested(engine, a)
        assert await engine.manager.take_back(a, into_draft=True) == Prompt("two")
        assert engine.manager.session(a).draft == "two"
        [gone] = engine.events(TurnRemoved)
        assert gone.session_id == a
        assert prompts(await engine.manager.turns(a)) == [("one", "unsent")]
        assert await engine.manager.take_back(a) == Prompt("one")
        assert await engine.manager.turns(a) == ()
        assert await engine.manager.take_back(a) is None
        head = engine.manager.session(a)
        assert (head.turns, head.unsent) == (0, 0)
        network.is_up = True
        await engine.manager.send(a, Prompt("three"))
        assert await rested(engine, a) == [("three", "complete")]
        assert accepted(endpoints) == ["three"]

    run(body, GOES)


def test_files_go_along_with_a_prompt_that_waits_and_come_back_with_it(run, endpoints, store, network):
    async def body(engine):
        a = await engine.new()
        content = b"a,b"
        file = attachment("table.csv", "text/csv", content)
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        await engine.manager.files.attach(a, [file], {file.sha256: content})
        await engine.manager.queue(a, Prompt("two", attachments=(file,)))
        assert engine.manager.session(a).attachments == ()
        assert await engine.manager.take_back(a, into_draft=True) == Prompt("two", attachments=(file,))
        assert engine.manager.session(a).attachments == (file,)
        assert await engine.manager.files.read_content(a, file) == content
        await engine.manager.queue(a, Prompt("two", attachments=(file,)))
        await engine.manager.take_back(a)
        with pytest.raises(ContentLost):
            await engine.manager.files.read_content(a, file)
        assert store._contents[a] == {}

    run(body, ASKS)


def test_a_prompt_that_is_being_sent_cannot_be_taken_back(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        network.is_up = True
        await engine.manager.send_unsent(a)
        taken = await engine.manager.take_back(a, into_draft=True)
        await rested(engine, a)
        turns = prompts(await engine.manager.turns(a))
        assert (turns, taken) in [([("one", "complete")], None), ([], Prompt("one"))]
        assert engine.manager.session(a).draft == ("one" if taken else "")
        assert accepted(endpoints) == ([] if taken else ["one"])

    run(body, ASKS)


def test_deleting_the_session_ends_the_waiting_and_bringing_it_back_goes_on(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        await engine.manager.delete_session(a)
        network.is_up = True
        await asyncio.sleep(200.0)
        assert not accepted(endpoints)
        await engine.manager.restore_session(a)
        assert await rested(engine, a, 100.0) == [("one", "complete")]

    run(body, GOES)


def test_a_prompt_cannot_be_queued_in_a_session_that_is_gone(run):
    async def body(engine):
        a = await engine.new()
        await engine.manager.delete_session(a)
        for command in (
            engine.manager.queue(a, Prompt("x")),
            engine.manager.take_back(a),
            engine.manager.send_unsent(a),
        ):
            with pytest.raises(UnknownSession):
                await command

    run(body, ASKS)


def twice(first, then, *, settings, kill=False):
    """Run two programs one after another on one store; `kill`: the first one's end is not written down."""

    async def main():
        store, endpoints = MemoryStore(), ScriptedEndpoints()
        network = Network(endpoints)
        async with engine_on(endpoints, store, settings) as engine:
            a = await engine.new()
            await first(engine, a, network)
            if kill:
                frozen = dict(store._turns[a]), {turn: list(log) for turn, log in store._live.items()}
        if kill:
            store._turns[a], store._live = frozen
        async with engine_on(endpoints, store, settings) as engine:
            engine.manager.activate(a)
            await then(engine, a, network)

    run_virtually(main())


@pytest.mark.parametrize("settings", [ASKS, GOES], ids=["ask", "auto"])
def test_what_waits_is_still_there_after_a_restart(settings):
    async def first(engine, a, network):
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)

    async def then(engine, a, network):
        network.is_up = True
        goes = settings is GOES
        assert await rested(engine, a, 100.0) == [("one", "complete" if goes else "unsent")]
        await engine.manager.send(a, Prompt("two"))
        assert await rested(engine, a) == [("one", "complete"), ("two", "complete")]
        assert accepted(engine.endpoints) == ["one", "two"]

    twice(first, then, settings=settings)


def test_a_program_that_ends_between_two_tries_leaves_the_prompt_waiting():
    async def first(engine, a, network):
        await engine.manager.send(a, Prompt("one"))
        await settle(20)
        assert (await engine.last(a)).head.retry_at is not None

    async def then(engine, a, network):
        assert prompts(await engine.manager.turns(a)) == [("one", "unsent")]
        assert engine.manager.session(a).unsent == 1

    twice(first, then, settings=ASKS)


def test_a_program_that_is_killed_while_it_sends_leaves_the_turn_interrupted_and_nothing_is_sent_again():
    async def first(engine, a, network):
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        network.is_up = True
        engine.endpoints.script = None
        await engine.manager.send_unsent(a)
        await settle(20)
        assert len(engine.endpoints.open_wires) == 1
        sent.append(len(engine.endpoints.wires))

    async def then(engine, a, network):
        engine.endpoints.script = network.answer
        assert await rested(engine, a, 1_000.0) == [("one", "interrupted")]
        assert [len(engine.endpoints.wires)] == sent

    sent = []

    twice(first, then, settings=GOES, kill=True)


def test_another_endpoint_gets_what_waits_after_the_session_was_pointed_there(run, endpoints, network):
    async def body(engine):
        a = await engine.new("dead")
        b = await engine.new("dead")
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        began = engine.events(TurnBegan)
        assert len(began) == 1
        network.is_up = True
        await engine.manager.send(b, Prompt("other"))
        assert await rested(engine, a) == [("one", "unsent")], "another session's answer sends nothing unasked"

    run(body, ASKS)
