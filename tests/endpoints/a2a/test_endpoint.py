"""The course of a request, against a scripted server."""

import json
from contextlib import aclosing

import pytest

from chatforge_tui.domain.events import Finished, Noticed, TaskBound, WaitingForUser
from chatforge_tui.domain.ids import ContextId, TaskId, new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.errors import ProtocolMismatch, StreamStalled
from tests.contracts.endpoint_run import a_request, run
from tests.endpoints.a2a.scripted_agent import REST_CARD, chunk, event, method, refusal, reply, status, task, whole
from tests.servers.raw_server import Stall, answer, stream


async def test_an_error_of_the_protocol_under_an_http_error_status_is_read(serving, server):
    body = json.dumps({"id": 1, "error": {"code": -32602, "message": "Bad parts"}}).encode()
    server.plays = [answer(body, "400 Bad Request")]
    found = await run(serving.connect())
    assert "Bad parts" in found.events[-1].problem.message


async def test_a_stream_request_answered_with_a_whole_result_is_an_answer(serving, server):
    server.plays = [reply({"kind": "message", "role": "agent", "parts": [{"kind": "text", "text": "At once."}]})]
    found = await run(serving.connect())
    assert (found.text, type(found.events[-1])) == ("At once.", Finished)


async def test_http_json_is_spoken_where_nothing_else_is_offered(serving, server):
    serving.card(REST_CARD)
    update = {"taskId": "t-1", "contextId": "c-1", "artifact": {"artifactId": "a", "parts": [{"text": "rest"}]}}
    end = {"taskId": "t-1", "contextId": "c-1", "status": {"state": "TASK_STATE_COMPLETED"}}
    bare = [
        b"data: " + json.dumps(each).encode() + b"\n\n" for each in ({"artifactUpdate": update}, {"statusUpdate": end})
    ]
    server.plays = [stream(*bare)]
    found = await run(serving.connect())
    assert found.text == "rest"
    assert (server.requests[0].target, server.requests[0].headers["a2a-version"]) == ("/rest/message:stream", "1.0")


async def test_an_http_json_error_is_the_agents_own(serving, server):
    serving.card(REST_CARD)
    error = {
        "code": 400,
        "status": "INVALID_ARGUMENT",
        "message": "No parts",
        "details": [{"reason": "INVALID_PARAMS"}],
    }
    server.plays = [answer(json.dumps({"error": error}).encode(), "400 Bad Request")]
    found = await run(serving.connect())
    assert "No parts" in found.events[-1].problem.message


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>Sign in</html>", "text/html"), (b'{"a":1}\n{"a":2}\n', "application/x-ndjson"), (b"", "")],
)
async def test_what_is_no_event_stream_is_said_to_be_none(serving, server, body, content_type):
    server.plays = [answer(body, content_type=content_type)]
    found = await run(serving.connect())
    assert isinstance(found.error, ProtocolMismatch)
    assert "not with an A2A event stream" in str(found.error)
    assert not found.error.retryable


async def test_three_unreadable_events_are_skipped_and_the_fourth_is_too_many(serving, server):
    bad = b"data: {nonsense\n\n"
    server.plays = [stream(bad, event(chunk("a")), bad, bad, event(status("completed")))]
    found = await run(serving.connect())
    assert (found.text, type(found.events[-1])) == ("a", Finished)
    warned = [each for each in found.of(Noticed) if each.level is NoticeLevel.WARNING]
    assert len(warned) == 3
    server.plays = [stream(event(chunk("a")), bad, bad, bad, bad, event(status("completed")))]
    found = await run(serving.connect())
    assert found.text == "a"
    assert isinstance(found.error, ProtocolMismatch)


async def test_events_of_other_requests_and_tasks_are_not_mixed_in(serving, server):
    server.plays = [
        stream(
            event(chunk("ours ")),
            event(chunk("foreign id "), call_id=99),
            event(chunk("foreign task ", task_id="t-2")),
            event({**chunk("foreign context "), "contextId": "c-2"}),
            event(chunk("again")),
            event(status("completed")),
        )
    ]
    assert (await run(serving.connect())).text == "ours again"


