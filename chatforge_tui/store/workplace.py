"""What one thread works with while a store is open: the connection and this program's place among others."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from chatforge_tui.store.instances import Instance, Observer
from chatforge_tui.store.lone_lock import LoneLock

_log = logging.getLogger("chatforge.store")


class Workplace(Struct, frozen=True):
    """An open store. Belongs to one thread."""

    path: Path
    db: sqlite3.Connection
    me: Observer
    """This program among those that have the store open: an Instance when it writes."""
    lone: LoneLock | None = None
    """Held when the store is on a disk that machines share."""
    is_newer: bool = False
    """A newer ChatForge made the tables: only to be read."""

    def close(self) -> None:
        """Leave the store as if this program had never been there. Never raises: there is nothing left to lose."""
        try:
            with closing(self.db):
                if isinstance(self.me, Instance):
                    self.me.unregister(self.db)
        except sqlite3.Error as error:
            _log.warning("the store was not closed in order: %s", error)
        finally:
            self.me.leave()
            if self.lone is not None:
                self.lone.release()
