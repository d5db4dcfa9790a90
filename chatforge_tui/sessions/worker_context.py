"""What every worker shares with the others: the ports, the registry, the keeper. No session's state is in here."""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.sessions.cleanup import Start
from chatforge_tui.sessions.clock import Clock
from chatforge_tui.sessions.event_bus import EventBus
from chatforge_tui.sessions.outbox import Outbox
from chatforge_tui.sessions.ports import Endpoints, SessionStore
from chatforge_tui.sessions.session_book import SessionBook
from chatforge_tui.sessions.settings import EngineSettings
from chatforge_tui.sessions.turn_keeper import TurnKeeper
from chatforge_tui.streaming.registry import StreamingRegistry


class WorkerContext(Struct, frozen=True, eq=False):
    """Made once by the session manager."""

    store: SessionStore
    endpoints: Endpoints
    clock: Clock
    settings: EngineSettings
    registry: StreamingRegistry
    bus: EventBus
    book: SessionBook
    keeper: TurnKeeper
    outbox: Outbox
    gate: asyncio.Semaphore
    """Held while a session asks its agent for a lost task."""
    start: Start
    retire: Callable[[SessionId], None]
    """Told when a session's worker has had nothing to do for long enough to be given up."""
