"""Carries what happens in the engine to whoever watches: a screen, a command, a test.

Two classes of delivery. Streamed changes of the session in focus arrive merged, and of other sessions only their heads
and plans: a hidden session costs nothing but its buffer. Everything else (turns that begin and end, sessions that change or
go, trouble with the store) always arrives. Publishing never waits and never fails, so a watcher that stands still
delays nobody; what may wait for it is bounded, see pending_events.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Final

from chatforge_tui.domain.changes import EngineEvent, HeadChanged, PlanRecorded, TurnChanged
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.sessions.pending_events import PendingEvents, ReadTurn


class _Every(Enum):
    ALL = "all"


ALL: Final = _Every.ALL
"""In focus: the streamed changes of every session."""

Focus = SessionId | _Every | None


class Subscription:
    """One watcher's view. Starts with no session in focus."""

    def __init__(self, bus: "EventBus") -> None:
        """Watch this bus; use EventBus.subscribe."""
        self._bus = bus
        self._pending = PendingEvents(bus.pending_chars)
        self._something = asyncio.Event()
        self.focused: Focus = None
        """The sessions whose streamed changes are delivered."""

    def focus(self, session_id: Focus) -> None:
        """From now on deliver the streamed changes of this session, of all (`ALL`), or of none (None).

        Call it together with reading the session (`SessionManager.turns` does), or changes made before are missing.
        """
        before, self.focused = self.focused, session_id
        self._pending.reduce(self.wants)
        self._bus.refocused(before, session_id)

    def focus_from_here(self, session_id: SessionId) -> None:
        """Focus a session whose transcript was read just now: what is waiting of it is in there already."""
        if self.focused is not ALL:
            self.focus(session_id)
        self._pending.forget(session_id)

    def put(self, event: EngineEvent) -> None:
        """Take an event from the bus."""
        if isinstance(event, TurnChanged) and not self.wants(event.session_id):
            kept = tuple(change for change in event.changes if isinstance(change, HeadChanged | PlanRecorded))
            if not kept:
                return
            event = TurnChanged(event.session_id, event.turn_id, event.request_id, kept)
        self._pending.add(event)
        self._something.set()

    def drain(self) -> list[EngineEvent]:
        """Return what has happened since the last time, merged; [] when nothing has."""
        self._something.clear()
        return self._pending.fetch(self._bus.read_turn)

    async def wait(self) -> None:
        """Return when there is something to drain."""
        while not self._pending:
            self._something.clear()
            await self._something.wait()

    async def batch(self) -> list[EngineEvent]:
        """Wait for something and return it. Never empty."""
        await self.wait()
        return self.drain()

    def wants(self, session_id: SessionId) -> bool:
        """Whether the streamed changes of this session are to be delivered."""
        return self.focused is ALL or self.focused == session_id

    def close(self) -> None:
        """Stop watching. Idempotent."""
        self._bus.unsubscribe(self)
        self._pending.fetch(self._bus.read_turn)


class EventBus:
    """Hands every event to every watcher."""

    def __init__(
        self, read_turn: ReadTurn, pending_chars: int, on_refocus: Callable[[Focus], None] = lambda _: None
    ) -> None:
        """Start without watchers.

        Args:
            read_turn: gives a live turn as it is now.
            pending_chars: streamed characters of one turn, > 0, that may wait for one watcher.
            on_refocus: told of a session, or of `ALL`, when it may be watched now and was not before, or the reverse.
        """
        self.read_turn = read_turn
        self.pending_chars = pending_chars
        self._on_refocus = on_refocus
        self._watchers: list[Subscription] = []

    def subscribe(self) -> Subscription:
        """Return a new watcher."""
        watcher = Subscription(self)
        self._watchers.append(watcher)
        return watcher

    def unsubscribe(self, watcher: Subscription) -> None:
        """Forget a watcher; one that is not known is no error."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            self.refocused(watcher.focused, None)

    def refocused(self, before: Focus, after: Focus) -> None:
        """Tell that a watcher has turned from these sessions to those."""
        for focus in {before, after} - {None} if before != after else ():
            self._on_refocus(focus)

    def is_watched(self, session_id: SessionId) -> bool:
        """Whether anyone wants the streamed changes of this session: of a hidden one there is nothing to be told."""
        for watcher in self._watchers:  # asked for each piece of each stream: `any` and `wants` would triple it
            focus = watcher.focused
            if focus is ALL or focus == session_id:
                return True
        return False

    def publish(self, event: EngineEvent) -> None:
        """Hand an event to every watcher."""
        for watcher in self._watchers:
            watcher.put(event)
