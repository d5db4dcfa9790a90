"""Saving what the user has not sent yet, and where they were reading.

A draft is saved when the keys rest, every few seconds while they do not, and whenever a pane is left.

Owns which panes are newer than the store. The engine writes; this only hands over, in order.
"""

import time
from collections.abc import Callable

from msgspec.structs import replace

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.ui.bridge import EngineThread
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import PaneBook

DRAFT_S = 0.5
"""Seconds after the last key until a draft is saved."""
DRAFT_MOST_S = 2.0
"""Seconds, at most, while keys go on coming."""


class DraftKeeper:
    """Keeps drafts and reading places."""

    def __init__(
        self, book: PaneBook, engine: EngineThread, *, later: Callable[[float, Callable[[], None]], None]
    ) -> None:
        """Keep what these panes hold.

        Args:
            book: the panes.
            engine: where changes go.
            later: calls a function after some seconds, once; a new call replaces the one before.
        """
        self._book, self._engine, self._later = book, engine, later
        self._unsaved: set[SessionId] = set()
        self._unsaved_since = 0.0

    def take(self, pane: Pane, text: str) -> None:
        """Take what stands in the composer of a pane now; it is saved when the typing rests."""
        if text == pane.draft:
            return
        now = time.monotonic()
        if not self._unsaved:
            self._unsaved_since = now
        pane.draft = text
        self._unsaved.add(pane.session_id)
        if now - self._unsaved_since < DRAFT_MOST_S:
            self._later(DRAFT_S, self.save)
        else:
            self.save()

    def save(self) -> None:
        """Hand every draft that has changed to the store."""
        for session_id in self._unsaved:
            pane = self._book.get(session_id)
            if pane is not None:
                self._patch(session_id, SessionPatch(draft=pane.draft))
        self._unsaved.clear()

    def save_place(self, pane: Pane | None) -> None:
        """Hand over where the reader of a pane is, when that changed."""
        if pane is None or pane.transcript is None or pane.is_empty:
            return
        anchor = pane.transcript.anchor
        if anchor != pane.head.anchor:
            self._patch(pane.session_id, SessionPatch(anchor=anchor))
            self._book.put(replace(pane.head, anchor=anchor))

    def _patch(self, session_id: SessionId, patch: SessionPatch) -> None:
        self._engine.post(lambda manager: manager.update_session(session_id, patch))
