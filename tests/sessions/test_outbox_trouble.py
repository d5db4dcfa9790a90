"""Prompts that wait while something else happens: a slow store, files, a stop, another session's end."""

import asyncio

import pytest

from chatforge_tui.domain.digest import attachment
from chatforge_tui.domain.events import Accepted, Finished
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.sessions import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import ScriptedEndpoints
from tests.sessions.conftest import engine_on
from tests.sessions.network import ASKS, GOES, Network, accepted, prompts, rested
from tests.virtual_clock import run_virtually, settle

SLOW_S = 0.2
CONTENT = b"a,b"
FILE = attachment("table.csv", "text/csv", CONTENT)


class SlowStore(MemoryStore):
    """A store that takes its time to answer, one question after another, as the real one's thread does."""

    def __init__(self):
        super().__init__()
        self.turnstile = asyncio.Lock()
        self.refuses_to_drop = False
        self.refuses_ends = False
        self.refused_looks = 0

    async def begin_turn(self, head, session):
        async with self.turnstile:
            await super().begin_turn(head, session)

    async def unsent_turns(self):
        async with self.turnstile:
            if self.refused_looks:
                self.refused_looks -= 1
                message = "I/O error"
                raise StoreUnavailable(message)
            found = await super().unsent_turns()
            await asyncio.sleep(SLOW_S)
            return found

    async def end_turn(self, turn, session):
        if self.refuses_ends:
            message = "The disk is full."
            raise StoreUnavailable(message)
        await super().end_turn(turn, session)

    async def drop_turn(self, head):
        async with self.turnstile:
            if self.refuses_to_drop:
                message = "The disk is full."
                raise StoreUnavailable(message)
            return await super().drop_turn(head)


@pytest.fixture
def store():
    return SlowStore()


def test_a_prompt_that_is_queued_while_it_is_looked_up_what_waits_is_sent(run, endpoints, network):
    async def body(engine):
        network.is_up = True
        a = await engine.new()
        await settle(20)  # the look at the start is on its way
        await engine.manager.queue(a, Prompt("one"))
        assert await rested(engine, a) == [("one", "complete")]

    run(body, ASKS)


