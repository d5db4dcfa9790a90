"""The fault matrix, second part: streams that are long, dense, repeated, out of order, foreign, or nobody reads.

For every protocol adapter, like test_connections.py; the ids are those of table.py.
"""

import asyncio
import gc
import resource
import socket
import time
from contextlib import aclosing, closing

import pytest

from chatforge_tui.domain.events import Failed, Finished, Noticed, TaskBound, TextDelta
from chatforge_tui.endpoints import http_watchdog
from chatforge_tui.errors import ProtocolMismatch, StreamStalled, Unreachable
from tests.contracts.endpoint_dialects import A2aDialect
from tests.contracts.endpoint_run import a_request, run
from tests.endpoints.faults.judging import a_sentence, fails
from tests.servers.raw_server import LAST_CHUNK, Repeat, Stall, chunked, sse_head, stream


def with_id(event: bytes, number: int) -> bytes:
    return b"id: %d\n" % number + event


# F3, F43: the network


@pytest.mark.parametrize("number", [101, 113])  # ENETUNREACH, EHOSTUNREACH
async def test_f3_an_unreachable_network(dialect, server, open_endpoint, monkeypatch, number):
    async def refuse(*_, **__):
        raise OSError(number, "unreachable")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    error = await fails(open_endpoint(), Unreachable, retryable=True)
    assert f"127.0.0.1:{server.port}" in str(error)
    assert a_sentence(error)
    assert server.connections == []


