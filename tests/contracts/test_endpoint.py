"""The contract of `sessions.ports.Endpoint`: every adapter, put through the same scenes by a scripted server."""

import asyncio
import time
from contextlib import aclosing, suppress
from statistics import median

import pytest

from chatforge_tui.domain.events import Accepted, Failed, Finished, StillAlive, TextDelta
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.endpoints import reading_beat
from chatforge_tui.endpoints.http import HttpSettings
from chatforge_tui.errors import (
    HttpRejected,
    LimitExceeded,
    RateLimited,
    StreamStalled,
    TaskForgotten,
    Unauthorized,
    Unreachable,
)
from tests.contracts.endpoint_dialects import DIALECTS, Dialect
from tests.contracts.endpoint_run import TERMINAL, Run, a_request, a_request_with, memory_at_first_text, run
from tests.servers.raw_server import (
    LAST_CHUNK,
    RawServer,
    Repeat,
    Stall,
    Wait,
    answer,
    chunked,
    raw_server,
    sse_head,
    stream,
)


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.name)
def dialect(request) -> Dialect:
    return request.param


@pytest.fixture
async def server(dialect):
    async with raw_server() as running:
        running.beside = dialect.beside
        yield running


@pytest.fixture
async def connect(dialect, server):
    """Make endpoints that are closed after the test."""
    made = []

    def make(target: RawServer | None = None, **http):
        endpoint = dialect.connect((target or server).url, HttpSettings(name="e", **http))
        made.append(endpoint)
        return endpoint

    yield make
    for endpoint in made:
        await endpoint.aclose()


async def test_an_answer_is_accepted_then_said_in_order_then_finished_once(dialect, server, connect):
    server.plays = [stream(dialect.text("one "), dialect.text("two "), dialect.text("three"), dialect.end())]
    found = await run(connect())
    assert isinstance(found.events[0], Accepted)
    assert found.text == "one two three"
    assert [type(event) for event in found.events if isinstance(event, TERMINAL)] == [Finished]
    assert isinstance(found.events[-1], Finished)


async def test_the_prompt_arrives_as_it_was_written(dialect, server, connect):
    server.plays = [stream(dialect.text("x"), dialect.end())]
    prompt = 'Ümläute, "quotes", \\ and 🙂\n\nand a second paragraph'
    await run(connect(), a_request(prompt))
    assert dialect.prompt(server.requests[0]) == prompt


async def test_files_arrive_byte_for_byte_beside_the_prompt_or_alone(dialect, server, connect):
    files = [("pixel “1”.png", "image/png", bytes(range(256))), ("a.pdf", "application/pdf", b"%PDF-1.7\xff" * 999)]
    server.plays = [stream(dialect.text("x"), dialect.end())] * 2
    endpoint = connect()
    for text in ("look", ""):
        await run(endpoint, a_request_with(*files, text=text))
        found = dialect.files(server.requests[-1])
        assert [file[1:] for file in found] == [file[1:] for file in files]
        assert found[1][0] == "a.pdf"
    assert b"look" in server.requests[0].body


async def test_files_are_not_kept_while_the_answer_is_read(dialect, server, connect):
    size = 4_000_000
    server.plays = [[*stream(dialect.text("x"), last=False), Stall()]] * 2
    endpoint = connect()
    kept, most = await memory_at_first_text(
        lambda: endpoint.stream(a_request_with(("x.bin", "application/pdf", bytes(size)))),
        lambda: len(server.requests[-1].body),
    )
    assert most > 2 * size, "the file and the body were there once"
    assert kept < size / 10


async def test_who_says_nothing_about_files_has_nothing_against_them(dialect, connect):
    request = a_request_with(("x.bin", "application/octet-stream", b"x"))
    assert await connect().objection(request.prompt.attachments) == ""


async def test_text_is_delivered_to_the_byte(dialect, server, connect):
    text = "  leading\n\ttab \r\n \u2028\u0085\x0b 🙂 e\u0301 \x1b[31m trailing  \n\n"
    server.plays = [stream(dialect.text(text[:9]), dialect.text(text[9:]), dialect.end())]
    assert (await run(connect())).text == text


