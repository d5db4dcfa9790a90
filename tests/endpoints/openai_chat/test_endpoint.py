"""How the adapter asks, and what it makes of answers that are no stream."""

import json
import time

import pytest

from chatforge_tui.domain.events import Accepted, Failed, Finished, TextDelta, UsageReported
from chatforge_tui.domain.turn import Usage
from chatforge_tui.endpoints.late_endpoint import LateEndpoint
from chatforge_tui.errors import HttpRejected, LimitExceeded, ProtocolMismatch, StreamLost
from tests.contracts.endpoint_run import a_request, memory_at_first_text, run, text_of
from tests.endpoints.openai_chat.server import DONE, capture, delta, event
from tests.servers.raw_server import Close, Stall, answer, chunked, head, sse_head, stream
from tests.store.values import a_session, a_turn, ended

WHOLE = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "all at once"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2},
}


def refusal(message, status="400 Bad Request"):
    return answer(json.dumps({"error": {"message": message}}).encode(), status)


async def test_the_request_goes_where_it_should_with_what_it_needs(server, open_endpoint):
    server.plays = [stream(delta(content="x"), DONE)]
    await run(open_endpoint(http={"headers": {"Authorization": "Bearer t"}}))
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v1/chat/completions")
    wanted = {"content-type": "application/json", "accept": "text/event-stream", "authorization": "Bearer t"}
    assert wanted.items() <= request.headers.items()
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("chatforge/")


async def test_what_was_sent_is_not_kept_while_the_answer_is_read(server, open_endpoint):
    play, size = [sse_head(), chunked(delta(content="x"), last=False), Stall()], 4_000_000
    server.plays = [play, play]

    async def find():
        return open_endpoint()

    def begin():
        request = a_request(history=(ended(a_turn(a_session()), "a" * size),))
        return LateEndpoint(find, needs_history=True).stream(request)

    kept, most = await memory_at_first_text(begin, lambda: len(server.requests[-1].body))
    assert most > 2 * size, "the history and the body were there once"
    assert kept < size / 10


async def test_a_base_without_v1_is_tried_with_it_first_then_without(server, open_endpoint):
    server.plays = [
        answer(b"404 page not found", "404 Not Found", "text/plain"),
        stream(delta(content="x"), DONE),
        stream(delta(content="y"), DONE),
    ]
    endpoint = open_endpoint("")
    assert [(await run(endpoint)).text, (await run(endpoint)).text] == ["x", "y"]
    targets = [request.target for request in server.requests]
    assert targets == ["/v1/chat/completions", "/chat/completions", "/chat/completions"]


