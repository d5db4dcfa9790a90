"""The transcript by keyboard alone: the cursor by lines, blocks, turns and targets, and what is selected and copied."""

import pytest
from textual.pilot import Pilot

from chatforge_tui.domain.changes import PartAdded, PartDropped, TextAppended
from chatforge_tui.domain.part import ReasoningPart, TextPart, ToolPart, ToolState
from chatforge_tui.ui.marks import UNICODE_MARKS
from chatforge_tui.ui.transcript import CopyRequested, LinkChosen
from tests.ui.transcript.test_blocks import ANSWER
from tests.ui.transcript.test_view import SENTENCES, last, until
from tests.ui.transcript.turns import TranscriptApp, began, changed, ended, model_of, turn


def marked(app: TranscriptApp) -> str:
    """Return what stands on the cursor's line; "" without a cursor in view."""
    strips = app.view.render_lines(app.view.size.region)
    found = [strip.text[2:].rstrip() for strip in strips if strip.text.startswith(UNICODE_MARKS.prompt)]
    assert len(found) <= 1
    return found[0] if found else ""


async def copied(app: TranscriptApp, pilot: Pilot[None], *keys: str) -> tuple[str, str]:
    """Press keys and return what was copied, and what it is called."""
    app.said.clear()
    await pilot.press(*keys)
    await until(pilot, lambda: last(app, CopyRequested) is not None)
    message = last(app, CopyRequested)
    return message.text, message.what


async def test_the_cursor_begins_at_the_end_and_goes_by_lines():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert marked(app) == "sentence number 39 of the answer"
        await pilot.press("k", "k")
        assert marked(app) == "sentence number 38 of the answer"
        await pilot.press("up", "up", "j", "down")
        assert marked(app) == "sentence number 38 of the answer"
        await pilot.press("g")
        assert marked(app).startswith("You")
        await pilot.press("G")
        assert app.view.model.follows


async def test_the_cursor_goes_from_block_to_block_and_from_turn_to_turn():
    app = TranscriptApp(model_of(turn(0, ANSWER), turn(1, "other"), turn(2, "last")))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", "w", "w")
        assert marked(app) == "Title"
        seen = []
        for _ in range(7):
            await pilot.press("w")
            seen.append(marked(app).split("  ")[0])
        assert seen[:4] == ["A paragraph of the answer", "1. first", seen[2], "3. third"]
        assert seen[4].startswith("┌ python")
        assert seen[6] == "last words"
        await pilot.press("b", "b", "b")
        assert marked(app) == "3. third"
        await pilot.press("right_curly_bracket")
        assert marked(app).startswith("You")
        await pilot.press("j")
        assert marked(app) == "question 1"
        await pilot.press("right_curly_bracket", "j")
        assert marked(app) == "question 2"
        await pilot.press("left_curly_bracket", "left_curly_bracket", "w")
        assert marked(app) == "question 1"
        await pilot.press("right_curly_bracket", "right_curly_bracket")
        assert app.view.model.follows


async def test_a_block_is_copied_as_it_was_written_code_without_its_fence_and_the_answer_whole():
    app = TranscriptApp(model_of(turn(0, ANSWER), turn(1, "other")))
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.press("g", "w", "w", "w")
        assert await copied(app, pilot, "y") == ("A paragraph of the answer\nin two lines.", "block")
        await pilot.press("w", "w", "j")
        assert (await copied(app, pilot, "y"))[0].startswith("2. second of many words")
        await pilot.press("w", "w", "j")
        assert await copied(app, pilot, "y") == ("x = 1\n\ny = 2", "code block")
        assert await copied(app, pilot, "c") == ("x = 1\n\ny = 2", "code block")
        assert await copied(app, pilot, "enter") == ("x = 1\n\ny = 2", "code block")
        assert await copied(app, pilot, "Y") == (ANSWER, "answer")
        await pilot.press("b", "w")
        assert await copied(app, pilot, "y") == ("| a | b |\n|---|---|\n| 1 | 2 |", "block")


