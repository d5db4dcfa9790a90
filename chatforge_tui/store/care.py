"""Looking after a store: is it sound, make it small, copy it. Repairing is in salvage.py."""

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.part import NoticeLevel, NoticePart
from chatforge_tui.store import attached, backups, codec, queries
from chatforge_tui.store.connection import connect
from chatforge_tui.store.failure import translated
from chatforge_tui.store.instances import Observer
from chatforge_tui.store.migrations import version_of
from chatforge_tui.store.opening import open_for_reading
from chatforge_tui.store.pragmas import guard
from chatforge_tui.store.store_file import check_file, recognise
from chatforge_tui.store.text_log_reader import TextLogReader


class CheckReport(Struct, frozen=True):
    """What a check found."""

    sessions: int
    """Sessions that can be read, the trash included."""
    turns: int
    """Turns that can be read."""
    damage: tuple[str, ...]
    """What is wrong with the file, one sentence each; empty = sound."""
    altered: tuple[SessionId, ...]
    """Sessions of which something is not what was stored: an answer's checksum differs, or a cell is damaged."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.damage and not self.altered


def check(path: Path) -> CheckReport:
    """Read the whole store and hold it against its own structure and its checksums. Changes nothing.

    Raises:
        StoreError: it cannot be opened at all.
    """
    with translated(path):
        place = open_for_reading(path)
        try:
            damage = _examine(place.db)
            return _read_all(place.db, place.me, damage)
        finally:
            place.close()


def compact(path: Path) -> tuple[int, int]:
    """Give the space of deleted sessions back to the disk; return the sizes before and after, in bytes.

    Raises:
        StoreError: it cannot be done now.
    """
    with translated(path):
        check_file(path)
        before = path.stat().st_size
        with closing(connect(path)) as db:
            guard(db)
            recognise(db, path)
            version_of(db)
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return before, path.stat().st_size


def back_up(path: Path) -> Path:
    """Make a copy now; return where it is.

    Raises:
        StoreError: the store is damaged, or the copy cannot be written.
    """
    with translated(path):
        place = open_for_reading(path)
        try:
            return backups.back_up(place.db, path)
        finally:
            place.close()


def _examine(db: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with the file."""
    damage: list[str] = []
    try:
        damage += [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        damage += [f"A row of {row[0]} belongs to nothing." for row in db.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        damage.append(f"The examination stopped: {error}.")
    return damage


def _read_all(db: sqlite3.Connection, me: Observer, damage: list[str]) -> CheckReport:
    """Read every session and turn as the program would."""
    sessions = turns = 0
    altered: list[SessionId] = []
    reader = TextLogReader()
    try:
        heads = [head for trashed in (False, True) for head in queries.load_sessions(db, me.is_alive, trashed=trashed)]
        sessions = len(heads)
        for head in heads:
            loaded = queries.load_turns(db, me.is_alive, head.session_id, reader)
            turns += len(loaded)
            is_damaged = queries.is_damaged(db, head.session_id) or attached.has_damage(db, head.session_id)
            if is_damaged or any(_is_warning(part) for turn in loaded for part in turn.parts):
                altered.append(head.session_id)
    except sqlite3.DatabaseError as error:
        damage.append(f"Reading stopped: {error}.")
    return CheckReport(sessions, turns, tuple(damage), tuple(altered))


def _is_warning(part: object) -> bool:
    """Return whether the part is one that codec.py put in place of, or beside, something damaged."""
    return isinstance(part, NoticePart) and part.level is NoticeLevel.WARNING and codec.DAMAGED in part.text
