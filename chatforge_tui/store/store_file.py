"""The file itself: made once, whole and private; recognised before it is used.

A file that is empty, foreign or unreadable is never taken for a first start, and never overwritten.
"""

import os
import sqlite3
import stat
import uuid
from contextlib import closing
from pathlib import Path

from chatforge_tui.errors import StoreCorrupt
from chatforge_tui.store import schema
from chatforge_tui.store.connection import connect
from chatforge_tui.store.failure import REPAIR_HINT
from chatforge_tui.store.migrations import migrate
from chatforge_tui.store.pragmas import prepare_writing

_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700
_OTHERS = 0o077
_MAGIC = b"SQLite format 3\x00"
"""How every database begins (sqlite.org/fileformat.html)."""
SIDE_FILES = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside the file, by ending. They belong together: moved, copied and deleted as one."""

_LOGS = ("-journal", "-wal")
"""Those of them that hold content of the file."""


def make_directory(directory: Path) -> None:
    """Make a directory that only its owner can enter; an existing one stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        missing.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)


def create(path: Path) -> None:
    """Make an empty store with the newest schema, unless another program does so first.

    It is built under another name and appears whole: a crash in between leaves no half-made store.

    Raises:
        OSError, sqlite3.Error: it cannot be made.
    """
    make_directory(path.parent)
    building = path.with_name(f"{path.name}.new-{uuid.uuid4().hex}")
    # Made before SQLite sees it: SQLite alone would let the umask decide, and gives side files the mode of the file.
    os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE_FILE))
    try:
        with closing(connect(building)) as db:
            prepare_writing(db, "delete", alone=True)
            db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            migrate(db)
        _appear(building, path)
    finally:
        for leftover in (building, *side_files(building)):
            leftover.unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Check that the path names a file that begins as a database does, before SQLite opens it.

    SQLite would take side files of a damaged file in, or delete them.

    Raises:
        StoreCorrupt: it is empty, no file, or no database.
        OSError: it is not there, or cannot be looked at.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        message = f"{path} is not a file."
        raise StoreCorrupt(message, hint=f"{REPAIR_HINT} Or use another --home.")
    if status.st_size == 0:
        message = f"The store {path} is empty: its content was lost."
        raise StoreCorrupt(message, hint=REPAIR_HINT)
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        message = f"The store {path} is damaged (it is not a database)."
        raise StoreCorrupt(message, hint=REPAIR_HINT)


def check_absence(path: Path) -> None:
    """Check that a file that is not there left no log behind: SQLite would take it for that of a new one.

    Raises:
        StoreCorrupt: it did.
    """
    if (log := stray_log(path)) is not None:
        message = f"The store {path} is not there, but {log.name} is: its content was lost."
        raise StoreCorrupt(message, hint=REPAIR_HINT)


def stray_log(path: Path) -> Path | None:
    """Return the log with content that is left of a file that is not there; None when there is none, or the file is."""
    logs = (path.with_name(path.name + ending) for ending in _LOGS)
    left = next((log for log in logs if _has_content(log)), None)
    return None if path.exists() else left  # in this order: another program may just have made both, the file first


def _has_content(log: Path) -> bool:
    """Return whether a log is a file with something in it. Another program makes and deletes its own with each commit."""
    try:
        status = log.stat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0


def recognise(db: sqlite3.Connection, path: Path) -> None:
    """Check that an open file is a ChatForge store, of whatever version.

    Raises:
        StoreCorrupt: it is none.
        sqlite3.Error: it cannot be read.
    """
    if db.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        message = f"{path} is no ChatForge store: another program wrote it."
        raise StoreCorrupt(message, hint=f"{REPAIR_HINT} Or use another --home.")


def make_private(path: Path) -> None:
    """Take the rights of group and others off the file and its side files, where they belong to this user."""
    for file in (path, *side_files(path)):
        try:
            status = file.stat()
        except FileNotFoundError:
            continue
        if status.st_mode & _OTHERS and status.st_uid == os.geteuid():
            file.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: it cannot be done.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def side_files(path: Path) -> list[Path]:
    """Return where SQLite may keep files beside this one."""
    return [path.with_name(path.name + ending) for ending in SIDE_FILES]


def _appear(building: Path, path: Path) -> None:
    """Give the finished file its name, unless the name is taken, and make the directory's entry durable."""
    try:
        os.link(building, path)
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links, where nothing better than a check before the move is to be had.
        if path.exists():
            return
        building.rename(path)
    sync_directory(path.parent)
