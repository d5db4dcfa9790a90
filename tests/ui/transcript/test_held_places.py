"""Whatever comes above or below, folds or is laid out at another width: what is read and what is selected stays the same."""

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import ReasoningPart, TextPart
from chatforge_tui.ui.transcript.page import GUTTER_COLUMNS
from chatforge_tui.ui.transcript.viewport import move, settle
from tests.ui.transcript.turns import TranscriptApp, began, changed, ended, model_of, turn

WIDE, NARROW = (80, 16), (44, 20)
LINES = "".join(f"Line {number} of what is *said* here, and of more that nobody reads.\n\n" for number in range(60))


def seen(app: TranscriptApp) -> str:
    return app.screen_lines()[0]


def select(app: TranscriptApp, first: tuple[int, str], last: tuple[int, str]) -> None:
    """Select from a word of one line in view up to the end of one of another."""
    lines = app.screen_lines()
    ends: list[Offset] = []
    for (number, word), after in ((first, 0), (last, len(last[1]))):
        y = next(y for y, line in enumerate(lines) if f"Line {number} " in line)
        key = app.view._window.rows[y].place.key
        ends.append(Offset(lines[y].index(word) + after + GUTTER_COLUMNS, key))
    app.screen.selections = {app.view: Selection(*ends)}


def test_what_is_read_stays_in_view_while_an_artifact_above_it_grows():
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, "First.\n\n")), PartAdded(TextPart(1, LINES, is_separate=True))))
    settle(model, 10)
    model.follows = False
    model.top = move(model, model.top, -40)
    before = [row.line.text for row in settle(model, 10).rows]
    model.cursor = model.top
    for number in range(10):
        model.apply(changed(0, TextAppended(0, f"more {number}\n\n")))
        assert [row.line.text for row in settle(model, 10).rows] == before
    assert model.cursor == model.top


@pytest.mark.parametrize("seed", range(3))
async def test_a_selection_is_the_same_text_at_another_width(seed: int):
    word = ("Line", "is said", "nobody")[seed]
    async with TranscriptApp(model_of(turn(0, LINES))).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.pause()
        select(app, (56, word), (58, "more that nobody"))
        await pilot.pause()
        text = app.view.selected_text
        assert text.endswith("58 of what is said here, and of more that nobody")
        for size in (NARROW, (30, 40), WIDE):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.view.selected_text == text


async def test_a_selection_is_the_same_text_when_something_above_it_unfolds_and_the_turn_ends():
    parts = (ReasoningPart(0, "thought\n" * 5), TextPart(1, LINES + "Open"))
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, *map(PartAdded, parts)))
    async with TranscriptApp(model).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.pause()
        select(app, (57, "of"), (58, "nobody"))
        await pilot.pause()
        text = app.view.selected_text
        model.toggle_fold(0, 0)
        app.view.refresh_model()
        await pilot.pause()
        assert app.view.selected_text == text
        model.apply(changed(0, TextAppended(1, " end.\n\nMore.\n")))
        app.view.refresh_model()
        await pilot.pause()
        assert app.view.selected_text == text
        model.apply(ended(turn(0, "", parts[0], TextPart(1, parts[1].text + " end.\n\nMore.\n"))))
        app.view.refresh_model()
        await pilot.pause()
        assert app.view.selected_text == text


async def test_a_selection_that_the_keyboard_goes_on_with_begins_where_it_did():
    async with TranscriptApp(model_of(turn(0, LINES))).run_test(size=WIDE) as pilot:
        app = pilot.app
        await pilot.press("k", "k", "k", "v", "k", "k")
        await pilot.pause()
        text = app.view.selected_text
        assert text
        await pilot.resize_terminal(30, 40)
        await pilot.pause()
        assert app.view.selected_text == text
        await pilot.press("j", "j")
        await pilot.pause()
        assert text.endswith(app.view.selected_text)