async def test_the_same_bytes_cut_anywhere_say_the_same(dialect, server, connect):
    body = dialect.text("né🙂 ") + dialect.text("zwei") + dialect.end()
    server.plays = [stream(body)]
    endpoint = connect()
    whole = await run(endpoint)
    for size in (1, 2, 3, 7, 64):
        server.plays = [stream(*(body[at : at + size] for at in range(0, len(body), size)))]
        cut = await run(endpoint)
        assert (cut.text, type(cut.events[-1])) == (whole.text, Finished)


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
async def test_every_line_ending_of_the_standard_is_understood(dialect, server, connect, ending):
    body = (dialect.text("one ") + dialect.text("two") + dialect.end()).replace(b"\n", ending.encode())
    server.plays = [stream(body)]
    found = await run(connect())
    assert (found.text, type(found.events[-1])) == ("one two", Finished)


async def test_a_stream_that_merely_ends_has_no_terminal_event(dialect, server, connect):
    server.plays = [stream(dialect.text("half an ans"))]
    found = await run(connect())
    assert (found.text, found.terminal) == ("half an ans", None)


async def test_nothing_follows_the_terminal_event(dialect, server, connect):
    server.plays = [stream(dialect.text("all"), dialect.end(), dialect.text("late"), dialect.end())]
    found = await run(connect())
    assert found.text == "all"
    assert isinstance(found.events[-1], Finished)


async def test_an_error_in_the_stream_fails_the_turn_and_keeps_the_text(dialect, server, connect):
    server.plays = [stream(dialect.text("so far"), dialect.error("the GPU is on fire"))]
    found = await run(connect())
    assert found.text == "so far"
    assert isinstance(found.events[-1], Failed)
    assert "the GPU is on fire" in found.events[-1].problem.message


async def test_keepalives_are_told_and_are_no_text(dialect, server, connect):
    server.plays = [stream(b": ping\n\n", dialect.text("x"), b":\n\n", dialect.end())]
    found = await run(connect())
    assert found.text == "x"
    assert found.of(StillAlive)


async def test_cancelling_while_the_answer_streams_closes_the_socket_at_once(dialect, server, connect):
    endpoint, took = connect(), []
    for _ in range(15):
        server.plays = [[*stream(dialect.text("x"), last=False), Stall()]]
        task, started = _start(endpoint)
        await started.wait()
        before = time.perf_counter()
        task.cancel()
        await server.until_closed()
        took.append(server.connections[-1].closed_at - before)
        with suppress(asyncio.CancelledError):
            await task
    assert median(took) <= 0.020, f"median {median(took) * 1000:.1f} ms"
    assert max(took) <= 0.2


