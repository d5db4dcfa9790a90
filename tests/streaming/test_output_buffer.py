"""The buffer: every character once, in order, within its bound, in memory near its text."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.streaming.output_buffer import OutputBuffer


@given(st.lists(st.one_of(st.text(max_size=5), st.none()), max_size=1_500))
def test_the_text_is_what_was_appended_whenever_it_is_read(steps):
    buffer, expected = OutputBuffer(10_000), ""
    for step in steps:
        if step is None:
            assert buffer.text == expected
        elif buffer.append(step):
            expected += step
    assert buffer.text == expected
    assert len(buffer) == len(expected)
    assert buffer.clear() == expected
    assert (buffer.text, len(buffer)) == ("", 0)


def test_what_does_not_fit_is_not_added_in_part():
    buffer = OutputBuffer(4)
    assert buffer.append("abc")
    assert not buffer.append("de")
    assert buffer.append("d")
    assert buffer.text == "abcd"


def test_a_stream_of_single_characters_costs_about_its_text():
    tracemalloc.start()
    try:
        buffer = OutputBuffer(10**9)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200_000):
            buffer.append("x")
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < 300_000
