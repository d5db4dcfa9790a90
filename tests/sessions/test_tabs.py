"""Sessions as tabs: order, front, unread, titles, drafts; and that all of it is back after a restart."""

import asyncio

import pytest

from chatforge_tui.domain.changes import SessionChanged
from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.errors import UnknownSession
from chatforge_tui.sessions import SessionManager
from chatforge_tui.sessions.session_book import auto_title
from tests.fakes.scripted_endpoint import ScriptedEndpoints, echo
from tests.store.values import a_session
from tests.virtual_clock import LoopClock, run_virtually


def tabs(engine) -> str:
    """Return the titles of the open tabs from left to right, the one in front in capitals."""
    heads = [head for head in engine.manager.sessions() if head.is_open]
    assert [head.position for head in heads] == list(range(len(heads)))
    return "".join(head.title.upper() if head.is_active else head.title for head in heads)


async def open_tabs(engine, titles: str) -> dict[str, SessionId]:
    ids = {}
    for title in titles:
        ids[title] = (await engine.manager.create_session(EndpointRef("x"), title=title)).session_id
    return ids


def test_tabs_are_made_moved_closed_and_reopened(run):
    async def body(engine):
        manager, ids = engine.manager, await open_tabs(engine, "abc")
        assert tabs(engine) == "abC"
        ids["d"] = (
            await manager.create_session(EndpointRef("x"), title="d", after=ids["a"], activate=False)
        ).session_id
        assert tabs(engine) == "adbC"
        await manager.move_session(ids["c"], 0)
        await manager.move_session(ids["a"], 99)
        assert tabs(engine) == "Cdba"
        await manager.close_session(ids["c"])
        assert tabs(engine) == "Dba"
        manager.activate(ids["a"])
        await manager.close_session(ids["a"])
        assert tabs(engine) == "dB"
        await manager.reopen_session(ids["c"], 1)
        await manager.reopen_session(ids["a"])
        assert tabs(engine) == "dcBa"
        await manager.close_session(ids["a"])
        manager.activate(ids["a"])
        assert tabs(engine) == "dcbA"

    run(body)


def test_a_deleted_tab_comes_back_where_it_was(run):
    async def body(engine):
        manager, ids = engine.manager, await open_tabs(engine, "abc")
        manager.activate(ids["b"])
        await manager.delete_session(ids["b"])
        assert tabs(engine) == "aC"
        assert [head.title for head in await manager.trash()] == ["b"]
        await manager.restore_session(ids["b"])
        assert tabs(engine) == "abC"
        assert await manager.trash() == []
        with pytest.raises(UnknownSession):
            await manager.restore_session(ids["b"])

    run(body)


def test_tabs_whose_places_on_the_disk_have_gaps_stay_in_their_order(run, store):
    async def stored():
        return "".join(head.title for head in sorted(await store.load_sessions(), key=lambda head: head.position))

    async def body(engine):
        for title, position in (("a", 0), ("b", 5), ("c", 9)):
            await store.create_session(a_session(title=title, position=position))
        engine.manager._book.load(await store.load_sessions())
        await open_tabs(engine, "d")
        assert tabs(engine) == "abcD"
        assert await stored() == "abcd", "a tab that comes goes behind those that are there"

    run(body)


def test_purging_leaves_nothing_from_wherever_it_is(run, store):
    async def body(engine):
        manager, ids = engine.manager, await open_tabs(engine, "ab")
        await manager.delete_session(ids["a"])
        await manager.purge_session(ids["a"])
        await manager.purge_session(ids["b"])
        assert (await manager.trash(), manager.sessions(), store._sessions) == ([], (), {})
        with pytest.raises(UnknownSession):
            await manager.purge_session(ids["a"])

    run(body)


def test_closed_sessions_follow_the_last_used_first(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        manager, ids = engine.manager, await open_tabs(engine, "abc")
        for title in "abc":
            await asyncio.sleep(1)
            await manager.send(ids[title], Prompt("x"))
            await manager.finished(ids[title])
        await manager.close_session(ids["c"])
        await manager.close_session(ids["a"])
        assert [head.title for head in manager.sessions()] == ["b", "c", "a"]
        manager.update_session(ids["a"], SessionPatch(draft="later"))
        assert [head.title for head in manager.sessions()] == ["b", "c", "a"]

    run(body)


def test_a_turn_that_ends_behind_another_tab_is_news_until_it_is_in_front(run):
    async def body(engine):
        ids = await open_tabs(engine, "ab")
        for title in "ab":
            (await engine.send(ids[title])).say(Accepted("f"), TextDelta("x"), Finished())
            await engine.manager.finished(ids[title])
        assert [head.unread for head in engine.manager.sessions()] == [True, False]
        engine.manager.activate(ids["a"])
        assert [head.unread for head in engine.manager.sessions()] == [False, False]

    run(body)


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Roll back", "Roll back"),
        ("\n  \n  first\nsecond", "first"),
        ("x" * 50, "x" * 50),
        ("x" * 51, "x" * 50 + "…"),
        (" ", ""),
    ],
)
def test_a_session_is_named_after_the_first_line_of_its_first_prompt(prompt, title):
    assert auto_title(prompt) == title


def test_a_name_given_by_the_user_stays(run, endpoints):
    async def body(engine):
        endpoints.script = echo
        manager = engine.manager
        a, b = await engine.new(), await engine.new()
        await manager.send(a, Prompt("first"))
        await manager.send(b, Prompt("first"))
        manager.update_session(a, SessionPatch(title="mine"))
        for session in (a, b):
            await manager.send(session, Prompt("second"))
        assert [manager.session(session).title for session in (a, b)] == ["mine", "first"]
        assert manager.session(a).title_is_manual

    run(body)


def test_tabs_have_commands_of_their_own(run):
    async def body(engine):
        a = await engine.new()
        for patch in (SessionPatch(position=1), SessionPatch(is_open=False), SessionPatch(is_active=False)):
            with pytest.raises(ValueError, match="Use move"):
                engine.manager.update_session(a, patch)

    run(body)


def test_a_patch_that_changes_nothing_is_not_told(run):
    async def body(engine):
        a = await engine.new()
        engine.manager.update_session(a, SessionPatch(draft="x"))
        engine.drain()
        engine.manager.update_session(a, SessionPatch(draft="x"))
        engine.manager.activate(a)
        assert engine.events(SessionChanged) == []

    run(body)


def test_unknown_sessions_are_named(run):
    async def body(engine):
        with pytest.raises(UnknownSession, match="no session nope"):
            engine.manager.session(SessionId("nope"))

    run(body)


def test_everything_is_back_after_a_restart(run, store):
    before = []

    async def body(engine):
        ids = await open_tabs(engine, "abcd")
        manager = engine.manager
        (await engine.send(ids["b"])).say(Accepted("f"), TextDelta("x"), Finished())
        await manager.finished(ids["b"])
        await manager.move_session(ids["c"], 0)
        manager.activate(ids["b"])
        manager.update_session(ids["b"], SessionPatch(draft="half a", anchor="12"))
        await manager.close_session(ids["d"])
        await manager.delete_session(ids["a"])
        before.append((manager.sessions(), await manager.turns(ids["b"])))

    async def restart():
        async with SessionManager(store=store, endpoints=ScriptedEndpoints(), clock=LoopClock()) as manager:
            active = next(head for head in manager.sessions() if head.is_active)
            return manager.sessions(), await manager.turns(active.session_id)

    run(body)
    assert run_virtually(restart()) == before[0]
