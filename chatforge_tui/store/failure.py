"""Turns what SQLite and the operating system report into the errors of ChatForge. The only place that does."""

import errno
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from chatforge_tui.errors import StoreCorrupt, StoreError, StoreUnavailable

_PRIMARY = 0xFF
"""SQLite's extended result codes carry the primary code in their lowest byte."""

REPAIR_HINT = "`chatforge store repair` moves it aside and brings back what can be read."
"""What to do about a damaged store."""
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def translate(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """Return the StoreError that says in one sentence what happened to the store at this path."""
    if isinstance(error, OSError):
        return _from_system(error, path)
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    match code:
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreCorrupt(f"The store {path} is damaged ({error}).", hint=REPAIR_HINT)
        case sqlite3.SQLITE_ERROR if "no such" in str(error):
            return StoreCorrupt(f"The store {path} is not built as it should be ({error}).", hint=REPAIR_HINT)
        case sqlite3.SQLITE_CANTOPEN if not _can_open_files():
            return _too_many_files(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_AUTH:
            return _not_writable(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreUnavailable(
                f"Another program locks the store {path}.", hint="End it, or wait until it is done."
            )
        case sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"The disk reports an error at the store {path} ({error}).", hint="Check the disk and its free space."
            )
        case _:
            return StoreUnavailable(f"The store {path} cannot be used ({error}).")


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Let nothing out but StoreErrors.

    Raises:
        StoreError: what SQLite or the operating system reported inside the block.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:
        # SQLite's own message quotes damaged bytes, and Python cannot make a text of it.
        raise StoreCorrupt(f"The store {path} is damaged (bytes that are no text).", hint=REPAIR_HINT) from error


def _from_system(error: OSError, path: Path) -> StoreError:
    """Return the StoreError for a failed call of the operating system."""
    if error.errno in _DISK_FULL:
        return _full(path)
    if error.errno in _NO_DESCRIPTORS:
        return _too_many_files(path)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return _not_writable(path)
    return StoreUnavailable(f"The store {path} cannot be used ({error.strerror or error}).")


def _full(path: Path) -> StoreUnavailable:
    return StoreUnavailable(f"The disk is full: the store {path} cannot be written.", hint="Free some space.")


def _can_open_files() -> bool:
    """Return whether this process can open a file at all: SQLite says of all causes only that it cannot."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno not in _NO_DESCRIPTORS
    return True


def _too_many_files(path: Path) -> StoreUnavailable:
    return StoreUnavailable(
        f"Too many files are open: the store {path} cannot be written.",
        hint="End or close sessions, or start ChatForge with a higher limit: ulimit -n 4096.",
    )


def _not_writable(path: Path) -> StoreUnavailable:
    if _is_mounted_read_only(path.parent):
        return StoreUnavailable(
            f"The file system is mounted read-only: the store {path} cannot be written.",
            hint="Mount it for writing, or use another --home.",
        )
    return StoreUnavailable(
        f"No rights to read and write the store {path}.",
        hint="Check who owns the file and its directory, or use another --home.",
    )


def _is_mounted_read_only(directory: Path) -> bool:
    try:
        return bool(os.statvfs(directory).f_flag & os.ST_RDONLY)
    except OSError:  # it is not there, or not for us
        return False
