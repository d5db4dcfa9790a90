"""The agent over chat completions."""

import json
from typing import Any

import httpx
import pytest

from chatforge_tui.guide.server import GuideAddress
from tests.guide.material import A2aClient


def completion(client: A2aClient, text: str, *earlier: tuple[str, str], **options: Any) -> httpx.Response:
    messages = [{"role": role, "content": content} for role, content in (*earlier, ("user", text))]
    return client.http.post("/v1/chat/completions", json={"model": "any", "messages": messages, **options})


def chunks(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def joined(answer: httpx.Response, field: str = "content") -> str:
    return "".join(c["delta"].get(field) or "" for chunk in chunks(answer) for c in chunk["choices"])


def test_an_answer_streams_word_by_word_and_ends_with_its_marker(client: A2aClient) -> None:
    answer = completion(client, "echo one two three", stream=True)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert joined(answer) == "one two three"
    assert answer.text.rstrip().endswith("data: [DONE]")
    found = chunks(answer)
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in found] == [None] * 4 + ["stop"]
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in found} == {
        (found[0]["id"], "chat.completion.chunk", "any")
    }
    assert not any("usage" in chunk for chunk in found)


def test_usage_comes_last_when_it_is_asked_for(client: A2aClient) -> None:
    last = chunks(completion(client, "echo a", stream=True, stream_options={"include_usage": True}))[-1]

    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == last["usage"]["prompt_tokens"] + last["usage"]["completion_tokens"] > 0


def test_an_answer_in_one_piece_holds_text_reasoning_and_usage(client: A2aClient) -> None:
    answer = completion(client, "think about tabs").json()

    assert answer["object"] == "chat.completion"
    message = answer["choices"][0]["message"]
    assert "Sessions and tabs" in message["content"]
    assert "The words that count" in message["reasoning_content"]
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


def test_reasoning_streams_before_the_answer_in_its_own_field(client: A2aClient) -> None:
    answer = completion(client, "think", stream=True)
    fields = [next(iter(c["delta"]), "") for chunk in chunks(answer) for c in chunk["choices"]][1:-1]

    assert fields == sorted(fields, reverse=True)
    assert set(fields) == {"content", "reasoning_content"}


def test_a_plan_is_text_between_its_marks(client: A2aClient) -> None:
    text = joined(completion(client, "show me a plan", stream=True))

    assert text.count("⟦") == text.count("⟧") > 3
    assert "🔄 [keys] Read the key table" in text


def test_tool_calls_are_numbered_and_named(client: A2aClient) -> None:
    found = chunks(completion(client, "use tools", stream=True))
    calls = [call for chunk in found for c in chunk["choices"] for call in c["delta"].get("tool_calls", [])]

    assert [call["index"] for call in calls] == [0, 1, 2]
    assert calls[0]["function"] == {"name": "read_clock", "arguments": '{"zone": "UTC"}'}
    assert len({call["id"] for call in calls}) == 3


def test_a_form_is_asked_as_text_and_its_answer_is_known_by_the_history(client: A2aClient) -> None:
    asked = completion(client, "ask me something").json()["choices"][0]["message"]["content"]
    assert "name: " in asked

    answer = completion(
        client,
        "name: Ada\npart: exit codes\nentries: 1\ndetails: no",
        ("user", "ask me something"),
        ("assistant", asked),
    )
    other = completion(client, "how to quit", ("user", "ask me something"), ("assistant", asked))

    assert "for Ada" in answer.json()["choices"][0]["message"]["content"]
    assert "Quit" in other.json()["choices"][0]["message"]["content"]


def test_a_failure_is_an_error_in_the_stream_without_the_end_marker(client: A2aClient) -> None:
    answer = completion(client, "fail with no disk", stream=True)

    assert chunks(answer)[-1]["error"]["message"] == "Agent execution failed: no disk"
    assert "[DONE]" not in answer.text
    assert completion(client, "fail").status_code == 500


def test_a_line_that_is_cut_ends_without_a_marker(client: A2aClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        completion(client, "cut the line", stream=True)


def test_content_may_come_in_parts(client: A2aClient) -> None:
    parts = [{"type": "text", "text": "echo"}, {"type": "cache_control"}, {"text": "me"}]
    body = {"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]}

    answer = client.http.post("/v1/chat/completions", json=body).json()

    assert answer["choices"][0]["message"]["content"] == "me"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[{"role":"system","content":"x"}]}', b"[" * 100_000],
)
def test_what_is_no_completion_is_refused_with_a_sentence(client: A2aClient, body: bytes) -> None:
    answer = client.http.post("/v1/chat/completions", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("The request is no chat completion")


def test_the_list_of_models_names_the_guide(quick: GuideAddress, client: A2aClient) -> None:
    assert [model["id"] for model in client.http.get("/v1/models").json()["data"]] == ["chatforge-guide"]
    assert httpx.get(f"{quick.url}/v1/models").status_code == 401


@pytest.mark.parametrize("url", ["https://example.com/p.png", "data:image/png;base64,not base64", "data:,x", ""])
def test_an_image_that_does_not_come_inline_is_not_fetched_and_no_fault(client: A2aClient, url: str) -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}
    answer = client.http.post("/v1/chat/completions", json=body).json()
    assert "by its address only: I fetch nothing." in answer["choices"][0]["message"]["content"]
