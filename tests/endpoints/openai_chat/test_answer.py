"""The dialects of chat completions, without a network."""

import itertools
import json
from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.events import (
    Failed,
    Finished,
    Noticed,
    ReasoningDelta,
    StillAlive,
    TextDelta,
    ToolEnded,
    ToolInputDelta,
    ToolStarted,
    UsageReported,
)
from chatforge_tui.domain.turn import Usage
from chatforge_tui.endpoints.openai_chat.answer import Answer
from chatforge_tui.endpoints.sse import SseEvent
from chatforge_tui.errors import ProtocolMismatch
from tests.contracts.endpoint_run import reasoning_of, text_of


def sse(data, event="message"):
    return SseEvent(event, data if isinstance(data, str) else json.dumps(data), "")


def delta(finish=None, **said):
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def read(*chunks, ends=True):
    answer = Answer()
    events = [event for chunk in chunks for event in answer.take(chunk if isinstance(chunk, SseEvent) else sse(chunk))]
    return [*events, *(answer.end() if ends else [])]


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}, {"type": "reasoning.encrypted", "data": "x"}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
        {"reasoning_content": "hm", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_content": "hm", "reasoning": "hm"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    ],
)  # fmt: skip
def test_reasoning_is_found_wherever_a_server_puts_it_and_once(said):
    assert reasoning_of(read(delta(**said), delta(content="so"))) == "hm"


def test_one_spelling_of_reasoning_is_followed_through_the_answer():
    events = read(
        delta(reasoning_content="a"),
        delta(reasoning_content="b", thinking_blocks=[{"type": "thinking", "thinking": "b"}]),
        delta(thinking_blocks=[{"type": "thinking", "thinking": "ab", "signature": "s"}]),
        delta(content="c"),
    )
    assert (reasoning_of(events), text_of(events)) == ("ab", "c")


@pytest.mark.parametrize("content", [None, "", [], 7, {"a": 1}])
def test_content_without_text_is_a_sign_of_life_only(content):
    assert read(delta(content=content)) == [StillAlive()]


def test_text_may_come_as_parts_and_a_refusal_is_text():
    events = read(delta(content=[{"type": "text", "text": "a"}, {"type": "image_url"}]), delta(refusal="b"))
    assert text_of(events) == "ab"


