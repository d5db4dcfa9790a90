"""Reading by keyboard in the whole program: into the transcript and back, and no key taken from the prompt."""

import pytest

from chatforge_tui.config.keymap import ACTIONS, Keymap, Scope
from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.turn import TurnState
from tests.ui.program import running

ANSWER = "first paragraph\n\n```\ncode\n```\n\nsecond paragraph"


def answer(_):
    return [Accepted("fake", "agent"), TextDelta(ANSWER), Finished()]


async def test_a_key_leads_into_the_transcript_and_back_and_the_bottom_line_says_what_can_be_done(home):
    async with running(home, script=answer) as program:
        await program.pilot.press("f6")
        assert program.app.main.composer.has_focus  # there is nothing to read yet
        await program.send("hello")
        await program.sees("second paragraph")
        await program.sees("F6 read")
        await program.pilot.press("f6")
        await program.sees("Esc back to the prompt")
        await program.sees("v select  y copy  Y copy answer")
        await program.pilot.press("f6")
        assert program.app.main.composer.has_focus
        await program.sees("Enter send")


async def test_what_is_read_is_copied_with_letters_and_esc_goes_back_step_by_step(home):
    async with running(home, script=answer) as program:
        await program.send("hello")
        await program.sees("second paragraph")
        await program.pilot.press("f6", "g", "w", "w", "y")
        await program.until(lambda: program.app.clipboard == "first paragraph")
        await program.pilot.press("w", "c")
        await program.until(lambda: program.app.clipboard == "code")
        await program.pilot.press("Y")
        await program.until(lambda: program.app.clipboard == ANSWER)
        await program.pilot.press("v", "w", "ctrl+c")
        await program.until(lambda: program.app.clipboard == "```\ncode\n```\n\nsecond paragraph")
        await program.pilot.press("v", "b", "escape")
        assert program.app.main.is_reading
        assert program.app.main.get_selected_text() is None
        await program.pilot.press("escape")
        assert program.app.main.composer.has_focus


async def test_esc_in_the_transcript_stops_no_answer(home):
    async with running(home) as program:
        pane = await program.send("hello")
        wire = await program.wire(pane)
        await program.say(wire, Accepted("fake", "agent"), TextDelta("words"))
        await program.sees("words")
        await program.pilot.press("f6", "escape")
        assert program.app.main.composer.has_focus
        assert pane.state is TurnState.STREAMING
        await program.pilot.press("escape", "escape")
        await program.until(lambda: pane.state is TurnState.ABORTED)


@pytest.mark.parametrize("theme", ["chatforge-dark", "chatforge-light", "textual-light", "nord", "ansi-dark"])
async def test_what_is_selected_can_be_read_in_every_theme(home, theme):
    async with running(home, script=answer) as program:
        program.app.theme = theme
        await program.send("hello")
        await program.sees("second paragraph")
        await program.pilot.press("f6", "v", "k", "k")
        view = program.app.main.transcript
        await program.until(lambda: view.text_selection is not None)
        style = view._style_of("selection")
        await program.until(lambda: style.bgcolor in {s.style.bgcolor for s in words(program) if s.style})
        selected = [segment for segment in words(program) if segment.style.bgcolor == style.bgcolor]
        assert "second" in "".join(segment.text for segment in selected)
        assert all(segment.style.color != segment.style.bgcolor for segment in selected)


def words(program):
    """What stands on the screen but blanks."""
    strips = program.app.screen._compositor.render_strips()
    return [segment for strip in strips for segment in strip if segment.text.strip()]


async def test_a_search_begun_in_the_transcript_leads_back_into_it(home):
    async with running(home, script=answer) as program:
        await program.send("hello")
        await program.sees("second paragraph")
        for key, where in (("slash", program.app.main.transcript), ("ctrl+f", program.app.main.composer)):
            await program.pilot.press("f6" if key == "slash" else "escape")
            await program.until(lambda key=key: program.app.main.is_reading is (key == "slash"))
            await program.pilot.press(key)
            await program.sees("Enter next")
            await program.pilot.press(*"second", "escape")
            await program.until(lambda where=where: program.app.focused is where)


async def test_what_the_program_says_does_not_cover_the_number_of_matches(home):
    async with running(home, script=answer, size=(80, 24)) as program:
        await program.send("hello")
        await program.sees("second paragraph")
        await program.pilot.press("ctrl+f", *"second")
        await program.sees("1 of 1  Enter next")
        program.app.say("A sentence. " * 8)
        await program.sees("A sentence.")
        assert "1 of 1  Enter next, Up before, Esc back" in program.text
        await program.pilot.press("escape")
        await program.until(lambda: "Enter next" not in program.text and not program.app.main.has_class("-searching"))


async def test_the_key_that_stops_is_offered_while_there_is_something_to_stop(home):
    async with running(home) as program:
        assert "Esc stop" not in program.text
        pane = await program.send("hello")
        await program.sees("Esc stop")
        await program.say(await program.wire(pane), Finished())
        await program.until(lambda: "Esc stop" not in program.text)


async def test_no_letter_and_no_sign_is_taken_from_the_prompt(home):
    typed = [key for action in ACTIONS if action.scope is not Scope.BOARD for key in action.keys if len(key) == 1]
    signs = {"slash": "/", "left_parenthesis": "(", "right_parenthesis": ")", "question_mark": "?", "space": " "}
    async with running(home, script=answer) as program:
        await program.send("hello")
        await program.sees("second paragraph")
        await program.pilot.press("X", *typed, *signs)
        assert program.app.main.composer.text == "X" + "".join(typed) + "".join(signs.values())


async def test_a_remapped_key_of_the_transcript_works_and_the_old_one_does_not(home):
    keymap = Keymap.resolve({"view.copy_answer": "m", "view.block_prev": ""})
    async with running(home, script=answer, keymap=keymap) as program:
        await program.send("hello")
        await program.sees("second paragraph")
        await program.pilot.press("f6", "b", "b", "Y", "m")
        await program.until(lambda: program.app.clipboard == ANSWER)
        await program.sees("m copy answer")
        assert program.app.main.transcript.model.cursor is None
