"""Opens the file with SQLite, and brackets what belongs together into one transaction.

Every connection of the store is made here; what makes it safe to write is in pragmas.py.
"""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

BUSY_S = 5.0
"""How long a statement waits for another program's transaction, in seconds."""

_T = TypeVar("_T")


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing file; never makes one.

    The connection belongs to the calling thread, has no implicit transactions and returns rows by name.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, cached_statements=200)
    db.row_factory = sqlite3.Row
    return db


def readable(db: sqlite3.Connection, read: Callable[[], _T]) -> _T:
    """Return what `read` reads from the connection, also where a text in the file is no longer UTF-8.

    A damaged byte must not hide the text around it: it becomes U+FFFD, and the checksum tells. Reading in this way is
    three times slower, so it begins with the first damaged text.
    """
    try:
        return read()
    except sqlite3.OperationalError as error:
        if "decode to UTF-8" not in str(error):
            raise
        db.text_factory = partial(str, encoding="utf-8", errors="replace")
        return read()


@contextmanager
def immediate(db: sqlite3.Connection) -> Generator[None]:
    """Bracket a writing transaction: all of it or nothing.

    IMMEDIATE, because a transaction that begins by reading and then writes is refused at once, without waiting,
    when another program wrote in between.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite may have rolled back by itself (disk full, I/O error); also a COMMIT that failed is taken back.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(db: sqlite3.Connection) -> Generator[None]:
    """Bracket several reads that must see one and the same state."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("COMMIT")


@contextmanager
def savepoint(db: sqlite3.Connection) -> Generator[None]:
    """Bracket statements inside a transaction that are taken back alone when they raise."""
    db.execute("SAVEPOINT operation")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO operation")
            db.execute("RELEASE operation")
        raise
    db.execute("RELEASE operation")