def test_other_choices_and_empty_choices_are_passed_over():
    azure = {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    variant = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    nothing = {"choices": None}
    assert text_of(read(azure, variant, nothing, {}, delta(content="yes"))) == "yes"


@pytest.mark.parametrize(
    "choices", [7, "x", [7], [None], [{"delta": 7}], [{"delta": {"tool_calls": 7}}], [{"index": "0"}]]
)
def test_wrong_types_anywhere_do_no_harm(choices):
    assert text_of(read({"choices": choices, "usage": 7, "timings": []}, delta(content="ok"))) == "ok"


def call(index, call_id=None, name=None, arguments=None):
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    found = {"index": index, "function": function}
    return found | ({"id": call_id, "type": "function"} if call_id is not None else {})


def calls_in(events):
    """Return name and input of each call, in the order in which they began."""
    calls = {}
    for event in events:
        if isinstance(event, ToolStarted):
            calls.setdefault(event.call_id, [event.name, ""])[0] = event.name
        elif isinstance(event, ToolInputDelta):
            calls[event.call_id][1] += event.text
    assert {event.call_id for event in events if isinstance(event, ToolEnded)} == set(calls)
    return [tuple(each) for each in calls.values()]


def test_calls_are_put_together_by_index():
    events = read(
        delta(tool_calls=[call(0, "a", "ls", "")]),
        delta(tool_calls=[call(0, arguments='{"p":')]),
        delta(tool_calls=[call(1, "b", "cat", "{"), call(0, arguments='"."}')]),
        delta(tool_calls=[call(1, "", arguments="}")]),
        delta("tool_calls"),
    )
    assert calls_in(events) == [("ls", '{"p":"."}'), ("cat", "{}")]
    assert [event.call_id for event in events if isinstance(event, ToolStarted)] == ["a", "b"]


@pytest.mark.parametrize("ids", [("a", "b"), (None, None), ("", "")])
def test_whole_calls_all_at_index_0_are_several_calls(ids):
    pieces = [
        delta(tool_calls=[call(0, call_id, name, '{"x":1}')]) for call_id, name in zip(ids, ("ls", "cat"), strict=True)
    ]
    assert calls_in(read(*pieces, delta("tool_calls"))) == [("ls", '{"x":1}'), ("cat", '{"x":1}')]


def test_an_id_or_name_repeated_on_every_piece_is_one_call():
    pieces = [delta(tool_calls=[call(0, "a", "ls", text)]) for text in ("{", '"p":1', "}")]
    assert calls_in(read(*pieces, delta("tool_calls"))) == [("ls", '{"p":1}')]


def test_calls_without_an_index_are_told_apart_by_their_place():
    first, second = call(0, "a", "ls", "{}"), call(1, "b", "cat", "{}")
    del first["index"], second["index"]
    assert calls_in(read(delta(tool_calls=[first, second]), delta("tool_calls"))) == [("ls", "{}"), ("cat", "{}")]


def test_the_same_id_twice_is_two_calls_with_ids_of_their_own():
    events = read(delta(tool_calls=[call(0, "a", "ls", "{}"), call(1, "a", "cat", "{}")]), delta("tool_calls"))
    assert len(calls_in(events)) == 2


def test_a_name_that_comes_late_and_arguments_that_are_no_text_are_taken():
    events = read(
        delta(tool_calls=[call(0, "a")]), delta(tool_calls=[call(0, name="ls", arguments={"p": 1})]), delta("stop")
    )
    assert calls_in(events) == [("ls", '{"p": 1}')]


def test_a_call_of_the_old_kind_is_a_call():
    events = read(
        delta(function_call={"name": "ls", "arguments": "{"}),
        delta(function_call={"arguments": "}"}),
        delta("function_call"),
    )
    assert calls_in(events) == [("ls", "{}")]


def test_arguments_that_are_no_json_are_kept_as_they_are():
    assert calls_in(read(delta(tool_calls=[call(0, "a", "ls", "{not json")]), delta("tool_calls"))) == [
        ("ls", "{not json")
    ]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, Usage(1, 2)),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4},
             "completion_tokens_details": {"reasoning_tokens": 3}, "cost": 0.5},
            Usage(9, 5, 3, 4, 0.5),
        ),
        ({"input_tokens": 1, "output_tokens": 2}, Usage(1, 2)),
        ({"prompt_tokens": 1.0, "completion_tokens": None}, Usage(1)),
    ],
)  # fmt: skip
def test_usage_is_reported_once_whatever_it_looks_like(usage, expected):
    events = read(delta(content="x"), {**delta("stop"), "usage": None}, {"choices": [], "usage": usage}, sse("[DONE]"))
    assert [event.usage for event in events if isinstance(event, UsageReported)] == [expected]
    assert events.index(UsageReported(expected)) < len(events) - 1


@pytest.mark.parametrize("usage", [None, 7, {}, {"prompt_tokens": -1}, {"prompt_tokens": True}, {"prompt_tokens": "9"}])
def test_usage_that_says_nothing_is_not_reported(usage):
    assert not [
        event for event in read({"choices": [], "usage": usage}, sse("[DONE]")) if isinstance(event, UsageReported)
    ]


def test_timings_count_tokens_where_usage_is_missing_and_usage_wins():
    timed = {**delta("stop"), "timings": {"prompt_n": 13, "cache_n": 24, "predicted_n": 60}}
    assert UsageReported(Usage(37, 60, None, 24)) in read(timed, sse("[DONE]"))
    both = {
        "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        "timings": {"prompt_n": 5, "predicted_n": 6},
    }
    assert UsageReported(Usage(1, 2)) in read(timed, both, sse("[DONE]"))


def test_groq_hides_its_usage_in_a_member_of_its_own():
    events = read({**delta("stop"), "x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}, sse("[DONE]"))
    assert UsageReported(Usage(1, 2)) in events


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ([delta("stop"), sse("[DONE]")], Finished("stop")),
        ([sse("[DONE]")], Finished("")),
        ([sse(" [DONE] ")], Finished("")),
        ([delta("stop")], Finished("stop")),
        ([delta("stop"), {"choices": [], "usage": {"prompt_tokens": 1}}], Finished("stop")),
        ([delta("eos_token")], Finished("eos_token")),
    ],
)
def test_an_answer_is_over_with_done_or_with_its_finish_reason(end, last):
    assert read(delta(content="x"), *end)[-1] == last


def test_the_end_of_the_stream_alone_is_no_end_of_the_answer():
    assert read(delta(content="x")) == [TextDelta("x")]


