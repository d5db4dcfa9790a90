"""Text from outside, in every place that shows it: no control byte, no markup, no crash."""

import pytest

from chatforge_tui.domain.events import Accepted, Failed, Finished, PlanUpdated, TextDelta, ToolEnded, ToolStarted
from chatforge_tui.domain.plan import Plan, PlanStep
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import TurnProblem
from chatforge_tui.ui.terminal_title import title_sequence
from tests.ui.program import Program, running

EVIL = "\x1b]0;owned\x07\x9b31m[@click=app.quit]x[/nope] \u202eevil\u202c\x00"


def controls(program: Program) -> set[str]:
    strips = program.app.screen._compositor.render_strips()
    return {c for strip in strips for c in strip.text if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u202c"}


async def hostile_session(program: Program) -> None:
    pane = await program.send(f"{EVIL} prompt")
    wire = await program.wire(pane)
    await program.say(
        wire,
        Accepted(EVIL, EVIL),
        PlanUpdated(Plan((PlanStep(EVIL, agent=EVIL), PlanStep(EVIL * 20)))),
        ToolStarted("1", EVIL),
        ToolEnded("1"),
        TextDelta(EVIL),
        Finished(EVIL),
    )
    await program.until(lambda: pane.turn is not None and pane.turn.ended)
    await program.pilot.pause()


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (45, 12)])
async def test_nothing_an_agent_says_reaches_the_screen_as_a_control_character(home, size):
    async with running(home, size=size) as program:
        await hostile_session(program)
        await program.until(lambda: "␛" in program.text)

        assert controls(program) == set()


@pytest.mark.parametrize(
    ("key", "sign"),
    [
        ("ctrl+s", "Enter open"),
        ("ctrl+p", "Type to search"),
        ("ctrl+r", "Earlier prompts"),
        ("f2", "Rename"),
        ("alt+n", "New session"),
    ],
)
async def test_no_dialog_shows_a_control_character(home, key, sign):
    def offers():
        return [(EndpointRef(EVIL), EVIL, EVIL)]

    async with running(home, offers=offers) as program:
        await hostile_session(program)
        await program.pilot.press(key)
        await program.sees(sign)
        if key == "ctrl+p":
            await program.pilot.press(*"evil")
        await program.until(lambda: "␛" in program.text)

        assert controls(program) == set()
        await program.pilot.press("escape")
        await program.sees("Enter send")


async def test_no_sentence_of_the_program_carries_what_a_server_put_into_it(home):
    async with running(home) as program:
        pane = await program.send("go")
        await program.say(await program.wire(pane), Failed(TurnProblem("x", EVIL, EVIL)))
        await program.until(lambda: not pane.is_live)
        program.app.say(EVIL)
        program.app.main.trouble = EVIL
        program.app.redraw()
        await program.until(lambda: program.text.count("␛") >= 3)

        assert controls(program) == set()


def test_the_title_of_the_window_is_one_clean_string():
    sequence = title_sequence(EVIL, "xterm-256color")

    assert sequence.startswith("\x1b]2;")
    assert sequence.endswith("\x07")
    assert sequence[4:-1].isprintable()
    assert title_sequence("title", "linux") == ""
