"""The model: its heights, and places that hold while they change."""

import pytest

from chatforge_tui.domain.changes import TextAppended
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.viewport import line_number, move, place_at, settle
from tests.ui.transcript.turns import LONG, NOW, all_lines, changed, model_of, text_of, turn


def test_changes_of_an_unknown_turn_change_nothing():
    model = model_of(turn(0, "a"))
    version = model.version
    model.apply(changed(9, TextAppended(0, "late")))
    assert model.version == version
    assert text_of(model)[-1] == "a"


def test_heights_add_up_to_what_is_laid_out():
    model = model_of(*(turn(number, LONG) for number in range(8)))
    lines = all_lines(model)
    assert model.height == len(lines)
    assert [model.top_of(at) for at in range(3)] == [0, *(model.top_of(at) for at in (1, 2))]
    for number in (0, 1, 57, len(lines) - 1):
        assert line_number(model, place_at(model, number)) == number


def test_walking_line_by_line_meets_every_line_once_in_both_directions():
    model = model_of(*(turn(number, LONG) for number in range(3)))
    count = len(all_lines(model))
    place, down = Place(), [Place()]
    while (below := move(model, place, 1)) != place:
        place = below
        down.append(place)
    assert len(down) == count == len(set(down))
    up = [place]
    while (above := move(model, up[-1], -1)) != up[-1]:
        up.append(above)
    assert up == down[::-1]
    assert move(model, Place(), 37) == down[37]
    assert move(model, down[37], -37) == down[0]


def test_what_is_in_view_stays_while_heights_above_turn_out_other_than_estimated():
    model = model_of(*(turn(number, LONG * (number % 3 + 1) + "```\n" + "x\n" * 30 + "```") for number in range(40)))
    model.follows = False
    model.top = place_at(model, 900)
    before = [row.line.text for row in settle(model, 20).rows]
    for at in range(40):
        layout = model.prepared(at)
        for piece in range(len(layout.flow)):
            layout.lay_out(piece, model.page)
        model.set_height(at, layout.height)
    window = settle(model, 20)
    assert [row.line.text for row in window.rows] == before
    assert window.first == line_number(model, window.rows[0].place)


def test_the_readers_place_survives_reflows_and_a_restart():
    turns = [turn(number, LONG + f"\n\nmarker{number} of this turn\n\n" + LONG) for number in range(30)]
    model = model_of(*turns)
    model.follows = False
    lines = {line.text: at for at, line in enumerate(all_lines(model))}
    model.top = place_at(model, lines["marker17 of this turn"])
    settle(model, 20)
    stored = model.anchor
    assert len(stored) < 60
    for width in (30, 97, 41, 60):
        model.fit(Page(width), model.marks)
        assert settle(model, 20).rows[0].line.text.startswith("marker17 of this turn"[: width - 10])
    restarted = TranscriptModel(clock=lambda: NOW)
    restarted.anchor = stored
    restarted.load(turns)
    restarted.fit(Page(35), restarted.marks)
    assert settle(restarted, 20).rows[0].line.text.startswith("marker17")
    assert restarted.anchor == stored


@pytest.mark.parametrize("anchor", ["", "nonsense", "turn-9/0/0/0", "turn-0/x/0/0", "////", "turn-0/44/7/9999999"])
def test_an_anchor_that_means_nothing_is_no_error(anchor):
    model = model_of(turn(0, LONG))
    model.anchor = anchor
    assert settle(model, 10).rows


def test_an_empty_model_has_nothing_in_view():
    model = model_of()
    assert settle(model, 20).rows == []
    assert model.anchor == ""
    assert model.fold_all() is False
