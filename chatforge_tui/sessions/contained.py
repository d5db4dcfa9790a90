"""Where a mistake in one session ends: it is logged, and reaches no other session."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVarTuple

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.sessions import session_log
from chatforge_tui.sessions.turn_run import TurnRun

Args = TypeVarTuple("Args")


class Contained:
    """As `with Contained(...)`: whatever goes wrong in the block is logged and ends there. Cancelling passes through.

    A class and no generator: one stands around every stream for as long as it lasts.
    """

    __slots__ = ("_run", "_session_id")

    def __init__(self, session_id: SessionId, run: TurnRun | None) -> None:
        """Name whose work the block does.

        Args:
            session_id: the session.
            run: its turn; None outside of one.
        """
        self._session_id = session_id
        self._run = run

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End it. The one place: a mistake in one session must not end the others."""
        if not isinstance(error, Exception):
            return False
        request_id = self._run.state.head.request_id if self._run is not None else None
        session_log.note_mistake("unexpected failure for session", self._session_id, request_id, error)
        return True


async def safely(
    session_id: SessionId, run: TurnRun | None, work: Callable[[*Args], Coroutine[Any, Any, None]], *args: *Args
) -> None:
    """Do work of one session, contained: in a task of its own, or where it is to leave no exception."""
    with Contained(session_id, run):
        await work(*args)