async def test_cancelling_while_the_answer_is_awaited_closes_the_socket(dialect, server, connect):
    server.plays = [[Stall()]]
    task, _ = _start(connect())
    await server.until(lambda: len(server.requests) == 1)
    task.cancel()
    await server.until_closed(seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_twice_leaves_no_socket_open(dialect, server, connect):
    server.plays = [[*stream(dialect.text("x"), last=False), Stall()]]
    task, started = _start(connect())
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await server.until_closed(seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_a_cancel_the_same_endpoint_answers_again(dialect, server, connect):
    endpoint = connect()
    server.plays = [[*stream(dialect.text("x"), last=False), Stall()]]
    task, started = _start(endpoint)
    await started.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    server.plays = [stream(dialect.text("again"), dialect.end())]
    assert (await run(endpoint)).text == "again"


async def test_closing_the_generator_closes_the_socket(dialect, server, connect):
    server.plays = [[*stream(dialect.text("x"), last=False), Stall()]]
    async with aclosing(connect().stream(a_request())) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    await server.until_closed(seconds=1)


async def test_two_turns_use_one_connection(dialect, server, connect):
    endpoint = connect()
    for text in ("one", "two"):
        server.plays = [stream(dialect.text(text), dialect.end())]
        assert (await run(endpoint)).text == text
    carried = [each for each in server.connections if any(dialect.beside(one) is None for one in each.requests)]
    assert len(carried) == 1


async def test_a_connection_that_died_between_two_turns_is_replaced_unseen(dialect, server, connect):
    endpoint = connect()
    server.plays = [stream(dialect.text("one"), dialect.end())]
    await run(endpoint)
    port = server.port
    await server.stop()
    await server.start()
    assert server.port == port
    server.plays = [stream(dialect.text("two"), dialect.end())]
    found = await run(endpoint)
    assert (found.text, found.error) == ("two", None)


@pytest.mark.parametrize("is_watched", [True, False])
async def test_nothing_of_a_trickling_answer_is_lost_and_what_nobody_watches_comes_in_fewer_pieces(
    dialect, server, connect, is_watched
):
    words = [f"word{number} " for number in range(24)]
    gates = [asyncio.Event() for _ in words]
    pieces = [step for word, gate in zip(words, gates, strict=True) for step in _gated(gate, dialect.text(word))]
    server.plays = [[*stream(last=False), *pieces, chunked(dialect.end(), last=False), LAST_CHUNK]]
    endpoint = connect()
    endpoint.attend(is_watched=is_watched)
    task, _ = _start(endpoint)
    for gate in gates:
        gate.set()
        await asyncio.sleep(0.012)
    found = await task
    assert found.text == "".join(words)
    assert isinstance(found.events[-1], Finished)
    assert is_watched or len(found.of(TextDelta)) <= len(words) / 2


async def test_what_waits_comes_at_once_when_somebody_watches(dialect, server, connect, monkeypatch):
    monkeypatch.setattr(reading_beat, "HIDDEN_S", 5.0)
    gates = [asyncio.Event() for _ in range(3)]
    pieces = [step for number, gate in enumerate(gates) for step in _gated(gate, dialect.text(f"{number}"))]
    server.plays = [[*stream(last=False), *pieces, Stall()]]
    endpoint, found = connect(), list[str]()
    async with aclosing(endpoint.stream(a_request())) as events:
        following = asyncio.create_task(_texts(events, found))  # noqa: TID251 - the part of the worker
        gates[0].set()
        await _until(lambda: "".join(found) == "0")
        endpoint.attend(is_watched=False)
        for gate in gates[1:]:
            gate.set()
            await asyncio.sleep(0.02)
        assert "2" not in "".join(found)
        began = time.perf_counter()
        endpoint.attend(is_watched=True)
        await _until(lambda: "".join(found) == "012")
        assert time.perf_counter() - began < 2
        following.cancel()
        await asyncio.wait([following])


async def test_cancelling_what_nobody_watches_closes_the_socket_at_once(dialect, server, connect):
    endpoint = connect()
    endpoint.attend(is_watched=False)
    server.plays = [[*stream(dialect.text("x"), dialect.text("y"), last=False), Stall()]]
    task, started = _start(endpoint)
    await started.wait()
    before = time.perf_counter()
    task.cancel()
    await server.until_closed()
    assert server.connections[-1].closed_at - before <= 0.2
    with suppress(asyncio.CancelledError):
        await task


async def test_a_failing_session_disturbs_no_other(dialect, server, connect):
    async with raw_server() as broken:
        broken.beside = dialect.beside
        broken.plays = [[*stream(dialect.text("x"), last=False), Stall()]]
        go_on = asyncio.Event()
        server.plays = [
            [*stream(dialect.text("begin "), last=False), *_after(go_on, dialect.text("end"), dialect.end())]
        ]
        healthy, started = _start(connect())
        await started.wait()
        other, other_started = _start(connect(broken))
        await other_started.wait()
        other.cancel()
        await broken.until_closed()
        go_on.set()
        assert (await healthy).text == "begin end"
        with suppress(asyncio.CancelledError):
            await other


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 Unauthorized", Unauthorized),
        ("403 Forbidden", Unauthorized),
        ("404 Not Found", HttpRejected),
        ("429 Too Many Requests", RateLimited),
        ("500 Internal Server Error", HttpRejected),
    ],
)
async def test_an_error_status_is_an_error_of_the_tree_that_quotes_the_server(dialect, server, connect, status, kind):
    server.plays = [answer(b'{"error":{"message":"because I say so"}}', status)] * 4
    found = await run(connect())
    assert type(found.error) is kind
    assert "because I say so" in str(found.error)
    assert found.events == []