async def test_every_move_selects_between_v_and_v():
    app = TranscriptApp(model_of(turn(0, ANSWER), turn(1, "other")))
    async with app.run_test(size=(60, 40)) as pilot:
        await pilot.press("g", "w", "w", "w", "v", "w")
        assert app.view.selected_text == "A paragraph of the answer\nin two lines.\n\n1. first"
        await pilot.press("k", "k")
        assert app.view.selected_text == "A paragraph of the answer\nin two lines."
        await pilot.press("v")
        assert app.view.selected_text == ""
        await pilot.press("v", "right_curly_bracket", "j", "j", "j", "j")
        assert app.view.selected_text.endswith("other")
        text, what = await copied(app, pilot, "y")
        assert what == "selection"
        assert text.startswith("in two lines.\n\n1. first")
        assert app.view.selected_text == ""


async def test_a_selection_by_shift_ends_with_the_next_move():
    app = TranscriptApp(model_of(turn(0, "one\n\ntwo\n\nthree")))
    async with app.run_test(size=(60, 40)) as pilot:
        await pilot.press("g", "w", "w", "shift+down", "J", "J")
        assert app.view.selected_text == "one\n\ntwo"
        assert await copied(app, pilot, "x") == ("one\n\ntwo", "selection")
        await pilot.press("K", "K")
        assert app.view.selected_text.startswith("\n") or app.view.selected_text.endswith("two")
        await pilot.press("j")
        assert app.view.selected_text == ""


async def test_a_selection_goes_over_more_than_the_view():
    app = TranscriptApp(model_of(*(turn(number, SENTENCES) for number in range(3))))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", "v", "G")
        text = app.view.selected_text
        assert [text.count(f"question {number}") for number in range(3)] == [1, 1, 1]
        assert text.count("sentence number 39 of the answer") == 3


async def test_targets_are_gone_through_and_each_shows_which_it_is():
    app = TranscriptApp(model_of(turn(0, "see [one](https://one.example) or [two](https://two.example)")))
    async with app.run_test(size=(60, 20)) as pilot:
        current = app.view.get_component_rich_style("transcript--current-match").bgcolor
        for keys, label in ((("g", "l"), "one"), (("l",), "two"), (("h",), "one")):
            await pilot.press(*keys)
            strips = app.view.render_lines(app.view.size.region)
            assert [s.text for strip in strips for s in strip if s.style.bgcolor == current] == [label]
        await pilot.press("l", "enter")
        await until(pilot, lambda: last(app, LinkChosen) is not None)
        assert last(app, LinkChosen).url == "https://two.example"