@pytest.mark.parametrize(
    ("reason", "word"),
    [("length", "limit"), ("content_filter", "filter"), ("tool_calls", "tool"), ("max_tokens", "limit")],
)
def test_an_end_that_is_not_the_usual_one_is_said_beside_the_answer(reason, word):
    events = read(delta(content="x"), delta(reason), sse("[DONE]"))
    (notice,) = [event for event in events if isinstance(event, Noticed)]
    assert word in notice.text
    assert events[-1] == Finished(reason)


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "boom", "type": "server_error", "code": 500}},
        {"error": "boom"},
        {"error": {"error": {"message": "boom"}}},
        {"error": {"message": "boom"}, "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "boom"}}]},
        {"object": "error", "message": "boom", "code": 400},
        SseEvent("error", '{"message":"boom"}', ""),
        SseEvent("error", "boom", ""),
        SseEvent("error", '{"error":{"message":"boom"}}', ""),
    ],
)
def test_an_error_in_the_stream_is_the_end_and_is_quoted(error):
    events = read(delta(content="so far"), error, delta(content="late"), sse("[DONE]"))
    assert text_of(events) == "so far"
    assert isinstance(events[-1], Failed)
    assert "boom" in events[-1].problem.message


@pytest.mark.parametrize("before", [[], [delta(content="so far")], [delta(reasoning_content="hm")]])
def test_that_what_was_said_is_kept_is_said_only_if_something_was(before):
    *_, failed = read(*before, {"error": {"message": "boom"}})
    kept = "What it said before is kept; send" if before else "Send"
    assert failed.problem.hint == f"{kept} the prompt again to retry."


def test_an_error_with_text_beside_it_keeps_the_text():
    both = {**delta(content="last words"), "error": {"message": "boom"}}
    events = read(both)
    assert (text_of(events), type(events[-1])) == ("last words", Failed)


@pytest.mark.parametrize("bad", ["{", "null", "[1]", '"x"', "[" * 100_000, "nonsense", '{"a":}'])
def test_three_unreadable_events_are_left_out_and_counted_the_fourth_ends_the_answer(bad):
    answer = Answer()
    events = [event for _ in range(3) for event in answer.take(sse(bad))]
    assert [event.text[:1] for event in events if isinstance(event, Noticed)] == ["1", "2", "3"]
    assert answer.take(sse(delta(content="x"))) == [TextDelta("x")]
    with pytest.raises(ProtocolMismatch):
        answer.take(sse(bad))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ('{"choices":[{"delta":{"content":"a\\ud83d"}}]}', "a\ufffd"),
        ('{"choices":[{"delta":{"content":"a\\ud83d\\ude00"}}]}', "a😀"),
        ('{"choices":[{"delta":{"content":"a"},"logprobs":NaN}]}', "a"),
        ('{"created":' + "9" * 5000 + ',"choices":[{"delta":{"content":"a"}}]}', "a"),
        ('{"usage":{"prompt_tokens":1e999},"choices":[{"delta":{"content":"a"}}]}', "a"),
        ('{"choices":[{"delta":{"content":"\\u2028\\u0000a"}}]}', "\u2028\0a"),
    ],
)
def test_json_that_is_almost_right_is_read_all_the_same(raw, text):
    assert text_of(read(sse(raw))) == text


@pytest.mark.parametrize("event", ["ping", "keepalive", "heartbeat", "message"])
def test_an_event_without_data_is_a_sign_of_life(event):
    assert Answer().take(SseEvent(event, "", "")) == [StillAlive()]


def test_nothing_is_said_after_the_end():
    assert read(sse("[DONE]"), delta(content="late"), sse("[DONE]")) == [Finished("")]


def test_a_message_in_the_last_chunk_does_not_double_the_streamed_text():
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ab"}, "finish_reason": "stop"}]}
    assert text_of(read(delta(content="a"), delta(content="b"), whole)) == "ab"
    assert text_of(read(whole)) == "ab"


@pytest.mark.parametrize(
    ("pieces", "reasoning", "text"),
    [
        (["<think>hm</think>so"], "hm", "so"),
        (["<th", "ink>h", "m</thi", "nk>", "\n\nso"], "hm", "\n\nso"),
        (["\n <think>hm</think>so"], "hm", "so"),
        (["<think>hm"], "hm", ""),
        (["<think>a</b></think>c"], "a</b>", "c"),
        (["so <think>x</think>"], "", "so <think>x</think>"),
        (["<thinking>x"], "", "<thinking>x"),
        (["<thi"], "", "<thi"),
        (["  so"], "", "  so"),
        (["<think></think>so"], "", "so"),
    ],
)
def test_only_a_think_block_at_the_beginning_is_reasoning(pieces, reasoning, text):
    events = read(*(delta(content=piece) for piece in pieces), delta("stop"))
    assert (reasoning_of(events), text_of(events)) == (reasoning, text)
    assert ReasoningDelta("") not in events
    assert TextDelta("") not in events