async def test_a_refused_connection_is_unreachable_and_may_be_tried_again(dialect, server, connect):
    await server.stop()
    found = await run(connect())
    assert isinstance(found.error, Unreachable)
    assert found.error.retryable
    assert f"127.0.0.1:{server.port}" in str(found.error)
    await server.start()


async def test_silence_in_the_middle_of_an_answer_ends_it_as_stalled_with_its_text(dialect, server, connect):
    server.plays = [[*stream(dialect.text("so far"), last=False), Stall()]]
    found = await run(connect(idle_s=0.2))
    assert found.text == "so far"
    assert isinstance(found.error, StreamStalled)
    assert found.error.state == "interrupted"
    await server.until_closed(seconds=1)


async def test_a_bomb_is_stopped_at_the_limit_of_the_turn(dialect, server, connect):
    server.plays = [[sse_head(), Repeat(chunked(dialect.text("y" * 50_000), last=False))]]
    found = await run(connect(max_turn_bytes=2**20))
    assert isinstance(found.error, LimitExceeded)
    assert 0 < len(found.text) <= 2**20
    await server.until_closed(seconds=1)


async def test_closing_twice_is_closing_once_and_leaves_no_socket(dialect, server, connect):
    endpoint = connect()
    server.plays = [stream(dialect.text("x"), dialect.end())]
    await run(endpoint)
    await endpoint.aclose()
    await endpoint.aclose()
    await server.until_closed(seconds=1)


async def test_connecting_opens_no_socket(dialect, server, connect):
    connect()
    await asyncio.sleep(0)
    assert server.connections == []


async def test_telling_an_unknown_task_to_stop_does_not_hang(dialect, server, connect):
    server.plays = [dialect.forgotten()]
    async with asyncio.timeout(6):
        await connect().cancel_task(TaskRef(TaskId("t-1")))


async def test_a_task_that_nobody_knows_is_forgotten_and_no_prompt_is_sent_for_it(dialect, server, connect):
    server.plays = [dialect.forgotten()] * 2
    endpoint = connect()
    with pytest.raises(TaskForgotten) as error:
        await _resumed(endpoint)
    assert error.value.state == "interrupted"
    assert not any(b"essage/" in request.body or b"Message" in request.body for request in server.requests)
    assert bool(server.requests) == endpoint.can_resume


async def test_an_agent_that_cannot_be_reached_may_be_asked_for_its_task_again(dialect, server, connect):
    endpoint = connect()
    if not endpoint.can_resume:
        pytest.skip("the protocol has no tasks")
    await server.stop()
    with pytest.raises(Unreachable) as error:
        await _resumed(endpoint)
    assert error.value.retryable
    await server.start()


async def test_cancelling_while_a_task_is_read_on_with_closes_the_socket(dialect, server, connect):
    endpoint = connect()
    if not endpoint.can_resume:
        pytest.skip("the protocol has no tasks")
    server.plays = [[Stall()]]
    task = asyncio.create_task(_resumed(endpoint))  # noqa: TID251 - the part of the worker
    await server.until(lambda: len([one for one in server.requests if dialect.beside(one) is None]) == 1)
    task.cancel()
    await server.until_closed(seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await task


def _gated(gate, piece):
    return [Wait(gate), chunked(piece, last=False)]


async def _texts(events, found):
    async for event in events:
        if isinstance(event, TextDelta):
            found.append(event.text)


async def _until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for comes from a socket
            await asyncio.sleep(0.001)


async def _resumed(endpoint):
    async with aclosing(endpoint.resume(TaskRef(TaskId("t-1")))) as events:
        return [event async for event in events]


def _start(endpoint):
    """Run a request in a task; the event is set at its first text."""
    started = asyncio.Event()

    async def follow():
        found = await _run_telling(endpoint, started)
        started.set()
        return found

    return asyncio.create_task(follow()), started  # noqa: TID251 - the part of the worker


async def _run_telling(endpoint, started):
    found = Run([])
    async with aclosing(endpoint.stream(a_request())) as events:
        async for event in events:
            found.events.append(event)
            if isinstance(event, TextDelta):
                started.set()
    return found


def _after(event, *pieces):
    return [Wait(event), *(chunked(piece, last=False) for piece in pieces), LAST_CHUNK]