@pytest.fixture
def hole():
    """The port of a listener whose queue is full: what is sent there is dropped, like in a network without a way out."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for each in waiting:
            each.close()


async def test_f43_a_connection_into_a_black_hole_ends_at_its_limit(dialect, server, open_endpoint, hole):
    began = time.perf_counter()
    error = await fails(open_endpoint(f"http://127.0.0.1:{hole}", connect_s=0.3), Unreachable, retryable=True)
    assert f"127.0.0.1:{hole} could not be connected to within 0.3 s" in str(error)
    assert time.perf_counter() - began < 2


async def test_f43_another_address_of_the_host_is_tried_beside_one_that_is_silent(
    dialect, server, open_endpoint, hole, monkeypatch
):
    def resolve(host, port, **_):
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.1", at)) for at in (hole, server.port)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    server.plays = [stream(dialect.text("here"), dialect.end())]
    found = await run(open_endpoint(f"http://localhost:{server.port}", connect_s=5))
    assert (found.text, found.error) == ("here", None)


# F31, F32: long and dense


async def test_f31_an_endless_stream_is_read_on_and_costs_its_text(dialect, server, open_endpoint):
    server.plays = [[sse_head(), Repeat(chunked(dialect.text("ha " * 10), last=False))]]
    read, sizes = 0, []
    async with aclosing(open_endpoint().stream(a_request())) as events:
        async for event in events:
            read += len(event.text) if isinstance(event, TextDelta) else 0
            if read >= (150_000, 600_000)[len(sizes)]:
                gc.collect()
                sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            if len(sizes) == 2:
                break
    assert sizes[1] - sizes[0] < 16, sizes
    await server.until_closed(seconds=1)


async def test_f32_ten_thousand_events_at_once_are_all_there(dialect, server, open_endpoint):
    pieces = [f"{number} " for number in range(10_000)]
    server.plays = [[sse_head(), chunked(*map(dialect.text, pieces), dialect.end(), last=False), LAST_CHUNK]]
    found = await run(open_endpoint())
    assert found.text == "".join(pieces)
    assert isinstance(found.events[-1], Finished)


# F33, F34: repeated and out of order


async def test_f33_an_event_that_comes_again_under_its_id_counts_once(dialect, server, open_endpoint):
    events = [with_id(dialect.text(text), number) for number, text in enumerate("abcab")]
    end = with_id(dialect.end(), 9)
    server.plays = [stream(*events[:3], *events[1:3], *events[2:], events[4], end)]
    found = await run(open_endpoint())
    assert (found.text, type(found.events[-1])) == ("abcab", Finished)


@pytest.mark.parametrize("ids", [(0, 0, 0, 0), (1, 1, 2, 2)])
async def test_f33_ids_that_tell_nothing_apart_cost_no_text(dialect, server, open_endpoint, ids):
    texts = ("ha", " no", "ha", " no")
    server.plays = [
        stream(*(with_id(dialect.text(text), number) for text, number in zip(texts, ids, strict=True)), dialect.end())
    ]
    assert (await run(open_endpoint())).text == "ha noha no"


async def test_f33_the_same_words_without_ids_are_said_twice(dialect, server, open_endpoint):
    server.plays = [stream(dialect.text("ha"), dialect.text("ha"), dialect.end())]
    assert (await run(open_endpoint())).text == "haha"


async def test_f33_f34_artifacts_repeated_or_out_of_order_follow_the_rules_of_the_protocol(
    dialect, server, open_endpoint
):
    if not isinstance(dialect, A2aDialect):
        pytest.skip("the protocol has no artifacts")
    server.plays = [
        stream(
            dialect.artifact("late ", "b"),  # appended before it was begun
            dialect.artifact("draft", append=False),
            dialect.artifact("whole ", append=False),
            dialect.artifact("whole ", append=False),  # the same chunk again
            dialect.artifact("end", last=True),
            dialect.artifact(".", last=True),
            dialect.artifact("more", "b", last=True),
            dialect.end(),
            dialect.end(),
        )
    ]
    found = await run(open_endpoint())
    assert (found.text, type(found.events[-1])) == ("late morewhole end.", Finished)
    assert sum(isinstance(event, Finished) for event in found.events) == 1


# F36, F38: strange and foreign


async def test_f36_what_no_version_of_the_protocol_knows_stops_nothing(dialect, server, open_endpoint):
    server.plays = [stream(dialect.text("a"), *[dialect.strange()] * 5, dialect.text("b"), dialect.end())]
    found = await run(open_endpoint())
    assert (found.text, type(found.events[-1])) == ("ab", Finished)
    if isinstance(dialect, A2aDialect):
        (notice,) = found.of(Noticed)
        assert "does not know" in notice.text
        assert '"apogee": 7' in notice.text


async def test_f38_another_task_another_context_and_another_call_are_not_mixed_in(dialect, server, open_endpoint):
    if not isinstance(dialect, A2aDialect):
        pytest.skip("the protocol names neither tasks nor calls")
    foreign = [
        dialect.artifact("FOREIGN", taskId="t-2"),
        dialect.artifact("FOREIGN", contextId="c-2"),
        dialect.status("failed", is_final=True, taskId="t-2"),
    ]
    server.plays = [stream(dialect.text("a"), *foreign, dialect.text("b"), dialect.end())]
    found = await run(open_endpoint())
    assert (found.text, type(found.events[-1])) == ("ab", Finished)
    assert {event.task_id for event in found.of(TaskBound)} == {"t-1"}


async def test_f38_a_stream_of_another_call_alone_fails(dialect, server, open_endpoint):
    if not isinstance(dialect, A2aDialect) or not dialect.is_enveloped:
        pytest.skip("the protocol does not number its calls")
    foreign = dialect.result({"kind": "message", "messageId": "m", "role": "agent", "parts": []}, call_id=77)
    server.plays = [stream(foreign, foreign)]
    error = await fails(open_endpoint(), ProtocolMismatch)
    assert a_sentence(error)


# F42, F44: sleep, and a reader that stands still


async def test_f42_after_a_sleep_a_dead_connection_is_given_up_soon_and_one_that_lives_goes_on(
    dialect, server, open_endpoint, monkeypatch
):
    slept = 0.0
    monkeypatch.setattr(http_watchdog, "_sleep_offset", lambda: slept)
    monkeypatch.setattr(http_watchdog, "_TICK_S", 0.02)
    monkeypatch.setattr(http_watchdog, "_AFTER_WAKE_S", 0.2)
    server.plays = [[*stream(dialect.text("so far"), last=False), Stall()]]
    text, began = "", 0.0

    async def follow():
        nonlocal text, slept, began
        async with aclosing(open_endpoint(idle_s=60).stream(a_request())) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    text, slept, began = event.text, 3600.0, time.perf_counter()

    with pytest.raises(StreamStalled):
        await follow()
    assert text == "so far"
    assert 0.1 < time.perf_counter() - began < 2


async def test_f44_a_reader_that_stands_still_holds_the_server_back_and_loses_nothing(dialect, server, open_endpoint):
    count, piece = 1_500, "x" * 8_000
    server.plays = [
        [
            sse_head(),
            Repeat(chunked(dialect.text(piece), last=False), count),
            chunked(dialect.text("."), dialect.end()),
        ]
    ]
    parts = []
    async with aclosing(open_endpoint().stream(a_request())) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                parts.append(event.text)
                if len(parts) == 1:
                    sent = -1
                    while sent != server.connections[-1].sent:
                        sent = server.connections[-1].sent
                        await asyncio.sleep(0.05)
                    assert sent < count * len(piece) / 1.2  # the rest is still with the server
            assert not isinstance(event, Failed)
    assert "".join(parts) == piece * count + "."