def test_where_reasoning_has_its_own_place_a_tag_in_the_text_is_text():
    events = read(delta(reasoning_content="hm"), delta(content="<think>x</think>"))
    assert (reasoning_of(events), text_of(events)) == ("hm", "<think>x</think>")


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<th", "ink>", "<", "a", " ", "\n", "</thi"]), max_size=10).map(
        "".join
    ),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_think_tags_cut_anywhere_say_the_same(text, places):
    at = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    pieces = [text[a:b] for a, b in itertools.pairwise(at)]
    whole, cut = (read(*(delta(content=p) for p in each), delta("stop")) for each in ([text], pieces))
    assert (reasoning_of(cut), text_of(cut)) == (reasoning_of(whole), text_of(whole))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "delta",
                        "content",
                        "tool_calls",
                        "function",
                        "index",
                        "id",
                        "usage",
                        "error",
                        "message",
                        "finish_reason",
                        "reasoning_details",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_breaks_the_reader(value):
    answer = Answer()
    for _ in range(2):
        answer.take(sse(json.dumps(value)))
    with suppress(ProtocolMismatch):
        answer.end()


@pytest.mark.parametrize(
    "data", ['{"choices": "x"}', '{"n": 1' + "0" * 5000 + "}", '{"jsonrpc": "2.0", "result": {}}', '"x"']
)
def test_a_stream_that_holds_nothing_of_a_completion_is_refused_at_its_end(data):
    answer = Answer()
    answer.take(sse(data))
    with pytest.raises(ProtocolMismatch, match="no chat completion"):
        answer.end()


@pytest.mark.parametrize("data", ["{}", '{"choices": []}', '{"usage": {"total_tokens": NaN}}', ""])
def test_a_stream_that_ends_early_is_not_refused_for_an_event_that_says_little(data):
    answer = Answer()
    answer.take(sse(data))
    assert answer.end() == []


ODD = (None, "", "x", 0, 1, [], {}, "stop", "error", {"message": "no"}, [{"type": "text", "text": "y"}], {"usage": {}})
"""What any member of a chunk may hold, right or wrong."""
MEMBERS = (
    *("choices", "usage", "timings", "error", "object", "x_groq", "id"),
    *("choices.delta", "choices.index", "choices.finish_reason", "choices.text", "choices.error", "choices.message"),
    *(f"choices.delta.{name}" for name in ("content", "refusal", "tool_calls", "function_call", "role")),
    *(f"choices.delta.{name}" for name in ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")),
)


@st.composite
def chunks(draw):
    """Return a chunk of plain text in which up to two members are something else."""
    choice = {"index": 0, "delta": {"content": draw(st.sampled_from(["word", "<think>so</think> it", "\n", "é中"]))}}
    chunk = {"object": "chat.completion.chunk", "choices": [choice]}
    for path in draw(st.lists(st.sampled_from(MEMBERS), max_size=2)):
        *parents, name = path.split(".")
        owner = chunk
        for parent in parents:
            owner = choice if parent == "choices" else owner.get(parent)
        if isinstance(owner, dict):
            owner[name] = deepcopy(draw(st.sampled_from(ODD)))
    return chunk


def events_of(stream):
    """Return what a stream means, and what it failed with."""
    answer, events = Answer(), []
    try:
        for chunk in stream:
            events += answer.take(sse(chunk))
        events += answer.end()
    except ProtocolMismatch as error:
        events.append(str(error))
    return events


@settings(max_examples=400, deadline=None)
@given(st.lists(chunks(), max_size=4))
@example([{"choices": [{"index": 1, "delta": {"content": "another variant"}}]}])
def test_the_short_way_for_plain_pieces_of_text_gives_what_the_long_way_gives(stream):
    short = events_of(stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chatforge_tui.endpoints.openai_chat.answer.plain_text", lambda data: "")
        assert short == events_of(stream)


@pytest.mark.parametrize(
    "extra", [{}, {"usage": None, "object": "chat.completion.chunk", "id": "1", "service_tier": "x"}]
)
def test_the_chunks_that_most_servers_send_take_the_short_way(extra, monkeypatch):
    monkeypatch.setattr("chatforge_tui.endpoints.openai_chat.answer.read_chunk", None)
    piece = {"index": 0, "delta": {"role": "assistant", "content": "word", "tool_calls": None}, "logprobs": None}
    assert Answer().take(sse({**extra, "choices": [piece]})) == [TextDelta("word")]
