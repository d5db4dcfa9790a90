"""A session's transcript as it is now: what is stored, what is not durable yet, and the live turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatforge_tui.domain.changes import TurnBegan, TurnEnded, TurnRemoved
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.sessions.ports import SessionStore
from chatforge_tui.sessions.turn_keeper import TurnKeeper
from chatforge_tui.sessions.worker_pool import WorkerPool

if TYPE_CHECKING:
    from chatforge_tui.sessions.event_bus import EventBus


class Transcripts:
    """Reads them. Knows nothing of who watches."""

    def __init__(self, store: SessionStore, bus: EventBus, keeper: TurnKeeper, workers: WorkerPool) -> None:
        """Read from these."""
        self._store = store
        self._bus = bus
        self._keeper = keeper
        self._workers = workers

    async def read(self, session_id: SessionId, since: int) -> list[Turn]:
        """Return the turns from this ordinal on, in their order; what happens while the store is read is in there.

        Raises:
            StoreError: the store cannot be read.
        """
        known = self._workers.live_turn(session_id)
        turns = await self._read(session_id, since, known.head.turn_id if known is not None else None)
        if known is not None and known.head.ordinal >= since and known.head.turn_id not in turns:
            turns = await self._read(session_id, since, None)  # it ended in between
        return sorted(turns.values(), key=lambda turn: turn.head.ordinal)

    async def _read(self, session_id: SessionId, since: int, live: TurnId | None) -> dict[TurnId, Turn]:
        """Return the turns, read without a live one: the store would look for its text in all that streams."""
        meanwhile = self._bus.subscribe()
        try:
            stored = await self._store.load_turns(session_id, since=since, but=live)
            turns = {turn.head.turn_id: turn for turn in stored}
            for event in meanwhile.drain():
                if isinstance(event, TurnBegan | TurnEnded) and event.turn.head.session_id == session_id:
                    turns[event.turn.head.turn_id] = event.turn
                elif isinstance(event, TurnRemoved):
                    turns.pop(event.turn_id, None)
        finally:
            meanwhile.close()
        now_live = self._workers.live_turn(session_id)
        for turn in (*self._keeper.unsaved(session_id), *([now_live] if now_live else [])):
            turns[turn.head.turn_id] = turn
        return turns

    def live_turn(self, session_id: SessionId, turn_id: TurnId) -> Turn | None:
        """Return a turn that this program is at, as it is now; None when it is at another one, or at none."""
        turn = self._workers.live_turn(session_id)
        return turn if turn is not None and turn.head.turn_id == turn_id else None

    async def last(self, session_id: SessionId) -> Turn | None:
        """Wait until nothing of the session is live, and return its last turn that was sent; None if there is none.

        Raises:
            StoreError: the turn has ended but could not be written (it is tried again).
        """
        turn: Turn | None = None
        while (worker := self._workers.find(session_id)) is not None and (run := worker.run) is not None:
            try:
                turn = await run.finished()
            except ChatForgeError:
                if run.adopted is None or run.is_begun:
                    raise
                break  # it could not be taken up: the last turn is what it was
            if worker.run is run:
                return turn
        if unsaved := self._keeper.unsaved(session_id):
            return unsaved[-1]
        turns = await self._store.load_turns(session_id)
        return next((turn for turn in reversed(turns) if turn.head.state is not TurnState.UNSENT), None)