async def test_a_model_that_is_not_there_is_said_at_once(server, open_endpoint):
    server.plays = [refusal("model 'm' not found, try pulling it first", "404 Not Found")]
    found = await run(open_endpoint(""))
    assert "try pulling it" in str(found.error)
    assert "/v1/chat/completions" in str(found.error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Entity"])
async def test_a_server_that_refuses_stream_options_is_asked_without_them_from_then_on(server, open_endpoint, status):
    server.plays = [
        refusal("Unknown parameter: 'stream_options'", status),
        stream(delta(content="x"), DONE),
        stream(delta(content="y"), DONE),
    ]
    endpoint = open_endpoint()
    assert [(await run(endpoint)).text, (await run(endpoint)).text] == ["x", "y"]
    assert ["stream_options" in json.loads(request.body) for request in server.requests] == [True, False, False]


async def test_a_server_that_goes_on_refusing_is_believed(server, open_endpoint):
    server.plays = [refusal("no stream_options"), refusal("no stream_options")]
    found = await run(open_endpoint())
    assert isinstance(found.error, HttpRejected)
    assert len(server.requests) == 2


async def test_any_other_refusal_is_not_argued_with(server, open_endpoint):
    server.plays = [refusal("temperature must be 1")]
    found = await run(open_endpoint())
    assert isinstance(found.error, HttpRejected)
    assert not found.error.retryable
    assert len(server.requests) == 1


async def test_a_limit_goes_by_its_new_name_where_the_old_one_is_refused(server, open_endpoint):
    server.plays = [
        refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        stream(delta(content="x"), DONE),
    ]
    assert (await run(open_endpoint(max_tokens=7))).text == "x"
    assert json.loads(server.requests[1].body)["max_completion_tokens"] == 7
    assert "max_tokens" not in json.loads(server.requests[1].body)


async def test_a_server_that_does_not_stream_is_taken_at_its_whole_word(server, open_endpoint):
    server.plays = [answer(json.dumps(WHOLE).encode())]
    found = await run(open_endpoint())
    assert found.events == [
        Accepted("openai-chat", "m"),
        TextDelta("all at once"),
        UsageReported(Usage(1, 2)),
        Finished("stop"),
    ]


async def test_an_error_with_status_200_is_an_error(server, open_endpoint):
    server.plays = [answer(b'{"error":{"message":"no credit","code":402}}')]
    found = await run(open_endpoint())
    assert isinstance(found.events[-1], Failed)
    assert "no credit" in found.events[-1].problem.message


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html; charset=utf-8"),
        (b"Please log in", "text/plain"),
        (b'{"status":"Please log in"}', "application/json"),
        (b"", "application/json"),
        (b"", ""),
        (delta(content="x") + DONE, "text/html"),
        (delta(content="x") + DONE, "text/event-stream-bogus"),
        (delta(content="x") + DONE, "text/event-streaming"),
    ],
)
async def test_what_is_no_event_stream_is_refused_and_quoted(server, open_endpoint, body, content_type):
    server.plays = [answer(body, content_type=content_type)]
    found = await run(open_endpoint())
    assert isinstance(found.error, ProtocolMismatch)
    assert "not an event stream" in str(found.error)
    assert ("Please log in" in str(found.error)) == (b"Please log in" in body)
    assert found.text == ""


async def test_a_login_page_is_quoted_up_to_200_characters(server, open_endpoint):
    server.plays = [answer(b"<html>" + b"x" * 5000, content_type="text/html")]
    found = await run(open_endpoint())
    assert 150 < str(found.error).count("x") <= 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "application/octet-stream"])
@pytest.mark.parametrize("begin", [b"", b"\n\n: hold on\n\n", b"\xef\xbb\xbf", b"event: message\n"])
async def test_a_stream_under_another_content_type_is_a_stream(server, open_endpoint, content_type, begin):
    server.plays = [answer(begin + delta(content="hello") + DONE, content_type=content_type)]
    found = await run(open_endpoint())
    assert (found.text, found.error, [type(each) for each in found.events].count(Accepted)) == ("hello", None, 1)


async def test_a_field_cut_in_two_by_the_network_is_a_stream_all_the_same(server, open_endpoint):
    server.plays = [[head(content_type="text/plain") + b"da", b"ta" + (delta(content="hello") + DONE)[4:], None]]
    assert (await run(open_endpoint())).text == "hello"


@pytest.mark.parametrize("content_type", ["text/event-stream", "text/plain", ""])
async def test_why_a_server_gave_up_is_read_where_it_promised_a_stream(server, open_endpoint, content_type):
    server.plays = [answer(b'{"error":"the runner died"}\n', content_type=content_type)]
    found = await run(open_endpoint())
    assert isinstance(found.events[-1], Failed)
    assert "the runner died" in found.events[-1].problem.message
    assert [type(each) for each in found.events].count(Accepted) == 1


@pytest.mark.parametrize("content_type", ["text/event-stream;charset=windows-1252", "Text/Event-Stream ; x=y"])
async def test_parameters_and_case_of_the_content_type_do_not_matter(server, open_endpoint, content_type):
    server.plays = [answer(delta(content="né") + DONE, content_type=content_type)]
    assert (await run(open_endpoint())).text == "né"


