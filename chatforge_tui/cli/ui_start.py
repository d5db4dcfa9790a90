"""Starts the terminal UI: hands it what it needs and waits until the user leaves.

Owns the order of the start: the screen first. Engine, endpoints, store and built-in agent are imported in the engine's
thread, behind the first frame.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chatforge_tui.cli import settling
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.logging_setup import start_logging
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.settings import BUILT_IN
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.clean import clean_line

if TYPE_CHECKING:
    from chatforge_tui.endpoints.discovery import Offer
    from chatforge_tui.sessions.manager import SessionManager

_BUILT_IN_EXAMPLES = ("How do I open a new tab?", "Show me a plan", "Ask me something")


def run_ui(launch: Launch, modes: list[Any] | None = None) -> int:
    """Run the terminal UI until the user leaves; return the exit code.

    Args:
        launch: what the flags say.
        modes: of termios, to give the terminal back with; None = as they are.

    Raises:
        ConfigError: the configuration cannot be used, or there is no terminal.
    """
    endpoint = launch.endpoint()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("ChatForge needs a terminal.", hint="In scripts use `chatforge send`.")
    start_logging(launch.log_file)
    engine = _Engine(launch)
    settling.begin()
    try:
        return _run_app(launch, endpoint, engine, modes)
    finally:
        settling.end()
        engine.stop()


def _run_app(launch: Launch, endpoint: EndpointRef, engine: "_Engine", modes: list[Any] | None) -> int:
    # 145 ms for textual and the screen; a mistake in the configuration need not wait for them.
    from chatforge_tui.ui.app import ChatForgeApp  # noqa: PLC0415 - see above
    from chatforge_tui.ui.desk_app import DEFAULT_LESSON  # noqa: PLC0415 - see above
    from chatforge_tui.ui.widgets.empty_state import Lesson  # noqa: PLC0415 - see above

    def lesson(of: EndpointRef) -> Lesson:
        return Lesson(_BUILT_IN_EXAMPLES, _note(launch)) if of.name == BUILT_IN else DEFAULT_LESSON

    app = ChatForgeApp(
        start_engine=engine.start,
        settings=launch.settings,
        keymap=Keymap.resolve(launch.settings.keys),
        locations=launch.locations,
        default_endpoint=endpoint,
        offers=find_offers,
        lesson=lesson,
    )
    app.terminal_modes = modes
    with suppress(OSError):  # a folder that cannot be entered: told when the engine has tried
        app.expects_turns = launch.store_file.exists()
    app.examine = lambda width: _examine(launch, width)
    app.run()
    return app.return_code or 0


class _Engine:
    """What runs behind the screen, from the engine's start to the end of the program."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._end: Callable[[], None] = lambda: None

    def start(self) -> "SessionManager":
        """Make the engine. Called in its thread."""
        # 15 ms for engine and store: behind the first frame, not before it.
        from chatforge_tui.cli.composition import BuiltInEndpoint, make_manager  # noqa: PLC0415 - see above
        from chatforge_tui.cli.trash import empty_trash  # noqa: PLC0415 - see above

        settling.settle()
        launch = self._launch
        built_in = BuiltInEndpoint(launch)

        def end() -> None:
            built_in.stop()
            empty_trash(launch.store_file, launch.settings.trash_days)

        self._end = end
        return make_manager(launch, built_in, takes_up=True)

    def stop(self) -> None:
        """End what the start began, and empty the trash. Called when the screen is gone."""
        self._end()


def find_offers() -> Sequence["Offer"]:
    """Return what a session could be opened on beside what is configured; asks loopback ports, for 0.3 s or so."""
    # 250 ms for asyncio and httpx, in a thread, when the dialog opens.
    import asyncio  # noqa: PLC0415 - see above

    from chatforge_tui.endpoints.discovery import Offer, discover  # noqa: PLC0415 - see above

    built_in = Offer(EndpointRef(BUILT_IN), "Built-in agent", "not a model: knows ChatForge, and shows what it can do")
    return [*asyncio.run(discover(os.environ)), built_in]


def _examine(launch: Launch, width: int) -> str:
    """Return the doctor's report. Takes as long as the slowest endpoint, and runs in a thread."""
    # 30 ms, when somebody asks for it.
    from chatforge_tui.cli.doctor.command import report_beside_screen  # noqa: PLC0415 - see above

    return report_beside_screen(launch, width)


def _note(launch: Launch) -> str:
    """Return what is to be known of the built-in agent: that it is here for want of another one; "" where there is one."""
    if launch.settings.endpoints:
        return ""
    return (
        "No endpoint is configured, so sessions talk to the built-in agent. It is not a model. "
        f"Your own endpoints go into {clean_line(str(launch.locations.config_file))}"
    )
