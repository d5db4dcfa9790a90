import json

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import NoticeLevel, NoticePart, ReasoningPart, TextPart, ToolPart
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState
from chatforge_tui.endpoints.openai_chat.body import Dialect, encode
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings, chat_urls, is_azure, models_urls
from chatforge_tui.errors import ConfigError
from tests.contracts.endpoint_run import a_request, a_request_with


def turn(prompt, answer="", state=TurnState.COMPLETE):
    head = TurnHead(TurnId("t"), SessionId("s"), 0, Prompt(prompt), RequestId("r"), state)
    return Turn(head, (TextPart(0, answer),) if answer else ())


def body_of(*history, prompt="now", model="m", dialect=None, **settings):
    chosen = OpenAiChatSettings("http://127.0.0.1/v1", **settings)
    return json.loads(encode(a_request(prompt, history), chosen, model, dialect or Dialect.of(chosen)))


def said(*history, **settings):
    return [(message["role"], message["content"]) for message in body_of(*history, **settings)["messages"]]


def test_a_plain_request_asks_for_a_stream_with_usage():
    assert body_of() == {
        "model": "m",
        "messages": [{"role": "user", "content": "now"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_whole_conversation_is_sent_again_with_the_instruction_before_it():
    assert said(turn("a", "b"), turn("c", "d"), system="be brief") == [
        ("system", "be brief"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "now"),
    ]  # fmt: skip


@pytest.mark.parametrize("state", [TurnState.ABORTED, TurnState.INTERRUPTED, TurnState.FAILED])
def test_what_an_unfinished_turn_had_said_was_said(state):
    assert said(turn("a", "half", state)) == [("user", "a"), ("assistant", "half"), ("user", "now")]


def test_a_prompt_that_got_no_answer_is_told_together_with_the_next_one():
    assert said(turn("a", state=TurnState.ABORTED)) == [("user", "a\n\nnow")]


def test_a_prompt_that_failed_before_any_answer_is_not_repeated():
    assert said(turn("now", state=TurnState.FAILED)) == [("user", "now")]


def test_only_the_answers_text_goes_back_to_the_server():
    parts = (
        ReasoningPart(0, "hm"),
        TextPart(1, "an"),
        ToolPart(2, "c", "ls"),
        NoticePart(3, NoticeLevel.INFO, "n"),
        TextPart(4, "swer"),
    )
    assert said(Turn(turn("a").head, parts)) == [("user", "a"), ("assistant", "answer"), ("user", "now")]


def test_separate_texts_of_an_answer_go_back_as_paragraphs():
    two = replace(turn("a", "The end"), parts=(TextPart(0, "The end"), TextPart(1, "Start", is_separate=True)))
    assert ("assistant", "The end\n\nStart") in said(two)


def test_a_lone_surrogate_in_the_prompt_does_not_break_the_request():
    assert said(prompt="a\ud83d") == [("user", "a?")]


PNG, NOTE, PDF, SOUND = b"\x89PNG\r\n\x1a\n", "größer\n".encode(), b"%PDF-1.7\xff", b"RIFF....WAVE"
FILES = (
    ("p.png", "image/png", PNG),
    ("notes.md", "text/markdown", NOTE),
    ("r.pdf", "application/pdf", PDF),
    ("s.wav", "audio/wav", SOUND),
)


def with_files(*files, text="look", history=()):
    chosen = OpenAiChatSettings("http://127.0.0.1/v1")
    request = replace(a_request_with(*files, text=text), history=history)
    return json.loads(encode(request, chosen, "m", Dialect.of(chosen)))["messages"]


def test_each_kind_of_file_goes_as_the_part_that_servers_take():
    [message] = with_files(*FILES)
    image, note, pdf, sound, text = message["content"]
    assert image == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert note == {"type": "text", "text": "File 'notes.md' (text/markdown):\n\ngrößer\n"}
    assert pdf == {
        "type": "file",
        "file": {"filename": "r.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjf/"},
    }
    assert sound == {"type": "input_audio", "input_audio": {"data": "UklGRi4uLi5XQVZF", "format": "wav"}}
    assert text == {"type": "text", "text": "look"}


@pytest.mark.parametrize(
    ("name", "media_type", "data", "kind"),
    [
        ("Makefile", "application/octet-stream", b"all:\n", "text"),
        ("drawing.svg", "image/svg+xml", b"<svg/>", "text"),
        ("x.json", "application/json", b"{}", "text"),
        ("x.txt", "text/plain", b"latin-1: \xfc", "file"),
        ("x.txt", "text/plain", b"a\0b", "file"),
        ("x.pdf", "application/pdf", b"plain ASCII", "file"),
        ("x.mp4", "video/mp4", b"plain ASCII", "file"),
        ("empty", "text/plain", b"", "text"),
    ],
)
def test_what_is_text_by_its_content_goes_as_text(name, media_type, data, kind):
    [message] = with_files((name, media_type, data))
    assert message["content"][0]["type"] == kind


def test_files_without_a_word_go_alone():
    [message] = with_files(FILES[0], text="  ")
    assert [part["type"] for part in message["content"]] == ["image_url"]


def test_files_of_earlier_turns_are_sent_again_and_a_lost_one_is_named():
    first, lost = a_request_with(FILES[0]).prompt, a_request_with(("gone.txt", "text/plain", b"gone")).prompt
    history = (
        replace(turn("", "a dog"), head=replace(turn("").head, prompt=first)),
        replace(turn("", "?"), head=replace(turn("").head, prompt=lost)),
    )
    messages = with_files(FILES[0], text="and this?", history=history)
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert messages[0]["content"][0] == messages[4]["content"][0]
    assert "'gone.txt' that went along here is not available" in messages[2]["content"][0]["text"]


def test_files_and_words_that_follow_each_other_are_one_message_of_the_user():
    before = turn("first", state=TurnState.ABORTED)
    [message] = with_files(FILES[0], history=(before,))
    assert [part.get("text", part["type"]) for part in message["content"]] == ["first", "image_url", "look"]


def test_limits_go_by_the_name_that_the_server_knows():
    assert body_of(max_tokens=5, temperature=0)["max_tokens"] == 5
    openai = OpenAiChatSettings("https://api.openai.com/v1", max_tokens=5)
    assert json.loads(encode(a_request(), openai, "m", Dialect.of(openai)))["max_completion_tokens"] == 5


def test_without_any_model_none_is_named():
    assert "model" not in body_of(model="")


@pytest.mark.parametrize(
    ("base", "urls"),
    [
        ("http://h:1", ("http://h:1/v1/chat/completions", "http://h:1/chat/completions")),
        ("http://h:1/", ("http://h:1/v1/chat/completions", "http://h:1/chat/completions")),
        ("http://h:1/v1", ("http://h:1/v1/chat/completions",)),
        ("http://h:1/v1/", ("http://h:1/v1/chat/completions",)),
        ("http://h/v1/chat/completions", ("http://h/v1/chat/completions",)),
        ("http://h/gate", ("http://h/gate/chat/completions", "http://h/gate/v1/chat/completions")),
        ("https://openrouter.ai/api/v1", ("https://openrouter.ai/api/v1/chat/completions",)),
        ("https://g.com/v1beta/openai/", ("https://g.com/v1beta/openai/chat/completions",)),
        (
            "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
            ("https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",),
        ),
        ("https://x.openai.azure.com/openai/v1/", ("https://x.openai.azure.com/openai/v1/chat/completions",)),
    ],
)  # fmt: skip
def test_a_base_url_of_any_form_leads_to_the_chat(base, urls):
    assert chat_urls(base) == urls


def test_models_are_listed_beside_the_chat():
    assert models_urls("http://h/v1/chat/completions") == ("http://h/v1/models",)
    assert models_urls("http://h") == ("http://h/v1/models", "http://h/models")


@pytest.mark.parametrize("base", ["", "h:1", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://[::1"])
def test_what_is_no_url_is_a_fault_of_the_configuration(base):
    with pytest.raises(ConfigError):
        chat_urls(base)


def test_azure_is_known_by_its_host_or_path():
    assert is_azure("https://x.openai.azure.com/openai/v1")
    assert is_azure("https://gateway.example/openai/deployments/d?api-version=1")
    assert not is_azure("https://api.openai.com/v1")
    assert not is_azure("https://openai.azure.com.evil.example/v1")
