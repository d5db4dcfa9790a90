"""F47 and F25 through the engine: a stop in each state of a request, and the odd ways in which an answer is complete."""

import asyncio
import json
import time
from contextlib import asynccontextmanager, closing

import pytest

from chatforge_tui.domain.part import NoticePart
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.endpoints.http import HttpSettings
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.sessions.settings import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from tests.servers.raw_server import LAST_CHUNK, Stall, answer, chunked, sse_head, stream
from tests.soak.leaks import Hole

ABORTED_S = 0.2
"""What a stop may take."""
BUSY = 3
"""A machine that runs other tests may take longer by this factor."""


class SlowStore(MemoryStore):
    """Holds the end of a turn back until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_ending = asyncio.Event()
        self.may_end = asyncio.Event()

    async def end_turn(self, turn, session):
        self.is_ending.set()
        await self.may_end.wait()
        await super().end_turn(turn, session)


class Endpoints:
    """One endpoint for every session."""

    def __init__(self, dialect, url) -> None:
        self._dialect, self._url = dialect, url

    def connect(self, ref):
        del ref
        return self._dialect.connect(self._url, HttpSettings(name="e"))


@asynccontextmanager
async def asked(dialect, url, store=None, settings=None):
    """Yield the engine with a session whose prompt is on its way."""
    endpoints = Endpoints(dialect, url)
    async with SessionManager(store=store or MemoryStore(), endpoints=endpoints, settings=settings) as manager:
        session = (await manager.create_session(EndpointRef("e"), title="t")).session_id
        await manager.send(session, Prompt("Hello?"))
        yield manager, session


async def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.002)


async def stopped(manager, session):
    """Stop the session's request, and return the turn as it is then."""
    began = time.perf_counter()
    assert await manager.abort(session)
    assert time.perf_counter() - began < ABORTED_S * BUSY
    [turn] = await manager.turns(session)
    assert turn.head.state is TurnState.ABORTED
    return turn


def live(manager, session):
    return manager._workers.live_turn(session)


def cancels(server):
    """Return the requests that ask an agent to stop its task."""
    asked = [request for request in server.requests if request.method == "POST"]
    return [request for request in asked if b"ancel" in request.body or request.target.endswith(":cancel")]


async def test_f47_stopped_while_connecting(dialect):
    with closing(Hole()) as hole:
        async with asked(dialect, f"http://127.0.0.1:{hole.port}") as (manager, session):
            await until(lambda: live(manager, session) is not None)
            await asyncio.sleep(0.02)
            await stopped(manager, session)


async def test_f47_stopped_while_the_head_is_awaited(dialect, server):
    server.plays = [[Stall()]]
    async with asked(dialect, server.url) as (manager, session):
        await until(lambda: server.requests)
        await stopped(manager, session)
        await server.until_closed(seconds=ABORTED_S * BUSY)
    assert cancels(server) == [], "there is no task yet"


async def test_f47_stopped_in_the_body_closes_the_socket_keeps_the_text_and_tells_the_agent_once(dialect, server):
    server.plays = [[sse_head(), chunked(dialect.text("so far"), last=False), Stall()], answer(b"{}")]
    async with asked(dialect, server.url) as (manager, session):
        await until(lambda: (turn := live(manager, session)) and turn.answer)
        streaming = next(each for each in server.connections if any(r.method == "POST" for r in each.requests))
        began = time.perf_counter()
        turn = await stopped(manager, session)
        assert turn.answer == "so far"
        await until(lambda: streaming.closed_at is not None)
        assert streaming.closed_at - began < ABORTED_S * BUSY, "the server sees it at once"
        if dialect.name != "openai-chat":
            await until(lambda: cancels(server))
        await manager.abort(session)
    assert len(cancels(server)) == (0 if dialect.name == "openai-chat" else 1)
    await server.until_closed(seconds=1)


async def test_f47_an_agent_that_cannot_be_told_is_said_to_work_on(dialect, server):
    if dialect.name == "openai-chat":
        pytest.skip("the protocol has no tasks")
    server.plays = [
        [sse_head(), chunked(dialect.text("so far"), last=False), Stall()],
        answer(b"no", "500 Internal Server Error"),
    ]
    waits = EngineSettings(tell_notice_s=1.0)  # a busy machine may take longer than the program waits to answer
    async with asked(dialect, server.url, settings=waits) as (manager, session):
        await until(lambda: (turn := live(manager, session)) and turn.answer)
        await manager.abort(session)
        [turn] = await manager.turns(session)
    notices = [part.text for part in turn.parts if isinstance(part, NoticePart)]
    assert [text for text in notices if "could not be told to stop" in text], notices


async def test_f47_stopped_while_the_next_try_is_awaited(dialect, server):
    server.plays = [answer(b"busy", "503 Service Unavailable", retry_after="60")]
    async with asked(dialect, server.url) as (manager, session):
        await until(lambda: (turn := live(manager, session)) and turn.head.retry_at is not None)
        await stopped(manager, session)
    assert len(server.requests) == 1


async def test_f47_stopped_while_its_end_is_saved_the_turn_is_what_it_was(dialect, server):
    server.plays = [stream(dialect.text("all of it"), dialect.end())]
    store = SlowStore()
    async with asked(dialect, server.url, store) as (manager, session):
        await asyncio.wait_for(store.is_ending.wait(), 5)
        began = time.perf_counter()
        assert not await manager.abort(session), "its end was decided before"
        assert time.perf_counter() - began < ABORTED_S * BUSY
        store.may_end.set()
        turn = await manager.finished(session)
        assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "all of it")
    assert cancels(server) == []


@pytest.mark.parametrize(
    ("reason", "words"), [("length", "limit"), ("content_filter", "filter"), ("tool_calls", "tool"), ("stop", "")]
)
async def test_f25_why_an_answer_ended_is_shown_and_it_is_complete(dialect, server, reason, words):
    if dialect.name != "openai-chat":
        pytest.skip("the protocol gives no reason for a normal end")
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    server.plays = [stream(dialect.text("x"), b"data: " + json.dumps(last).encode() + b"\n\n", b"data: [DONE]\n\n")]
    async with asked(dialect, server.url) as (manager, session):
        turn = await manager.finished(session)
    assert (turn.head.state, turn.answer, turn.head.finish_reason) == (TurnState.COMPLETE, "x", reason)
    said = " ".join(part.text for part in turn.parts if isinstance(part, NoticePart))
    assert words in said or words in turn.head.finish_reason


async def test_f25_the_barest_end_that_the_protocol_allows_is_complete(dialect, server):
    end = b"data: [DONE]\n\n" if dialect.name == "openai-chat" else dialect.status("completed")
    server.plays = [[sse_head(), chunked(dialect.text("x"), end, last=False), LAST_CHUNK]]
    async with asked(dialect, server.url) as (manager, session):
        turn = await manager.finished(session)
    assert (turn.head.state, turn.answer) == (TurnState.COMPLETE, "x")
