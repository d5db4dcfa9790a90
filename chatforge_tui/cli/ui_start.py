"""Starts the terminal UI: hands it what it needs and waits until the user leaves."""

import asyncio
import os
from collections.abc import Callable, Sequence

from chatforge_tui.cli.launch import Launch
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.settings import BUILT_IN
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.endpoints.discovery import Offer, discover
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.ui.app import ChatForgeApp, default_examples

_BUILT_IN_EXAMPLES = ("How do I open a new tab?", "Show me a plan", "Ask me something")


def start_ui(launch: Launch, endpoint: EndpointRef, start_engine: Callable[[], SessionManager]) -> int:
    """Run the UI with this endpoint for sessions that name none; return its exit code."""
    app = ChatForgeApp(
        start_engine=start_engine,
        settings=launch.settings,
        keymap=Keymap.resolve(launch.settings.keys),
        locations=launch.locations,
        default_endpoint=endpoint,
        offers=find_offers,
        notices=_notices(launch, endpoint.name),
        examples=_examples,
    )
    app.run()
    return app.return_code or 0


def find_offers() -> Sequence[Offer]:
    """Return what a session could be opened on beside what is configured; asks loopback ports, for 0.3 s or so."""
    built_in = Offer(EndpointRef(BUILT_IN), "Built-in agent", "not a model: knows ChatForge, and shows what it can do")
    return [*asyncio.run(discover(os.environ)), built_in]


def _examples(endpoint: EndpointRef) -> Sequence[str]:
    """Return three prompts to try."""
    return _BUILT_IN_EXAMPLES if endpoint.name == BUILT_IN else default_examples(endpoint)


def _notices(launch: Launch, endpoint: str) -> list[str]:
    """Return what the user should know at the start."""
    if endpoint != BUILT_IN or launch.settings.endpoints:
        return []
    return [
        "No endpoint is configured, so sessions talk to the built-in agent. It is not a model. "
        f"Your own endpoints go into {launch.locations.config_file}"
    ]
