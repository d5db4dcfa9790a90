"""Makes a connection safe: which journal, how hard to sync, what to check.

The choice of the journal keeps one promise: what was acknowledged survives a power cut. Two ways keep it: a
write-ahead log with `synchronous=FULL`, where the engine has no WAL-reset bug and the disk is this machine's own;
and a rollback journal with `synchronous=EXTRA`, everywhere else. No other way is ever used.
"""

import sqlite3
import sys
from typing import Literal

from chatforge_tui.errors import StoreUnavailable

JournalMode = Literal["wal", "delete"]

_SYNCHRONOUS: dict[str, str] = {"wal": "FULL", "delete": "EXTRA"}
_WAL_SIZE_LIMIT = 64 * 1024 * 1024
_WAL_PAGES = 1000


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Return whether this SQLite is free of the bug by which a write-ahead log that is reset can corrupt the file.

    Versions 3.7.0 to 3.51.2 have it, but for two release lines that got the correction.
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)


def choose_journal(*, version: tuple[int, ...] = sqlite3.sqlite_version_info, local: bool | None) -> JournalMode:
    """Return the journal to use.

    Args:
        version: of the SQLite engine.
        local: whether the file is on a local disk; None when unknown.
    """
    return "wal" if wal_is_safe(version) and local is True else "delete"


def guard(db: sqlite3.Connection) -> None:
    """Set what every connection needs, reading or writing."""
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA temp_store = MEMORY")


def prepare_writing(db: sqlite3.Connection, journal: JournalMode, *, alone: bool) -> JournalMode:
    """Set what a writing connection needs, and return the journal mode that is really in use.

    Args:
        db: a fresh connection.
        journal: the mode to use.
        alone: no other program has the store open. Only then the file is switched to a write-ahead log: a program
            with an engine that must not use one may be among the others.

    Raises:
        StoreUnavailable: the file is in a mode that this engine cannot use safely, and cannot be switched now.
        sqlite3.Error: as SQLite says.
    """
    guard(db)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")
    db.execute(f"PRAGMA journal_size_limit = {_WAL_SIZE_LIMIT}")
    db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    if sys.platform == "darwin":
        db.execute("PRAGMA fullfsync = ON")
        db.execute("PRAGMA checkpoint_fullfsync = ON")
    mode = _switch(db, journal, alone=alone)
    db.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[mode]}")
    return mode


def _switch(db: sqlite3.Connection, journal: JournalMode, *, alone: bool) -> JournalMode:
    """Bring the file into the journal mode, and believe only what SQLite returns: a failed switch need not raise."""
    current = str(db.execute("PRAGMA journal_mode").fetchone()[0])
    if journal == "wal" and current != "wal" and not alone:
        journal = "delete"
    if current != journal:
        try:
            current = str(db.execute(f"PRAGMA journal_mode = {journal}").fetchone()[0])
        except sqlite3.OperationalError:
            # Leaving a write-ahead log needs the file for oneself; the old mode stays.
            current = str(db.execute("PRAGMA journal_mode").fetchone()[0])
    if current == "delete":
        return "delete"
    if current == "wal" and journal == "wal":
        return "wal"
    message = (
        f"The store is in use in journal mode {current}, which SQLite {sqlite3.sqlite_version} cannot share safely."
    )
    raise StoreUnavailable(message, hint="End the other ChatForge, then start again.")
