"""Brings a store from any earlier schema version to the newest, each step whole or not at all.

A step is a function in MIGRATIONS; its place in the list is its version, kept in `user_version` and changed in the
same transaction. A step that has been released is never edited: what it got wrong, the next one mends.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from chatforge_tui.errors import StoreCorrupt, StoreTooNew
from chatforge_tui.store import schema
from chatforge_tui.store.connection import immediate
from chatforge_tui.store.failure import REPAIR_HINT


def m001_first_tables(db: sqlite3.Connection) -> None:
    """Make the tables of the first release."""
    _run(db, 1)


def m002_attachments(db: sqlite3.Connection) -> None:
    """Make room for the files that go along with prompts."""
    _run(db, 2)


def m003_text_log(db: sqlite3.Connection) -> None:
    """Make room for a log of what streams in. What has streamed into `chunk` is read from there as before."""
    _run(db, 3)


def _run(db: sqlite3.Connection, version: int) -> None:
    """Run the statements that make this version out of the one before it."""
    for statement in schema.VERSIONS[version - 1]:
        db.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_first_tables,
    m002_attachments,
    m003_text_log,
)
"""MIGRATIONS[n] brings version n to version n + 1."""

NEWEST = len(MIGRATIONS)
"""The schema version this program reads and writes."""


def version_of(db: sqlite3.Connection) -> int:
    """Return the schema version of the file; 0 for one without tables.

    Raises:
        StoreTooNew: a newer ChatForge wrote it.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > NEWEST:
        raise too_new(version)
    return version


def too_new(version: int) -> StoreTooNew:
    """Return the error for a schema version beyond the newest."""
    message = f"This store was written by a newer ChatForge (schema {version}; this one knows {NEWEST})."
    return StoreTooNew(message, hint="Update ChatForge, or use another --home.")


def is_newer(db: sqlite3.Connection) -> bool:
    """Return whether a newer ChatForge has changed the schema."""
    return int(db.execute("PRAGMA user_version").fetchone()[0]) > NEWEST


def migrate(db: sqlite3.Connection) -> None:
    """Run every step that the file has not had yet.

    Two programs may start at once: the version is read again inside each transaction.

    Raises:
        StoreTooNew: a newer ChatForge wrote it.
    """
    while version_of(db) < NEWEST:
        with immediate(db):
            version = version_of(db)
            if version < NEWEST:
                MIGRATIONS[version](db)
                db.execute(f"PRAGMA user_version = {version + 1}")


def check_shape(db: sqlite3.Connection, path: Path) -> None:
    """Check that every table and column that this program reads of the file's version is there; others do not matter.

    Raises:
        StoreCorrupt: one is missing.
        StoreTooNew: one is missing, for a newer ChatForge has made the tables.
        sqlite3.Error: the file cannot be read.
    """
    version_is_known = not is_newer(db)
    for table, columns in _tables(version_of(db) if version_is_known else NEWEST):
        found = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
        missing = [f"{table}.{name}" for name in columns if name not in found] if found else [table]
        if missing and version_is_known:
            message = f"The store {path} is not built as it should be: it has no {missing[0]}."
            raise StoreCorrupt(message, hint=REPAIR_HINT)
        if missing:
            version_of(db)


def _tables(version: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the tables of a version with their columns, as the statements that make them say; one maybe repeatedly."""
    for statement in chain.from_iterable(schema.VERSIONS[:version]):
        if added := re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", statement):
            yield added[1], [added[2]]
        elif table := re.search(r"CREATE TABLE (\w+)", statement):
            yield table[1], re.findall(r"^\s+([a-z_0-9]+) (?:TEXT|INTEGER|REAL|BLOB)", statement, re.MULTILINE)
