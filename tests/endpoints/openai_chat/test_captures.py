"""What real servers sent, played back to the byte."""

import pytest

from chatforge_tui.domain.events import Accepted, Finished, Noticed, StillAlive, UsageReported
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.domain.turn import Usage
from chatforge_tui.endpoints.merging import merged
from chatforge_tui.errors import HttpRejected, RateLimited
from tests.contracts.endpoint_run import reasoning_of, run
from tests.endpoints.openai_chat.server import capture, captured_chunks, captured_reasoning, captured_text
from tests.servers.raw_server import Close, answer, chunked, head, stream

STREAMS = [
    "chat-llamacpp-text.sse",
    "chat-llamacpp-wrongmodel.sse",
    "chat-llamacpp-multiturn.sse",
    "chat-llamacpp-progress.sse",
    "chat-llamacpp-reasoningprefill.sse",
    "chat-llamacpp-toolforced.sse",
    "chat-llamacpp-gemma-ping.sse",
    "chat-llamacpppython-text.sse",
    "chat-litellm-mock-text.sse",
    "chat-litellm-llamacpp.sse",
]


def reason_in(name):
    choices = [choice for chunk in captured_chunks(name) for choice in chunk["choices"]]
    return next(choice["finish_reason"] for choice in choices if choice.get("finish_reason"))


@pytest.mark.parametrize("name", STREAMS)
async def test_a_recorded_stream_gives_its_text_and_reason_to_the_byte(server, open_endpoint, name):
    server.plays = [stream(capture(name))]
    found = await run(open_endpoint())
    assert isinstance(found.events[0], Accepted)
    assert found.text == captured_text(name)
    assert reasoning_of(found.events) == captured_reasoning(name)
    assert found.events[-1] == Finished(reason_in(name))
    assert (found.text + reasoning_of(found.events)) != ""


def said(events):
    """Return what was said, however its text was cut."""
    return list(merged(event for event in events if not isinstance(event, StillAlive)))


@pytest.mark.parametrize("name", ["chat-llamacpp-text.sse", "chat-litellm-mock-text.sse"])
async def test_a_recorded_stream_says_the_same_in_pieces_of_any_size(server, open_endpoint, name):
    body = capture(name)
    endpoint = open_endpoint()
    server.plays = [stream(body)]
    whole = await run(endpoint)
    for size in (1, 5, 17, 1000):
        server.plays = [stream(*(body[at : at + size] for at in range(0, len(body), size)))]
        cut = await run(endpoint)
        assert said(cut.events) == said(whole.events)


async def test_usage_with_cost_and_details_is_read_from_litellm(server, open_endpoint):
    server.plays = [stream(capture("chat-litellm-mock-text.sse"))]
    found = await run(open_endpoint())
    assert found.of(UsageReported)[-1].usage == Usage(8, 20, 0, None, 0.00022)


async def test_usage_with_cached_tokens_is_read_from_llama_cpp(server, open_endpoint):
    server.plays = [stream(capture("chat-llamacpp-toolforced.sse"))]
    found = await run(open_endpoint())
    assert found.of(UsageReported)[-1].usage == Usage(37, 60, None, 24, None)


async def test_pings_while_the_prompt_is_read_are_signs_of_life(server, open_endpoint):
    server.plays = [stream(*capture("chat-llamacpp-gemma-ping.sse").partition(b"data:"))]
    found = await run(open_endpoint())
    assert [type(event) for event in found.events[:2]] == [Accepted, StillAlive]


async def test_an_answer_cut_at_the_length_limit_says_so_beside_the_text(server, open_endpoint):
    server.plays = [stream(capture("chat-litellm-llamacpp.sse"))]
    found = await run(open_endpoint())
    (notice,) = found.of(Noticed)
    assert notice.level is NoticeLevel.WARNING
    assert "limit" in notice.text
    assert found.events[-1] == Finished("length")


async def test_an_empty_stream_is_no_answer(server, open_endpoint):
    server.plays = [[head(connection="close"), Close()]]
    found = await run(open_endpoint())
    assert found.events == [Accepted("openai-chat", "m")]
    assert found.error is None


@pytest.mark.parametrize(
    ("name", "status", "kind", "retryable", "said"),
    [
        ("chat-llamacpp-toolong.body", "400 Bad Request", HttpRejected, False, "exceeds the available context size"),
        ("chat-llamacpp-badrequest.body", "400 Bad Request", HttpRejected, False, "must contain 'content'"),
        ("chat-litellm-badmodel.body", "400 Bad Request", HttpRejected, False, "Invalid model name passed in model=nope"),
        ("chat-litellm-badkey.body", "400 Bad Request", HttpRejected, False, "No connected db."),
        ("chat-litellm-mock-rate.body", "429 Too Many Requests", RateLimited, True, "mock rate limit error"),
        ("chat-litellm-mock-500.body", "500 Internal Server Error", HttpRejected, True, "mock internal server error"),
    ],
)  # fmt: skip
async def test_a_recorded_refusal_is_quoted(server, open_endpoint, name, status, kind, retryable, said):
    server.plays = [answer(capture(name), status)]
    found = await run(open_endpoint())
    assert type(found.error) is kind
    assert found.error.retryable is retryable
    assert said in str(found.error)
    assert "\n" not in str(found.error)
    assert "{" not in str(found.error)


async def test_a_refusal_in_plain_text_is_quoted(server, open_endpoint):
    server.plays = [answer(capture("chat-litellm-nokey.body"), "500 Internal Server Error", "text/plain")]
    found = await run(open_endpoint())
    assert "Internal Server Error" in str(found.error)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("models-llamacpp.body", "smollm2-135m"),
        ("models-litellm.body", "mock-text"),
        ("models-llamacpppython.body", "smollm2-135m"),
    ],
)
async def test_without_a_model_the_first_one_listed_is_asked_and_named(server, open_endpoint, name, first):
    server.plays = [answer(capture(name)), stream(capture("chat-litellm-mock-text.sse"))]
    found = await run(open_endpoint(model=""))
    assert found.events[0] == Accepted("openai-chat", first)
    assert [request.target for request in server.requests] == ["/v1/models", "/v1/chat/completions"]
    assert f'"model":"{first}"'.encode() in server.requests[1].body


async def test_chunks_are_found_in_packets_that_split_http_chunks(server, open_endpoint):
    body = chunked(capture("chat-litellm-mock-text.sse"))
    server.plays = [[head(transfer_encoding="chunked"), *(body[at : at + 100] for at in range(0, len(body), 100))]]
    assert (await run(open_endpoint())).text == captured_text("chat-litellm-mock-text.sse")