async def test_space_within_an_open_part_closes_it_and_the_cursor_is_on_its_header():
    parts = (ToolPart(0, "0", "tool", ToolState.DONE, output="one\ntwo\nthree"), TextPart(1, "after"))
    app = TranscriptApp(model_of(turn(0, "", *parts)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", "l", "space", "j", "j", "j")
        assert marked(app) == "│ two"
        await pilot.press("space")
        assert marked(app) == "▸ tool"
        await pilot.press("j", "j")
        assert marked(app) == "after"


async def test_the_cursor_stays_in_view_when_the_view_scrolls():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("k", "pageup", "pageup")
        assert marked(app) == app.screen_lines()[-1]
        await pilot.press("pageup", "pageup", "pageup", "pageup", "pageup")
        assert marked(app).startswith("You")
        await pilot.press(*["pagedown"] * 6)
        assert app.view.model.follows
        assert marked(app) == "sentence number 39 of the answer"


async def test_a_cursor_that_was_moved_up_lets_the_view_stand_while_text_arrives():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        model = app.view.model
        model.apply(began(1))
        model.apply(changed(1, PartAdded(TextPart(0, "first words"))))
        app.view.refresh_model()
        await pilot.press("k", "k", "k")
        before, line = app.screen_lines(), marked(app)
        model.apply(changed(1, TextAppended(0, "\n\n" + SENTENCES)))
        app.view.refresh_model()
        assert marked(app) == line
        assert app.screen_lines()[:-1] == before[:-1]
        assert model.new_lines > 70
        await pilot.press("end")
        assert model.follows
        assert marked(app) == "sentence number 39 of the answer▌"
        model.apply(ended(turn(1, "first words\n\n" + SENTENCES + "\n\nthe end")))
        app.view.refresh_model()
        assert marked(app) == "the end"


async def test_who_leaves_with_the_end_in_view_follows_it_again():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("k", "k")
        assert not app.view.model.follows
        app.screen.set_focus(None)
        await pilot.pause()
        assert app.view.model.follows
        assert marked(app) == ""
        app.view.focus()
        await pilot.pause()
        assert marked(app) == "sentence number 38 of the answer"


async def test_each_session_keeps_its_cursor_over_a_switch_a_resize_and_a_reload():
    one, other = (model_of(*(turn(number, f"{name}\n\n" + SENTENCES) for number in range(5))) for name in ("A", "B"))
    app = TranscriptApp(one)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", "w", "w", "w", "w")
        line = marked(app)
        assert line == "sentence number 1 of the answer"
        app.view.show(other)
        assert marked(app) != line
        app.view.show(one)
        assert marked(app) == line
        await pilot.resize_terminal(31, 12)
        await pilot.pause()
        assert marked(app).startswith("sentence number 1 ")
        one.load([turn(number, "A\n\n" + SENTENCES) for number in range(6)])
        app.view.refresh_model()
        assert marked(app).startswith("sentence number 1 ")


async def test_folding_everything_keeps_the_cursor_with_its_line():
    parts = (ReasoningPart(0, "deep\n\nthoughts", 1.0), TextPart(1, "answer\n\nmore"))
    app = TranscriptApp(model_of(turn(0, "", *parts)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", "w", "w", "w")
        assert marked(app) == "answer"
        app.view.action_fold_all()
        assert "│ thoughts" in app.screen_lines()
        assert marked(app) == "answer"


async def test_going_to_the_next_block_lays_out_only_what_is_near():
    model = model_of(*(turn(number, SENTENCES) for number in range(3_000)))
    app = TranscriptApp(model)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g", *["w"] * 5, *["right_curly_bracket"] * 5)
        assert sum(model.known_layout(at) is not None for at in range(model.turns)) < 20


async def test_without_a_turn_no_key_does_harm():
    app = TranscriptApp(model_of())
    async with app.run_test(size=(60, 20)) as pilot:
        for action in list(app.view._acts):
            app.view.do(action)
        await pilot.pause()
        app.view.show(None)
        for action in list(app.view._acts):
            app.view.do(action)
        await pilot.pause()
        assert not any(message.text for message in app.said if isinstance(message, CopyRequested))


@pytest.mark.parametrize(
    "keys", [["y"], ["v", "j", "y"], ["J", "K", "J"], ["space"], ["enter"], ["w"], ["b"], ["l", "h"], ["Y"]]
)
async def test_a_line_that_is_gone_meanwhile_leaves_the_cursor_on_the_nearest(keys):
    tools = tuple(ToolPart(number, str(number), f"tool{number}", ToolState.RUNNING) for number in range(9))
    app = TranscriptApp(model_of(turn(0, "before")))
    async with app.run_test(size=(60, 30)) as pilot:
        model = app.view.model
        model.apply(began(1))
        model.apply(changed(1, *(PartAdded(tool) for tool in tools)))
        app.view.refresh_model()
        await pilot.press("k", "l", "l", "G", "k", "v", "k")
        model.apply(changed(1, *(PartDropped(number) for number in range(9))))
        model.apply(ended(turn(1, "short")))
        app.view.refresh_model()
        await pilot.press(*keys)
        await pilot.pause()
        assert marked(app)
