"""Every size of terminal, the two looks of every mark, every theme."""

import pytest
from rich.cells import cell_len
from textual import events

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.settings import UiSettings
from chatforge_tui.domain.events import Accepted, PlanUpdated, TextDelta, WaitingForUser
from chatforge_tui.domain.form import Form, FormField
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.ui.desk_app import DEFAULT_LESSON
from chatforge_tui.ui.screens.help import help_lines
from chatforge_tui.ui.widgets.plan_dock import PlanDock
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import Program, running


async def with_plan(program: Program) -> None:
    pane = await program.send("roll back payments to the release before, and tell me what you found on the way")
    steps = (PlanStep("Find the release", StepStatus.COMPLETED, "github"), PlanStep("Apply", StepStatus.IN_PROGRESS))
    await program.say(
        await program.wire(pane),
        Accepted("a2a 1.0", "platform-engineer"),
        PlanUpdated(Plan(steps)),
        TextDelta("word " * 200),
    )
    await program.sees("word word")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)])
async def test_no_line_is_wider_than_the_screen_and_the_prompt_is_always_there(home, size):
    async with running(home, size=size) as program:
        await with_plan(program)

        lines = [strip.text for strip in program.app.screen._compositor.render_strips()]
        assert len(lines) == size[1]
        assert all(cell_len(line) <= size[0] for line in lines)
        await program.sees("❯ Ask platform-engineer")
        await program.sees("Enter replaces" if size[0] < 100 else "Enter sends and replaces the running answer")
        await program.sees("streaming")


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (40, 10)])
async def test_a_form_and_a_long_prompt_together_leave_status_and_hints_on_the_screen(home, size):
    form = Form(tuple(FormField(f"field{number}", f"Field {number}", "What for") for number in range(9)))
    async with running(home, size=size) as program:
        pane = await program.send("hello")
        asked = WaitingForUser(QuestionKind.INPUT, "Which?", form)
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("word " * 200), asked)
        await program.until(lambda: program.app.main.form is not None)
        await program.type("\n".join(f"line {number}" for number in range(12)))
        await program.sees("line 11")
        await program.until(lambda: "F1 help" in program.text.splitlines()[-1])

        assert "Enter" in program.text.splitlines()[-2]
        assert program.text.splitlines()[0].strip().startswith("◆")
        assert program.app.screen.max_scroll_y == 0


async def test_the_plan_has_a_column_where_there_is_room_and_stands_in_the_transcript_where_not(home):
    async with running(home, size=(120, 36)) as program:
        await with_plan(program)
        dock = program.app.main.query_one(PlanDock)
        assert dock.display
        await program.sees("┬")

        await program.pilot.resize_terminal(80, 24)
        await program.until(lambda: not dock.display)
        await program.sees("Find the release")

        await program.pilot.press("ctrl+t")
        await program.until(lambda: dock.display and dock.size.width == 80)
        await program.pilot.press("ctrl+t")
        await program.until(lambda: not dock.display)


async def test_the_page_of_an_empty_session_is_read_to_its_end_in_a_small_window(home):
    async with running(home, size=(50, 13)) as program:
        await program.sees("A new session with")
        await program.sees("more lines below")
        for _ in range(9):
            await program.pilot.press("pagedown")
        await program.until(lambda: "more line" not in program.text)
        await program.sees("Alt+N")
        page = program.app.main.page.empty
        for _ in range(30):
            page.post_message(events.MouseScrollUp(page, 1, 1, 0, -1, 0, shift=False, meta=False, ctrl=False))
        await program.sees("A new session with")
        [line] = [y for y, text in enumerate(program.text.splitlines()) if text.strip().startswith("Tab ")][:1]
        await program.pilot.click(offset=(12, line))
        await program.until(lambda: program.app.main.composer.text != "")
        assert program.app.main.composer.text in DEFAULT_LESSON.examples


async def test_the_cursor_is_where_it_was_when_the_window_is_large_enough_again(home):
    async with running(home, script=echo, size=(80, 24)) as program:
        await program.send("hello")
        for key, where in (("f6", program.app.main.transcript), ("escape", program.app.main.composer)):
            await program.pilot.press(key)
            await program.until(lambda where=where: program.app.focused is where)
            await program.pilot.resize_terminal(39, 9)
            await program.sees("too small")
            await program.until(lambda where=where: program.app.focused is not where)
            await program.pilot.resize_terminal(80, 24)
            await program.until(lambda where=where: program.app.focused is where)


async def test_a_window_that_is_too_small_says_one_sentence_and_comes_back(home):
    async with running(home) as program:
        await program.pilot.resize_terminal(39, 9)
        await program.sees("too small")
        assert "Enter send" not in program.text

        await program.pilot.resize_terminal(80, 24)
        await program.sees("Enter send")
        assert "too small" not in program.text


async def test_the_ascii_setting_draws_the_chrome_with_ascii_alone(home):
    async with running(home, ui=UiSettings(ascii=True), script=echo) as program:
        await program.send("hello")
        await program.open()
        chrome = program.text.splitlines()

        assert all(line.isascii() for line in (*chrome[:2], *chrome[-3:-2]))


async def test_every_theme_can_be_shown(home):
    async with running(home) as program:
        await with_plan(program)
        for name in sorted(program.app.available_themes):
            program.app.theme = name
            await program.pilot.pause()
            assert "Enter send" in program.text


async def test_the_theme_chosen_last_is_there_the_next_time(home):
    async with running(home) as program:
        program.app.do("app.theme")
        await program.sees("Search themes")
        await program.pilot.press(*"chatforge-light", "enter")
        await program.until(lambda: program.app.theme == "chatforge-light")
    async with running(home) as program:
        assert program.app.theme == "chatforge-light"


async def test_an_idle_program_asks_for_nothing_to_be_drawn(home):
    async with running(home, script=echo) as program:
        await program.send("hello")
        await program.until(lambda: not program.front.is_live)
        await program.pilot.pause()

        running_timers = [timer for timer in program.app._timers if timer._active.is_set()]
        assert all(timer is not program.app._tick_timer for timer in running_timers)
        assert not program.app.main.composer.cursor_blink


def test_on_a_narrow_page_of_help_a_description_stands_below_its_keys():
    lines = [line.plain for line in help_lines(Keymap(), 48)]
    assert max(map(cell_len, lines)) <= 48
    at = lines.index("  Ctrl+N")
    assert lines[at + 1].startswith("    Start a session")


async def test_what_an_empty_session_teaches_goes_on_below_where_it_began(home):
    async with running(home, size=(60, 24)) as program:
        await program.sees("A new session with")
        lines = program.text.splitlines()
        begin = lines[next(y for y, line in enumerate(lines) if line.strip().startswith("Enter "))].index("send;")
        more = next(line for line in lines if line.strip() == "go on" or line.strip().endswith("tabs go on"))
        assert len(more) - len(more.lstrip()) == begin
