"""One engine for a test, on a loop whose time jumps."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatforge_tui.domain.changes import EngineEvent
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt, Turn
from chatforge_tui.sessions import ALL, EngineSettings, SessionManager, Subscription
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import ScriptedEndpoints, Wire
from tests.sessions.network import Network
from tests.virtual_clock import LoopClock, run_virtually, settle


class Engine:
    """A running manager with what it runs on."""

    def __init__(self, endpoints: ScriptedEndpoints, store: MemoryStore, settings: EngineSettings) -> None:
        self.endpoints = endpoints
        self.store = store
        self.manager = SessionManager(store=store, endpoints=endpoints, clock=LoopClock(), settings=settings)
        self.watcher: Subscription = self.manager.subscribe()
        self.watcher.focus(ALL)

    async def new(self, name: str = "fake", *, activate: bool = True) -> SessionId:
        return (await self.manager.create_session(EndpointRef(name), activate=activate)).session_id

    async def send(self, session_id: SessionId, text: str = "hello") -> Wire:
        """Send a prompt and return its request once it has left."""
        await self.manager.send(session_id, Prompt(text))
        await settle()
        return await self.endpoints.wire(session_id)

    async def last(self, session_id: SessionId) -> Turn:
        return (await self.manager.turns(session_id))[-1]

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.watcher.drain() if isinstance(event, kind)]

    def drain(self) -> list[EngineEvent]:
        return self.watcher.drain()

    @staticmethod
    def time() -> float:
        return asyncio.get_running_loop().time()


Body = Callable[[Engine], Awaitable[None]]


@asynccontextmanager
async def engine_on(
    endpoints: ScriptedEndpoints, store: MemoryStore, settings: EngineSettings
) -> AsyncGenerator[Engine, None]:
    engine = Engine(endpoints, store, settings)
    async with engine.manager:
        yield engine


@pytest.fixture
def endpoints() -> ScriptedEndpoints:
    return ScriptedEndpoints()


@pytest.fixture
def network(endpoints: ScriptedEndpoints) -> Network:
    return Network(endpoints)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> MemoryStore:
    """Return a store, of the class that a test names as the parameter."""
    return getattr(request, "param", MemoryStore)()


@pytest.fixture
def run(endpoints: ScriptedEndpoints, store: MemoryStore) -> Callable[..., None]:
    """Run a body with an engine, and check that nothing is left running after it."""

    def run_body(body: Body, settings: EngineSettings | None = None) -> None:
        async def main() -> None:
            async with engine_on(endpoints, store, settings or EngineSettings()) as engine:
                await body(engine)
            assert not endpoints.open_wires, "a stream is still open"

        run_virtually(main())

    return run_body
