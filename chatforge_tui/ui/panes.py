"""All panes in their order: which one is in front, and what can be undone.

Owns how much of what is out of sight stays in memory: what is longest out of sight is dropped, by number and by size.
"""

from collections.abc import Iterable
from typing import Literal

from chatforge_tui.domain.changes import TurnBegan, TurnChanged, TurnEnded, TurnRemoved
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.ui.pane import CALM, Pane, urgency

KEPT_TRANSCRIPTS = 12
"""Number of transcripts kept in memory; the others are read from the store when they are shown again."""
KEPT_BYTES = 4_000_000
"""What those out of sight may take in all; the one in front takes what it takes."""
KEPT_BACK_BYTES = 24_000_000
"""What the one left last may take beside them: going back to it reads nothing (10,000 turns: 8 MB, 0.5 s to read)."""


class PaneBook:
    """All panes, which one is in front, and what can be undone."""

    def __init__(self) -> None:
        self._panes: dict[SessionId, Pane] = {}
        self._shown: list[SessionId] = []
        """Sessions in the order in which they were in front, last one now; each at most once."""
        self._open: list[Pane] | None = None
        """The panes that have a tab, in order; None when that has to be found out again."""
        self._undo: list[tuple[Literal["close", "delete"], SessionId]] = []

    def __len__(self) -> int:
        return len(self._panes)

    @property
    def current(self) -> Pane | None:
        """The pane in front; None while there is no tab."""
        return self._panes.get(self._shown[-1]) if self._shown else None

    @property
    def open(self) -> list[Pane]:
        """The panes that have a tab, left to right."""
        if self._open is None:
            panes = [pane for pane in self._panes.values() if pane.head.is_open]
            self._open = sorted(panes, key=lambda pane: (pane.head.position, pane.head.created))
        return list(self._open)

    @property
    def closed(self) -> list[Pane]:
        """The panes without a tab, newest first."""
        panes = [pane for pane in self._panes.values() if not pane.head.is_open]
        return sorted(panes, key=lambda pane: pane.head.updated, reverse=True)

    @property
    def live(self) -> list[Pane]:
        """The panes whose request runs, with a tab or without."""
        return [pane for pane in self._panes.values() if pane.is_live]

    def get(self, session_id: SessionId) -> Pane | None:
        """Return a session's pane; None when it is gone."""
        return self._panes.get(session_id)

    def fill(self, heads: Iterable[SessionHead]) -> None:
        """Take every session at the start."""
        for head in heads:
            self.put(head)

    def put(self, head: SessionHead) -> Pane:
        """Take a session that is new or has changed. What the user has typed is newer than what was saved of it."""
        pane = self._panes.get(head.session_id)
        if pane is None:
            pane = self._panes[head.session_id] = Pane(head)
            self._open = None
            self.forget_undo("delete", head.session_id)  # it is back, by whatever way
        elif (pane.head.is_open, pane.head.position) != (head.is_open, head.position):
            self._open = None
            if head.is_open and not pane.head.is_open:
                self.forget_undo("close", head.session_id)
        pane.head = head
        if not head.is_open and self._shown and self._shown[-1] != head.session_id:
            self._forget_shown(head.session_id)
        return pane

    def remove(self, session_id: SessionId) -> None:
        """Drop a session that is gone."""
        self._panes.pop(session_id, None)
        self._open = None
        self._forget_shown(session_id)

    def apply(self, event: TurnBegan | TurnChanged | TurnEnded | TurnRemoved) -> bool:
        """Take what happened to a turn; return whether its session is the one in front."""
        is_whole = isinstance(event, TurnBegan | TurnEnded)
        session_id = event.turn.head.session_id if is_whole else event.session_id
        pane = self._panes.get(session_id)
        if pane is None:
            return False
        pane.apply(event)
        is_front = pane is self.current
        if isinstance(event, TurnEnded) and not is_front and event.turn.head.state is not TurnState.UNSENT:
            pane.unread += 1
            self._drop_old_transcripts()
        return is_front

    def bring_to_front(self, session_id: SessionId) -> Pane | None:
        """Make this pane the current one and return it; None when the session is gone."""
        pane = self._panes.get(session_id)
        if pane is not None:
            self._forget_shown(session_id)
            self._shown.append(session_id)
            pane.unread = 0
            self._drop_old_transcripts()
        return pane

    def beside(self, session_id: SessionId, step: int) -> Pane | None:
        """Return the open pane `step` tabs to the right (negative: left) of a session's, around the ends."""
        panes = self.open
        here = next((index for index, pane in enumerate(panes) if pane.session_id == session_id), None)
        if not panes or here is None:
            return panes[0] if panes else None
        return panes[(here + step) % len(panes)]

    def heir(self, session_id: SessionId) -> Pane | None:
        """Return the pane to show when this session's tab goes: the right neighbour, or the left at the end."""
        panes = self.open
        here = next((index for index, pane in enumerate(panes) if pane.session_id == session_id), 0)
        rest = [pane for pane in panes if pane.session_id != session_id]
        return rest[min(here, len(rest) - 1)] if rest else None

    @property
    def last_shown(self) -> Pane | None:
        """The open pane that was in front before the current one."""
        known = (self._panes.get(session_id) for session_id in reversed(self._shown[:-1]))
        return next((pane for pane in known if pane is not None and pane.head.is_open), None)

    def needing_attention(self) -> Pane | None:
        """Return the next open pane, right of the current one and around, that waits, failed, or has news."""
        panes = self.open
        here = panes.index(self.current) + 1 if self.current in panes else 0
        others = [pane for pane in panes[here:] + panes[:here] if pane is not self.current]
        return min((pane for pane in others if urgency(pane) < CALM), key=urgency, default=None)

    def note_undo(self, kind: Literal["close", "delete"], session_id: SessionId) -> None:
        """Remember that a session was closed or deleted."""
        self._undo.append((kind, session_id))

    def forget_undo(self, kind: Literal["close", "delete"], session_id: SessionId) -> None:
        """There is nothing of this kind to be undone of a session any more; none that was noted is no error."""
        self._undo = [noted for noted in self._undo if noted != (kind, session_id)]

    @property
    def can_undo(self) -> bool:
        """Whether something that was closed or deleted in this run is so still."""
        return bool(self._undo)

    def take_undo(self) -> tuple[Literal["close", "delete"], SessionId] | None:
        """Return, and forget, what was closed or deleted last; None when there is nothing."""
        return self._undo.pop() if self._undo else None

    def _forget_shown(self, session_id: SessionId) -> None:
        if session_id in self._shown:
            self._shown.remove(session_id)

    def _drop_old_transcripts(self) -> None:
        """Forget the transcripts longest out of sight; their panes load them again when they are shown."""
        size = 0
        for number, session_id in enumerate(reversed(self._shown[:-1]), start=1):
            pane = self._panes.get(session_id)
            if pane is None or pane.transcript is None:
                continue
            memory = pane.transcript.memory
            if number == 1 and memory <= KEPT_BACK_BYTES:
                continue
            size += memory
            if number >= KEPT_TRANSCRIPTS or size > KEPT_BYTES:
                pane.forget()
