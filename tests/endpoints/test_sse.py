import base64
import itertools
import json
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.endpoints.sse import SseDecoder, SseEvent
from chatforge_tui.errors import LimitExceeded
from tests.endpoints.sse_model import interpret

VECTORS = json.loads((Path(__file__).parents[1] / "data/sse/wpt-sse-vectors.json").read_text())
FRAMING = [vector for vector in VECTORS if vector["connection"] == "open"]
"""The others are refused by their content type before a decoder is asked; see the endpoints' tests."""


def decode(pieces):
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [event[:3] for event in events], decoder


def cuts(stream):
    """Return ways to cut a stream: whole, byte by byte, at every place in two, empty pieces between."""
    yield [stream]
    yield [stream[at : at + 1] for at in range(len(stream))]
    for at in range(len(stream) + 1):
        yield [stream[:at], b"", stream[at:]]
    yield [b"", *(piece for at in range(len(stream)) for piece in (stream[at : at + 1], b""))]


def test_all_vectors_of_the_web_platform_are_here():
    assert (len(VECTORS), len(FRAMING)) == (50, 48)


@pytest.mark.parametrize("vector", FRAMING, ids=lambda vector: vector["id"])
def test_a_vector_is_decoded_as_the_standard_says_however_it_is_cut(vector):
    expected = [(event["event"], event["data"], event["id"]) for event in vector["events"]]
    for pieces in cuts(base64.b64decode(vector["data_b64"])):
        events, decoder = decode(pieces)
        assert events == expected
        if vector.get("retry_ms_after") is not None:
            assert decoder.retry_ms == vector["retry_ms_after"]
        if vector.get("last_event_id_after") is not None:
            assert decoder.last_event_id == vector["last_event_id_after"]


LINES = st.sampled_from(
    [
        b"data: x", b"data:y", b"data:  two", b"data", b"data:", b"event: e", b"event", b"id: 7", b"id", b"id: a\0b", b": c",
        b":", b"retry: 10", b"unknown: z", b"Data: n", "data: né🙂".encode(), b"data: \xff\xfe", b"data: \xf0\x9f", b"",
        b"", b"data: a:b", b" data: x", b"data : x", b"\xef\xbb\xbfdata: b", "data: \u2028\u0085\x0b\x0c".encode(),
    ]
)  # fmt: skip
STREAMS = st.one_of(
    st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"])), max_size=12).map(
        lambda lines: b"".join(line + end for line, end in lines)
    ),
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([b"\r", b"\n", b":", b" ", b"data", b"id", b"\xef\xbb\xbf", b"x", b"\0"]), max_size=30
    ).map(b"".join),
)


@settings(max_examples=1500, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 200), max_size=6), st.booleans())
def test_any_stream_cut_anywhere_decodes_as_the_plain_model_says(stream, places, has_bom):
    stream = b"\xef\xbb\xbf" * has_bom + stream
    at = sorted({min(place, len(stream)) for place in places} | {0, len(stream)})
    events, _ = decode([stream[a:b] for a, b in itertools.pairwise(at)])
    assert events == interpret(stream)


def test_comments_are_counted_and_make_no_event():
    events, decoder = decode([b": OPENROUTER PROCESSING\n\n:\n\n:", b" x\ndata: 1\n\n"])
    assert (events, decoder.comments) == ([("message", "1", "")], 3)


@pytest.mark.parametrize("value", [b"+5", b"1_0", b" 7", b"-1", "٣".encode(), b"", b"9" * 5000, b"0x1"])
def test_a_retry_that_is_not_plain_digits_is_ignored(value):
    decoder = SseDecoder()
    decoder.feed(b"retry:" + value + b"\n\n")
    assert decoder.retry_ms is None or value == b" 7"


@pytest.mark.parametrize("size", [1, 100, 1021, 4096, 70_000])
@pytest.mark.parametrize("lines", [1, 50])
def test_an_event_beyond_the_limit_is_an_error_wherever_it_is_cut(size, lines):
    decoder = SseDecoder(max_event_bytes=64_000)
    stream = b"data: ok\n\n" + b"".join(b"data: " + b"x" * (80_000 // lines) + b"\n" for _ in range(lines))
    seen = []
    with pytest.raises(LimitExceeded):  # noqa: PT012 - which piece it is does not matter
        for at in range(0, len(stream) + size, size):
            seen += decoder.feed(stream[at : at + size] or b"more")
    assert seen == [SseEvent("message", "ok", "")]
    with pytest.raises(LimitExceeded):
        decoder.feed(b"data: late\n\n")


def test_an_event_of_exactly_the_limit_is_let_through():
    decoder = SseDecoder(max_event_bytes=1000)
    line = b"data: " + b"x" * 994
    assert len(decoder.feed(line + b"\n\n")) == 1
    assert len(decoder.feed(line[:500])) == 0
    assert len(decoder.feed(line[500:] + b"\n\n")) == 1


def test_many_small_events_are_not_limited_together():
    decoder = SseDecoder(max_event_bytes=1000)
    assert len(decoder.feed(b"data: 0123456789\n\n" * 1000)) == 1000


def test_an_endless_line_costs_memory_up_to_the_limit_only():
    decoder = SseDecoder(max_event_bytes=2**20)
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded):  # noqa: PT012 - which piece it is does not matter
            for _ in range(10_000):
                decoder.feed(bytes(16_384))
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


def test_a_long_line_in_small_pieces_takes_linear_time():
    def seconds(pieces):
        decoder = SseDecoder(max_event_bytes=2**27)
        before = time.process_time()
        decoder.feed(b"data: ")
        for _ in range(pieces):
            decoder.feed(b"x" * 64)
        (event,) = decoder.feed(b"\n\n")
        assert len(event.data) == pieces * 64
        return time.process_time() - before

    small = min(seconds(5_000) for _ in range(3))
    large = min(seconds(40_000) for _ in range(3))
    assert large < 8 * small * 4  # eight times the bytes; quadratic time would be 64 times


def test_many_small_events_are_decoded_fast():
    event = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
    stream = event * 20_000
    before = time.process_time()
    decoder = SseDecoder()
    count = sum(len(decoder.feed(stream[at : at + 16_384])) for at in range(0, len(stream), 16_384))
    rate = count / (time.process_time() - before)
    assert count == 20_000
    assert rate > 100_000, f"{rate:,.0f} events/s"  # about 1,000,000 measured; the margin is for loaded machines
