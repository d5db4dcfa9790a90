"""Files on their way through the engine: attached, shown, sent, kept, taken back, fetched."""

import asyncio

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import SessionChanged
from chatforge_tui.domain.digest import attachment
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import ContentLost, StoreUnavailable, Unreachable
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import echo

NOTE, IMAGE = b"one\ntwo\n", b"\x89PNG\r\n"
FILES = (attachment("note.txt", "text/plain", NOTE), attachment("p.png", "image/png", IMAGE))
CONTENTS = {FILES[0].sha256: NOTE, FILES[1].sha256: IMAGE}


def test_what_is_attached_is_told_once_each_and_goes_with_the_next_prompt(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        engine.drain()
        await engine.manager.files.attach(a, FILES[:1], CONTENTS)
        await engine.manager.files.attach(a, (*FILES, FILES[1]), CONTENTS)
        assert engine.manager.session(a).attachments == FILES
        assert engine.events(SessionChanged)[-1].head.attachments == FILES
        await engine.manager.send(a, Prompt("look at these", attachments=FILES))
        turn = await engine.manager.finished(a)
        assert engine.manager.session(a).attachments == ()
        assert turn.head.prompt.attachments == FILES
        assert endpoints.wires[-1].request.contents == CONTENTS
        assert turn == await engine.last(a)

    run(body)


def test_what_is_taken_back_does_not_go_and_what_was_not_sent_stays(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        await engine.manager.files.attach(a, FILES, CONTENTS)
        await engine.manager.files.detach(a, FILES[0])
        await engine.manager.send(a, Prompt("plain"))
        await engine.manager.finished(a)
        assert endpoints.wires[-1].request.contents == {}
        assert engine.manager.session(a).attachments == FILES[1:]
        with pytest.raises(ContentLost):
            await engine.manager.send(a, Prompt("again", attachments=FILES))

    run(body)


def test_a_prompt_is_sent_again_with_its_files_and_history_has_them_where_it_goes_along(run, endpoints, store):
    async def body(engine):
        endpoints.script, endpoints.needs_history = echo, True
        a = await engine.new()
        await engine.manager.files.attach(a, FILES, CONTENTS)
        await engine.manager.send(a, Prompt("", attachments=FILES))
        first = await engine.manager.finished(a)
        await engine.manager.send(a, first.head.prompt)
        again = await engine.manager.finished(a)
        assert again.head.prompt == first.head.prompt
        await engine.manager.send(a, Prompt("and now?"))
        await engine.manager.finished(a)
        assert [wire.request.contents for wire in endpoints.wires] == [CONTENTS] * 3
        store._contents[a].pop(FILES[0].sha256)
        await engine.manager.send(a, Prompt("still there?"))
        assert (await engine.manager.finished(a)).head.state is TurnState.COMPLETE
        assert endpoints.wires[-1].request.contents == {FILES[1].sha256: IMAGE}

    run(body)


def test_a_session_is_named_after_its_files_when_the_prompt_has_no_words(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        a = await engine.new()
        await engine.manager.files.attach(a, FILES, CONTENTS)
        await engine.manager.send(a, Prompt(" ", attachments=FILES))
        assert engine.manager.session(a).title == "note.txt, p.png"

    run(body)


class FailingStore(MemoryStore):
    fails = False

    async def set_attachments(self, *arguments):
        if self.fails:
            message = "The disk is full."
            raise StoreUnavailable(message)
        await super().set_attachments(*arguments)


@pytest.mark.parametrize("store", [FailingStore()])
def test_what_cannot_be_kept_is_not_attached_and_what_cannot_be_taken_back_is(run, store):
    async def body(engine):
        a = await engine.new()
        await engine.manager.files.attach(a, FILES[:1], CONTENTS)
        store.fails = True
        with pytest.raises(StoreUnavailable):
            await engine.manager.files.attach(a, FILES, CONTENTS)
        assert engine.manager.session(a).attachments == FILES[:1]
        with pytest.raises(StoreUnavailable):
            await engine.manager.files.detach(a, FILES[0])
        assert engine.manager.session(a).attachments == FILES[:1]
        [stored] = await store.load_sessions()
        assert replace(stored, title="") == replace(engine.manager.session(a), title="")

    run(body)


def test_the_agent_is_asked_about_the_files_before_they_go_and_one_that_cannot_be_asked_has_no_objection(
    run, endpoints
):
    async def body(engine):
        a = await engine.new()
        assert await engine.manager.files.objection(a) == ""
        assert endpoints.asked == []
        await engine.manager.files.attach(a, FILES, CONTENTS)
        endpoints.objects = "The agent takes text only."
        assert await engine.manager.files.objection(a) == "The agent takes text only."
        assert endpoints.asked == [FILES]
        endpoints.objects = Unreachable("nobody there")
        assert await engine.manager.files.objection(a) == ""
        assert all(made.is_closed for made in endpoints.made)
        assert endpoints.wires == []

    run(body)


def test_a_fetch_that_is_stopped_again_while_it_ends_keeps_nobody_from_deleting_its_session(run, endpoints):
    async def body(engine):
        begun, is_stopped, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def slow_to_end(*_):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                is_stopped.set()
                await may_end.wait()

        endpoints.fetch_file = slow_to_end
        a = await engine.new()

        async def stop_twice():
            await begun.wait()
            engine.manager.files.stop_fetching(a)
            await is_stopped.wait()
            engine.manager.files.stop_fetching(a)
            await engine.manager.delete_session(a)
            assert engine.manager.sessions() == ()
            may_end.set()

        fetch = engine.manager.files.fetch_file(a, "https://files.example.com/x", 100)
        assert await asyncio.gather(fetch, stop_twice()) == [None, None]

    run(body)
