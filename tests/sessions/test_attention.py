"""Each session's endpoint knows whether somebody watches the session, from its first request on and at once."""

from chatforge_tui.domain.events import Accepted, TextDelta
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.sessions import ALL


def watched(endpoints) -> list[bool]:
    """Return what each connection was told last, oldest first."""
    return [made.is_watched for made in endpoints.made]


def test_an_endpoint_is_told_when_its_session_comes_to_the_front_and_when_it_goes(run, endpoints):
    async def body(engine):
        a, b = await engine.new(), await engine.new()
        engine.watcher.focus(a)
        for session in (a, b):
            await engine.send(session)
        assert watched(endpoints) == [True, False]
        engine.watcher.focus(b)
        assert watched(endpoints) == [False, True]
        await engine.manager.turns(a, engine.watcher)
        assert watched(endpoints) == [True, False]
        engine.watcher.focus(ALL)
        assert watched(endpoints) == [True, True]
        engine.watcher.focus(None)
        assert watched(endpoints) == [False, False]

    run(body)


def test_who_watches_beside_keeps_a_session_watched_until_the_end(run, endpoints):
    async def body(engine):
        a = await engine.new()
        beside = engine.manager.subscribe()
        beside.focus(a)
        engine.watcher.focus(None)
        await engine.send(a)
        assert watched(endpoints) == [True]
        beside.close()
        assert watched(endpoints) == [False]

    run(body)


def test_a_connection_that_is_made_later_is_told_as_well(run, endpoints):
    async def body(engine):
        a = await engine.new()
        engine.watcher.focus(None)
        (await engine.send(a)).say(Accepted("f"), TextDelta("x"))
        engine.manager.update_session(a, SessionPatch(endpoint=EndpointRef("other")))
        await engine.send(a)
        assert watched(endpoints) == [False, False]

    run(body)
