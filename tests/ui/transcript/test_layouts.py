"""Which turns are laid out, and which layouts are kept."""

import tracemalloc

from chatforge_tui.domain.changes import PartAdded
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.ui.transcript.layouts import KEPT_CHARACTERS, KEPT_LAYOUTS
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.viewport import settle
from tests.ui.transcript.turns import LONG, all_lines, began, changed, ended, model_of, text_of, turn


def test_laid_out_blocks_survive_the_end_of_the_turn():
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, LONG))))
    before = all_lines(model)
    model.apply(ended(turn(0, LONG)))
    after = all_lines(model)
    assert sum(any(line is other for other in before) for line in after) > len(after) // 2


def test_nothing_far_from_the_view_is_laid_out():
    model = model_of(*(turn(number, LONG) for number in range(1000)))
    settle(model, 40)
    laid_out = [at for at in range(1000) if model.known_layout(at) is not None]
    assert laid_out
    assert min(laid_out) > 990


def test_layouts_long_unseen_are_dropped():
    model = model_of(*(turn(number, "short") for number in range(KEPT_LAYOUTS * 3)))
    model.follows = False
    for at in range(model.turns):
        model.prepared(at)
    assert sum(model.known_layout(at) is not None for at in range(model.turns)) <= KEPT_LAYOUTS
    assert text_of(model)[-1] == "short"


def test_layouts_of_long_turns_long_unseen_are_dropped_by_their_size():
    size = KEPT_CHARACTERS // 20
    model = model_of(*(turn(number, "x" * size) for number in range(80)))
    model.follows = False
    for at in range(model.turns):
        model.prepared(at)
        known = sum(model.known_layout(at) is not None for at in range(model.turns))
        assert known <= 26, "those beside the view, however long they are, and the one just made"
    assert model.known_layout(79) is not None


def test_a_view_that_leaves_keeps_no_layout_and_the_reader_finds_the_same_lines_again():
    model = model_of(*(turn(number, LONG) for number in range(30)))
    model.follows = False
    model.top = Place(12, 6, 1)
    before = settle(model, 20)
    model.leave()
    assert not any(model.known_layout(at) for at in range(model.turns))
    model.enter()
    after = settle(model, 20)
    assert after.rows == before.rows
    assert after.first == before.first


def test_ten_thousand_turns_cost_little_memory_beside_their_text():
    turns = [turn(number, LONG) for number in range(2000)]
    tracemalloc.start()
    model = model_of(*turns)
    settle(model, 40)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / len(turns) < 400


def test_loading_again_keeps_what_is_laid_out_and_takes_what_is_new():
    model = model_of(turn(0, LONG), turn(1, state=TurnState.STREAMING))
    model.apply(changed(1, PartAdded(TextPart(0, LONG))))
    before = all_lines(model)
    model.load([turn(0, LONG), turn(1, LONG + "and more", state=TurnState.STREAMING), turn(2, "new")])
    after = all_lines(model)
    kept = {id(line) for line in before}
    assert sum(id(line) in kept for line in after) > len(before) * 0.8
    assert any(line.text.endswith("and more▌") for line in after)
    assert after[-1].text == "new"
    model.load([turn(5, "other")])
    assert text_of(model)[-1] == "other"
    assert text_of(model) == text_of(model_of(turn(5, "other")))
