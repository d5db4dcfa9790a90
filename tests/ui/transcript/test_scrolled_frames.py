"""A page that goes on is moved up by the terminal itself, and shows what a page that is drawn whole shows."""

import random

import pyte
import pytest
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.widgets import Static

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.ui.frame import FrameUpdate
from chatforge_tui.ui.frame_screen import FrameScreen
from chatforge_tui.ui.transcript import TranscriptView
from tests.ui.transcript.turns import began, changed, model_of, turn

COLUMNS, ROWS = 60, 20
TEXTS = (
    "words of a paragraph that goes on ",
    "\n\n",
    "- an item\n",
    "**bold** and `code` ",
    "東京 wide ",
    "🚀",
    "\n```python\nx = 1\n```\n\n",
    "\n| a | b |\n|---|---|\n| 1 | 2 |\n\n",
    "\n" * 5,
    "x" * 130,
)


class Page(App[None]):
    """A transcript between other lines, and a terminal that is told every frame."""

    CSS = """
    TranscriptView { height: 1fr; }
    Static { height: 1; }
    Page.-beside TranscriptView { width: 40; }
    #note { layer: top; offset: 30 5; width: 20; height: 2; display: none; background: blue; }
    Page.-under #note { display: block; }
    Screen { layers: base top; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.scrolls = 0
        self.terminal = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.terminal)

    def get_default_screen(self) -> FrameScreen:
        return FrameScreen()

    def compose(self) -> ComposeResult:
        yield Static("above")
        yield TranscriptView()
        yield Static("below")
        yield Static("a note", id="note")

    def _display(self, screen, renderable) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.scrolls += isinstance(renderable, FrameUpdate) and renderable._scroll is not None
            self._stream.feed(renderable.render_segments(self.console))

    def drawn_whole(self) -> list[list[pyte.screens.Char]]:
        """Return the cells of a terminal that is told everything once."""
        terminal = pyte.Screen(COLUMNS, ROWS)
        update = self.screen._compositor.render_update(full=True)
        pyte.Stream(terminal).feed(update.render_segments(self.console))
        return cells(terminal)


def cells(terminal: pyte.Screen) -> list[list[pyte.screens.Char]]:
    return [[terminal.buffer[y][x] for x in range(COLUMNS)] for y in range(ROWS)]


@pytest.mark.parametrize("place", ["whole", "beside", "under"])
@pytest.mark.parametrize("seed", range(2))
async def test_the_terminal_shows_what_a_page_drawn_whole_shows(seed: int, place: str):
    chance = random.Random(seed)
    app = Page()
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        app.set_class(place != "whole", f"-{place}")
        view = app.query_one(TranscriptView)
        model = model_of(turn(0, "first\n\n" * 8))
        view.show(model)
        model.apply(began(1))
        model.apply(changed(1, PartAdded(TextPart(0, ""))))
        await pilot.pause()
        for _ in range(40):
            text = "".join(chance.choice(TEXTS) for _ in range(chance.randrange(1, 4)))
            model.apply(changed(1, TextAppended(0, text)))
            view.refresh_model()
            if chance.random() < 0.2:
                await pilot.pause(0.02)
            if chance.random() < 0.1:
                view.action_lines(-3)
                view.action_follow()
                await pilot.pause(0.05)
            if not view._repaint_regions and not view.vertical_scrollbar._repaint_regions:
                assert cells(app.terminal) == app.drawn_whole()
        for _ in range(100):  # the scrollbar comes later than the text
            await pilot.pause(0.02)
            if cells(app.terminal) == app.drawn_whole() and view._clocks.scrollbar is None:
                break
        assert cells(app.terminal) == app.drawn_whole()
        assert (app.scrolls > 5) is (place == "whole")
