"""Copies of the store, beside it: made at start and before a migration, the newest three kept.

A copy is made through SQLite, which takes the write-ahead log in and needs no pause of who is writing; the file
alone would be half a store. A file that does not pass its check is never copied over the good copies before it.
"""

import os
import sqlite3
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import StoreCorrupt
from chatforge_tui.store import rows, search_index
from chatforge_tui.store.connection import connect, immediate
from chatforge_tui.store.failure import REPAIR_HINT
from chatforge_tui.store.pragmas import prepare_writing
from chatforge_tui.store.store_file import make_directory, side_files

KEPT = 3
"""How many copies there are at most."""
DUE_S = 20 * 3600.0
"""A start makes a copy when the newest is older than this, so that three crashes in a row do not push out all that was
good before them."""

_FORGET_S = 1.0
"""How long one copy's full-text index may take to forget."""


def list_backups(store: Path) -> list[Path]:
    """Return the copies of the store at this path, newest first."""
    return sorted(_directory(store).glob("store-*.db"), reverse=True)


def is_due(store: Path, now: float) -> bool:
    """Return whether the newest copy is old enough for another one."""
    backups = list_backups(store)
    return not backups or now - backups[0].stat().st_mtime > DUE_S


def back_up(db: sqlite3.Connection, store: Path) -> Path:
    """Copy the store, after checking it, and delete all copies but the newest three.

    Args:
        db: an open connection to the store, in no transaction.
        store: where the store is.

    Returns:
        Where the copy is.

    Raises:
        StoreCorrupt: the store does not pass its check; nothing was copied or deleted.
        OSError, sqlite3.Error: the copy could not be made; nothing was deleted.
    """
    problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        message = f"The store {store} is damaged ({problem})."
        raise StoreCorrupt(message, hint=REPAIR_HINT)
    directory = _directory(store)
    make_directory(directory)
    building = directory / f"building-{uuid.uuid4().hex}"
    os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(connect(building)) as copy:
            db.backup(copy)
            # One file, whatever journal the store has: a copy is moved about by hand.
            copy.execute("PRAGMA journal_mode = delete").fetchall()
        backup = directory / f"store-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.db"
        building.rename(backup)
    finally:
        for leftover in (building, *side_files(building)):
            leftover.unlink(missing_ok=True)
    for old in list_backups(store)[KEPT:]:
        old.unlink()
    return backup


def back_up_when_due(store: Path) -> Path | None:
    """Copy the store when it is time; return where the copy is, None when it was not time.

    Raises:
        StoreCorrupt: the store does not pass its check.
        OSError, sqlite3.Error: the copy could not be made.
    """
    if not is_due(store, time.time()):
        return None
    with closing(connect(store)) as db:
        db.execute("PRAGMA query_only = ON")
        return back_up(db, store)


def forget(store: Path, session_id: SessionId) -> None:
    """Delete a session from every copy: what is deleted for good does not come back with a repair.

    Raises:
        OSError, sqlite3.Error: a copy could not be changed.
    """
    for backup in list_backups(store):
        with closing(connect(backup)) as db:
            prepare_writing(db, "delete", alone=True)
            with immediate(db):
                rows.delete_session(db, session_id)
            search_index.forget(db, _FORGET_S)


def _directory(store: Path) -> Path:
    return store.with_name("backups")
