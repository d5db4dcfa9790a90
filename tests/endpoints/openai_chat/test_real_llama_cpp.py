"""The adapter against a real model: llama.cpp's own server with SmolLM2-135M."""

import asyncio
import json
import time
import urllib.request
from contextlib import aclosing, suppress

import pytest

from chatforge_tui.config.settings import Settings
from chatforge_tui.domain.events import Accepted, Finished, Noticed, TextDelta, UsageReported
from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.errors import HttpRejected
from tests.contracts.endpoint_run import a_request, run
from tests.endpoints.openai_chat.server import connect
from tests.servers.llama_cpp_server import llama_cpp_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    with llama_cpp_server(tmp_path_factory.mktemp("llama") / "server.log") as address:
        yield address


@pytest.fixture
async def open_endpoint(llama):
    made = []

    def make(path="/v1", **settings):
        made.append(connect(llama + path, **{"model": "", "max_tokens": 40, "temperature": 0, **settings}))
        return made[-1]

    yield make
    for endpoint in made:
        await endpoint.aclose()


def asked_whole(llama, prompt, **settings):
    """Return the same answer, asked for in one piece by another client."""
    body = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": 40, **settings}
    request = urllib.request.Request(
        f"{llama}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("path", ["/v1", "", "/v1/", "/v1/chat/completions"])
async def test_an_answer_streams_from_any_form_of_the_address(open_endpoint, path):
    found = await run(open_endpoint(path), a_request("Name three colours."))
    assert found.error is None
    assert isinstance(found.events[0], Accepted)
    assert "smollm2" in found.events[0].agent.lower()
    assert len(found.of(TextDelta)) > 3
    assert isinstance(found.events[-1], Finished)
    (usage,) = found.of(UsageReported)
    assert usage.usage.input_tokens > 5
    assert 3 < usage.usage.output_tokens <= 40


async def test_the_streamed_text_is_the_models_to_the_byte(open_endpoint, llama):
    prompt = "Write one sentence about rivers, with an emoji."
    expected = await asyncio.to_thread(asked_whole, llama, prompt)
    assert (await run(open_endpoint(), a_request(prompt))).text == expected


async def test_the_conversation_goes_along(open_endpoint):
    head = TurnHead(TurnId("t"), SessionId("s"), 0, Prompt("My name is Ada."), RequestId("r"), TurnState.ABORTED)
    history = (Turn(head, (TextPart(0, "Hello Ada! How can I"),)),)
    endpoint = open_endpoint(system="You are brief.")
    alone = await run(endpoint, a_request("What is my name?"))
    together = await run(endpoint, a_request("What is my name?", history))
    read = [found.of(UsageReported)[-1].usage.input_tokens for found in (alone, together)]
    assert read[1] > read[0] + 8
    assert isinstance(together.events[-1], Finished)


async def test_a_length_limit_is_told(open_endpoint):
    found = await run(open_endpoint(max_tokens=5), a_request("Tell me a long story."))
    assert found.events[-1] == Finished("length")
    assert found.of(Noticed)


async def test_an_abort_frees_the_model(open_endpoint):
    # More long answers than the server has places for: were one still running, the last request would wait for its end.
    began = time.perf_counter()
    await run(open_endpoint(max_tokens=20), a_request("Count from 1 to 1000, one number a line."))
    for_20_tokens = time.perf_counter() - began
    for _ in range(4):
        got_text = asyncio.Event()

        async def follow(endpoint, got_text=got_text):
            async with aclosing(endpoint.stream(a_request("Count from 1 to 1000, one number a line."))) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        got_text.set()

        task = asyncio.create_task(follow(open_endpoint(max_tokens=400)))  # noqa: TID251 - the part of the worker
        await got_text.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    began = time.perf_counter()
    found = await run(open_endpoint(max_tokens=1), a_request("Hi"))
    assert found.of(TextDelta)
    assert time.perf_counter() - began < 3 + 3 * for_20_tokens  # the long answers take twenty times as long


async def test_two_sessions_stream_at_once_without_mixing(open_endpoint, llama):
    prompts = ("Name a fruit.", "Name a planet.")
    alone = [await asyncio.to_thread(asked_whole, llama, prompt) for prompt in prompts]
    both = await asyncio.gather(*(run(open_endpoint(), a_request(prompt)) for prompt in prompts))
    assert all(isinstance(found.events[-1], Finished) for found in both)
    assert both[0].text != both[1].text
    assert [found.text.split()[:3] for found in both] == [text.split()[:3] for text in alone]


async def test_a_prompt_that_is_too_long_is_refused_with_the_servers_words(open_endpoint):
    found = await run(open_endpoint(), a_request("word " * 5000))
    assert isinstance(found.error, HttpRejected)
    assert "context" in str(found.error)


async def test_a_url_alone_is_enough(llama):
    endpoint = EndpointCatalog(Settings(), environ={}).connect(EndpointRef(llama))
    found = await run(endpoint, a_request("Say hi."))
    await endpoint.aclose()
    assert found.text
    assert isinstance(found.events[-1], Finished)
