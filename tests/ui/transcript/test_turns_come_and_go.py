"""Turns that come, wait and go beside those that are seen."""

from msgspec.structs import replace

from chatforge_tui.domain.changes import TurnBegan, TurnRemoved
from chatforge_tui.domain.turn import FIRST_UNSENT, TurnState
from chatforge_tui.ui.transcript.place import Place
from tests.ui.transcript.turns import LONG, model_of, text_of, turn, waiting


def test_what_waits_to_be_sent_stands_at_the_end_and_says_so():
    lines = text_of(model_of(turn(0, "yes"), waiting(7)))
    assert lines[-2:] == ["later", "↑ Waits to be sent."]


def test_a_turn_that_begins_goes_before_what_waits():
    model = model_of(turn(0, "yes"), waiting(7))
    before = text_of(model)
    model.apply(TurnBegan(turn(1, "new")))
    assert [model.turn(at).head.ordinal for at in range(3)] == [0, 1, FIRST_UNSENT + 7]
    assert text_of(model) == text_of(model_of(turn(0, "yes"), turn(1, "new"), waiting(7)))
    assert len(text_of(model)) > len(before)
    assert model.top_of(3) == model.height


def test_a_turn_that_is_taken_back_leaves_no_gap():
    for gone in range(3):
        turns = [turn(0, "a\n\nb"), turn(1, LONG), waiting(7)]
        model = model_of(*turns)
        text_of(model)
        model.apply(TurnRemoved(turns[gone].head.session_id, turns[gone].head.turn_id))
        del turns[gone]
        assert text_of(model) == text_of(model_of(*turns))
        assert model.turns == 2
        model.apply(TurnRemoved(turns[0].head.session_id, turns[0].head.turn_id))
        model.apply(TurnRemoved(turns[0].head.session_id, turns[0].head.turn_id))
        assert text_of(model) == text_of(model_of(turns[1]))


def test_a_reader_stays_at_the_line_when_turns_come_and_go_above():
    model = model_of(turn(0, "a"), waiting(7), waiting(8, LONG))
    text_of(model)
    model.follows, model.top = False, Place(2, 1, 0)
    model.apply(TurnBegan(turn(1, "new")))
    assert model.top == Place(3, 1, 0)
    model.apply(TurnRemoved(model.turn(1).head.session_id, model.turn(1).head.turn_id))
    assert model.top == Place(2, 1, 0)


def test_the_cursor_stays_in_its_turn_when_turns_come_and_go_above():
    model = model_of(turn(0, "a"), waiting(7), waiting(8, LONG))
    text_of(model)
    model.cursor = Place(2, 1, 0)
    model.apply(TurnBegan(turn(1, "new")))
    assert model.cursor == Place(3, 1, 0)
    model.apply(TurnRemoved(model.turn(1).head.session_id, model.turn(1).head.turn_id))
    assert model.cursor == Place(2, 1, 0)


def test_a_live_turn_before_what_waits_counts_its_seconds():
    live = turn(1, "")
    live = replace(live, head=replace(live.head, state=TurnState.STREAMING, ended=None))
    assert model_of(turn(0, "a"), live, waiting(7)).is_live
    assert not model_of(turn(0, "a"), waiting(7)).is_live
