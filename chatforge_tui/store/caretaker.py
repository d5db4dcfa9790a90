"""A thread that makes the backup of a start a while after the start, when nobody waits for anything."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from chatforge_tui.errors import StoreError
from chatforge_tui.store import backups
from chatforge_tui.store.failure import translate

_log = logging.getLogger("chatforge.store")


class Caretaker:
    """Makes one backup when one is due, with a connection of its own."""

    def __init__(self, store: Path, after_s: float) -> None:
        """Wait `after_s` seconds after `start`: a command that ends earlier makes no backup."""
        self._store = store
        self._after_s = after_s
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, report: Callable[[str], None]) -> None:
        """Start the thread.

        Args:
            report: called in the thread with a sentence when the store is found damaged.
        """
        self._leaving.clear()
        self._thread = threading.Thread(target=self._run, args=(report,), name="store care", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for a backup that is being written. Idempotent."""
        self._leaving.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, report: Callable[[str], None]) -> None:
        """Wait, then make the backup."""
        if self._leaving.wait(self._after_s):
            return
        try:
            made = backups.back_up_when_due(self._store)
        except StoreError as error:
            _log.error("no backup of a damaged store: %s", error)
            report(str(error))
        except (sqlite3.Error, OSError) as error:
            _log.warning("no backup was made: %s", translate(error, self._store))
        else:
            if made is not None:
                _log.info("backup %s made", made)
