"""What the engine's thread tells the UI, as messages to the app."""

from collections.abc import Sequence

from textual.message import Message

from chatforge_tui.domain.changes import EngineEvent
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import StoreError


class EngineRepairing(Message):
    """The store is damaged: it is being repaired before it is opened."""

    def __init__(self, salvaged: int) -> None:
        self.salvaged = salvaged
        """Rows that were read so far."""
        super().__init__()


class EngineReady(Message):
    """The store is open and every session is known."""

    def __init__(self, heads: Sequence[SessionHead], refusal: str = "") -> None:
        self.heads = heads
        """All sessions outside the trash: open ones by position, then closed ones."""
        self.refusal = refusal
        """Why they can only be read, in one sentence; "" when they can be changed."""
        super().__init__()


class EngineBatch(Message):
    """What happened since the last batch. The receiver calls `EngineThread.acknowledge` when it has applied it."""

    def __init__(self, events: Sequence[EngineEvent]) -> None:
        self.events = events
        """In order; never empty."""
        super().__init__()


class TurnsLoaded(Message):
    """The session to show is known; every batch after this message continues exactly here."""

    def __init__(self, session_id: SessionId, turns: tuple[Turn, ...] | None, *, is_whole: bool = True) -> None:
        self.session_id = session_id
        self.turns = turns
        """The transcript; None when what the pane holds is still complete."""
        self.is_whole = is_whole
        """Whether these are all turns; else EarlierTurnsLoaded follows as long as the session is the one to show."""
        super().__init__()


class EarlierTurnsLoaded(Message):
    """More turns of the session to show, which come right before those that were loaded last."""

    def __init__(self, session_id: SessionId, turns: tuple[Turn, ...], *, is_whole: bool) -> None:
        self.session_id = session_id
        self.turns = turns
        self.is_whole = is_whole
        """Whether all turns are there now."""
        super().__init__()


class TurnsUnread(Message):
    """The session to show cannot be read; what happens in it from here on is delivered all the same."""

    def __init__(self, session_id: SessionId, error: StoreError) -> None:
        self.session_id = session_id
        self.error = error
        super().__init__()


class EngineEnded(Message):
    """The engine thread is over."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
        """Why, when nobody asked for it."""
        super().__init__()