async def test_a_stream_of_nothing_but_another_requests_events_is_refused(serving, server):
    server.plays = [stream(*[event(chunk("x"), call_id="other")] * 4)]
    found = await run(serving.connect())
    assert found.text == ""
    assert isinstance(found.error, ProtocolMismatch)


async def test_the_socket_is_closed_when_the_server_goes_on_after_the_end(serving, server):
    server.plays = [[*stream(event(chunk("x")), event(status("completed")), last=False), Stall()]]
    found = await run(serving.connect())
    assert isinstance(found.events[-1], Finished)
    await server.until_closed(seconds=1)


async def test_context_and_task_go_back_to_the_agent(serving, server):
    request = PromptRequest(
        new_session_id(),
        new_turn_id(),
        new_request_id(),
        Prompt("typed", {"repo": "a", "count": 2.0}),
        ContextId("c-1"),
        TaskId("t-1"),
    )
    server.plays = [whole()]
    await run(serving.connect(), request)
    message = json.loads(server.requests[0].body)["params"]["message"]
    assert (message["contextId"], message["taskId"], message["messageId"]) == ("c-1", "t-1", request.turn_id)
    assert message["parts"] == [
        {"kind": "text", "text": "repo: a\ncount: 2"},
        {"kind": "data", "data": {"repo": "a", "count": 2.0}},
    ]


async def test_an_answered_question_does_not_repeat_what_was_told_before_it(serving, server):
    endpoint = serving.connect()
    server.plays = [stream(event(chunk("First. ")), event(status("input-required")))]
    first = await run(endpoint)
    assert isinstance(first.events[-1], WaitingForUser)
    server.plays = [stream(event(task("working", "First. ")), event(chunk("Second.")), event(status("completed")))]
    request = PromptRequest(
        new_session_id(), new_turn_id(), new_request_id(), Prompt("go on"), ContextId("c-1"), TaskId("t-1")
    )
    assert (await run(endpoint, request)).text == "Second."


async def test_an_error_to_an_answer_says_that_the_question_may_be_gone(serving, server):
    server.plays = [refusal(-32004, "Task t-1 is in terminal state")]
    request = PromptRequest(new_session_id(), new_turn_id(), new_request_id(), Prompt("x"), None, TaskId("t-1"))
    found = await run(serving.connect(), request)
    assert "new prompt" in found.events[-1].problem.hint


async def test_a_cancel_goes_on_a_connection_of_its_own_beside_the_stream(serving, server):
    endpoint = serving.connect()
    server.plays = [[*stream(event(task("working")), last=False), Stall()]]
    events = endpoint.stream(a_request())
    async with aclosing(events):
        async for each in events:
            if isinstance(each, TaskBound):
                break
        server.plays = [reply(task("canceled"))]
        await endpoint.cancel_task(TaskRef(TaskId("t-1")))
        assert method(server.requests[-1]) == "tasks/cancel"
        assert json.loads(server.requests[-1].body)["params"] == {"id": "t-1"}
        await server.until(lambda: server.open_connections == 1)
    await server.until_closed(seconds=1)


@pytest.mark.parametrize("code", [-32001, -32002])
async def test_cancelling_what_is_over_is_no_error(serving, server, code):
    server.plays = [refusal(code)]
    await serving.connect().cancel_task(TaskRef(TaskId("t-1")))


async def test_a_cancel_that_is_refused_or_not_answered_is_told(serving, server):
    server.plays = [refusal(-32603, "cannot stop")]
    with pytest.raises(ProtocolMismatch, match="cannot stop"):
        await serving.connect().cancel_task(TaskRef(TaskId("t-1")))
    server.plays = [[Stall()]]
    with pytest.raises(StreamStalled):
        await serving.connect(cancel_s=0.2).cancel_task(TaskRef(TaskId("t-1")))
    await server.until_closed(seconds=1)
