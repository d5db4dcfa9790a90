"""The view, driven by keys and mouse like a user's."""

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Region
from textual.pilot import Pilot
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widgets import Static

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import ReasoningPart, TextPart, ToolPart, ToolState
from chatforge_tui.ui.frame import FrameUpdate
from chatforge_tui.ui.frame_screen import FrameScreen
from chatforge_tui.ui.transcript import CopyRequested, FollowChanged, LinkChosen
from tests.ui.transcript.turns import TranscriptApp, began, changed, ended, model_of, turn

SENTENCES = "\n\n".join(f"sentence number {number} of the answer" for number in range(40))


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait for a condition, a frame at a time."""
    for _ in range(200):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not happen")


def last(app: TranscriptApp, kind: type):
    return next((message for message in reversed(app.said) if isinstance(message, kind)), None)


async def test_it_shows_the_hint_while_there_is_nothing():
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)):
        assert app.screen_lines()[1] == "Nothing yet: write something"
        app.view.show(model_of())
        assert app.screen_lines()[1] == "Nothing yet: write something"


async def test_it_opens_at_the_end_and_follows_what_arrives():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        assert app.screen_lines()[-1] == "sentence number 39 of the answer"
        model = app.view.model
        model.apply(began(1))
        model.apply(changed(1, PartAdded(TextPart(0, "first words"))))
        app.view.refresh_model()
        await pilot.pause()
        assert app.screen_lines()[-1] == "first words▌"
        model.apply(changed(1, TextAppended(0, "\n\n" + SENTENCES)))
        app.view.refresh_model()
        assert app.screen_lines()[-1] == "sentence number 39 of the answer▌"


async def test_a_reader_who_scrolled_up_is_left_alone_and_told_what_is_new():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("pageup")
        await until(pilot, lambda: last(app, FollowChanged) is not None)
        assert last(app, FollowChanged) == FollowChanged(following=False, new_lines=0)
        before = app.screen_lines()
        model = app.view.model
        model.apply(began(1))
        model.apply(changed(1, PartAdded(TextPart(0, "one\n\ntwo"))))
        app.view.refresh_model()
        assert app.screen_lines() == before
        await until(pilot, lambda: last(app, FollowChanged).new_lines > 0)
        assert last(app, FollowChanged) == FollowChanged(following=False, new_lines=9)
        await pilot.press("end")
        await until(pilot, lambda: last(app, FollowChanged).following)
        assert last(app, FollowChanged) == FollowChanged(following=True, new_lines=0)
        assert app.screen_lines()[-1] == "two▌"


async def test_scrolling_back_to_the_end_follows_again():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("k", "k", "up")
        assert not app.view.model.follows
        await pilot.press("j", "j", "down")
        assert app.view.model.follows


@pytest.mark.parametrize(
    ("keys", "lines"),
    [(["pageup"], 19), (["ctrl+u"], 10), (["k"] * 19, 0), (["k"] * 20, 1), (["pageup", "ctrl+d"], 9), (["g"], None)],
)
async def test_keys_scroll(keys, lines):
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        bottom = app.view.scroll_offset.y
        await pilot.press(*keys)
        assert app.view.scroll_offset.y == (0 if lines is None else bottom - lines)


async def test_the_wheel_scrolls_and_the_scrollbar_follows():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        bottom = app.view.scroll_offset.y
        await pilot._post_mouse_events([MouseScrollUp], app.view, (5, 5))
        await until(pilot, lambda: app.view.scroll_offset.y < bottom)
        assert app.view.vertical_scrollbar.position == app.view.scroll_offset.y
        app.view.scroll_to(y=0)
        assert app.screen_lines()[0].startswith("You")


def seen(strips: list[Strip]) -> list[object]:
    """Return what can be seen of each cell, and what the mouse does there."""
    cells: list[object] = []
    for text, style, _ in (segment for strip in strips for segment in strip):
        is_shown = bool(text.strip()) or style.reverse
        behind = None if style.reverse and not text.strip() else style.bgcolor
        cells.append((text, style.color if is_shown else None, behind, style.reverse, style.meta))
    return cells


async def test_the_scrollbar_looks_like_textuals_wherever_it_is_and_draws_only_what_moved():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        bar = app.view.vertical_scrollbar
        whole = bar.size.region
        redrawn: list[Region] = []
        bar.refresh = lambda *regions, **_options: redrawn.extend(regions) or bar
        for lines in range(20, 90, 3):
            bar.show(lines, 20, lines // 3)
            shown = seen(bar.render_lines(whole))
            ScrollBar.refresh(bar)
            assert shown == seen(ScrollBar.render_lines(bar, whole))
        await pilot.pause()
        before = seen(bar.render_lines(whole))
        redrawn.clear()
        bar.show(89, 20, 40)
        after = seen(bar.render_lines(whole))
        changed = {y for y in range(20) if before[y] != after[y]}
        assert changed
        assert changed <= {y for region in redrawn for y in region.line_range}
        assert sum(region.height for region in redrawn) < 20


async def test_turns_are_gone_through_one_by_one():
    app = TranscriptApp(model_of(*(turn(number, SENTENCES) for number in range(4))))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("g")
        app.view.action_next_turn()
        assert app.screen_lines()[1] == "question 1"
        app.view.action_next_turn()
        assert app.screen_lines()[1] == "question 2"
        app.view.action_lines(3)
        app.view.action_previous_turn()
        assert app.screen_lines()[1] == "question 2"
        app.view.action_previous_turn()
        assert app.screen_lines()[1] == "question 1"
        for _ in range(4):
            app.view.action_next_turn()
        assert app.view.model.follows


async def test_a_resize_keeps_the_readers_line():
    app = TranscriptApp(model_of(*(turn(number, "words that wrap " * 60) for number in range(9))))
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.action_previous_turn()
        app.view.action_previous_turn()
        question = app.screen_lines()[1]
        for width, height in ((40, 20), (100, 30), (31, 12), (60, 20)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert app.screen_lines()[1] == question


async def test_switching_models_keeps_each_place():
    one, other = (model_of(*(turn(number, f"{name} " * 200) for number in range(9))) for name in ("one", "other"))
    app = TranscriptApp(one)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("pageup", "pageup")
        seen = app.screen_lines()
        app.view.show(other)
        assert "other" in app.screen_lines()[5]
        app.view.show(one)
        assert app.screen_lines() == seen


async def test_a_click_on_a_header_unfolds_it_where_it_is():
    parts = (TextPart(0, SENTENCES), ReasoningPart(1, "deep\n\nthoughts", 1.0), TextPart(2, "after\n\nand\n\nmore"))
    app = TranscriptApp(model_of(turn(0, "", *parts)))
    async with app.run_test(size=(60, 20)) as pilot:
        row = app.screen_lines().index("▸ Reasoning  1.0 s")
        await pilot.click(app.view, offset=(4, row))
        lines = app.screen_lines()
        assert lines[row : row + 4] == ["▾ Reasoning  1.0 s", "│ deep", "│", "│ thoughts"]
        await pilot.click(app.view, offset=(4, row))
        assert "│ deep" not in app.screen_lines()


async def test_space_folds_and_unfolds_the_part_under_the_cursor():
    tools = [ToolPart(number, str(number), f"tool{number}", ToolState.DONE, output="gave") for number in range(3)]
    app = TranscriptApp(model_of(turn(0, "", *tools)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("l", "l", "space")
        assert [line for line in app.screen_lines() if "tool" in line] == ["▸ tool0", "▾ tool1", "▸ tool2"]
        await pilot.press("h", "enter")
        assert [line for line in app.screen_lines() if "tool" in line] == ["▾ tool0", "▾ tool1", "▸ tool2"]


async def test_all_parts_fold_at_once():
    tools = [ToolPart(number, str(number), f"tool{number}", ToolState.DONE, output="gave") for number in range(3)]
    app = TranscriptApp(model_of(turn(0, "", *tools)))
    async with app.run_test(size=(60, 24)):
        app.view.action_fold_all()
        assert app.screen_lines().count("│ gave") == 3
        app.view.action_fold_all()
        assert app.screen_lines().count("│ gave") == 0


async def test_a_link_is_told_not_opened():
    app = TranscriptApp(model_of(turn(0, "see [the page](https://example.com/x) there")))
    async with app.run_test(size=(60, 20)) as pilot:
        row = next(y for y, line in enumerate(app.screen_lines()) if "the page" in line)
        await pilot.click(app.view, offset=(2 + len("see th"), row))
        await until(pilot, lambda: last(app, LinkChosen) is not None)
        assert last(app, LinkChosen) == LinkChosen("https://example.com/x")
        app.said.clear()
        await pilot.press("l", "enter")
        await until(pilot, lambda: last(app, LinkChosen) is not None)


async def test_code_and_answers_are_copied_as_they_were_written():
    answer = "Text\n\n```python\n\tif x:\n\t\ty = '" + "long " * 30 + "'\n```\n\n*end*"
    app = TranscriptApp(model_of(turn(0, "before"), turn(1, answer)))
    async with app.run_test(size=(60, 30)) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: last(app, CopyRequested) is not None)
        code = "\tif x:\n\t\ty = '" + "long " * 30 + "'"
        assert last(app, CopyRequested) == CopyRequested(code, "code block")
        await pilot.press("Y")
        await until(pilot, lambda: last(app, CopyRequested).what == "answer")
        assert last(app, CopyRequested).text == answer


async def test_the_copy_button_of_a_frame_copies_its_block():
    app = TranscriptApp(model_of(turn(0, "```\none\n```\n\n```\ntwo\n```")))
    async with app.run_test(size=(60, 30)) as pilot:
        row, line = next((y, line) for y, line in enumerate(app.screen_lines()) if "copy" in line)
        await pilot.click(app.view, offset=(2 + line.index("copy"), row))
        await until(pilot, lambda: last(app, CopyRequested) is not None)
        assert last(app, CopyRequested).text == "one"


async def drag(pilot: Pilot[None], app: TranscriptApp, start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(app.view, offset=start)
    await pilot.hover(app.view, offset=(end[0], end[1]))
    await pilot.mouse_up(app.view, offset=end)
    await pilot.pause()


def find(app: TranscriptApp, text: str) -> tuple[int, int]:
    """Return column and row at which a text is seen; its characters must be narrow."""
    for y, line in enumerate(app.screen_lines()):
        if text in line:
            return 2 + line.index(text), y
    raise AssertionError(text)


async def test_dragging_selects_over_lines_and_parts_without_frames():
    answer = "alpha beta\n\n```\ncode line\n```\n\ngamma delta"
    app = TranscriptApp(model_of(turn(0, "", ReasoningPart(0, "x", 1.0), TextPart(1, answer))))
    async with app.run_test(size=(60, 30)) as pilot:
        x, y = find(app, "gamma")
        await drag(pilot, app, find(app, "beta"), (x + 4, y))
        assert app.view.selected_text == "beta\n\n```\ncode line\n```\n\ngamma"


async def test_a_wrapped_paragraph_is_selected_as_one_line():
    words = " ".join(f"word{number}" for number in range(30))
    app = TranscriptApp(model_of(turn(0, words)))
    async with app.run_test(size=(40, 30)) as pilot:
        x, y = find(app, "word29")
        await drag(pilot, app, find(app, "word0"), (x + 5, y))
        assert app.view.selected_text == words


async def test_wide_characters_are_selected_by_either_of_their_cells():
    app = TranscriptApp(model_of(turn(0, "ab 中文字 👩‍👩‍👧‍👦 end")))
    async with app.run_test(size=(60, 30)) as pilot:
        x, y = find(app, "ab")
        await drag(pilot, app, (x + 4, y), (x + 5, y))
        assert app.view.selected_text == "中文"
        await drag(pilot, app, (x + 5, y), (x + 11, y))
        assert app.view.selected_text == "文字 👩‍👩‍👧‍👦"


async def test_a_selection_is_painted_and_survives_text_that_arrives():
    app = TranscriptApp(model_of(turn(0, "alpha beta")))
    async with app.run_test(size=(60, 30)) as pilot:
        x, y = find(app, "alpha")
        await drag(pilot, app, (x, y), (x + 4, y))
        selected = app.screen.get_component_rich_style("screen--selection").bgcolor
        assert [s.text for s in app.view.render_lines(app.view.size.region)[y] if s.style.bgcolor == selected] == [
            "alpha"
        ]
        app.view.model.apply(began(1))
        app.view.refresh_model()
        assert app.view.selected_text == "alpha"
        assert app.screen.get_selected_text() == "alpha"


async def test_what_is_found_is_gone_to_highlighted_and_unfolded():
    tool = ToolPart(0, "c", "t", ToolState.DONE, output="the **hidden\ntreasure** lies here")
    app = TranscriptApp(model_of(turn(0, "", tool), *(turn(number, SENTENCES) for number in range(1, 30))))
    async with app.run_test(size=(60, 20)) as pilot:
        matches = app.view.find("HIDDEN treasure")
        assert [(match.turn, match.part) for match in matches] == [(0, 0)]
        assert app.view.match_number == (1, 1)
        await pilot.pause()
        y = find(app, "hidden")[1]
        style = app.view.get_component_rich_style("transcript--current-match")
        painted = [s.text for s in app.view.render_lines(app.view.size.region)[y] if s.style.bgcolor == style.bgcolor]
        assert painted == ["hidden"]
        assert len(app.view.find("number 7 of")) == 29
        await pilot.press("n", "n")
        assert app.view.match_number == (3, 29)
        await pilot.press("N")
        assert app.view.match_number == (2, 29)
        assert app.view.find("") == []
        assert app.view.match_number == (0, 0)


async def test_nothing_ticks_while_nothing_runs():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await until(pilot, lambda: app.view._clocks.scrollbar is None)
        assert app.view._clocks.tick is None
        app.view.model.apply(began(1))
        app.view.refresh_model()
        assert app.view._clocks.tick is not None
        app.view.model.apply(ended(turn(1, "done")))
        app.view.refresh_model()
        assert app.view._clocks.tick is None
        await until(pilot, lambda: app.view._clocks.scrollbar is None)


class FramedApp(TranscriptApp):
    """The same on the screen that the program has, with another widget beside it."""

    def get_default_screen(self) -> FrameScreen:
        return FrameScreen()

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Static("other", id="other")


async def test_a_frame_of_a_stream_is_painted_at_once_and_leaves_other_widgets_dirty():
    app = FramedApp(model_of(turn(0, "short")))
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.model.apply(began(1))
        app.view.model.apply(changed(1, PartAdded(TextPart(0, "some"))))
        app.view.refresh_model()
        await pilot.pause()
        painted: list[FrameUpdate] = []
        app._display = lambda _screen, update: painted.append(update)
        other = app.query_one("#other")
        app.screen._dirty_widgets.add(other)
        app.view.model.apply(changed(1, TextAppended(0, " words")))
        app.view.refresh_model()
        assert [len(update._rows) for update in painted] == [1]
        assert other in app.screen._dirty_widgets
        app.screen.refresh(layout=True)
        app.view.model.apply(changed(1, TextAppended(0, " and more")))
        app.view.refresh_model()
        assert len(painted) == 1
        del app._display
        await until(pilot, lambda: "some words and more▌" in app.screen_lines())


async def test_while_a_stream_paints_the_clock_does_not_paint_as_well(monkeypatch):
    app = TranscriptApp(model_of(turn(0, "short")))
    async with app.run_test(size=(60, 30)):
        app.view.model.apply(began(1))
        app.view.refresh_model()
        synced = []
        monkeypatch.setattr(app.view, "_sync", lambda **_options: synced.append(1))
        app.view._tick()
        assert not synced
        app.view._synced_at -= 1
        app.view._tick()
        assert synced


async def test_only_rows_that_look_different_are_painted_again():
    app = TranscriptApp(model_of(turn(0, "short")))
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.model.apply(began(1))
        app.view.model.apply(changed(1, PartAdded(TextPart(0, "some"))))
        app.view.refresh_model()
        await pilot.pause()
        before = app.view.render_lines(app.view.size.region)
        app.view.model.apply(changed(1, TextAppended(0, " words")))
        app.view.refresh_model()
        after = app.view.render_lines(app.view.size.region)
        assert [y for y in range(30) if after[y] is not before[y]] == [find(app, "some words")[1]]


async def test_of_a_line_that_grows_only_the_end_is_written_again():
    app = TranscriptApp(model_of())
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.model.apply(began(0))
        app.view.model.apply(changed(0, PartAdded(TextPart(0, "中文 some"))))
        app.view.refresh_model()
        await pilot.pause()
        column, row = 2 + cell_len("中文 some"), find(app, "some")[1]
        app.view.model.apply(changed(0, TextAppended(0, " text")))
        app.view.refresh_model()
        assert app.view._exchange_repaint_regions() == {Region(2, row, column + 6 - 2, 1)}
        app.view.model.apply(ended(turn(0, "plain")))
        app.view.refresh_model()
        app.view._exchange_repaint_regions()
        app.view.model.apply(ended(turn(0, "plain words")))
        app.view.refresh_model()
        assert Region(7, row, 6, 1) in app.view._exchange_repaint_regions()


async def test_new_lines_do_not_reflow_the_screen():
    app = TranscriptApp(model_of(turn(0, SENTENCES)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        layouts = []
        app.screen.screen_layout_refresh_signal.subscribe(app.view, layouts.append, immediate=True)
        app.view.model.apply(began(1))
        app.view.model.apply(changed(1, PartAdded(TextPart(0, SENTENCES))))
        app.view.refresh_model()
        await pilot.pause()
        assert app.view.virtual_size.height == app.view.model.height > 150
        assert layouts == []


async def test_every_theme_colours_it():
    app = TranscriptApp(model_of(turn(0, "text `code` [link](https://example.com)\n\n```python\nimport os\n```")))
    async with app.run_test(size=(60, 20)) as pilot:
        seen = set()
        for theme in list(app.available_themes):
            app.theme = theme
            await pilot.pause()
            row = app.view.render_lines(app.view.size.region)[find(app, "text")[1]]
            style = next(segment.style for segment in row if segment.text == "link")
            assert style.link == "https://example.com"
            assert style.color is not None
            assert style.bgcolor is not None
            seen.add((style.color.triplet, style.bgcolor.triplet))
        assert len(seen) > 5


async def test_markup_in_text_is_text():
    app = TranscriptApp(model_of(turn(0, "[bold]x[/bold] [/nope] [@click=app.quit]y[/]", prompt="[red]z")))
    async with app.run_test(size=(60, 20)):
        assert "[red]z" in app.screen_lines()
        assert "[bold]x[/bold] [/nope] [@click=app.quit]y[/]" in app.screen_lines()


async def test_a_terminal_that_does_not_read_is_not_sent_another_frame():
    app = TranscriptApp(model_of(turn(0, "before")))
    async with app.run_test(size=(60, 20)) as pilot:
        view = app.view
        behind = [True]
        view._is_terminal_behind = lambda: behind[0]
        view.model.apply(ended(turn(0, "after")))
        view.refresh_model()
        assert "before" in app.screen_lines()
        behind[0] = False
        await until(pilot, lambda: "after" in app.screen_lines())


async def test_a_double_click_selects_a_word_and_a_triple_click_the_line_of_the_source():
    words = "see src/app.py, " + " ".join(f"word{number}" for number in range(12))
    app = TranscriptApp(model_of(turn(0, words + "\n\nother")))
    async with app.run_test(size=(40, 30)) as pilot:
        x, y = find(app, "src/app")
        await pilot.click(app.view, offset=(x + 2, y), times=2)
        assert app.view.selected_text == "src/app.py"
        await pilot.click(app.view, offset=(x + 2, y), times=3)
        assert app.view.selected_text == words


async def test_lines_are_selected_and_copied_with_the_keyboard():
    app = TranscriptApp(model_of(turn(0, "one\n\ntwo\n\nthree")))
    async with app.run_test(size=(40, 30)) as pilot:
        await pilot.press("g", *["shift+down"] * 8, "shift+up", "x")
        await until(pilot, lambda: last(app, CopyRequested) is not None)
        assert last(app, CopyRequested).what == "selection"
        assert last(app, CopyRequested).text.splitlines()[-3:] == ["one", "", "two"]
        assert app.view.selected_text == ""


async def test_a_long_code_block_is_plain_at_once_and_coloured_soon():
    app = TranscriptApp(model_of(turn(0, "```python\n" + "import os  # why\n" * 900 + "```")))
    async with app.run_test(size=(60, 20)) as pilot:

        def colours():
            strips = app.view.render_lines(app.view.size.region)
            return {segment.style.color for strip in strips for segment in strip}

        plain = len(colours())
        await until(pilot, lambda: len(colours()) > plain)
        height = app.view.model.height
        assert height == 900 + 6
        await until(pilot, lambda: app.view._clocks.colour is None)


async def test_with_reduced_motion_nothing_spins():
    app = TranscriptApp(model_of())
    async with app.run_test(size=(60, 20)):
        app.view._reduced_motion = True
        app.view.model.apply(began(0))
        app.view.refresh_model()
        before = app.screen_lines()
        app.view._tick()
        assert app.screen_lines() == before


async def test_a_scrollbar_that_looks_the_same_knows_its_place_when_the_screen_is_laid_out_anew():
    app = TranscriptApp(model_of(*(turn(number, SENTENCES) for number in range(20))))
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.model.apply(began(20))
        app.view.model.apply(changed(20, PartAdded(TextPart(0, SENTENCES))))
        app.view.refresh_model()
        await until(pilot, lambda: app.view._clocks.scrollbar is None)
        app.refresh(layout=True)
        await pilot.pause()
        bar = app.view.vertical_scrollbar
        assert (bar.position, bar.window_virtual_size) == (app.view.scroll_y, app.view.model.height)
