"""What one thread works with while a store is open: the connection and this program's place among others."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct, field

from chatforge_tui.store.instances import Instance, Observer
from chatforge_tui.store.lone_lock import LoneLock
from chatforge_tui.store.text_log import TextLog
from chatforge_tui.store.text_log_reader import TextLogReader

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

    log: TextLog = field(default_factory=lambda: TextLog(None))
    """Where its live text goes, when it writes."""
    reader: TextLogReader = field(default_factory=TextLogReader)
    """The log of live text, of whichever program."""

    def doubt(self) -> None:
        """Know nothing of the live text by heart: a transaction was taken back."""
        self.reader.forget()
        self.log.doubt()

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