async def test_a_finish_reason_ends_the_answer_of_a_server_that_never_says_done(server, open_endpoint):
    server.plays = [stream(delta(content="x"), delta("stop"))]
    found = await run(open_endpoint())
    assert found.events[-1] == Finished("stop")


async def test_usage_after_the_finish_reason_is_waited_for(server, open_endpoint):
    usage = event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    server.plays = [stream(delta(content="x"), delta("stop"), usage, DONE)]
    assert (await run(open_endpoint())).of(UsageReported) == [UsageReported(Usage(1, 2))]


async def test_a_server_that_keeps_the_connection_open_after_the_last_word_is_not_waited_for_long(
    server, open_endpoint, monkeypatch
):
    monkeypatch.setattr("chatforge_tui.endpoints.openai_chat.endpoint._AFTER_FINISH_S", 0.1)
    server.plays = [[*stream(delta(content="x"), delta("stop"), last=False), Stall()]]
    found = await run(open_endpoint())
    assert found.events[-1] == Finished("stop")
    await server.until_closed(seconds=1)


async def test_a_server_that_never_closes_after_done_is_closed_by_us_within_a_second(server, open_endpoint):
    server.plays = [[*stream(delta(content="x"), DONE, last=False), Stall()]]
    before = time.perf_counter()
    found = await run(open_endpoint())
    await server.until_closed(seconds=1)
    assert found.events[-1] == Finished("")
    assert time.perf_counter() - before < 1


async def test_a_broken_connection_is_no_clean_end_even_after_the_last_word(server, open_endpoint):
    server.plays = [[sse_head(), chunked(delta(content="x") + delta("stop"), last=False), Close()]]
    found = await run(open_endpoint())
    assert isinstance(found.error, StreamLost)
    assert found.text == "x"


async def test_models_that_cannot_be_listed_are_no_reason_to_give_up(server, open_endpoint):
    server.plays = [answer(b"", "404 Not Found"), stream(delta(content="x"), DONE)]
    assert (await run(open_endpoint(model=""))).text == "x"
    assert "model" not in json.loads(server.requests[1].body)


async def test_a_refused_list_of_models_is_a_refusal(server, open_endpoint):
    server.plays = [refusal("bad key", "401 Unauthorized")]
    found = await run(open_endpoint(model=""))
    assert "bad key" in str(found.error)


async def test_models_that_cannot_chat_are_passed_over(server, open_endpoint):
    listed = {"data": [{"id": "text-embedding-3"}, {"id": "whisper-1"}, {"id": "chatty"}]}
    server.plays = [answer(json.dumps(listed).encode()), stream(delta(content="x"), DONE)]
    assert (await run(open_endpoint(model=""))).events[0] == Accepted("openai-chat", "chatty")


async def test_an_event_beyond_the_limit_fails_the_turn(server, open_endpoint):
    server.plays = [[sse_head(), chunked(delta(content="x"), b"data: " + b"y" * 200_000, last=False), Stall()]]
    found = await run(open_endpoint(http={"max_event_bytes": 100_000}))
    assert isinstance(found.error, LimitExceeded)
    assert found.text == "x"
    await server.until_closed(seconds=1)


async def test_a_body_without_length_or_chunks_that_ends_without_done_is_interrupted(server, open_endpoint):
    server.plays = [[head(connection="close"), delta(content="x"), Close()]]
    found = await run(open_endpoint())
    assert (found.text, found.terminal, found.error) == ("x", None, None)


async def test_the_recorded_stream_of_an_error_at_status_500_is_an_error(server, open_endpoint):
    server.plays = [answer(capture("chat-litellm-mock-500.body"), "500 Internal Server Error", "text/event-stream")]
    found = await run(open_endpoint(), a_request())
    assert isinstance(found.error, HttpRejected)
    assert text_of(found.events) == ""
