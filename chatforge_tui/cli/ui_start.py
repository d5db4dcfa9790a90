"""Starts the terminal UI: hands it what it needs and waits until the user leaves."""

import sys
from collections.abc import Callable

from chatforge_tui.cli.launch import Launch
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.settings import BUILT_IN
from chatforge_tui.errors import ConfigError
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.ui.app import ChatForgeApp


def start_ui(launch: Launch, start_engine: Callable[[], SessionManager]) -> int:
    """Run the UI; return its exit code.

    Raises:
        ConfigError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("ChatForge needs a terminal.", hint="In scripts use `chatforge send`.")
    endpoint = launch.endpoint()
    app = ChatForgeApp(
        start_engine=start_engine,
        settings=launch.settings,
        keymap=Keymap.resolve(launch.settings.keys),
        locations=launch.locations,
        default_endpoint=endpoint,
        notices=_notices(launch, endpoint.name),
    )
    app.run()
    return app.return_code or 0


def _notices(launch: Launch, endpoint: str) -> list[str]:
    """Return what the user should know at the start."""
    if endpoint != BUILT_IN or launch.settings.endpoints:
        return []
    return [
        "No endpoint is configured, so sessions talk to the built-in agent. It is not a model. "
        f"Your own endpoints go into {launch.locations.config_file}"
    ]
