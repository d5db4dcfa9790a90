"""The program as its user gets it: the real screen on the real engine, store and endpoints."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from chatforge_tui.cli.composition import BuiltInEndpoint, make_manager
from chatforge_tui.cli.launch import Launch
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.ui.app import ChatForgeApp
from tests.fakes.scripted_endpoint import ScriptedEndpoints
from tests.ui.program import Program


@asynccontextmanager
async def real_program(home: Path, *, size: tuple[int, int] = (120, 36)) -> AsyncGenerator[Program, None]:
    """Run the program with everything below `home`, until its first session can be used, and stop it."""
    launch = Launch(home)
    built_in = BuiltInEndpoint(launch)
    app = ChatForgeApp(
        start_engine=lambda: make_manager(launch, built_in),
        settings=launch.settings,
        keymap=Keymap(),
        locations=launch.locations,
        default_endpoint=launch.endpoint(),
    )
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            program = Program(app, pilot, ScriptedEndpoints())
            await program.until(lambda: app.book.current is not None and app.book.current.is_loaded)
            await pilot.pause()
            yield program
    finally:
        built_in.stop()
