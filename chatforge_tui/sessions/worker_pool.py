"""The workers of all sessions: made when there is something to answer, given up when idle for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.turn import Turn
from chatforge_tui.sessions.cleanup import Start, shut_down
from chatforge_tui.sessions.event_bus import ALL, Focus
from chatforge_tui.streaming.cancellation import CancelReason

if TYPE_CHECKING:
    from chatforge_tui.sessions.turn_run import TurnRun
    from chatforge_tui.sessions.worker import SessionWorker


class WorkerPool:
    """Session → worker. None is shared, so nothing done to one is felt by another."""

    def __init__(self, make: Callable[[SessionId], SessionWorker], start: Start) -> None:
        """Start without workers.

        Args:
            make: returns a new worker for a session.
            start: starts a task of the engine.
        """
        self._make = make
        self._start = start
        self._workers: dict[SessionId, SessionWorker] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._workers)

    def worker(self, session_id: SessionId) -> SessionWorker:
        """Return the session's worker, a new one if it has none."""
        worker = self._workers.get(session_id)
        if worker is None:
            worker = self._workers[session_id] = self._make(session_id)
        return worker

    def find(self, session_id: SessionId) -> SessionWorker | None:
        """Return the session's worker; None if it has none."""
        return self._workers.get(session_id)

    def run(self, session_id: SessionId) -> TurnRun | None:
        """Return what the session's worker is at; None when nothing of the session runs."""
        worker = self._workers.get(session_id)
        return worker.run if worker is not None else None

    def is_live(self, session_id: SessionId) -> bool:
        """Whether something of the session runs."""
        return self.run(session_id) is not None

    def live_turn(self, session_id: SessionId) -> Turn | None:
        """Return the turn that the session's worker is at, once its prompt is durable and until its end is."""
        run = self.run(session_id)
        return run.state.snapshot() if run and run.is_begun and not run.is_over else None

    def stop(self, session_id: SessionId, reason: CancelReason) -> TurnRun | None:
        """Stop the session's live request; return the run that this call stopped, None when there was none to stop."""
        worker = self._workers.get(session_id)
        return worker.stop(reason) if worker is not None else None

    def stop_all(self, reason: CancelReason) -> list[TurnRun]:
        """Stop every live request, all at the same time; return what was stopped."""
        return [run for worker in self._workers.values() if (run := worker.stop(reason)) is not None]

    def attend(self, focus: Focus) -> None:
        """Have the workers of these sessions tell their endpoints whether somebody watches."""
        for session_id, worker in self._workers.items():
            if focus is ALL or focus == session_id:
                worker.attend()

    def take(self, session_id: SessionId) -> SessionWorker | None:
        """Forget the session's worker and return it: what becomes of it is the caller's business."""
        return self._workers.pop(session_id, None)

    def retire(self, session_id: SessionId) -> None:
        """Give up the worker of a session that has nothing to do."""
        worker = self._workers.get(session_id)
        if worker is not None and worker.run is None:
            del self._workers[session_id]
            self._start(worker.close())

    async def shut_down(self, within_s: float) -> None:
        """Stop all of them at once, give them `within_s` seconds for their last writes and sockets, and forget them."""
        await shut_down(list(self._workers.values()), self._start, within_s)
        self._workers.clear()
