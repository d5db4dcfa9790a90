"""The way into a store for one program: which way it wants, and which one could be had.

Works in the store's thread, but for the settings and what came of it, which are read between two openings, and for how
far a repair is, which is read at any time. A command
wants one way and is told when it cannot be had. A program with a screen goes on: a damaged store is repaired, and one
that cannot be written is read.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from chatforge_tui.errors import StoreCorrupt, StoreError, StoreTooNew, StoreUnavailable
from chatforge_tui.store import queries
from chatforge_tui.store.failure import translated
from chatforge_tui.store.opening import open_for_reading, open_for_writing

if TYPE_CHECKING:
    from chatforge_tui.domain.repair import RepairReport
    from chatforge_tui.store.workplace import Workplace

_log = logging.getLogger("chatforge.store")


class Door:
    """Opens one store, as often as it is asked to."""

    def __init__(self, path: Path, *, read_only: bool, goes_on: bool) -> None:
        """Open nothing yet.

        Args:
            path: of the database.
            read_only: only to look.
            goes_on: whether a store that cannot be used as it is is used as far as it can be.
        """
        self.read_only, self.goes_on = read_only, goes_on
        self.takes_tabs = False
        """Whether this program holds the sessions with a tab that no living one holds."""
        self.obstacle: StoreError | None = None
        """What kept the store from being opened for writing when it was opened last, for reading instead."""
        self.repair: RepairReport | None = None
        """What a repair brought back, once one was made."""
        self.salvaged: int | None = None
        """Rows that the repair that is being made has read so far; None when none is being made."""
        self.damage: StoreCorrupt | None = None
        """What is wrong with the store and to be repaired before it is opened next."""
        self._path = path

    def open(self) -> Workplace:
        """Open the store.

        Raises:
            StoreError: it cannot be opened in any way that is wanted.
        """
        self.obstacle = None
        if self.read_only:
            return open_for_reading(self._path)
        try:
            return self._open_mended() if self.goes_on else self._open_for_writing()
        except (StoreTooNew, StoreUnavailable) as obstacle:
            if not self.goes_on:
                raise
            try:
                place = open_for_reading(self._path)
            except StoreError:
                # What is wrong with writing is told: that is to be mended first.
                raise obstacle from None
            self.obstacle = obstacle
            return place

    def _open_mended(self) -> Workplace:
        """Open for writing, after a repair where that is needed."""
        damage, self.damage = self.damage, None
        if damage is None:
            try:
                return self._open_for_writing()
            except StoreCorrupt as found:
                damage = found
        if self.repair is not None:  # one is enough: the next would find nothing new
            raise damage
        self._mend(damage)
        return self._open_for_writing()

    def _open_for_writing(self) -> Workplace:
        return open_for_writing(self._path, takes_tabs=self.takes_tabs)

    def _mend(self, damage: StoreCorrupt) -> None:
        """Repair the store, unless another program has done so.

        Raises:
            StoreError: it cannot be done now.
        """
        # Lazy: 5 ms, for whoever has a damaged store.
        from chatforge_tui.store.salvage import repair  # noqa: PLC0415 - see above

        _log.error("the store is repaired: %s", damage)
        self.salvaged = 0
        try:
            self.repair = repair(self._path, unless=self._is_sound, tell=self._count)
        finally:
            self.salvaged = None
        if self.repair is not None:
            _log.warning("the store was repaired. %s", " ".join(self.repair.in_words()))

    def _count(self) -> None:
        self.salvaged = (self.salvaged or 0) + 1

    def _is_sound(self) -> bool:
        """Return whether the list of sessions can be read."""
        try:
            with translated(self._path):
                place = open_for_reading(self._path)
                try:
                    queries.session_rows(place.db)
                finally:
                    place.close()
        except StoreCorrupt:
            return False
        return True
