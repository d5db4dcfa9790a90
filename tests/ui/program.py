"""The real app on the real engine, with a store in memory and an agent that says what a test makes it say."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from textual.pilot import Pilot
from textual.widgets import Input

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.locations import Locations
from chatforge_tui.config.settings import EndpointSettings, FileSettings, Settings, UiSettings
from chatforge_tui.domain.events import StreamEvent
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.sessions.settings import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.ui.app import ChatForgeApp
from chatforge_tui.ui.pane import Pane
from tests.fakes.scripted_endpoint import Script, ScriptedEndpoints, Wire

LIMIT_S = 20.0
ENDPOINTS = {
    "platform": EndpointSettings(protocol="a2a", url="https://agents.example.com"),
    "local": EndpointSettings(protocol="openai-chat", url="http://127.0.0.1:9/v1", model="qwen3"),
}


class Program:
    """The app under test, and the hands of its user."""

    def __init__(self, app: ChatForgeApp, pilot: Pilot[None], endpoints: ScriptedEndpoints) -> None:
        self.app, self.pilot, self.endpoints = app, pilot, endpoints

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end, what or f"it did not happen; the screen:\n{self.text}"
            await self.pilot.pause()

    @property
    def front(self) -> Pane:
        pane = self.app.book.current
        assert pane is not None
        return pane

    @property
    def text(self) -> str:
        """The whole screen as text."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    async def sees(self, text: str) -> None:
        await self.until(lambda: text in self.text, f"{text!r} is not on the screen")

    async def type(self, text: str) -> None:
        self.app.main.composer.write(text)
        await self.pilot.pause()

    async def type_into_dialog(self, text: str) -> None:
        self.app.screen.query_one(Input).value = text
        await self.pilot.pause()

    async def send(self, text: str) -> Pane:
        """Type a prompt and press Enter; return the pane once its turn began."""
        pane, before = self.front, self.front.turn
        await self.type(text)
        await self.pilot.press("enter")
        await self.until(lambda: pane.turn is not before)
        return pane

    async def open(self) -> Pane:
        """Open a session with the key and return its pane."""
        number = len(self.app.book.open)
        await self.pilot.press("ctrl+n")
        await self.until(lambda: len(self.app.book.open) == number + 1 and self.front is self.app.book.open[-1])
        return self.front

    async def wire(self, pane: Pane) -> Wire:
        return await self.app.engine.call(lambda _: self.endpoints.wire(pane.session_id))

    async def say(self, wire: Wire, *events: StreamEvent | Exception) -> None:
        async def say(_: SessionManager) -> None:
            wire.say(*events)

        await self.app.engine.call(say)

    async def show(self, session_id: SessionId) -> None:
        self.app.bring_to_front(session_id)
        await self.until(lambda: self.front.session_id == session_id and self.front.is_loaded)


@asynccontextmanager
async def running(
    home: Path,
    *,
    script: Script | None = None,
    store: MemoryStore | None = None,
    size: tuple[int, int] = (120, 36),
    ui: UiSettings | None = None,
    keymap: Keymap | None = None,
    files: FileSettings | None = None,
    **options: object,
) -> AsyncGenerator[Program, None]:
    """Run the program until its first session can be used, and stop it."""
    endpoints = ScriptedEndpoints(script)
    app = make_app(home, endpoints, store or MemoryStore(), ui=ui, keymap=keymap, files=files, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        program = Program(app, pilot, endpoints)
        await program.until(lambda: app.book.current is not None and app.book.current.is_loaded)
        await pilot.pause()
        yield program


def make_app(
    home: Path,
    endpoints: ScriptedEndpoints,
    store: MemoryStore,
    *,
    ui: UiSettings | None = None,
    keymap: Keymap | None = None,
    files: FileSettings | None = None,
    outbox: Literal["ask", "auto"] = "ask",
    engine: EngineSettings | None = None,
    **options: object,
) -> ChatForgeApp:
    return ChatForgeApp(
        start_engine=lambda: SessionManager(store=store, endpoints=endpoints, settings=engine),
        settings=Settings(ui=ui or UiSettings(), files=files or FileSettings(), endpoints=ENDPOINTS, outbox=outbox),
        keymap=keymap or Keymap(),
        locations=Locations.find(home, {}),
        default_endpoint=EndpointRef("platform"),
        **options,
    )