def test_a_prompt_that_is_taken_back_while_it_is_looked_up_what_waits_is_gone(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        await engine.manager.close_session(a)
        await engine.manager.reopen_session(a)
        await settle(20)
        assert await engine.manager.take_back(a) == Prompt("one")
        await asyncio.sleep(SLOW_S * 2)
        assert not await engine.manager.send_unsent(a)
        network.is_up = True
        await engine.manager.send(a, Prompt("two"))
        assert await rested(engine, a) == [("two", "complete")]

    run(body, ASKS)


def test_a_session_whose_queue_was_stopped_goes_by_itself_again_after_the_next_prompt(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        endpoints.script = None
        await engine.send(a, "one")
        await engine.manager.queue(a, Prompt("two"))
        await engine.manager.abort(a)
        assert await engine.manager.take_back(a) == Prompt("two")
        endpoints.script = network.answer
        await engine.manager.send(a, Prompt("three"))
        assert (await rested(engine, a))[1] == ("three", "unsent")
        network.is_up = True
        assert (await rested(engine, a, 1_000.0))[1] == ("three", "complete")

    run(body, GOES)


@pytest.mark.parametrize("end", ["abort", "delete"])
def test_the_other_sessions_are_tried_after_the_one_that_was_tried_for_them_is_stopped(run, endpoints, network, end):
    async def body(engine):
        a, b = await engine.new(), await engine.new()
        for one in (a, b):
            await engine.manager.send(one, Prompt("hello"))
        await asyncio.sleep(2.0)
        tried = len(endpoints.wires)
        endpoints.script = None  # the next try hangs
        await asyncio.sleep(10.0)
        assert [wire.request.session_id for wire in endpoints.wires[tried:]] == [a]
        network.is_up = True
        endpoints.script = network.answer
        await (engine.manager.abort(a) if end == "abort" else engine.manager.delete_session(a))
        assert await rested(engine, b, 1_000.0) == [("hello", "complete")]

    run(body, GOES)


def test_a_prompt_that_is_sent_while_a_stop_is_on_its_way_goes(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await settle(20)
        assert (await engine.last(a)).head.retry_at is not None
        network.is_up = True
        stopped, _ = await asyncio.gather(engine.manager.abort(a), engine.manager.send(a, Prompt("two")))
        assert stopped
        assert await rested(engine, a) == [("one", "aborted"), ("two", "complete")]

    run(body, ASKS)


def test_a_file_that_goes_along_with_the_next_prompt_too_is_not_taken_by_the_one_that_waits(run, endpoints, network):
    async def body(engine):
        a = await engine.new()
        await engine.manager.files.attach(a, [FILE], {FILE.sha256: CONTENT})
        await engine.manager.send(a, Prompt("one", attachments=(FILE,)))
        await rested(engine, a)
        await engine.manager.files.attach(a, [FILE])
        network.is_up = True
        await engine.manager.send_unsent(a)
        assert await rested(engine, a) == [("one", "complete")]
        assert engine.manager.session(a).attachments == (FILE,)

    run(body, ASKS)


def test_a_prompt_that_cannot_be_taken_back_is_not_in_the_draft_as_well(run, endpoints, network, store):
    async def body(engine):
        a = await engine.new()
        await engine.manager.files.attach(a, [FILE], {FILE.sha256: CONTENT})
        await engine.manager.send(a, Prompt("one", attachments=(FILE,)))
        await rested(engine, a)
        store.refuses_to_drop = True
        with pytest.raises(StoreUnavailable):
            await engine.manager.take_back(a, into_draft=True)
        head = engine.manager.session(a)
        assert (head.draft, head.attachments, head.unsent) == ("", (), 1)
        assert prompts(await engine.manager.turns(a)) == [("one", "unsent")]

    run(body, ASKS)


def test_nothing_is_sent_before_the_store_knows_what_waits_first(run, endpoints, network, store):
    async def body(engine):
        a = await engine.new()
        store.refuses_ends = True
        await engine.manager.send(a, Prompt("one"))
        await asyncio.sleep(5.0)
        network.is_up = True
        await engine.manager.send(a, Prompt("two"))
        await engine.manager.send_unsent(a)
        await asyncio.sleep(5.0)
        assert not accepted(endpoints)
        store.refuses_ends = False
        assert await rested(engine, a) == [("one", "complete"), ("two", "complete")]
        assert [turn.head.ordinal for turn in await engine.manager.turns(a)] == [0, 1]
        assert (engine.manager.session(a).turns, engine.manager.session(a).unsent) == (2, 0)

    run(body, ASKS)


def test_what_could_not_be_looked_up_is_looked_up_when_it_is_to_go(run, endpoints, network, store):
    async def body(engine):
        a = await engine.new()
        await engine.manager.send(a, Prompt("one"))
        await rested(engine, a)
        store.refused_looks = 1
        await engine.manager.close_session(a)
        await engine.manager.delete_session(a)
        with pytest.raises(StoreUnavailable):
            await engine.manager.restore_session(a)
        network.is_up = True
        assert await engine.manager.send_unsent(a)
        assert await rested(engine, a) == [("one", "complete")]

    run(body, ASKS)


def test_nothing_is_tried_any_more_after_the_end():
    async def main():
        endpoints = ScriptedEndpoints()
        Network(endpoints)
        async with engine_on(endpoints, MemoryStore(), GOES) as engine:
            a = await engine.new()
            await engine.manager.send(a, Prompt("one"))
            await settle(20)
            assert (await engine.last(a)).head.retry_at is not None
        assert not engine.manager._outbox._timers

    run_virtually(main())


def test_a_prompt_goes_although_the_sessions_cannot_be_read_when_the_store_can_be_written_again(endpoints):
    class Opening(MemoryStore):
        """Refuses everything at first; when it can be written, its sessions cannot be listed once."""

        fails = 0

        async def recover(self):
            self.refusal, self.fails = "", 1
            return True

        async def load_sessions(self, *, trashed=False):
            if self.fails:
                self.fails -= 1
                message = "I/O error"
                raise StoreUnavailable(message)
            return await super().load_sessions(trashed=trashed)

    async def main():
        store = Opening()
        store.refusal = "No space."
        settings = EngineSettings(keeps_unsent=True, store_retry_s=1.0)
        async with engine_on(endpoints, store, settings) as engine:
            await asyncio.sleep(5.0)
            a = await engine.new()
            async with asyncio.timeout(5.0):
                await engine.manager.send(a, Prompt("one"))
            (await engine.endpoints.wire(a)).say(Accepted("fake"), Finished("stop"))
            assert await rested(engine, a) == [("one", "complete")]

    run_virtually(main())
