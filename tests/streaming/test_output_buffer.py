"""The buffer: every character once, in order, within its bound, in memory near its text."""

import tracemalloc

import pytest
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


@pytest.mark.parametrize("every", [1, 31, 32, 33, 100, 10_000])
def test_thousands_of_tokens_stay_in_order_however_often_they_are_read(every):
    tokens = [f"{number} " for number in range(3_000)]
    buffer = OutputBuffer(10**6)
    for number, token in enumerate(tokens, 1):
        buffer.append(token)
        if number % every == 0:
            assert buffer.text == "".join(tokens[:number])
    assert buffer.text == "".join(tokens)


def test_what_does_not_fit_is_not_added_in_part():
    buffer = OutputBuffer(4)
    assert buffer.append("abc")
    assert not buffer.append("de")
    assert buffer.append("d")
    assert buffer.text == "abcd"


@pytest.mark.parametrize(("tokens", "length", "most"), [(200_000, 1, 210_000), (500, 5, 5_500), (20_000, 5, 105_000)])
def test_a_text_costs_its_length_and_three_kilobytes_at_most(tokens, length, most):
    tracemalloc.start()
    try:
        buffer = OutputBuffer(10**9)
        before = tracemalloc.get_traced_memory()[0]
        for number in range(tokens):
            buffer.append(f"{number:0{length}}"[-length:])
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < most
