"""A key is painted at once, whatever else waits for its frame, and what waits is not forgotten."""

import pytest
from textual import events

from chatforge_tui.domain.events import Accepted, TextDelta
from tests.ui.program import Program, running


async def streaming(program: Program) -> None:
    await program.say(await program.wire(await program.send("go on")), Accepted("fake"), TextDelta("one"))
    await program.sees("one")
    screen = program.app.main
    await program.until(lambda: not (screen._layout_required or screen._repaint_required))


def watched(program: Program) -> list[set[object]]:
    """Return what is painted from here on, picture by picture."""
    seen, update = [], program.app.main._compositor.update_widgets

    def noted(widgets):
        seen.append(set(widgets))
        update(widgets)

    program.app.main._compositor.update_widgets = noted
    return seen


async def test_the_widget_with_the_cursor_does_not_wait_for_the_frame_of_the_stream(home):
    async with running(home) as program:
        await streaming(program)
        screen, seen = program.app.main, watched(program)
        screen._key_painted_at = 0.0
        screen._dirty_widgets |= {screen.transcript, screen.composer}
        await screen._on_idle(events.Idle())

        assert seen[0] == {screen.composer}
        await program.until(lambda: any(screen.transcript in widgets for widgets in seen[1:]))


@pytest.mark.parametrize("hindrance", ["a burst", "a batch", "a layout"])
async def test_where_more_is_to_be_done_everything_is_painted_together(home, hindrance):
    async with running(home) as program:
        await streaming(program)
        screen, seen = program.app.main, watched(program)
        screen._key_painted_at = float("inf") if hindrance == "a burst" else 0.0
        screen._layout_required = hindrance == "a layout"
        screen._dirty_widgets |= {screen.transcript, screen.composer}
        if hindrance == "a batch":
            with program.app.batch_update():
                await screen._on_idle(events.Idle())
        else:
            await screen._on_idle(events.Idle())

        assert seen == []
        screen._key_painted_at = 0.0
        screen.composer.insert("x")
        await program.sees("❯ x")
