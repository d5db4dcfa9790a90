"""Joining pieces of text changes neither the text nor the order of anything."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.domain.events import Finished, ReasoningDelta, StillAlive, StreamEvent, TextDelta, ToolStarted
from chatforge_tui.endpoints.merging import merged
from chatforge_tui.errors import ProtocolMismatch

text = st.text(min_size=1, max_size=3)
event = st.one_of(text.map(TextDelta), text.map(ReasoningDelta), st.just(StillAlive()), st.just(ToolStarted("1", "t")))


def letters(events: list[StreamEvent]) -> list[object]:
    """Return what is said, letter by letter: the same for every way to cut it."""
    said: list[object] = []
    for each in events:
        if isinstance(each, TextDelta | ReasoningDelta):
            said += [(type(each), letter) for letter in each.text]
        else:
            said.append(each)
    return said


@given(st.lists(event, max_size=30))
def test_every_letter_and_every_event_stays_in_its_place(events):
    assert letters(list(merged(events))) == letters(events)


@given(st.lists(event, max_size=30))
def test_no_two_pieces_of_one_kind_are_neighbours(events):
    found = list(merged(events))
    for one, other in pairwise(found):
        assert not (isinstance(one, TextDelta | ReasoningDelta) and type(one) is type(other))


def test_what_was_read_before_an_error_comes_before_it():
    def reading():
        yield TextDelta("a")
        yield TextDelta("b")
        raise ProtocolMismatch("unreadable")

    events = merged(reading())
    assert next(events) == TextDelta("ab")
    with pytest.raises(ProtocolMismatch, match="unreadable"):
        next(events)


def test_the_end_is_the_last_word():
    assert list(merged([TextDelta("a"), TextDelta("b"), Finished("stop")])) == [TextDelta("ab"), Finished("stop")]
