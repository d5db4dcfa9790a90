"""Turns that come above those that are shown: a long session is read from its end."""

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from chatforge_tui.domain.changes import PartAdded, TurnEnded
from chatforge_tui.domain.part import TextPart
from chatforge_tui.ui.transcript.place import Place
from tests.ui.transcript.turns import TranscriptApp, began, changed, model_of, text_of, turn

SENTENCES = "\n\n".join(f"sentence number {number} of the answer" for number in range(8))
TURNS = [turn(number, f"{SENTENCES}\n\nneedle of {number}") for number in range(12)]


def test_a_model_that_was_loaded_in_steps_is_the_one_that_was_loaded_at_once():
    model = model_of(*TURNS[8:])
    text_of(model)  # laid out before the others come
    for begin, after in ((5, 8), (1, 5), (0, 1)):
        model.prepend(TURNS[begin:after])
    whole = model_of(*TURNS)
    assert text_of(model) == text_of(whole)
    assert (model.turns, model.memory, model.height) == (whole.turns, whole.memory, whole.height)


def test_what_streams_goes_on_while_turns_come_above():
    model = model_of(*TURNS[8:])
    model.apply(began(12))
    model.apply(changed(12, PartAdded(TextPart(0, "first words"))))
    text_of(model)
    model.prepend(TURNS[:8])
    assert text_of(model)[-1].startswith("first words")
    assert model.answer(12) == "first words"


def test_turns_that_are_there_already_do_not_come_twice():
    model = model_of(*TURNS[8:])
    model.prepend(TURNS[6:10])
    assert text_of(model) == text_of(model_of(*TURNS[6:]))


@pytest.mark.parametrize("is_back", [False, True])
def test_the_divider_stands_above_what_is_new_also_when_all_turns_are_loaded_later(is_back: bool):
    model = model_of(*TURNS[8:11])
    text_of(model)
    model.leave()
    model.apply(TurnEnded(TURNS[11]))
    if is_back:
        model.enter()
    model.load(TURNS)
    if not is_back:
        model.enter()
    lines = text_of(model)
    [divider] = [at for at, line in enumerate(lines) if "─ new ─" in line]
    assert any("needle of 10" in line for line in lines[divider - 5 : divider])


@pytest.mark.parametrize("divided", [False, True])
async def test_nothing_that_is_seen_moves(divided: bool):
    model = model_of(*TURNS[8:])
    app = TranscriptApp(model)
    async with app.run_test(size=(60, 20)) as pilot:
        if divided:
            model.leave()
            model._unread.first = 0
            model.layout(0).set_unread(True)
            app.view.refresh_model()
        app.view.action_top()
        app.view.action_lines(3)
        before = app.screen_lines()
        app.view.take_earlier(model.prepend(TURNS[:8]))
        await pilot.pause()
        assert app.screen_lines() == before
        app.view.action_lines(-9)
        assert any("needle of 7" in line for line in app.screen_lines())


async def test_selection_search_and_cursor_stay_on_what_they_were_on():
    model = model_of(*TURNS[8:])
    app = TranscriptApp(model)
    async with app.run_test(size=(60, 20)) as pilot:
        view = app.view
        view.find("needle")
        view.go_to_match(0)
        assert view.match_number == (1, 4)
        rows = view._window.rows
        app.screen.selections = {
            view: Selection(Offset(2, rows[0].place.key), Offset(30, rows[3].place.key)),
        }
        selected, cursor = view.selected_text, view.cursor
        lines = app.screen_lines()
        assert selected
        assert cursor is not None
        view.take_earlier(model.prepend(TURNS[:8]))
        await pilot.pause()
        assert view.selected_text == selected
        assert view.match_number == (9, 12)
        assert view.cursor == Place(cursor.turn + 8, cursor.piece + (cursor.turn == 0), cursor.line)
        assert app.screen_lines() == lines
        view.action_previous_match()
        assert any("needle of 7" in line for line in app.screen_lines())


async def test_who_went_to_the_top_gets_there_when_there_is_more_above():
    model = model_of(*TURNS[8:])
    app = TranscriptApp(model)
    async with app.run_test(size=(60, 20)):
        app.view.action_top()
        app.view.take_earlier(model.prepend(TURNS[4:8]))
        assert any("question 4" in line for line in app.screen_lines())
        app.view.action_lines(2)
        lines = app.screen_lines()
        app.view.take_earlier(model.prepend(TURNS[:4]))
        assert app.screen_lines() == lines


async def test_of_a_session_that_is_loaded_whole_later_nothing_that_is_read_moves_or_counts_as_new():
    model, app = model_of(*TURNS[8:]), TranscriptApp(model_of(*TURNS[:2]))
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.show(model)
        app.view.action_lines(-12)
        app.view.find("needle")
        await pilot.pause()
        before = app.screen_lines()
        app.view.take_earlier(model.load(TURNS))
        await pilot.pause()
        assert app.screen_lines() == before
        assert (model.new_lines, app.view.match_number[1]) == (0, 12)
