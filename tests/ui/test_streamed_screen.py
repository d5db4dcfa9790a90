"""What the frames of a stream leave on a terminal is what the whole screen, painted anew, would show."""

import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pyte
import pytest
from textual._compositor import LayoutUpdate
from textual._context import visible_screen_stack
from textual.geometry import Offset
from textual.selection import Selection

from chatforge_tui.domain.events import Accepted, ReasoningDelta, TextDelta
from chatforge_tui.ui.frame import FrameUpdate
from chatforge_tui.ui.transcript.model import TranscriptModel
from tests.ui.program import Program, running

WORDS = ("word ", "**bold** ", "\n\n", "- item\n", "`code` ", "\n# head\n", "東京 ", "long " * 30, "x" * 70, "\n")


class Emulated:
    """A terminal that is told all that the program displays."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.frames = 0
        """How many were not of the whole screen."""
        self._screen = pyte.Screen(*program.app.size)
        self._stream = pyte.Stream(self._screen)
        program.app._display = self._display
        program.app.refresh(layout=True)

    def _display(self, screen: object, update: object) -> None:
        size = self._program.app.size
        if (self._screen.columns, self._screen.lines) != tuple(size):
            self._screen.resize(size.height, size.width)
        if screen is self._program.app.screen and update is not None:
            self.frames += isinstance(update, FrameUpdate)
            self._stream.feed(update.render_segments(self._program.app.console).replace("\n", "\r\n"))

    def is_right(self) -> bool:
        """Whether every cell, colours included, is as in a terminal that is shown the whole screen."""
        compositor = self._program.app.screen._compositor
        visible_screen_stack.set(self._program.app._background_screens)
        whole = LayoutUpdate([[strip] for strip in compositor.render_strips()], compositor.size.region)
        other = pyte.Screen(*self._program.app.size)
        pyte.Stream(other).feed(whole.render_segments(self._program.app.console).replace("\n", "\r\n"))
        return cells_of(other) == cells_of(self._screen)


def cells_of(screen: pyte.Screen) -> list[list[pyte.screens.Char]]:
    rows, columns = screen.buffer, range(screen.columns)
    return [[rows[y][x] for x in columns] for y in range(screen.lines)]


async def same(program: Program, terminal: Emulated) -> None:
    """Wait until the terminal shows what the screen holds; it never does when a frame has left something wrong."""
    await program.until(terminal.is_right, "the terminal shows something else")


class Hands:
    """What can come between two frames of a stream."""

    def __init__(self, program: Program, chance: random.Random) -> None:
        self._program, self._chance = program, chance
        self._view = program.app.main.page.view

    async def dialog(self) -> None:
        """Open a dialog, or close it."""
        await self._program.pilot.press("f1")

    async def size(self) -> None:
        await self._program.pilot.resize_terminal(self._chance.choice((60, 90, 100)), self._chance.choice((20, 30)))

    async def theme(self) -> None:
        self._program.app.theme = self._chance.choice(sorted(self._program.app.available_themes))

    async def selection(self) -> None:
        self._program.app.main.selections = {self._view: Selection(Offset(3, 0), None)}

    async def no_selection(self) -> None:
        self._program.app.main.clear_selection()

    async def fold(self) -> None:
        self._view.action_fold_all()

    async def toast(self) -> None:
        self._program.app.say(f"sentence {self._chance.random()}")

    async def back(self) -> None:
        self._view.action_pages(-1)

    async def end(self) -> None:
        self._view.action_follow()

    async def find(self) -> None:
        self._view.find(self._chance.choice(("word", "")))

    async def draft(self) -> None:
        await self._program.type("typed ")

    def some(self) -> Callable[[], Awaitable[None]]:
        names = [name for name in vars(Hands) if not name.startswith("_") and name != "some"]
        return getattr(self, self._chance.choice(names))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_comes_between_the_frames(home: Path, seed: int):
    chance = random.Random(seed)
    async with running(home, size=(90, 30)) as program:
        terminal = Emulated(program)
        wire = await program.wire(await program.send("go on"))
        await program.say(wire, Accepted("fake"), ReasoningDelta("thought\n" * 5), TextDelta("begun "))
        await program.sees("begun")
        hands, model = Hands(program, chance), program.app.main.page.view.model
        for number in range(80):
            await program.say(wire, TextDelta("".join(chance.choices(WORDS, k=3)) + f"mark{number} "))
            await program.until(partial(holds, model, f"mark{number}"))
            if not chance.randrange(3):
                await hands.some()()
            await program.pilot.pause()
            await same(program, terminal)
        assert terminal.frames > 30


def holds(model: TranscriptModel, text: str) -> bool:
    return text in model.answer(0)
