"""In which way an agent is spoken to, and when a message may be sent again in another."""

import json
from contextlib import aclosing

import pytest

from chatforge_tui.domain.events import Accepted, Failed, StreamEvent, TerminalEvent
from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint
from chatforge_tui.errors import HttpRejected
from tests.contracts.endpoint_run import a_request, run, text_of
from tests.endpoints.a2a.scripted_agent import (
    NEW_CARD,
    OLD_CARD,
    REST_CARD,
    SECRET,
    chunk,
    event,
    method,
    refusal,
    reply,
    task,
    whole,
)
from tests.servers.raw_server import answer, stream


async def up_to_the_last_word(endpoint: A2aEndpoint) -> str:
    """Have a prompt answered as the engine does, which reads no further than the end of the turn."""
    events: list[StreamEvent] = []
    async with aclosing(endpoint.stream(a_request())) as told:
        async for each in told:
            events.append(each)
            if isinstance(each, TerminalEvent):
                break
    return text_of(events)


async def test_what_an_agent_understood_is_remembered_though_nobody_reads_beyond_its_last_word(serving, server):
    serving.card(NEW_CARD)
    server.plays = [refusal(-32601), whole("one"), whole("two")]
    endpoint = serving.connect()
    assert [await up_to_the_last_word(endpoint) for _ in range(2)] == ["one", "two"]
    assert [method(each) for each in server.requests] == ["SendStreamingMessage", "message/stream", "message/stream"]


@pytest.mark.parametrize("gone", ["404 Not Found", "405 Method Not Allowed", "410 Gone"])
async def test_an_agent_that_moved_between_two_turns_is_found_by_its_card_and_the_prompt_goes_there(
    serving, server, gone
):
    server.plays = [whole("one"), answer(b"nothing here", gone, "text/plain"), whole("two")]
    endpoint = serving.connect()
    assert await up_to_the_last_word(endpoint) == "one"
    serving.card({**OLD_CARD, "url": "/v2/rpc"})
    assert await up_to_the_last_word(endpoint) == "two"
    assert [each.target for each in server.requests] == ["/rpc", "/rpc", "/v2/rpc"]


async def test_an_agent_that_is_gone_though_its_card_says_otherwise_is_not_asked_again_and_looked_for_by_the_next_prompt(
    serving, server
):
    gone = answer(b"nothing here", "404 Not Found", "text/plain")
    server.plays = [whole("one"), gone, whole("three")]
    endpoint = serving.connect()
    await up_to_the_last_word(endpoint)
    assert isinstance((await run(endpoint)).error, HttpRejected)
    assert await up_to_the_last_word(endpoint) == "three"
    assert len(server.requests) == 3


async def test_an_agent_that_speaks_another_version_since_the_last_turn_is_understood(serving, server):
    server.plays = [whole("one"), refusal(-32601), whole("two")]
    endpoint = serving.connect()
    await up_to_the_last_word(endpoint)
    serving.card(NEW_CARD)
    assert await up_to_the_last_word(endpoint) == "two"
    assert [method(each) for each in server.requests] == ["message/stream", "message/stream", "SendStreamingMessage"]


@pytest.mark.parametrize("code", [-32601, -32009])
@pytest.mark.parametrize("as_stream", [True, False])
async def test_an_agent_that_does_not_understand_is_spoken_to_in_the_other_version_once_and_for_all(
    serving, server, code, as_stream
):
    serving.card(NEW_CARD)
    refused = stream(event(error={"code": code, "message": "no"})) if as_stream else refusal(code)
    server.plays = [refused, whole("one"), whole("two")]
    endpoint = serving.connect()
    request = a_request()
    first = await run(endpoint, request)
    assert (first.text, [type(each) for each in first.events].count(Accepted)) == ("one", 1)
    assert (await run(endpoint)).text == "two"
    assert [method(each) for each in server.requests] == ["SendStreamingMessage", "message/stream", "message/stream"]
    ids = {json.loads(each.body)["params"]["message"]["messageId"] for each in server.requests[:2]}
    assert ids == {request.turn_id}


async def test_an_agent_that_understands_nothing_fails_with_its_words_and_is_asked_anew_next_time(serving, server):
    server.plays = [refusal(-32601, "Method not found")] * 3
    endpoint = serving.connect()
    found = await run(endpoint)
    assert isinstance(found.events[-1], Failed)
    assert "Method not found" in found.events[-1].problem.message
    assert [method(each) for each in server.requests] == ["message/stream", "SendStreamingMessage", "message/send"]
    server.plays = [whole()]
    assert (await run(endpoint)).text == "fine"


async def test_an_agent_that_does_not_stream_after_all_is_asked_without(serving, server):
    serving.card(NEW_CARD)
    server.plays = [refusal(-32004, "Streaming is not supported"), reply({"task": task("completed", "whole")})]
    found = await run(serving.connect())
    assert found.text == "whole"
    assert [method(each) for each in server.requests] == ["SendStreamingMessage", "SendMessage"]


@pytest.mark.parametrize("card", [OLD_CARD, NEW_CARD, REST_CARD, {**REST_CARD, "capabilities": {"streaming": False}}])
@pytest.mark.parametrize(
    ("code", "is_retryable"),
    [
        ("429 Too Many Requests", True),
        ("503 Service Unavailable", True),
        ("500 Internal Server Error", False),
        ("502 Bad Gateway", False),
        ("504 Gateway Timeout", False),
    ],
)
async def test_a_failure_after_which_the_agent_may_have_acted_is_no_reason_to_send_again(
    serving, server, card, code, is_retryable
):
    serving.card(card)
    server.plays = [answer(b"the agent raised an exception", code, "text/plain")]
    found = await run(serving.connect())
    assert isinstance(found.error, HttpRejected)
    assert "raised an exception" in str(found.error)
    assert found.error.retryable == is_retryable
    assert ("only once" in found.error.hint) != is_retryable


async def test_an_error_once_the_answer_has_begun_is_no_reason_to_send_again(serving, server):
    server.plays = [stream(event(chunk("half")), event(error={"code": -32601, "message": "gone"}))]
    found = await run(serving.connect())
    assert found.text == "half"
    assert isinstance(found.events[-1], Failed)
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [-32600, -32602, -32603, -32001, -32005])
async def test_an_error_of_the_protocol_fails_the_turn_without_a_second_try(serving, server, code):
    server.plays = [refusal(code, f"because of {SECRET}"), whole()]
    found = await run(serving.connect())
    assert isinstance(found.events[-1], Failed)
    assert found.events[-1].problem.kind == "agent-error"
    assert "because of" in found.events[-1].problem.message
    assert len(server.requests) == 1
