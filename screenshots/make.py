"""Makes the pictures that the README shows: the real program, on its built-in agent, in a terminal that is only drawn.

    python screenshots/make.py [NAME ...]

Without a name it makes all of them, about a minute. Needs nothing but the installed package; keeps what the sessions
store in a temporary directory.
"""

import asyncio
import html
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, chdir
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot

from chatforge_tui.cli.composition import BuiltInEndpoint, make_manager
from chatforge_tui.cli.launch import Launch
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.ui.app import ChatForgeApp
from chatforge_tui.ui.pane import Pane

HERE = Path(__file__).parent
LIMIT_S = 60.0
WIDE = (120, 36)
SMALL = (80, 24)
_FILES = {"deploy.yaml": "replicas: 3\n" * 40, "error.log": "05:12:07 connection refused\n" * 900}
"""What lies where the program is started."""
_BLANK = "\xa0"
_PIECE = re.compile(r"[^\xa0\s]+(?:[\xa0 ][^\xa0\s]+)*")
"""Words with single blanks between them."""
_TEXT = re.compile(
    r'(?P<begin><text class="[^"]*-r\d+" )x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<width>[\d.]+)"'
    r"(?P<end>[^>]*>)(?P<content>[^<]*)</text>"
)


class Program:
    """The running program, and the hands of its user."""

    def __init__(self, app: ChatForgeApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def front(self) -> Pane:
        """The session in front."""
        pane = self.app.book.current
        if pane is None:
            raise RuntimeError("no session is open")
        return pane

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the program run until something is so."""
        end = time.monotonic() + LIMIT_S
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"it did not come to pass; the screen:\n{self.app.export_screenshot()[:2000]}")
            await self.pilot.pause(0.02)

    async def ask(self, prompt: str) -> Pane:
        """Send a prompt in the session in front."""
        pane, before = self.front, self.front.turn
        self.app.main.composer.write(prompt)
        await self.pilot.press("enter")
        await self.until(lambda: pane.turn is not before)
        return pane

    async def open(self, prompt: str) -> Pane:
        """Send a prompt in a new session."""
        number = len(self.app.book.open)
        await self.pilot.press("ctrl+n")
        await self.until(lambda: len(self.app.book.open) > number and self.front is self.app.book.open[-1])
        await self.until(lambda: self.front.is_loaded)
        return await self.ask(prompt)

    async def show(self, pane: Pane) -> None:
        """Bring a session to the front."""
        self.app.bring_to_front(pane.session_id)
        await self.until(lambda: self.front is pane and pane.is_loaded)

    async def ended(self, pane: Pane, state: TurnState) -> None:
        """Wait for the end of a session's turn."""
        await self.until(lambda: pane.turn is not None and pane.turn.state is state)

    async def sees(self, text: str) -> None:
        """Wait until a text is on the screen."""
        await self.until(lambda: text in self.app.export_screenshot(simplify=True).replace("&#160;", " "))

    async def pause(self, seconds: float) -> None:
        """Let the program run for a while."""
        await self.pilot.pause(seconds)

    async def attach(self, name: str) -> None:
        """Have a file go along with the next prompt."""
        pane = self.front
        self.app.main.composer.write(f"/attach {name}")
        await self.pilot.press("enter")
        await self.until(lambda: any(file.name == name for file in pane.head.attachments))


def _lay_out(files: Mapping[Path, str]) -> None:
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")


@asynccontextmanager
async def running(size: tuple[int, int], theme: str, config: str) -> AsyncGenerator[Program, None]:
    """Run the program with a home where nothing is but this configuration, in a folder with two files."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder, chdir(folder):
        _lay_out({Path(home, "config.toml"): config, **{Path(name): text for name, text in _FILES.items()}})
        launch = Launch(Path(home))
        built_in = BuiltInEndpoint(launch)
        app = ChatForgeApp(
            start_engine=lambda: make_manager(launch, built_in, takes_up=True),
            settings=launch.settings,
            keymap=Keymap(),
            locations=launch.locations,
            default_endpoint=launch.endpoint(),
        )
        try:
            async with app.run_test(size=size) as pilot:
                if theme:
                    app.theme = theme
                program = Program(app, pilot)
                await program.until(lambda: app.book.current is not None and app.book.current.is_loaded)
                yield program
        finally:
            built_in.stop()


async def several_sessions(program: Program) -> None:
    """Five sessions: one in front with a plan, two streaming behind it, one that asks, one that failed."""
    front = await program.ask("My own model")
    await program.ended(front, TurnState.COMPLETE)
    await program.ask("Show me a plan")
    failed = await program.open("Fail")
    asks = await program.open("Ask me something")
    await program.open("Stream 2000 lines")
    await program.open("Long markdown")
    await program.ended(failed, TurnState.FAILED)
    await program.ended(asks, TurnState.WAITING)
    await program.show(front)
    await program.sees("3 of 7")


async def plan(program: Program) -> None:
    """An earlier plan that is complete, and one that goes on."""
    pane = await program.ask("Show me a plan")
    await program.ended(pane, TurnState.COMPLETE)
    await program.ask("Please show me a plan")
    await program.sees("2 of 7")


async def form(program: Program) -> None:
    """A question with fields."""
    pane = await program.ask("Ask me something")
    await program.ended(pane, TurnState.WAITING)
    await program.pause(0.4)


async def help_screen(program: Program) -> None:
    """All keys."""
    await program.pilot.press("f1")
    await program.until(lambda: len(program.app.screen_stack) > 1)
    await program.pause(0.5)


async def answer(program: Program) -> None:
    """A question about the program, answered."""
    pane = await program.ask("How do I use my own model?")
    await program.ended(pane, TurnState.COMPLETE)
    await program.pause(0.3)


async def markdown(program: Program) -> None:
    """A long answer, part of its way."""
    await program.ask("Long markdown")
    await program.sees("replicas")


async def waiting(program: Program) -> None:
    """Two prompts that wait for their server, one with a file, and a file beside the next prompt."""
    pane = program.front
    await program.attach("deploy.yaml")
    for number, prompt in enumerate(("What would you change in this file?", "Then write the change as a patch."), 1):
        program.app.main.composer.write(prompt)
        await program.pilot.press("enter")
        await program.until(lambda number=number: len(pane.unsent) == number)
    await program.attach("error.log")
    program.app.main.composer.write("Does this log say why it restarts?")
    await program.sees("not sent")


async def reading(program: Program) -> None:
    """The cursor in the transcript, with a table selected."""
    pane = await program.ask("Long markdown")
    await program.ended(pane, TurnState.COMPLETE)
    await program.pilot.press("f6", "g", *"w" * 12, "v", *"jjjj")
    await program.pause(0.3)


@dataclass(frozen=True)
class Picture:
    """One picture."""

    name: str
    play: Callable[[Program], Awaitable[None]]
    size: tuple[int, int] = WIDE
    theme: str = ""
    config: str = ""


_AWAY = '[endpoints.local]\nprotocol = "openai-chat"\nurl = "http://127.0.0.1:9/v1"\nmodel = "qwen3"\n'
"""An endpoint where nobody answers."""

PICTURES = (
    Picture("sessions", several_sessions),
    Picture("plan", plan),
    Picture("form", form),
    Picture("waiting", waiting, config=_AWAY),
    Picture("reading", reading),
    Picture("help", help_screen),
    Picture("light", markdown, theme="chatforge-light"),
    Picture("small", answer, SMALL),
)


async def make(picture: Picture, folder: Path = HERE) -> Path:
    """Make one picture; return its file."""
    async with running(picture.size, picture.theme, picture.config) as program:
        await picture.play(program)
        svg = program.app.export_screenshot(title="ChatForge", simplify=True)
    svg = _TEXT.sub(_placed, svg)
    file = folder / f"{picture.name}.svg"
    file.write_text(svg, encoding="utf-8")
    return file


def _placed(text: re.Match[str]) -> str:
    """Split a text at its runs of blanks and place each piece by itself.

    Viewers disagree about the width of blanks, and some drop those at the ends: then frames and columns are torn.
    """
    content = html.unescape(text["content"])
    cell = float(text["width"]) / max(1, cell_len(content))
    return "\n".join(
        f'{text["begin"]}x="{float(text["x"]) + cell_len(content[: piece.start()]) * cell:g}" y="{text["y"]}" '
        f'textLength="{cell_len(piece[0]) * cell:g}"{text["end"]}{html.escape(piece[0]).replace(_BLANK, "&#160;")}</text>'
        for piece in _PIECE.finditer(content)
    )


def main(names: list[str]) -> None:
    """Make the named pictures, or all."""
    os.environ.pop("CHATFORGE_HOME", None)
    unknown = set(names) - {picture.name for picture in PICTURES}
    if unknown:
        sys.exit(
            f"there is no picture called {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in PICTURES)}"
        )
    for picture in PICTURES:
        if not names or picture.name in names:
            file = asyncio.run(make(picture))
            print(f"{file.name}  {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
